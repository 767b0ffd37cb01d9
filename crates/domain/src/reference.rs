//! The reference snapshot: everything that pricing looks up, immutable and with a version.
//! A charge names the version it was priced with, so that any amount can be derived again.

use crate::contract::Contract;
use crate::masters::{Masters, SourceMasters};
use crate::rate::RateRow;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The legal entity that bills.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entity {
    /// Its code.
    pub code: String,
    /// The business unit that its work belongs to unless a project says otherwise.
    pub business_unit: String,
    /// The time zone of its days, an IANA name.
    pub zone: String,
}

/// Names that differ between the source and the ERP, entered by people in the configuration.
/// They win over the codes that the source itself carries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub struct Crosswalk {
    /// Worker code by the source's user id.
    #[serde(default)]
    pub workers: BTreeMap<String, String>,
    /// Project code by the source's project id.
    #[serde(default)]
    pub projects: BTreeMap<String, String>,
    /// Task code by the source's task id.
    #[serde(default)]
    pub tasks: BTreeMap<String, String>,
    /// Service item code by the source's activity.
    #[serde(default)]
    pub service_items: BTreeMap<String, String>,
    /// Role by worker code, for rates.
    #[serde(default)]
    pub roles: BTreeMap<String, String>,
    /// Business unit by project code.
    #[serde(default)]
    pub business_units: BTreeMap<String, String>,
    /// Worker's code to the practice the person works in, for rates.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub practices: BTreeMap<String, String>,
}

/// Everything that pricing looks up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reference {
    /// The billing entity.
    pub entity: Entity,
    /// The ERP's masters.
    pub masters: Masters,
    /// The source's masters.
    pub source: SourceMasters,
    /// People's mapping.
    pub crosswalk: Crosswalk,
    /// Contracts.
    pub contracts: Vec<Contract>,
    /// Bill rates.
    pub bill_rates: Vec<RateRow>,
    /// Cost rates.
    pub cost_rates: Vec<RateRow>,
    /// Customers that finance holds back, by code, beyond those held in the ERP.
    pub customers_on_hold: Vec<String>,
    /// Who is exempt from overtime, and when.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub overtime_exemptions: Vec<crate::overtime::OvertimeExemption>,
}

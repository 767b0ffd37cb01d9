//! What the product's configuration holds for the firm.

use super::layout::Layout;
use domain::contract::Contract;
use domain::rate::RateRow;
use domain::reference::{Crosswalk, Entity};
use serde::{Deserialize, Serialize};

/// The business part of the configuration: everything but connections and secrets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FirmConfig {
    /// The billing entity.
    pub entity: Entity,
    /// Names that differ between the tracker and the ERP.
    pub crosswalk: Crosswalk,
    /// Contracts.
    #[serde(rename = "contract")]
    pub contracts: Vec<Contract>,
    /// Bill rates.
    #[serde(rename = "rate")]
    pub bill_rates: Vec<RateRow>,
    /// Cost rates.
    #[serde(rename = "cost_rate")]
    pub cost_rates: Vec<RateRow>,
}

impl FirmConfig {
    /// As the configuration file has it: `[entity]`, `[crosswalk]`, `[[contract]]`, `[[rate]]`,
    /// `[[cost_rate]]`.
    pub fn to_toml(&self) -> Result<String, toml::ser::Error> {
        toml::to_string(self)
    }
}

pub(super) fn of(layout: &Layout) -> FirmConfig {
    FirmConfig {
        entity: Entity {
            code: "KESTREL".to_owned(),
            business_unit: "ADVISORY".to_owned(),
            zone: "Europe/Berlin".to_owned(),
        },
        crosswalk: layout.crosswalk.clone(),
        contracts: layout
            .engagements
            .iter()
            .map(|engagement| engagement.contract.clone())
            .collect(),
        bill_rates: layout.bill_rates.clone(),
        cost_rates: layout.cost_rates.clone(),
    }
}

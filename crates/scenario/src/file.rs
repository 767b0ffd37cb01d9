//! The scenario file: who is there and what was agreed. What happens is in [`crate::event`].

use crate::event::Event;
use domain::contract::Contract;
use domain::overtime::OvertimeExemption;
use domain::period::Period;
use domain::rate::RateRow;
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The version of the format. A change that an old file would be misread by raises it.
pub const SCENARIO_VERSION: u32 = 1;

/// A scenario.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// The version of this format: 1.
    pub version: u32,
    /// What the scenario shows, in words.
    #[serde(default)]
    pub title: String,
    /// The firm's billing entity.
    #[serde(default)]
    pub entity: EntityTable,
    /// The customers. A customer that a contract names needs no table of its own.
    #[serde(default)]
    pub customer: Vec<CustomerTable>,
    /// The projects. A project that a contract names needs no table of its own.
    #[serde(default)]
    pub project: Vec<ProjectTable>,
    /// The people.
    #[serde(default)]
    pub worker: Vec<WorkerTable>,
    /// The accounting periods. Without any, every month is open.
    #[serde(default)]
    #[schemars(with = "Vec<PeriodTable>")]
    pub period: Vec<PeriodTable>,
    /// The contracts, in the form of the configuration.
    #[serde(default)]
    pub contract: Vec<Contract>,
    /// Who is exempt from overtime, and when.
    #[serde(default)]
    pub overtime_exemption: Vec<OvertimeExemption>,
    /// Bill rates.
    #[serde(default)]
    pub rate: Vec<RateRow>,
    /// Cost rates. Without any, cost is not worked out.
    #[serde(default)]
    pub cost_rate: Vec<RateRow>,
    /// What happens, in the order in which it becomes known.
    #[serde(default)]
    pub event: Vec<Event>,
}

/// The billing entity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EntityTable {
    /// Its code.
    #[serde(default = "entity_code")]
    pub code: String,
    /// The business unit of its work.
    #[serde(default = "business_unit")]
    pub business_unit: String,
    /// Its time zone, an IANA name.
    #[serde(default = "zone")]
    pub zone: String,
}

fn entity_code() -> String {
    "FIRM".to_owned()
}
fn business_unit() -> String {
    "Main".to_owned()
}
fn zone() -> String {
    "UTC".to_owned()
}

impl Default for EntityTable {
    fn default() -> Self {
        Self {
            code: entity_code(),
            business_unit: business_unit(),
            zone: zone(),
        }
    }
}

/// A customer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CustomerTable {
    /// Its code.
    pub code: String,
    /// Its name; the code where absent.
    #[serde(default)]
    pub name: Option<String>,
    /// Whether it is on billing hold.
    #[serde(default)]
    pub on_hold: bool,
}

/// A project.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ProjectTable {
    /// Its code.
    pub code: String,
    /// Its name; the code where absent.
    #[serde(default)]
    pub name: Option<String>,
    /// Its tasks. Without any, every task is taken.
    #[serde(default)]
    pub tasks: Vec<String>,
    /// Whether it is closed.
    #[serde(default)]
    pub closed: bool,
}

/// A worker.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WorkerTable {
    /// The person's code.
    pub code: String,
    /// The person's name; the code where absent.
    #[serde(default)]
    pub name: Option<String>,
    /// The role, for rates.
    #[serde(default)]
    pub role: String,
    /// The practice, for rates.
    #[serde(default)]
    pub practice: Option<String>,
    /// First day; none = always.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub from: Option<Date>,
    /// Last day; none = still there.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub until: Option<Date>,
}

/// An accounting period.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PeriodTable {
    /// Its name, for example 2026-03.
    pub name: String,
    /// First day.
    #[schemars(with = "String")]
    pub first: Date,
    /// Last day.
    #[schemars(with = "String")]
    pub last: Date,
    /// Whether it takes postings.
    #[serde(default = "yes")]
    pub open: bool,
}

const fn yes() -> bool {
    true
}

impl PeriodTable {
    /// As the calendar holds it.
    pub fn period(&self) -> Period {
        Period {
            name: self.name.clone(),
            first: self.first,
            last: self.last,
            open: self.open,
        }
    }
}

/// The JSON Schema of a scenario.
pub fn scenario_schema() -> schemars::Schema {
    schemars::schema_for!(Scenario)
}

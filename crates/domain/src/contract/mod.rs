//! Contracts: what a client agreed to, as data.

pub mod accounts;
pub mod corrections;
pub mod lines;
pub mod quantity;
pub mod rates;

use crate::currency::Currency;
use crate::period::LateWork;
use crate::rounding::{Increment, Rounding};
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How the work of a contract is paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ContractKind {
    /// Every billable hour at its rate.
    TimeAndMaterials,
    /// A price agreed beforehand: hours are booked as cost and never invoiced.
    FixedFee,
    /// Nobody pays: cost of an internal cost centre.
    Internal,
}

impl ContractKind {
    /// The words people read.
    pub const fn words(self) -> &'static str {
        match self {
            Self::TimeAndMaterials => "time and materials",
            Self::FixedFee => "fixed fee",
            Self::Internal => "internal",
        }
    }
}

/// In which shape the ERP is given a billable hour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, Default)]
#[serde(rename_all = "snake_case")]
pub enum BillShape {
    /// A line of a draft invoice, with our price.
    #[default]
    DraftLine,
    /// A timesheet line of the ERP's project, which the ERP prices and invoices itself.
    Timesheet,
}

/// Which charges share a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, Default)]
#[serde(rename_all = "snake_case")]
pub enum Grouping {
    /// One document per contract and period.
    #[default]
    Contract,
    /// One document per customer and period.
    Customer,
    /// One document per project and period.
    Project,
}

/// A contract with a client, or the terms of internal work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Contract {
    /// Its id in this ledger, unique.
    pub id: String,
    /// The customer's code. Internal contracts have none.
    #[serde(default)]
    pub customer: Option<String>,
    /// The projects it covers, by code.
    pub projects: Vec<String>,
    /// How it is paid.
    pub kind: ContractKind,
    /// The currency of its rates and documents.
    #[schemars(with = "Currency")]
    pub currency: Currency,
    /// First day it covers; none = always.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub from: Option<Date>,
    /// First day it no longer covers; none = open end.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub to: Option<Date>,
    /// How recorded time becomes billable time; none = to the second.
    #[serde(default)]
    pub increment: Option<Increment>,
    /// Digits after the point of the printed quantity of hours. Never finer than the ERP's.
    #[serde(default = "two")]
    pub quantity_decimals: u32,
    /// How the printed quantity is rounded.
    #[serde(default)]
    pub quantity_rounding: Rounding,
    /// How the amount of a charge is rounded to the currency's smallest coin.
    #[serde(default)]
    pub amount_rounding: Rounding,
    /// The shape the ERP is given.
    #[serde(default)]
    pub shape: BillShape,
    /// Which charges share a document.
    #[serde(default)]
    pub grouping: Grouping,
    /// What happens to work of a closed period.
    #[serde(default)]
    pub late_work: LateWork,
}

const fn two() -> u32 {
    2
}

impl Contract {
    /// Whether the contract covers a project on a day.
    pub fn covers(&self, project: &str, day: Date) -> bool {
        self.projects.iter().any(|p| p == project)
            && self.from.is_none_or(|from| from <= day)
            && self.to.is_none_or(|to| day < to)
    }
}

/// The JSON Schema of [`Contract`].
pub fn contract_schema() -> schemars::Schema {
    schemars::schema_for!(Contract)
}

//! The canonical labor transaction: the published, versioned contract of what an hour is.
//!
//! The JSON Schema is printed by `counterfoil schema labor-transaction`.

use crate::contract::ContractKind;
use crate::currency::Currency;
use crate::decimal::Micro;
use crate::quantity::Unit;
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The version of this contract. A change that a reader of the old version would misread raises it.
pub const LABOR_TRANSACTION_VERSION: u32 = 1;

/// Who worked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum WorkerKind {
    /// Employed by the entity.
    Employee,
    /// Paid per invoice of their own.
    Contractor,
}

/// Whether the work was approved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ApprovalStatus {
    /// Not approved (yet).
    Unapproved,
    /// Approved.
    Approved,
}

/// One labor transaction: validated, enriched and priced time in canonical form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LaborTransaction {
    /// The version of this contract, 1.
    pub version: u32,
    /// The source system's name in the configuration.
    pub source: String,
    /// The source's own id of the entry.
    pub source_transaction_id: String,
    /// Which revision of the entry this is, counted from 1.
    pub revision: i64,
    /// The worker's code.
    pub worker: String,
    /// Employee or contractor, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub worker_kind: Option<WorkerKind>,
    /// The worker's role, for rates.
    pub role: String,
    /// The legal entity.
    pub legal_entity: String,
    /// The business unit.
    pub business_unit: String,
    /// The region, where the firm uses one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// The service line, where the firm uses one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_line: Option<String>,
    /// The cost centre, where the firm uses one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost_centre: Option<String>,
    /// The customer's code; internal work has none.
    pub customer: Option<String>,
    /// The contract's id.
    pub contract: String,
    /// How the contract is paid.
    pub contract_kind: ContractKind,
    /// The project's code.
    pub project: String,
    /// The task's code.
    pub task: String,
    /// The service item's code.
    pub service_item: String,
    /// The labor category, where the firm uses one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub labor_category: Option<String>,
    /// The client's billing code, where the contract has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub billing_code: Option<String>,
    /// The day of the work.
    #[schemars(with = "String")]
    pub work_date: Date,
    /// The zone of that day, an IANA name.
    pub zone: String,
    /// The part of the entry that this is, where it comes out in several: its tier and what becomes of
    /// it, as in `premium_billed` or `straight_drawn`. Absent where the entry is one whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub part: Option<String>,
    /// Recorded time in whole seconds, as the person logged it. The parts of an entry add up to it.
    pub recorded_seconds: i64,
    /// The printed quantity.
    pub quantity: Micro,
    /// Its unit.
    pub unit: Unit,
    /// What the person wrote.
    pub narrative: String,
    /// Whether it was approved.
    pub approval_status: ApprovalStatus,
    /// The billing status, as told to the source.
    pub billing_status: String,
    /// Whether a client pays for it: with this line, ahead, by a fee, or once there is room.
    pub billable: bool,
    /// The cost per unit; zero where the ERP owns cost.
    pub cost_rate: Micro,
    /// The currency of the cost rate.
    pub cost_currency: Currency,
    /// The price per unit; zero where nobody pays.
    pub bill_rate: Micro,
    /// The currency of the bill rate.
    pub currency: Currency,
    /// The tax jurisdiction, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tax_jurisdiction: Option<String>,
}

/// The JSON Schema of [`LaborTransaction`].
pub fn labor_transaction_schema() -> schemars::Schema {
    schemars::schema_for!(LaborTransaction)
}

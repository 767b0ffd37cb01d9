//! The content of a charge: what is booked for one item.

use domain::contract::{BillShape, ContractKind};
use domain::currency::Currency;
use domain::decimal::Micro;
use domain::money::Money;
use domain::quantity::Unit;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// Whether a client pays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Disposition {
    /// A client is billed.
    Bill,
    /// Booked as cost; never on an invoice.
    Cost,
}

impl Disposition {
    /// The stored name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bill => "bill",
            Self::Cost => "cost",
        }
    }

    /// From the stored name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Bill, Self::Cost]
            .into_iter()
            .find(|d| d.name() == name)
    }
}

/// Where a charge belongs: the parts of a document's key that contract and period decide.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Placement {
    /// The customer's code; empty for internal work.
    pub bill_to: String,
    /// The contract's grouping value.
    pub group_key: String,
    /// The accounting period, as `2026-11`.
    pub period: String,
}

/// The content of a charge, before it has an identity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChargeContent {
    /// Whether a client pays.
    pub disposition: Disposition,
    /// The contract's id.
    pub contract: String,
    /// How the contract is paid.
    pub contract_kind: ContractKind,
    /// The shape for the ERP.
    pub shape: BillShape,
    /// Where it belongs.
    pub placement: Placement,
    /// The printed quantity.
    pub quantity: Micro,
    /// Its unit.
    pub unit: Unit,
    /// The rate per unit; zero where nobody pays.
    pub rate: Micro,
    /// Quantity times rate, rounded once; zero where nobody pays.
    pub amount: Money,
    /// The cost per unit; zero where the ERP owns cost.
    pub cost_rate: Micro,
    /// Recorded hours times cost rate, rounded once.
    pub cost: Money,
    /// The day of the work.
    pub work_date: Date,
    /// The day it is posted on.
    pub posting_date: Date,
}

impl ChargeContent {
    /// The currency of the amount.
    pub const fn currency(&self) -> Currency {
        self.amount.currency
    }

    /// Whether there is nothing to put on a document: the client pays by quantity and rate, and the
    /// contract's rounding left nothing of them (no quantity is no amount). Booked time is a line whatever it comes to, since
    /// the ERP prices it itself.
    pub fn makes_no_line(&self) -> bool {
        matches!(
            (self.disposition, self.shape),
            (Disposition::Bill, BillShape::DraftLine)
        ) && self.amount.amount_minor == 0
    }

    /// Whether two contents ask the same of the client and of the ERP. The posting date is not
    /// compared: a period that closed after booking does not move what is booked.
    pub fn same_effect(&self, other: &Self) -> bool {
        self.disposition == other.disposition
            && self.contract == other.contract
            && self.shape == other.shape
            && self.placement.bill_to == other.placement.bill_to
            && self.placement.group_key == other.placement.group_key
            && self.quantity == other.quantity
            && self.unit == other.unit
            && self.rate == other.rate
            && self.amount == other.amount
            && self.cost_rate == other.cost_rate
            && self.cost == other.cost
            && self.work_date == other.work_date
    }
}

//! The content of a charge: what is booked for one part of an item.

use crate::part::Part;
use domain::contract::{BillShape, ContractKind};
use domain::currency::Currency;
use domain::decimal::Micro;
use domain::money::Money;
use domain::quantity::Unit;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Whether a client pays, and if not, why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Disposition {
    /// A client is billed.
    Bill,
    /// Nobody ever pays. Booked as cost; never on an invoice.
    Cost,
    /// Paid ahead: drawn from a retainer. Booked as cost; its invoice was the retainer's.
    Drawn,
    /// Inside the hours that a fee covers. Booked as cost; its invoice is the fee's.
    Allowance,
    /// Given up. Booked as cost.
    WrittenOff,
    /// Waits for room under a limit. Nothing of it is in the ERP.
    Held,
}

impl Disposition {
    /// Every disposition.
    pub const ALL: [Self; 6] = [
        Self::Bill,
        Self::Cost,
        Self::Drawn,
        Self::Allowance,
        Self::WrittenOff,
        Self::Held,
    ];

    /// The stored name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bill => "bill",
            Self::Cost => "cost",
            Self::Drawn => "drawn",
            Self::Allowance => "allowance",
            Self::WrittenOff => "written_off",
            Self::Held => "held",
        }
    }

    /// The words people read.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Bill => "billed",
            Self::Cost => "cost only",
            Self::Drawn => "drawn from the retainer",
            Self::Allowance => "inside the allowance",
            Self::WrittenOff => "written off",
            Self::Held => "held",
        }
    }

    /// From the stored name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|d| d.name() == name)
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
    /// Which part of the item it is.
    pub part: Part,
    /// Whether a client pays.
    pub disposition: Disposition,
    /// The contract's id.
    pub contract: String,
    /// How the contract is paid.
    pub contract_kind: ContractKind,
    /// The shape for the ERP.
    pub shape: BillShape,
    /// Where it belongs. Shared by all charges that belong there.
    pub placement: Arc<Placement>,
    /// The printed quantity.
    pub quantity: Micro,
    /// Its unit.
    pub unit: Unit,
    /// The rate per unit; zero where nobody ever pays.
    pub rate: Micro,
    /// What the client is billed by this charge: quantity times rate, rounded once, less what accounts
    /// took off the line; zero for all but [`Disposition::Bill`].
    pub amount: Money,
    /// What the part is worth at the contract's price: the amount where it is billed; zero where the
    /// work has no price.
    pub value: Money,
    /// Recorded time of the part, in whole seconds. The parts of an item add up to its recorded time.
    pub recorded_seconds: i64,
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

    /// What does not hold together, in words; nothing if the content may be booked.
    pub fn fault(&self) -> Option<&'static str> {
        if !self.part.allows(self.disposition) {
            return Some("its part does not allow its disposition");
        }
        if self.value.currency != self.amount.currency {
            return Some("its value and its amount are of two currencies");
        }
        let billed = self.disposition == Disposition::Bill;
        if billed && self.amount != self.value {
            return Some("it is billed at another amount than it is worth");
        }
        if !billed && self.amount.amount_minor != 0 {
            return Some("it is not billed and has an amount");
        }
        (self.recorded_seconds < 0).then_some("its recorded time is negative")
    }

    /// Whether there is nothing to put on a document: the client pays by quantity and rate, and the
    /// contract's rounding left nothing of them (no quantity is no amount); it waits for room; or none of
    /// the recorded time fell into a part that is booked as cost beside others. Booked time is a line
    /// whatever it comes to, since the ERP prices it itself.
    pub fn makes_no_line(&self) -> bool {
        match self.disposition {
            Disposition::Bill => {
                self.shape == BillShape::DraftLine && self.amount.amount_minor == 0
            }
            Disposition::Drawn | Disposition::Allowance | Disposition::WrittenOff => {
                self.recorded_seconds == 0
            }
            Disposition::Cost => false,
            Disposition::Held => true,
        }
    }

    /// Whether the ERP is to hold the part's recorded time beside others, as the cost of work that no
    /// line bills. Its quantity is what the retainer or the fee counts, and may be another.
    pub const fn books_recorded_time(&self) -> bool {
        match self.disposition {
            Disposition::Drawn | Disposition::Allowance | Disposition::WrittenOff => true,
            Disposition::Bill | Disposition::Cost | Disposition::Held => false,
        }
    }

    /// Whether two contents ask the same of the client and of the ERP. The posting date is not
    /// compared: a period that closed after booking does not move what is booked. Recorded time is
    /// compared where it is booked whatever the quantity; elsewhere it changes quantity and cost.
    pub fn same_effect(&self, other: &Self) -> bool {
        self.part == other.part
            && self.disposition == other.disposition
            && self.contract == other.contract
            && self.shape == other.shape
            && self.placement.bill_to == other.placement.bill_to
            && self.placement.group_key == other.placement.group_key
            && self.quantity == other.quantity
            && self.unit == other.unit
            && self.rate == other.rate
            && self.amount == other.amount
            && self.value == other.value
            && self.cost_rate == other.cost_rate
            && self.cost == other.cost
            && self.work_date == other.work_date
            && (!self.books_recorded_time() || self.recorded_seconds == other.recorded_seconds)
    }
}

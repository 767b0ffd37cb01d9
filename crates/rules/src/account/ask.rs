//! What accounts are asked for, what they answer with, and what one event changed.
//!
//! An ask is one item with its printed quantity and its rate. The answer is a list of slices that
//! add up to the quantity; each slice multiplies out by itself, so that it can be a line.

use super::refusal::Refusal;
use domain::decimal::Micro;
use domain::money::Money;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use std::cmp::Ordering;

/// What an item is billed for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AskKind {
    /// Work.
    Fees,
    /// An expense. It is granted whole or not at all.
    Expenses,
}

/// One item that asks to be billed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ask {
    /// The item, by the id that the ledger knows it by.
    pub item: String,
    /// The part of the contract that it is under, by contract; none = the contract itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contract: Option<String>,
    /// Work or expense.
    pub kind: AskKind,
    /// The printed quantity.
    pub quantity: Micro,
    /// The contract's rate per unit.
    pub rate: Micro,
    /// The day of the work. First in the order inside a batch.
    pub work_date: Date,
    /// When it was approved, in microseconds since the epoch. Second in the order.
    pub approved_at_micros: i64,
    /// The source's own id. Last in the order.
    pub source_id: String,
    /// The contract's line, where it has lines.
    #[serde(default)]
    pub line: Option<String>,
    /// The client's purchase order, where there is one.
    #[serde(default)]
    pub purchase_order: Option<String>,
    /// The task.
    #[serde(default)]
    pub task: Option<String>,
}

impl Ask {
    /// Refuse what no account can answer.
    pub(super) fn check(&self) -> Result<(), Refusal> {
        if self.quantity.is_negative() || self.rate.is_negative() {
            return Err(Refusal::Negative {
                item: self.item.clone(),
                quantity: self.quantity,
                rate: self.rate,
            });
        }
        Ok(())
    }
}

/// The order inside one batch: work date, approval time, source id. Between batches the order is
/// that of the events.
pub fn in_order(asks: &[Ask]) -> Vec<&Ask> {
    let mut sorted: Vec<&Ask> = asks.iter().collect();
    sorted.sort_by(|a, b| by_order(a, b));
    sorted
}

pub(crate) fn by_order(one: &Ask, other: &Ask) -> Ordering {
    let place = |ask: &Ask| (ask.work_date, ask.approved_at_micros);
    let ids = || one.source_id.cmp(&other.source_id);
    place(one).cmp(&place(other)).then_with(ids)
}

/// What becomes of a part of an ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The client is billed at the contract's rate.
    Billed,
    /// Paid from a retainer, at the contract's rate.
    Drawn,
    /// Inside the hours that an hour bank's fee covers.
    Allowance,
    /// Over these hours: billed at the bank's overage rate.
    Overage,
    /// Waits for room.
    Held,
    /// Given up. Its cost stays.
    WrittenOff,
    /// What a limit takes off a line: a part of its own, less than nothing. No account gives it.
    LineAllowance,
}

impl Outcome {
    /// Every outcome.
    pub const ALL: [Self; 7] = [
        Self::Billed,
        Self::Drawn,
        Self::Allowance,
        Self::Overage,
        Self::Held,
        Self::WrittenOff,
        Self::LineAllowance,
    ];

    /// The words people read.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Billed => "billed",
            Self::Drawn => "drawn from the retainer",
            Self::Allowance => "inside the allowance",
            Self::Overage => "billed as overage",
            Self::Held => "held",
            Self::WrittenOff => "written off",
            Self::LineAllowance => "line allowance",
        }
    }
}

/// A part of an ask.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Slice {
    /// What becomes of it.
    pub outcome: Outcome,
    /// Its printed quantity, less what final credits took.
    pub quantity: Micro,
    /// Its rate per unit; zero inside an hour bank's allowance.
    pub rate: Micro,
    /// Quantity times rate, rounded once; less what final credits took.
    pub amount: Money,
    /// An allowance on the line, in money: the client pays amount less this.
    pub line_allowance: Money,
}

impl Slice {
    /// What the client pays, or would pay.
    pub const fn net_minor(&self) -> i64 {
        self.amount
            .amount_minor
            .saturating_sub(self.line_allowance.amount_minor)
    }
}

/// What one event changed, to be booked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Effect {
    /// The part of an item with one outcome grew or shrank.
    Change {
        /// The item.
        item: String,
        /// The outcome.
        outcome: Outcome,
        /// By how much, signed.
        quantity: Micro,
        /// What the client pays more or less for it (or would, where it is held or given up).
        amount: Money,
        /// By how much the allowance on the line grew or shrank.
        line_allowance: Money,
    },
    /// Credited, and the same capacity stays reserved for the line that follows.
    Rebill {
        /// The item.
        item: String,
        /// The quantity credited.
        quantity: Micro,
        /// Its amount.
        amount: Money,
    },
    /// A top-up of a retainer is to be invoiced.
    TopUp {
        /// Its id; the funding that answers it carries the same.
        id: String,
        /// How much.
        amount: Money,
    },
    /// The fee of an hour bank's period is to be billed.
    Fee {
        /// The item it becomes.
        item: String,
        /// The period's first day.
        first: Date,
        /// How much.
        amount: Money,
    },
    /// Hours of an hour bank that lapsed unused (or, negative, that did not after all).
    Breakage {
        /// First day of the period at whose end they lapsed.
        first: Date,
        /// How many hours.
        quantity: Micro,
    },
    /// A milestone, or retention, is to be billed (or, negative, credited).
    Milestone {
        /// The item it becomes inside the contract: milestone and revision.
        item: String,
        /// How much.
        amount: Money,
    },
    /// Retention was withheld (or, negative, is withheld no longer).
    Withheld {
        /// How much.
        amount: Money,
    },
}

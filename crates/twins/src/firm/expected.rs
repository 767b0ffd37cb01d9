//! What must become of each entry.

use domain::contract::BillShape;
use domain::decimal::Micro;
use domain::exception::Code;
use domain::money::Money;
use serde::Serialize;
use std::collections::BTreeMap;

/// What must become of one entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Outcome {
    /// A client pays.
    Bill {
        /// The contract's id.
        contract: String,
        /// The shape in the ERP.
        shape: BillShape,
        /// Printed hours.
        quantity: Micro,
        /// The rate.
        rate: Micro,
        /// The amount.
        amount: Money,
    },
    /// Cost, never invoiced.
    Cost {
        /// The contract's id.
        contract: String,
        /// Printed hours.
        quantity: Micro,
    },
    /// An exception.
    Exception {
        /// Its code.
        code: Code,
    },
    /// It waits for approval.
    Unapproved,
}

/// What must become of the firm's month if nobody intervenes.
///
/// Of two entries that look like one, the one with the greater id is the copy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Default)]
pub struct Expected {
    /// By the tracker's id.
    pub entries: BTreeMap<String, Outcome>,
}

impl Expected {
    /// How many exceptions of each code.
    pub fn exceptions_by_code(&self) -> BTreeMap<&'static str, u64> {
        let mut counts = BTreeMap::new();
        for outcome in self.entries.values() {
            if let Outcome::Exception { code } = outcome {
                *counts.entry(code.text()).or_insert(0_u64) += 1;
            }
        }
        counts
    }

    /// How many entries wait for approval.
    pub fn unapproved(&self) -> usize {
        self.count(|outcome| *outcome == Outcome::Unapproved)
    }

    /// How many entries are billed.
    pub fn billed(&self) -> usize {
        self.count(|outcome| matches!(outcome, Outcome::Bill { .. }))
    }

    /// How many entries are cost.
    pub fn cost(&self) -> usize {
        self.count(|outcome| matches!(outcome, Outcome::Cost { .. }))
    }

    fn count(&self, of: impl Fn(&Outcome) -> bool) -> usize {
        self.entries.values().filter(|outcome| of(outcome)).count()
    }

    /// What is billed, in minor units by currency.
    pub fn billed_minor(&self) -> BTreeMap<String, i64> {
        let mut sums = BTreeMap::new();
        for outcome in self.entries.values() {
            if let Outcome::Bill { amount, .. } = outcome {
                *sums.entry(amount.currency.to_string()).or_insert(0_i64) += amount.amount_minor;
            }
        }
        sums
    }
}

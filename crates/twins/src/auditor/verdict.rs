//! What the auditor found.

use serde::Serialize;
use std::collections::BTreeMap;

/// The verdict on a run. `approved` = `posted` + `cost_only` + `nothing_to_bill` + exceptions +
/// `withdrawn`, or there are problems.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Default)]
pub struct Verdict {
    /// Entries that were ever in the tracker.
    pub entries: u64,
    /// Entries that are approved, or were when they left.
    pub approved: u64,
    /// Entries that wait for approval.
    pub waiting: u64,
    /// Entries that a client pays, each with exactly one effect in the ERP.
    pub posted: u64,
    /// Entries that are cost in the ERP.
    pub cost_only: u64,
    /// Amounts beside hours, each billed once.
    pub agreed: u64,
    /// Entries that are booked and come to nothing under their contract.
    pub nothing_to_bill: u64,
    /// Open exceptions by code.
    pub exceptions: BTreeMap<String, u64>,
    /// Entries that were approved and are deleted.
    pub withdrawn: u64,
    /// Lines of deleted entries that a restored ledger does not know.
    pub forgotten: u64,
    /// Lines beyond the one that an entry is to have.
    pub duplicates: u64,
    /// Entries without their effect in the ERP.
    pub lost: u64,
    /// Effects with other content than their entry, and lines of no entry.
    pub wrong: u64,
    /// Entries that show another billing status than the ERP does.
    pub not_told: u64,
    /// What the ERP bills beyond what the entries explain, in minor units by currency.
    pub unexplained_minor: BTreeMap<String, i64>,
    /// Requests that an account's limit did not allow.
    pub limit_breaches: u64,
    /// Every problem in a sentence.
    pub problems: Vec<String>,
}

impl Verdict {
    /// Whether nothing is wrong.
    pub fn is_good(&self) -> bool {
        self.problems.is_empty()
            && self.duplicates + self.lost + self.wrong + self.not_told + self.limit_breaches == 0
            && self.unexplained_minor.values().all(|minor| *minor == 0)
            && self.adds_up()
    }

    /// Whether every approved entry is accounted for.
    pub fn adds_up(&self) -> bool {
        self.approved
            == self.posted
                + self.cost_only
                + self.nothing_to_bill
                + self.withdrawn
                + self.exceptions.values().sum::<u64>()
    }

    pub(super) fn problem(&mut self, words: String) {
        self.problems.push(words);
    }

    pub(super) fn unexplained(&mut self, currency: &str, minor: i64) {
        let sum = self
            .unexplained_minor
            .entry(currency.to_owned())
            .or_default();
        *sum = sum.saturating_add(minor);
    }
}

//! An hour bank: hours that a fee per period covers, carried on as the contract says.
//!
//! The account holds, per period, a log of who used how much, in the order it came, and works every
//! figure out from it: which hours came from which bucket, what is over, what goes on and what
//! lapses. Late time of a closed period either goes into its own log, and all later periods follow,
//! or into the latest open one. The bank is never negative. An event reads all periods that are
//! kept; a contract's bank has as many entries as its hours, some thousands at most.

mod calendar;
mod events;
mod months;

pub use calendar::PeriodFee;

use super::ask::{Ask, Slice};
use super::claim::Claim;
use super::refusal::Refusal;
use domain::contract::accounts::Printing;
use domain::contract::accounts::hour_bank::HourBankTerms;
use domain::decimal::Micro;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Hours that were used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Use {
    /// Who used them. None = hours of a closed period that went back to a later one: here they stay
    /// used, so that the closed period remains as it was.
    item: Option<String>,
    /// How many.
    hours: Micro,
}

/// One period and who used what of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Period {
    first: Date,
    next: Date,
    closed: bool,
    /// The terms as they were when it opened.
    terms: HourBankTerms,
    /// Hours that went back to it from closed periods.
    given_back: Micro,
    log: Vec<Use>,
}

/// What one entry asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BankRecord {
    /// The ask as it stands.
    pub ask: Ask,
    /// Asked quantity and final credits.
    pub claim: Claim,
}

/// The figures of one period, in hours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Month {
    /// Its first day.
    pub first: Date,
    /// Whether it is closed.
    pub closed: bool,
    /// Carried from earlier periods.
    pub rolled_in: Micro,
    /// Its own allowance.
    pub allowance: Micro,
    /// Given back to it from closed periods.
    pub given_back: Micro,
    /// Used in all.
    pub used: Micro,
    /// Used of what was carried.
    pub from_rolled: Micro,
    /// Used of its own.
    pub from_current: Micro,
    /// Used over what was there.
    pub overage: Micro,
    /// What goes on to later periods.
    pub rolled_out: Micro,
    /// What lapses at its end.
    pub expired: Micro,
}

/// The bank worked out: the periods' figures and the entries' parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BankView {
    /// The periods, in order.
    pub months: Vec<Month>,
    /// The parts of each entry, in the order of use.
    pub items: BTreeMap<String, Vec<Slice>>,
}

impl BankView {
    /// The parts of an entry; none where it is not known.
    fn parts(&self, item: &str) -> &[Slice] {
        self.items.get(item).map_or(&[], Vec::as_slice)
    }
}

/// The account of one hour bank.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HourBank {
    /// How the contract prints.
    pub printing: Printing,
    terms: HourBankTerms,
    periods: Vec<Period>,
    items: BTreeMap<String, BankRecord>,
}

impl HourBank {
    /// A bank without periods.
    pub fn new(printing: Printing, terms: HourBankTerms) -> Result<Self, Refusal> {
        terms.check(&printing)?;
        Ok(Self {
            printing,
            terms,
            periods: Vec::new(),
            items: BTreeMap::new(),
        })
    }

    /// The terms of periods that open from now on.
    pub const fn terms(&self) -> &HourBankTerms {
        &self.terms
    }

    /// What one entry asked for.
    pub fn record(&self, item: &str) -> Option<&BankRecord> {
        self.items.get(item)
    }

    /// All entries, by item.
    pub fn records(&self) -> impl Iterator<Item = (&str, &BankRecord)> {
        self.items
            .iter()
            .map(|(item, record)| (item.as_str(), record))
    }
}

//! A consistent firm from a seed: both twins filled, the configuration the product needs, and
//! what must become of each entry.
//!
//! What an entry must come to is worked out here with whole numbers of our own, not with the
//! product's pricing: the auditor compares two calculations, not one with itself.

pub mod agreed;
pub(crate) mod arithmetic;
mod config;
mod entries;
mod expected;
mod layout;
mod masters;
mod rates;
mod words;

pub use config::FirmConfig;
pub use expected::{Expected, Outcome};

use crate::erp::Erp;
use crate::fault::seeded;
use crate::tracker::Tracker;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// What the firm is to be like.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FirmSpec {
    /// People who record time, 2 to 500.
    pub consultants: u32,
    /// Ordinary entries of the month, 1 to 500000. The planted cases come on top.
    pub entries: u32,
    /// The year.
    pub year: i16,
    /// The month. The month before it is closed, the month after it is open.
    pub month: i8,
    /// How much of the ordinary time is approved, per mille.
    pub approved: u32,
    /// How much of the ordinary time is marked as not billable, per mille.
    pub not_billable: u32,
    /// How often each case that must become an exception is planted, 0 to 50.
    pub planted: u32,
    /// Whether one client in seven is billed by the ERP from booked time.
    pub timesheets: bool,
    /// Whether some clients pay by other things than hours: fees, milestones, retainers, hour banks.
    pub agreements: bool,
}

impl Default for FirmSpec {
    fn default() -> Self {
        Self {
            consultants: 40,
            entries: 3400,
            year: 2026,
            month: 10,
            approved: 850,
            not_billable: 30,
            planted: 3,
            timesheets: true,
            agreements: false,
        }
    }
}

/// A firm that cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum FirmError {
    /// A number is out of range.
    #[error("{0} is out of range")]
    Range(&'static str),
    /// The arithmetic has no answer.
    #[error("{0} cannot be computed")]
    Arithmetic(&'static str),
}

/// A firm with a month of work.
#[derive(Debug, Clone)]
pub struct Firm {
    /// What it was made from.
    pub spec: FirmSpec,
    /// The tracker.
    pub tracker: Tracker,
    /// The ERP.
    pub erp: Erp,
    /// The product's configuration.
    pub config: FirmConfig,
    /// What must become of each entry if nobody intervenes.
    pub expected: Expected,
}

/// The days a firm is made around.
#[derive(Debug, Clone, Copy)]
struct Days {
    first: Date,
    last: Date,
    /// The day from which new rates hold.
    middle: Date,
    before_first: Date,
    before_last: Date,
}

impl FirmSpec {
    fn days(&self) -> Result<Days, FirmError> {
        let allowed = (2..=500).contains(&self.consultants);
        if !allowed {
            return Err(FirmError::Range("consultants"));
        }
        if !(1..=500_000).contains(&self.entries) {
            return Err(FirmError::Range("entries"));
        }
        if self.approved > 1000 || self.not_billable > 1000 {
            return Err(FirmError::Range("a share per mille"));
        }
        if self.planted > 50 {
            return Err(FirmError::Range("planted"));
        }
        if !(2001..=2098).contains(&self.year) {
            return Err(FirmError::Range("year"));
        }
        let first = Date::new(self.year, self.month, 1).map_err(|_| FirmError::Range("month"))?;
        let before_last = first.yesterday().map_err(|_| FirmError::Range("month"))?;
        Ok(Days {
            first,
            last: first.last_of_month(),
            middle: Date::new(self.year, self.month, 16).map_err(|_| FirmError::Range("month"))?,
            before_first: before_last.first_of_month(),
            before_last,
        })
    }

    /// The first and the last day on which the firm has entries.
    pub fn span(&self) -> Result<(Date, Date), FirmError> {
        self.days().map(|days| (days.before_first, days.last))
    }
}

/// Make a firm. The same seed and spec make the same firm.
pub fn generate(seed: u64, spec: &FirmSpec) -> Result<Firm, FirmError> {
    let days = spec.days()?;
    let mut rng = seeded(seed);
    let layout = layout::lay_out(spec, days, &mut rng)?;
    let (mut tracker, erp) = masters::fill(&layout);
    let config = config::of(&layout);
    let expected = entries::record(spec, days, &layout, &mut tracker, &mut rng)?;
    Ok(Firm {
        spec: spec.clone(),
        tracker,
        erp,
        config,
        expected,
    })
}

#[cfg(test)]
mod tests;

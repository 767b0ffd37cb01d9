//! From recorded time to the printed quantity, in three steps that are pure functions.
//!
//! [`increment`] makes billable time, by entry or shared out over a scope. Then [`printed`] makes
//! printed hours or minutes and carries what rounding leaves, or [`days`] makes days, or
//! [`months`] makes months. No rate is looked up and no amount is made here.

pub mod days;
pub mod increment;
pub mod months;
pub mod order;
pub mod printed;

use domain::contract::quantity::QuantityTermsError;
use domain::decimal::Micro;
use domain::rounding::IncrementError;
use jiff::civil::Date;
use std::collections::HashSet;
use std::fmt;
use thiserror::Error;

/// One piece of work as the stages of quantity and overtime see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WorkTime<'a> {
    /// The source's id of the entry.
    pub source_ref: &'a str,
    /// The worker's code.
    pub worker: &'a str,
    /// The customer's code; empty for internal work.
    pub customer: &'a str,
    /// The project's code.
    pub project: &'a str,
    /// The task's code inside the project.
    pub task: &'a str,
    /// The line of the document it falls into; only looked at by the scope `line`.
    pub line: &'a str,
    /// The day of the work.
    pub work_date: Date,
    /// When it began, in microseconds since the epoch, if the source knows.
    pub started_us: Option<i64>,
    /// When it was approved, in microseconds since the epoch.
    pub approved_us: Option<i64>,
    /// The time: recorded or billable, as the stage asks.
    pub seconds: i64,
}

/// Why a quantity has no answer.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum QuantityError {
    /// The terms have no meaning.
    #[error(transparent)]
    Terms(#[from] QuantityTermsError),
    /// A time is negative: a correction works out both states and subtracts.
    #[error(
        "entry {source_ref} has {seconds} seconds; a negative time is never rounded, correct the \
         entry and let the difference be posted"
    )]
    Negative {
        /// The entry.
        source_ref: String,
        /// Its time.
        seconds: i64,
    },
    /// The parts of an entry are not the entry.
    #[error(
        "the parts of entry {source_ref} are {parts_seconds} seconds, the entry has {seconds}; work the tiers out again"
    )]
    PartsDiffer {
        /// The entry.
        source_ref: String,
        /// The sum of its parts.
        parts_seconds: i64,
        /// Its time.
        seconds: i64,
    },
    /// An entry is given twice.
    #[error(
        "entry {0} is given twice in one group, so that its time would be counted twice; give each once"
    )]
    Twice(String),
    /// The unit is counted by another function.
    #[error(
        "the contract prints its quantity in the unit '{0}', which is not made of hours or minutes; set unit to hour or minute"
    )]
    OtherUnit(&'static str),
    /// A number does not fit.
    #[error(
        "a quantity of this group is too large to be represented; look for an entry with impossible hours"
    )]
    TooLarge,
}

impl From<IncrementError> for QuantityError {
    fn from(error: IncrementError) -> Self {
        Self::Terms(error.into())
    }
}

fn not_negative(work: &WorkTime<'_>) -> Result<(), QuantityError> {
    if work.seconds < 0 {
        return Err(QuantityError::Negative {
            source_ref: work.source_ref.to_owned(),
            seconds: work.seconds,
        });
    }
    Ok(())
}

fn each_once(works: &[WorkTime<'_>]) -> Result<(), QuantityError> {
    let mut seen = HashSet::with_capacity(works.len());
    match works.iter().find(|work| !seen.insert(work.source_ref)) {
        Some(work) => Err(QuantityError::Twice(work.source_ref.to_owned())),
        None => Ok(()),
    }
}

fn micro_of(steps: i128, step_micro: i64) -> Result<Micro, QuantityError> {
    steps
        .checked_mul(i128::from(step_micro))
        .and_then(|micro| i64::try_from(micro).ok())
        .map(Micro::from_micro)
        .ok_or(QuantityError::TooLarge)
}

/// Seconds in words: `50 min`, or `7 s` where they are no whole minutes.
pub(crate) const fn time_words(seconds: i64) -> TimeWords {
    TimeWords(seconds)
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct TimeWords(i64);

impl fmt::Display for TimeWords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 % 60 == 0 {
            write!(f, "{} min", self.0 / 60)
        } else {
            write!(f, "{} s", self.0)
        }
    }
}

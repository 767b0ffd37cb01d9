//! Overtime: [`tiers`] cuts a worker's week into straight, premium and double time, [`bearing`]
//! says which client bears it, [`bill`] what is billed for it, [`pay`] what the worker is paid.
//!
//! Pay and bill are two policies with two results; neither implies the other. Tiers are cut on
//! recorded time. The billable parts of an entry come from
//! [`crate::quantity::increment::billable_parts`], with [`EntryTiers::parts`] as its parts. A late
//! entry means the whole week again; the difference to what is booked is posted by the caller.

pub mod bearing;
pub mod bill;
pub mod pay;
pub mod tiers;

use domain::overtime::OvertimeTermsError;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// A tier of a week's hours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tier {
    /// At the plain rate.
    Straight,
    /// Overtime, usually at one and a half.
    Premium,
    /// Overtime, usually at twice.
    Double,
}

impl Tier {
    /// All tiers, in the order in which they share what is rounded.
    pub const ALL: [Self; 3] = [Self::Straight, Self::Premium, Self::Double];

    /// The words people read.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Straight => "straight",
            Self::Premium => "premium",
            Self::Double => "double",
        }
    }
}

/// The tiers of one entry, in recorded seconds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntryTiers {
    /// The source's id of the entry.
    pub source_ref: String,
    /// Straight time.
    pub straight_seconds: i64,
    /// Premium time.
    pub premium_seconds: i64,
    /// Double time.
    pub double_seconds: i64,
}

impl EntryTiers {
    /// The parts in the order of [`Tier::ALL`].
    pub const fn parts(&self) -> [i64; 3] {
        [
            self.straight_seconds,
            self.premium_seconds,
            self.double_seconds,
        ]
    }
}

/// Why a week has no tiers, or a bill or pay no answer.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum OvertimeError {
    /// The terms have no meaning.
    #[error(transparent)]
    Terms(#[from] OvertimeTermsError),
    /// The week begins on the wrong day.
    #[error(
        "{first} does not begin a work week of these terms; the week that holds it begins {begins}"
    )]
    NotTheFirstDay {
        /// The day given.
        first: Date,
        /// The day that would be right.
        begins: Date,
    },
    /// An entry is not of the week.
    #[error(
        "entry {source_ref} of {day} is not in the work week that begins {first}; give the entries of one week"
    )]
    OutsideTheWeek {
        /// The entry.
        source_ref: String,
        /// Its day.
        day: Date,
        /// The week.
        first: Date,
    },
    /// The entries are of several workers.
    #[error("the entries are of {one} and {two}; a work week belongs to one worker")]
    TwoWorkers {
        /// One of them.
        one: String,
        /// Another.
        two: String,
    },
    /// An entry is given twice.
    #[error("entry {0} is given twice, so that its hours would count twice; give each once")]
    Twice(String),
    /// A time is negative.
    #[error(
        "entry {source_ref} has {seconds} seconds; correct the entry, a negative time has no tier"
    )]
    Negative {
        /// The entry.
        source_ref: String,
        /// Its time.
        seconds: i64,
    },
    /// Premium hours without any hour worked.
    #[error(
        "no hours are given, so that there is no regular rate; give the hours of the whole week"
    )]
    NoHours,
    /// Work of a negative time or at a negative rate.
    #[error("{seconds} seconds at {rate} are no paid work; correct the hours or the rate")]
    NotPaid {
        /// The time.
        seconds: i64,
        /// The rate.
        rate: domain::decimal::Micro,
    },
    /// A number does not fit.
    #[error(
        "a number of this week is too large to be represented; look for an entry with impossible hours"
    )]
    TooLarge,
}

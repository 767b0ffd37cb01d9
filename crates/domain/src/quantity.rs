//! Recorded time and billable quantities.
//!
//! Recorded time is whole seconds and never rounded by us; a quantity is what is printed.

use crate::decimal::{MICRO_SCALE, Micro};
use crate::rounding::Rounding;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Seconds of one day: no entry can be longer.
pub const SECONDS_MAX_PER_ENTRY: i64 = 24 * 3600;

/// A unit of measure.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    JsonSchema,
    Default,
)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// Hours; on e-invoices `HUR` (UN/ECE Recommendation 20).
    #[default]
    Hour,
    /// Minutes; `MIN`.
    Minute,
    /// Working days of a person; `E49`. A person's day has no code of its own.
    WorkingDay,
    /// Days, for a receiver who insists on `DAY`; counted like working days of a person.
    Day,
    /// Months at a monthly rate; `MON`.
    Month,
    /// One piece at its price: a fee, a milestone, money paid ahead; `C62`. No work is counted in it.
    Piece,
}

impl Unit {
    /// The name used in the ledger and in files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Hour => "hour",
            Self::Minute => "minute",
            Self::WorkingDay => "working_day",
            Self::Day => "day",
            Self::Month => "month",
            Self::Piece => "piece",
        }
    }

    /// The code of UN/ECE Recommendation 20, for e-invoices.
    pub const fn unece_code(self) -> &'static str {
        match self {
            Self::Hour => "HUR",
            Self::Minute => "MIN",
            Self::WorkingDay => "E49",
            Self::Day => "DAY",
            Self::Month => "MON",
            Self::Piece => "C62",
        }
    }

    /// The sign behind a printed quantity.
    pub const fn sign(self) -> &'static str {
        match self {
            Self::Hour => "h",
            Self::Minute => "min",
            Self::WorkingDay | Self::Day => "d",
            Self::Month => "months",
            Self::Piece => "pc",
        }
    }
}

/// How exactly a source stores an hour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SourceResolution {
    /// Hours rounded to two decimals: 0.67 h stands for 40 minutes.
    HundredthHour,
    /// The value is exact.
    Exact,
}

/// Hours that are no working time.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum HoursError {
    /// The value is not a plain number.
    #[error("hours are '{0}', which is no number")]
    Unreadable(String),
    /// Negative, zero, or longer than a day.
    #[error("hours are {0}; an entry has more than 0 and at most 24")]
    OutOfRange(Decimal),
}

/// Read the hours of a source as recorded seconds.
///
/// A source that rounds to hundredths of an hour gives the nearest whole minute, half up: 0.67 h
/// is 40 minutes, 7.99 h is 479; otherwise an increment of ten minutes would bill 50 for 40.
/// An exact source gives the nearest second.
pub fn recorded_seconds(hours_text: &str, resolution: SourceResolution) -> Result<i64, HoursError> {
    let unreadable = || HoursError::Unreadable(hours_text.chars().take(40).collect());
    let plain = hours_text.len() <= 40
        && hours_text.bytes().any(|b| b.is_ascii_digit())
        && hours_text
            .bytes()
            .all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'-' | b'e' | b'E' | b'+'));
    if !plain {
        return Err(unreadable());
    }
    let hours = hours_text
        .parse::<Decimal>()
        .or_else(|_| Decimal::from_scientific(hours_text))
        .map_err(|_| unreadable())?;
    if hours <= Decimal::ZERO || hours > Decimal::from(24) {
        return Err(HoursError::OutOfRange(hours));
    }
    let seconds = match resolution {
        SourceResolution::HundredthHour => {
            Rounding::HalfUp.to_digits(hours * Decimal::from(60), 0) * Decimal::from(60)
        }
        SourceResolution::Exact => Rounding::HalfUp.to_digits(hours * Decimal::from(3600), 0),
    };
    seconds
        .to_i64()
        .filter(|s| *s <= SECONDS_MAX_PER_ENTRY)
        .ok_or_else(unreadable)
}

/// The printed hours of so many billable seconds, at a contract's precision.
pub fn hours_printed(billable_seconds: i64, decimals: u32, rounding: Rounding) -> Option<Micro> {
    let decimals = decimals.min(MICRO_SCALE);
    let steps = i128::from(billable_seconds).checked_mul(10_i128.checked_pow(decimals)?)?;
    let printed = rounding.whole(steps, 3600)?;
    let micro = printed.checked_mul(10_i128.checked_pow(MICRO_SCALE - decimals)?)?;
    i64::try_from(micro).ok().map(Micro::from_micro)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hundredths_of_an_hour_are_whole_minutes() {
        let table = [
            ("0.67", 40),
            ("0.17", 10),
            ("1.33", 80),
            ("7.99", 479),
            ("0.25", 15),
            ("24", 1440),
            ("2.5e0", 150),
        ];
        for (hours, minutes) in table {
            let seconds = recorded_seconds(hours, SourceResolution::HundredthHour).unwrap();
            assert_eq!(seconds, minutes * 60, "{hours}");
        }
        assert_eq!(
            recorded_seconds("0.67", SourceResolution::Exact).unwrap(),
            2412
        );
    }

    #[test]
    fn refuses_what_is_no_working_time() {
        for hours in ["-1", "25", "0", "1e9", "24.01", "-0.0"] {
            let result = recorded_seconds(hours, SourceResolution::HundredthHour);
            assert!(
                matches!(
                    result,
                    Err(HoursError::OutOfRange(_) | HoursError::Unreadable(_))
                ),
                "{hours}"
            );
        }
        for hours in ["NaN", "", "1:20", "Infinity", "1,5", "one"] {
            let result = recorded_seconds(hours, SourceResolution::HundredthHour);
            assert!(matches!(result, Err(HoursError::Unreadable(_))), "{hours}");
        }
    }

    #[test]
    fn prints_hours_at_the_precision_of_the_contract() {
        let table = [
            (4800, "1.33"),
            (600, "0.17"),
            (2400, "0.67"),
            (28740, "7.98"),
            (900, "0.25"),
        ];
        for (seconds, printed) in table {
            let hours = hours_printed(seconds, 2, Rounding::HalfUp).unwrap();
            assert_eq!(hours.to_string(), printed);
        }
    }
}

//! Instants and dates, never mixed: an instant is microseconds since the epoch, a work date is a
//! civil date in the zone where the work was done.

use jiff::civil::Date;
use thiserror::Error;

/// The earliest and latest work date that is believed, as (year, month, day).
pub const WORK_DATE_MIN: Date = jiff::civil::date(2000, 1, 1);
/// See [`WORK_DATE_MIN`].
pub const WORK_DATE_MAX: Date = jiff::civil::date(2099, 12, 31);

/// A text that is no believable work date.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum DateError {
    /// Not of the form 2026-11-23, or no day of the calendar.
    #[error("'{0}' is no date (write it like 2026-11-23)")]
    Unreadable(String),
    /// Outside the years that are believed.
    #[error("{0} is outside {WORK_DATE_MIN} to {WORK_DATE_MAX}")]
    OutOfRange(Date),
}

/// Read an ISO date and refuse what nobody can have worked on.
pub fn work_date(text: &str) -> Result<Date, DateError> {
    let unreadable = || DateError::Unreadable(text.chars().take(24).collect());
    if text.len() != 10 {
        return Err(unreadable());
    }
    let date: Date = text.parse().map_err(|_| unreadable())?;
    if date < WORK_DATE_MIN || date > WORK_DATE_MAX {
        return Err(DateError::OutOfRange(date));
    }
    Ok(date)
}

/// An instant as text for people and files.
pub fn instant_text(micros: i64) -> String {
    jiff::Timestamp::from_microsecond(micros).map_or_else(|_| micros.to_string(), |t| t.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn believes_only_dates_of_working_life() {
        assert_eq!(work_date("2026-11-23").unwrap().to_string(), "2026-11-23");
        for text in ["2999-01-01", "1969-12-31"] {
            assert!(
                matches!(work_date(text), Err(DateError::OutOfRange(_))),
                "{text}"
            );
        }
        for text in [
            "",
            "2026-02-30",
            "23.11.2026",
            "2026-11-23T10:00",
            "tomorrow",
            "2026-1-1",
        ] {
            assert!(
                matches!(work_date(text), Err(DateError::Unreadable(_))),
                "{text}"
            );
        }
    }
}

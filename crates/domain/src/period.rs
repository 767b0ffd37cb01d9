//! Accounting periods of an entity, and where late work goes.

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One accounting period as the ERP reports it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Period {
    /// The ERP's name of it.
    pub name: String,
    /// First day.
    pub first: Date,
    /// Last day.
    pub last: Date,
    /// Whether documents can still be booked in it.
    pub open: bool,
}

/// What a contract does with work of a closed period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Default)]
#[serde(rename_all = "snake_case")]
pub enum LateWork {
    /// Post it in the next open period; the work date stays what it is.
    #[default]
    NextOpenPeriod,
    /// Stop and ask.
    Hold,
}

/// Where a piece of work is posted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PostingDate {
    /// In the period of the work.
    InPeriod(Date),
    /// Moved to the first day of the next open period.
    Moved(Date),
}

impl PostingDate {
    /// The day.
    pub const fn date(self) -> Date {
        match self {
            Self::InPeriod(date) | Self::Moved(date) => date,
        }
    }
}

/// The posting date of work done on a day: that day if its period is open, else the first day of
/// the next open period; `None` if there is none (or the contract says to hold).
pub fn posting_date(work: Date, periods: &[Period], late: LateWork) -> Option<PostingDate> {
    let own = periods.iter().find(|p| p.first <= work && work <= p.last);
    if own.is_some_and(|p| p.open) {
        return Some(PostingDate::InPeriod(work));
    }
    if late == LateWork::Hold {
        return None;
    }
    periods
        .iter()
        .filter(|p| p.open && p.first > work)
        .map(|p| p.first)
        .min()
        .map(PostingDate::Moved)
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    fn month(month: i8, open: bool) -> Period {
        let first = date(2026, month, 1);
        Period {
            name: format!("2026-{month:02}"),
            first,
            last: first.last_of_month(),
            open,
        }
    }

    #[test]
    fn late_work_moves_and_keeps_its_work_date() {
        let periods = [
            month(1, false),
            month(2, false),
            month(3, true),
            month(4, true),
        ];
        let day = date(2026, 2, 27);
        let moved = posting_date(day, &periods, LateWork::NextOpenPeriod);
        assert_eq!(moved, Some(PostingDate::Moved(date(2026, 3, 1))));
        assert_eq!(posting_date(day, &periods, LateWork::Hold), None);
        let own = date(2026, 3, 15);
        assert_eq!(
            posting_date(own, &periods, LateWork::Hold),
            Some(PostingDate::InPeriod(own))
        );
        assert_eq!(
            posting_date(date(2026, 5, 1), &periods, LateWork::NextOpenPeriod),
            None
        );
        let closed = [month(3, false)];
        assert_eq!(
            posting_date(date(2026, 3, 2), &closed, LateWork::NextOpenPeriod),
            None
        );
    }
}

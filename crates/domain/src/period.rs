//! Accounting periods of an entity, and where late work goes; the five dates of a piece of work.
//!
//! A period is closed by object: time may be closed while adjustments are still booked. The work
//! date is never changed by any of this.

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fmt;
use thiserror::Error;

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

/// What can be closed by itself in a period.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum PeriodObject {
    /// Time.
    Time,
    /// Cost of projects.
    Cost,
    /// Expenses.
    Expenses,
    /// Adjustments and corrections.
    Adjustments,
    /// The general ledger.
    GeneralLedger,
}

impl PeriodObject {
    /// Everything that can be closed.
    pub const ALL: [Self; 5] = [
        Self::Time,
        Self::Cost,
        Self::Expenses,
        Self::Adjustments,
        Self::GeneralLedger,
    ];

    /// The words people read.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Time => "time",
            Self::Cost => "cost",
            Self::Expenses => "expenses",
            Self::Adjustments => "adjustments",
            Self::GeneralLedger => "general ledger",
        }
    }
}

/// One period of an entity, with what is closed in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ObjectPeriod {
    /// The ERP's name of it.
    pub name: String,
    /// First day.
    #[schemars(with = "String")]
    pub first: Date,
    /// Last day, counted in.
    #[schemars(with = "String")]
    pub last: Date,
    /// What is closed in it. Default: nothing.
    #[serde(default)]
    pub closed_for: BTreeSet<PeriodObject>,
}

impl From<&Period> for ObjectPeriod {
    /// A period that the ERP closes as a whole.
    fn from(period: &Period) -> Self {
        let closed: &[PeriodObject] = if period.open { &[] } else { &PeriodObject::ALL };
        Self {
            name: period.name.clone(),
            first: period.first,
            last: period.last,
            closed_for: closed.iter().copied().collect(),
        }
    }
}

/// The periods of one entity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EntityCalendar {
    /// The entity's code.
    pub entity: String,
    /// Its periods, in any order.
    pub periods: Vec<ObjectPeriod>,
}

/// A calendar in which a day has no single period.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CalendarError {
    /// A period ends before it begins.
    #[error("period {name} of {entity} ends before it begins; exchange its first and last day")]
    Backwards {
        /// The entity.
        entity: String,
        /// The period.
        name: String,
    },
    /// Two periods hold one day.
    #[error("periods {one} and {two} of {entity} both hold {day}; end one before the other begins")]
    Overlap {
        /// The entity.
        entity: String,
        /// The earlier period.
        one: String,
        /// The later period.
        two: String,
        /// A day of both.
        day: Date,
    },
}

impl EntityCalendar {
    /// Refuse a calendar in which a day has no single period.
    pub fn check(&self) -> Result<(), CalendarError> {
        if let Some(period) = self.periods.iter().find(|p| p.last < p.first) {
            return Err(CalendarError::Backwards {
                entity: self.entity.clone(),
                name: period.name.clone(),
            });
        }
        let mut sorted: Vec<&ObjectPeriod> = self.periods.iter().collect();
        sorted.sort_by_key(|p| (p.first, p.last));
        for (one, two) in sorted.iter().zip(sorted.iter().skip(1)) {
            if one.last >= two.first {
                return Err(CalendarError::Overlap {
                    entity: self.entity.clone(),
                    one: one.name.clone(),
                    two: two.name.clone(),
                    day: two.first,
                });
            }
        }
        Ok(())
    }

    /// Whether all of `objects` can be booked on a day. A day in no period is not open, and where
    /// no object is named nothing is known to be open.
    pub fn open_on(&self, day: Date, objects: &[PeriodObject]) -> bool {
        let period = self
            .periods
            .iter()
            .find(|p| p.first <= day && day <= p.last);
        !objects.is_empty()
            && period.is_some_and(|p| objects.iter().all(|o| !p.closed_for.contains(o)))
    }
}

/// What happens to work of a closed period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, Default)]
#[serde(rename_all = "snake_case")]
pub enum ClosedPeriodPolicy {
    /// Posted on the first open day after the work.
    #[default]
    NextOpenPeriod,
    /// Posted today, if that is later than the first open day and open itself.
    Today,
    /// Held until somebody decides.
    Hold,
}

impl From<LateWork> for ClosedPeriodPolicy {
    fn from(late: LateWork) -> Self {
        match late {
            LateWork::NextOpenPeriod => Self::NextOpenPeriod,
            LateWork::Hold => Self::Hold,
        }
    }
}

/// The five dates of a piece of work. They are kept apart: none stands in for another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct FiveDates {
    /// The day the work was done.
    pub work: Date,
    /// The day it was handed in.
    pub submission: Option<Date>,
    /// The day it was approved.
    pub approval: Option<Date>,
    /// The day it is booked on.
    pub posting: Option<Date>,
    /// The day that decides about tax.
    pub tax_point: Option<Date>,
}

/// A question that a date answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DateQuestion {
    /// Which rate holds.
    Price,
    /// Which work week it belongs to.
    Overtime,
    /// Which day's rest and hours it counts for.
    LabourLaw,
    /// In which month it counts for the margin.
    Margin,
    /// Where the general ledger has it.
    Ledger,
    /// When tax becomes due.
    Tax,
}

/// Dates that cannot all be true.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum DatesError {
    /// Approved before it was handed in.
    #[error(
        "approved on {approval}, before it was submitted on {submission}; correct one in the tracker"
    )]
    ApprovedBeforeSubmitted {
        /// The approval.
        approval: Date,
        /// The submission.
        submission: Date,
    },
    /// Booked before it was done.
    #[error("posted on {posting}, before the work of {work}; correct the posting date in the ERP")]
    PostedBeforeWorked {
        /// The posting date.
        posting: Date,
        /// The work date.
        work: Date,
    },
}

impl FiveDates {
    /// The date that answers a question; `None` while it is not known. Nothing is guessed.
    pub const fn answer(&self, question: DateQuestion) -> Option<Date> {
        match question {
            DateQuestion::Price
            | DateQuestion::Overtime
            | DateQuestion::LabourLaw
            | DateQuestion::Margin => Some(self.work),
            DateQuestion::Ledger => self.posting,
            DateQuestion::Tax => self.tax_point,
        }
    }

    /// Refuse dates that cannot all be true. Work may be submitted before it is done, as plans
    /// are, and approved after the day it is booked on.
    pub fn check(&self) -> Result<(), DatesError> {
        if let (Some(submission), Some(approval)) = (self.submission, self.approval)
            && approval < submission
        {
            return Err(DatesError::ApprovedBeforeSubmitted {
                approval,
                submission,
            });
        }
        if let Some(posting) = self.posting.filter(|posting| *posting < self.work) {
            return Err(DatesError::PostedBeforeWorked {
                posting,
                work: self.work,
            });
        }
        Ok(())
    }
}

/// A month of the calendar, as `2026-03`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Month {
    year: i16,
    month: i8,
}

impl Month {
    /// The month of a day.
    pub fn of(day: Date) -> Self {
        Self {
            year: day.year(),
            month: day.month(),
        }
    }
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.year, self.month)
    }
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

//! The terms of a contract about quantities: what is rounded together, and what is printed.
//!
//! They say how recorded time becomes billable time and billable time becomes the quantity on the
//! invoice. They hold no price.

use crate::calendar::Weekday;
use crate::decimal::{MICRO_SCALE, Micro};
use crate::quantity::Unit;
use crate::rounding::{Increment, IncrementError, Rounding};
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// What the increment looks at as one time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, Default)]
#[serde(rename_all = "snake_case")]
pub enum IncrementScope {
    /// Each entry by itself.
    #[default]
    Entry,
    /// All entries of one person, day and task.
    WorkerDayTask,
    /// All entries of one person and day for one customer.
    WorkerDayCustomer,
    /// All entries of one line of the document.
    Line,
}

impl IncrementScope {
    /// The words people read.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Entry => "each entry",
            Self::WorkerDayTask => "one person's day on a task",
            Self::WorkerDayCustomer => "one person's day for the customer",
            Self::Line => "one line of the document",
        }
    }
}

/// What becomes of the fraction that a printed quantity leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, Default)]
#[serde(rename_all = "snake_case")]
pub enum Residual {
    /// Carried inside the pricing group, per rate: the sum of what is printed is the rounded sum.
    #[default]
    Carry,
    /// Dropped: each printed quantity is rounded by itself.
    None,
}

/// Which days make a month at a monthly rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, Default)]
#[serde(rename_all = "snake_case")]
pub enum MonthBasis {
    /// The days of the working week that are no holidays.
    #[default]
    WorkingDays,
    /// Every day.
    CalendarDays,
}

/// How a contract counts: increment, unit, printed digits, days and months.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct QuantityTerms {
    /// How recorded time becomes billable time: step, direction and minimum, applied to the whole
    /// scope. None = to the second.
    pub increment: Option<Increment>,
    /// What the increment looks at as one time. Default: each entry.
    pub increment_scope: IncrementScope,
    /// The unit printed on the invoice. Default: hours.
    pub unit: Unit,
    /// Digits after the point of the printed quantity, at most 6 and never finer than the ERP's.
    /// Default: 2. For days the step counts instead.
    pub decimals: u32,
    /// How a printed quantity is rounded. Default: half up.
    pub rounding: Rounding,
    /// What becomes of the fraction that rounding leaves. Default: carried.
    pub residual: Residual,
    /// Hours of one day of the contract, usually 7.5 or 8. Default: 8.
    pub day_hours: Micro,
    /// The smallest part of a day that is billed: 0.25, 0.5 or 1. Default: 0.25.
    pub day_step: Micro,
    /// The most days billed for one person and day, over all the person's entries of the day.
    /// Default: 1.
    pub day_cap: Micro,
    /// Which days make a month at a monthly rate. Default: working days.
    pub month_basis: MonthBasis,
    /// The days of the working week. Default: Monday to Friday.
    pub working_week: Vec<Weekday>,
    /// Holidays, which are no working days. From the contract's own calendar.
    #[schemars(with = "Vec<String>")]
    pub holidays: Vec<Date>,
}

/// How time becomes days.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct DayTable {
    /// Hours of the contract's day; default 8.
    pub hours: Micro,
    /// The step a day is rounded to: 0.25, 0.5 or 1; default 0.25.
    pub step: Micro,
    /// The most days of one person on one day; default 1.
    pub cap: Micro,
}

impl Default for DayTable {
    fn default() -> Self {
        let terms = QuantityTerms::default();
        Self {
            hours: terms.day_hours,
            step: terms.day_step,
            cap: terms.day_cap,
        }
    }
}

/// How days become months.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct MonthTable {
    /// Which days count; default working days.
    pub basis: MonthBasis,
    /// The days of the week that are worked; default Monday to Friday.
    pub working_week: Vec<Weekday>,
    /// Days that are not worked.
    #[schemars(with = "Vec<String>")]
    pub holidays: Vec<Date>,
}

impl Default for MonthTable {
    fn default() -> Self {
        let terms = QuantityTerms::default();
        Self {
            basis: terms.month_basis,
            working_week: terms.working_week,
            holidays: terms.holidays,
        }
    }
}

impl Default for QuantityTerms {
    fn default() -> Self {
        Self {
            increment: None,
            increment_scope: IncrementScope::default(),
            unit: Unit::Hour,
            decimals: 2,
            rounding: Rounding::default(),
            residual: Residual::default(),
            day_hours: Micro::from_micro(8_000_000),
            day_step: Micro::from_micro(250_000),
            day_cap: Micro::from_micro(1_000_000),
            month_basis: MonthBasis::default(),
            working_week: Weekday::MONDAY_TO_FRIDAY.to_vec(),
            holidays: Vec::new(),
        }
    }
}

/// Terms about quantities that have no meaning.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum QuantityTermsError {
    /// The increment cannot be applied.
    #[error(transparent)]
    Increment(#[from] IncrementError),
    /// More digits than are kept.
    #[error(
        "decimals are {0}, but a quantity has at most {MICRO_SCALE}; write {MICRO_SCALE} or less"
    )]
    TooFine(u32),
    /// More digits than the ERP keeps.
    #[error(
        "decimals are {decimals}, but the ERP keeps {erp_decimals} digits of a quantity, so that \
         its line would not multiply out; write {erp_decimals} or less"
    )]
    FinerThanErp {
        /// The contract's digits.
        decimals: u32,
        /// The ERP's digits.
        erp_decimals: u32,
    },
    /// The contract's day is no part of a day, or no whole number of seconds.
    #[error(
        "day_hours are {0}; write more than 0 and at most 24 hours that are whole seconds, like 7.5"
    )]
    DayHours(Micro),
    /// The step is none of those that people agree on.
    #[error("day_step is {0}; write 0.25, 0.5 or 1")]
    DayStep(Micro),
    /// The cap is not on a step.
    #[error(
        "day_cap is {cap}, which is no multiple of the day_step of {step}; write a multiple above 0"
    )]
    DayCap {
        /// The cap asked for.
        cap: Micro,
        /// The step.
        step: Micro,
    },
    /// Work is not counted in pieces.
    #[error(
        "unit is piece, in which fixed amounts are printed and no work; write hour, minute, working_day, day or month"
    )]
    Pieces,
    /// Nobody works.
    #[error(
        "working_week is empty, so that no month has a working day; name its days, or write month_basis = \"calendar_days\""
    )]
    NoWorkingDay,
}

impl QuantityTerms {
    /// Refuse terms that have no meaning.
    pub fn check(&self) -> Result<(), QuantityTermsError> {
        if let Some(increment) = &self.increment {
            increment.check()?;
        }
        if self.decimals > MICRO_SCALE {
            return Err(QuantityTermsError::TooFine(self.decimals));
        }
        if self.unit == Unit::Piece {
            return Err(QuantityTermsError::Pieces);
        }
        self.day_seconds()?;
        if ![250_000, 500_000, 1_000_000].contains(&self.day_step.micro()) {
            return Err(QuantityTermsError::DayStep(self.day_step));
        }
        let on_step = self.day_cap.micro() % self.day_step.micro() == 0;
        if self.day_cap <= Micro::ZERO || !on_step {
            return Err(QuantityTermsError::DayCap {
                cap: self.day_cap,
                step: self.day_step,
            });
        }
        if self.working_week.is_empty() && self.month_basis == MonthBasis::WorkingDays {
            return Err(QuantityTermsError::NoWorkingDay);
        }
        Ok(())
    }

    /// Refuse a precision that the ERP would round again.
    pub const fn check_against_erp(&self, erp_decimals: u32) -> Result<(), QuantityTermsError> {
        if self.decimals > erp_decimals {
            return Err(QuantityTermsError::FinerThanErp {
                decimals: self.decimals,
                erp_decimals,
            });
        }
        Ok(())
    }

    /// The seconds of one day of the contract.
    pub fn day_seconds(&self) -> Result<i64, QuantityTermsError> {
        let wrong = || QuantityTermsError::DayHours(self.day_hours);
        let micro = self.day_hours.micro();
        if micro <= 0 || micro > 24 * 1_000_000 {
            return Err(wrong());
        }
        let seconds_micro = micro.checked_mul(3600).ok_or_else(wrong)?;
        if seconds_micro % 1_000_000 != 0 {
            return Err(wrong());
        }
        Ok(seconds_micro / 1_000_000)
    }

    /// Whether a day counts at a monthly rate.
    pub fn counts_in_month(&self, day: Date) -> bool {
        match self.month_basis {
            MonthBasis::CalendarDays => true,
            MonthBasis::WorkingDays => {
                self.working_week.contains(&Weekday::of(day)) && !self.holidays.contains(&day)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_term_is_refused_and_an_absent_one_has_its_default() {
        let terms: QuantityTerms = serde_json::from_str("{}").unwrap();
        assert_eq!(terms, QuantityTerms::default());
        assert!(terms.check().is_ok());
        let misspelt = serde_json::from_str::<QuantityTerms>(r#"{"decimal": 2}"#);
        assert!(misspelt.unwrap_err().to_string().contains("decimal"));
    }

    #[test]
    fn a_refusal_says_what_to_write() {
        let terms = QuantityTerms {
            day_cap: Micro::from_micro(600_000),
            ..QuantityTerms::default()
        };
        let said = terms.check().unwrap_err().to_string();
        assert_eq!(
            said,
            "day_cap is 0.6, which is no multiple of the day_step of 0.25; write a multiple above 0"
        );
    }
}

//! The terms of overtime: when hours become premium or double time, who bears them, what a client
//! is billed for them.
//!
//! Pay and bill are two policies: what the law or an agreement gives the worker says nothing of
//! what a client agreed to pay.

use crate::calendar::Weekday;
use crate::decimal::{MICRO_SCALE, Micro};
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use thiserror::Error;

const DAY_MINUTES: u32 = 24 * 60;
const WEEK_MINUTES: u32 = 7 * DAY_MINUTES;
const SECONDS_PER_HOUR: i64 = 3600;

/// When hours are overtime. Hours over the day's limit are never counted for the week's again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "form", rename_all = "snake_case", deny_unknown_fields)]
pub enum OvertimeRule {
    /// Over a limit in one day.
    Daily {
        /// The limit of a day in minutes, 480 for eight hours.
        daily_minutes: u32,
    },
    /// Over a limit in one work week.
    Weekly {
        /// The limit of a week in minutes, 2400 for forty hours, 2100 for thirty-five.
        weekly_minutes: u32,
    },
    /// Over a limit in a day, or over a limit of the week's other hours.
    DailyAndWeekly {
        /// The limit of a day in minutes.
        daily_minutes: u32,
        /// The limit of a week in minutes, for hours that are within the day's limit.
        weekly_minutes: u32,
    },
    /// California Labor Code 510: premium over 8 hours a day or 40 a week and for the first 8
    /// hours of the seventh day of the work week, if all seven were worked; double over 12 hours
    /// a day and over 8 on that seventh day.
    California {},
    /// Fair Labor Standards Act, 29 USC 207: premium over 40 hours in the work week.
    FlsaWeekly {},
}

/// The limits of a rule, in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OvertimeLimits {
    /// Straight time of one day.
    pub daily_seconds: Option<i64>,
    /// Straight time of one week.
    pub weekly_seconds: Option<i64>,
    /// Straight and premium time of one day; beyond is double.
    pub double_seconds: Option<i64>,
    /// Premium time of the seventh day worked in a week; beyond is double.
    pub seventh_day_seconds: Option<i64>,
}

impl OvertimeRule {
    /// The limits.
    pub fn limits(&self) -> OvertimeLimits {
        let seconds = |minutes: u32| Some(i64::from(minutes) * 60);
        let none = OvertimeLimits {
            daily_seconds: None,
            weekly_seconds: None,
            double_seconds: None,
            seventh_day_seconds: None,
        };
        match *self {
            Self::Daily { daily_minutes } => OvertimeLimits {
                daily_seconds: seconds(daily_minutes),
                ..none
            },
            Self::Weekly { weekly_minutes } => OvertimeLimits {
                weekly_seconds: seconds(weekly_minutes),
                ..none
            },
            Self::DailyAndWeekly {
                daily_minutes,
                weekly_minutes,
            } => OvertimeLimits {
                daily_seconds: seconds(daily_minutes),
                weekly_seconds: seconds(weekly_minutes),
                ..none
            },
            Self::California {} => OvertimeLimits {
                daily_seconds: Some(8 * SECONDS_PER_HOUR),
                weekly_seconds: Some(40 * SECONDS_PER_HOUR),
                double_seconds: Some(12 * SECONDS_PER_HOUR),
                seventh_day_seconds: Some(8 * SECONDS_PER_HOUR),
            },
            Self::FlsaWeekly {} => OvertimeLimits {
                weekly_seconds: Some(40 * SECONDS_PER_HOUR),
                ..none
            },
        }
    }

    const fn minutes(&self) -> (Option<u32>, Option<u32>) {
        match *self {
            Self::Daily { daily_minutes } => (Some(daily_minutes), None),
            Self::Weekly { weekly_minutes } => (None, Some(weekly_minutes)),
            Self::DailyAndWeekly {
                daily_minutes,
                weekly_minutes,
            } => (Some(daily_minutes), Some(weekly_minutes)),
            Self::California {} | Self::FlsaWeekly {} => (None, None),
        }
    }
}

/// One policy of overtime: of the pay, or of a bill.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OvertimeTerms {
    /// When hours are overtime.
    pub rule: OvertimeRule,
    /// The day on which the fixed work week begins. Default: Monday.
    #[serde(default = "monday")]
    pub week_start: Weekday,
    /// The zone in which the days of the work are counted, like `America/Los_Angeles`. The days
    /// come with the entries; nothing is moved between days here.
    pub zone: String,
    /// What an hour of premium time is worth in straight hours. Default: 1.5.
    #[serde(default = "one_and_a_half")]
    pub premium_multiple: Micro,
    /// What an hour of double time is worth in straight hours. Default: 2.
    #[serde(default = "two")]
    pub double_multiple: Micro,
}

const fn monday() -> Weekday {
    Weekday::Monday
}

const fn one_and_a_half() -> Micro {
    Micro::from_micro(1_500_000)
}

const fn two() -> Micro {
    Micro::from_micro(2_000_000)
}

/// Which client bears the overtime of a week that several clients share.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, Default)]
#[serde(rename_all = "snake_case")]
pub enum OvertimeBearing {
    /// The clients of the last hours in the order of the clock.
    #[default]
    LastHours,
    /// Every client by its hours of the week, in hundredths of an hour.
    ProRata,
}

/// What a client is billed for overtime.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, Default)]
#[serde(rename_all = "snake_case")]
pub enum OvertimeBillForm {
    /// The rate times the multiple.
    FullMultiplier,
    /// The plain rate for every hour.
    #[default]
    Straight,
    /// The plain rate, and the worker's premium at its cost on top.
    PremiumAtCost,
}

/// What happens to overtime that the client did not authorise beforehand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, Default)]
#[serde(rename_all = "snake_case")]
pub enum OvertimeAuthorisation {
    /// No authorisation is asked for.
    #[default]
    NotNeeded,
    /// Billed at the plain rate.
    ElseStraight,
    /// Not billed.
    ElseNothing,
}

/// What a contract says of overtime.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OvertimeBilling {
    /// When hours are overtime for the client.
    pub terms: OvertimeTerms,
    /// Who bears it in a week of several clients. Default: the last hours.
    #[serde(default)]
    pub bearing: OvertimeBearing,
    /// What is billed. Default: every hour at the plain rate.
    #[serde(default)]
    pub form: OvertimeBillForm,
    /// Whether the client has to authorise it. Default: no.
    #[serde(default)]
    pub authorisation: OvertimeAuthorisation,
    /// Digits after the point of a derived rate, never finer than the ERP's. Default: 4.
    #[serde(default = "four")]
    pub rate_decimals: u32,
}

const fn four() -> u32 {
    4
}

/// That somebody is exempt from overtime: a dated attribute of the person, never of a job title.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OvertimeExemption {
    /// The worker's code.
    pub worker: String,
    /// First day.
    #[schemars(with = "String")]
    pub from: Date,
    /// First day it no longer holds; none = open end.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub to: Option<Date>,
}

impl OvertimeExemption {
    /// Whether it covers a person on a day.
    pub fn covers(&self, worker: &str, day: Date) -> bool {
        self.worker == worker && self.from <= day && self.to.is_none_or(|to| day < to)
    }
}

/// Terms of overtime that have no meaning.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum OvertimeTermsError {
    /// The day's limit is no part of a day.
    #[error("daily_minutes are {0}; write 1 to {DAY_MINUTES}, 480 for eight hours")]
    Daily(u32),
    /// The week's limit is no part of a week.
    #[error("weekly_minutes are {0}; write 1 to {WEEK_MINUTES}, 2400 for forty hours")]
    Weekly(u32),
    /// Overtime would be worth less than straight time.
    #[error("premium_multiple is {0}, less than straight time; write 1 or more, usually 1.5")]
    Premium(Micro),
    /// Double time would be worth less than premium time.
    #[error(
        "double_multiple is {double}, less than the premium_multiple of {premium}; write at least that"
    )]
    Double {
        /// The multiple of double time.
        double: Micro,
        /// The multiple of premium time.
        premium: Micro,
    },
    /// A derived rate would have more digits than are kept.
    #[error(
        "rate_decimals are {0}, but a rate has at most {MICRO_SCALE}; write {MICRO_SCALE} or less"
    )]
    TooFine(u32),
    /// A derived rate would have more digits than the ERP keeps.
    #[error(
        "rate_decimals are {decimals}, but the ERP keeps {erp_decimals} digits of a rate, so that \
         its line would not multiply out; write {erp_decimals} or less"
    )]
    FinerThanErp {
        /// The contract's digits.
        decimals: u32,
        /// The ERP's digits.
        erp_decimals: u32,
    },
    /// The zone is no name of a zone.
    #[error("zone is '{0}'; write the zone in which days are counted, like America/Los_Angeles")]
    Zone(String),
}

impl OvertimeTerms {
    /// Refuse terms that have no meaning.
    pub fn check(&self) -> Result<(), OvertimeTermsError> {
        let (daily, weekly) = self.rule.minutes();
        if let Some(minutes) = daily.filter(|m| !(1..=DAY_MINUTES).contains(m)) {
            return Err(OvertimeTermsError::Daily(minutes));
        }
        if let Some(minutes) = weekly.filter(|m| !(1..=WEEK_MINUTES).contains(m)) {
            return Err(OvertimeTermsError::Weekly(minutes));
        }
        if self.premium_multiple < Micro::from_micro(1_000_000) {
            return Err(OvertimeTermsError::Premium(self.premium_multiple));
        }
        if self.double_multiple < self.premium_multiple {
            return Err(OvertimeTermsError::Double {
                double: self.double_multiple,
                premium: self.premium_multiple,
            });
        }
        let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'/' | b'_' | b'-' | b'+');
        if self.zone.is_empty() || !self.zone.bytes().all(plain) {
            return Err(OvertimeTermsError::Zone(
                self.zone.chars().take(40).collect(),
            ));
        }
        Ok(())
    }
}

impl OvertimeBilling {
    /// Refuse terms that have no meaning.
    pub fn check(&self) -> Result<(), OvertimeTermsError> {
        self.terms.check()?;
        if self.rate_decimals > MICRO_SCALE {
            return Err(OvertimeTermsError::TooFine(self.rate_decimals));
        }
        Ok(())
    }

    /// Refuse a precision of rates that the ERP would round again.
    pub const fn check_against_erp(&self, erp_decimals: u32) -> Result<(), OvertimeTermsError> {
        if self.rate_decimals > erp_decimals {
            return Err(OvertimeTermsError::FinerThanErp {
                decimals: self.rate_decimals,
                erp_decimals,
            });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terms_are_read_strictly() {
        let read = |text: &str| serde_json::from_str::<OvertimeTerms>(text);
        let terms = read(r#"{"rule": {"form": "california"}, "zone": "America/Los_Angeles"}"#);
        let terms = terms.unwrap();
        assert_eq!(terms.week_start, Weekday::Monday);
        assert_eq!(terms.premium_multiple.to_string(), "1.5");
        assert!(terms.check().is_ok());
        for wrong in [
            r#"{"rule": {"form": "california", "daily_minutes": 1}, "zone": "UTC"}"#,
            r#"{"rule": {"form": "weekly", "daily_minutes": 480}, "zone": "UTC"}"#,
            r#"{"rule": {"form": "flsa_weekly"}, "zone": "UTC", "multiple": "2"}"#,
            r#"{"rule": {"form": "flsa_weekly"}}"#,
        ] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}

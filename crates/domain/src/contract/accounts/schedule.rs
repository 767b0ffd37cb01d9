//! Terms of what is billed by the calendar: instalments of a fixed price, and monthly fees.

use super::{Printing, TermsError, unique};
use crate::decimal::Micro;
use crate::money::Money;
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A part of a fixed price that is due on a date.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Instalment {
    /// Its id, unique in the schedule and part of the item's id: it does not change.
    pub id: String,
    /// The day it is due.
    #[schemars(with = "String")]
    pub date: Date,
    /// How much, net of tax, in the contract's currency.
    pub amount: Micro,
}

/// What is billed for a month that a fee covers in part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, Default)]
#[serde(rename_all = "snake_case")]
pub enum PartialMonths {
    /// The whole fee.
    #[default]
    Full,
    /// The fee by calendar days: days covered over days of the month.
    ByDays,
}

/// A fee per calendar month.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MonthlyFee {
    /// Its id, unique in the schedule and part of the item's id: it does not change.
    pub id: String,
    /// How much per month, net of tax, in the contract's currency.
    pub amount: Micro,
    /// First day it covers.
    #[schemars(with = "String")]
    pub from: Date,
    /// First day it no longer covers; none = open end.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub to: Option<Date>,
    /// The day of the month on which it is due, 1 to 31; default 1. A shorter month has it on its
    /// last day; a month covered in part never before the fee begins or after it ends.
    #[serde(default = "first")]
    pub day: i8,
    /// What a month covered in part costs; default the whole fee.
    #[serde(default)]
    pub partial_months: PartialMonths,
}

const fn first() -> i8 {
    1
}

/// What a contract bills by the calendar.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Default)]
#[serde(deny_unknown_fields)]
pub struct ScheduleTerms {
    /// The fixed price that the instalments come to; none = it is not compared.
    #[serde(default)]
    pub price: Option<Micro>,
    /// Dated parts of a fixed price.
    #[serde(default)]
    pub instalments: Vec<Instalment>,
    /// Fees per month.
    #[serde(default)]
    pub monthly_fees: Vec<MonthlyFee>,
}

impl ScheduleTerms {
    /// Refuse a schedule that has no meaning.
    pub fn check(&self, printing: &Printing) -> Result<(), TermsError> {
        printing.check()?;
        unique("instalment", self.instalments.iter().map(|i| i.id.as_str()))?;
        unique(
            "monthly fee",
            self.monthly_fees.iter().map(|f| f.id.as_str()),
        )?;
        self.check_price(printing)?;
        for fee in &self.monthly_fees {
            let subject = format!("monthly fee {}", fee.id);
            printing.money_not_negative(&subject, "amount", fee.amount)?;
            if !(1..=31).contains(&fee.day) {
                return Err(TermsError::new(
                    subject,
                    format!("day {} is no day of a month; write 1 to 31", fee.day),
                ));
            }
            if let Some(to) = fee.to.filter(|to| *to <= fee.from) {
                return Err(TermsError::new(
                    subject,
                    format!("it ends {to} and begins {}: it covers no day", fee.from),
                ));
            }
        }
        Ok(())
    }

    fn check_price(&self, printing: &Printing) -> Result<(), TermsError> {
        let mut sum = Money::zero(printing.currency);
        for one in &self.instalments {
            let subject = format!("instalment {}", one.id);
            let amount = printing.money_not_negative(&subject, "amount", one.amount)?;
            sum = sum
                .checked_add(amount)
                .map_err(|error| TermsError::new(subject, error.to_string()))?;
        }
        let Some(price) = self.price else {
            return Ok(());
        };
        let price = printing.money_not_negative("schedule", "price", price)?;
        if sum == price {
            return Ok(());
        }
        Err(TermsError::new(
            "schedule",
            format!("the instalments come to {sum} and the price is {price}; correct one of them"),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_no_meaning_is_named() {
        let printing: Printing =
            serde_json::from_str(r#"{"currency":"EUR","quantity_decimals":2}"#).unwrap();
        let check = |text: &str| {
            let terms: ScheduleTerms = serde_json::from_str(text).unwrap();
            terms.check(&printing).map_err(|error| error.to_string())
        };
        let good = r#"{"price":"3","instalments":[{"id":"a","date":"2026-01-01","amount":"1"},{"id":"b","date":"2026-01-01","amount":"2"}]}"#;
        assert_eq!(check(good), Ok(()));
        let bad = [
            (
                r#"{"price":"3","instalments":[{"id":"a","date":"2026-01-01","amount":"1"}]}"#,
                "schedule: the instalments come to EUR 1.00 and the price is EUR 3.00; correct one of them",
            ),
            (
                r#"{"monthly_fees":[{"id":"f","amount":"1","from":"2026-01-01","day":0}]}"#,
                "monthly fee f: day 0 is no day of a month; write 1 to 31",
            ),
            (
                r#"{"monthly_fees":[{"id":"f","amount":"1","from":"2026-01-01","to":"2026-01-01"}]}"#,
                "monthly fee f: it ends 2026-01-01 and begins 2026-01-01: it covers no day",
            ),
            (
                r#"{"monthly_fees":[{"id":"f","amount":"-1","from":"2026-01-01"}]}"#,
                "monthly fee f: amount is -1; write 0 or more",
            ),
        ];
        for (text, expected) in bad {
            assert_eq!(check(text).unwrap_err(), expected);
        }
    }
}

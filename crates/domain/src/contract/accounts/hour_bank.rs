//! Terms of an hour bank: hours that a fee per period covers, and what the hours over them cost.

use super::{Printing, TermsError};
use crate::decimal::Micro;
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The longest life of carried hours, in periods.
pub const LIFE_PERIODS_MAX: u32 = 60;

/// How unused hours go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Rollover {
    /// The most hours that one period carries of its own allowance. Hours that were carried before
    /// do not count towards it and are never carried anew.
    pub maximum_hours: Micro,
    /// For how many periods they can be used, at least 1.
    pub life_periods: u32,
}

/// Which hours are used first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, Default)]
#[serde(rename_all = "snake_case")]
pub enum BankOrder {
    /// Carried hours, the oldest first, then the period's own.
    #[default]
    OldestFirst,
    /// The period's own, then carried hours, the newest first.
    NewestFirst,
}

/// Where time goes that arrives late for a closed period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, Default)]
#[serde(rename_all = "snake_case")]
pub enum LateHours {
    /// To its own period, which is worked out again, and with it all later ones.
    #[default]
    Reopen,
    /// To the latest open period. Closed periods stay as they were.
    CurrentBucket,
}

/// An hour bank.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HourBankTerms {
    /// Its id, unique in the contract.
    pub id: String,
    /// The hours that the fee of a period covers.
    pub allowance_hours: Micro,
    /// The fee per period, net of tax, in the contract's currency. It is due when the period opens.
    pub fee: Micro,
    /// The rate of an hour over the allowance, in the contract's currency.
    pub overage_rate: Micro,
    /// How unused hours go on; none = they lapse with their period.
    #[serde(default)]
    pub rollover: Option<Rollover>,
    /// Which hours are used first; default the oldest.
    #[serde(default)]
    pub order: BankOrder,
    /// Where late time goes; default to its own period.
    #[serde(default)]
    pub late: LateHours,
    /// First day on which the bank no longer runs; none = open end. With the period that reaches
    /// it, all unused hours lapse.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub to: Option<Date>,
}

impl HourBankTerms {
    /// Refuse a bank that has no meaning.
    pub fn check(&self, printing: &Printing) -> Result<(), TermsError> {
        printing.check()?;
        if self.id.trim().is_empty() {
            return Err(TermsError::new(
                "hour bank",
                "its id is empty; give it a name",
            ));
        }
        let subject = format!("hour bank {}", self.id);
        printing.money_not_negative(&subject, "fee", self.fee)?;
        let rollover = self.rollover.map(|r| r.maximum_hours).unwrap_or_default();
        let numbers = [
            ("allowance_hours", self.allowance_hours),
            ("overage_rate", self.overage_rate),
            ("maximum_hours", rollover),
        ];
        for (key, value) in numbers {
            if value.is_negative() {
                return Err(TermsError::new(
                    subject,
                    format!("{key} is {value}; write 0 or more"),
                ));
            }
        }
        match self.rollover {
            Some(r) if r.life_periods == 0 || r.life_periods > LIFE_PERIODS_MAX => {
                Err(TermsError::new(
                    subject,
                    format!(
                        "carried hours live {} periods; write 1 to {LIFE_PERIODS_MAX}, or leave the rollover out",
                        r.life_periods
                    ),
                ))
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_no_meaning_is_named() {
        let printing: Printing =
            serde_json::from_str(r#"{"currency":"EUR","quantity_decimals":2}"#).unwrap();
        let bank = |more: &str| {
            let text = format!(
                r#"{{"id":"B","allowance_hours":"40","fee":"6000","overage_rate":"175"{more}}}"#
            );
            serde_json::from_str::<HourBankTerms>(&text).unwrap()
        };
        assert_eq!(bank("").check(&printing), Ok(()));
        let rolls = |life: u32| {
            bank(&format!(
                r#","rollover":{{"maximum_hours":"10","life_periods":{life}}}"#
            ))
        };
        assert_eq!(rolls(1).check(&printing), Ok(()));
        assert_eq!(rolls(LIFE_PERIODS_MAX).check(&printing), Ok(()));
        for life in [0, LIFE_PERIODS_MAX + 1] {
            let error = rolls(life).check(&printing).unwrap_err().to_string();
            assert!(
                error.starts_with("hour bank B: carried hours live"),
                "{error}"
            );
        }
        let negative = HourBankTerms {
            overage_rate: "-1".parse().unwrap(),
            ..bank("")
        };
        let error = negative.check(&printing).unwrap_err().to_string();
        assert_eq!(error, "hour bank B: overage_rate is -1; write 0 or more");
    }
}

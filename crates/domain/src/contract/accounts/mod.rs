//! Terms of what a contract counts: limits, retainers, hour banks, milestones and scheduled fees.
//!
//! Each file holds the terms of one subject and a `check` that names what has no meaning. What is
//! done with them is decided by the rules, never here.

pub mod hour_bank;
pub mod limit;
pub mod milestone;
pub mod retainer;
pub mod schedule;

use crate::money::{Money, MoneyError};
use crate::rounding::Rounding;
use crate::{currency::Currency, decimal::Micro};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Terms that have no meaning. The message names the subject, what is wrong and what to write.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{subject}: {problem}")]
pub struct TermsError {
    /// Which terms, such as `limit NTE`.
    pub subject: String,
    /// What is wrong with them, and what to write instead.
    pub problem: String,
}

impl TermsError {
    /// What is wrong with a subject.
    pub fn new(subject: impl Into<String>, problem: impl Into<String>) -> Self {
        Self {
            subject: subject.into(),
            problem: problem.into(),
        }
    }
}

/// How a contract prints: what an account needs to know to cut an entry so that each part still
/// multiplies out. The values are those of the contract itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Printing {
    /// The contract's currency. All money of an account is in it, net of tax.
    #[schemars(with = "Currency")]
    pub currency: Currency,
    /// The contract's increment in whole minutes; none = a part is cut at the printed precision.
    #[serde(default)]
    pub step_minutes: Option<u32>,
    /// Digits after the point of the printed quantity, at most 6.
    pub quantity_decimals: u32,
    /// How the printed quantity is rounded.
    #[serde(default)]
    pub quantity_rounding: Rounding,
    /// How an amount is rounded to the currency's smallest coin.
    #[serde(default)]
    pub amount_rounding: Rounding,
}

impl Printing {
    /// Refuse settings with which nothing can be cut.
    pub fn check(&self) -> Result<(), TermsError> {
        if self.step_minutes == Some(0) {
            return Err(TermsError::new(
                "increment",
                "the increment is 0 minutes; write 1 or more, or leave it out",
            ));
        }
        if self.quantity_decimals > crate::decimal::MICRO_SCALE {
            return Err(TermsError::new(
                "quantity_decimals",
                format!(
                    "{} digits after the point are more than the 6 a quantity carries",
                    self.quantity_decimals
                ),
            ));
        }
        Ok(())
    }

    /// An amount written in the terms, as money of the contract.
    pub fn money(&self, subject: &str, key: &str, amount: Micro) -> Result<Money, TermsError> {
        Money::from_decimal(amount.decimal(), self.currency)
            .map_err(|error: MoneyError| TermsError::new(subject, format!("{key}: {error}")))
    }

    /// The same, where less than zero has no meaning.
    pub fn money_not_negative(
        &self,
        subject: &str,
        key: &str,
        amount: Micro,
    ) -> Result<Money, TermsError> {
        if amount.is_negative() {
            return Err(TermsError::new(
                subject,
                format!("{key} is {amount}; write 0 or more"),
            ));
        }
        self.money(subject, key, amount)
    }
}

/// Refuse two terms of one id: an id is how a record finds its terms again.
fn unique<'a>(what: &str, ids: impl Iterator<Item = &'a str>) -> Result<(), TermsError> {
    let mut seen = std::collections::BTreeSet::new();
    for id in ids {
        if id.trim().is_empty() {
            return Err(TermsError::new(what, "one has an empty id; give it a name"));
        }
        if !seen.insert(id) {
            return Err(TermsError::new(
                format!("{what} {id}"),
                "the id is used twice; give each its own",
            ));
        }
    }
    Ok(())
}

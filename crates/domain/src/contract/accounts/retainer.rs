//! Terms of a money retainer: what a client pays ahead, and when work may draw on it.

use super::{Printing, TermsError};
use crate::decimal::Micro;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// From when money of a retainer can be drawn on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, Default)]
#[serde(rename_all = "snake_case")]
pub enum Usable {
    /// When it was paid. An unpaid invoice may still be cancelled.
    #[default]
    Paid,
    /// When it was invoiced, because the payment is unconditionally due.
    Invoiced,
}

/// A retainer that is filled up again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Evergreen {
    /// A top-up is asked for when the balance is below this, in the contract's currency.
    pub threshold: Micro,
    /// The balance that a top-up restores, in the contract's currency.
    pub target: Micro,
}

/// A money retainer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RetainerTerms {
    /// Its id, unique in the contract.
    pub id: String,
    /// From when its money can be drawn on; default when it was paid.
    #[serde(default)]
    pub usable: Usable,
    /// When and how far it is filled up again; none = never.
    #[serde(default)]
    pub evergreen: Option<Evergreen>,
}

impl RetainerTerms {
    /// Refuse a retainer that has no meaning.
    pub fn check(&self, printing: &Printing) -> Result<(), TermsError> {
        printing.check()?;
        if self.id.trim().is_empty() {
            return Err(TermsError::new(
                "retainer",
                "its id is empty; give it a name",
            ));
        }
        let subject = format!("retainer {}", self.id);
        let Some(evergreen) = self.evergreen else {
            return Ok(());
        };
        printing.money_not_negative(&subject, "threshold", evergreen.threshold)?;
        printing.money_not_negative(&subject, "target", evergreen.target)?;
        if evergreen.target < evergreen.threshold {
            return Err(TermsError::new(
                subject,
                format!(
                    "the target of {} is below the threshold of {}: a top-up would ask for the next one at once",
                    evergreen.target, evergreen.threshold
                ),
            ));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_below_the_threshold_has_no_meaning() {
        let printing: Printing =
            serde_json::from_str(r#"{"currency":"EUR","quantity_decimals":2}"#).unwrap();
        let read = |text: &str| serde_json::from_str::<RetainerTerms>(text).unwrap();
        let plain = read(r#"{"id":"R"}"#);
        assert_eq!(
            (plain.usable, plain.check(&printing)),
            (Usable::Paid, Ok(()))
        );
        let equal = read(r#"{"id":"R","evergreen":{"threshold":"5","target":"5"}}"#);
        assert_eq!(equal.check(&printing), Ok(()));
        let table = [
            (
                r#"{"id":"R","evergreen":{"threshold":"5","target":"4.99"}}"#,
                "below the threshold",
            ),
            (
                r#"{"id":"R","evergreen":{"threshold":"-5","target":"4"}}"#,
                "threshold is -5; write 0 or more",
            ),
            (r#"{"id":""}"#, "its id is empty"),
        ];
        for (text, words) in table {
            let error = read(text).check(&printing).unwrap_err().to_string();
            assert!(error.contains(words), "{error}");
        }
    }
}

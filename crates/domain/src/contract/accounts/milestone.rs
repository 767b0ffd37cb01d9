//! Terms of milestones: parts of an agreed price that are billed on the client's acceptance.

use super::{Printing, TermsError, unique};
use crate::decimal::Micro;
use crate::money::Money;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The most milestones a contract may have.
pub const MILESTONES_MAX: usize = 1000;

/// One hundred percent, scaled like a [`Micro`].
pub const WHOLE_PERCENT_MICRO: i64 = 100_000_000;

/// A milestone. It is an amount or a percentage, never both.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Milestone {
    /// Its id, unique in the contract and part of the item's id: it does not change.
    pub id: String,
    /// What it is worth, net of tax, in the contract's currency.
    #[serde(default)]
    pub amount: Option<Micro>,
    /// Or which part of the price, in percent. The last percentage milestone takes what the others
    /// leave of the price, so that the sum is the price to the cent.
    #[serde(default)]
    pub percent: Option<Micro>,
}

/// The milestones of a contract.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MilestoneTerms {
    /// The price of all, net of tax, in the contract's currency. From the contract or its latest
    /// change order.
    pub price: Micro,
    /// What is withheld of each milestone and billed at the end, in percent; default 0.
    #[serde(default)]
    pub retention_percent: Micro,
    /// The milestones, in order.
    pub milestones: Vec<Milestone>,
}

impl MilestoneTerms {
    /// A milestone by id.
    pub fn milestone(&self, id: &str) -> Option<&Milestone> {
        self.milestones.iter().find(|milestone| milestone.id == id)
    }

    /// The milestone that takes the remainder: the last percentage.
    pub fn remainder(&self) -> Option<&str> {
        let last = self.milestones.iter().rfind(|m| m.percent.is_some());
        last.map(|milestone| milestone.id.as_str())
    }

    /// The price as money.
    pub fn price(&self, printing: &Printing) -> Result<Money, TermsError> {
        printing.money_not_negative("milestones", "price", self.price)
    }

    /// What a percentage of the price comes to, or the amount as it is.
    pub fn worth(
        &self,
        printing: &Printing,
        id: &str,
        amount: Option<Micro>,
        percent: Option<Micro>,
    ) -> Result<Money, TermsError> {
        let subject = format!("milestone {id}");
        match (amount, percent) {
            (Some(amount), None) => printing.money_not_negative(&subject, "amount", amount),
            (None, Some(percent)) => {
                check_percent(&subject, percent)?;
                self.price(printing)?
                    .share(
                        percent.micro(),
                        WHOLE_PERCENT_MICRO,
                        printing.amount_rounding,
                    )
                    .map_err(|error| TermsError::new(subject, format!("{error}")))
            }
            (Some(_), Some(_)) => Err(TermsError::new(
                subject,
                "it has an amount and a percentage; leave one out",
            )),
            (None, None) => Err(TermsError::new(
                subject,
                "it has neither an amount nor a percentage; write one",
            )),
        }
    }

    /// Refuse milestones that have no meaning, or that do not come to the price.
    pub fn check(&self, printing: &Printing) -> Result<(), TermsError> {
        printing.check()?;
        if self.milestones.is_empty() || self.milestones.len() > MILESTONES_MAX {
            return Err(TermsError::new(
                "milestones",
                format!(
                    "there are {}; write 1 to {MILESTONES_MAX}",
                    self.milestones.len()
                ),
            ));
        }
        unique("milestone", self.milestones.iter().map(|m| m.id.as_str()))?;
        check_percent("retention", self.retention_percent)?;
        let price = self.price(printing)?;
        let too_large = |_| TermsError::new("milestones", "their sum is too large");
        let mut sum = Money::zero(printing.currency);
        for milestone in &self.milestones {
            let id = &milestone.id;
            let worth = self.worth(printing, id, milestone.amount, milestone.percent)?;
            sum = sum.checked_add(worth).map_err(too_large)?;
        }
        // Each percentage may be half a coin off; a figure that is further off is a slip.
        let percentages = self.milestones.iter().filter(|m| m.percent.is_some());
        let slack = i64::try_from(percentages.count()).unwrap_or(i64::MAX);
        if sum.amount_minor.abs_diff(price.amount_minor) > slack.unsigned_abs() {
            return Err(TermsError::new(
                "milestones",
                format!("they come to {sum} and the price is {price}; correct one of them"),
            ));
        }
        Ok(())
    }
}

fn check_percent(subject: &str, percent: Micro) -> Result<(), TermsError> {
    if percent.is_negative() || percent.micro() > WHOLE_PERCENT_MICRO {
        return Err(TermsError::new(
            subject,
            format!("{percent} percent is not between 0 and 100"),
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str) -> Result<(), String> {
        let printing: Printing =
            serde_json::from_str(r#"{"currency":"EUR","quantity_decimals":2}"#).unwrap();
        let terms: MilestoneTerms = serde_json::from_str(text).unwrap();
        terms.check(&printing).map_err(|error| error.to_string())
    }

    #[test]
    fn milestones_come_to_the_price() {
        let good = [
            r#"{"price":"100","milestones":[{"id":"A","percent":"33.3333"},{"id":"B","percent":"33.3333"},{"id":"C","percent":"33.3333"}]}"#,
            r#"{"price":"100","milestones":[{"id":"A","amount":"60"},{"id":"B","percent":"40"}]}"#,
            r#"{"price":"100","milestones":[{"id":"A","amount":"60"},{"id":"B","amount":"40"}]}"#,
        ];
        for text in good {
            assert_eq!(check(text), Ok(()), "{text}");
        }
        let bad = [
            (
                r#"{"price":"100","milestones":[{"id":"A","percent":"50"},{"id":"B","percent":"40"}]}"#,
                "milestones: they come to EUR 90.00 and the price is EUR 100.00; correct one of them",
            ),
            (
                r#"{"price":"100","milestones":[{"id":"A","amount":"60"},{"id":"B","amount":"39.99"}]}"#,
                "milestones: they come to EUR 99.99 and the price is EUR 100.00; correct one of them",
            ),
            (
                r#"{"price":"100","milestones":[{"id":"A","amount":"60","percent":"40"}]}"#,
                "milestone A: it has an amount and a percentage; leave one out",
            ),
            (
                r#"{"price":"100","milestones":[{"id":"A"}]}"#,
                "milestone A: it has neither an amount nor a percentage; write one",
            ),
            (
                r#"{"price":"100","milestones":[{"id":"A","percent":"100.000001"}]}"#,
                "milestone A: 100.000001 percent is not between 0 and 100",
            ),
            (
                r#"{"price":"100","retention_percent":"-1","milestones":[{"id":"A","percent":"100"}]}"#,
                "retention: -1 percent is not between 0 and 100",
            ),
            (
                r#"{"price":"100","milestones":[]}"#,
                "milestones: there are 0; write 1 to 1000",
            ),
        ];
        for (text, expected) in bad {
            assert_eq!(check(text).unwrap_err(), expected);
        }
    }
}

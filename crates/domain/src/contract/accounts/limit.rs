//! Terms of limits: what a client pays at most, for a contract, a line, a purchase order or a task.

use super::{Printing, TermsError, unique};
use crate::decimal::Micro;
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The most limits a contract may have.
pub const LIMITS_MAX: usize = 64;

/// What a limit is put on. Outer scopes come first; an entry has to pass all it is under.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    JsonSchema,
    Default,
)]
#[serde(rename_all = "snake_case")]
pub enum LimitScope {
    /// All of the contract.
    #[default]
    Contract,
    /// One line of it, by `code`.
    Line,
    /// One purchase order of the client, by `code`.
    PurchaseOrder,
    /// One task, by `code`.
    Task,
}

impl LimitScope {
    /// The words people read.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Contract => "contract",
            Self::Line => "line",
            Self::PurchaseOrder => "purchase order",
            Self::Task => "task",
        }
    }
}

/// What counts against a limit, always net of tax.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, Default)]
#[serde(rename_all = "snake_case")]
pub enum LimitBase {
    /// Fees for work and expenses.
    #[default]
    FeesAndExpenses,
    /// Fees for work only; expenses are billed beside the limit.
    Fees,
}

/// What happens to an entry that does not fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, Default)]
#[serde(rename_all = "snake_case")]
pub enum LimitPolicy {
    /// Bill what fits and hold the rest until there is room.
    #[default]
    SplitHold,
    /// Hold the whole entry; later entries of the limit wait behind it (see `pass`).
    Hold,
    /// Bill what fits and give the rest up. Its cost stays.
    WriteOff,
    /// Bill the whole quantity at its rate, less an allowance in money down to what fits.
    BillToCap,
}

impl LimitPolicy {
    /// The words people read.
    pub const fn words(self) -> &'static str {
        match self {
            Self::SplitHold => "bill what fits, hold the rest",
            Self::Hold => "hold the whole entry",
            Self::WriteOff => "bill what fits, write the rest off",
            Self::BillToCap => "bill the whole quantity less an allowance",
        }
    }
}

/// A limit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LimitTerms {
    /// Its id, unique in the contract.
    pub id: String,
    /// What it is put on; default the whole contract.
    #[serde(default)]
    pub scope: LimitScope,
    /// The line, purchase order or task, by code. A limit on the contract has none.
    #[serde(default)]
    pub code: Option<String>,
    /// The most that may be billed in all, net of tax, in the contract's currency. From the
    /// contract or its latest change order.
    pub amount: Micro,
    /// What was billed against it before this ledger began; default 0. From the books before.
    #[serde(default)]
    pub opening_used: Micro,
    /// What counts; default fees and expenses.
    #[serde(default)]
    pub base: LimitBase,
    /// What happens to an entry that does not fit; default bill what fits and hold the rest.
    #[serde(default)]
    pub policy: LimitPolicy,
    /// Whether later entries may pass one that waits; default no. Under `hold` it concerns entries
    /// that come, under every policy the order in which waiting ones are released.
    #[serde(default)]
    pub pass: bool,
    /// An entry that goes over by no more than this passes whole; default 0. A cut is always made
    /// at the limit itself.
    #[serde(default)]
    pub tolerance: Micro,
    /// First work date it covers; none = always.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub from: Option<Date>,
    /// First work date it no longer covers; none = open end. Work on a day that no limit of the
    /// same scope and code covers is held.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub to: Option<Date>,
}

impl LimitTerms {
    /// Whether it covers a work date.
    pub fn covers(&self, day: Date) -> bool {
        self.from.is_none_or(|from| from <= day) && self.to.is_none_or(|to| day < to)
    }

    /// Refuse a limit that has no meaning.
    pub fn check(&self, printing: &Printing) -> Result<(), TermsError> {
        let subject = format!("limit {}", self.id);
        printing.money_not_negative(&subject, "amount", self.amount)?;
        printing.money_not_negative(&subject, "opening_used", self.opening_used)?;
        printing.money_not_negative(&subject, "tolerance", self.tolerance)?;
        if self.opening_used > self.amount {
            return Err(TermsError::new(
                subject,
                format!(
                    "opening_used {} is more than the amount of {}; correct one of the two",
                    self.opening_used, self.amount
                ),
            ));
        }
        match (self.scope, self.code.as_deref().map(str::trim)) {
            (LimitScope::Contract, Some(code)) => Err(TermsError::new(
                subject,
                format!(
                    "a limit on the contract has no code, and this one says '{code}'; name its scope or leave the code out"
                ),
            )),
            (LimitScope::Line | LimitScope::PurchaseOrder | LimitScope::Task, None | Some("")) => {
                Err(TermsError::new(
                    subject,
                    format!("a limit on a {} needs its code", self.scope.words()),
                ))
            }
            _ => self.check_days(),
        }
    }

    fn check_days(&self) -> Result<(), TermsError> {
        match (self.from, self.to) {
            (Some(from), Some(to)) if to <= from => Err(TermsError::new(
                format!("limit {}", self.id),
                format!("it ends {to} and begins {from}: it covers no day"),
            )),
            _ => Ok(()),
        }
    }
}

/// Refuse limits of one contract that have no meaning together.
pub fn check_limits(limits: &[LimitTerms], printing: &Printing) -> Result<(), TermsError> {
    printing.check()?;
    if limits.len() > LIMITS_MAX {
        return Err(TermsError::new(
            "limits",
            format!("{} limits are more than {LIMITS_MAX}", limits.len()),
        ));
    }
    unique("limit", limits.iter().map(|limit| limit.id.as_str()))?;
    limits.iter().try_for_each(|limit| limit.check(printing))
}

/// What the limit of a part is called in the account of the whole contract.
pub fn id_in_whole(part: &str, limit: &str) -> String {
    format!("{part}/{limit}")
}

/// Refuse limits of a whole contract that could be taken for each other.
pub fn unique_in_whole<'a>(ids: impl Iterator<Item = &'a str>) -> Result<(), TermsError> {
    unique("limit", ids)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printing() -> Printing {
        serde_json::from_str(r#"{"currency":"EUR","quantity_decimals":2}"#).unwrap()
    }

    fn problem(text: &str) -> String {
        let limit: LimitTerms = serde_json::from_str(text).unwrap();
        check_limits(&[limit], &printing()).unwrap_err().to_string()
    }

    #[test]
    fn what_has_no_meaning_is_named() {
        let plain: LimitTerms = serde_json::from_str(r#"{"id":"NTE","amount":"50000"}"#).unwrap();
        assert_eq!(plain.policy, LimitPolicy::SplitHold);
        check_limits(std::slice::from_ref(&plain), &printing()).unwrap();
        let twice = check_limits(&[plain.clone(), plain], &printing()).unwrap_err();
        assert_eq!(
            twice.to_string(),
            "limit NTE: the id is used twice; give each its own"
        );
        let table = [
            (
                r#"{"id":"L","amount":"-1"}"#,
                "limit L: amount is -1; write 0 or more",
            ),
            (
                r#"{"id":"L","amount":"10.005"}"#,
                "limit L: amount: 10.005 has more digits than EUR carries",
            ),
            (
                r#"{"id":"L","amount":"10","opening_used":"11"}"#,
                "limit L: opening_used 11 is more than the amount of 10; correct one of the two",
            ),
            (
                r#"{"id":"L","amount":"10","scope":"task"}"#,
                "limit L: a limit on a task needs its code",
            ),
            (
                r#"{"id":"L","amount":"10","code":"X"}"#,
                "limit L: a limit on the contract has no code, and this one says 'X'; name its scope or leave the code out",
            ),
            (
                r#"{"id":"L","amount":"10","from":"2026-02-01","to":"2026-02-01"}"#,
                "limit L: it ends 2026-02-01 and begins 2026-02-01: it covers no day",
            ),
            (
                r#"{"id":" ","amount":"10"}"#,
                "limit: one has an empty id; give it a name",
            ),
        ];
        for (text, expected) in table {
            assert_eq!(problem(text), expected);
        }
        assert!(
            serde_json::from_str::<LimitTerms>(r#"{"id":"L","amount":"1","cap":"2"}"#).is_err()
        );
    }
}

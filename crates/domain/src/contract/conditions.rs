//! What a contract says in conditions: small expressions over one piece of work.
//!
//! Each is text here and compiled by the rules, which refuse unknown names, wrong types, numbers
//! with a decimal point and anything that could run for ever. The names that they may use:
//! `worker`, `role`, `practice`, `project`, `task`, `service_item`, `customer`, `contract` and
//! `date` (like `"2026-03-02"`) are text; `weekday` is 1 for Monday to 7 for Sunday; `minutes` is
//! the recorded time in whole minutes, seconds left out; `billable` is what the tracker says.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The conditions of a contract. Absent means: no condition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Default)]
#[serde(deny_unknown_fields)]
pub struct ConditionTerms {
    /// Whether the contract covers the work, besides its projects and days, as
    /// `service_item == "AUDIT"`. Absent: it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<String>,
    /// Whether the client pays for covered work that the tracker calls billable, as
    /// `task != "TRAVEL"`. Absent: yes. Work that the tracker calls not billable stays so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub billable_when: Option<String>,
    /// Whether a person has to look at the work before it is billed, as
    /// `amount.more_than(money("5000 EUR"))`. Also sees `amount`: what the work comes to by its
    /// rates, before limits, retainers and hour banks are asked. Asked when work comes and after
    /// each change of it; what stands booked is not held again because other work, a rate or a
    /// term changed its price. Absent: no.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hold_when: Option<String>,
    /// The text that keeps documents apart: charges with different texts never share one, as
    /// `project + "/" + role`. It stands in the place of the contract's `grouping`: contracts of one
    /// customer whose work has the same text share a document. Fixed amounts keep the `grouping`.
    /// Absent: the contract's `grouping` decides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group_by: Option<String>,
}

impl ConditionTerms {
    /// Whether nothing is said.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

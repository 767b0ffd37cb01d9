//! How charges become the lines that a client reads: which of them share a line, and in which words.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What charges of one line have in common.
///
/// Rate, unit, service item and sort of time always have to be the same: a line prints one quantity
/// and one price. What is named here comes on top.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum LineKey {
    /// The person.
    Worker,
    /// The role.
    Role,
    /// The project.
    Project,
    /// The task.
    Task,
    /// The day of the work.
    Day,
    /// The week of the work, from Monday.
    Week,
    /// The month of the work.
    Month,
}

impl LineKey {
    /// Its name in contracts.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Worker => "worker",
            Self::Role => "role",
            Self::Project => "project",
            Self::Task => "task",
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
        }
    }
}

/// The lines of a contract's documents.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Default)]
#[serde(deny_unknown_fields)]
pub struct LineTerms {
    /// Charges that agree in all of these share a line. Absent: a line for each charge; an empty
    /// list: one line for each rate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub together: Option<Vec<LineKey>>,
    /// The text of a line, a Jinja template over `worker`, `role`, `project`, `task`,
    /// `service_item`, `from`, `to`, `quantity`, `unit`, `rate`, `amount`, `purchase_order`,
    /// `client_reference`, `contract` and the lists `workers`, `tasks` and `narratives`, with `if`,
    /// `for` and the filters `join`, `upper`, `lower`, `trim`, `first`, `last` and `length`. At most
    /// 500 characters are printed. Absent: day, person, task, words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// The client's purchase order number, for the text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub purchase_order: Option<String>,
    /// What the client calls this work, for the text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_reference: Option<String>,
}

//! Dated bill and cost rates: what a row applies to, when it holds, and since when it is known.
//!
//! Precedence is explicit: the scope of the work first (task, project, contract, customer,
//! practice, everything), then the person (worker, role, anybody), then the service item. Among
//! keys of one rank, one that names all that another names and more is more specific. Which row of
//! a key holds on a day is in [`choose`].

mod choose;

pub use choose::{KeyRows, Level, NoRate, OnDay, choose_rate, levels, standing};

use crate::currency::Currency;
use crate::decimal::Micro;
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a rate can be looked up by, in the order in which keys are told: scope from narrow to wide,
/// person, service item.
pub const DIMENSIONS: [&str; 8] = [
    "task",
    "project",
    "contract",
    "customer",
    "practice",
    "worker",
    "role",
    "service item",
];

/// The parts of a key, or of the facts of a piece of work, in the order of [`DIMENSIONS`].
pub type Parts<'a> = [Option<&'a str>; 8];

/// What a rate row applies to. An absent field applies to anything.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, Default)]
#[serde(deny_unknown_fields)]
pub struct RateKey {
    /// A customer's code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer: Option<String>,
    /// A contract's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contract: Option<String>,
    /// A project's code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
    /// A task's code inside the project.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task: Option<String>,
    /// A practice: the line of business that does the work.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub practice: Option<String>,
    /// A worker's code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub worker: Option<String>,
    /// A role.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// A service item's code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_item: Option<String>,
}

/// The facts of one piece of work that a rate is looked up by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateFacts<'a> {
    /// The customer's code; empty where nobody is billed.
    pub customer: &'a str,
    /// The contract's id.
    pub contract: &'a str,
    /// The project's code.
    pub project: &'a str,
    /// The task's code.
    pub task: &'a str,
    /// The practice; empty where the firm has none.
    pub practice: &'a str,
    /// The worker's code.
    pub worker: &'a str,
    /// The worker's role.
    pub role: &'a str,
    /// The service item's code.
    pub service_item: &'a str,
}

impl<'a> RateFacts<'a> {
    /// The facts in the order of [`DIMENSIONS`].
    pub const fn parts(&self) -> [&'a str; 8] {
        [
            self.task,
            self.project,
            self.contract,
            self.customer,
            self.practice,
            self.worker,
            self.role,
            self.service_item,
        ]
    }

    /// The facts in words, for explanations and refusals.
    pub fn words(&self) -> String {
        let told: Parts<'_> = self
            .parts()
            .map(|part| Some(part).filter(|p| !p.is_empty()));
        parts_words(&told)
    }
}

/// A look-up on a day by the rows alone: everything is known, and work has no practice. Version 1
/// of the pricing rules asks so.
#[derive(Debug, Clone, Copy)]
pub struct RateQuery<'a> {
    /// The customer's code.
    pub customer: &'a str,
    /// The contract's id.
    pub contract: &'a str,
    /// The project's code.
    pub project: &'a str,
    /// The task's code.
    pub task: &'a str,
    /// The worker's code.
    pub worker: &'a str,
    /// The worker's role.
    pub role: &'a str,
    /// The service item's code.
    pub service_item: &'a str,
    /// The day of the work.
    pub day: Date,
}

impl<'a> RateQuery<'a> {
    /// The facts, the day aside.
    pub const fn facts(&self) -> RateFacts<'a> {
        RateFacts {
            customer: self.customer,
            contract: self.contract,
            project: self.project,
            task: self.task,
            practice: "",
            worker: self.worker,
            role: self.role,
            service_item: self.service_item,
        }
    }
}

impl RateKey {
    /// The parts in the order of [`DIMENSIONS`].
    pub fn parts(&self) -> Parts<'_> {
        [
            self.task.as_deref(),
            self.project.as_deref(),
            self.contract.as_deref(),
            self.customer.as_deref(),
            self.practice.as_deref(),
            self.worker.as_deref(),
            self.role.as_deref(),
            self.service_item.as_deref(),
        ]
    }

    /// Whether the key applies to a piece of work, the day aside.
    pub fn fits(&self, facts: &RateFacts<'_>) -> bool {
        self.parts()
            .iter()
            .zip(facts.parts())
            .all(|(own, asked)| own.is_none_or(|value| value == asked))
    }

    /// Whether the key applies to what a query asks, the day aside.
    pub fn matches(&self, query: &RateQuery<'_>) -> bool {
        self.fits(&query.facts())
    }

    /// The rank: a greater one is more specific. Scope of work, then person, then service item.
    pub const fn specificity(&self) -> (u8, u8, u8) {
        let scope = if self.task.is_some() {
            5
        } else if self.project.is_some() {
            4
        } else if self.contract.is_some() {
            3
        } else if self.customer.is_some() {
            2
        } else if self.practice.is_some() {
            1
        } else {
            0
        };
        let person = if self.worker.is_some() {
            2
        } else if self.role.is_some() {
            1
        } else {
            0
        };
        let item = if self.service_item.is_some() { 1 } else { 0 };
        (scope, person, item)
    }

    /// Whether this key names all that another one names, with the same values, and more.
    pub fn refines(&self, other: &Self) -> bool {
        self != other
            && self
                .parts()
                .iter()
                .zip(other.parts())
                .all(|(own, theirs)| theirs.is_none_or(|value| *own == Some(value)))
    }

    /// The key in words, for explanations.
    pub fn words(&self) -> String {
        parts_words(&self.parts())
    }
}

fn parts_words(parts: &Parts<'_>) -> String {
    let told: Vec<String> = DIMENSIONS
        .iter()
        .zip(parts)
        .filter_map(|(name, value)| value.map(|v| format!("{name} {v}")))
        .collect();
    if told.is_empty() {
        "standard".to_owned()
    } else {
        told.join(", ")
    }
}

/// Whose rate a row is.
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
pub enum RateSource {
    /// The rate card: rows of the configuration and of files.
    #[default]
    Card,
    /// The ERP: rows that were read from it.
    Erp,
}

impl RateSource {
    /// The name used in files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Card => "card",
            Self::Erp => "erp",
        }
    }

    /// The words people read.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Card => "the rate card",
            Self::Erp => "the ERP",
        }
    }

    /// Whether it is the value that an absent field means.
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// One dated rate: valid on `[from, to)`, known from `recorded` on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RateRow {
    /// What it applies to.
    #[serde(flatten)]
    pub key: RateKey,
    /// The rate per hour.
    pub rate: Micro,
    /// Its currency.
    #[schemars(with = "Currency")]
    pub currency: Currency,
    /// First day.
    #[schemars(with = "String")]
    pub from: Date,
    /// First day it no longer holds; none = open end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub to: Option<Date>,
    /// The day the row became known; none = it was always known. Of the rows of one key that cover a
    /// day, the one recorded last holds; outside its days the earlier ones still stand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub recorded: Option<Date>,
    /// Whose rate it is; absent = the rate card's.
    #[serde(default, skip_serializing_if = "RateSource::is_default")]
    pub origin: RateSource,
}

impl RateRow {
    /// Whether the row holds on a day.
    pub fn covers(&self, day: Date) -> bool {
        self.from <= day && self.to.is_none_or(|to| day < to)
    }

    /// Whether the row is known on a day; without a day everything is known.
    pub fn known(&self, at: Option<Date>) -> bool {
        match (self.recorded, at) {
            (Some(recorded), Some(at)) => recorded <= at,
            (None, _) | (_, None) => true,
        }
    }

    /// Whether some day is covered by both rows.
    pub fn meets(&self, other: &Self) -> bool {
        let first = self.from.max(other.from);
        self.covers(first) && other.covers(first)
    }

    /// The row in words, for explanations and findings.
    pub fn words(&self) -> String {
        let until = self
            .to
            .map_or_else(|| "open end".to_owned(), |to| format!("before {to}"));
        let recorded = self.recorded.map_or_else(
            || "always known".to_owned(),
            |day| format!("recorded {day}"),
        );
        format!(
            "{} at {} {} (from {}, {until}, {recorded})",
            self.key.words(),
            self.currency,
            self.rate,
            self.from
        )
    }
}

//! What happens in a scenario, in the order in which it becomes known.

use domain::contract::Contract;
use domain::decimal::Micro;
use domain::rate::RateRow;
use jiff::civil::{Date, Time};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One event: a day, and exactly one of the things below.
///
/// `[[event]] on = "2026-03-02" entry = { id = "e1", worker = "ada", … }`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Default)]
#[serde(deny_unknown_fields)]
pub struct Event {
    /// The day on which it becomes known; where absent, that of the event before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub on: Option<Date>,
    /// Time is recorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entry: Option<Entry>,
    /// A recorded entry is changed at its source.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub edit: Option<Edit>,
    /// A recorded entry is deleted at its source.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delete: Option<EntryName>,
    /// A person looked at an entry that a condition of its contract holds, and lets it go on as it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirm: Option<EntryName>,
    /// A rate becomes known: a new one, or one that replaces another back in time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate: Option<RateRow>,
    /// The terms of a contract are replaced by new ones with the same id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contract: Option<Box<Contract>>,
    /// A document is issued to the client.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issue: Option<DocumentName>,
    /// An issued document is paid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pay: Option<DocumentName>,
    /// Part of an entry that was billed is credited to the client.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credit: Option<Credit>,
    /// What a limit held back is billed as far as there is room again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub release_held: Option<ContractName>,
    /// A milestone is accepted by the client.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accept: Option<Acceptance>,
    /// Fees and instalments that fall due up to this day are billed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fees_due: Option<ContractName>,
    /// Money is put into a retainer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fund: Option<Funding>,
    /// A month of an hour bank opens, and its fee is due; or it closes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bank: Option<BankMonth>,
    /// What was withheld of milestones is billed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub release_retention: Option<Acceptance>,
    /// An accounting period is opened or closed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub period: Option<PeriodChange>,
}

/// Recorded time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// Its id at the source.
    pub id: String,
    /// The worker's code.
    pub worker: String,
    /// The project's code.
    pub project: String,
    /// The task's code.
    #[serde(default = "work")]
    pub task: String,
    /// What was done: the code of a service item.
    #[serde(default = "work")]
    pub service_item: String,
    /// The day of the work.
    #[schemars(with = "String")]
    pub date: Date,
    /// When it began on that day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub start: Option<Time>,
    /// Recorded time in hours, exact: 1.25. Either this or `minutes`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hours: Option<Micro>,
    /// Recorded time in minutes. Either this or `hours`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minutes: Option<u32>,
    /// Whether it is billable.
    #[serde(default = "yes")]
    pub billable: bool,
    /// Whether it is approved.
    #[serde(default = "yes")]
    pub approved: bool,
    /// Whether the client allowed overtime for it beforehand.
    #[serde(default)]
    pub preauthorised: bool,
    /// What the person wrote.
    #[serde(default)]
    pub narrative: String,
}

fn work() -> String {
    "WORK".to_owned()
}

const fn yes() -> bool {
    true
}

/// A change of an entry: what is absent stays.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Edit {
    /// The entry's id.
    pub id: String,
    /// Another worker.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub worker: Option<String>,
    /// Another project.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
    /// Another task.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task: Option<String>,
    /// Another day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub date: Option<Date>,
    /// Other recorded time, in hours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hours: Option<Micro>,
    /// Other recorded time, in minutes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minutes: Option<u32>,
    /// Billable or not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub billable: Option<bool>,
    /// Approved or not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approved: Option<bool>,
    /// Other words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub narrative: Option<String>,
}

/// An entry by its id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EntryName {
    /// The entry's id.
    pub id: String,
}

/// A document by its name in the outcome, for example `K1 2026-03`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DocumentName {
    /// The document's name.
    pub document: String,
}

/// A contract by its id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ContractName {
    /// The contract's id.
    pub contract: String,
}

/// A credit of part of an entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Credit {
    /// The entry's id.
    pub id: String,
    /// How much of its printed quantity, in the unit of its line.
    pub quantity: Micro,
    /// Whether it is to be billed again; otherwise the credit is final.
    #[serde(default)]
    pub rebill: bool,
    /// Why, for the client.
    #[serde(default)]
    pub reason: String,
}

/// A milestone's acceptance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Acceptance {
    /// The contract's id.
    pub contract: String,
    /// The milestone's id in the contract.
    pub milestone: String,
    /// Which revision of the acceptance this is, from 1; a later one replaces the one before.
    #[serde(default = "first")]
    pub revision: u32,
    /// Another amount than the contract's, with a revision.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<Micro>,
    /// Who accepted it.
    pub accepted_by: String,
    /// The document that shows it.
    pub document: String,
}

const fn first() -> u32 {
    1
}

/// Money for a retainer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Funding {
    /// The contract's id.
    pub contract: String,
    /// Which funding: an id of your own, or that of a top-up.
    pub id: String,
    /// Invoiced or paid.
    pub stage: FundingState,
    /// How much of it so far, in the contract's currency.
    pub amount: Micro,
}

/// How far the money has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FundingState {
    /// Invoiced.
    Invoiced,
    /// Paid.
    Paid,
}

/// A month of an hour bank that opens or closes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BankMonth {
    /// The contract's id.
    pub contract: String,
    /// Its first day.
    #[schemars(with = "String")]
    pub first: Date,
    /// Open from now on, or closed.
    pub open: bool,
}

/// A period that is opened or closed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PeriodChange {
    /// The period's name.
    pub name: String,
    /// Open from now on, or closed.
    pub open: bool,
}

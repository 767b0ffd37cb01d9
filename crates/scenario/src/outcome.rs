//! What a scenario comes to, as data that a program or a person can read.

use crate::documents::DocumentState;
use domain::decimal::Micro;
use domain::money::Money;
use jiff::civil::Date;
use rules::explanation::Step;
use serde::Serialize;

/// The outcome.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ScenarioOutcome {
    /// The scenario's title.
    pub title: String,
    /// What was booked, in order.
    pub charges: Vec<ChargeLine>,
    /// The documents as they stand at the end.
    pub documents: Vec<DocumentOutcome>,
    /// What cannot be priced at the end.
    pub exceptions: Vec<ExceptionLine>,
    /// The accounts at the end.
    pub accounts: Vec<AccountLine>,
    /// What the charges come to, per contract.
    pub totals: Vec<Total>,
}

/// A charge that was booked, or reversed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ChargeLine {
    /// The event that brought it, from 1.
    pub event: usize,
    /// The entry, or the milestone or fee.
    pub item: String,
    /// Booked or reversed.
    pub act: &'static str,
    /// Which part of the item.
    pub part: String,
    /// Billed, cost only, drawn, …
    pub disposition: &'static str,
    /// The contract.
    pub contract: String,
    /// Printed quantity.
    pub quantity: Micro,
    /// Its unit.
    pub unit: &'static str,
    /// Rate per unit.
    pub rate: Micro,
    /// What the client is billed.
    #[serde(serialize_with = "money")]
    pub amount: Money,
    /// What it is worth at the contract's price.
    #[serde(serialize_with = "money")]
    pub value: Money,
    /// What it costs.
    #[serde(serialize_with = "money")]
    pub cost: Money,
    /// The day of the work.
    pub work_date: Date,
    /// The day it is posted on.
    pub posting_date: Date,
    /// Why.
    pub explanation: Vec<Step>,
}

/// A document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DocumentOutcome {
    /// Its name: what the contract groups by, and the period.
    pub name: String,
    /// Who is billed.
    pub bill_to: String,
    /// How far it has come.
    pub state: DocumentState,
    /// Which document of its kind it is, from 1.
    pub generation: u32,
    /// Its lines.
    pub lines: Vec<LineOutcome>,
    /// The sum of its lines less their allowances, net of tax.
    #[serde(serialize_with = "money")]
    pub total: Money,
}

/// A line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LineOutcome {
    /// What the client reads.
    pub text: String,
    /// Printed quantity.
    pub quantity: Micro,
    /// Its unit.
    pub unit: &'static str,
    /// Printed rate.
    pub rate: Micro,
    /// Printed quantity times printed rate.
    #[serde(serialize_with = "money")]
    pub amount: Money,
    /// What the client pays less for the line; usually nothing.
    #[serde(serialize_with = "money")]
    pub allowance: Money,
    /// What rounding leaves to the charges behind the line.
    #[serde(serialize_with = "money")]
    pub rounding: Money,
    /// The charges behind it.
    pub charges: Vec<String>,
}

/// An entry that cannot be priced.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ExceptionLine {
    /// The entry.
    pub item: String,
    /// The code.
    pub code: &'static str,
    /// What happened.
    pub facts: String,
    /// What to do.
    pub remedy: &'static str,
}

/// An account's figure at the end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AccountLine {
    /// The contract.
    pub contract: String,
    /// The limit, retainer, or month of the hour bank.
    pub account: String,
    /// What the figure is: used, left, held, balance, hours rolled in, …
    pub figure: &'static str,
    /// The figure, in money or hours.
    pub value: String,
}

/// What the charges of a contract come to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Total {
    /// The contract.
    pub contract: String,
    /// Billed to the client.
    #[serde(serialize_with = "money")]
    pub billed: Money,
    /// Worth at the contract's price.
    #[serde(serialize_with = "money")]
    pub value: Money,
}

fn money<S: serde::Serializer>(amount: &Money, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(amount)
}

//! What the ERP holds.

use super::effect::Effect;
use super::tamper::Tamper;
use crate::wire::WireReply;
use domain::currency::Currency;
use domain::decimal::Micro;
use domain::money::Money;
use domain::posting::DocumentState;
use domain::quantity::Unit;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How the ERP treats a second line of one key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Uniqueness {
    /// It refuses it, whoever sends it and when.
    UniqueKey,
    /// It takes it: the key is only a searchable text.
    LookUp,
}

/// How the ERP is set up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// How it treats a second line of one key.
    pub uniqueness: Uniqueness,
    /// Whether it refuses to create lines for a closed period; issuing is always refused.
    pub closed_period_refuses_create: bool,
    /// Whether it remembers `Idempotency-Key` headers and repeats the reply it gave.
    pub honours_idempotency_key: bool,
    /// Lines of one call at most.
    pub batch_lines_max: usize,
    /// Rows of one page at most.
    pub page_size_max: usize,
    /// Digits after the point of a quantity.
    pub quantity_decimals: u32,
    /// Digits after the point of a rate.
    pub rate_decimals: u32,
    /// Whether and how it cheats, for the auditor's own test.
    pub tamper: Option<Tamper>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            uniqueness: Uniqueness::UniqueKey,
            closed_period_refuses_create: true,
            honours_idempotency_key: false,
            batch_lines_max: 200,
            page_size_max: 200,
            quantity_decimals: 2,
            rate_decimals: 4,
            tamper: None,
        }
    }
}

/// A customer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Customer {
    /// The business's code.
    pub code: String,
    /// The name.
    pub name: String,
    /// Whether it is in use.
    pub active: bool,
    /// Whether finance has stopped billing it.
    pub on_hold: bool,
    /// Its currency.
    pub currency: Option<Currency>,
}

/// A project.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Project {
    /// The business's code.
    pub code: String,
    /// The name.
    pub name: String,
    /// The customer's id.
    pub customer_id: Option<String>,
    /// Whether it takes time.
    pub active: bool,
}

/// A task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Task {
    /// The project's id.
    pub project_id: String,
    /// The task's code in its project.
    pub code: String,
    /// The name.
    pub name: String,
    /// Whether it takes time.
    pub active: bool,
    /// Last day it takes time.
    pub closed_after: Option<Date>,
}

/// A person who works.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Worker {
    /// The business's code.
    pub code: String,
    /// The name.
    pub name: String,
    /// The role.
    pub role: String,
    /// First day of employment.
    pub from: Option<Date>,
    /// Last day of employment.
    pub until: Option<Date>,
    /// Whether the record is in use.
    pub active: bool,
}

/// What is sold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceItem {
    /// The business's code.
    pub code: String,
    /// The name.
    pub name: String,
    /// Whether it is sold.
    pub active: bool,
    /// Whether it has a revenue account.
    pub has_account: bool,
}

/// An accounting period.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Period {
    /// Its name.
    pub name: String,
    /// First day.
    pub first: Date,
    /// Last day.
    pub last: Date,
    /// Whether documents can be booked in it.
    pub open: bool,
}

/// The ERP's own price of an hour, for time that it invoices itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListPrice {
    /// The project's id.
    pub project_id: String,
    /// The worker's id; none for everybody.
    pub worker_id: Option<String>,
    /// The role; none for everybody.
    pub role: Option<String>,
    /// The rate.
    pub rate: Micro,
    /// Its currency.
    pub currency: Currency,
    /// First day.
    pub from: Date,
    /// First day it no longer holds.
    pub to: Option<Date>,
}

/// A document: a draft, or an issued invoice or credit note.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// The client's key; drafts that people make have none.
    pub key: Option<String>,
    /// The customer's id.
    pub customer_id: String,
    /// The currency.
    pub currency: Currency,
    /// The date it is for.
    pub document_date: Date,
    /// What people recognise it by.
    pub label: String,
    /// The state.
    pub state: DocumentState,
    /// The number, once issued.
    pub number: Option<String>,
}

/// A line of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The client's key; lines that people make have none.
    pub key: Option<String>,
    /// The document's id.
    pub document_id: u64,
    /// The printed quantity.
    pub quantity: Micro,
    /// Its unit.
    pub unit: Unit,
    /// The rate per unit.
    pub rate: Micro,
    /// The untaxed amount.
    pub amount: Money,
    /// The day of the work.
    pub work_date: Date,
    /// The service item's id.
    pub service_item_id: String,
    /// The task's id; none on a line that is no work of one task.
    pub task_id: Option<String>,
    /// The worker's id; none on a line that is no work of one person.
    pub worker_id: Option<String>,
    /// The text.
    pub description: String,
    /// The line that this one mirrors.
    pub credits_line_id: Option<u64>,
    /// The issued line by which this one is the difference.
    pub corrects_line_id: Option<u64>,
    /// The booked time that this line invoices.
    pub time_line_id: Option<u64>,
}

/// What booked time is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TimeKind {
    /// The ERP prices and invoices it.
    Timesheet,
    /// Cost; never invoiced.
    Cost,
}

/// Booked time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimeLine {
    /// The client's key.
    pub key: String,
    /// What it is for.
    pub kind: TimeKind,
    /// Recorded time as hours, to the hundredth.
    pub quantity: Micro,
    /// Recorded time in whole seconds.
    pub recorded_seconds: i64,
    /// The day of the work.
    pub work_date: Date,
    /// The day it counts for in the books.
    pub posting_date: Date,
    /// The service item's id.
    pub service_item_id: String,
    /// The task's id.
    pub task_id: String,
    /// The worker's id.
    pub worker_id: String,
    /// The text.
    pub description: String,
    /// The line that invoices it.
    pub invoiced_by: Option<u64>,
}

/// The ERP's whole state.
#[derive(Debug, Clone)]
pub struct Erp {
    /// The company's stable id.
    pub company_id: String,
    /// The company's name.
    pub company_name: String,
    /// How it is set up.
    pub settings: Settings,
    /// Customers by id.
    pub customers: BTreeMap<String, Customer>,
    /// Projects by id.
    pub projects: BTreeMap<String, Project>,
    /// Tasks by id.
    pub tasks: BTreeMap<String, Task>,
    /// Workers by id.
    pub workers: BTreeMap<String, Worker>,
    /// Service items by id.
    pub service_items: BTreeMap<String, ServiceItem>,
    /// Periods in order.
    pub periods: Vec<Period>,
    /// Its own prices.
    pub list_prices: Vec<ListPrice>,
    /// Documents by id.
    pub documents: BTreeMap<u64, Document>,
    /// Lines by id.
    pub lines: BTreeMap<u64, Line>,
    /// Booked time by id.
    pub time_lines: BTreeMap<u64, TimeLine>,
    /// What happened.
    pub effects: Vec<Effect>,
    pub(super) next_id: u64,
    pub(super) next_number: u64,
    pub(super) committed_lines: u64,
    pub(super) replies: BTreeMap<String, (Vec<u8>, WireReply)>,
}

impl Erp {
    /// An empty ERP.
    pub fn new(company_id: &str, company_name: &str) -> Self {
        Self {
            company_id: company_id.to_owned(),
            company_name: company_name.to_owned(),
            settings: Settings::default(),
            customers: BTreeMap::new(),
            projects: BTreeMap::new(),
            tasks: BTreeMap::new(),
            workers: BTreeMap::new(),
            service_items: BTreeMap::new(),
            periods: Vec::new(),
            list_prices: Vec::new(),
            documents: BTreeMap::new(),
            lines: BTreeMap::new(),
            time_lines: BTreeMap::new(),
            effects: Vec::new(),
            next_id: 1,
            next_number: 1,
            committed_lines: 0,
            replies: BTreeMap::new(),
        }
    }

    pub(super) fn new_id(&mut self) -> u64 {
        let id = self.next_id;
        self.next_id = id.saturating_add(1);
        id
    }

    pub(super) fn document_lines(&self, document_id: u64) -> impl Iterator<Item = (u64, &Line)> {
        self.lines
            .iter()
            .filter(move |(_, line)| line.document_id == document_id)
            .map(|(id, line)| (*id, line))
    }
}

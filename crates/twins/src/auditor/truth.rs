//! What the twins show under `/truth`, as far as a judgement needs it.

use crate::erp::{Customer, Period, Project, ServiceItem, Task, TimeKind, Worker};
use crate::tracker;
use domain::currency::Currency;
use domain::decimal::Micro;
use domain::posting::DocumentState;
use jiff::civil::Date;
use serde::Deserialize;
use std::collections::BTreeMap;

/// An entry as people see it, or as a change remembers it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct Work {
    #[serde(default)]
    pub(super) id: String,
    pub(super) user_id: String,
    pub(super) project_id: String,
    pub(super) task_id: Option<String>,
    pub(super) activity_id: String,
    pub(super) date: String,
    pub(super) hours: String,
    pub(super) approved_by: Option<String>,
    pub(super) billable: bool,
    pub(super) billing_status: Option<String>,
    pub(super) erp_reference: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Gone {
    pub(super) entry: Work,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Change {
    pub(super) at_us: i64,
    pub(super) what: String,
    pub(super) id: String,
    pub(super) before: Option<Work>,
    pub(super) after: Option<Work>,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Breach {
    pub(super) at_us: i64,
    pub(super) kind: String,
    pub(super) request: String,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Tracker {
    pub(super) entries: Vec<Work>,
    pub(super) deleted: Vec<Gone>,
    pub(super) changes: Vec<Change>,
    pub(super) users: BTreeMap<String, tracker::User>,
    pub(super) projects: BTreeMap<String, tracker::Project>,
    pub(super) tasks: BTreeMap<String, tracker::Task>,
    pub(super) breaches: Vec<Breach>,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct DocumentLine {
    pub(super) id: String,
    pub(super) key: Option<String>,
    pub(super) document_state: DocumentState,
    pub(super) document_number: Option<String>,
    pub(super) customer_id: Option<String>,
    pub(super) quantity: Micro,
    pub(super) rate: Micro,
    pub(super) amount: String,
    pub(super) currency: Currency,
    pub(super) work_date: Date,
    pub(super) service_item_id: String,
    pub(super) task_id: Option<String>,
    pub(super) worker_id: Option<String>,
    pub(super) credits_line_id: Option<String>,
    pub(super) time_line_id: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct TimeLine {
    pub(super) id: String,
    pub(super) key: String,
    pub(super) kind: TimeKind,
    pub(super) recorded_seconds: i64,
    pub(super) work_date: Date,
    pub(super) service_item_id: String,
    pub(super) task_id: String,
    pub(super) worker_id: String,
    pub(super) document_state: DocumentState,
    pub(super) document_number: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Happened {
    pub(super) at_us: i64,
    pub(super) actor: String,
    pub(super) what: String,
    pub(super) of: String,
    pub(super) id: String,
    pub(super) key: Option<String>,
    pub(super) quantity: Option<Micro>,
    pub(super) rate: Option<Micro>,
    pub(super) amount: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Erp {
    pub(super) lines: Vec<DocumentLine>,
    pub(super) time_lines: Vec<TimeLine>,
    pub(super) effects: Vec<Happened>,
    pub(super) periods: Vec<Period>,
    pub(super) customers: BTreeMap<String, Customer>,
    pub(super) workers: BTreeMap<String, Worker>,
    pub(super) projects: BTreeMap<String, Project>,
    pub(super) tasks: BTreeMap<String, Task>,
    pub(super) service_items: BTreeMap<String, ServiceItem>,
    pub(super) breaches: Vec<Breach>,
}

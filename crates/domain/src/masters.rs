//! Master data as the systems of record hold it: who can be billed, for what, by whom, and when.
//! Codes are the business's own names; `erp_ref` is what the target's connector calls the record.

use crate::currency::Currency;
use crate::period::Period;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A customer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Customer {
    /// The business's code.
    pub code: String,
    /// Its name.
    pub name: String,
    /// The target's id.
    pub erp_ref: String,
    /// Whether the ERP still uses it.
    pub active: bool,
    /// Whether finance has stopped billing it.
    pub on_hold: bool,
    /// The currency the ERP has for it, if any.
    pub currency: Option<Currency>,
}

/// A project.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Project {
    /// The business's code.
    pub code: String,
    /// Its name.
    pub name: String,
    /// The target's id.
    pub erp_ref: String,
    /// The customer's code, where the ERP knows it.
    pub customer: Option<String>,
    /// Whether it takes time.
    pub active: bool,
}

/// A task of a project.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Task {
    /// The project's code.
    pub project: String,
    /// The task's code, unique in its project.
    pub code: String,
    /// Its name.
    pub name: String,
    /// The target's id (where time is booked).
    pub erp_ref: String,
    /// Whether it takes time.
    pub active: bool,
    /// Last day it takes time, if it was closed.
    pub closed_after: Option<Date>,
}

/// A person who works.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Worker {
    /// The business's code.
    pub code: String,
    /// The name.
    pub name: String,
    /// The target's id.
    pub erp_ref: String,
    /// The role, for rates.
    pub role: String,
    /// First day of employment, where known.
    pub from: Option<Date>,
    /// Last day of employment, where it has ended.
    pub until: Option<Date>,
    /// Whether the ERP still uses the record.
    pub active: bool,
}

/// What is sold: the product of an invoice line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceItem {
    /// The business's code.
    pub code: String,
    /// Its name.
    pub name: String,
    /// The target's id.
    pub erp_ref: String,
    /// Whether the ERP still sells it.
    pub active: bool,
}

/// All masters of one target, read in one pass. Maps are by code; tasks by (project, task).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
pub struct Masters {
    /// Customers by code.
    pub customers: BTreeMap<String, Customer>,
    /// Projects by code.
    pub projects: BTreeMap<String, Project>,
    /// Tasks, ordered by project and code.
    pub tasks: Vec<Task>,
    /// Workers by code.
    pub workers: BTreeMap<String, Worker>,
    /// Service items by code.
    pub service_items: BTreeMap<String, ServiceItem>,
    /// Accounting periods, in order.
    pub periods: Vec<Period>,
}

impl Masters {
    /// A task by project and code.
    pub fn task(&self, project: &str, code: &str) -> Option<&Task> {
        self.tasks
            .iter()
            .find(|task| task.project == project && task.code == code)
    }
}

/// What the source says about its own projects, tasks and people: the source's ids and the ERP
/// codes that people entered there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
pub struct SourceMasters {
    /// Project code by the source's project id.
    pub project_codes: BTreeMap<String, String>,
    /// Customer code by the source's project id, where the source knows it.
    #[serde(default)]
    pub project_customers: BTreeMap<String, String>,
    /// Task code by the source's task id.
    pub task_codes: BTreeMap<String, String>,
    /// Worker code by the source's user id.
    pub worker_codes: BTreeMap<String, String>,
    /// Names by the source's id, for messages: `project:9`, `task:18`, `worker:8`.
    pub names: BTreeMap<String, String>,
    /// The tasks and projects that are closed there, written as in `names`.
    pub closed: Vec<String>,
}

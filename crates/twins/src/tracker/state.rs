//! What the tracker holds.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A person who records time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    /// The name.
    pub name: String,
    /// The ERP's code of the person, where somebody entered it.
    pub employee_code: Option<String>,
    /// Whether the account is in use.
    pub active: bool,
}

/// A project that takes time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Project {
    /// The name.
    pub name: String,
    /// The ERP's code of the project, where somebody entered it.
    pub erp_code: Option<String>,
    /// Whether the tracker closed it.
    pub closed: bool,
}

/// A task of a project.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Task {
    /// The tracker's id of the project.
    pub project_id: String,
    /// The name.
    pub name: String,
    /// The ERP's code of the task, where somebody entered it.
    pub erp_code: Option<String>,
    /// Whether the tracker closed it.
    pub closed: bool,
}

/// A time entry. Hours and date are text, since people and imports enter anything.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The person.
    pub user_id: String,
    /// The project.
    pub project_id: String,
    /// The task, if one was chosen.
    pub task_id: Option<String>,
    /// The kind of work.
    pub activity_id: String,
    /// The day, as `2026-10-31`.
    pub date: String,
    /// The hours, with two decimals.
    pub hours: String,
    /// What the person wrote.
    pub narrative: String,
    /// Who approved it, if anybody.
    pub approved_by: Option<String>,
    /// When it was approved.
    pub approved_at_us: Option<i64>,
    /// Whether the client pays.
    pub billable: bool,
    /// The billing status that was written back.
    pub billing_status: Option<String>,
    /// The ERP reference that was written back.
    pub erp_reference: Option<String>,
    /// When it last changed.
    pub updated_at_us: i64,
}

impl Entry {
    /// The same work, approval and text; what was written back is left out.
    pub(crate) fn same_content(&self, other: &Self) -> bool {
        let bare = |entry: &Self| Self {
            billing_status: None,
            erp_reference: None,
            updated_at_us: 0,
            ..entry.clone()
        };
        bare(self) == bare(other)
    }
}

/// An entry that is gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deleted {
    /// When it was deleted.
    pub at_us: i64,
    /// Its id.
    pub id: u64,
    /// What it was.
    pub entry: Entry,
}

/// Something that happened to an entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    /// When.
    pub at_us: i64,
    /// The entry.
    pub id: String,
    /// `add`, `edit`, `edit_back`, `approve`, `unapprove`, `delete` by people; `billing` by the
    /// product.
    pub what: &'static str,
    /// The entry before; nothing for an addition.
    pub before: Option<Entry>,
    /// The entry after; nothing for a deletion.
    pub after: Option<Entry>,
}

/// The tracker's whole state.
#[derive(Debug, Clone)]
pub struct Tracker {
    /// Its stable id.
    pub id: String,
    /// The name of the installation.
    pub name: String,
    /// Rows of one page at most.
    pub page_size_max: usize,
    /// People by id.
    pub users: BTreeMap<String, User>,
    /// Projects by id.
    pub projects: BTreeMap<String, Project>,
    /// Tasks by id.
    pub tasks: BTreeMap<String, Task>,
    /// Kinds of work: name by id.
    pub activities: BTreeMap<String, String>,
    /// Entries by id.
    pub entries: BTreeMap<u64, Entry>,
    /// Entries that are gone.
    pub deleted: Vec<Deleted>,
    /// What happened.
    pub changes: Vec<Change>,
    /// The version of the collection of entries: what people change moves it, what the product
    /// writes back does not.
    pub version: u64,
    /// The next id.
    pub next_id: u64,
}

impl Tracker {
    /// An empty tracker.
    pub fn new(id: &str, name: &str) -> Self {
        Self {
            id: id.to_owned(),
            name: name.to_owned(),
            page_size_max: 100,
            users: BTreeMap::new(),
            projects: BTreeMap::new(),
            tasks: BTreeMap::new(),
            activities: BTreeMap::new(),
            entries: BTreeMap::new(),
            deleted: Vec::new(),
            changes: Vec::new(),
            version: 1,
            next_id: 1,
        }
    }

    /// Take an entry up as part of the initial state: no change is recorded.
    pub fn seed_entry(&mut self, entry: Entry) -> u64 {
        let id = self.next_id;
        self.next_id = id.saturating_add(1);
        self.entries.insert(id, entry);
        id
    }

    pub(super) fn record(
        &mut self,
        at_us: i64,
        id: u64,
        what: &'static str,
        before: Option<Entry>,
        after: Option<Entry>,
    ) {
        if what != "billing" {
            self.version = self.version.saturating_add(1);
        }
        self.changes.push(Change {
            at_us,
            id: id.to_string(),
            what,
            before,
            after,
        });
    }
}

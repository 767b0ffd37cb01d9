//! The roles of a tracker.

use crate::call::CallError;
use crate::check::CheckLine;
use crate::manifest::Manifest;
use async_trait::async_trait;
use domain::entry::{SourceEntry, UnreadableEntry};
use domain::masters::{Masters, SourceMasters};
use domain::status::BillingStatus;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// Days, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DateWindow {
    /// The first day.
    pub from: Date,
    /// The last day.
    pub to: Date,
}

impl DateWindow {
    /// Whether a day lies in it.
    pub fn holds(&self, day: Date) -> bool {
        self.from <= day && day <= self.to
    }
}

/// Everything a source holds in a window, each id once, seen in one consistent pass: an id that
/// is not in it does not exist in the window.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Scan {
    /// What could be read.
    pub entries: Vec<SourceEntry>,
    /// What could not.
    pub unreadable: Vec<UnreadableEntry>,
}

/// One entry asked for by id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fetched {
    /// It is there.
    Present(Box<SourceEntry>),
    /// It is there and cannot be read.
    Unreadable(Box<UnreadableEntry>),
    /// It does not exist any more.
    Gone,
}

/// Where approved time comes from.
#[async_trait]
pub trait TimeSource: Send + Sync {
    /// Its capabilities.
    fn manifest(&self) -> &Manifest;

    /// Look at the connection the way real work will use it; change nothing.
    async fn check(&self) -> Vec<CheckLine>;

    /// Everything in a window.
    ///
    /// The connector checks on its side that every row answers what was asked, and reads again
    /// when the rows moved under its feet.
    async fn scan(&self, window: DateWindow) -> Result<Scan, CallError>;

    /// One entry by id.
    async fn fetch(&self, source_ref: &str) -> Result<Fetched, CallError>;

    /// The source's own projects, tasks and people, with the ERP codes that people entered there.
    async fn masters(&self) -> Result<SourceMasters, CallError>;
}

/// What a source is to show about one entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WriteBack {
    /// The entry.
    pub source_ref: String,
    /// Its billing status.
    pub status: BillingStatus,
    /// The ERP's reference, an exception's code, or nothing.
    pub reference: String,
}

/// A source that can show billing status.
#[async_trait]
pub trait Feedback: Send + Sync {
    /// Show it. Writing the same again is harmless; it makes no revision.
    /// An entry that no longer exists answers `Ok(false)`.
    async fn write_back(&self, update: &WriteBack) -> Result<bool, CallError>;
}

/// What publishing masters came to.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Published {
    /// Records made, in words.
    pub created: Vec<String>,
    /// Records changed, in words.
    pub changed: Vec<String>,
    /// Records closed, in words.
    pub closed: Vec<String>,
    /// What could not be done and why.
    pub refused: Vec<String>,
    /// What the source cannot enforce, so that it is detected instead.
    pub not_enforced: Vec<String>,
}

/// A source that people may only book on what the ERP knows.
#[async_trait]
pub trait MasterWriter: Send + Sync {
    /// Make the source offer what the masters hold as active, and nothing more. With `dry_run`
    /// only say what would be done. Idempotent: a second run does nothing.
    async fn publish(&self, masters: &Masters, dry_run: bool) -> Result<Published, CallError>;
}

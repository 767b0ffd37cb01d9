//! `audit verify`: reads the whole ledger and names what was not written by it.
//!
//! Every change of a row left a leaf with a keyed digest of the row in the block of its
//! transaction, and every block is chained to the one before. So a changed, added or missing row
//! disagrees with its leaf, a changed block with its digest, a missing tail with the writer's head,
//! and a changed file structure with the database's own check. It never repairs anything.
//!
//! What it cannot see by itself: a ledger set back as a whole to an earlier state of its own, or
//! one rewritten by somebody who has the seal key. Checkpoints kept outside are for that.

mod chain;
mod file;
mod rows;

use std::path::Path;

use crate::error::StoreError;
use crate::options::StoreOptions;
use crate::store::Store;
use crate::tx::ReadTx;

/// One thing that is not as the ledger wrote it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The table; `database` for the file itself.
    pub table: String,
    /// The row, as far as it can be named.
    pub key: String,
    /// What is wrong.
    pub what: String,
}

/// What was looked at.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Checked {
    /// Writer sessions.
    pub writers: u64,
    /// Blocks.
    pub blocks: u64,
    /// Audit leaves.
    pub leaves: u64,
    /// Sealed texts, living and shredded.
    pub texts: u64,
    /// Audited rows.
    pub rows: u64,
    /// Counters.
    pub counters: u64,
}

/// The outcome of a verification.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// What was looked at.
    pub checked: Checked,
    /// What is wrong, at most [`PROBLEMS_MAX`]; empty means that everything agrees.
    pub problems: Vec<Problem>,
}

/// More problems than this say nothing new.
pub const PROBLEMS_MAX: usize = 1_000;

impl Report {
    fn add(&mut self, table: &str, key: impl Into<String>, what: impl Into<String>) {
        if self.problems.len() < PROBLEMS_MAX {
            let (key, what) = (key.into(), what.into());
            self.problems.push(Problem {
                table: table.to_owned(),
                key,
                what,
            });
        }
    }

    /// Takes a failure to read on as a problem of `table`.
    fn add_failure(&mut self, table: &str, outcome: Result<(), StoreError>) {
        if let Err(error) = outcome {
            self.add(table, "", format!("cannot be read to its end: {error}"));
        }
    }
}

/// Verifies an open ledger, on one consistent view of it.
pub async fn verify(store: &Store) -> Result<Report, StoreError> {
    store.read(|tx| Ok(verify_view(tx))).await
}

/// Verifies a SQLite ledger that may be too damaged to open: then that is the problem named.
pub async fn verify_file(path: impl AsRef<Path>, options: StoreOptions) -> Report {
    let path = path.as_ref();
    let verified = match Store::open_read_only(path, options) {
        Ok(store) => verify(&store).await,
        Err(error) => Err(error),
    };
    verified.unwrap_or_else(|error| {
        let mut report = Report::default();
        let table = match &error {
            StoreError::Inconsistent { table, .. } => table.clone(),
            StoreError::Seal(_) => "setting".to_owned(),
            StoreError::Migration(_) => "schema_migration".to_owned(),
            _ => "database".to_owned(),
        };
        report.add(&table, "", format!("the ledger does not open: {error}"));
        report
    })
}

pub(crate) fn verify_view(tx: &mut ReadTx<'_>) -> Report {
    let mut report = Report::default();
    file::check(tx, &mut report);
    // A ledger with more rows than memory should hold is read in several parts.
    let mut parts = 1;
    while !check_part(tx, 0, parts, &mut report) {
        parts *= 2;
    }
    for part in 1..parts {
        check_part(tx, part, parts, &mut report);
    }
    report
}

/// Checks the rows whose keys fall into `part`; the first part also checks everything else. `false`
/// when there are too many, with nothing added to the report.
fn check_part(tx: &mut ReadTx<'_>, part: u64, parts: u64, report: &mut Report) -> bool {
    let before = (report.checked, report.problems.len());
    let Some(mut found) = chain::read(tx, part, parts, report) else {
        report.checked = before.0;
        report.problems.truncate(before.1);
        return false;
    };
    rows::check(tx, &mut found, report);
    if part == 0 {
        chain::check_heads(tx, &found, report);
        rows::check_counters(tx, &found, report);
        rows::check_documents(tx, report);
    }
    true
}

//! What can go wrong in the store. "Not found" is never here: it is an `Option`.
//!
//! Every message says what happened and, where a person can act, what to do.

use std::path::PathBuf;

/// A failure of the store itself, never a business decision.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The database refused or broke off while `doing`.
    #[error("database error while running {doing}: {source}")]
    Database {
        /// The statement or step.
        doing: String,
        /// Whether the same work may succeed when done again (lost race, lost connection).
        again: bool,
        /// What the driver said.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A guarded change found the row in another state than expected, or absent.
    #[error(
        "{table} {key} is not in the expected state (expected version {expected}): read it again and decide anew"
    )]
    Conflict {
        /// The table.
        table: &'static str,
        /// The row.
        key: String,
        /// The version the caller had read.
        expected: i64,
    },
    /// A row with this key exists already.
    #[error("{table} {key} exists already")]
    Duplicate {
        /// The table.
        table: &'static str,
        /// The row.
        key: String,
    },
    /// What the database holds contradicts what it must hold.
    #[error("inconsistent {table} {key}: {what}; run `counterfoil audit verify`")]
    Inconsistent {
        /// The table or statement.
        table: String,
        /// The row, as far as known.
        key: String,
        /// The contradiction.
        what: String,
    },
    /// This writer session was fenced: another process took over.
    #[error(
        "writer {writer_no} was fenced: another process has taken over this ledger; stop this one"
    )]
    Fenced {
        /// The session.
        writer_no: i64,
    },
    /// The connection broke while committing and could not be asked what became of it.
    #[error(
        "it is unclear whether the commit was kept: {0}; the command may be sent again, it is idempotent"
    )]
    Unclear(String),
    /// The ledger was opened for reading.
    #[error("this ledger is open for reading only: write through the running process")]
    ReadOnly,
    /// The store is closed or closing.
    #[error("the store is closed")]
    Closed,
    /// Another process holds the data folder.
    #[error("{path} is in use by process {holder}: stop it, or open the ledger read-only")]
    Locked {
        /// The lock file.
        path: PathBuf,
        /// The process id written in it, as text.
        holder: String,
    },
    /// The schema is not one this program can work with.
    #[error("{0}")]
    Migration(String),
    /// The ledger belongs to other secrets or another ledger id.
    #[error("{0}")]
    Seal(String),
    /// A file could not be handled.
    #[error("{doing} {path}: {source}")]
    File {
        /// What was tried.
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// The reason.
        source: std::io::Error,
    },
    /// Code of a command or reader panicked; nothing of it was kept.
    #[error("{name} panicked: {message}; nothing of it was kept, report this as a defect")]
    Panicked {
        /// The command.
        name: &'static str,
        /// The message of the panic.
        message: String,
    },
    /// A defect in this program: an unknown statement, a number out of range.
    #[error("defect in the store: {0}")]
    Defect(String),
}

impl StoreError {
    /// Whether doing the whole command again may succeed.
    pub fn again(&self) -> bool {
        matches!(
            self,
            Self::Database { again: true, .. } | Self::Conflict { .. } | Self::Duplicate { .. }
        )
    }

    pub(crate) fn sqlite(doing: &str, source: rusqlite::Error) -> Self {
        let again = matches!(
            source.sqlite_error_code(),
            Some(rusqlite::ErrorCode::DatabaseBusy | rusqlite::ErrorCode::DatabaseLocked)
        );
        Self::Database {
            doing: doing.to_owned(),
            again,
            source: Box::new(source),
        }
    }

    pub(crate) fn inconsistent(table: &str, key: &str, what: impl Into<String>) -> Self {
        Self::Inconsistent {
            table: table.to_owned(),
            key: key.to_owned(),
            what: what.into(),
        }
    }

    pub(crate) fn defect(what: impl Into<String>) -> Self {
        Self::Defect(what.into())
    }
}

/// How a command ends without its result.
#[derive(Debug)]
pub enum Abort<R> {
    /// A business decision: nothing of the command is kept, and the caller is told why.
    Rejected(R),
    /// The store failed.
    Store(StoreError),
}

impl<R> From<StoreError> for Abort<R> {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// What the caller of [`Store::write`](crate::Store::write) is told when the command did not apply.
#[derive(Debug, thiserror::Error)]
pub enum WriteError<R> {
    /// The command's own rejection.
    #[error("the command was rejected")]
    Rejected(R),
    /// The store failed; the command left no trace.
    #[error(transparent)]
    Store(StoreError),
}

//! SQLite connections and their settings.

use std::path::Path;
use std::sync::{Mutex, OnceLock, PoisonError};

use rusqlite::backup::Backup;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use crate::backend::Backend;
use crate::error::StoreError;
use crate::migrate;
use crate::postgres::PgConnection;
use crate::sql::Dialect;

/// Enough for every named statement.
const STATEMENT_CACHE: usize = 256;
/// `COUF` in ASCII, so that `file` and a person can tell what the file is.
pub(crate) const APPLICATION_ID: i64 = 0x434f_5546;

/// A connection that a thread owns.
pub(crate) enum Any {
    Sqlite(Connection),
    Postgres(Box<PgConnection>),
}

impl Any {
    pub(crate) fn backend(&mut self) -> Backend<'_> {
        match self {
            Self::Sqlite(connection) => Backend::Sqlite(connection),
            Self::Postgres(connection) => Backend::Postgres(connection),
        }
    }
}

/// How a reader's transaction begins: one view for all its statements.
pub(crate) fn begin_read(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Sqlite => "BEGIN DEFERRED",
        Dialect::Postgres => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
    }
}

fn settle(connection: &Connection, pragmas: &str) -> Result<(), StoreError> {
    connection.set_prepared_statement_cache_capacity(STATEMENT_CACHE);
    // Plans do not depend on the values bound, or SQLite would parse a statement anew whenever
    // one of them changes.
    connection
        .set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)
        .map_err(|source| StoreError::sqlite("settling the connection", source))?;
    connection
        .execute_batch(
            "PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON;
             PRAGMA temp_store = MEMORY; PRAGMA busy_timeout = 10000;",
        )
        .and_then(|()| connection.execute_batch(pragmas))
        .map_err(|source| StoreError::sqlite("setting up the connection", source))
}

/// The writing connection of a ledger file.
pub(crate) fn open_file(path: &Path) -> Result<Connection, StoreError> {
    let connection = Connection::open(path)
        .map_err(|source| StoreError::sqlite("opening the ledger", source))?;
    settle(
        &connection,
        &format!(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -65536;
             PRAGMA application_id = {APPLICATION_ID};"
        ),
    )?;
    Ok(connection)
}

/// Reading connections of an existing ledger file.
pub(crate) fn open_readers(path: &Path, count: usize) -> Result<Vec<Any>, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    (0..count.max(1))
        .map(|_| {
            let connection = Connection::open_with_flags(path, flags)
                .map_err(|source| StoreError::sqlite("opening the ledger for reading", source))?;
            settle(
                &connection,
                "PRAGMA query_only = ON; PRAGMA cache_size = -16384;",
            )?;
            Ok(Any::Sqlite(connection))
        })
        .collect()
}

/// A migrated database in memory, copied from a template made once per process.
pub(crate) fn open_memory() -> Result<Connection, StoreError> {
    static TEMPLATE: OnceLock<Mutex<Option<Connection>>> = OnceLock::new();
    let failed = |source| StoreError::sqlite("opening a ledger in memory", source);
    let template = TEMPLATE.get_or_init(|| Mutex::new(None));
    let mut template = template.lock().unwrap_or_else(PoisonError::into_inner);
    if template.is_none() {
        let fresh = Connection::open_in_memory().map_err(failed)?;
        migrate::migrate(&mut Backend::Sqlite(&fresh))?;
        *template = Some(fresh);
    }
    template
        .as_ref()
        .ok_or_else(|| StoreError::defect("a template that was just made is gone"))
        .and_then(copy_memory)
}

/// Another database in memory with the content of `source`.
pub(crate) fn copy_memory(source: &Connection) -> Result<Connection, StoreError> {
    let failed = |source| StoreError::sqlite("copying a ledger in memory", source);
    let mut connection = Connection::open_in_memory().map_err(failed)?;
    Backup::new(source, &mut connection)
        .and_then(|copy| copy.step(-1))
        .map_err(failed)?;
    settle(&connection, "PRAGMA synchronous = OFF;")?;
    Ok(connection)
}

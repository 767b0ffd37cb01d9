//! The SQLite file itself: its structure, its schema, its header.

use crate::audit::Report;
use crate::backend::Backend;
use crate::error::StoreError;
use crate::migrate;
use crate::sqlite;
use crate::tx::ReadTx;

/// Findings of SQLite's own check that are listed.
const FINDINGS_MAX: usize = 100;

/// Asks the database about itself. PostgreSQL has checksums and tools of its own for this.
pub(super) fn check(tx: &mut ReadTx<'_>, report: &mut Report) {
    let dialect = tx.backend.dialect();
    let applied = migrate::applied(&mut tx.backend).and_then(|applied| {
        migrate::check(&applied, dialect)?;
        if applied.len() == migrate::MIGRATIONS.len() {
            return Ok(());
        }
        Err(StoreError::Migration(
            "a migration is missing: run `counterfoil migrate`".to_owned(),
        ))
    });
    if let Err(error) = applied {
        report.add("schema_migration", "", error.to_string());
    }
    if let Backend::Sqlite(connection) = &tx.backend {
        for check in [check_structure, check_schema, check_header] {
            if let Err(error) = check(connection, report) {
                report.add("database", "", error.to_string());
            }
        }
    }
}

fn check_structure(
    connection: &rusqlite::Connection,
    report: &mut Report,
) -> Result<(), StoreError> {
    let failed = |source| StoreError::sqlite("integrity_check", source);
    let text = format!("PRAGMA integrity_check({FINDINGS_MAX})");
    let mut statement = connection.prepare(&text).map_err(failed)?;
    let mut rows = statement.query([]).map_err(failed)?;
    while let Some(row) = rows.next().map_err(failed)? {
        let finding: String = row.get(0).map_err(failed)?;
        if finding != "ok" {
            report.add("database", "", finding);
        }
    }
    Ok(())
}

type Declared = Vec<(String, String, Option<String>)>;

fn declared(connection: &rusqlite::Connection) -> rusqlite::Result<Declared> {
    let text = "SELECT type || ' ' || name, tbl_name, sql FROM sqlite_schema ORDER BY 1";
    let mut statement = connection.prepare(text)?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    rows.collect()
}

fn check_schema(connection: &rusqlite::Connection, report: &mut Report) -> Result<(), StoreError> {
    let failed = |source| StoreError::sqlite("reading the schema", source);
    let wanted = declared(&sqlite::open_memory()?).map_err(failed)?;
    let found = declared(connection).map_err(failed)?;
    for entry in &wanted {
        if !found.contains(entry) {
            report.add(
                "sqlite_schema",
                &entry.0,
                "is missing or declared otherwise",
            );
        }
    }
    for entry in found {
        if !wanted.contains(&entry) {
            report.add(
                "sqlite_schema",
                entry.0,
                "is not declared like this by any migration",
            );
        }
    }
    Ok(())
}

fn check_header(connection: &rusqlite::Connection, report: &mut Report) -> Result<(), StoreError> {
    let wanted = [
        ("application_id", sqlite::APPLICATION_ID),
        ("user_version", 0),
    ];
    for (name, wanted) in wanted {
        let found: i64 = connection
            .pragma_query_value(None, name, |row| row.get(0))
            .map_err(|source| StoreError::sqlite(name, source))?;
        // A ledger in memory carries no mark.
        if found != wanted && connection.path().is_some_and(|path| !path.is_empty()) {
            report.add(
                "database",
                name,
                format!("is {found} in the file header, not {wanted}"),
            );
        }
    }
    Ok(())
}

//! A ledger in a file moves into a PostgreSQL database: for a firm that grows.
//!
//! The file is marked as moved before anything is copied, and from then on nobody writes to it: at no
//! time do both post. The copy is one transaction, in which rows are counted and every chain is
//! verified; a copy that was killed left nothing there and is made again.

use std::path::Path;

use rusqlite::Connection;
use rusqlite::types::ValueRef;

use crate::audit;
use crate::backend::Backend;
use crate::error::StoreError;
use crate::lock::DataLock;
use crate::migrate;
use crate::options::StoreOptions;
use crate::postgres::{Column, PgConnection, is_no_table, postgres_in_words};
use crate::session::{self, Opening};
use crate::sqlite;
use crate::store::elsewhere;
use crate::tables::settings;
use crate::tx::ReadTx;

/// The setting that says where a ledger in a file went.
pub(crate) const MOVED_TO: &str = "moved_to";
/// Rows that go over at once.
const ROWS: usize = 5_000;
/// Tables that say nothing about the past: the schema's own, and who works just now.
const LEFT_OUT: [&str; 2] = ["schema_migration", "lease"];

/// What was copied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Copied {
    /// Tables and their rows.
    pub tables: Vec<(String, u64)>,
    /// Where they are now, for people.
    pub to: String,
}

/// Moves the ledger at `path` to the database. `told` hears of each table.
pub fn sqlite_to_postgres(
    path: &Path,
    url: &str,
    options: StoreOptions,
    told: impl Fn(&str, u64) + Send + 'static,
) -> Result<Copied, StoreError> {
    let lock = DataLock::take(path)?;
    let to = postgres_in_words(url).ok_or_else(|| {
        StoreError::Migration("this is no address of a PostgreSQL database".into())
    })?;
    let (path, url) = (path.to_owned(), url.to_owned());
    let copied = elsewhere(move || move_over(&path, &url, &options, to, &told));
    drop(lock);
    copied
}

/// Takes a file into use again whose copy did not come to its end. Refused if the database holds a
/// ledger: then two would post.
pub fn give_up(path: &Path, url: &str, options: StoreOptions) -> Result<(), StoreError> {
    let lock = DataLock::take(path)?;
    let (path, url) = (path.to_owned(), url.to_owned());
    let done = elsewhere(move || {
        let mut there = PgConnection::connect(&url)?;
        if holds_a_ledger(&mut there)? {
            return Err(StoreError::Migration(
                "the database holds a ledger, so the copy came to its end: work with that one"
                    .into(),
            ));
        }
        let here = sqlite::open_file(&path)?;
        mark(&here, &options, "")
    });
    drop(lock);
    done
}

/// Refuses a file whose ledger went elsewhere.
pub(crate) fn refuse_moved(connection: &Connection) -> Result<(), StoreError> {
    let mut moved = None;
    let mut backend = Backend::Sqlite(connection);
    backend.stream("setting_get", &[MOVED_TO.into()], &mut |mut row| {
        row.text()?;
        moved = Some(row.text()?).filter(|to| !to.is_empty());
        Ok(())
    })?;
    match moved {
        None => Ok(()),
        Some(to) => Err(StoreError::Migration(format!(
            "this ledger was moved to the {to}: name that one in the configuration ([store] postgres); if \
             the copy did not come to its end, run `counterfoil migrate copy` again, or with --give-up"
        ))),
    }
}

/// Says of a file that its ledger went elsewhere, as the copy does before it begins.
pub fn mark_moved(path: &Path, to: &str, options: &StoreOptions) -> Result<(), StoreError> {
    let lock = DataLock::take(path)?;
    let marked = mark(&sqlite::open_file(path)?, options, to);
    drop(lock);
    marked
}

/// Ends all sessions of the file and says where its ledger goes.
fn mark(here: &Connection, options: &StoreOptions, to: &str) -> Result<(), StoreError> {
    let mut backend = Backend::Sqlite(here);
    let wakes = std::sync::Arc::default();
    let mut writer = session::open_writer(&mut backend, options, &wakes, Opening::Alone)?;
    writer.first_transaction(&mut backend, |tx| {
        settings::put(tx, MOVED_TO, to, "moved to another database")
    })
}

fn holds_a_ledger(there: &mut PgConnection) -> Result<bool, StoreError> {
    let mut found = false;
    let asked = there.stream("writer_last", &[], &mut |_| {
        found = true;
        Ok(())
    });
    match asked {
        Err(error) if is_no_table(&error) => Ok(false),
        asked => asked.map(|()| found),
    }
}

fn move_over(
    path: &Path,
    url: &str,
    options: &StoreOptions,
    to: String,
    told: &dyn Fn(&str, u64),
) -> Result<Copied, StoreError> {
    let mut there = PgConnection::connect(url)?;
    if holds_a_ledger(&mut there)? {
        return Err(StoreError::Migration(format!(
            "the {to} holds a ledger already: if a copy to it was broken off, it had come to its end, and \
             the file is not used any more; else name an empty database"
        )));
    }
    migrate::migrate(&mut Backend::Postgres(&mut there))?;
    let here = sqlite::open_file(path)?;
    migrate::migrate(&mut Backend::Sqlite(&here))?;
    mark(&here, options, &to)?;
    there.control("BEGIN")?;
    let copied = copy_all(&here, &mut there, options, told);
    match copied {
        Ok(tables) => {
            // An unclear end leaves the file marked: `copy` again finds out what became of it.
            there.control("COMMIT")?;
            Ok(Copied { tables, to })
        }
        Err(error) => {
            // Nothing is there, so the file may go on.
            if there.alive() {
                there.control("ROLLBACK")?;
            }
            mark(&here, options, "")?;
            Err(error)
        }
    }
}

fn copy_all(
    here: &Connection,
    there: &mut PgConnection,
    options: &StoreOptions,
    told: &dyn Fn(&str, u64),
) -> Result<Vec<(String, u64)>, StoreError> {
    let mut tables = Vec::new();
    for table in tables_of(here)? {
        let rows = copy_table(here, there, &table)?;
        let arrived = there.count(&table)?;
        if arrived != rows {
            let what = format!("{rows} rows went and {arrived} arrived");
            return Err(StoreError::inconsistent(&table, "", what));
        }
        told(&table, rows);
        tables.push((table, rows));
    }
    let mut backend = Backend::Postgres(there);
    let vault = session::open_vault(&mut backend, options)?
        .ok_or_else(|| StoreError::inconsistent("setting", "", "the identity did not arrive"))?;
    let report = audit::verify_view(&mut ReadTx::new(backend, &vault));
    match report.problems.first() {
        None => Ok(tables),
        Some(problem) => {
            let what = format!("the copy does not pass its audit: {}", problem.what);
            Err(StoreError::inconsistent(&problem.table, &problem.key, what))
        }
    }
}

fn tables_of(here: &Connection) -> Result<Vec<String>, StoreError> {
    let failed = |source| StoreError::sqlite("listing tables", source);
    let text = "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name";
    let mut statement = here.prepare(text).map_err(failed)?;
    let names = statement
        .query_map([], |row| row.get::<_, String>(0))
        .map_err(failed)?;
    let mut tables = Vec::new();
    for name in names {
        let name = name.map_err(failed)?;
        if !LEFT_OUT.contains(&name.as_str()) && !name.starts_with("sqlite_") {
            tables.push(name);
        }
    }
    Ok(tables)
}

/// Names and kinds of a table's columns, in order.
fn columns_of(here: &Connection, table: &str) -> Result<Vec<(String, Column)>, StoreError> {
    let failed = |source| StoreError::sqlite("listing columns", source);
    let text = "SELECT name, type FROM pragma_table_info(?1) ORDER BY cid";
    let mut statement = here.prepare(text).map_err(failed)?;
    let mut rows = statement.query([table]).map_err(failed)?;
    let mut columns = Vec::new();
    while let Some(row) = rows.next().map_err(failed)? {
        let name: String = row.get(0).map_err(failed)?;
        let kind: String = row.get(1).map_err(failed)?;
        let column = match kind.as_str() {
            "INTEGER" => Column::Ints(Vec::new()),
            "TEXT" => Column::Texts(Vec::new()),
            "BLOB" => Column::Bytes(Vec::new()),
            other => {
                return Err(StoreError::defect(format!("a column of kind {other}")));
            }
        };
        columns.push((name, column));
    }
    Ok(columns)
}

fn copy_table(here: &Connection, there: &mut PgConnection, table: &str) -> Result<u64, StoreError> {
    let failed = |source| StoreError::sqlite("reading a table", source);
    let mut columns = columns_of(here, table)?;
    let names: Vec<&str> = columns.iter().map(|(name, _)| name.as_str()).collect();
    let names = names.join(", ");
    let text = format!("SELECT {names} FROM {table}");
    let mut statement = here.prepare(&text).map_err(failed)?;
    let mut rows = statement.query([]).map_err(failed)?;
    let (mut copied, mut waiting) = (0_u64, 0_usize);
    while let Some(row) = rows.next().map_err(failed)? {
        for (at, (name, column)) in columns.iter_mut().enumerate() {
            let value = row.get_ref(at).map_err(failed)?;
            push(column, value).ok_or_else(|| {
                StoreError::inconsistent(table, name, "a value is of another kind than its column")
            })?;
        }
        copied += 1;
        waiting += 1;
        if waiting == ROWS {
            there.insert_columns(table, &names, &mut columns)?;
            waiting = 0;
        }
    }
    if waiting > 0 {
        there.insert_columns(table, &names, &mut columns)?;
    }
    Ok(copied)
}

fn push(column: &mut Column, value: ValueRef<'_>) -> Option<()> {
    match (column, value) {
        (Column::Ints(all), ValueRef::Null) => all.push(None),
        (Column::Texts(all), ValueRef::Null) => all.push(None),
        (Column::Bytes(all), ValueRef::Null) => all.push(None),
        (Column::Ints(all), ValueRef::Integer(value)) => all.push(Some(value)),
        (Column::Texts(all), ValueRef::Text(value)) => {
            all.push(Some(std::str::from_utf8(value).ok()?.to_owned()));
        }
        (Column::Bytes(all), ValueRef::Blob(value)) => all.push(Some(value.to_vec())),
        _ => return None,
    }
    Some(())
}

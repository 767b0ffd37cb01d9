//! A changed byte is named: by value, one in each column of each table, and by raw bytes of the file.

use std::path::{Path, PathBuf};

use counterfoil_store::audit::{self, Report};
use counterfoil_store::{Store, attempts};
use rusqlite::Connection;
use rusqlite::types::Value;

use crate::exercise::{book, exercise};
use crate::support::{attempt, options, run};

/// A closed ledger with something in every table.
async fn populated(folder: &Path) -> PathBuf {
    let path = folder.join("ledger.db");
    let store = Store::open_sqlite(&path, options("a")).unwrap();
    exercise(&store).await;
    book(&store, 2, 100, 150).await;
    run(&store, |tx| {
        attempts::insert(tx, &attempt(9, 2, tx.writer_no()), "sent")
    })
    .await
    .unwrap();
    drop(store);
    // A second session, so that a fenced writer and a doubtful attempt are there too.
    drop(Store::open_sqlite(&path, options("a")).unwrap());
    path
}

fn strings(connection: &Connection, text: &str) -> Vec<String> {
    let mut statement = connection.prepare(text).unwrap();
    let rows = statement.query_map([], |row| row.get(0)).unwrap();
    rows.collect::<Result<_, _>>().unwrap()
}

/// The smallest change of a value that its column's type allows.
fn other(value: Value, kind: &str) -> Value {
    match (value, kind) {
        (Value::Null, "INTEGER") => Value::Integer(0),
        (Value::Null, "TEXT") => Value::Text(String::new()),
        (Value::Null, _) => Value::Blob(Vec::new()),
        (Value::Integer(value), _) => Value::Integer(value + 1),
        (Value::Text(text), _) => Value::Text(text + "x"),
        (Value::Blob(mut bytes), _) => {
            match bytes.first_mut() {
                Some(byte) => *byte ^= 0x40,
                None => bytes.push(0),
            }
            Value::Blob(bytes)
        }
        (value @ Value::Real(_), _) => value,
    }
}

fn names_of(report: &Report, table: &str) -> bool {
    report.problems.iter().any(|problem| problem.table == table)
}

/// Everything the database says, as text.
fn dump(path: &Path) -> Option<String> {
    let connection = Connection::open(path).ok()?;
    let read = |text: &str| -> rusqlite::Result<Vec<String>> {
        let mut statement = connection.prepare(text)?;
        let width = statement.column_count();
        let rows = statement.query_map([], |row| {
            (0..width)
                .map(|at| Ok(format!("{:?}", row.get_ref(at)?)))
                .collect::<Result<String, _>>()
        })?;
        rows.collect()
    };
    let mut all = read("SELECT type, name, sql FROM sqlite_schema ORDER BY name").ok()?;
    for name in strings(
        &connection,
        "SELECT name FROM sqlite_schema WHERE type = 'table'",
    ) {
        all.extend(read(&format!("SELECT * FROM {name}")).ok()?);
    }
    Some(all.join("\n"))
}

#[tokio::test]
async fn an_untouched_ledger_has_no_problem() {
    let folder = tempfile::tempdir().unwrap();
    let path = populated(folder.path()).await;
    let report = audit::verify_file(&path, options("cli")).await;
    assert_eq!(report.problems, []);
    assert_eq!(report.checked.writers, 2);
    assert!(report.checked.rows > 130 && report.checked.leaves > report.checked.rows);

    let store = Store::open_in_memory(options("a")).unwrap();
    exercise(&store).await;
    assert_eq!(audit::verify(&store).await.unwrap().problems, []);
}

/// All tables but the leases: they say who may work now and nothing of what was done, and whoever
/// could write there could stop the nodes by other means.
const LASTING: &str =
    "SELECT name FROM sqlite_schema WHERE type = 'table' AND name <> 'lease' ORDER BY name";

#[tokio::test]
async fn a_changed_value_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = populated(folder.path()).await;
    let copy = folder.path().join("copy.db");
    let mut tried = 0;
    let tables = {
        let connection = Connection::open(&path).unwrap();
        strings(&connection, LASTING)
    };
    for table in tables {
        let columns = {
            let connection = Connection::open(&path).unwrap();
            let text = format!("SELECT name || ' ' || type FROM pragma_table_info('{table}')");
            let rows = format!("SELECT CAST(count(*) AS TEXT) FROM {table}");
            assert_ne!(strings(&connection, &rows), ["0"], "{table} is empty");
            strings(&connection, &text)
        };
        let keys = {
            let connection = Connection::open(&path).unwrap();
            let text = format!("SELECT name FROM pragma_table_info('{table}') WHERE pk > 0");
            strings(&connection, &text).join(", ")
        };
        for column in columns {
            let (name, kind) = column.split_once(' ').unwrap();
            std::fs::copy(&path, &copy).unwrap();
            {
                let connection = Connection::open(&copy).unwrap();
                connection
                    .pragma_update(None, "ignore_check_constraints", true)
                    .unwrap();
                let row = format!("SELECT {keys} FROM {table} ORDER BY {keys} DESC LIMIT 1");
                let row = format!("({keys}) = ({row})");
                let text = format!("SELECT {name} FROM {table} WHERE {row}");
                let value: Value = connection.query_row(&text, [], |row| row.get(0)).unwrap();
                let text = format!("UPDATE {table} SET {name} = ?1 WHERE {row}");
                let changed = connection.execute(&text, [other(value, kind)]).unwrap();
                assert_eq!(changed, 1, "{table}.{name}");
            }
            let report = audit::verify_file(&copy, options("cli")).await;
            assert!(
                names_of(&report, &table),
                "{table}.{name}: {:?}",
                report.problems
            );
            tried += 1;
        }
    }
    assert!(tried > 130, "{tried} columns");
}

#[tokio::test]
async fn an_added_or_taken_row_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = populated(folder.path()).await;
    let copy = folder.path().join("copy.db");
    let tables = {
        let connection = Connection::open(&path).unwrap();
        strings(&connection, LASTING)
    };
    for table in tables {
        std::fs::copy(&path, &copy).unwrap();
        Connection::open(&copy)
            .unwrap()
            .execute(&format!("DELETE FROM {table}"), [])
            .unwrap();
        let report = audit::verify_file(&copy, options("cli")).await;
        // Without blocks or settings there is nothing left to compare with, which is said as well.
        assert!(!report.problems.is_empty(), "{table}");
    }
    for added in [
        "INSERT INTO scan VALUES (9, 's', 'a', 'b', 1, 2, 3, 1)",
        "INSERT INTO counter VALUES ('free.money', 1, 5)",
        "INSERT INTO setting VALUES ('posting_off', '', 1)",
        "CREATE TABLE extra (x INTEGER)",
        "CREATE TRIGGER t AFTER INSERT ON scan BEGIN DELETE FROM scan; END",
    ] {
        std::fs::copy(&path, &copy).unwrap();
        Connection::open(&copy).unwrap().execute(added, []).unwrap();
        let report = audit::verify_file(&copy, options("cli")).await;
        assert!(!report.problems.is_empty(), "{added}");
    }
}

#[tokio::test]
async fn a_changed_byte_of_the_file_is_named_unless_it_means_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = populated(folder.path()).await;
    let original = std::fs::read(&path).unwrap();
    let before = dump(&path).unwrap();
    let copy = folder.path().join("copy.db");
    let (mut named, mut meaningless) = (0, 0);
    // A stride without common factors walks through all places of a page.
    for at in (0..original.len()).step_by((original.len() / 250) | 1) {
        let mut bytes = original.clone();
        bytes[at] ^= 1 << (at % 8);
        std::fs::write(&copy, &bytes).unwrap();
        let report = audit::verify_file(&copy, options("cli")).await;
        if report.problems.is_empty() {
            // Free space inside pages, and header fields that only caches use.
            let after = dump(&copy).unwrap();
            let differing = before
                .lines()
                .zip(after.lines())
                .find(|(was, is)| was != is);
            assert!(after == before, "byte {at} changed {differing:?} unseen");
            meaningless += 1;
        } else {
            named += 1;
        }
    }
    assert!(named > 100, "{named} named, {meaningless} without meaning");
}

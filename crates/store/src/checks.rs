//! Tests over all statements and both schemas: what is written twice must be equal, and what must be
//! fast must use its index.

use std::collections::BTreeSet;

use rusqlite::Connection;

use crate::backend::Backend;
use crate::fresh::Fresh;
use crate::migrate;
use crate::postgres::PgConnection;
use crate::sql::{Dialect, Statements};
use crate::sqlite;

fn postgres(test: &str) -> Option<(Fresh, PgConnection)> {
    let fresh = Fresh::database(test)?;
    let mut connection = PgConnection::connect(&fresh.url).unwrap();
    migrate::migrate(&mut Backend::Postgres(&mut connection)).unwrap();
    Some((fresh, connection))
}

#[test]
fn every_statement_prepares_on_sqlite() {
    let connection = sqlite::open_memory().unwrap();
    let statements = Statements::of(Dialect::Sqlite).unwrap();
    for name in statements.names() {
        let text = statements.get(name).unwrap();
        assert!(
            connection.prepare(text).is_ok(),
            "{name}: {:?}",
            connection.prepare(text).err()
        );
    }
}

#[test]
fn every_statement_prepares_on_postgres() {
    let Some((_fresh, mut connection)) = postgres("prepares") else {
        return;
    };
    for name in Statements::of(Dialect::Postgres).unwrap().names() {
        connection.statement(name).unwrap();
    }
}

#[test]
fn every_statement_is_used_and_every_use_is_declared() {
    fn sources(folder: &std::path::Path, text: &mut String) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                sources(&path, text);
            } else if !path.ends_with("checks.rs") {
                text.push_str(&std::fs::read_to_string(path).unwrap());
            }
        }
    }
    let mut text = String::new();
    sources(
        &std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src"),
        &mut text,
    );
    for name in Statements::of(Dialect::Sqlite).unwrap().names() {
        assert!(text.contains(&format!("\"{name}\"")), "{name} is never run");
    }
}

/// (table, column, type class, nullable) and (table, constraint name).
type Shape = (
    BTreeSet<(String, String, String, bool)>,
    BTreeSet<(String, String)>,
);

fn sqlite_shape(connection: &Connection) -> Shape {
    let text = "SELECT m.name, c.name, c.type, c.\"notnull\" FROM sqlite_schema AS m
        JOIN pragma_table_info(m.name) AS c WHERE m.type = 'table'";
    let mut statement = connection.prepare(text).unwrap();
    let columns = statement
        .query_map([], |row| {
            Ok((
                row.get(0)?,
                row.get(1)?,
                row.get(2)?,
                !row.get::<_, bool>(3)?,
            ))
        })
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    let mut named = BTreeSet::new();
    let mut statement = connection
        .prepare("SELECT tbl_name, type, name, sql FROM sqlite_schema")
        .unwrap();
    let mut rows = statement.query([]).unwrap();
    while let Some(row) = rows.next().unwrap() {
        let (table, kind, name): (String, String, String) = (
            row.get(0).unwrap(),
            row.get(1).unwrap(),
            row.get(2).unwrap(),
        );
        let sql: Option<String> = row.get(3).unwrap();
        if kind == "index" {
            if sql.is_some() {
                named.insert((table, name));
            }
            continue;
        }
        for (at, _) in sql.as_deref().unwrap_or("").match_indices("CONSTRAINT ") {
            let rest = &sql.as_deref().unwrap()[at + "CONSTRAINT ".len()..];
            named.insert((
                table.clone(),
                rest.split_whitespace().next().unwrap().to_owned(),
            ));
        }
    }
    (columns, named)
}

fn postgres_shape(url: &str) -> Shape {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls)
            .await
            .unwrap();
        tokio::spawn(connection);
        let columns = client
            .query(
                "SELECT table_name::text, column_name::text, data_type::text, is_nullable::text,
                 coalesce(collation_name::text, '')
                 FROM information_schema.columns WHERE table_schema = 'public'",
                &[],
            )
            .await
            .unwrap()
            .iter()
            .map(|row| {
                let (kind, collation): (String, String) = (row.get(2), row.get(4));
                let kind = match (kind.as_str(), collation.as_str()) {
                    ("bigint", "") => "INTEGER",
                    ("text", "C") => "TEXT",
                    ("bytea", "") => "BLOB",
                    other => panic!("{other:?} has no twin"),
                };
                (
                    row.get(0),
                    row.get(1),
                    kind.to_owned(),
                    row.get::<_, String>(3) == "YES",
                )
            })
            .collect();
        let named = client
            .query(
                "SELECT conrelid::regclass::text, conname::text FROM pg_constraint
                 WHERE connamespace = 'public'::regnamespace
                 UNION SELECT tablename::text, indexname::text FROM pg_indexes
                 WHERE schemaname = 'public'",
                &[],
            )
            .await
            .unwrap()
            .iter()
            .map(|row| (row.get(0), row.get(1)))
            .collect();
        (columns, named)
    })
}

#[test]
fn both_schemas_are_equal() {
    let Some((fresh, _connection)) = postgres("schema") else {
        return;
    };
    let (columns, named) = sqlite_shape(&sqlite::open_memory().unwrap());
    let (columns_there, named_there) = postgres_shape(&fresh.url);
    let differing: Vec<_> = columns.symmetric_difference(&columns_there).collect();
    assert!(differing.is_empty(), "columns: {differing:#?}");
    let differing: Vec<_> = named.symmetric_difference(&named_there).collect();
    assert!(
        differing.is_empty(),
        "constraints and indexes: {differing:#?}"
    );
}

#[test]
fn hot_statements_use_their_index() {
    let connection = sqlite::open_memory().unwrap();
    let statements = Statements::of(Dialect::Sqlite).unwrap();
    for (name, wanted) in [
        (
            "item_window",
            "USING INDEX item_window (source=? AND work_date>? AND work_date<?)",
        ),
        (
            "item_of_worker",
            "USING INDEX item_window (source=? AND work_date=? AND worker=?)",
        ),
        ("item_in_exception", "item_open_exception"),
        ("document_due", "USING INDEX document_work (due_at_us<?)"),
        ("document_next_due", "document_work (due_at_us>?)"),
        (
            "document_latest",
            "(flow=? AND shape=? AND entity=? AND bill_to=? AND currency=?",
        ),
        ("posting_problems", "USING INDEX posting_problem (state=?)"),
        (
            "posting_page_of_document",
            "PRIMARY KEY (document_id=? AND posting_no>?)",
        ),
        ("attempt_of_document", "attempt_open (document_id=?)"),
        ("attempt_open", "attempt_open"),
        ("attempt_of_fenced", "attempt_open"),
        ("feedback_due", "PRIMARY KEY (told=?)"),
        ("feedback_get", "PRIMARY KEY (told=? AND item_id=?)"),
        ("feedback_update", "PRIMARY KEY (told=? AND item_id=?)"),
        ("charge_of_item", "PRIMARY KEY (item_id=?)"),
        ("exception_list", "item_open_exception"),
        ("exception_list", "posting_problem"),
        ("exception_list", "attempt_open"),
        ("exception_list", "refusal_open"),
        ("exception_list", "stray_open"),
        ("stray_of_item", "stray_item (item_id=?)"),
        ("line_member_of_item", "PRIMARY KEY (item_id=?)"),
        ("line_member_standing", "line_member_line (line_id=?)"),
        (
            "line_member_standing",
            "SEARCH charge USING PRIMARY KEY (item_id=?)",
        ),
        ("counter_get", "PRIMARY KEY (name=?)"),
        ("seal_key_range", "PRIMARY KEY (unit>? AND unit<?)"),
        ("block_page", "PRIMARY KEY (writer_no=? AND seq>?)"),
    ] {
        let text = format!("EXPLAIN QUERY PLAN {}", statements.get(name).unwrap());
        let mut statement = connection.prepare(&text).unwrap();
        let count = statement.parameter_count();
        let rows = statement
            .query_map(
                rusqlite::params_from_iter(vec![rusqlite::types::Null; count]),
                |row| row.get::<_, String>(3),
            )
            .unwrap();
        let plan = rows.collect::<Result<Vec<_>, _>>().unwrap().join("\n");
        assert!(plan.contains(wanted), "{name}:\n{plan}");
        let sorts = matches!(
            name,
            "exception_list" | "feedback_due" | "item_in_exception"
        );
        assert!(
            sorts || !plan.contains("TEMP B-TREE"),
            "{name} sorts:\n{plan}"
        );
    }
}

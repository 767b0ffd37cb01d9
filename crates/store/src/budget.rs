//! The row budget: how many B-tree rows one entry costs. Counted here, so that an index added in
//! passing does not go unnoticed.

use std::collections::BTreeMap;

use rusqlite::Connection;

use crate::feedback::FeedbackWish;
use crate::postings::PostingChange;
use crate::support::{START_US, attempt, charge, document, id, item, options, posting, run};
use crate::{SealClass, Store, attempts, charges, documents, feedback, items, postings};

const ENTRIES: u64 = 100;

/// Entries of every secondary index, the partial ones by their own predicate.
fn index_entries(connection: &Connection) -> BTreeMap<String, i64> {
    let text = "SELECT i.name, m.name, coalesce(i2.sql, '') FROM sqlite_schema AS m
        JOIN pragma_index_list(m.name) AS i
        LEFT JOIN sqlite_schema AS i2 ON i2.name = i.name
        WHERE m.type = 'table' AND i.origin <> 'pk'";
    let mut statement = connection.prepare(text).unwrap();
    let rows = statement
        .query_map([], |row| {
            Ok((
                row.get::<_, String>(0)?,
                row.get::<_, String>(1)?,
                row.get::<_, String>(2)?,
            ))
        })
        .unwrap();
    rows.map(|row| {
        let (index, table, sql) = row.unwrap();
        let predicate = sql
            .split_once(" WHERE ")
            .map_or("1 = 1", |(_, predicate)| predicate);
        let text = format!("SELECT count(*) FROM {table} WHERE {predicate}");
        let count = connection.query_row(&text, [], |row| row.get(0)).unwrap();
        (index, count)
    })
    .collect()
}

/// Row changes of tables, and entries that came into or went out of indexes.
async fn cost(store: &Store, work: impl AsyncFnOnce(&Store)) -> u64 {
    let measure =
        || store.with_memory(|connection| (connection.total_changes(), index_entries(connection)));
    let (changes, entries) = measure();
    work(store).await;
    let (changes_after, entries_after) = measure();
    let moved: u64 = entries_after
        .iter()
        .map(|(index, count)| count.abs_diff(entries.get(index).copied().unwrap_or(0)))
        .sum();
    changes_after - changes + moved
}

#[tokio::test]
async fn an_entry_costs_four_rows_up_to_posting_and_two_at_outcome() {
    let store = Store::open_in_memory(options("a")).unwrap();

    let booked = cost(&store, async |store: &Store| {
        run(store, |tx| {
            let mut rows = (Vec::new(), Vec::new(), Vec::new());
            for at in 1..=ENTRIES {
                let content = tx.seal(SealClass::Received, "w-17", b"{}")?;
                let explain = tx.seal(SealClass::Explanation, "w-17", b"because")?;
                rows.0.push(item(at, content));
                rows.1.push(charge(at, 1, explain));
                rows.2.push(posting(1, at));
            }
            let mut document = document(1);
            items::insert(tx, &rows.0, "admitted")?;
            charges::insert(tx, &rows.1, "priced")?;
            postings::insert(tx, &mut document, &rows.2, "asked for")?;
            documents::insert(tx, &document, "opened")?;
            tx.count("items.booked", 100);
            tx.wake("posting");
            Ok(())
        })
        .await
        .unwrap();
    })
    .await;
    // Constant: document with two index entries, counter, two data keys, writer, block.
    assert!(
        booked <= 4 * ENTRIES + 8,
        "{booked} rows for {ENTRIES} entries up to posting"
    );

    let claimed = cost(&store, async |store: &Store| {
        run(store, |tx| {
            attempts::insert(tx, &attempt(1, 1, tx.writer_no()), "sent")
        })
        .await
        .unwrap();
    })
    .await;
    assert!(claimed <= 4, "{claimed} rows for a claim");

    let settled = cost(&store, async |store: &Store| {
        run(store, |tx| {
            let mut attempt = attempts::open(tx, &id(2, 1))?.unwrap();
            attempts::settle(tx, &mut attempt, "posted", None, "answered")?;
            let mut document = documents::get(tx, &id(2, 1))?.unwrap();
            let mut rows = postings::list(tx, &id(2, 1))?;
            let wishes: Vec<_> = rows
                .iter()
                .map(|row| FeedbackWish {
                    item_id: row.item_id,
                    status: "billed".into(),
                    reference: "INV-1".into(),
                    due_at_us: START_US,
                })
                .collect();
            let changes = rows
                .iter_mut()
                .map(|row| {
                    let mut change = PostingChange::to("posted", row);
                    change.erp_line_ref = Some("L".into());
                    (row, change)
                })
                .collect();
            postings::settle(tx, &mut document, changes, "posted")?;
            documents::update(tx, &mut document, "posted")?;
            feedback::upsert(tx, &wishes, "posted")
        })
        .await
        .unwrap();
    })
    .await;
    // Constant: attempt and document with an index entry each, writer, block.
    assert!(
        settled <= 2 * ENTRIES + 6,
        "{settled} rows for {ENTRIES} entries at outcome"
    );
    println!(
        "up to posting {booked}, claim {claimed}, outcome {settled} rows for {ENTRIES} entries"
    );
}

//! Random operations give the same answers and the same rows on SQLite and on PostgreSQL.

use std::sync::Arc;

use counterfoil_store::feedback::FeedbackWish;
use counterfoil_store::postings::PostingChange;
use counterfoil_store::{
    Store, StoreError, StoreOptions, Tx, WriteError, attempts, audit, charges, counters, documents,
    exceptions, feedback, items, limits, postings, scans, settings, totals,
};

use crate::fresh::Fresh;
use crate::support::{START_US, attempt, charge, document, id, item, options, posting, run};

const OPERATIONS: u64 = 400;

fn still(node: &str) -> StoreOptions {
    let mut options = options(node);
    options.clock = Arc::new(|| START_US);
    options
}

/// Which operation, and three small numbers for it.
fn draw(state: &mut u64) -> (u64, u64, u64, u64) {
    let mut next = || {
        *state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        *state >> 33
    };
    (next() % 12, next() % 6, next() % 4 + 1, next() % 5)
}

fn operate(tx: &mut Tx<'_>, drawn: (u64, u64, u64, u64)) -> Result<String, StoreError> {
    let (operation, number, document_no, choice) = drawn;
    let pick = |words: [&'static str; 5]| words[usize::try_from(choice).unwrap()];
    let nowhere = counterfoil_store::Pointer { block: 0, ord: 0 };
    match operation {
        0 | 1 => items::insert(tx, &[item(number, nowhere)], "in").map(|()| String::new()),
        2 => {
            let Some(mut row) = items::get(tx, &id(1, number))? else {
                return Ok("none".into());
            };
            row.work_date = format!("2026-08-1{choice}");
            row.state = if choice == 0 { "exception" } else { "waiting" }.into();
            row.code = (choice == 0).then(|| "RATE_NOT_FOUND".to_owned());
            items::update(tx, &mut row, "changed")?;
            Ok(format!("{}", row.version))
        }
        3 => {
            let mut row = charge(number, document_no, nowhere);
            row.part = i64::try_from(choice).unwrap() * 10;
            row.value_minor -= row.part;
            // The last one is no disposition, and refused by both.
            row.disposition = pick(["bill", "drawn", "held", "written_off", "gift"]).into();
            charges::insert(tx, &[row], "priced").map(|()| String::new())
        }
        4 => documents::insert(tx, &document(document_no), "opened").map(|()| String::new()),
        5 | 6 => {
            let Some(mut row) = documents::get(tx, &id(2, document_no))? else {
                return Ok("none".into());
            };
            postings::insert(tx, &mut row, &[posting(document_no, number + 1)], "asked")?;
            documents::update(tx, &mut row, "asked")?;
            Ok(row.unsettled.to_string())
        }
        7 | 8 => {
            let Some(mut row) = documents::get(tx, &id(2, document_no))? else {
                return Ok("none".into());
            };
            let mut rows = postings::list_in(tx, &id(2, document_no), &["ready", "held"], 2)?;
            let state = pick(["posted", "rejected", "waiting", "held", "ready"]);
            let changes = rows
                .iter_mut()
                .map(|row| {
                    let mut change = PostingChange::to(state, row);
                    change.erp_line_ref = (state == "posted").then(|| "L".to_owned());
                    change.code = (state == "rejected").then(|| "PERIOD_CLOSED".to_owned());
                    (row, change)
                })
                .collect();
            postings::settle(tx, &mut row, changes, "settled")?;
            documents::update(tx, &mut row, "settled")?;
            Ok(format!("{} {}", rows.len(), row.unsettled))
        }
        9 => match attempts::open(tx, &id(2, document_no))? {
            None => {
                let key = number * 1_000 + document_no * 10 + choice;
                attempts::insert(tx, &attempt(key, document_no, 1), "sent")?;
                Ok("sent".into())
            }
            Some(mut open) => {
                attempts::settle(tx, &mut open, "posted", None, "answered")?;
                Ok(open.version.to_string())
            }
        },
        10 => {
            let wish = FeedbackWish {
                item_id: id(1, number),
                status: pick(["billed", "paid", "exception", "billed", "void"]).into(),
                reference: String::new(),
                due_at_us: START_US,
            };
            let changed = feedback::upsert(tx, &[wish], "status")?;
            let mut told = 0;
            if choice > 2 {
                for mut row in feedback::due(tx, START_US, 3)? {
                    feedback::mark_told(tx, &mut row, "told")?;
                    told += 1;
                }
            }
            tx.count("told", told);
            Ok(format!("{changed} {told}"))
        }
        _ => {
            settings::put(
                tx,
                pick(["a", "B", "ä", "_", "z"]),
                &number.to_string(),
                "set",
            )?;
            limits::put(tx, "erp", &choice.to_string(), "spent")?;
            let scan = scans::start(tx, "tracker", "a", "b", "asked")?;
            tx.count("scans", 1);
            Ok(scan.scan_no.to_string())
        }
    }
}

/// What went wrong, without the words of either database.
fn word(answer: Result<String, WriteError<String>>) -> String {
    match answer {
        Ok(text) => text,
        Err(WriteError::Store(StoreError::Duplicate { table, key })) => {
            format!("dup {table} {key}")
        }
        Err(WriteError::Store(StoreError::Conflict { table, key, .. })) => {
            format!("conflict {table} {key}")
        }
        Err(WriteError::Store(StoreError::Database { doing, .. })) => format!("refused {doing}"),
        Err(other) => format!("{other}"),
    }
}

pub(crate) async fn everything(store: &Store) -> String {
    store
        .read(|tx| {
            let all = documents::page(tx, &[0; 16], 1_000)?;
            let mut lines = Vec::new();
            for row in &all {
                lines.push(format!("{:?}", postings::list(tx, &row.document_id)?));
                lines.push(format!("{:?}", totals::of_document(tx, &row.document_id)?));
            }
            for number in 0..10 {
                lines.push(format!("{:?}", feedback::get(tx, &id(1, number))?));
            }
            let mut names: Vec<_> = settings::list(tx)?;
            names.retain(|row| !row.name.starts_with("ledger_"));
            lines.push(format!("{all:?} {names:?}"));
            lines.push(format!("{:?}", items::page(tx, &[0; 16], 1_000)?));
            lines.push(format!(
                "{:?}",
                items::window(tx, "tracker", "2026-08-01", "2026-08-31")?
            ));
            lines.push(format!("{:?}", charges::page(tx, &[0; 16], 0, 1_000)?));
            lines.push(format!("{:?}", attempts::page(tx, &[0; 16], 1_000)?));
            lines.push(format!("{:?}", limits::list(tx)?));
            lines.push(format!("{:?}", scans::recent(tx, 1_000)?));
            lines.push(format!("{:?}", counters::list(tx, "")?));
            lines.push(format!("{:?}", totals::by_contract(tx)?));
            lines.push(format!("{:?}", exceptions::list(tx, None, 0, 1_000)?));
            lines.push(format!("{:?}", exceptions::count_by_code(tx)?));
            lines.push(format!("{:?}", documents::due(tx, START_US, 1_000)?.len()));
            Ok(lines.join("\n"))
        })
        .await
        .unwrap()
}

#[tokio::test]
async fn random_operations_are_equal_on_both() {
    for seed in 1..=3_u64 {
        let Some(fresh) = Fresh::database(&format!("equal{seed}")) else {
            return;
        };
        let here = Store::open_in_memory(still("a")).unwrap();
        let there = Store::open_postgres(&fresh.url, still("a")).unwrap();
        let mut state = seed;
        for step in 0..OPERATIONS {
            let drawn = draw(&mut state);
            let first = word(run(&here, move |tx| operate(tx, drawn)).await);
            let second = word(run(&there, move |tx| operate(tx, drawn)).await);
            assert_eq!(first, second, "seed {seed} step {step} {drawn:?}");
        }
        assert_eq!(
            everything(&here).await,
            everything(&there).await,
            "seed {seed}"
        );
        // These rows point at no text on purpose; nothing else may be wrong.
        for store in [&here, &there] {
            let problems = audit::verify(store).await.unwrap().problems;
            let other: Vec<_> = problems
                .iter()
                .filter(|one| !one.what.contains("no sealed text"))
                .collect();
            assert!(other.is_empty(), "{other:?}");
        }
    }
}

//! Tests of the writer when the database fails it: refused and unclear commits, a full disk, a lost
//! connection.

use std::sync::Arc;

use crate::backend::Backend;
use crate::command::{Job, Pending};
use crate::faults::{self, Commit};
use crate::fresh::Fresh;
use crate::postgres::PgConnection;
use crate::session::{self, Opening};
use crate::support::{Do, options, run};
use crate::{Abort, Store, StoreError, Tx, WriteError, audit, counters, migrate, settings};

fn counting(name: String) -> Do<()> {
    Do(
        "counting",
        Box::new(move |tx: &mut Tx<'_>| {
            tx.count("kept", 1);
            settings::put(tx, &name, "1", "test").map_err(Abort::Store)
        }),
    )
}

#[tokio::test]
async fn a_refused_commit_is_done_again_and_a_lost_answer_is_looked_up() {
    let store = Store::open_in_memory(options("a")).unwrap();
    faults::plan([
        None,
        Some(Commit::Refused),
        None,
        Some(Commit::AnswerLost),
        Some(Commit::Refused),
        Some(Commit::Refused),
        Some(Commit::AnswerLost),
    ]);
    for number in 0..4 {
        store
            .write(counting(format!("key.{number}")))
            .await
            .unwrap();
    }
    assert_eq!(store.read(|tx| counters::get(tx, "kept")).await.unwrap(), 4);
    assert_eq!(audit::verify(&store).await.unwrap().problems, []);
}

#[tokio::test]
async fn a_group_whose_commit_is_unclear_is_neither_lost_nor_doubled() {
    for fault in [Commit::Refused, Commit::AnswerLost] {
        let store = Store::open_in_memory(options("a")).unwrap();
        faults::plan([Some(fault)]);
        let mut jobs: Vec<Box<dyn Job>> = Vec::new();
        let mut answers = Vec::new();
        for number in 0..10 {
            let (job, answer) = Pending::new(counting(format!("key.{number}")));
            jobs.push(job);
            answers.push(answer);
        }
        store.run_group(jobs);
        for mut answer in answers {
            answer.try_recv().unwrap().unwrap();
        }
        assert_eq!(
            store.read(|tx| counters::get(tx, "kept")).await.unwrap(),
            10
        );
        assert_eq!(audit::verify(&store).await.unwrap().problems, []);
    }
}

#[tokio::test]
async fn a_command_that_fills_the_disk_fails_alone() {
    let store = Store::open_in_memory(options("a")).unwrap();
    store.with_memory(|connection| {
        let pages: i64 = connection
            .pragma_query_value(None, "page_count", |row| row.get(0))
            .unwrap();
        connection
            .query_row(
                &format!("PRAGMA max_page_count = {}", pages + 40),
                [],
                |_| Ok(()),
            )
            .unwrap();
    });
    let mut jobs: Vec<Box<dyn Job>> = Vec::new();
    let mut answers = Vec::new();
    for number in 0..9 {
        let command = if number == 4 {
            Do(
                "large",
                Box::new(|tx: &mut Tx<'_>| {
                    for part in 0..100 {
                        let name = format!("large.{part}");
                        settings::put(tx, &name, &"x".repeat(10_000), "test")?;
                    }
                    Ok(())
                }),
            )
        } else {
            counting(format!("key.{number}"))
        };
        let (job, answer) = Pending::new(command);
        jobs.push(job);
        answers.push(answer);
    }
    store.run_group(jobs);
    for (number, mut answer) in answers.into_iter().enumerate() {
        let answer = answer.try_recv().unwrap();
        assert_eq!(answer.is_err(), number == 4, "{number}: {answer:?}");
    }
    assert_eq!(store.read(|tx| counters::get(tx, "kept")).await.unwrap(), 8);
    assert_eq!(
        store.read(|tx| settings::get(tx, "large.0")).await.unwrap(),
        None
    );
    assert_eq!(audit::verify(&store).await.unwrap().problems, []);
}

#[tokio::test]
async fn a_conflict_in_a_group_is_answered_to_its_own_caller() {
    let store = Store::open_in_memory(options("a")).unwrap();
    let failing: Do<()> = Do(
        "failing",
        Box::new(|tx: &mut Tx<'_>| {
            tx.count("kept", 100);
            let key = "x".to_owned();
            Err(StoreError::Conflict {
                table: "item",
                key,
                expected: 1,
            }
            .into())
        }),
    );
    let (first, mut kept) = Pending::new(counting("a".to_owned()));
    let (second, mut failed) = Pending::new(failing);
    store.run_group(vec![first, second]);
    assert!(kept.try_recv().unwrap().is_ok());
    let failed = failed.try_recv().unwrap();
    assert!(matches!(
        failed,
        Err(WriteError::Store(StoreError::Conflict { .. }))
    ));
    assert_eq!(store.read(|tx| counters::get(tx, "kept")).await.unwrap(), 1);
}

#[test]
fn unclear_commits_are_looked_up_on_postgres() {
    let Some(fresh) = Fresh::database("unclear") else {
        return;
    };
    let mut connection = PgConnection::connect(&fresh.url).unwrap();
    let mut backend = Backend::Postgres(&mut connection);
    migrate::migrate(&mut backend).unwrap();
    let wakes = Arc::default();
    let mut writer =
        session::open_writer(&mut backend, &options("a"), &wakes, Opening::AmongNodes).unwrap();
    faults::plan([Some(Commit::AnswerLost), Some(Commit::Refused), None, None]);
    for number in 0..3 {
        let (job, mut answer) = Pending::new(counting(format!("key.{number}")));
        writer.run(&mut backend, vec![job]);
        answer.try_recv().unwrap().unwrap();
    }
    let mut kept = 0;
    backend
        .stream("counter_get", &["kept".into()], &mut |mut row| {
            kept += row.int()?;
            Ok(())
        })
        .unwrap();
    assert_eq!(kept, 3);
}

#[tokio::test]
async fn a_lost_connection_comes_back() {
    let Some(fresh) = Fresh::database("reconnect") else {
        return;
    };
    let store = Store::open_postgres(&fresh.url, options("a")).unwrap();
    for round in 0..3 {
        let url = fresh.url.clone();
        std::thread::spawn(move || {
            let mut other = PgConnection::connect(&url).unwrap();
            let text = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                WHERE datname = current_database() AND pid <> pg_backend_pid()";
            other.script("ending all connections", text).unwrap();
        })
        .join()
        .unwrap();
        run(&store, move |tx| {
            tx.count("kept", 1);
            settings::put(tx, &format!("key.{round}"), "1", "test")
        })
        .await
        .unwrap();
        assert_eq!(
            store.read(|tx| counters::get(tx, "kept")).await.unwrap(),
            round + 1
        );
    }
    assert_eq!(audit::verify(&store).await.unwrap().problems, []);
}

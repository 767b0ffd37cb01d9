//! One writer: groups share a commit, one command's failure is its own, two processes do not share a
//! file, and what was acknowledged survives a kill.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use counterfoil_store::{Store, StoreError, WriteError, audit, blocks, counters, settings};

use crate::support::{Do, options, run};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn concurrent_commands_share_commits() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open_sqlite(folder.path().join("ledger.db"), options("a")).unwrap();
    let mut tasks = Vec::new();
    for number in 0..64 {
        let store = store.clone();
        tasks.push(tokio::spawn(async move {
            for round in 0..4 {
                let name = format!("key.{number}.{round}");
                if (number + round) % 16 == 7 {
                    let broken: Do<()> = Do("broken", Box::new(|_| panic!("a defect")));
                    let answer = store.write(broken).await;
                    assert!(matches!(
                        answer,
                        Err(WriteError::Store(StoreError::Panicked { .. }))
                    ));
                    continue;
                }
                run(&store, move |tx| {
                    tx.count("written", 1);
                    settings::put(tx, &name, "1", "test")
                })
                .await
                .unwrap();
            }
        }));
    }
    for task in tasks {
        task.await.unwrap();
    }
    let written = store.read(|tx| counters::get(tx, "written")).await.unwrap();
    assert_eq!(written, 240);
    let blocks = store
        .read(|tx| blocks::list(tx, 1, 1, 1_000))
        .await
        .unwrap();
    assert!(
        blocks.len() < 120,
        "{} commits for 240 commands",
        blocks.len()
    );
    assert_eq!(audit::verify(&store).await.unwrap().problems, []);
}

#[tokio::test]
async fn a_transaction_that_changes_nothing_writes_no_block() {
    let store = Store::open_in_memory(options("a")).unwrap();
    let count = |store: &Store| {
        let store = store.clone();
        async move {
            store
                .read(|tx| blocks::list(tx, 1, 0, 100))
                .await
                .unwrap()
                .len()
        }
    };
    let before = count(&store).await;
    run(&store, |tx| settings::get(tx, "x")).await.unwrap();
    assert_eq!(count(&store).await, before);
    run(&store, |tx| settings::put(tx, "x", "1", "test"))
        .await
        .unwrap();
    run(&store, |tx| settings::put(tx, "x", "1", "test"))
        .await
        .unwrap();
    assert_eq!(count(&store).await, before + 1);
}

#[tokio::test]
async fn a_second_process_is_told_who_holds_the_ledger() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    let store = Store::open_sqlite(&path, options("a")).unwrap();
    let second = Store::open_sqlite(&path, options("b")).err().unwrap();
    assert!(
        second.to_string().contains(&std::process::id().to_string()),
        "{second}"
    );

    run(&store, |tx| settings::put(tx, "x", "1", "test"))
        .await
        .unwrap();
    let beside = Store::open_read_only(&path, options("cli")).unwrap();
    let seen = beside.read(|tx| settings::get(tx, "x")).await.unwrap();
    assert_eq!(seen.as_deref(), Some("1"));
    let refused = run(&beside, |tx| settings::put(tx, "x", "2", "test")).await;
    assert!(
        matches!(refused, Err(WriteError::Store(StoreError::ReadOnly))),
        "{refused:?}"
    );
    drop(store);
    Store::open_sqlite(&path, options("b")).unwrap();
}

#[tokio::test]
async fn a_newer_or_changed_schema_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    drop(Store::open_sqlite(&path, options("a")).unwrap());
    for (change, word) in [
        (
            "INSERT INTO schema_migration VALUES (9999, 'future', 'x')",
            "newer",
        ),
        (
            "UPDATE schema_migration SET checksum = 'x' WHERE number = 1",
            "changed",
        ),
    ] {
        let connection = rusqlite::Connection::open(&path).unwrap();
        connection.execute(change, []).unwrap();
        drop(connection);
        let refused = Store::open_sqlite(&path, options("a")).err().unwrap();
        assert!(refused.to_string().contains(word), "{refused}");
        let connection = rusqlite::Connection::open(&path).unwrap();
        connection
            .execute("DELETE FROM schema_migration WHERE number = 9999", [])
            .unwrap();
    }
}

/// Set for the child process of the kill test: the ledger to write to until killed.
const VICTIM: &str = "COUNTERFOIL_STORE_KILL_TEST_LEDGER";

fn told(name: &str) -> Option<String> {
    #[expect(
        clippy::disallowed_methods,
        reason = "the child is told its part like this"
    )]
    std::env::var(name).ok()
}

/// Runs only as a child of the next test, which kills it.
#[tokio::test]
async fn kill_test_child() {
    let Some(path) = told(VICTIM) else { return };
    let store = Store::open_sqlite(path, options("child")).unwrap();
    let written = store
        .read(|tx| counters::get(tx, "acknowledged"))
        .await
        .unwrap();
    for number in written.. {
        let name = format!("key.{number}");
        run(&store, move |tx| {
            tx.count("acknowledged", 1);
            settings::put(tx, &name, &"x".repeat(500), "test")
        })
        .await
        .unwrap();
        println!("acknowledged {number}");
    }
}

fn run_and_kill(path: &Path, after_ms: u64) -> i64 {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "writing::kill_test_child", "--nocapture"])
        .env(VICTIM, path)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let reader = std::thread::spawn(move || {
        let mut last = -1;
        for line in lines.map_while(Result::ok) {
            // The harness may print its own words on the same line.
            if let Some((_, number)) = line.split_once("acknowledged ") {
                last = number.trim().parse().unwrap_or(last);
            }
        }
        last
    });
    std::thread::sleep(std::time::Duration::from_millis(after_ms));
    child.kill().unwrap();
    child.wait().unwrap();
    reader.join().unwrap()
}

#[tokio::test]
async fn what_was_acknowledged_survives_a_kill() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    let mut last = -1;
    for round in 0..20_u64 {
        last = last.max(run_and_kill(&path, 40 + (round * 67) % 160));
        let report = {
            let store = Store::open_sqlite(&path, options("parent")).unwrap();
            let kept = store
                .read(|tx| counters::get(tx, "acknowledged"))
                .await
                .unwrap();
            assert!(kept > last, "acknowledged up to {last}, kept {kept}");
            for number in (0..kept).rev().take(20) {
                let name = format!("key.{number}");
                let found = store
                    .read(move |tx| settings::get(tx, &name))
                    .await
                    .unwrap();
                assert!(found.is_some(), "key.{number}");
            }
            audit::verify(&store).await.unwrap()
        };
        assert_eq!(report.problems, []);
    }
    assert!(last > 20, "only {last} commands were acknowledged");
}

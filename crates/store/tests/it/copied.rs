//! A ledger with every kind of row moves from a file into PostgreSQL, whole or not at all.

use counterfoil_store::{Store, StoreError, audit, copy};

use crate::equal::everything;
use crate::exercise::exercise;
use crate::fresh::Fresh;
use crate::support::options;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_row_moves() {
    let Some(fresh) = Fresh::database("copied") else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.sqlite");
    {
        let store = Store::open_sqlite(&path, options("a")).unwrap();
        exercise(&store).await;
    }
    let copied = copy::sqlite_to_postgres(&path, &fresh.url, options("a"), |_, _| {}).unwrap();
    let rows: u64 = copied.tables.iter().map(|(_, rows)| rows).sum();
    assert!(rows > 60, "{copied:?}");

    let there = Store::open_postgres_read_only(&fresh.url, options("a")).unwrap();
    let here = Store::open_read_only(&path, options("a")).unwrap();
    assert_eq!(everything(&there).await, everything(&here).await);
    assert_eq!(audit::verify(&there).await.unwrap().problems, []);

    // The file is used by nobody any more; the database by everybody.
    let refused = Store::open_sqlite(&path, options("a")).map(drop);
    assert!(
        matches!(&refused, Err(StoreError::Migration(what)) if what.contains("was moved to")),
        "{refused:?}"
    );
    let again = copy::sqlite_to_postgres(&path, &fresh.url, options("a"), |_, _| {});
    assert!(
        matches!(&again, Err(StoreError::Migration(what)) if what.contains("holds a ledger already")),
        "{again:?}"
    );
    assert!(copy::give_up(&path, &fresh.url, options("a")).is_err());
    let writes = Store::open_postgres(&fresh.url, options("a")).unwrap();
    exercise_more(&writes).await;
    assert_eq!(audit::verify(&writes).await.unwrap().problems, []);
}

async fn exercise_more(store: &Store) {
    crate::support::run(store, |tx| {
        counterfoil_store::settings::put(tx, "after", "the move", "test")
    })
    .await
    .unwrap();
}

fn tell(url: &str, text: &'static str) {
    let place: tokio_postgres::Config = url.parse().unwrap();
    let told = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let (client, connection) = place.connect(tokio_postgres::NoTls).await.unwrap();
            let driver = tokio::spawn(connection);
            client.batch_execute(text).await.unwrap();
            drop(client);
            driver.await.unwrap().unwrap();
        });
    });
    told.join().unwrap();
}

/// What a killed copy leaves: a marked file, and a database with a schema and no ledger.
#[test]
fn a_copy_that_was_broken_off_is_made_again_or_given_up() {
    let Some(fresh) = Fresh::database("brokenoff") else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.sqlite");
    drop(Store::open_sqlite(&path, options("a")).unwrap());
    for _ in 0..2 {
        // The schema of the database lacks what the copy counts on, so that it breaks off there.
        let broken = Fresh::database("broken").unwrap();
        tell(&broken.url, "CREATE TABLE attempt (attempt_id bytea)");
        assert!(copy::sqlite_to_postgres(&path, &broken.url, options("a"), |_, _| {}).is_err());
        drop(Store::open_sqlite(&path, options("a")).unwrap());
    }
    copy::mark_moved(&path, "nowhere", &options("a")).unwrap();
    assert!(Store::open_sqlite(&path, options("a")).is_err());
    copy::give_up(&path, &fresh.url, options("a")).unwrap();
    drop(Store::open_sqlite(&path, options("a")).unwrap());
    copy::mark_moved(&path, "nowhere", &options("a")).unwrap();
    copy::sqlite_to_postgres(&path, &fresh.url, options("a"), |_, _| {}).unwrap();
}

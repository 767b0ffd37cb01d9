//! A backup restores to the same ledger, which then does not post by itself.

use counterfoil_store::{Store, StoreError, attempts, audit, backup, items, settings, writers};

use crate::exercise::{book, exercise};
use crate::support::{attempt, id, options, run};

#[tokio::test]
async fn a_restored_ledger_holds_everything_and_keeps_posting_off() {
    let folder = tempfile::tempdir().unwrap();
    let (live, copy) = (
        folder.path().join("ledger.db"),
        folder.path().join("backup.db"),
    );
    let store = Store::open_sqlite(&live, options("a")).unwrap();
    exercise(&store).await;
    run(&store, |tx| {
        attempts::insert(tx, &attempt(5, 7, tx.writer_no()), "sent")
    })
    .await
    .unwrap();
    let manifest = backup::backup(&store, &copy).await.unwrap();
    assert_eq!(backup::manifest(&copy).unwrap(), manifest);
    assert!(
        backup::backup(&store, &copy).await.is_err(),
        "a backup replaces nothing"
    );
    book(&store, 2, 100, 10).await;

    // Not beside a running process, not over a database unless told.
    let busy = backup::restore(&copy, &live, options("a"), true).await;
    assert!(matches!(busy, Err(StoreError::Locked { .. })), "{busy:?}");
    drop(store);
    let refused = backup::restore(&copy, &live, options("a"), false).await;
    assert!(
        matches!(refused, Err(StoreError::File { .. })),
        "{refused:?}"
    );
    backup::restore(&copy, &live, options("a"), true)
        .await
        .unwrap();
    assert!(folder.path().join("ledger.db.replaced").exists());

    let store = Store::open_sqlite(&live, options("a")).unwrap();
    let (off, lost, kept, open, heads) = store
        .read(|tx| {
            Ok((
                settings::get(tx, backup::POSTING_OFF)?,
                items::get(tx, &id(1, 100))?,
                items::get(tx, &id(1, 1))?,
                attempts::open(tx, &id(2, 7))?.unwrap(),
                writers::heads(tx)?,
            ))
        })
        .await
        .unwrap();
    assert_eq!(off.as_deref(), Some(backup::RESTORED));
    assert!(lost.is_none() && kept.is_some());
    assert_eq!(open.state, "ambiguous");
    // The lost time may have used the next numbers.
    assert_eq!(
        heads.iter().map(|at| at.writer_no).collect::<Vec<_>>(),
        [1, 1002, 1003]
    );
    assert_eq!(audit::verify(&store).await.unwrap().problems, []);
}

#[tokio::test]
async fn a_damaged_or_foreign_backup_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (live, copy) = (
        folder.path().join("ledger.db"),
        folder.path().join("backup.db"),
    );
    let store = Store::open_sqlite(&live, options("a")).unwrap();
    exercise(&store).await;
    backup::backup(&store, &copy).await.unwrap();
    let target = folder.path().join("other.db");
    let mut foreign = options("a");
    foreign.ledger_digest = [8; 32];
    let refused = backup::restore(&copy, &target, foreign, false).await;
    assert!(matches!(refused, Err(StoreError::Seal(_))), "{refused:?}");
    let mut bytes = std::fs::read(&copy).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&copy, bytes).unwrap();
    let refused = backup::restore(&copy, &target, options("a"), false).await;
    assert!(
        matches!(refused, Err(StoreError::Inconsistent { .. })),
        "{refused:?}"
    );
    assert!(!target.exists());
}

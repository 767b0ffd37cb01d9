//! Sealed text comes back, goes away when shredded, and opens with no other key.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use counterfoil_store::{
    SealClass, SealKey, Sealed, Store, StoreError, attempts, audit, seal_keys, settings,
};

use crate::support::{attempt, options, run};

const TEXT: &[u8] = b"Anna Schmidt, on site at the customer; Anna Schmidt again, and again.";

#[tokio::test]
async fn a_text_comes_back_until_its_subject_is_shredded() {
    let store = Store::open_in_memory(options("a")).unwrap();
    let (anna, ben) = run(&store, |tx| {
        Ok((
            tx.seal(SealClass::Narrative, "anna", TEXT)?,
            tx.seal(SealClass::Received, "ben", b"short")?,
        ))
    })
    .await
    .unwrap();
    let read = |at| store.read(move |tx| tx.unseal(at));
    assert_eq!(read(anna).await.unwrap(), Some(Sealed::Text(TEXT.to_vec())));

    let shredded = run(&store, |tx| {
        seal_keys::shred_subject(tx, "anna", "erasure asked for")
    });
    assert_eq!(shredded.await.unwrap(), 1);
    assert_eq!(read(anna).await.unwrap(), Some(Sealed::Shredded));
    assert_eq!(
        read(ben).await.unwrap(),
        Some(Sealed::Text(b"short".to_vec()))
    );
    assert_eq!(audit::verify(&store).await.unwrap().problems, []);

    // What comes later about the same subject gets a key of its own.
    let later = run(&store, |tx| tx.seal(SealClass::Narrative, "anna", TEXT))
        .await
        .unwrap();
    assert_eq!(
        read(later).await.unwrap(),
        Some(Sealed::Text(TEXT.to_vec()))
    );
    assert_eq!(read(anna).await.unwrap(), Some(Sealed::Shredded));
    let again = run(&store, |tx| {
        seal_keys::shred_subject(tx, "anna", "asked again")
    });
    assert_eq!(again.await.unwrap(), 1);
    assert_eq!(audit::verify(&store).await.unwrap().problems, []);
}

#[tokio::test]
async fn no_text_and_no_name_stands_in_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    let store = Store::open_sqlite(&path, options("a")).unwrap();
    run(&store, |tx| tx.seal(SealClass::Narrative, "anna", TEXT))
        .await
        .unwrap();
    drop(store);
    let bytes = std::fs::read(&path).unwrap();
    for secret in [b"Schmidt".as_slice(), b"anna", &[7; 32]] {
        assert!(!bytes.windows(secret.len()).any(|part| part == secret));
    }
    assert_eq!(format!("{:?}", SealKey::new([7; 32])), "SealKey(secret)");
}

#[tokio::test]
async fn another_key_or_ledger_is_refused_at_open() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    drop(Store::open_sqlite(&path, options("a")).unwrap());
    let mut other_key = options("a");
    other_key.seal_key = SealKey::new([8; 32]);
    let refused = Store::open_sqlite(&path, other_key).err();
    assert!(matches!(refused, Some(StoreError::Seal(_))), "{refused:?}");
    let mut other_ledger = options("a");
    other_ledger.ledger_digest = [8; 32];
    let refused = Store::open_sqlite(&path, other_ledger).err();
    assert!(matches!(refused, Some(StoreError::Seal(_))), "{refused:?}");
    Store::open_sqlite(&path, options("a")).unwrap();
}

#[tokio::test]
async fn a_note_proves_the_text_it_speaks_of() {
    let store = Store::open_in_memory(options("a")).unwrap();
    run(&store, |tx| {
        let at = tx.seal(SealClass::Narrative, "anna", TEXT)?;
        tx.act_as("finance");
        tx.audit("document DOC1", "released with a remark", Some(at))
    })
    .await
    .unwrap();
    let block = store
        .read(|tx| counterfoil_store::blocks::list(tx, 1, 1, 10))
        .await
        .unwrap();
    let note = block[0].leaves.last().unwrap();
    assert_eq!(
        (note.kind, &*note.actor, &*note.why),
        (0, "finance", "released with a remark")
    );
    assert_ne!(note.digest, [0; 32]);
}

#[tokio::test]
async fn a_restart_puts_what_was_sending_in_doubt() {
    let store = Store::open_in_memory(options("a")).unwrap();
    run(&store, |tx| {
        attempts::insert(tx, &attempt(1, 1, tx.writer_no()), "sent")
    })
    .await
    .unwrap();
    // Another node does not touch it; the next life of the same node does.
    let other = store.join_in_memory(options("b")).unwrap();
    let open = other.read(attempts::list_open).await.unwrap();
    assert_eq!(open[0].state, "sending");
    let next = store.join_in_memory(options("a")).unwrap();
    let open = next.read(attempts::list_open).await.unwrap();
    assert_eq!((open[0].state.as_str(), open[0].version), ("ambiguous", 2));
    // And the earlier life is fenced.
    let late = run(&store, |tx| settings::put(tx, "late", "1", "test")).await;
    let fenced = matches!(
        late,
        Err(counterfoil_store::WriteError::Store(StoreError::Fenced {
            writer_no: 1
        }))
    );
    assert!(fenced, "{late:?}");
    assert_eq!(
        next.read(|tx| settings::get(tx, "late")).await.unwrap(),
        None
    );
    assert_eq!(audit::verify(&next).await.unwrap().problems, []);
}

#[tokio::test]
async fn waiters_wake_after_commit_and_only_then() {
    let store = Store::open_in_memory(options("a")).unwrap();
    let mut posting = store.watch("posting");
    let woken = Arc::new(AtomicBool::new(false));
    let inside = Arc::clone(&woken);
    let probe = store.watch("posting");
    run(&store, move |tx| {
        tx.wake("posting");
        inside.store(probe.has_changed().unwrap(), Ordering::Relaxed);
        settings::put(tx, "x", "1", "test")
    })
    .await
    .unwrap();
    assert!(!woken.load(Ordering::Relaxed));
    posting.changed().await.unwrap();
}

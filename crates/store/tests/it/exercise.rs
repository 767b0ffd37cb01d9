//! One suite for every kind of store: what holds on one must hold on all.

use counterfoil_store::charges::ChargeRow;
use counterfoil_store::documents::DocumentSeries;
use counterfoil_store::feedback::FeedbackWish;
use counterfoil_store::postings::PostingChange;
use counterfoil_store::{
    Abort, Pointer, SealClass, Sealed, Store, StoreError, WriteError, accounts, attempts, audit,
    charges, counters, documents, exceptions, feedback, items, limits, line_members, postings,
    refusals, scans, settings, snapshots, strays, totals,
};

use crate::fresh::Fresh;
use crate::support::{Do, START_US, attempt, charge, document, id, item, options, posting, run};

/// Books `count` items with charges and postings into one document.
pub(crate) async fn book(store: &Store, number: u64, first: u64, count: u64) {
    run(store, move |tx| {
        let mut rows = (Vec::new(), Vec::new(), Vec::new());
        for at in first..first + count {
            let content = tx.seal(SealClass::Received, "w-17", b"{\"hours\":1.5}")?;
            let explain = tx.seal(SealClass::Explanation, "w-17", b"1.5 h x 120.00")?;
            rows.0.push(item(at, content));
            rows.1.push(charge(at, number, explain));
            rows.2.push(posting(number, at));
        }
        let mut document = document(number);
        items::insert(tx, &rows.0, "admitted")?;
        charges::insert(tx, &rows.1, "priced")?;
        postings::insert(tx, &mut document, &rows.2, "asked for")?;
        documents::insert(tx, &document, "opened")?;
        tx.count("items.booked", i64::try_from(count).unwrap());
        tx.wake("posting");
        Ok(())
    })
    .await
    .unwrap();
}

async fn items_and_documents(store: &Store) {
    book(store, 1, 1, 5).await;
    let found = store
        .read(|tx| items::get(tx, &id(1, 3)))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(found.source_ref, "entry-3");
    let content = store
        .read(move |tx| tx.unseal(found.content))
        .await
        .unwrap();
    assert_eq!(content, Some(Sealed::Text(b"{\"hours\":1.5}".to_vec())));

    let light = store
        .read(|tx| items::window(tx, "tracker", "2026-08-02", "2026-08-04"))
        .await;
    assert_eq!(light.unwrap().len(), 3);
    assert_eq!(
        store
            .read(|tx| counters::get(tx, "items.booked"))
            .await
            .unwrap(),
        5
    );

    let series = DocumentSeries {
        flow: "billing",
        shape: "draft_line",
        entity: "DE",
        bill_to: "ACME",
        currency: "EUR",
        group_key: "project-1",
        period: "2026-08",
    };
    let document = store
        .read(move |tx| documents::find_by_key(tx, &series))
        .await
        .unwrap();
    assert_eq!(document.unwrap().unsettled, 5);
    let due = store
        .read(|tx| documents::due(tx, START_US, 10))
        .await
        .unwrap();
    assert_eq!(due.len(), 1);
    let totals = store.read(totals::by_contract).await.unwrap();
    assert_eq!((totals[0].charges, totals[0].amount_minor), (5, 90_000));
}

/// An item is priced in parts, each a charge of its own that keeps what it is worth.
async fn charges_have_parts(store: &Store) {
    let part = |charge_no: i64, part: i64, disposition: &str, amount_minor: i64| {
        let mut row = charge(1, 1, Pointer { block: 0, ord: 0 });
        (row.charge_no, row.part, row.amount_minor) = (charge_no, part, amount_minor);
        row.disposition = disposition.to_owned();
        row
    };
    let parts = [
        part(2, 10, "drawn", 0),
        part(3, 20, "allowance", 0),
        part(4, 40, "held", 0),
        part(5, 50, "written_off", 0),
        part(6, 1, "cost", 0),
    ];
    let written = parts.clone();
    run(store, move |tx| {
        // Facts of their own: a row points at text that is there.
        let explain = tx.seal(SealClass::Explanation, "w-17", b"a part")?;
        let rows: Vec<_> = written
            .iter()
            .map(|row| ChargeRow {
                explain,
                ..row.clone()
            })
            .collect();
        charges::insert(tx, &rows, "priced in parts")
    })
    .await
    .unwrap();
    let found = store
        .read(|tx| charges::list_for_item(tx, &id(1, 1)))
        .await
        .unwrap();
    let facts = |row: &ChargeRow| {
        let (part, worth) = (row.part, row.value_minor);
        (part, row.disposition.clone(), row.amount_minor, worth)
    };
    let expected: Vec<_> = std::iter::once(("bill", 0, 18_000))
        .chain([("drawn", 10, 0), ("allowance", 20, 0), ("held", 40, 0)])
        .chain([("written_off", 50, 0), ("cost", 1, 0)])
        .map(|(disposition, part, amount)| (part, disposition.to_owned(), amount, 18_000))
        .collect();
    assert_eq!(found.iter().map(facts).collect::<Vec<_>>(), expected);
    for wrong in [part(7, -1, "bill", 0), part(7, 2, "gift", 0)] {
        let refused = run(store, move |tx| {
            charges::insert(tx, std::slice::from_ref(&wrong), "no such part")
        });
        let refused = refused.await;
        assert!(
            matches!(
                &refused,
                Err(WriteError::Store(StoreError::Database { .. }))
            ),
            "{refused:?}"
        );
    }
}

async fn changes_are_guarded(store: &Store) {
    let moved = run(store, |tx| {
        let mut row = items::get(tx, &id(1, 2))?.unwrap();
        row.revision = 2;
        row.work_date = "2026-07-31".into();
        items::update(tx, &mut row, "edited at the source")?;
        row.state = "exception".into();
        row.code = Some("RATE_NOT_FOUND".into());
        items::update(tx, &mut row, "no rate")?;
        Ok(row.version)
    });
    assert_eq!(moved.await.unwrap(), 3);
    let stale = run(store, |tx| {
        let mut row = items::get(tx, &id(1, 2))?.unwrap();
        row.version -= 1;
        items::update(tx, &mut row, "late")
    });
    assert!(matches!(
        stale.await,
        Err(WriteError::Store(StoreError::Conflict { .. }))
    ));
    let twice = run(store, |tx| {
        let row = items::get(tx, &id(1, 2))?.unwrap();
        items::insert(tx, &[row], "again")
    });
    assert!(matches!(
        twice.await,
        Err(WriteError::Store(StoreError::Duplicate { .. }))
    ));
    let frozen = run(store, |tx| {
        let mut row = items::get(tx, &id(1, 2))?.unwrap();
        row.source = "elsewhere".into();
        items::update(tx, &mut row, "forged")
    });
    assert!(matches!(
        frozen.await,
        Err(WriteError::Store(StoreError::Conflict { .. }))
    ));
    let queue = store
        .read(|tx| exceptions::list(tx, None, 0, 10))
        .await
        .unwrap();
    assert_eq!((queue.len(), queue[0].code.as_str()), (1, "RATE_NOT_FOUND"));
}

async fn rejection_leaves_nothing(store: &Store) {
    let refused: Do<()> = Do(
        "refused",
        Box::new(|tx| {
            settings::put(tx, "left.over", "1", "test")?;
            tx.count("left.over", 1);
            Err(Abort::Rejected("no".into()))
        }),
    );
    assert!(matches!(store.write(refused).await, Err(WriteError::Rejected(why)) if why == "no"));
    assert_eq!(
        store
            .read(|tx| settings::get(tx, "left.over"))
            .await
            .unwrap(),
        None
    );
    assert_eq!(
        store
            .read(|tx| counters::get(tx, "left.over"))
            .await
            .unwrap(),
        0
    );
}

async fn panic_is_isolated(store: &Store) {
    let broken: Do<()> = Do(
        "broken",
        Box::new(|tx| {
            settings::put(tx, "left.over", "1", "test")?;
            panic!("a defect");
        }),
    );
    let answer = store.write(broken).await;
    assert!(matches!(
        answer,
        Err(WriteError::Store(StoreError::Panicked {
            name: "broken",
            ..
        }))
    ));
    assert_eq!(
        store
            .read(|tx| settings::get(tx, "left.over"))
            .await
            .unwrap(),
        None
    );
    run(store, |tx| settings::put(tx, "alive", "1", "test"))
        .await
        .unwrap();
}

async fn posting_and_outcome(store: &Store) {
    run(store, |tx| {
        attempts::insert(tx, &attempt(1, 1, tx.writer_no()), "sent")
    })
    .await
    .unwrap();
    let second = run(store, |tx| {
        attempts::insert(tx, &attempt(2, 1, tx.writer_no()), "sent")
    });
    assert!(matches!(
        second.await,
        Err(WriteError::Store(StoreError::Duplicate { .. }))
    ));
    run(store, |tx| {
        let mut attempt = attempts::open(tx, &id(2, 1))?.unwrap();
        let answer = tx.seal(SealClass::Answer, "target", b"created")?;
        attempts::settle(tx, &mut attempt, "posted", Some(answer), "answered")?;
        let mut document = documents::get(tx, &id(2, 1))?.unwrap();
        let mut rows = postings::list_in(tx, &id(2, 1), &["ready"], 100)?;
        let changes = rows
            .iter_mut()
            .map(|row| {
                let mut change = PostingChange::to("posted", row);
                change.erp_line_ref = Some(format!("L{}", row.posting_no));
                (row, change)
            })
            .collect();
        postings::settle(tx, &mut document, changes, "posted")?;
        document.state = "draft".into();
        document.erp_ref = Some("INV-1".into());
        documents::update(tx, &mut document, "posted")
    })
    .await
    .unwrap();
    let (document, open) = store
        .read(|tx| {
            Ok((
                documents::get(tx, &id(2, 1))?.unwrap(),
                attempts::list_open(tx)?,
            ))
        })
        .await
        .unwrap();
    assert_eq!((document.unsettled, open.len()), (0, 0));
    let sums = store
        .read(|tx| totals::of_document(tx, &id(2, 1)))
        .await
        .unwrap();
    assert_eq!((sums[0].state.as_str(), sums[0].postings), ("posted", 5));
    run(store, |tx| {
        let mut document = documents::get(tx, &id(2, 1))?.unwrap();
        let mut row = postings::get(tx, &id(2, 1), 3)?.unwrap();
        let mut change = PostingChange::to("missing", &row);
        change.code = Some("LINE_GONE".into());
        postings::settle(
            tx,
            &mut document,
            vec![(&mut row, change)],
            "not found any more",
        )?;
        documents::update(tx, &mut document, "checked")
    })
    .await
    .unwrap();
    let problems = store
        .read(|tx| postings::list_problems(tx, "missing", 10))
        .await
        .unwrap();
    assert_eq!(problems.len(), 1);
    let filtered = store
        .read(|tx| exceptions::list(tx, Some("LINE_GONE"), 0, 10))
        .await
        .unwrap();
    assert_eq!(filtered.len(), 1);
    let counts = store.read(exceptions::count_by_code).await.unwrap();
    assert_eq!(
        counts,
        [
            ("LINE_GONE".to_owned(), 1),
            ("RATE_NOT_FOUND".to_owned(), 1)
        ]
    );
}

async fn feedback_is_told_once(store: &Store) {
    let wish = |status: &str| FeedbackWish {
        item_id: id(1, 1),
        status: status.into(),
        reference: "INV-1".into(),
        due_at_us: START_US,
    };
    let (billed, paid) = (wish("billed"), wish("paid"));
    let again = billed.clone();
    let first = run(store, move |tx| {
        feedback::upsert(tx, std::slice::from_ref(&billed), "posted")
    });
    assert_eq!(first.await.unwrap(), 1);
    let tell = |store: &Store| {
        let store = store.clone();
        async move {
            run(&store, |tx| {
                let mut due = feedback::due(tx, START_US, 10)?;
                for row in &mut due {
                    feedback::mark_told(tx, row, "told")?;
                }
                Ok(due.len())
            })
            .await
            .unwrap()
        }
    };
    assert_eq!(tell(store).await, 1);
    let same = run(store, move |tx| {
        feedback::upsert(tx, std::slice::from_ref(&again), "posted")
    });
    assert_eq!(same.await.unwrap(), 0);
    assert_eq!(tell(store).await, 0);
    let changed = run(store, move |tx| {
        feedback::upsert(tx, std::slice::from_ref(&paid), "paid")
    });
    assert_eq!(changed.await.unwrap(), 1);
    assert_eq!(tell(store).await, 1);
}

/// A refusal is in the queue with what was said last and since the first, and leaves it when the
/// source takes what it was told.
async fn a_refusal_stands_until_it_ends(store: &Store) {
    let refuse = |words: &'static [u8]| {
        run(store, move |tx| {
            let fact = tx.seal(SealClass::Answer, "source", words)?;
            refusals::open(tx, &id(1, 1), fact, "refused")
        })
    };
    let queue = || {
        let code = Some("TRACKER_REFUSED");
        store.read(move |tx| exceptions::list(tx, code, 0, 10))
    };
    refuse(b"no").await.unwrap();
    let first = queue().await.unwrap();
    refuse(b"still no").await.unwrap();
    let open = queue().await.unwrap();
    assert_eq!((first.len(), open.len()), (1, 1));
    assert_eq!(
        (open[0].subject.as_str(), open[0].item_id),
        ("refusal", Some(id(1, 1)))
    );
    assert_eq!(open[0].since_us, first[0].since_us);
    assert_ne!(open[0].fact, first[0].fact);
    let counts = store.read(exceptions::count_by_code).await.unwrap();
    assert!(
        counts.contains(&("TRACKER_REFUSED".to_owned(), 1)),
        "{counts:?}"
    );
    let row = || store.read(|tx| refusals::get(tx, &id(1, 1)));
    for _ in 0..2 {
        run(store, |tx| refusals::close(tx, &id(1, 1), "told"))
            .await
            .unwrap();
        let row = row().await.unwrap().unwrap();
        assert_eq!((row.open, row.version), (false, 3));
    }
    assert_eq!(queue().await.unwrap(), []);
    let counts = store.read(exceptions::count_by_code).await.unwrap();
    assert!(
        counts.iter().all(|(code, _)| code != "TRACKER_REFUSED"),
        "{counts:?}"
    );
}

/// A stray is in the queue until it is closed, and is known afterwards.
async fn a_stray_stands_until_it_is_closed(store: &Store) {
    for item_id in [Some(id(1, 1)), None] {
        let key = format!("STRAY{}", usize::from(item_id.is_some()));
        let of_key = key.clone();
        let note = run(store, move |tx| {
            let fact = tx.seal(SealClass::Answer, "target", b"a line")?;
            let row = strays::StrayRow {
                line_key: of_key.clone(),
                item_id,
                effect: item_id.map(|_| 3),
                shape: "draft_line".to_owned(),
                line_ref: "7".to_owned(),
                quantity_micro: 1_000_000,
                amount_minor: Some(100),
                currency: Some("EUR".to_owned()),
                open: true,
                since_us: tx.now_us(),
                fact,
                version: 1,
            };
            strays::put(tx, &row, "found")?;
            strays::put(tx, &row, "found")
        });
        note.await.unwrap();
        let queue = || {
            let code = Some("LINE_NOT_IN_LEDGER");
            store.read(move |tx| exceptions::list(tx, code, 0, 10))
        };
        let open = queue().await.unwrap();
        assert_eq!(open.len(), 1);
        assert_eq!(
            (open[0].item_id, open[0].line_key.as_ref()),
            (item_id, Some(&key))
        );
        let counts = store.read(exceptions::count_by_code).await.unwrap();
        assert!(
            counts.contains(&("LINE_NOT_IN_LEDGER".to_owned(), 1)),
            "{counts:?}"
        );
        let of_key = key.clone();
        run(store, move |tx| strays::close(tx, &of_key, "dealt with"))
            .await
            .unwrap();
        assert_eq!(queue().await.unwrap(), []);
        let row = store.read(move |tx| strays::get(tx, &key)).await.unwrap();
        assert!(row.is_some_and(|row| !row.open && row.version == 3));
    }
    let of_item = store.read(|tx| strays::list_for_item(tx, &id(1, 1))).await;
    assert_eq!(of_item.unwrap().len(), 1);
    assert_eq!(store.read(strays::all).await.unwrap().len(), 2);
}

/// A charge is a member of one line; what a charge took back is a member no more.
async fn a_charge_is_on_one_line(store: &Store) {
    let member = |charge_no: i64| line_members::LineMemberRow {
        item_id: id(1, 1),
        charge_no,
        line_id: id(7, 1),
        version: 1,
    };
    run(store, move |tx| {
        let explain = tx.seal(SealClass::Explanation, "w-17", b"taken back")?;
        let mut back = charge(1, 1, explain);
        (back.charge_no, back.reverses, back.part) = (7, Some(6), 1);
        "cost".clone_into(&mut back.disposition);
        charges::insert(tx, &[back], "taken back")?;
        line_members::insert(tx, &[member(1), member(6)], "booked")
    })
    .await
    .unwrap();
    let standing = |line| store.read(move |tx| line_members::standing(tx, &id(7, line)));
    assert_eq!(standing(1).await.unwrap(), [member(1)]);
    let of_item = store.read(|tx| line_members::of_item(tx, &id(1, 1))).await;
    assert_eq!(of_item.unwrap(), [member(1), member(6)]);
    let second = run(store, move |tx| {
        line_members::insert(tx, &[member(6)], "booked on a second line")
    });
    assert!(second.await.is_err());
    run(store, move |tx| {
        let mut row = line_members::get(tx, &id(1, 1), 1)?.unwrap();
        line_members::move_to(tx, &mut row, id(7, 2), "its line was issued without it")
    })
    .await
    .unwrap();
    assert_eq!(standing(1).await.unwrap(), []);
    assert_eq!(standing(2).await.unwrap().len(), 1);
}

async fn the_rest(store: &Store) {
    run(store, |tx| {
        let mut scan = scans::start(tx, "tracker", "2026-08-01", "2026-08-31", "asked")?;
        scan.rows_seen = 5;
        scan.finished_at_us = Some(tx.now_us());
        scans::update(tx, &mut scan, "finished")?;
        limits::put(tx, "erp", "{\"spent\":1}", "sent")?;
        limits::put(tx, "erp", "{\"spent\":2}", "sent")?;
        accounts::put(tx, "K1", "{\"used\":1}", "reserved")?;
        accounts::put(tx, "K1", "{\"used\":1}", "reserved")?;
        accounts::put(tx, "K1", "{\"used\":2}", "reserved")?;
        let snapshot = snapshots::SnapshotRow {
            version: 1,
            digest: [5; 32],
            created_at_us: START_US,
            body: b"rates".to_vec(),
        };
        snapshots::insert(tx, &snapshot, "loaded")?;
        tx.act_as("finance");
        tx.audit("document DOC1", "released", None)
    })
    .await
    .unwrap();
    let scan = store
        .read(|tx| scans::last_finished(tx, "tracker"))
        .await
        .unwrap()
        .unwrap();
    assert_eq!((scan.scan_no, scan.rows_seen, scan.version), (1, 5, 2));
    let limit = store
        .read(|tx| limits::get(tx, "erp"))
        .await
        .unwrap()
        .unwrap();
    assert_eq!((limit.body.as_str(), limit.version), ("{\"spent\":2}", 2));
    let account = store
        .read(|tx| accounts::get(tx, "K1"))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (account.body.as_str(), account.version),
        ("{\"used\":2}", 2)
    );
    assert_eq!(store.read(accounts::list).await.unwrap(), [account]);
    assert_eq!(
        store.read(snapshots::latest_version).await.unwrap(),
        Some((1, [5; 32]))
    );
}

/// Everything, in order, on one store.
pub(crate) async fn exercise(store: &Store) {
    items_and_documents(store).await;
    changes_are_guarded(store).await;
    rejection_leaves_nothing(store).await;
    panic_is_isolated(store).await;
    posting_and_outcome(store).await;
    feedback_is_told_once(store).await;
    a_refusal_stands_until_it_ends(store).await;
    a_stray_stands_until_it_is_closed(store).await;
    the_rest(store).await;
    charges_have_parts(store).await;
    a_charge_is_on_one_line(store).await;
    assert_eq!(audit::verify(store).await.unwrap().problems, []);
}

#[tokio::test]
async fn in_memory() {
    exercise(&Store::open_in_memory(options("a")).unwrap()).await;
}

#[tokio::test]
async fn in_a_file() {
    let folder = tempfile::tempdir().unwrap();
    exercise(&Store::open_sqlite(folder.path().join("ledger.db"), options("a")).unwrap()).await;
}

#[tokio::test]
async fn on_postgres() {
    let Some(fresh) = Fresh::database("exercise") else {
        return;
    };
    exercise(&Store::open_postgres(&fresh.url, options("a")).unwrap()).await;
}

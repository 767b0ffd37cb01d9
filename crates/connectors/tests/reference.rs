//! The reference pair against the twins: in process, where time is simulated.

mod reference_support;

use connector_sdk::source::{DateWindow, Fetched, TimeSource};
use connector_sdk::target::{LineOutcome, Shape, Target};
use domain::posting::{DocumentState, PostingKind};
use reference_support::{Bench, batch, call, line};

#[tokio::test]
async fn an_entry_goes_round() {
    let bench = Bench::new();
    let tracker = bench.tracker();
    let erp = bench.erp();
    let window = DateWindow {
        from: jiff::civil::date(2026, 10, 1),
        to: jiff::civil::date(2026, 10, 31),
    };
    let scan = tracker.scan(window).await.unwrap();
    assert_eq!(scan.entries.len(), 3);
    let first = &scan.entries[0];
    assert!(matches!(
        tracker.fetch(&first.source_ref).await.unwrap(),
        Fetched::Present(_)
    ));
    let masters = erp.masters().await.unwrap();
    assert_eq!(masters.tasks.len(), 2);
    let outcomes = erp
        .post(
            &call(),
            &batch(PostingKind::CreateLine, vec![line("K1"), line("K2")]),
        )
        .await
        .unwrap();
    assert!(matches!(outcomes[0], LineOutcome::Done { .. }));
    let found = erp
        .look_up(Shape::DraftLine, &["K1".to_owned(), "K9".to_owned()])
        .await
        .unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].document_state, DocumentState::Draft);
}

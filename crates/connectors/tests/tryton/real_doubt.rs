//! A call that goes on in Tryton after we gave up on it.

use crate::batch::{batch, head, line};
use crate::lab::{Kind, Lab, call, call_within};
use connector_sdk::call::CallError;
use connector_sdk::clock::{Clock, SystemClock};
use connector_sdk::target::{LineOutcome, PostLine, Shape, Target};
use domain::posting::PostingKind;

#[tokio::test]
async fn a_time_out_leaves_doubt_and_a_late_look_up_ends_it() {
    let Some(lab) = Lab::open(Kind::Key) else {
        return;
    };
    let target = lab.target();
    let head = head(&lab, "C-ACME");
    let lines: Vec<PostLine> = (0..500)
        .map(|_| line(&lab, &head, "CONS", "1.33", "187.1234"))
        .collect();
    let keys: Vec<String> = lines.iter().map(|line| line.line_key.clone()).collect();
    let create = batch(PostingKind::CreateLine, &head, &lines);
    target.identity().await.unwrap();
    let result = target.post(&call_within(2000), &create).await;
    assert!(
        matches!(result, Err(CallError::Ambiguous { .. })),
        "{result:?}"
    );

    // Looked at too early there is nothing, which proves nothing; later all of it is there.
    let early = target.look_up(Shape::DraftLine, &keys).await.unwrap();
    assert!(
        early.is_empty() || early.len() == 500,
        "{} of 500",
        early.len()
    );
    let mut found = early;
    for _ in 0..180 {
        if found.len() == 500 {
            break;
        }
        SystemClock
            .sleep_until_us(SystemClock.now_us() + 1_000_000)
            .await;
        found = target.look_up(Shape::DraftLine, &keys).await.unwrap();
    }
    assert_eq!(found.len(), 500);
    let document = found[0].document_ref.clone().unwrap();
    let again = target.post(&call(), &create).await.unwrap();
    assert!(
        again
            .iter()
            .all(|outcome| matches!(outcome, LineOutcome::AlreadyThere(_)))
    );
    let domain = format!(r#"[["invoice","=",{document}]]"#);
    assert_eq!(lab.count("account.invoice.line", &domain).await, 500);
    let report = target
        .look_up_document(Shape::DraftLine, &head.document_key)
        .await
        .unwrap();
    assert_eq!(
        report.unwrap().untaxed.unwrap().to_string(),
        "EUR 124435.00"
    );
}

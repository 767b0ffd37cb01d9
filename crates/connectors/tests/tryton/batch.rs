//! Batches for tests.

use crate::lab::Lab;
use connector_sdk::target::{DocumentHead, FoundLine, LineOutcome, PostBatch, PostLine, Shape};
use domain::exception::Code;
use domain::money::Money;
use domain::posting::PostingKind;
use domain::rounding::Rounding;
use jiff::civil::date;
use std::sync::atomic::{AtomicU64, Ordering};

static SERIAL: AtomicU64 = AtomicU64::new(1);

/// A key that no other test has: letters and digits like the real ones.
pub(crate) fn fresh_key(label: &str) -> String {
    use connector_sdk::clock::{Clock as _, SystemClock};
    let serial = SERIAL.fetch_add(1, Ordering::Relaxed);
    format!("{label}{serial}Z{}", SystemClock.now_us()).to_uppercase()
}

/// A draft for a customer of the seed.
pub(crate) fn head(lab: &Lab, customer: &str) -> DocumentHead {
    let currency = lab.facts["customers"][customer]["billing_currency"]
        .as_str()
        .unwrap();
    DocumentHead {
        document_key: fresh_key("DOC"),
        shape: Shape::DraftLine,
        erp_ref: None,
        customer_ref: Some(lab.id(&["customers", customer, "id"])),
        currency: currency.parse().unwrap(),
        document_date: date(2026, 10, 31),
        label: "Test of October".to_owned(),
    }
}

/// A line of that draft.
pub(crate) fn line(
    lab: &Lab,
    head: &DocumentHead,
    product: &str,
    quantity: &str,
    rate: &str,
) -> PostLine {
    let quantity = quantity.parse().unwrap();
    let rate = rate.parse().unwrap();
    let key = fresh_key("LINE");
    PostLine {
        posting_key: key.clone(),
        line_key: key,
        erp_line_ref: None,
        quantity,
        unit: domain::quantity::Unit::Hour,
        rate,
        amount: Money::times(quantity, rate, head.currency, Rounding::HalfEven).unwrap(),
        recorded_seconds: 4800,
        work_date: date(2026, 10, 5),
        service_item_ref: lab.id(&["products", product, "id"]),
        task_ref: Some(lab.id(&[
            "projects",
            "P-ACME-TM",
            "tasks",
            "T-ACME-BUILD",
            "timesheet_work",
        ])),
        worker_ref: Some(lab.id(&["employees", "E-FOX", "id"])),
        description: "Rollout: \"first\" wave\n2026-10-05".to_owned(),
    }
}

pub(crate) fn batch(kind: PostingKind, head: &DocumentHead, lines: &[PostLine]) -> PostBatch {
    PostBatch {
        kind,
        document: head.clone(),
        lines: lines.to_vec(),
    }
}

/// Line and document of each outcome, all of which must be done.
pub(crate) fn all_done(outcomes: &[LineOutcome]) -> Vec<(String, Option<String>)> {
    outcomes
        .iter()
        .map(|outcome| match outcome {
            LineOutcome::Done {
                line_ref,
                document_ref,
            } => (line_ref.clone(), document_ref.clone()),
            other => panic!("not done: {other:?}"),
        })
        .collect()
}

pub(crate) fn keys(lines: &[PostLine]) -> Vec<String> {
    lines.iter().map(|line| line.line_key.clone()).collect()
}

pub(crate) fn same_content(found: &FoundLine, line: &PostLine) {
    assert_eq!(found.line_key, line.line_key);
    assert_eq!(found.quantity, line.quantity);
    assert_eq!(found.rate, Some(line.rate));
    assert_eq!(found.amount, Some(line.amount));
}

pub(crate) fn already(outcome: &LineOutcome) -> &FoundLine {
    match outcome {
        LineOutcome::AlreadyThere(found) => found,
        other => panic!("not there already: {other:?}"),
    }
}

pub(crate) fn refused(outcome: &LineOutcome) -> Code {
    match outcome {
        LineOutcome::Refused(problem) => problem.code,
        other => panic!("not refused: {other:?}"),
    }
}

//! What the auditor reads, cheating that it must see, and determinism.

use crate::support::{Bench, batch, call, line, small_erp, small_tracker};
use connector_sdk::target::Target;
use connector_sdk::transport::Method;
use domain::posting::PostingKind;
use serde_json::Value;
use twins::erp::{Tamper, TamperMode, TamperWhen};
use twins::fault::{FaultPlan, seeded};
use twins::firm::{FirmSpec, generate};
use twins::frame::{State, handle};
use twins::wire::WireRequest;

const TRUTH: &str = "http://erp.twin/truth";

async fn two_lines(tamper: Option<Tamper>) -> Value {
    let mut state = small_erp();
    state.machine.settings.tamper = tamper;
    let bench = Bench::of(small_tracker(), state);
    let lines = vec![line("K1"), line("K2")];
    let erp = bench.erp();
    erp.post(&call(), &batch(PostingKind::CreateLine, lines))
        .await
        .unwrap();
    bench.ask(Method::Get, TRUTH, b"").await
}

#[tokio::test]
async fn the_truth_holds_everything_and_can_only_be_read() {
    let truth = two_lines(None).await;
    let line = &truth["lines"][0];
    for (field, value) in [
        ("key", "K1"),
        ("document_state", "draft"),
        ("quantity", "1.33"),
        ("rate", "187.1234"),
        ("amount", "248.87"),
        ("currency", "EUR"),
        ("work_date", "2026-10-05"),
    ] {
        assert_eq!(line[field], value, "{field}");
    }
    let effects = truth["effects"].as_array().unwrap();
    assert_eq!(effects.len(), 3);
    assert_eq!(effects[1]["key"], "K1");
    assert_eq!(effects[1]["actor"], "client");
    assert_eq!(truth["account"]["requests"], 1);
    let bench = Bench::new();
    let refused = bench.ask(Method::Post, TRUTH, b"{}").await;
    assert_eq!(refused["code"], "READ_ONLY");
    let nothing = bench
        .ask(Method::Get, "http://erp.twin/truth/secrets", b"")
        .await;
    assert_eq!(nothing["code"], "NO_SUCH_ADDRESS");
}

#[tokio::test]
async fn cheating_leaves_no_trace_in_the_history() {
    let honest = two_lines(None).await;
    for when in [TamperWhen::End, TamperWhen::AtLine(1)] {
        for (mode, lines) in [
            (TamperMode::Drop, 1),
            (TamperMode::Cent, 2),
            (TamperMode::Double, 3),
            (TamperMode::DoubleOtherKey, 3),
        ] {
            let truth = two_lines(Some(Tamper { mode, when })).await;
            let told = |truth: &Value| -> Vec<(String, String)> {
                let rows = truth["effects"].as_array().unwrap();
                rows.iter()
                    .map(|row| (row["what"].to_string(), row["key"].to_string()))
                    .collect()
            };
            assert_eq!(told(&truth), told(&honest), "{mode:?}");
            assert_eq!(truth["lines"].as_array().unwrap().len(), lines, "{mode:?}");
            assert_ne!(truth["lines"], honest["lines"], "{mode:?}");
        }
    }
}

#[test]
fn the_same_seed_and_requests_give_the_same_bytes() {
    let spec = FirmSpec {
        consultants: 4,
        entries: 60,
        ..FirmSpec::default()
    };
    let run = |seed: u64| {
        let firm = generate(3, &spec).unwrap();
        let mut tracker = State::new(firm.tracker);
        tracker.plan = FaultPlan::nasty(seed);
        let mut erp = State::new(firm.erp);
        erp.plan = FaultPlan::nasty(seed);
        let (mut rng, mut other) = (seeded(seed), seeded(seed));
        let mut seen = Vec::new();
        for step in 0..60 {
            let now_us = step * 1_000_000;
            for path in [
                "/v1/entries?from=2026-10-01&to=2026-10-31&limit=7",
                "/v1/projects",
                "/truth",
            ] {
                let request = WireRequest::new("GET", path, &[], Vec::new());
                seen.push(handle(&mut tracker, &request, now_us, &mut rng));
            }
            for path in ["/v1/customers", "/v1/lines?keys=A,B", "/truth"] {
                let request = WireRequest::new("GET", path, &[], Vec::new());
                seen.push(handle(&mut erp, &request, now_us, &mut other));
            }
        }
        seen
    };
    assert_eq!(run(1), run(1));
    assert_ne!(run(1), run(2));
}

//! Each class of fault, what the connector makes of it, and what the ERP holds afterwards.

use crate::support::{Bench, batch, call, line, small_erp, small_tracker};
use connector_sdk::call::CallError;
use connector_sdk::source::{DateWindow, TimeSource};
use connector_sdk::target::{Shape, Target};
use connector_sdk::transport::Method;
use domain::posting::PostingKind;
use twins::fault::FaultPlan;
use twins::frame::RequestLimit;

fn kind(error: &CallError) -> String {
    match error {
        CallError::NotExecuted { retry_after_ms, .. } => format!("not executed {retry_after_ms:?}"),
        CallError::Throttled { retry_after_ms, .. } => format!("throttled {retry_after_ms:?}"),
        CallError::Unauthorized { .. } => "unauthorized".to_owned(),
        CallError::Ambiguous { .. } => "ambiguous".to_owned(),
        CallError::Refused { .. } => "refused".to_owned(),
        CallError::Contract { .. } => "contract".to_owned(),
    }
}

type Set = fn(&mut FaultPlan);

/// The fault, what a write is told, how many lines the ERP holds then, and after a long while.
pub(crate) const WRITES: &[(&str, Set, &str, usize, usize)] = &[
    (
        "throttled",
        |p| p.throttled = 1000,
        "throttled Some(1000)",
        0,
        0,
    ),
    (
        "throttled bare",
        |p| p.throttled_without_hint = 1000,
        "throttled None",
        0,
        0,
    ),
    (
        "unavailable",
        |p| p.unavailable = 1000,
        "not executed None",
        0,
        0,
    ),
    (
        "dropped before",
        |p| p.dropped_before = 1000,
        "ambiguous",
        0,
        0,
    ),
    (
        "error after",
        |p| p.error_after_commit = 1000,
        "ambiguous",
        1,
        1,
    ),
    (
        "silent after",
        |p| p.silent_after_commit = 1000,
        "ambiguous",
        1,
        1,
    ),
    (
        "dropped after",
        |p| p.dropped_after_commit = 1000,
        "ambiguous",
        1,
        1,
    ),
    ("late", |p| p.late_commit = 1000, "ambiguous", 0, 1),
    ("cut", |p| p.cut_body = 1000, "ambiguous", 1, 1),
    ("garbage", |p| p.garbage = 1000, "ambiguous", 1, 1),
    (
        "slower than the time-out",
        |p| {
            p.slow = 1000;
            p.slow_ms = 60_000;
        },
        "ambiguous",
        1,
        1,
    ),
];

#[tokio::test]
async fn a_write_that_fails_is_told_apart_by_what_may_have_happened() {
    for (name, set, expected, now, later) in WRITES {
        let bench = Bench::new();
        bench.erp_twin.with(|state| set(&mut state.plan));
        let erp = bench.erp();
        let lines = vec![line("K1")];
        let error = erp
            .post(&call(), &batch(PostingKind::CreateLine, lines))
            .await
            .unwrap_err();
        assert_eq!(kind(&error), *expected, "{name}");
        let held = || bench.erp_twin.with(|state| state.machine.lines.len());
        assert_eq!(held(), *now, "{name}");
        bench.erp_twin.with(|state| state.plan = FaultPlan::none(1));
        bench.pass_ms(120_000);
        let found = erp
            .look_up(Shape::DraftLine, &["K1".to_owned()])
            .await
            .unwrap();
        assert_eq!(found.len(), *later, "{name}");
    }
}

#[tokio::test]
async fn a_read_that_fails_changes_nothing_and_is_never_in_doubt() {
    for (name, set, _, _, _) in WRITES {
        let bench = Bench::new();
        bench.erp_twin.with(|state| set(&mut state.plan));
        let result = bench
            .erp()
            .look_up(Shape::DraftLine, &["K1".to_owned()])
            .await;
        let expected = match *name {
            "throttled" => "throttled Some(1000)",
            "throttled bare" => "throttled None",
            "garbage" => "contract",
            _ => "not executed None",
        };
        assert_eq!(kind(&result.unwrap_err()), expected, "{name}");
    }
}

#[tokio::test]
async fn a_call_whose_time_has_passed_is_not_sent() {
    let bench = Bench::new();
    let mut late = call();
    late.send_not_after_us = 1;
    let error = bench
        .erp()
        .post(&late, &batch(PostingKind::CreateLine, vec![line("K1")]))
        .await
        .unwrap_err();
    assert_eq!(kind(&error), "not executed None");
    assert_eq!(bench.erp_twin.with(|state| state.requests), 0);
}

#[tokio::test]
async fn a_wrong_token_is_unauthorized_and_shown_nowhere() {
    let bench = Bench::new();
    bench
        .erp_twin
        .with(|state| state.token = Some("other".to_owned()));
    let erp = bench.erp();
    let error = erp.identity().await.unwrap_err();
    assert_eq!(kind(&error), "unauthorized");
    let shown = format!("{erp:?} {error:?} {error} {:?}", bench.tracker());
    assert!(!shown.contains("sesame"), "{shown}");
}

#[tokio::test]
async fn a_read_in_pages_survives_a_server_that_often_fails() {
    let mut state = small_tracker();
    state.plan.throttled = 150;
    state.plan.unavailable = 150;
    state.plan.dropped_before = 50;
    let bench = Bench::of(state, small_erp());
    let tracker = bench.tracker();
    let window = DateWindow {
        from: jiff::civil::date(2026, 10, 1),
        to: jiff::civil::date(2026, 10, 31),
    };
    for _ in 0..20 {
        assert_eq!(tracker.scan(window).await.unwrap().entries.len(), 3);
    }
}

#[tokio::test]
async fn every_request_over_the_limit_is_counted() {
    let mut state = small_erp();
    state.limit = Some(RequestLimit {
        requests: 2,
        window_ms: 10_000,
    });
    let bench = Bench::of(small_tracker(), state);
    let erp = bench.erp();
    assert!(erp.identity().await.is_ok());
    assert!(erp.identity().await.is_ok());
    let error = erp.identity().await.unwrap_err();
    assert_eq!(kind(&error), "throttled Some(10000)");
    bench.pass_ms(1);
    assert!(erp.identity().await.is_err());
    bench.pass_ms(10_000);
    assert!(erp.identity().await.is_ok());
    let kinds: Vec<&str> = bench
        .erp_twin
        .with(|state| state.breaches.iter().map(|breach| breach.kind).collect());
    assert_eq!(kinds, ["over_limit", "before_retry_after", "over_limit"]);
}

#[tokio::test]
async fn an_attempt_key_is_answered_with_the_same_words() {
    let mut state = small_erp();
    state.machine.settings.honours_idempotency_key = true;
    let bench = Bench::of(small_tracker(), state);
    let erp = bench.erp();
    let lines = || batch(PostingKind::CreateLine, vec![line("K1")]);
    let first = erp.post(&call(), &lines()).await.unwrap();
    assert_eq!(erp.post(&call(), &lines()).await.unwrap(), first);
    let other = batch(PostingKind::CreateLine, vec![line("K2")]);
    let error = erp.post(&call(), &other).await.unwrap_err();
    assert_eq!(kind(&error), "contract");
    assert_eq!(bench.erp_twin.with(|state| state.machine.lines.len()), 1);
}

/// Post until it is surely there, looking up when in doubt, the way the pipeline does.
async fn settle(bench: &Bench, key: &str) -> usize {
    let erp = bench.erp();
    for attempt in 0..200 {
        let mut call = call();
        call.attempt_key = format!("{key}-{attempt}");
        call.send_not_after_us = i64::MAX;
        let lines = vec![line(key)];
        match erp
            .post(&call, &batch(PostingKind::CreateLine, lines))
            .await
        {
            Ok(_) => return attempt,
            Err(CallError::Ambiguous { .. }) => {
                bench.pass_ms(120_000);
                let found = loop {
                    if let Ok(found) = erp.look_up(Shape::DraftLine, &[key.to_owned()]).await {
                        break found;
                    }
                    bench.pass_ms(5_000);
                };
                if !found.is_empty() {
                    return attempt;
                }
            }
            Err(CallError::NotExecuted { .. } | CallError::Throttled { .. }) => {
                bench.pass_ms(5_000);
            }
            Err(error) => panic!("{error}"),
        }
    }
    panic!("never settled");
}

#[tokio::test]
async fn looking_before_repeating_leaves_one_line_of_each_key_in_both_modes() {
    use twins::erp::Uniqueness;
    for uniqueness in [Uniqueness::UniqueKey, Uniqueness::LookUp] {
        for seed in 0..6 {
            let mut state = small_erp();
            state.machine.settings.uniqueness = uniqueness;
            state.plan = FaultPlan {
                person_deletes_line: 0,
                person_edits_line: 0,
                person_moves_line: 0,
                person_issues: 0,
                person_pays: 0,
                person_credits: 0,
                ..FaultPlan::nasty(seed)
            };
            let bench = Bench::of(small_tracker(), state);
            for number in 0..12 {
                settle(&bench, &format!("K{number}")).await;
            }
            bench.pass_ms(600_000);
            let reply = bench
                .ask(Method::Get, "http://erp.twin/truth/lines", b"")
                .await;
            let lines = reply.as_array().unwrap();
            let keys: std::collections::BTreeSet<&str> = lines
                .iter()
                .map(|line| line["key"].as_str().unwrap())
                .collect();
            assert_eq!(
                (keys.len(), lines.len()),
                (12, 12),
                "{uniqueness:?} seed {seed}"
            );
        }
    }
}

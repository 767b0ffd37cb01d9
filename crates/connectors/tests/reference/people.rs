//! People beside the product: what they do at once, at a moment, or on the spur of it.

use crate::support::{Bench, START_US, batch, call, line, small_erp, small_tracker};
use connector_sdk::source::{DateWindow, TimeSource};
use connector_sdk::target::{Shape, Target};
use connector_sdk::transport::Method;
use domain::posting::{DocumentState, PostingKind};
use serde_json::{Value, json};
use twins::fault::FaultPlan;

const CONTROL: &str = "http://tracker.twin/control";

async fn act(bench: &Bench, host: &str, act: Value) -> Value {
    let url = format!("http://{host}/control/act");
    bench
        .ask(Method::Post, &url, act.to_string().as_bytes())
        .await
}

fn october() -> DateWindow {
    DateWindow {
        from: jiff::civil::date(2026, 10, 1),
        to: jiff::civil::date(2026, 10, 31),
    }
}

#[tokio::test]
async fn consultants_edit_edit_back_and_delete() {
    let bench = Bench::new();
    let tracker = bench.tracker();
    let before = tracker.scan(october()).await.unwrap().entries;
    let edit = json!({"do": "edit_entry", "id": "1", "hours": "2.00"});
    assert_eq!(
        act(&bench, "tracker.twin", edit).await,
        json!({"changed": "1"})
    );
    let edited = tracker.scan(october()).await.unwrap().entries;
    assert_eq!(edited[0].fields.recorded_seconds, 7200);
    act(
        &bench,
        "tracker.twin",
        json!({"do": "edit_back", "id": "1"}),
    )
    .await;
    let back = tracker.scan(october()).await.unwrap().entries;
    assert_eq!(back[0].fields, before[0].fields);
    act(
        &bench,
        "tracker.twin",
        json!({"do": "unapprove", "id": "2"}),
    )
    .await;
    act(
        &bench,
        "tracker.twin",
        json!({"do": "delete_entry", "id": "3"}),
    )
    .await;
    let after = tracker.scan(october()).await.unwrap().entries;
    assert_eq!(after.len(), 2);
    assert!(!after[1].fields.approved);
    let truth = bench
        .ask(Method::Get, "http://tracker.twin/truth", b"")
        .await;
    assert_eq!(truth["deleted"][0]["entry"]["id"], "3");
    let what: Vec<&str> = truth["changes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|change| change["what"].as_str().unwrap())
        .collect();
    assert_eq!(what, ["edit", "edit_back", "unapprove", "delete"]);
}

#[tokio::test]
async fn acts_come_at_their_moment_or_after_so_many_requests() {
    let bench = Bench::new();
    let acts = json!([
        {"when": {"at_us": START_US + 5_000_000}, "act": {"do": "delete_entry", "id": "1"}},
        {"when": {"after_requests": 3}, "act": {"do": "delete_entry", "id": "2"}},
    ]);
    let url = format!("{CONTROL}/schedule");
    bench
        .ask(Method::Post, &url, acts.to_string().as_bytes())
        .await;
    let tracker = bench.tracker();
    // Two pages each.
    assert_eq!(tracker.scan(october()).await.unwrap().entries.len(), 3);
    bench.pass_ms(5_000);
    assert_eq!(tracker.scan(october()).await.unwrap().entries.len(), 2);
    assert_eq!(tracker.scan(october()).await.unwrap().entries.len(), 1);
}

#[tokio::test]
async fn finance_edits_moves_deletes_issues_pays_and_credits() {
    let bench = Bench::new();
    let erp = bench.erp();
    let lines = vec![line("K1"), line("K2"), line("K3"), line("K4")];
    erp.post(&call(), &batch(PostingKind::CreateLine, lines))
        .await
        .unwrap();
    let host = "erp.twin";
    act(
        &bench,
        host,
        json!({"do": "edit_line", "line": "K1", "quantity": "1.00"}),
    )
    .await;
    let moved = act(&bench, host, json!({"do": "move_line", "line": "K2"})).await;
    act(&bench, host, json!({"do": "delete_line", "line": "K3"})).await;
    act(&bench, host, json!({"do": "issue", "document": "DOC1"})).await;
    act(&bench, host, json!({"do": "pay", "document": "2026-00001"})).await;
    let keys: Vec<String> = ["K1", "K2", "K3", "K4"].map(str::to_owned).to_vec();
    let found = erp.look_up(Shape::DraftLine, &keys).await.unwrap();
    assert_eq!(found.len(), 3);
    assert_eq!(found[0].amount.unwrap().to_string(), "EUR 187.12");
    assert_eq!(found[0].document_state, DocumentState::Paid);
    assert_eq!(found[1].document_ref.as_deref(), moved["document"].as_str());
    assert_eq!(found[1].document_state, DocumentState::Draft);
    act(&bench, host, json!({"do": "credit", "document": "DOC1"})).await;
    let found = erp.look_up(Shape::DraftLine, &keys).await.unwrap();
    assert_eq!(found[0].document_state, DocumentState::Credited);
    let refused = act(&bench, host, json!({"do": "delete_line", "line": "K1"})).await;
    assert_eq!(refused["code"], "NOT_POSSIBLE");
    act(
        &bench,
        host,
        json!({"do": "hold_customer", "customer": "C1"}),
    )
    .await;
    act(&bench, host, json!({"do": "lift_hold", "customer": "C1"})).await;
    assert!(!erp.masters().await.unwrap().customers["C1"].on_hold);
    let unknown = act(&bench, host, json!({"do": "sing"})).await;
    assert_eq!(unknown["code"], "MALFORMED");
}

#[tokio::test]
async fn faults_and_limits_are_set_while_it_runs() {
    let bench = Bench::new();
    let faults = format!("{CONTROL}/faults");
    let set = br#"{"preset":"nasty","seed":9}"#;
    let plan = bench.ask(Method::Put, &faults, set).await;
    assert_eq!(plan, json!(FaultPlan::nasty(9)));
    assert_eq!(bench.ask(Method::Get, &faults, b"").await, plan);
    let partial = bench
        .ask(Method::Put, &faults, br#"{"unavailable":1000}"#)
        .await;
    assert_eq!(partial["unavailable"], 1000);
    assert!(bench.tracker().scan(october()).await.is_err());
    for bad in [
        &br#"{"unavailable":900,"throttled":900}"#[..],
        br#"{"preset":"kind","seed":1}"#,
    ] {
        let refused = bench.ask(Method::Put, &faults, bad).await;
        assert_eq!(refused["code"], "NOT_POSSIBLE");
    }
    let limit = format!("{CONTROL}/limit");
    let set = br#"{"requests":5,"window_ms":1000}"#;
    assert_eq!(bench.ask(Method::Put, &limit, set).await["requests"], 5);
    assert_eq!(bench.ask(Method::Put, &limit, b"null").await, Value::Null);
}

#[tokio::test]
async fn people_interfere_on_the_spur_of_the_moment() {
    let mut erp_state = small_erp();
    erp_state.plan = FaultPlan {
        person_deletes_line: 100,
        person_edits_line: 100,
        person_moves_line: 100,
        person_issues: 50,
        person_pays: 50,
        person_credits: 50,
        ..FaultPlan::none(4)
    };
    let mut tracker_state = small_tracker();
    tracker_state.plan = FaultPlan {
        consultant_edits: 200,
        consultant_edits_back: 100,
        consultant_deletes: 20,
        ..FaultPlan::none(4)
    };
    let bench = Bench::of(tracker_state, erp_state);
    for number in 0..200 {
        let mut batch = batch(PostingKind::CreateLine, vec![line(&format!("K{number}"))]);
        batch.document.document_key = format!("D{number}");
        bench.erp().post(&call(), &batch).await.unwrap();
        let _seen = bench.tracker().fetch("1").await;
    }
    let acts = |truth: &Value, field: &str| -> std::collections::BTreeSet<String> {
        truth
            .as_array()
            .unwrap()
            .iter()
            .map(|row| row[field].as_str().unwrap().to_owned())
            .collect()
    };
    let effects = bench
        .ask(Method::Get, "http://erp.twin/truth/effects", b"")
        .await;
    for what in ["create", "delete", "edit", "move", "issue", "pay", "credit"] {
        assert!(acts(&effects, "what").contains(what), "{what}");
    }
    let changes = bench
        .ask(Method::Get, "http://tracker.twin/truth/changes", b"")
        .await;
    for what in ["edit", "edit_back"] {
        assert!(acts(&changes, "what").contains(what), "{what}");
    }
}

//! Reading the tracker, showing billing status, publishing masters.

use crate::support::{Bench, START_US, small_erp, small_tracker};
use connector_sdk::call::CallError;
use connector_sdk::check::Verdict;
use connector_sdk::source::{DateWindow, Feedback, Fetched, MasterWriter, TimeSource, WriteBack};
use connector_sdk::target::Target;
use domain::exception::Code;
use domain::status::BillingStatus;
use jiff::civil::date;

fn october() -> DateWindow {
    DateWindow {
        from: date(2026, 10, 1),
        to: date(2026, 10, 31),
    }
}

#[tokio::test]
async fn a_window_is_read_whole_over_several_pages() {
    let bench = Bench::new();
    let tracker = bench.tracker();
    let scan = tracker.scan(october()).await.unwrap();
    let ids: Vec<&str> = scan.entries.iter().map(|e| e.source_ref.as_str()).collect();
    assert_eq!(ids, ["1", "2", "3"]);
    assert_eq!(scan.entries[0].fields.recorded_seconds, 2400);
    assert!(scan.entries[0].fields.approved);
    let empty = DateWindow {
        from: date(2026, 9, 1),
        to: date(2026, 9, 30),
    };
    assert!(tracker.scan(empty).await.unwrap().entries.is_empty());
    assert!(
        tracker
            .check()
            .await
            .iter()
            .all(|line| line.verdict == Verdict::Good)
    );
}

#[tokio::test]
async fn one_bad_row_costs_no_other() {
    let mut state = small_tracker();
    for (id, hours) in [(1, "-1.00"), (2, "25.00")] {
        hours.clone_into(&mut state.machine.entries.get_mut(&id).unwrap().hours);
    }
    let bench = Bench::of(state, small_erp());
    let scan = bench.tracker().scan(october()).await.unwrap();
    assert_eq!(scan.entries.len(), 1);
    assert_eq!(scan.unreadable.len(), 2);
    assert!(
        scan.unreadable
            .iter()
            .all(|bad| bad.problem.code == Code::HoursInvalid && bad.work_date.is_some())
    );
}

#[tokio::test]
async fn an_entry_is_fetched_and_gone_after_its_deletion() {
    let bench = Bench::new();
    let tracker = bench.tracker();
    assert!(matches!(tracker.fetch("1").await, Ok(Fetched::Present(_))));
    bench.tracker_twin.with(|state| {
        state.machine.entries.remove(&1);
    });
    assert_eq!(tracker.fetch("1").await, Ok(Fetched::Gone));
    assert_eq!(tracker.fetch("../users").await, Ok(Fetched::Gone));
}

#[tokio::test]
async fn writing_status_back_is_shown_and_no_change_of_the_work() {
    let bench = Bench::new();
    let tracker = bench.tracker();
    let before = tracker.scan(october()).await.unwrap().entries;
    let mut update = WriteBack {
        source_ref: "2".to_owned(),
        status: BillingStatus::Invoiced,
        reference: "2026-00001".to_owned(),
    };
    assert_eq!(tracker.write_back(&update).await, Ok(true));
    assert_eq!(tracker.write_back(&update).await, Ok(true));
    let after = tracker.scan(october()).await.unwrap().entries;
    assert_eq!(after[1].shown_status.as_deref(), Some("Invoiced"));
    assert_eq!(after[1].shown_reference.as_deref(), Some("2026-00001"));
    for (before, after) in before.iter().zip(&after) {
        assert_eq!(before.fields, after.fields);
    }
    let updated = bench
        .tracker_twin
        .with(|state| state.machine.entries[&2].updated_at_us);
    assert!(updated >= START_US);
    update.source_ref = "77".to_owned();
    assert_eq!(tracker.write_back(&update).await, Ok(false));
}

#[tokio::test]
async fn publishing_offers_the_erps_tasks_once() {
    let bench = Bench::new();
    let tracker = bench.tracker();
    let mut masters = bench.erp().masters().await.unwrap();
    let dry = tracker.publish(&masters, true).await.unwrap();
    assert_eq!(dry.created, ["task PLAN of BRIDGE"]);
    assert_eq!(dry.changed, ["task BUILD of BRIDGE"]);
    let made = tracker.publish(&masters, false).await.unwrap();
    assert_eq!((made.created, made.changed), (dry.created, dry.changed));
    let again = tracker.publish(&masters, false).await.unwrap();
    assert!(again.created.is_empty() && again.changed.is_empty() && again.closed.is_empty());
    masters.tasks[1].active = false;
    let closed = tracker.publish(&masters, false).await.unwrap();
    assert_eq!(closed.closed, ["task PLAN of BRIDGE"]);
    let source = tracker.masters().await.unwrap();
    assert_eq!(source.closed, ["task:t-BRIDGE-PLAN"]);
    assert_eq!(
        source.task_codes.get("t1").map(String::as_str),
        Some("BUILD")
    );
}

#[tokio::test]
async fn rows_that_move_are_read_again_and_a_server_that_never_rests_is_given_up() {
    let mut state = small_tracker();
    state.plan.page_repeats_row = 150;
    state.plan.page_loses_row = 150;
    let bench = Bench::of(state, small_erp());
    let tracker = bench.tracker();
    for _ in 0..30 {
        match tracker.scan(october()).await {
            Ok(scan) => {
                let ids: Vec<String> = scan.entries.into_iter().map(|e| e.source_ref).collect();
                assert_eq!(ids, ["1", "2", "3"]);
            }
            Err(error) => assert!(matches!(error, CallError::NotExecuted { .. }), "{error}"),
        }
    }
    bench.tracker_twin.with(|state| {
        state.plan.page_repeats_row = 1000;
        state.plan.page_loses_row = 0;
    });
    let error = tracker.scan(october()).await.unwrap_err();
    assert!(matches!(error, CallError::NotExecuted { .. }), "{error}");
}

#[tokio::test]
async fn a_server_that_does_not_filter_is_found_out() {
    let bench = Bench::new();
    let script = crate::support::Scripted::new(
        200,
        r#"{"items":[{"id":"9","user_id":"u","project_id":"p","task_id":null,"activity_id":"a",
            "date":"2026-08-01","hours":"1.00","narrative":"","approved":true,"billable":true,
            "billing_status":null,"erp_reference":null}],
            "next_cursor":null,"total":1,"snapshot":"v1"}"#,
    );
    let tracker = bench.tracker_over(script);
    let error = tracker.scan(october()).await.unwrap_err();
    assert!(matches!(error, CallError::Contract { .. }), "{error}");
}

#[tokio::test]
async fn replies_that_are_no_answer_are_classified() {
    let bench = Bench::new();
    // body, whether reading again may help
    let table: [(&str, bool); 6] = [
        ("<html>login</html>", false),
        ("{\"items\":[", true),
        ("[]", false),
        ("{\"items\":3}", false),
        ("null", false),
        ("\u{0}\u{1}", false),
    ];
    for (body, again) in table {
        let tracker = bench.tracker_over(crate::support::Scripted::new(200, body));
        let error = tracker.scan(october()).await.unwrap_err();
        let not_executed = matches!(error, CallError::NotExecuted { .. });
        assert_eq!(not_executed, again, "{body}: {error}");
        assert!(not_executed || matches!(error, CallError::Contract { .. }));
        assert!(tracker.fetch("1").await.is_err(), "{body}");
    }
}

//! The same over real HTTP on loopback: what the socket does must mean the same.

use crate::support::{batch, call, line, small_erp, small_tracker, token};
use connector_sdk::call::CallError;
use connector_sdk::clock::SystemClock;
use connector_sdk::http::HttpTransport;
use connector_sdk::source::{DateWindow, Feedback, TimeSource, WriteBack};
use connector_sdk::target::{Shape, Target};
use counterfoil_connectors::source::reference::{ReferenceTracker, ReferenceTrackerConfig};
use counterfoil_connectors::target::reference::{KeyMode, ReferenceErp, ReferenceErpConfig};
use domain::posting::PostingKind;
use domain::status::BillingStatus;
use std::sync::Arc;
use twins::erp::Erp;
use twins::fault::FaultPlan;
use twins::serve::{Served, serve};
use twins::transport::Twin;

/// Long enough for loopback, short enough to wait for a silence.
const TIMEOUT_MS: u64 = 800;

async fn served() -> (Served, Arc<Twin<Erp>>, ReferenceErp) {
    let clock = Arc::new(SystemClock);
    let twin = Twin::new(small_erp());
    let served = serve(twin.clone(), clock.clone(), 0).await.unwrap();
    let mut config = ReferenceErpConfig::at(served.url(), KeyMode::UniqueKey);
    config.read_timeout_ms = TIMEOUT_MS;
    let transport = Arc::new(HttpTransport::new(clock.clone()).unwrap());
    let erp = ReferenceErp::new(config, &token(), transport, clock).unwrap();
    (served, twin, erp)
}

#[tokio::test]
async fn the_tracker_is_read_and_written_over_http() {
    let clock = Arc::new(SystemClock);
    let twin = Twin::new(small_tracker());
    let served = serve(twin, clock.clone(), 0).await.unwrap();
    let transport = Arc::new(HttpTransport::new(clock.clone()).unwrap());
    let config = ReferenceTrackerConfig::at(served.url());
    let tracker = ReferenceTracker::new(config, &token(), transport, clock).unwrap();
    let window = DateWindow {
        from: jiff::civil::date(2026, 10, 1),
        to: jiff::civil::date(2026, 10, 31),
    };
    assert_eq!(tracker.scan(window).await.unwrap().entries.len(), 3);
    let update = WriteBack {
        source_ref: "1".to_owned(),
        status: BillingStatus::Posted,
        reference: "D7".to_owned(),
    };
    assert_eq!(tracker.write_back(&update).await, Ok(true));
    assert_eq!(tracker.masters().await.unwrap().worker_codes["u1"], "W1");
}

#[tokio::test]
async fn faults_on_the_socket_mean_what_they_mean_in_process() {
    let (_served, twin, erp) = served().await;
    let mut call = call();
    call.timeout_ms = TIMEOUT_MS;
    for (number, (name, set, expected, held, _)) in crate::faults::WRITES.iter().enumerate() {
        if *name == "slower than the time-out" {
            continue;
        }
        twin.with(|state| {
            state.plan = FaultPlan::none(1);
            set(&mut state.plan);
        });
        let key = format!("K{number}");
        let batch = batch(PostingKind::CreateLine, vec![line(&key)]);
        let error = erp.post(&call, &batch).await.unwrap_err();
        let kind = match &error {
            CallError::Ambiguous { .. } => "ambiguous",
            CallError::Throttled { .. } => "throttled",
            CallError::NotExecuted { .. } => "not executed",
            other => panic!("{name}: {other}"),
        };
        assert!(expected.starts_with(kind), "{name}: {error}");
        twin.with(|state| state.plan = FaultPlan::none(1));
        let found = erp.look_up(Shape::DraftLine, &[key]).await.unwrap();
        assert_eq!(found.len(), *held, "{name}");
    }
}

#[tokio::test]
async fn reads_are_cut_and_recover() {
    let (_served, twin, erp) = served().await;
    let sets: [fn(&mut FaultPlan); 3] = [
        |p| p.cut_body = 1000,
        |p| p.dropped_before = 1000,
        |p| p.silent_after_commit = 1000,
    ];
    for set in sets {
        twin.with(|state| set(&mut state.plan));
        let error = erp.identity().await.unwrap_err();
        assert!(matches!(error, CallError::NotExecuted { .. }), "{error}");
        twin.with(|state| state.plan = FaultPlan::none(1));
        assert_eq!(erp.identity().await.unwrap(), "reference:kestrel");
    }
}

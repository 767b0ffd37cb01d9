//! The laws of sources and of targets, on the twins.

use crate::support::{Bench, batch, call, line, small_erp, small_tracker, token};
use connector_sdk::async_trait;
use connector_sdk::conformance::source::{Booking, Meddler, SourceHarness, check_source};
use connector_sdk::conformance::target::{Interceptor, TargetHarness, check_target};
use connector_sdk::source::{DateWindow, Feedback, TimeSource};
use connector_sdk::target::{Call, DocumentHead, PostLine, Shape, Target};
use counterfoil_connectors::source::reference::{ReferenceTracker, ReferenceTrackerConfig};
use counterfoil_connectors::target::reference::{KeyMode, ReferenceErp, ReferenceErpConfig};
use domain::posting::PostingKind;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use twins::erp::Uniqueness;
use twins::frame::Machine as _;
use twins::tracker::TrackerAct;

struct Source {
    bench: Bench,
    meddler: Arc<Meddler>,
    tracker: ReferenceTracker,
}

impl Source {
    fn new() -> Self {
        let bench = Bench::new();
        let meddler = Meddler::new(bench.transport.clone());
        let config = ReferenceTrackerConfig::at("http://tracker.twin");
        let clock = bench.clock.clone();
        let tracker = ReferenceTracker::new(config, &token(), meddler.clone(), clock).unwrap();
        Self {
            bench,
            meddler,
            tracker,
        }
    }

    fn act(&self, act: &TrackerAct) -> serde_json::Value {
        let twin = &self.bench.tracker_twin;
        twin.with(|state| state.machine.act(act, 1).unwrap())
    }

    fn add(&self, booking: &Booking, hours: &str) -> String {
        let done = self.act(&TrackerAct::AddEntry {
            user_id: "u1".to_owned(),
            project_id: "p1".to_owned(),
            task_id: Some("t1".to_owned()),
            activity_id: "consulting".to_owned(),
            date: booking.work_date.to_string(),
            hours: hours.to_owned(),
            narrative: booking.narrative.clone(),
            approved_by: booking.approved.then(|| "u1".to_owned()),
        });
        done["id"].as_str().unwrap().to_owned()
    }
}

fn hours(booking: &Booking) -> String {
    let quarters = u32::from(booking.quarter_hours);
    format!("{}.{:02}", quarters / 4, quarters % 4 * 25)
}

#[async_trait]
impl SourceHarness for Source {
    fn source(&self) -> &dyn TimeSource {
        &self.tracker
    }
    fn feedback(&self) -> Option<&dyn Feedback> {
        Some(&self.tracker)
    }
    fn meddler(&self) -> &Arc<Meddler> {
        &self.meddler
    }
    fn debug(&self) -> String {
        format!("{:?}", self.tracker)
    }
    fn secrets(&self) -> Vec<String> {
        vec!["sesame-7319".to_owned(), "Bearer ".to_owned()]
    }
    fn window(&self) -> DateWindow {
        DateWindow {
            from: jiff::civil::date(2026, 11, 1),
            to: jiff::civil::date(2026, 11, 20),
        }
    }
    fn entries_of_three_pages(&self) -> usize {
        5
    }
    async fn book(&self, booking: &Booking) -> String {
        self.add(booking, &hours(booking))
    }
    async fn edit(&self, source_ref: &str, booking: &Booking) {
        let id = source_ref.to_owned();
        self.act(&TrackerAct::EditEntry {
            id: id.clone(),
            hours: Some(hours(booking)),
            date: Some(booking.work_date.to_string()),
            narrative: Some(booking.narrative.clone()),
            project_id: None,
            task_id: None,
            billable: None,
        });
        self.act(&if booking.approved {
            let by = "u1".to_owned();
            TrackerAct::Approve { id, by }
        } else {
            TrackerAct::Unapprove { id }
        });
    }
    async fn delete(&self, source_ref: &str) {
        let id = source_ref.to_owned();
        self.act(&TrackerAct::DeleteEntry { id });
    }
    async fn book_unreadable(&self) -> Option<String> {
        let booking = Booking {
            work_date: self.window().from,
            quarter_hours: 4,
            narrative: "of no time".to_owned(),
            approved: true,
        };
        Some(self.add(&booking, "25.00"))
    }
}

#[tokio::test]
async fn the_tracker_keeps_the_laws_of_sources() {
    let violations = check_source(Arc::new(Source::new())).await;
    assert!(violations.is_empty(), "{violations:#?}");
}

struct Erp {
    bench: Bench,
    mode: KeyMode,
    interceptor: Arc<Interceptor>,
    keys: AtomicU64,
}

impl Erp {
    fn new(mode: KeyMode) -> Self {
        let mut state = small_erp();
        state.machine.settings.uniqueness = match mode {
            KeyMode::UniqueKey => Uniqueness::UniqueKey,
            KeyMode::LookUp => Uniqueness::LookUp,
        };
        let bench = Bench::of(small_tracker(), state);
        Self {
            interceptor: Interceptor::new(bench.transport.clone()),
            keys: AtomicU64::new(1),
            mode,
            bench,
        }
    }

    fn key(&self, kind: &str) -> String {
        format!("{kind}{}", self.keys.fetch_add(1, Ordering::SeqCst))
    }

    fn connector(&self) -> ReferenceErp {
        let config = ReferenceErpConfig::at("http://erp.twin", self.mode);
        let transport = self.interceptor.clone();
        ReferenceErp::new(config, &token(), transport, self.bench.clock.clone()).unwrap()
    }
}

impl TargetHarness for Erp {
    fn target(&self) -> Arc<dyn Target> {
        Arc::new(self.connector())
    }
    fn interceptor(&self) -> &Arc<Interceptor> {
        &self.interceptor
    }
    fn debug(&self) -> String {
        format!("{:?}", self.connector())
    }
    fn secrets(&self) -> Vec<String> {
        vec!["sesame-7319".to_owned(), "Bearer ".to_owned()]
    }
    fn shapes(&self) -> Vec<Shape> {
        Shape::ALL.to_vec()
    }
    fn call(&self) -> Call {
        Call {
            attempt_key: self.key("attempt"),
            ..call()
        }
    }
    fn head(&self, shape: Shape) -> DocumentHead {
        let mut head = batch(PostingKind::CreateLine, Vec::new()).document;
        head.shape = shape;
        head.document_key = self.key("DOC");
        head
    }
    fn line(&self, _head: &DocumentHead) -> PostLine {
        line(&self.key("K"))
    }
    fn refused_line(&self, head: &DocumentHead) -> Option<PostLine> {
        let mut line = self.line(head);
        line.task_ref = Some("nowhere".to_owned());
        Some(line)
    }
}

#[tokio::test]
async fn the_erp_keeps_the_laws_of_targets_with_unique_keys() {
    let violations = check_target(Arc::new(Erp::new(KeyMode::UniqueKey))).await;
    assert!(violations.is_empty(), "{violations:#?}");
}

#[tokio::test]
async fn the_erp_keeps_the_laws_of_targets_by_looking_up() {
    let violations = check_target(Arc::new(Erp::new(KeyMode::LookUp))).await;
    assert!(violations.is_empty(), "{violations:#?}");
}

//! The laws of sources against a running Redmine, in a window of 2024 that nobody else uses.

use super::lab::Lab;
use connector_sdk::async_trait;
use connector_sdk::clock::SystemClock;
use connector_sdk::conformance::source::{Booking, Meddler, SourceHarness, check_source};
use connector_sdk::http::HttpTransport;
use connector_sdk::secrecy::ExposeSecret;
use connector_sdk::source::{DateWindow, Feedback, TimeSource};
use connector_sdk::transport::Method;
use counterfoil_connectors::source::redmine::{Redmine, RedmineConfig, WorkerCode};
use jiff::civil::date;
use serde_json::{Value, json};
use std::sync::Arc;

const WINDOW: DateWindow = DateWindow {
    from: date(2024, 3, 1),
    to: date(2024, 3, 20),
};

struct Harness {
    lab: Lab,
    meddler: Arc<Meddler>,
    redmine: Redmine,
}

impl Harness {
    fn new(lab: Lab) -> Self {
        let transport = HttpTransport::new(Arc::new(SystemClock)).unwrap();
        let meddler = Meddler::new(Arc::new(transport));
        let mut config = RedmineConfig::at(lab.url());
        config.page_size = 5;
        config.worker_code = WorkerCode::None;
        let key = lab.key("/connector/key");
        let transport = meddler.clone();
        let redmine = Redmine::new(config, &key, transport, Arc::new(SystemClock)).unwrap();
        Self {
            lab,
            meddler,
            redmine,
        }
    }

    fn entry(&self, booking: &Booking) -> Value {
        let approval = if booking.approved {
            "Approved"
        } else {
            "Submitted"
        };
        json!({
            "spent_on": booking.work_date.to_string(),
            "hours": f64::from(booking.quarter_hours) / 4.0,
            "comments": booking.narrative,
            "custom_fields": [{
                "id": self.lab.seed("/custom_fields/time_entry/approval"),
                "value": approval,
            }],
        })
    }
}

#[async_trait]
impl SourceHarness for Harness {
    fn source(&self) -> &dyn TimeSource {
        &self.redmine
    }
    fn feedback(&self) -> Option<&dyn Feedback> {
        Some(&self.redmine)
    }
    fn meddler(&self) -> &Arc<Meddler> {
        &self.meddler
    }
    fn debug(&self) -> String {
        format!("{:?}", self.redmine)
    }
    fn secrets(&self) -> Vec<String> {
        vec![self.lab.key("/connector/key").expose_secret().to_owned()]
    }
    fn window(&self) -> DateWindow {
        WINDOW
    }
    fn entries_of_three_pages(&self) -> usize {
        11
    }
    async fn book(&self, booking: &Booking) -> String {
        self.lab.book(self.entry(booking)).await
    }
    async fn edit(&self, source_ref: &str, booking: &Booking) {
        let path = format!("time_entries/{source_ref}.json");
        let body = json!({ "time_entry": self.entry(booking) });
        let (status, said) = self.lab.act(Method::Put, &path, body).await;
        assert_eq!(status, 204, "{said}");
    }
    async fn delete(&self, source_ref: &str) {
        self.lab.unbook(source_ref).await;
    }
    async fn book_unreadable(&self) -> Option<String> {
        // Redmine takes an entry of no hours, and Counterfoil none.
        let id = self
            .lab
            .book(json!({ "spent_on": "2024-03-04", "hours": 0 }))
            .await;
        Some(id)
    }
}

#[tokio::test]
async fn keeps_the_laws_of_sources() {
    let Some(lab) = Lab::running() else { return };
    // What an earlier run left behind when it was stopped.
    let harness = Harness::new(lab);
    let left = harness.redmine.scan(WINDOW).await.unwrap();
    let readable = left.entries.iter().map(|e| Some(e.source_ref.clone()));
    let unreadable = left.unreadable.iter().map(|e| e.source_ref.clone());
    for id in readable.chain(unreadable).flatten() {
        harness.delete(&id).await;
    }
    let violations = check_source(Arc::new(harness)).await;
    assert!(violations.is_empty(), "{violations:#?}");
}

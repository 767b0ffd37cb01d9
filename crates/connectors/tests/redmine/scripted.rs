//! The connector against a Redmine in memory: the laws of sources, and the lies that only a
//! scripted tracker can be made to tell.

use super::entry::entry_text;
use super::fake::{Fake, KEY};
use connector_sdk::async_trait;
use connector_sdk::call::CallError;
use connector_sdk::clock::SystemClock;
use connector_sdk::conformance::source::{Booking, Meddler, SourceHarness, check_source};
use connector_sdk::secrecy::SecretString;
use connector_sdk::source::{DateWindow, Feedback, Fetched, TimeSource};
use connector_sdk::transport::Transport;
use counterfoil_connectors::source::redmine::{PASSES_MAX, Redmine, RedmineConfig};
use domain::exception::Code;
use jiff::civil::date;
use serde_json::{Value, json};
use std::sync::Arc;

fn connector(transport: Arc<dyn Transport>, page_size: usize) -> Redmine {
    let mut config = RedmineConfig::at("http://redmine.test");
    config.page_size = page_size;
    let key = SecretString::from(KEY);
    Redmine::new(config, &key, transport, Arc::new(SystemClock)).unwrap()
}

const WINDOW: DateWindow = DateWindow {
    from: date(2024, 1, 1),
    to: date(2024, 1, 20),
};

struct Harness {
    fake: Arc<Fake>,
    meddler: Arc<Meddler>,
    redmine: Redmine,
}

impl Harness {
    fn new(page_size: usize) -> Arc<Self> {
        let fake = Fake::new();
        let meddler = Meddler::new(fake.clone());
        let redmine = connector(meddler.clone(), page_size);
        Arc::new(Self {
            fake,
            meddler,
            redmine,
        })
    }
}

fn changes(booking: &Booking) -> Value {
    let approval = if booking.approved {
        "Approved"
    } else {
        "Submitted"
    };
    json!({
        "hours": f64::from(booking.quarter_hours) / 4.0,
        "comments": booking.narrative,
        "custom_fields": [
            {"id": 1, "name": "Approval", "value": approval},
            {"id": 2, "name": "Billable", "value": "1"},
            {"id": 3, "name": "Billing status", "value": "Unbilled"},
            {"id": 4, "name": "ERP reference", "value": null}],
    })
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
        vec![KEY.to_owned()]
    }
    fn window(&self) -> DateWindow {
        WINDOW
    }
    fn entries_of_three_pages(&self) -> usize {
        11
    }
    async fn book(&self, booking: &Booking) -> String {
        let day = booking.work_date.to_string();
        let id = self
            .fake
            .put(&day, |id| entry_text(id, &day, &changes(booking)));
        id.to_string()
    }
    async fn edit(&self, source_ref: &str, booking: &Booking) {
        let (id, day) = (source_ref.parse().unwrap(), booking.work_date.to_string());
        self.fake
            .replace(id, &day, entry_text(id, &day, &changes(booking)));
    }
    async fn delete(&self, source_ref: &str) {
        self.fake.remove(source_ref.parse().unwrap());
    }
    async fn book_unreadable(&self) -> Option<String> {
        let id = self.fake.put("2024-01-03", |id| {
            entry_text(id, "2024-01-03", &json!({"hours": "1:20", "user": [7]}))
        });
        Some(id.to_string())
    }
}

#[tokio::test]
async fn keeps_the_laws_of_sources() {
    for page_size in [2, 5, 100] {
        let violations = check_source(Harness::new(page_size)).await;
        assert!(violations.is_empty(), "{page_size}: {violations:#?}");
    }
}

fn filled(rows: usize) -> Arc<Fake> {
    let fake = Fake::new();
    for _ in 0..rows {
        fake.put("2024-01-05", |id| entry_text(id, "2024-01-05", &json!({})));
    }
    fake
}

#[tokio::test]
async fn a_filter_that_is_ignored_is_a_broken_contract() {
    let fake = filled(3);
    fake.put("2023-12-31", |id| entry_text(id, "2023-12-31", &json!({})));
    fake.state().ignores_filters = true;
    let error = connector(fake, 100).scan(WINDOW).await.unwrap_err();
    assert!(matches!(error, CallError::Contract { .. }), "{error}");
    assert!(error.to_string().contains("2023-12-31"), "{error}");
}

#[tokio::test]
async fn paging_that_is_ignored_is_a_broken_contract() {
    let fake = filled(7);
    fake.state().ignores_offset = true;
    let error = connector(fake, 3).scan(WINDOW).await.unwrap_err();
    assert!(matches!(error, CallError::Contract { .. }), "{error}");
}

#[tokio::test]
async fn a_source_that_never_rests_is_left_for_later() {
    let fake = filled(7);
    fake.state().restless = true;
    let error = connector(fake.clone(), 3).scan(WINDOW).await.unwrap_err();
    let CallError::NotExecuted { words, .. } = error else {
        panic!("{error}");
    };
    assert!(
        words.contains("changed under each of 5 readings"),
        "{words}"
    );
    assert_eq!(PASSES_MAX, 5);
}

#[tokio::test]
async fn rows_that_are_counted_and_not_given_are_noticed() {
    for page_size in [3, 100] {
        let fake = filled(7);
        fake.state().forgets_rows = 2;
        let error = connector(fake, page_size).scan(WINDOW).await.unwrap_err();
        assert!(matches!(error, CallError::NotExecuted { .. }), "{error}");
    }
}

#[tokio::test]
async fn pages_overlap_by_one_row_and_no_more() {
    let fake = filled(201);
    let redmine = connector(fake.clone(), 100);
    assert_eq!(redmine.scan(WINDOW).await.unwrap().entries.len(), 201);
    let asked = fake.state().asked.clone();
    let offsets: Vec<&str> = asked
        .iter()
        .filter_map(|line| line.split("offset=").nth(1))
        .collect();
    assert_eq!(offsets, ["0", "99", "198"]);
}

#[tokio::test]
async fn a_scan_first_asks_who_it_is() {
    let fake = filled(1);
    let key = SecretString::from("another-key");
    let config = RedmineConfig::at("http://redmine.test/");
    let redmine = Redmine::new(config, &key, fake.clone(), Arc::new(SystemClock)).unwrap();
    let error = redmine.scan(WINDOW).await.unwrap_err();
    assert!(matches!(error, CallError::Unauthorized { .. }), "{error}");
    assert_eq!(fake.state().asked, ["GET users/current.json?"]);
}

#[tokio::test]
async fn rows_without_id_are_not_taken_for_moved_rows() {
    let fake = filled(2);
    for day in ["2024-01-06", "2024-01-07"] {
        fake.put(day, |_| entry_text(0, day, &json!({"id": null})));
    }
    let scan = connector(fake, 2).scan(WINDOW).await.unwrap();
    assert_eq!((scan.entries.len(), scan.unreadable.len()), (2, 2));
    assert!(scan.unreadable.iter().all(|bad| bad.source_ref.is_none()));
}

#[tokio::test]
async fn an_entry_of_another_id_is_never_taken_for_the_asked_one() {
    let fake = filled(1);
    fake.replace(1, "2024-01-05", entry_text(2, "2024-01-05", &json!({})));
    let error = connector(fake, 100).fetch("1").await.unwrap_err();
    assert!(matches!(error, CallError::Contract { .. }), "{error}");
}

#[tokio::test]
async fn a_record_out_of_sight_is_unreadable_not_gone() {
    let fake = filled(1);
    let redmine = connector(fake.clone(), 100);
    let hidden = connector_sdk::transport::Reply {
        status: 403,
        headers: vec![],
        body: vec![],
    };
    let meddler = Meddler::new(fake);
    let meddled = connector(meddler.clone(), 100);
    meddler.plan([connector_sdk::conformance::source::Meddling::Reply(hidden)]);
    let Ok(Fetched::Unreadable(record)) = meddled.fetch("1").await else {
        panic!("out of sight is not unreadable");
    };
    assert_eq!(record.problem.code, Code::RecordUnreadable);
    assert!(matches!(redmine.fetch("1").await, Ok(Fetched::Present(_))));
}

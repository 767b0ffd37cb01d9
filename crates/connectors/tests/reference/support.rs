//! A small firm on both twins, and the connectors on it.

use connector_sdk::async_trait;
use connector_sdk::clock::Clock;
use connector_sdk::secrecy::SecretString;
use connector_sdk::target::{Call, DocumentHead, PostBatch, PostLine, Shape};
use connector_sdk::transport::{Effect, Method, Reply, Request, Transport, TransportError};
use counterfoil_connectors::source::reference::{ReferenceTracker, ReferenceTrackerConfig};
use counterfoil_connectors::target::reference::{KeyMode, ReferenceErp, ReferenceErpConfig};
use domain::money::Money;
use domain::posting::PostingKind;
use jiff::civil::date;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use twins::erp::{self, Erp};
use twins::frame::State;
use twins::tracker::{self, Tracker};
use twins::transport::{Twin, TwinTransport};

/// 2026-11-02T08:00:00Z.
pub(crate) const START_US: i64 = 1_793_606_400_000_000;

/// A clock on which waiting is what makes time pass.
#[derive(Debug)]
pub(crate) struct PatientClock(AtomicI64);

impl PatientClock {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self(AtomicI64::new(START_US)))
    }
}

#[async_trait]
impl Clock for PatientClock {
    fn now_us(&self) -> i64 {
        self.0.load(Ordering::SeqCst)
    }

    fn steady_us(&self) -> i64 {
        self.now_us()
    }

    async fn sleep_until_us(&self, at_us: i64) {
        self.0.fetch_max(at_us, Ordering::SeqCst);
    }
}

pub(crate) fn token() -> SecretString {
    SecretString::from("sesame-7319".to_owned())
}

pub(crate) fn small_tracker() -> State<Tracker> {
    let mut machine = Tracker::new("trk", "Twin tracker");
    machine.users = BTreeMap::from([(
        "u1".to_owned(),
        tracker::User {
            name: "Zoë Müller".to_owned(),
            employee_code: Some("W1".to_owned()),
            active: true,
        },
    )]);
    machine.projects = BTreeMap::from([(
        "p1".to_owned(),
        tracker::Project {
            name: "Bridge".to_owned(),
            erp_code: Some("BRIDGE".to_owned()),
            closed: false,
        },
    )]);
    machine.tasks = BTreeMap::from([(
        "t1".to_owned(),
        tracker::Task {
            project_id: "p1".to_owned(),
            name: "Build".to_owned(),
            erp_code: Some("BUILD".to_owned()),
            closed: false,
        },
    )]);
    for (day, hours) in [
        ("2026-10-05", "0.67"),
        ("2026-10-05", "1.33"),
        ("2026-10-07", "8"),
    ] {
        machine.seed_entry(tracker::Entry {
            user_id: "u1".to_owned(),
            project_id: "p1".to_owned(),
            task_id: Some("t1".to_owned()),
            activity_id: "consulting".to_owned(),
            date: day.to_owned(),
            hours: hours.to_owned(),
            narrative: "Review of the plan".to_owned(),
            approved_by: Some("u1".to_owned()),
            approved_at_us: Some(START_US),
            billable: true,
            billing_status: None,
            erp_reference: None,
            updated_at_us: START_US,
        });
    }
    machine.page_size_max = 2;
    let mut state = State::new(machine);
    state.token = Some("sesame-7319".to_owned());
    state
}

pub(crate) fn small_erp() -> State<Erp> {
    let mut machine = Erp::new("kestrel", "Kestrel GmbH");
    machine.customers = BTreeMap::from([(
        "c1".to_owned(),
        erp::Customer {
            code: "C1".to_owned(),
            name: "Harbour".to_owned(),
            active: true,
            on_hold: false,
            currency: Some("EUR".parse().unwrap()),
        },
    )]);
    machine.projects = BTreeMap::from([(
        "p1".to_owned(),
        erp::Project {
            code: "BRIDGE".to_owned(),
            name: "Bridge".to_owned(),
            customer_id: Some("c1".to_owned()),
            active: true,
        },
    )]);
    for (id, code) in [("t1", "BUILD"), ("t2", "PLAN")] {
        machine.tasks.insert(
            id.to_owned(),
            erp::Task {
                project_id: "p1".to_owned(),
                code: code.to_owned(),
                name: code.to_lowercase(),
                active: true,
                closed_after: None,
            },
        );
    }
    machine.workers = BTreeMap::from([(
        "w1".to_owned(),
        erp::Worker {
            code: "W1".to_owned(),
            name: "Zoë Müller".to_owned(),
            role: "senior".to_owned(),
            from: None,
            until: None,
            active: true,
        },
    )]);
    machine.service_items = BTreeMap::from([(
        "s1".to_owned(),
        erp::ServiceItem {
            code: "CONS".to_owned(),
            name: "Consulting".to_owned(),
            active: true,
            has_account: true,
        },
    )]);
    for (month, open) in [(9, false), (10, true), (11, true)] {
        let first = date(2026, month, 1);
        machine.periods.push(erp::Period {
            name: format!("2026-{month:02}"),
            first,
            last: first.last_of_month(),
            open,
        });
    }
    machine.list_prices.push(erp::ListPrice {
        project_id: "p1".to_owned(),
        worker_id: None,
        role: Some("senior".to_owned()),
        rate: "187.1234".parse().unwrap(),
        currency: "EUR".parse().unwrap(),
        from: date(2026, 1, 1),
        to: None,
    });
    let mut state = State::new(machine);
    state.token = Some("sesame-7319".to_owned());
    state
}

pub(crate) struct Bench {
    pub(crate) clock: Arc<PatientClock>,
    pub(crate) tracker_twin: Arc<Twin<Tracker>>,
    pub(crate) erp_twin: Arc<Twin<Erp>>,
    pub(crate) transport: Arc<dyn Transport>,
}

impl Bench {
    pub(crate) fn new() -> Self {
        Self::of(small_tracker(), small_erp())
    }

    pub(crate) fn of(tracker: State<Tracker>, erp: State<Erp>) -> Self {
        let clock = PatientClock::new();
        let tracker_twin = Twin::new(tracker);
        let erp_twin = Twin::new(erp);
        let transport = TwinTransport::new(clock.clone())
            .with_host("tracker.twin", tracker_twin.clone())
            .with_host("erp.twin", erp_twin.clone());
        Self {
            clock,
            tracker_twin,
            erp_twin,
            transport: Arc::new(transport),
        }
    }

    /// Let time pass.
    pub(crate) fn pass_ms(&self, ms: i64) {
        self.clock.0.fetch_add(ms * 1000, Ordering::SeqCst);
    }

    /// Ask a twin something as a person or an auditor does, and read the JSON of the answer.
    pub(crate) async fn ask(&self, method: Method, url: &str, body: &[u8]) -> serde_json::Value {
        self.asked(method, url, body, Vec::new()).await
    }

    /// Read something of the API.
    pub(crate) async fn ask_with_token(&self, url: &str) -> serde_json::Value {
        let header = ("authorization".to_owned(), "Bearer sesame-7319".to_owned());
        self.asked(Method::Get, url, b"", vec![header]).await
    }

    async fn asked(
        &self,
        method: Method,
        url: &str,
        body: &[u8],
        headers: Vec<(String, String)>,
    ) -> serde_json::Value {
        let request = Request {
            method,
            url: url.to_owned(),
            headers,
            body: body.to_vec(),
            effect: Effect::Read,
            timeout_ms: 60_000,
            body_limit_bytes: 32 * 1024 * 1024,
            send_not_after_us: None,
        };
        let reply = self.transport.send(request).await.unwrap();
        serde_json::from_slice(&reply.body).unwrap()
    }

    pub(crate) fn tracker(&self) -> ReferenceTracker {
        ReferenceTracker::new(
            ReferenceTrackerConfig::at("http://tracker.twin"),
            &token(),
            self.transport.clone(),
            self.clock.clone(),
        )
        .unwrap()
    }

    pub(crate) fn tracker_over(&self, transport: Arc<dyn Transport>) -> ReferenceTracker {
        let config = ReferenceTrackerConfig::at("http://tracker.twin");
        ReferenceTracker::new(config, &token(), transport, self.clock.clone()).unwrap()
    }

    pub(crate) fn erp_over(&self, transport: Arc<dyn Transport>) -> ReferenceErp {
        let config = ReferenceErpConfig::at("http://erp.twin", KeyMode::UniqueKey);
        ReferenceErp::new(config, &token(), transport, self.clock.clone()).unwrap()
    }

    pub(crate) fn erp(&self) -> ReferenceErp {
        self.erp_with(&ReferenceErpConfig::at(
            "http://erp.twin",
            KeyMode::UniqueKey,
        ))
    }

    pub(crate) fn erp_with(&self, config: &ReferenceErpConfig) -> ReferenceErp {
        ReferenceErp::new(
            config.clone(),
            &token(),
            self.transport.clone(),
            self.clock.clone(),
        )
        .unwrap()
    }
}

pub(crate) fn call() -> Call {
    Call {
        attempt_key: "attempt-1".to_owned(),
        timeout_ms: 30_000,
        send_not_after_us: i64::MAX,
    }
}

pub(crate) fn line(key: &str) -> PostLine {
    PostLine {
        posting_key: key.to_owned(),
        line_key: key.to_owned(),
        erp_line_ref: None,
        quantity: "1.33".parse().unwrap(),
        unit: domain::quantity::Unit::Hour,
        rate: "187.1234".parse().unwrap(),
        amount: Money {
            amount_minor: 24_887,
            currency: "EUR".parse().unwrap(),
        },
        recorded_seconds: 4800,
        work_date: date(2026, 10, 5),
        service_item_ref: "s1".to_owned(),
        task_ref: Some("t1".to_owned()),
        worker_ref: Some("w1".to_owned()),
        description: "Review of the plan".to_owned(),
    }
}

pub(crate) fn batch(kind: PostingKind, lines: Vec<PostLine>) -> PostBatch {
    PostBatch {
        kind,
        document: DocumentHead {
            document_key: "DOC1".to_owned(),
            shape: Shape::DraftLine,
            erp_ref: None,
            customer_ref: Some("c1".to_owned()),
            currency: "EUR".parse().unwrap(),
            document_date: date(2026, 10, 31),
            label: "October 2026".to_owned(),
        },
        lines,
    }
}

/// A server that always answers the same.
pub(crate) struct Scripted {
    status: u16,
    body: Vec<u8>,
}

impl Scripted {
    pub(crate) fn new(status: u16, body: &str) -> Arc<Self> {
        Arc::new(Self {
            status,
            body: body.as_bytes().to_vec(),
        })
    }
}

#[async_trait]
impl Transport for Scripted {
    async fn send(&self, _request: Request) -> Result<Reply, TransportError> {
        Ok(Reply {
            status: self.status,
            headers: Vec::new(),
            body: self.body.clone(),
        })
    }
}

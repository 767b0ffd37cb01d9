//! Requests to the twins, damaged: a reply or silence, never a panic, whoever asks.

use counterfoil_twins::firm::{FirmSpec, generate};
use counterfoil_twins::frame::State;
use counterfoil_twins::transport::Twin;
use counterfoil_twins::wire::WireRequest;
use fuzz::{Finding, Fuzz, Seen};

const LINE: &str = r#"{"key":"K1","quantity":"1.33","rate":"187.1234","amount":"248.87","work_date":"2026-10-05","service_item_id":"s1","task_id":"t1","worker_id":"w1","description":"x"}"#;
const TIME: &str = r#"{"key":"K1","kind":"cost","recorded_seconds":4800,"work_date":"2026-10-05","posting_date":"2026-10-05","service_item_id":"s1","task_id":"t1","worker_id":"w1","description":"x"}"#;

const NOW_US: i64 = 1_793_606_400_000_000;

/// An input is `METHOD PATH`, headers a line each, an empty line, and the body.
fn request(bytes: &[u8]) -> WireRequest {
    let end = bytes
        .windows(2)
        .position(|pair| pair == b"\n\n")
        .unwrap_or(bytes.len());
    let head = String::from_utf8_lossy(bytes.get(..end).unwrap_or_default()).into_owned();
    let mut lines = head.lines();
    let first = lines.next().unwrap_or_default();
    let (method, url) = first.split_once(' ').unwrap_or((first, "/"));
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    let body = bytes.get(end + 2..).unwrap_or_default().to_vec();
    WireRequest::new(method, url, &headers, body)
}

fn spec() -> FirmSpec {
    FirmSpec {
        consultants: 2,
        entries: 12,
        ..FirmSpec::default()
    }
}

#[test]
fn fuzz_tracker_request() -> Result<(), Finding> {
    let firm = generate(1, &spec()).unwrap();
    Fuzz::new("tracker_request", env!("CARGO_MANIFEST_DIR"))
        .seeds([
            "GET /v1/tracker",
            "GET /v1/entries?from=2026-10-01&to=2026-10-31&limit=5&cursor=p2",
            "GET /v1/entries/1",
            "GET /v1/projects?limit=2",
            "PUT /v1/entries/1/billing\n\n{\"status\":\"posted\",\"reference\":\"R-1\"}",
            "PUT /v1/projects/by-code/B1\n\n{\"name\":\"Bridge\",\"closed\":false}",
            "PUT /v1/tasks/by-code/B1/T1\n\n{\"name\":\"Build\",\"closed\":true}",
            "GET /truth",
            "GET /control/faults",
            "PUT /control/faults\n\n{\"preset\":\"month_end\",\"seed\":7}",
            "PUT /control/limit\n\n{\"requests\":5,\"window_ms\":1000}",
        ])
        .words(["/v1", "cursor=", "limit=", "%2F", "if-match: *"])
        .costly(2)
        .run(|bytes| {
            let twin = Twin::new(State::new(firm.tracker.clone()));
            let request = request(bytes);
            let reactions = [(); 2].map(|()| twin.handle(&request, NOW_US));
            Ok(Seen::read(kind(&reactions[0].answer), &reactions))
        })
}

#[test]
fn fuzz_erp_request() -> Result<(), Finding> {
    let firm = generate(1, &spec()).unwrap();
    Fuzz::new("erp_request", env!("CARGO_MANIFEST_DIR"))
        .seeds([
            "GET /v1/company",
            "GET /v1/customers?limit=2&cursor=p1",
            "GET /v1/lines?keys=K1,K2",
            "GET /v1/documents?keys=D1",
            "POST /v1/documents/1/void",
            "GET /truth/lines",
        ])
        .seed(format!(
            "POST /v1/lines\nidempotency-key: k1\n\n{{\"document\":{{\"key\":\"D1\",\"customer_id\":\"c1\",\
             \"currency\":\"EUR\",\"document_date\":\"2026-10-31\",\"label\":\"October\"}},\"lines\":[{LINE}]}}"
        ))
        .seed(format!("PUT /v1/lines\n\n{{\"lines\":[{LINE}]}}"))
        .seed(format!("POST /v1/time-lines\n\n{{\"lines\":[{TIME}]}}"))
        .seed("POST /v1/lines/delete\n\n{\"lines\":[{\"id\":\"1\",\"key\":\"K1\"}]}")
        .words(["/v1", "\"quantity\":\"1e9\"", "\"amount\"", "keys=", "\"EUR\""])
        .costly(2)
        .run(|bytes| {
            let twin = Twin::new(State::new(firm.erp.clone()));
            let request = request(bytes);
            let reactions = [(); 2].map(|()| twin.handle(&request, NOW_US));
            Ok(Seen::read(kind(&reactions[0].answer), &reactions))
        })
}

fn kind(answer: &impl std::fmt::Debug) -> String {
    format!("{answer:?}").chars().take(40).collect()
}

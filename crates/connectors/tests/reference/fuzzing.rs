//! Answers of the reference API, damaged.

use super::conversation::{self, Heard, Patient};
use super::support::{Bench, batch, call, line, token};
use connector_sdk::source::{DateWindow, Feedback, TimeSource, WriteBack};
use connector_sdk::target::{Shape, Target};
use connector_sdk::transport::{Effect, Reply, Transport};
use counterfoil_connectors::reference_rest::errors::{classify, of_body};
use counterfoil_connectors::reference_rest::wire::{page, row_id};
use counterfoil_connectors::source::reference::map::entry;
use counterfoil_connectors::source::reference::{ReferenceTracker, ReferenceTrackerConfig};
use counterfoil_connectors::target::reference::{
    KeyMode, ReferenceErp, ReferenceErpConfig, parse_documents, parse_lines,
};
use domain::posting::PostingKind;
use domain::quantity::SourceResolution;
use domain::status::BillingStatus;
use fuzz::{Finding, Fuzz, Seen};
use jiff::civil::date;
use std::fmt::Write as _;
use std::sync::Arc;

const SECRET: &str = "sesame-7319";

fn here(target: &'static str) -> Fuzz {
    Fuzz::new(target, env!("CARGO_MANIFEST_DIR")).words([
        "\"items\"",
        "\"next_cursor\"",
        "\"total\"",
        "\"snapshot\"",
        "\"hours\"",
        "\"key\"",
        "\"EUR\"",
        "\"draft\"",
        "\"248.87\"",
        "\"id\"",
        "\"code\":\"PERIOD_CLOSED\"",
    ])
}

#[test]
fn fuzz_reference_page() -> Result<(), Finding> {
    here("reference_page")
        .seed(
            r#"{"items":[{"id":"e1","user_id":"u1","project_id":"p1","task_id":"t1",
            "activity_id":"consulting","date":"2026-10-05","hours":"0.67","narrative":"Review",
            "approved":true,"billable":true}],"next_cursor":"c2","total":3,"snapshot":"s1"}"#,
        )
        .run(|bytes| {
            let page = match page(bytes) {
                Ok(page) => page,
                Err(error) => return Ok(Seen::refused(&of_body(error, Effect::Read))),
            };
            let mut seen = Seen::read("page", &page);
            for row in page.rows.iter().take(20) {
                let read = entry(row, SourceResolution::HundredthHour);
                write!(seen.result, "{:?} {read:?}", row_id(&row.text)).unwrap();
                if let Err(bad) = read {
                    if bad.problem.facts.chars().count() > 1_000 {
                        return Err("says more than 1000 characters about a row".to_owned());
                    }
                    seen.kind.extend(bad.problem.facts.chars().take(40));
                }
            }
            Ok(seen)
        })
}

#[test]
fn fuzz_reference_lines() -> Result<(), Finding> {
    here("reference_lines")
        .seeds([
            r#"{"items":[{"id":"9","key":"K","document_id":"3","document_state":"draft",
            "document_number":null,"quantity":"1.33","rate":"187.1234","amount":"248.87",
            "currency":"EUR","work_date":"2026-10-05"}]}"#,
            r#"{"items":[{"id":"3","state":"issued","number":"R-1","currency":"EUR","untaxed":"1.00"}]}"#,
        ])
        .run(|bytes| Ok(Seen::of(parse_lines(bytes)).and(&Seen::of(parse_documents(bytes)))))
}

#[test]
fn fuzz_reference_refusal() -> Result<(), Finding> {
    here("reference_refusal")
        .seeds([
            r#"{"type":"about:blank","title":"Refused","status":422,"code":"PERIOD_CLOSED","detail":"closed"}"#,
            "<html>Proxy</html>",
        ])
        .run(|bytes| {
            let mut seen = Seen::read("all", &());
            for status in [200, 302, 400, 401, 404, 409, 412, 422, 429, 500, 503] {
                let reply = Reply {
                    status,
                    headers: vec![(
                        "retry-after".to_owned(),
                        String::from_utf8_lossy(bytes).into_owned(),
                    )],
                    body: bytes.to_vec(),
                };
                let result = classify(Effect::Write, &reply, 1_793_606_400_000_000);
                let words = format!("{result:?}");
                if words.chars().count() > 6_000 {
                    return Err("holds a whole body".to_owned());
                }
                seen.kind.extend(words.chars().take(30));
                seen.result.push_str(&words);
            }
            Ok(seen)
        })
}

#[test]
fn fuzz_reference_conversation() -> Result<(), Finding> {
    let server = || -> Arc<dyn Transport> { Bench::new().transport };
    let talk = async |transport: Arc<dyn Transport>| {
        let config = ReferenceTrackerConfig::at("http://tracker.twin");
        let tracker =
            ReferenceTracker::new(config, &token(), transport.clone(), Patient::new()).unwrap();
        let config = ReferenceErpConfig::at("http://erp.twin", KeyMode::UniqueKey);
        let erp = ReferenceErp::new(config, &token(), transport, Patient::new()).unwrap();
        let window = DateWindow {
            from: date(2026, 10, 1),
            to: date(2026, 10, 31),
        };
        let update = WriteBack {
            source_ref: "1".to_owned(),
            status: BillingStatus::Posted,
            reference: "INV-1".to_owned(),
        };
        let keys = ["K1".to_owned()];
        let lines = batch(PostingKind::CreateLine, vec![line("K1")]);
        let mut heard = Heard::default();
        heard.hear("scan", &tracker.scan(window).await);
        heard.hear("fetch", &tracker.fetch("1").await);
        heard.hear("source masters", &tracker.masters().await);
        heard.hear("write back", &tracker.write_back(&update).await);
        heard.hear("identity", &erp.identity().await);
        heard.hear("masters", &erp.masters().await);
        heard.hear("post", &erp.post(&call(), &lines).await);
        heard.hear("look up", &erp.look_up(Shape::DraftLine, &keys).await);
        let document = erp.look_up_document(Shape::DraftLine, "DOC1").await;
        heard.hear("document", &document);
        let refs = ["1".to_owned()];
        let states = erp.document_states(Shape::DraftLine, &refs);
        heard.hear("states", &states.await);
        heard.hear_lines("check", &tracker.check().await);
        heard.hear_lines("check", &erp.check().await);
        heard
    };
    let target = here("reference_conversation").costly(4);
    conversation::fuzz(target, SECRET, server, talk)
}

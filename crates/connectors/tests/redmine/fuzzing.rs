//! Redmine's answers, damaged.

use super::conversation::{self, Heard, Patient};
use super::entry::entry_text;
use super::fake::{Fake, KEY};
use connector_sdk::secrecy::SecretString;
use connector_sdk::source::{DateWindow, Feedback, TimeSource, WriteBack};
use connector_sdk::transport::{Effect, Reply, Transport};
use counterfoil_connectors::source::redmine::errors::{classify, of_body};
use counterfoil_connectors::source::redmine::{Redmine, RedmineConfig, parse_entry, parse_page};
use domain::status::BillingStatus;
use fuzz::{Finding, Fuzz, Seen};
use jiff::civil::date;
use serde_json::json;
use std::fmt::Debug;
use std::fmt::Write as _;
use std::sync::Arc;

const WORDS: [&str; 12] = [
    "\"hours\"",
    "\"spent_on\"",
    "\"user\"",
    "\"custom_fields\"",
    "\"total_count\"",
    "\"offset\"",
    "\"time_entries\"",
    "\"value\"",
    "\"id\"",
    "{\"id\":1,\"name\":\"Approval\",\"value\":\"Approved\"}",
    "{\"errors\":[\"Hours is invalid\"]}",
    "\"Approved\"",
];

fn here(target: &'static str) -> Fuzz {
    Fuzz::new(target, env!("CARGO_MANIFEST_DIR")).words(WORDS)
}

fn page() -> String {
    let rows = [
        entry_text(1, "2026-11-15", &json!({})),
        entry_text(2, "2026-11-15", &json!({"hours": 7.99, "issue": null})),
        entry_text(
            3,
            "2026-11-16",
            &json!({"comments": "Prüfung\n🦀", "hours": "x"}),
        ),
    ];
    format!(
        "{{\"time_entries\":[{}],\"total_count\":3,\"offset\":0,\"limit\":100}}",
        rows.join(",")
    )
}

fn shown<T: Debug, E: Debug>(read: &Result<T, E>, problem: impl Fn(&E) -> String) -> Seen {
    match read {
        Ok(entry) => Seen::read("entry", entry),
        Err(bad) => Seen {
            result: format!("{bad:?}"),
            ..Seen::refused(&problem(bad))
        },
    }
}

#[test]
fn fuzz_redmine_page() -> Result<(), Finding> {
    let config = RedmineConfig::at("http://redmine.test");
    here("redmine_page").seed(page()).run(|bytes| {
        let rows = match parse_page(bytes, &config) {
            Ok(rows) => rows,
            Err(error) => return Ok(Seen::refused(&of_body(error, Effect::Read))),
        };
        let mut seen = Seen::read("page", &rows);
        for row in rows.iter().take(20) {
            let row = shown(row, |bad| bad.problem.facts.clone());
            // Each row is told on its own.
            if row.told.chars().nth(1_000).is_some() {
                return Err("says more than 1000 characters about a row".to_owned());
            }
            seen.kind.push_str(&row.kind);
        }
        Ok(seen)
    })
}

#[test]
fn fuzz_redmine_entry() -> Result<(), Finding> {
    let config = RedmineConfig::at("http://redmine.test");
    let entry = entry_text(4711, "2026-11-15", &json!({}));
    here("redmine_entry")
        .seed(format!("{{\"time_entry\":{entry}}}"))
        .run(|bytes| {
            Ok(match parse_entry(bytes, &config) {
                Ok(read) => shown(&read, |bad| bad.problem.facts.clone()),
                Err(error) => Seen::refused(&of_body(error, Effect::Write)),
            })
        })
}

#[test]
fn fuzz_redmine_refusal() -> Result<(), Finding> {
    here("redmine_refusal")
        .seeds([
            r#"{"errors":["Hours is invalid","Comment is too long"]}"#,
            r#"{"errors":[]}"#,
            "<html>Proxy error</html>",
        ])
        .run(|bytes| {
            let mut seen = Seen::read("all", &());
            for status in [200, 302, 401, 404, 409, 422, 429, 500, 503] {
                let reply = Reply {
                    status,
                    headers: vec![(
                        "retry-after".to_owned(),
                        String::from_utf8_lossy(bytes).into_owned(),
                    )],
                    body: bytes.to_vec(),
                };
                let result = classify(&reply, Effect::Write, 1_793_606_400_000_000);
                if let Err(error) = &result
                    && error.to_string().chars().count() > 1_000
                {
                    return Err("says more than 1000 characters".to_owned());
                }
                write!(seen.result, "{result:?}").unwrap();
                seen.kind.push(if result.is_ok() { '+' } else { '-' });
            }
            Ok(seen)
        })
}

#[test]
fn fuzz_redmine_conversation() -> Result<(), Finding> {
    let server = || -> Arc<dyn Transport> {
        let fake = Fake::new();
        for day in ["2026-11-15", "2026-11-16"] {
            fake.put(day, |id| entry_text(id, day, &json!({})));
        }
        fake
    };
    let talk = async |transport: Arc<dyn Transport>| {
        let config = RedmineConfig::at("http://redmine.test");
        let key = SecretString::from(KEY.to_owned());
        let redmine = Redmine::new(config, &key, transport, Patient::new()).unwrap();
        let window = DateWindow {
            from: date(2026, 11, 1),
            to: date(2026, 11, 30),
        };
        let mut heard = Heard::default();
        heard.hear("scan", &redmine.scan(window).await);
        heard.hear("fetch", &redmine.fetch("1").await);
        heard.hear("masters", &redmine.masters().await);
        let update = WriteBack {
            source_ref: "2".to_owned(),
            status: BillingStatus::Posted,
            reference: "INV-1".to_owned(),
        };
        heard.hear("write back", &redmine.write_back(&update).await);
        heard.hear_lines("check", &redmine.check().await);
        heard
    };
    let target = here("redmine_conversation").costly(4);
    conversation::fuzz(target, KEY, server, talk)
}

//! Tryton's answers, damaged.

use super::conversation::{self, Heard, Patient};
use super::parsers::read_all;
use super::scripted::{Script, batch, call, config};
use connector_sdk::secrecy::SecretString;
use connector_sdk::target::{Shape, Target};
use connector_sdk::transport::{Effect, Reply, Transport};
use counterfoil_connectors::target::tryton::json::Json;
use counterfoil_connectors::target::tryton::{Fault, Tryton, classify};
use fuzz::{Finding, Fuzz, Seen};
use std::fmt::Write as _;
use std::sync::Arc;

const PASSWORD: &str = "s3cret-of-the-connector";

const WORDS: [&str; 14] = [
    r#"{"__class__":"Decimal","decimal":"1.5"}"#,
    r#"{"__class__":"date","year":2026,"month":2,"day":28}"#,
    r#"{"__class__":"timedelta","seconds":4800.0}"#,
    r#"{"__class__":"datetime"}"#,
    r#""__class__""#,
    r#""decimal""#,
    r#""seconds""#,
    r#""result""#,
    r#""error""#,
    r#"["UserError",["EXTERNAL_KEY_DUPLICATE x","",null]]"#,
    r#"["UserWarning",["name","message",""]]"#,
    r#"["ConcurrencyException",""]"#,
    r#""party.""#,
    r#""id""#,
];

fn here(target: &'static str) -> Fuzz {
    Fuzz::new(target, env!("CARGO_MANIFEST_DIR"))
        .words(WORDS)
        .seeds([
            r#"{"id":1,"result":[{"id":6,"party":3,"party.":{"id":3,"name":"Kestrel"}}]}"#,
            r#"{"id":1,"result":[{"quantity":1.33,"unit_price":{"__class__":"Decimal","decimal":"98.7500"},
                "date":{"__class__":"date","year":2026,"month":2,"day":28},"lines":[1,2],"active":true,
                "duration":{"__class__":"timedelta","seconds":4800.0},"note":"","invoice.":null}]}"#,
            r#"{"id":1,"error":["UserError",["The period is closed","",null]]}"#,
            r#"{"id":1,"error":["ValidationError",["text","",{"model":"account.move"}]]}"#,
            r#"{"id":1,"error":["UserWarning",["name","message",""]]}"#,
            r#"{"error":["NotLogged"]}"#,
        ])
}

#[test]
fn fuzz_tryton_json() -> Result<(), Finding> {
    here("tryton_json").run(|bytes| {
        let result = Json::parse(bytes);
        if let Ok(value) = &result {
            if Json::parse(value.write().as_bytes()).as_ref() != Ok(value) {
                return Err("a value changed when written and read again".to_owned());
            }
            read_all(value);
        }
        Ok(Seen::of(result))
    })
}

#[test]
fn fuzz_tryton_reply() -> Result<(), Finding> {
    here("tryton_reply").run(|bytes| {
        let mut seen = Seen::read("all", &());
        for (status, effect) in [
            (200, Effect::Read),
            (200, Effect::Write),
            (503, Effect::Write),
            (429, Effect::Read),
        ] {
            let reply = Reply {
                status,
                headers: vec![("retry-after".to_owned(), "1e9".to_owned())],
                body: bytes.to_vec(),
            };
            let result = classify(effect, &reply, 0);
            if status != 200 && result.is_ok() {
                return Err(format!("status {status} counts as a result"));
            }
            write!(seen.result, "{result:?}").unwrap();
            if let Err(fault) = result {
                let told = Fault::into_call_error(fault).to_string();
                if told.chars().count() > 1_000 {
                    return Err("says more than 1000 characters".to_owned());
                }
                seen.kind.extend(told.chars().take(40));
            }
        }
        Ok(seen)
    })
}

#[test]
fn fuzz_tryton_conversation() -> Result<(), Finding> {
    let server = || -> Arc<dyn Transport> { Script::healthy() };
    let talk = async |transport: Arc<dyn Transport>| {
        let password = SecretString::from(PASSWORD.to_owned());
        let tryton = Tryton::new(config(""), password, transport, Patient::new()).unwrap();
        let keys = ["KEY1".to_owned()];
        let mut heard = Heard::default();
        heard.hear("identity", &tryton.identity().await);
        heard.hear("masters", &tryton.masters().await);
        for shape in Shape::ALL {
            heard.hear("post", &tryton.post(&call(), &batch(shape)).await);
            heard.hear("look up", &tryton.look_up(shape, &keys).await);
            heard.hear(
                "states",
                &tryton.document_states(shape, &["44".to_owned()]).await,
            );
            heard.hear("document", &tryton.look_up_document(shape, "DOC1").await);
        }
        heard.hear_lines("check", &tryton.check().await);
        heard
    };
    let target = here("tryton_conversation").costly(4);
    conversation::fuzz(target, PASSWORD, server, talk)
}

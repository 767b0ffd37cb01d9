//! Exchanges that a healthy server does not produce, from a script.

use connector_sdk::call::CallError;
use connector_sdk::check::Verdict;
use connector_sdk::clock::SystemClock;
use connector_sdk::secrecy::SecretString;
use connector_sdk::target::{Call, DocumentHead, LineOutcome, PostBatch, PostLine, Shape, Target};
use connector_sdk::transport::{
    Effect, Reply, Request, Sent, Transport, TransportCause, TransportError,
};
use counterfoil_connectors::target::tryton::json::Json;
use counterfoil_connectors::target::tryton::{Tryton, TrytonConfig};
use domain::exception::Code;
use domain::posting::PostingKind;
use jiff::civil::date;
use std::sync::{Arc, Mutex};

const PASSWORD: &str = "s3cret-of-the-connector";

type Handler = Box<dyn FnMut(&Seen) -> Option<Result<Reply, TransportError>> + Send>;

/// One request as it was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Seen {
    method: String,
    params: String,
    effect: Effect,
    authorization: Option<String>,
    timeout_ms: u64,
    send_not_after_us: Option<i64>,
}

/// Answers what a test says, and otherwise what a healthy Tryton would.
pub(crate) struct Script {
    handler: Mutex<Handler>,
    seen: Mutex<Vec<Seen>>,
}

impl Script {
    /// What a healthy Tryton says, and nothing else.
    pub(crate) fn healthy() -> Arc<Self> {
        Arc::new(Self {
            handler: Mutex::new(Box::new(|_| None)),
            seen: Mutex::default(),
        })
    }
}

fn reply(status: u16, body: &str) -> Reply {
    Reply {
        status,
        headers: Vec::new(),
        body: body.as_bytes().to_vec(),
    }
}

fn answered(body: &str) -> Reply {
    reply(200, &format!(r#"{{"id":1,"result":{body}}}"#))
}

fn user_error(text: &str) -> Reply {
    reply(
        200,
        &format!(r#"{{"id":1,"error":["UserError",["{text}","",null]]}}"#),
    )
}

fn healthy(seen: &Seen) -> Reply {
    answered(match seen.method.as_str() {
        "common.db.login" => r#"[7,"token-of-the-session",null]"#,
        "model.company.company.search_read" => {
            r#"[{"id":6,"party":3,"party.":{"id":3,"name":"Kestrel Advisory"}}]"#
        }
        "model.ir.model.data.get_id" => "9",
        "model.product.uom.search_read" => r#"[{"id":9,"digits":2}]"#,
        "model.currency.currency.search_read" => r#"[{"id":16,"code":"EUR","digits":2}]"#,
        "model.account.invoice.line.on_change" => {
            r#"{"unit":9,"account":839,"taxes":{"add":[[0,{"id":1}]]}}"#
        }
        "model.account.invoice.on_change" => {
            r#"{"invoice_address":1,"account":742,"journal":1,"payment_term":10}"#
        }
        "model.account.invoice.create" => "[44]",
        "model.timesheet.line.create" => "[71]",
        _ => "[]",
    })
}

#[connector_sdk::async_trait]
impl Transport for Script {
    async fn send(&self, request: Request) -> Result<Reply, TransportError> {
        let body = Json::parse(&request.body).unwrap();
        let seen = Seen {
            method: body
                .get("method")
                .and_then(Json::as_text)
                .unwrap()
                .to_owned(),
            params: body.get("params").unwrap().write(),
            effect: request.effect,
            authorization: request
                .headers
                .iter()
                .find(|(name, _)| name == "authorization")
                .map(|(_, value)| value.clone()),
            timeout_ms: request.timeout_ms,
            send_not_after_us: request.send_not_after_us,
        };
        self.seen.lock().unwrap().push(seen.clone());
        let answer = (self.handler.lock().unwrap())(&seen);
        answer.unwrap_or_else(|| Ok(healthy(&seen)))
    }
}

/// A configuration with more keys.
pub(crate) fn config(extra: &str) -> TrytonConfig {
    let text = format!(
        "url = \"http://127.0.0.1:8000\"\ndatabase = \"firm\"\nuser = \"counterfoil\"\n\
         company = 6\nuniqueness = \"module\"\n{extra}"
    );
    toml::from_str(&text).unwrap()
}

struct Bench {
    script: Arc<Script>,
    target: Tryton,
}

impl Bench {
    fn new(
        extra: &str,
        handler: impl FnMut(&Seen) -> Option<Result<Reply, TransportError>> + Send + 'static,
    ) -> Self {
        let config = config(extra);
        let script = Arc::new(Script {
            handler: Mutex::new(Box::new(handler)),
            seen: Mutex::new(Vec::new()),
        });
        let sent_through = Arc::clone(&script);
        let transport: Arc<dyn Transport> = sent_through;
        let password = SecretString::from(PASSWORD.to_owned());
        let target = Tryton::new(config, password, transport, Arc::new(SystemClock)).unwrap();
        Self { script, target }
    }

    fn seen(&self, method: &str) -> Vec<Seen> {
        let seen = self.script.seen.lock().unwrap();
        seen.iter()
            .filter(|seen| seen.method.ends_with(method))
            .cloned()
            .collect()
    }

    /// One line of time: a single write, with nothing to read before or after.
    async fn book(&self) -> Result<Vec<LineOutcome>, CallError> {
        self.target.post(&call(), &batch(Shape::Cost)).await
    }
}

pub(crate) fn call() -> Call {
    Call {
        attempt_key: "A".into(),
        timeout_ms: 4321,
        send_not_after_us: 1_234_567,
    }
}

pub(crate) fn batch(shape: Shape) -> PostBatch {
    let currency = "EUR".parse().unwrap();
    let line = PostLine {
        posting_key: "KEY1".into(),
        line_key: "KEY1".into(),
        erp_line_ref: None,
        quantity: "1.33".parse().unwrap(),
        unit: domain::quantity::Unit::Hour,
        rate: "187.1234".parse().unwrap(),
        amount: domain::money::Money {
            amount_minor: 24_887,
            currency,
        },
        recorded_seconds: 4800,
        work_date: date(2026, 10, 5),
        service_item_ref: "1".into(),
        task_ref: Some("2".into()),
        worker_ref: Some("3".into()),
        description: "Build".into(),
    };
    let document = DocumentHead {
        document_key: "DOC1".into(),
        shape,
        erp_ref: None,
        customer_ref: Some("7".into()),
        currency,
        document_date: date(2026, 10, 31),
        label: "October".into(),
    };
    PostBatch {
        kind: PostingKind::CreateLine,
        document,
        lines: vec![line],
    }
}

fn lost(sent: Sent, cause: TransportCause) -> TransportError {
    TransportError {
        sent,
        cause,
        detail: "the script lost it".into(),
    }
}

#[tokio::test]
async fn numbers_and_limits_are_on_the_wire_as_they_should_be() {
    let bench = Bench::new("", |_| None);
    bench.book().await.unwrap();
    let [write] = bench.seen("timesheet.line.create").try_into().unwrap();
    assert_eq!(write.effect, Effect::Write);
    assert_eq!(
        (write.timeout_ms, write.send_not_after_us),
        (4321, Some(1_234_567))
    );
    assert_eq!(
        write.params,
        r#"[[{"employee":3,"work":2,"date":{"__class__":"date","year":2026,"month":10,"day":5},"duration":{"__class__":"timedelta","seconds":4800},"description":"Build","external_key":"KEY1","company":6}],{"language":"en","company":6}]"#
    );
    // Everything before the write was a read, under one session.
    let seen = bench.script.seen.lock().unwrap().clone();
    let effects = seen
        .iter()
        .filter(|seen| seen.effect == Effect::Write)
        .count();
    assert_eq!((effects, bench.seen("common.db.login").len()), (1, 1));

    let bench = Bench::new("", |_| None);
    // The draft is written, and its line is not found afterwards: that is doubt, not success.
    let result = bench.target.post(&call(), &batch(Shape::DraftLine)).await;
    assert!(
        matches!(result, Err(CallError::Ambiguous { .. })),
        "{result:?}"
    );
    let [write] = bench.seen("account.invoice.create").try_into().unwrap();
    for part in [
        r#""quantity":1.33,"unit_price":{"__class__":"Decimal","decimal":"187.1234"}"#,
        r#""taxes":[["add",[1]]]"#,
        r#""external_key":"KEY1""#,
        r#""external_key":"DOC1""#,
        r#""currency":16"#,
    ] {
        assert!(write.params.contains(part), "{part} in {}", write.params);
    }
}

#[tokio::test]
async fn an_ended_session_is_renewed_once_and_the_write_repeated_once() {
    let mut ended = 0;
    let bench = Bench::new("", move |seen| {
        (seen.method.ends_with("timesheet.line.create") && ended < 1).then(|| {
            ended += 1;
            Ok(reply(401, ""))
        })
    });
    bench.book().await.unwrap();
    let writes = bench.seen("timesheet.line.create");
    assert_eq!(writes.len(), 2);
    assert_eq!(writes[0].params, writes[1].params);
    assert_eq!(bench.seen("common.db.login").len(), 2);

    let bench = Bench::new("", |seen| {
        seen.method
            .ends_with("timesheet.line.create")
            .then(|| Ok(reply(401, "")))
    });
    let result = bench.book().await;
    assert!(
        matches!(result, Err(CallError::Unauthorized { .. })),
        "{result:?}"
    );
    assert_eq!(bench.seen("timesheet.line.create").len(), 2);
}

#[tokio::test]
async fn a_wrong_password_is_told_without_telling_it() {
    let bench = Bench::new("", |seen| {
        (seen.method == "common.db.login").then(|| Ok(reply(401, "<html>")))
    });
    let error = bench.book().await.unwrap_err();
    assert!(matches!(error, CallError::Unauthorized { .. }), "{error:?}");
    let check = bench.target.check().await;
    assert_eq!(check[0].verdict, Verdict::Bad);
    assert!(
        check[0]
            .hint
            .as_deref()
            .is_some_and(|hint| hint.contains("password"))
    );
    for said in [
        format!("{error:?} {error}"),
        format!("{check:?}"),
        format!("{:?}", bench.target),
    ] {
        assert!(!said.contains(PASSWORD), "{said}");
    }
}

#[tokio::test]
async fn what_happened_to_a_write_is_said_and_never_guessed() {
    // answer, what it is taken for
    type Answer = fn() -> Result<Reply, TransportError>;
    let table: [(Answer, &str); 9] = [
        (
            || Ok(reply(503, "<p>could not obtain lock on row</p>")),
            "not executed",
        ),
        (
            || {
                Ok(reply(
                    503,
                    "<p>server closed the connection unexpectedly</p>",
                ))
            },
            "ambiguous",
        ),
        (|| Ok(reply(500, "<html>")), "ambiguous"),
        (|| Ok(reply(429, "")), "throttled"),
        (|| Ok(reply(200, r#"{"id":1,"resul"#)), "ambiguous"),
        (|| Ok(answered(r#"{"not":"ids"}"#)), "ambiguous"),
        (
            || Err(lost(Sent::MaybeSent, TransportCause::BodyTooLarge)),
            "ambiguous",
        ),
        (
            || Err(lost(Sent::MaybeSent, TransportCause::Timeout)),
            "ambiguous",
        ),
        (
            || Err(lost(Sent::NotSent, TransportCause::Connect)),
            "not executed",
        ),
    ];
    for (index, (answer, expected)) in table.into_iter().enumerate() {
        let bench = Bench::new("", move |seen| {
            seen.method.ends_with("timesheet.line.create").then(answer)
        });
        let error = bench.book().await.unwrap_err();
        let class = match error {
            CallError::NotExecuted { .. } => "not executed",
            CallError::Ambiguous { .. } => "ambiguous",
            CallError::Throttled { .. } => "throttled",
            _ => "something else",
        };
        assert_eq!(class, expected, "{index}: {error:?}");
        assert_eq!(
            bench.seen("timesheet.line.create").len(),
            1,
            "{index}: never repeated"
        );
    }
}

#[tokio::test]
async fn a_read_that_fails_before_the_write_means_not_executed() {
    for cause in [
        TransportCause::Timeout,
        TransportCause::Cut,
        TransportCause::BodyTooLarge,
    ] {
        let bench = Bench::new("", move |seen| {
            seen.method
                .ends_with("product.uom.search_read")
                .then(|| Err(lost(Sent::NotSent, cause)))
        });
        let result = bench.book().await;
        assert!(
            matches!(result, Err(CallError::NotExecuted { .. })),
            "{result:?}"
        );
        assert_eq!(bench.seen("timesheet.line.create"), []);
    }
}

#[tokio::test]
async fn only_warnings_of_the_settings_are_confirmed() {
    let warning = r#"{"id":1,"error":["UserWarning",["99ba.dubious","Are you sure?",""]]}"#;
    let mut asked = 0;
    let bench = Bench::new("confirm_warnings = [\"dubious\"]", move |seen| {
        (seen.method.ends_with("timesheet.line.create") && asked < 1).then(|| {
            asked += 1;
            Ok(reply(200, warning))
        })
    });
    bench.book().await.unwrap();
    let [confirmed] = bench.seen("res.user.warning.create").try_into().unwrap();
    assert!(
        confirmed
            .params
            .contains(r#"{"user":7,"name":"99ba.dubious","always":false}"#)
    );

    // Not allowed, and one that never ends.
    for (extra, confirmations) in [("", 0), ("confirm_warnings = [\"dubious\"]", 5)] {
        let bench = Bench::new(extra, move |seen| {
            seen.method
                .ends_with("timesheet.line.create")
                .then(|| Ok(reply(200, warning)))
        });
        let Err(CallError::Refused { problem }) = bench.book().await else {
            panic!("{extra}")
        };
        assert_eq!(problem.erp_words.as_deref(), Some("Are you sure?"));
        assert_eq!(bench.seen("res.user.warning.create").len(), confirmations);
    }
}

#[tokio::test]
async fn a_taken_key_leads_to_what_carries_it_and_ends() {
    // The key is taken, and what carries it cannot be found: bounded, and nothing is invented.
    let bench = Bench::new("", |seen| {
        seen.method
            .ends_with("timesheet.line.create")
            .then(|| Ok(user_error("EXTERNAL_KEY_DUPLICATE: another record")))
    });
    let result = bench.book().await;
    assert!(
        matches!(result, Err(CallError::NotExecuted { .. })),
        "{result:?}"
    );
    assert_eq!(bench.seen("timesheet.line.create").len(), 4);

    let bench = Bench::new("", |seen| match seen.method.as_str() {
        "model.timesheet.line.create" => {
            Some(Ok(user_error("EXTERNAL_KEY_DUPLICATE: another record")))
        }
        "model.timesheet.line.search_read" => Some(Ok(answered(
            r#"[{"id":5,"external_key":"KEY1","employee":3,"work":2,"date":{"__class__":"date","year":2026,"month":10,"day":5},"duration":{"__class__":"timedelta","seconds":4800.0},"invoice_line.":null}]"#,
        ))),
        _ => None,
    });
    let outcomes = bench.book().await.unwrap();
    assert!(matches!(&outcomes[0], LineOutcome::AlreadyThere(found) if found.line_ref == "5"));
}

#[tokio::test]
async fn a_closed_period_is_refused_by_its_code() {
    let words = r#"To continue, you must reopen the period \"2026-01\" of company \"K\" for the date \"01/15/2026\"."#;
    let bench = Bench::new("", move |seen| {
        seen.method
            .ends_with("timesheet.line.create")
            .then(|| Ok(user_error(words)))
    });
    let Err(CallError::Refused { problem }) = bench.book().await else {
        panic!("not refused")
    };
    assert_eq!(problem.code, Code::PeriodClosed);
    assert_eq!(
        problem.erp_words.as_deref(),
        Some(words.replace('\\', "").as_str())
    );
}

#[tokio::test]
async fn a_page_in_another_order_or_without_end_is_not_believed() {
    let bench = Bench::new("", |seen| {
        (seen.method == "model.account.period.search_read").then(|| {
            Ok(answered(
                r#"[{"id":2,"state":"open"},{"id":1,"state":"open"}]"#,
            ))
        })
    });
    let result = bench.target.masters().await;
    assert!(
        matches!(result, Err(CallError::Contract { .. })),
        "{result:?}"
    );
    // A record that does not carry a key that was asked for is no answer either.
    let bench = Bench::new("", |seen| {
        (seen.method == "model.timesheet.line.search_read")
            .then(|| Ok(answered(r#"[{"id":5,"external_key":"OTHER"}]"#)))
    });
    let found = bench
        .target
        .look_up(Shape::Cost, &["KEY1".to_owned()])
        .await;
    assert!(
        matches!(found, Err(CallError::Contract { .. })),
        "{found:?}"
    );
}

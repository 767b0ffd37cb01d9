use super::*;

fn reply(status: u16, body: &str) -> Reply {
    Reply {
        status,
        headers: Vec::new(),
        body: body.as_bytes().to_vec(),
    }
}

/// One word for what a reply came to.
fn verdict(effect: Effect, status: u16, body: &str) -> String {
    match classify(effect, &reply(status, body), 0) {
        Ok(_) => "result".to_owned(),
        Err(Fault::SessionEnded) => "session ended".to_owned(),
        Err(Fault::KeyTaken { .. }) => "key taken".to_owned(),
        Err(Fault::Warning { name, .. }) => format!("warning {name}"),
        Err(Fault::Stale) => "stale".to_owned(),
        Err(Fault::Call(error)) => match error {
            CallError::NotExecuted { .. } => "not executed".to_owned(),
            CallError::Throttled { .. } => "throttled".to_owned(),
            CallError::Unauthorized { .. } => "unauthorized".to_owned(),
            CallError::Ambiguous { .. } => "ambiguous".to_owned(),
            CallError::Refused { problem } => format!("refused {}", problem.code),
            CallError::Contract { .. } => "contract".to_owned(),
        },
    }
}

const HTML: &str = "<!doctype html><title>x</title>";
const LOCK: &str = "<p>could not obtain lock on row in relation \"ir_sequence_strict\"</p>";

#[test]
fn every_reply_has_one_meaning() {
    // status, body, as a read, as a write
    let table = [
        (200, r#"{"id":1,"result":[6]}"#, "result", "result"),
        (200, r#"{"id":1,"result":null}"#, "result", "result"),
        (200, r#"{"id":1,"resu"#, "not executed", "ambiguous"),
        (200, "", "not executed", "ambiguous"),
        (200, HTML, "contract", "ambiguous"),
        (200, r#"{"id":1}"#, "contract", "ambiguous"),
        (
            200,
            r#"{"id":1,"error":["UserError",["EXTERNAL_KEY_DUPLICATE: another record","",null]]}"#,
            "key taken",
            "key taken",
        ),
        (
            200,
            r#"{"id":1,"error":["UserError",["To continue, you must reopen the period \"2026-01\" of company \"K\" for the date \"01/15/2026\".","",null]]}"#,
            "refused PERIOD_CLOSED",
            "refused PERIOD_CLOSED",
        ),
        (
            200,
            r#"{"id":1,"error":["UserError",["To continue, you must create a period for the date \"06/15/2024\" and company","",null]]}"#,
            "refused PERIOD_CLOSED",
            "refused PERIOD_CLOSED",
        ),
        (
            200,
            r#"{"id":1,"error":["UserError",["The value \"P004 / Build\" for field \"Work\" in record \"(2)\" of \"Timesheet Line\" is not valid according to its domain.","",[[["company","=",1],["OR",["timesheet_end_date","=",null],["timesheet_end_date",">=","x"]]],{}]]]}"#,
            "refused TASK_CLOSED",
            "refused TASK_CLOSED",
        ),
        (
            200,
            r#"{"id":1,"error":["UserError",["The value \"Hugo Marsh\" for field \"Employee\" in record \"(2)\" of \"Timesheet Line\" is not valid according to its domain.","",[[["OR",["end_date","=",null],["end_date",">=","x"]]],{}]]]}"#,
            "refused WORKER_TERMINATED",
            "refused WORKER_TERMINATED",
        ),
        (
            200,
            r#"{"id":1,"error":["UserError",["The value \"X\" for field \"Work\" in record \"(2)\" of \"Timesheet Line\" is not valid according to its domain.","",[[["company","=",1]],{"timesheet_end_date":{}}]]]}"#,
            "refused ERP_REJECTED",
            "refused ERP_REJECTED",
        ),
        (
            200,
            r#"{"id":1,"error":["UserError",["A value is required for field \"Account\" in record \"x\" of \"Account Invoice Line\".","",null]]}"#,
            "refused ERP_ACCOUNT_MISSING",
            "refused ERP_ACCOUNT_MISSING",
        ),
        (
            200,
            r#"{"id":1,"error":["UserError",["The value \"99999\" for field \"Work\" in \"Timesheet Line\" does not exist.","",null]]}"#,
            "refused ERP_REJECTED",
            "refused ERP_REJECTED",
        ),
        (
            200,
            r#"{"id":1,"error":["UserWarning",["99ba.invoice_date_future","The invoices have a date in the future.",""]]}"#,
            "warning 99ba.invoice_date_future",
            "warning 99ba.invoice_date_future",
        ),
        (
            200,
            r#"{"id":1,"error":["ConcurrencyException","Records were modified in the meanwhile"]}"#,
            "stale",
            "stale",
        ),
        (
            200,
            r#"{"id":1,"error":["not enough values to unpack (expected 2, got 1)",""]}"#,
            "contract",
            "contract",
        ),
        (200, r#"{"id":1,"error":null}"#, "contract", "contract"),
        (301, HTML, "contract", "contract"),
        (400, HTML, "contract", "contract"),
        (401, "", "session ended", "session ended"),
        (403, HTML, "unauthorized", "unauthorized"),
        (404, HTML, "contract", "contract"),
        (429, HTML, "throttled", "throttled"),
        (500, HTML, "not executed", "ambiguous"),
        (502, HTML, "not executed", "ambiguous"),
        (503, HTML, "not executed", "ambiguous"),
        (503, LOCK, "not executed", "not executed"),
        (504, HTML, "not executed", "ambiguous"),
    ];
    for (status, body, read, write) in table {
        assert_eq!(
            verdict(Effect::Read, status, body),
            read,
            "read {status} {body}"
        );
        assert_eq!(
            verdict(Effect::Write, status, body),
            write,
            "write {status} {body}"
        );
    }
}

#[test]
fn only_the_message_of_a_refusal_is_kept() {
    let long = "x".repeat(50_000);
    let body = format!(
        r#"{{"id":1,"error":["UserError",["The value is wrong.\u001b[31m","",[[["a","=",1]],{{"b":"{long}"}}]]]}}"#
    );
    let Err(Fault::Call(CallError::Refused { problem })) =
        classify(Effect::Write, &reply(200, &body), 0)
    else {
        panic!("not refused");
    };
    assert_eq!(
        problem.erp_words.as_deref(),
        Some("The value is wrong.[31m")
    );
}

#[test]
fn retry_after_is_passed_on() {
    let mut throttled = reply(429, "");
    throttled.headers.push(("retry-after".into(), "7".into()));
    let expected = CallError::Throttled {
        words: "Tryton asks to slow down (HTTP 429)".into(),
        retry_after_ms: Some(7000),
    };
    assert_eq!(
        classify(Effect::Write, &throttled, 0),
        Err(Fault::Call(expected))
    );
}

//! The table of what replies mean.

use super::*;
use connector_sdk::transport::Sent;

fn reply(status: u16, code: &str, headers: &[(&str, &str)]) -> Reply {
    let body = if code.is_empty() {
        "<html>proxy</html>".to_owned()
    } else {
        format!("{{\"code\":\"{code}\",\"detail\":\"some words\",\"more\":1}}")
    };
    Reply {
        status,
        headers: headers
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect(),
        body: body.into_bytes(),
    }
}

fn kind(fault: &Fault) -> String {
    match fault {
        Fault::KeyExists { .. } => "key exists".to_owned(),
        Fault::Gone { .. } => "gone".to_owned(),
        Fault::Call(error) => match error {
            CallError::NotExecuted { retry_after_ms, .. } => {
                format!("not executed {retry_after_ms:?}")
            }
            CallError::Throttled { retry_after_ms, .. } => format!("throttled {retry_after_ms:?}"),
            CallError::Unauthorized { .. } => "unauthorized".to_owned(),
            CallError::Ambiguous { .. } => "ambiguous".to_owned(),
            CallError::Refused { problem } => format!("refused {}", problem.code),
            CallError::Contract { .. } => "contract".to_owned(),
        },
    }
}

#[test]
fn every_reply_has_a_class() {
    // status, code, headers, read, write
    type Case = (
        u16,
        &'static str,
        &'static [(&'static str, &'static str)],
        &'static str,
        &'static str,
    );
    let table: &[Case] = &[
        (401, "UNAUTHORIZED", &[], "unauthorized", "unauthorized"),
        (403, "", &[], "unauthorized", "unauthorized"),
        (404, "ENTRY_NOT_FOUND", &[], "gone", "gone"),
        (404, "NO_SUCH_ADDRESS", &[], "contract", "contract"),
        (404, "", &[], "contract", "contract"),
        (409, "KEY_EXISTS", &[], "key exists", "key exists"),
        (409, "", &[], "contract", "contract"),
        (
            413,
            "BATCH_TOO_LARGE",
            &[],
            "refused ERP_REJECTED",
            "refused ERP_REJECTED",
        ),
        (
            422,
            "PERIOD_CLOSED",
            &[],
            "refused PERIOD_CLOSED",
            "refused PERIOD_CLOSED",
        ),
        (
            422,
            "SOMETHING_NEW",
            &[],
            "refused ERP_REJECTED",
            "refused ERP_REJECTED",
        ),
        (422, "IDEMPOTENCY_KEY_REUSED", &[], "contract", "contract"),
        (422, "", &[], "contract", "contract"),
        (
            429,
            "RATE_LIMITED",
            &[("retry-after", "3")],
            "throttled Some(3000)",
            "throttled Some(3000)",
        ),
        (429, "", &[], "throttled None", "throttled None"),
        (
            503,
            "UNAVAILABLE",
            &[],
            "not executed None",
            "not executed None",
        ),
        (
            503,
            "",
            &[("retry-after", "1")],
            "not executed Some(1000)",
            "ambiguous",
        ),
        (500, "INTERNAL", &[], "not executed None", "ambiguous"),
        (502, "", &[], "not executed None", "ambiguous"),
        (504, "", &[], "not executed None", "ambiguous"),
        (408, "", &[], "not executed None", "ambiguous"),
        (301, "", &[], "contract", "contract"),
        (400, "MALFORMED", &[], "contract", "contract"),
        (418, "", &[], "contract", "contract"),
    ];
    for (status, code, headers, read, write) in table {
        for (effect, expected) in [(Effect::Read, read), (Effect::Write, write)] {
            let fault = classify(effect, &reply(*status, code, headers), 0).unwrap_err();
            assert_eq!(&kind(&fault), expected, "{status} {code} {effect:?}");
        }
    }
    for status in [200, 201, 204] {
        assert!(classify(Effect::Write, &reply(status, "", &[]), 0).is_ok());
    }
}

#[test]
fn refusals_keep_the_servers_words() {
    let fault = classify(Effect::Write, &reply(422, "TASK_CLOSED", &[]), 0).unwrap_err();
    let Fault::Call(CallError::Refused { problem }) = fault else {
        panic!("not refused");
    };
    assert_eq!(problem.erp_words.as_deref(), Some("some words"));
    for (theirs, ours) in REFUSALS {
        assert_eq!(refusal_code(theirs), *ours);
    }
}

#[test]
fn a_lost_answer_of_a_write_is_never_safe() {
    for cause in [
        TransportCause::Timeout,
        TransportCause::Cut,
        TransportCause::BodyTooLarge,
    ] {
        let error = TransportError {
            sent: Sent::MaybeSent,
            cause,
            detail: "x".to_owned(),
        };
        let of_write = of_transport(&error, Effect::Write);
        assert!(matches!(of_write, CallError::Ambiguous { .. }), "{cause:?}");
    }
    for error in [
        BodyError::Truncated,
        BodyError::Html,
        BodyError::NotJson,
        BodyError::Shape,
    ] {
        let of_write = of_body(error, Effect::Write);
        assert!(matches!(of_write, CallError::Ambiguous { .. }), "{error}");
    }
}

//! What an answer of Redmine means for the call: one pure function with a table of tests.
//!
//! Redmine says little: 401 and 403 come with an empty body, 422 with sentences in the language of
//! the key's user, anything unknown as an HTML page. What may have been executed is never called
//! "not executed".

use super::wire::{BodyError, Errors};
use connector_sdk::call::{CallError, words};
use connector_sdk::transport::{Effect, Reply, TransportCause, TransportError};
use domain::exception::{Code, Problem};

const KEY_HINT: &str = "Redmine does not accept the API key: it is wrong, was reset, or its user is \
     locked. Copy the key from 'My account' of the connector's user into the secret and run check";
const FORBIDDEN_HINT: &str = "Redmine forbids this to the key's user. Enable the REST web service \
     (Administration, Settings, API) and give the user's role the permission, then run check";
const ADDRESS_HINT: &str = "there is no such address. Check that base_url is Redmine's start page \
     and that Redmine is version 5.0 or later";

/// An answer that is good, or the class of what went wrong. A 404 that may mean "no such record"
/// has to be looked at before.
pub fn classify(reply: &Reply, effect: Effect, now_us: i64) -> Result<(), CallError> {
    let status = reply.status;
    let retry_after_ms = || CallError::retry_after_ms(reply.header("retry-after"), now_us);
    let unsure = |said: String| match effect {
        Effect::Read => CallError::NotExecuted {
            words: said,
            retry_after_ms: retry_after_ms(),
        },
        Effect::Write => CallError::Ambiguous { words: said },
    };
    let error = match status {
        200..=299 => return Ok(()),
        300..=399 => CallError::Contract {
            words: format!(
                "Redmine redirects to another address (status {status}). Set base_url to the final \
                 address, with https where Redmine uses it"
            ),
        },
        401 => CallError::Unauthorized {
            words: KEY_HINT.to_owned(),
        },
        403 => CallError::Unauthorized {
            words: FORBIDDEN_HINT.to_owned(),
        },
        404 => CallError::Contract {
            words: ADDRESS_HINT.to_owned(),
        },
        409 | 422 => refused(reply),
        429 => CallError::Throttled {
            words: "Redmine, or the proxy before it, asks to slow down".to_owned(),
            retry_after_ms: retry_after_ms(),
        },
        503 => CallError::NotExecuted {
            words: "Redmine is not available now (status 503)".to_owned(),
            retry_after_ms: retry_after_ms(),
        },
        408 | 425 | 500..=599 => unsure(format!(
            "Redmine failed with status {status}; its log says why"
        )),
        _ => CallError::Contract {
            words: format!("Redmine answered with status {status}, which it should not"),
        },
    };
    Err(error)
}

fn refused(reply: &Reply) -> CallError {
    let said = serde_json::from_slice::<Errors>(&reply.body)
        .map(|errors| words(&errors.errors.join("; ")))
        .unwrap_or_default();
    if said.is_empty() {
        return CallError::Contract {
            words: format!(
                "Redmine refused with status {} and gave no reason",
                reply.status
            ),
        };
    }
    CallError::Refused {
        problem: Problem::new(Code::TrackerRefused, format!("Redmine says: {said}"))
            .with_words(said),
    }
}

/// What a body that cannot be read means.
pub fn of_body(error: BodyError, effect: Effect) -> CallError {
    match (error, effect) {
        (BodyError::Truncated, Effect::Read) => CallError::NotExecuted {
            words: error.to_string(),
            retry_after_ms: None,
        },
        (BodyError::Truncated, Effect::Write) => CallError::Ambiguous {
            words: error.to_string(),
        },
        (BodyError::Html, _) => CallError::Contract {
            words: format!(
                "{error}. Check that base_url is Redmine's start page and that no log-in page or \
                 proxy answers instead"
            ),
        },
        (BodyError::NotJson | BodyError::Shape, _) => CallError::Contract {
            words: format!("{error}; keep it and report the connector"),
        },
    }
}

/// What a request without an answer means.
pub fn of_transport(error: &TransportError, effect: Effect) -> CallError {
    match (error.cause, effect) {
        // To ask again would bring the same answer again.
        (TransportCause::BodyTooLarge, Effect::Read) => CallError::Contract {
            words: format!("{}; set a smaller page_size", error.detail),
        },
        (TransportCause::BadRequest, _) => CallError::Contract {
            words: format!("{}; check base_url", error.detail),
        },
        (_, Effect::Read) => CallError::of_read(error),
        (_, Effect::Write) => CallError::of_write(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use connector_sdk::transport::Sent;

    /// Status, Retry-After, body, class of a read, class of a write, wait.
    type Row = (
        u16,
        Option<&'static str>,
        &'static str,
        &'static str,
        &'static str,
        Option<u64>,
    );

    const NOW_US: i64 = 1_795_435_200_000_000; // 2026-11-23T12:00:00Z

    fn kind(error: &CallError) -> &'static str {
        match error {
            CallError::NotExecuted { .. } => "not executed",
            CallError::Throttled { .. } => "throttled",
            CallError::Unauthorized { .. } => "unauthorized",
            CallError::Ambiguous { .. } => "ambiguous",
            CallError::Refused { .. } => "refused",
            CallError::Contract { .. } => "contract",
        }
    }

    fn wait(error: &CallError) -> Option<u64> {
        match error {
            CallError::NotExecuted { retry_after_ms, .. }
            | CallError::Throttled { retry_after_ms, .. } => *retry_after_ms,
            _ => None,
        }
    }

    #[test]
    fn every_answer_has_a_class() {
        let errors = r#"{"errors":["Hours is invalid","Project is invalid"]}"#;
        let html = "<!DOCTYPE html><html></html>";
        let table: [Row; 20] = [
            (301, None, "", "contract", "contract", None),
            (302, None, html, "contract", "contract", None),
            (400, None, "", "contract", "contract", None),
            (401, None, "", "unauthorized", "unauthorized", None),
            (403, None, "", "unauthorized", "unauthorized", None),
            (404, None, "", "contract", "contract", None),
            (408, None, "", "not executed", "ambiguous", None),
            (409, None, errors, "refused", "refused", None),
            (412, None, "", "contract", "contract", None),
            (413, None, html, "contract", "contract", None),
            (422, None, errors, "refused", "refused", None),
            (422, None, html, "contract", "contract", None),
            (422, None, r#"{"errors":[]}"#, "contract", "contract", None),
            (429, None, "", "throttled", "throttled", None),
            (429, Some("7"), "", "throttled", "throttled", Some(7000)),
            (
                429,
                Some("Mon, 23 Nov 2026 12:00:30 GMT"),
                "",
                "throttled",
                "throttled",
                Some(30_000),
            ),
            (500, None, html, "not executed", "ambiguous", None),
            (502, None, html, "not executed", "ambiguous", None),
            (
                503,
                Some("5"),
                html,
                "not executed",
                "not executed",
                Some(5000),
            ),
            (999, None, "", "contract", "contract", None),
        ];
        for (status, retry, body, read, write, waits) in table {
            let reply = Reply {
                status,
                headers: retry
                    .map(|value| ("retry-after".to_owned(), value.to_owned()))
                    .into_iter()
                    .collect(),
                body: body.as_bytes().to_vec(),
            };
            for (effect, expected) in [(Effect::Read, read), (Effect::Write, write)] {
                let error = classify(&reply, effect, NOW_US).unwrap_err();
                assert_eq!(kind(&error), expected, "{status} {effect:?}");
                if expected != "ambiguous" {
                    assert_eq!(wait(&error), waits, "{status}");
                }
            }
        }
        for status in [200, 201, 204] {
            let reply = Reply {
                status,
                headers: vec![],
                body: vec![],
            };
            assert!(classify(&reply, Effect::Write, NOW_US).is_ok());
        }
    }

    #[test]
    fn a_refusal_carries_redmines_words() {
        let reply = Reply {
            status: 422,
            headers: vec![],
            body: br#"{"errors":["Billing status is not included in the list"]}"#.to_vec(),
        };
        let Err(CallError::Refused { problem }) = classify(&reply, Effect::Write, NOW_US) else {
            panic!("not refused");
        };
        assert_eq!(problem.code, Code::TrackerRefused);
        assert_eq!(
            problem.erp_words.as_deref(),
            Some("Billing status is not included in the list")
        );
    }

    #[test]
    fn every_body_and_transport_error_has_a_class() {
        let bodies = [
            (BodyError::Truncated, "not executed", "ambiguous"),
            (BodyError::Html, "contract", "contract"),
            (BodyError::NotJson, "contract", "contract"),
            (BodyError::Shape, "contract", "contract"),
        ];
        for (error, read, write) in bodies {
            assert_eq!(kind(&of_body(error, Effect::Read)), read, "{error}");
            assert_eq!(kind(&of_body(error, Effect::Write)), write, "{error}");
        }
        let causes = [
            (
                TransportCause::Connect,
                Sent::NotSent,
                "not executed",
                "not executed",
            ),
            (
                TransportCause::Timeout,
                Sent::MaybeSent,
                "not executed",
                "ambiguous",
            ),
            (
                TransportCause::Cut,
                Sent::MaybeSent,
                "not executed",
                "ambiguous",
            ),
            (
                TransportCause::BodyTooLarge,
                Sent::MaybeSent,
                "contract",
                "ambiguous",
            ),
            (
                TransportCause::Expired,
                Sent::NotSent,
                "not executed",
                "not executed",
            ),
            (
                TransportCause::BadRequest,
                Sent::NotSent,
                "contract",
                "contract",
            ),
        ];
        for (cause, sent, read, write) in causes {
            let error = TransportError {
                sent,
                cause,
                detail: "x".to_owned(),
            };
            assert_eq!(kind(&of_transport(&error, Effect::Read)), read, "{cause:?}");
            assert_eq!(
                kind(&of_transport(&error, Effect::Write)),
                write,
                "{cause:?}"
            );
        }
    }
}

//! What a reply means. One pure function decides it for every call.
//!
//! Tryton answers HTTP 200 for everything its own code says, in `result` or `error`; other
//! statuses come from the server around it or from a proxy. An `error` ended the transaction: it
//! was rolled back and nothing was executed.

use super::json::{Json, JsonError};
use connector_sdk::call::{CallError, words};
use connector_sdk::transport::{Effect, Reply};
use domain::exception::{Code, Problem};

/// The first word of the companion module's message. Not translated by the module.
const KEY_TAKEN: &str = "EXTERNAL_KEY_DUPLICATE";

/// Database errors after which the server has rolled back before it answers 503.
const ROLLED_BACK: [&str; 5] = [
    "could not obtain lock",
    "could not serialize access",
    "deadlock detected",
    "lock timeout",
    "database is locked",
];

/// A call that brought no result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// What the pipeline is told.
    Call(CallError),
    /// The session has ended; nothing was executed.
    SessionEnded,
    /// A key of the call is on a record already; nothing was executed.
    KeyTaken {
        /// What was said.
        words: String,
    },
    /// The server asks whether this is meant; nothing was executed.
    Warning {
        /// The warning's name, to be confirmed by.
        name: String,
        /// What was said.
        words: String,
    },
    /// A record was changed since it was read; nothing was executed.
    Stale,
}

impl From<CallError> for Fault {
    fn from(error: CallError) -> Self {
        Self::Call(error)
    }
}

impl Fault {
    /// What the pipeline is told if nothing better is known to do.
    pub fn into_call_error(self) -> CallError {
        match self {
            Self::Call(error) => error,
            Self::SessionEnded => CallError::Unauthorized {
                words: "Tryton ended the session and a new one as well".to_owned(),
            },
            Self::KeyTaken { words } => CallError::NotExecuted {
                words,
                retry_after_ms: Some(1000),
            },
            Self::Warning { words, .. } => CallError::Refused {
                problem: Problem::new(
                    Code::ErpRejected,
                    "Tryton asks for a confirmation that only a person may give",
                )
                .with_words(words),
            },
            Self::Stale => CallError::NotExecuted {
                words: "somebody else changed the record at the same time".to_owned(),
                retry_after_ms: Some(1000),
            },
        }
    }
}

/// The result of a call, or what it came to.
pub fn classify(effect: Effect, reply: &Reply, now_us: i64) -> Result<Json, Fault> {
    let retry_after_ms = CallError::retry_after_ms(reply.header("retry-after"), now_us);
    let said = |what: &str| format!("{what} (HTTP {})", reply.status);
    let error = match reply.status {
        200 => return of_body(effect, &reply.body),
        401 => return Err(Fault::SessionEnded),
        403 => CallError::Unauthorized {
            words: said("Tryton does not let this user make the call, or lacks a module"),
        },
        429 => CallError::Throttled {
            words: said("Tryton asks to slow down"),
            retry_after_ms,
        },
        503 if rolled_back(&reply.body) => CallError::NotExecuted {
            words: said("Tryton's database was busy and rolled the call back"),
            retry_after_ms: retry_after_ms.or(Some(1000)),
        },
        500..=599 => match effect {
            Effect::Read => CallError::NotExecuted {
                words: said("the server failed"),
                retry_after_ms,
            },
            Effect::Write => CallError::Ambiguous {
                words: said("the server failed"),
            },
        },
        404 => CallError::Contract {
            words: said("there is no such database or server"),
        },
        _ => CallError::Contract {
            words: said("the server answered with an unknown status"),
        },
    };
    Err(Fault::Call(error))
}

fn rolled_back(body: &[u8]) -> bool {
    let text = String::from_utf8_lossy(body);
    ROLLED_BACK.iter().any(|phrase| text.contains(phrase))
}

fn of_body(effect: Effect, body: &[u8]) -> Result<Json, Fault> {
    let parsed = Json::parse(body);
    let unknown = |what: String, cut: bool| match (effect, cut) {
        (Effect::Write, _) => CallError::Ambiguous { words: what },
        (Effect::Read, true) => CallError::NotExecuted {
            words: what,
            retry_after_ms: None,
        },
        (Effect::Read, false) => CallError::Contract { words: what },
    };
    let answer = match parsed {
        Ok(answer) => answer,
        Err(error) => {
            let cut = error == JsonError::Truncated;
            return Err(Fault::Call(unknown(error.to_string(), cut)));
        }
    };
    match (answer.get("error"), answer.get("result")) {
        (Some(error), _) => Err(of_error(error)),
        (None, Some(result)) => Ok(result.clone()),
        (None, None) => {
            let what = "the answer has neither a result nor an error".to_owned();
            Err(Fault::Call(unknown(what, false)))
        }
    }
}

/// The meaning of the member `error`.
pub fn of_error(error: &Json) -> Fault {
    let items = error.items().unwrap_or_default();
    let kind = items.first().and_then(Json::as_text).unwrap_or_default();
    let detail = items.get(1);
    let part = |index: usize| {
        detail
            .and_then(Json::items)
            .and_then(|parts| parts.get(index))
    };
    let text = |index: usize| part(index).and_then(Json::as_text).unwrap_or_default();
    match kind {
        "UserError" if text(0).starts_with(KEY_TAKEN) => Fault::KeyTaken {
            words: words(text(0)),
        },
        "UserError" => {
            let code = refusal_code(text(0), part(2));
            let facts = "Tryton refused the call; nothing of it was done";
            let problem = Problem::new(code, facts).with_words(words(text(0)));
            Fault::Call(CallError::Refused { problem })
        }
        "UserWarning" => Fault::Warning {
            name: text(0).to_owned(),
            words: words(text(1)),
        },
        "ConcurrencyException" => Fault::Stale,
        "LoginException" => Fault::Call(CallError::Unauthorized {
            words: "Tryton asks for a further login step, which a connector cannot make".to_owned(),
        }),
        // A bare Python message: we sent what this server does not understand.
        other => Fault::Call(CallError::Contract {
            words: format!("Tryton failed on the call: {}", words(other)),
        }),
    }
}

/// The code of a refusal, from Tryton's sentence and, for a failed domain, from its fields.
pub fn refusal_code(message: &str, domain: Option<&Json>) -> Code {
    let has = |part: &str| message.contains(part);
    let names = |field: &str| domain.is_some_and(|domain| mentions(domain, field));
    if has("you must reopen the period") || has("you must create a period") {
        return Code::PeriodClosed;
    }
    if has("you must reopen the fiscal year") || has("you must create a fiscal year") {
        return Code::PeriodClosed;
    }
    if has("is not valid according to its domain") {
        if has("for field \"Work\"") && names("timesheet_end_date") {
            return Code::TaskClosed;
        }
        if has("for field \"Employee\"") && names("end_date") {
            return Code::WorkerTerminated;
        }
    }
    if has("A value is required for field \"Account\"") {
        return Code::ErpAccountMissing;
    }
    Code::ErpRejected
}

/// Whether a failed domain has a clause on a field. The domain is the first of two parts; the
/// second describes the whole model and names every field.
fn mentions(domain: &Json, field: &str) -> bool {
    fn clause(value: &Json, field: &str) -> bool {
        let Some(items) = value.items() else {
            return false;
        };
        items.first().and_then(Json::as_text) == Some(field)
            || items.iter().any(|item| clause(item, field))
    }
    domain
        .items()
        .and_then(|parts| parts.first())
        .is_some_and(|first| clause(first, field))
}

#[cfg(test)]
#[path = "errors_tests.rs"]
mod tests;

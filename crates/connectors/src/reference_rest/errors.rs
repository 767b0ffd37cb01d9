//! What a reply means: one pure function, one table of codes.

use super::wire::{BodyError, ProblemBody, parsed};
use connector_sdk::call::{CallError, words};
use connector_sdk::transport::{Effect, Reply, TransportCause, TransportError};
use domain::exception::{Code, Problem};

/// A call that brought no result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// What the pipeline is told.
    Call(CallError),
    /// A key of the call is on a line already; nothing was executed.
    KeyExists {
        /// What was said.
        words: String,
    },
    /// What was asked for by id does not exist.
    Gone {
        /// What was said.
        words: String,
    },
}

impl From<CallError> for Fault {
    fn from(error: CallError) -> Self {
        Self::Call(error)
    }
}

impl Fault {
    /// What the pipeline is told where nothing better is known to do.
    pub fn into_call_error(self) -> CallError {
        match self {
            Self::Call(error) => error,
            Self::KeyExists { words } => CallError::NotExecuted {
                words,
                retry_after_ms: Some(1000),
            },
            Self::Gone { words } => CallError::Contract { words },
        }
    }
}

/// The refusals of the reference ERP and the code of our catalogue. What is not here is
/// [`Code::ErpRejected`].
pub const REFUSALS: &[(&str, Code)] = &[
    ("DOCUMENT_NOT_DRAFT", Code::DocumentClosed),
    ("PERIOD_CLOSED", Code::PeriodClosed),
    ("TASK_CLOSED", Code::TaskClosed),
    ("TASK_UNKNOWN", Code::TaskUnmapped),
    ("PROJECT_CLOSED", Code::ProjectClosed),
    ("CUSTOMER_ON_HOLD", Code::CustomerOnHold),
    ("CUSTOMER_UNKNOWN", Code::CustomerUnmapped),
    ("WORKER_TERMINATED", Code::WorkerTerminated),
    ("WORKER_UNKNOWN", Code::WorkerUnmapped),
    ("SERVICE_ITEM_UNKNOWN", Code::ServiceItemUnmapped),
    ("ACCOUNT_MISSING", Code::ErpAccountMissing),
    ("CURRENCY_MISMATCH", Code::CurrencyMismatch),
    ("LINE_NOT_FOUND", Code::LineMissing),
];

/// The code of a refusal.
pub fn refusal_code(code: &str) -> Code {
    REFUSALS
        .iter()
        .find(|(theirs, _)| *theirs == code)
        .map_or(Code::ErpRejected, |(_, ours)| *ours)
}

/// `Ok` for success; else what the reply means.
pub fn classify(effect: Effect, reply: &Reply, now_us: i64) -> Result<(), Fault> {
    if (200..=299).contains(&reply.status) {
        return Ok(());
    }
    let problem: Option<ProblemBody> = parsed(&reply.body).ok();
    let code = problem.as_ref().map_or("", |problem| problem.code.as_str());
    let detail = problem
        .as_ref()
        .map_or_else(String::new, |problem| words(&problem.detail));
    let retry_after_ms = CallError::retry_after_ms(reply.header("retry-after"), now_us);
    let said = |what: &str| {
        let status = reply.status;
        if code.is_empty() {
            format!("{what} (HTTP {status})")
        } else {
            format!("{what} (HTTP {status}, {}: {detail})", words(code))
        }
    };
    let refused = || {
        let facts = "the server refused the call; nothing of it was done";
        CallError::Refused {
            problem: Problem::new(refusal_code(code), facts).with_words(detail.clone()),
        }
    };
    let error = match (reply.status, code) {
        (401 | 403, _) => CallError::Unauthorized {
            words: said("the token is not accepted for this call"),
        },
        (404, "ENTRY_NOT_FOUND" | "DOCUMENT_NOT_FOUND") => {
            return Err(Fault::Gone {
                words: said("it does not exist"),
            });
        }
        (409, "KEY_EXISTS") => {
            return Err(Fault::KeyExists {
                words: said("a line with this key exists"),
            });
        }
        (422, "IDEMPOTENCY_KEY_REUSED") => CallError::Contract {
            words: said("an attempt key was used for two bodies"),
        },
        (404 | 409 | 413 | 422, code) if !code.is_empty() && code != "NO_SUCH_ADDRESS" => refused(),
        (429, _) => CallError::Throttled {
            words: said("the server asks to slow down"),
            retry_after_ms,
        },
        // A 503 of the server itself promises that nothing was done; one of a proxy does not.
        (503, code) if !code.is_empty() || effect == Effect::Read => CallError::NotExecuted {
            words: said("the server is not available"),
            retry_after_ms,
        },
        (408 | 500..=599, _) => match effect {
            Effect::Read => CallError::NotExecuted {
                words: said("the server failed"),
                retry_after_ms,
            },
            Effect::Write => CallError::Ambiguous {
                words: said("the server failed"),
            },
        },
        _ => CallError::Contract {
            words: said("the server answered in an unknown way"),
        },
    };
    Err(Fault::Call(error))
}

/// What a body means that is not of the expected form although the status says success.
pub fn of_body(error: BodyError, effect: Effect) -> CallError {
    let said = error.to_string();
    match (effect, error) {
        (Effect::Write, _) => CallError::Ambiguous { words: said },
        (Effect::Read, BodyError::Truncated) => CallError::NotExecuted {
            words: said,
            retry_after_ms: None,
        },
        (Effect::Read, BodyError::Html | BodyError::NotJson | BodyError::Shape) => {
            CallError::Contract { words: said }
        }
    }
}

/// What a call means that brought no whole reply.
pub fn of_transport(error: &TransportError, effect: Effect) -> CallError {
    match (error.cause, effect) {
        (TransportCause::BadRequest, _) | (TransportCause::BodyTooLarge, Effect::Read) => {
            CallError::Contract {
                words: error.detail.clone(),
            }
        }
        (_, Effect::Read) => CallError::of_read(error),
        (_, Effect::Write) => CallError::of_write(error),
    }
}

#[cfg(test)]
#[path = "errors_tests.rs"]
mod tests;

//! S11: every way in which a call fails, and the class that it has to have.

use super::Law;
use super::laws::Run;
use super::meddler::Meddling;
use crate::call::CallError;
use crate::transport::{Reply, TransportCause};
use domain::status::BillingStatus;

/// How often a failure is repeated, so that a connector's own retries meet it too.
const REPEATS: usize = 64;

impl Run {
    pub(super) async fn failures(&mut self, ids: &[String]) {
        let law = Law::FailuresAreClassified;
        let last = self.requests_of_a_scan(law).await.saturating_sub(1);
        for failure in FAILURES {
            for at in [0, last] {
                self.harness.meddler().plan(failure.after(at));
                let scan = self.harness.source().scan(self.harness.window()).await;
                self.judge(failure, "a scan", scan.map(|_| ()));
            }
            let Some(id) = ids.first() else { continue };
            self.harness.meddler().plan(failure.after(0));
            let fetched = self.harness.source().fetch(id).await;
            self.judge(failure, "a fetch", fetched.map(|_| ()));
            if self.harness.feedback().is_some() {
                self.harness.meddler().plan(failure.after(0));
                let shown = self.show(id, BillingStatus::Posted).await;
                self.harness.meddler().plan([]);
                let wrong = shown.is_ok();
                self.demand(law, !wrong, || {
                    format!("{} of a write-back looks like success", failure.name)
                });
                self.said.push(format!("{shown:?}"));
            }
            self.harness.meddler().plan([]);
        }
    }

    fn judge(&mut self, failure: &Failure, what: &str, outcome: Result<(), CallError>) {
        let fits = match (&outcome, failure.class) {
            (Err(CallError::Unauthorized { .. }), Class::Unauthorized)
            | (Err(CallError::NotExecuted { .. }), Class::NotExecuted | Class::NotSuccess)
            | (Err(CallError::Contract { .. }), Class::Contract | Class::NotSuccess) => true,
            (Err(CallError::Throttled { retry_after_ms, .. }), Class::Throttled(wait)) => {
                *retry_after_ms == wait
            }
            _ => false,
        };
        let seen = format!("{} of {what} came as {outcome:?}", failure.name);
        self.demand(Law::FailuresAreClassified, fits, || seen.clone());
        self.said.push(seen);
        if let Err(error) = outcome {
            self.said.push(error.to_string());
        }
    }
}

/// The class that a failure has to have.
#[derive(Debug, Clone, Copy)]
enum Class {
    Unauthorized,
    Throttled(Option<u64>),
    NotExecuted,
    Contract,
    /// Not executed, or not understood: both are safe.
    NotSuccess,
}

/// A way in which a call fails.
#[derive(Debug, Clone, Copy)]
struct Failure {
    name: &'static str,
    how: How,
    class: Class,
}

#[derive(Debug, Clone, Copy)]
enum How {
    Status(u16, Option<&'static str>, &'static str),
    Fails(TransportCause),
    Truncated,
}

const HTML: &str = "<!DOCTYPE html><html><body>Something else</body></html>";

const FAILURES: &[Failure] = &[
    Failure {
        name: "a 401",
        how: How::Status(401, None, ""),
        class: Class::Unauthorized,
    },
    Failure {
        name: "a 429",
        how: How::Status(429, None, ""),
        class: Class::Throttled(None),
    },
    Failure {
        name: "a 429 with Retry-After",
        how: How::Status(429, Some("7"), ""),
        class: Class::Throttled(Some(7000)),
    },
    Failure {
        name: "a 500",
        how: How::Status(500, None, HTML),
        class: Class::NotExecuted,
    },
    Failure {
        name: "a 502",
        how: How::Status(502, None, HTML),
        class: Class::NotExecuted,
    },
    Failure {
        name: "a 503",
        how: How::Status(503, None, HTML),
        class: Class::NotExecuted,
    },
    Failure {
        name: "an HTML page instead of data",
        how: How::Status(200, None, HTML),
        class: Class::Contract,
    },
    Failure {
        name: "data of another shape",
        how: How::Status(200, None, "[42]"),
        class: Class::Contract,
    },
    Failure {
        name: "a redirect",
        how: How::Status(302, None, ""),
        class: Class::Contract,
    },
    Failure {
        name: "an HTML page that says 404",
        how: How::Status(404, None, HTML),
        class: Class::Contract,
    },
    Failure {
        name: "half an answer",
        how: How::Truncated,
        class: Class::NotSuccess,
    },
    Failure {
        name: "no connection",
        how: How::Fails(TransportCause::Connect),
        class: Class::NotExecuted,
    },
    Failure {
        name: "a time-out",
        how: How::Fails(TransportCause::Timeout),
        class: Class::NotExecuted,
    },
    Failure {
        name: "a cut connection",
        how: How::Fails(TransportCause::Cut),
        class: Class::NotExecuted,
    },
    Failure {
        name: "a too large answer",
        how: How::Fails(TransportCause::BodyTooLarge),
        class: Class::NotSuccess,
    },
];

impl Failure {
    fn meddling(self) -> Meddling {
        match self.how {
            How::Status(status, retry_after, body) => Meddling::Reply(Reply {
                status,
                headers: retry_after
                    .map(|value| ("retry-after".to_owned(), value.to_owned()))
                    .into_iter()
                    .collect(),
                body: body.as_bytes().to_vec(),
            }),
            How::Fails(cause) => Meddling::Fail(cause),
            How::Truncated => Meddling::Truncate,
        }
    }

    /// So many requests pass, then all fail.
    fn after(self, passes: usize) -> Vec<Meddling> {
        std::iter::repeat_with(|| Meddling::Pass)
            .take(passes)
            .chain(std::iter::repeat_with(|| self.meddling()).take(REPEATS))
            .collect()
    }
}

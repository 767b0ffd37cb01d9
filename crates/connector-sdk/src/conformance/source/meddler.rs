//! A transport that does as it is told: lets requests through, changes answers, or lets something
//! happen at the tracker between two requests.

use crate::transport::{Effect, Reply, Request, Sent, Transport, TransportCause, TransportError};
use async_trait::async_trait;
use serde_json::Value;
use std::collections::VecDeque;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

type Act = Box<dyn FnOnce() -> Pin<Box<dyn Future<Output = ()> + Send>> + Send>;

/// What happens to one request.
pub enum Meddling {
    /// Nothing.
    Pass,
    /// Something happens at the tracker first; then the request goes through.
    Before(Act),
    /// The request goes through, but this answer comes back.
    Reply(Reply),
    /// No answer comes back.
    Fail(TransportCause),
    /// Half of the answer comes back.
    Truncate,
}

impl fmt::Debug for Meddling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Pass => "pass",
            Self::Before(_) => "before",
            Self::Reply(_) => "reply",
            Self::Fail(_) => "fail",
            Self::Truncate => "truncate",
        })
    }
}

#[derive(Default)]
struct State {
    next: VecDeque<Meddling>,
    unknown_fields: bool,
    requests: u64,
    writes: u64,
}

/// The transport.
pub struct Meddler {
    inner: Arc<dyn Transport>,
    state: Mutex<State>,
}

impl fmt::Debug for Meddler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Meddler")
    }
}

impl Meddler {
    /// Around the transport that reaches the tracker.
    pub fn new(inner: Arc<dyn Transport>) -> Arc<Self> {
        Arc::new(Self {
            inner,
            state: Mutex::default(),
        })
    }

    fn with<T>(&self, look: impl FnOnce(&mut State) -> T) -> T {
        look(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// What happens to the requests to come, one each; the rest passes.
    pub fn plan(&self, next: impl IntoIterator<Item = Meddling>) {
        self.with(|state| state.next = next.into_iter().collect());
    }

    /// Whether all answers get unknown fields from now on.
    pub fn add_unknown_fields(&self, add: bool) {
        self.with(|state| state.unknown_fields = add);
    }

    /// How many requests were seen so far.
    pub fn requests(&self) -> u64 {
        self.with(|state| state.requests)
    }

    /// How many of them may change something.
    pub fn writes(&self) -> u64 {
        self.with(|state| state.writes)
    }
}

fn add_unknown(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for inner in fields.values_mut() {
                add_unknown(inner);
            }
            let unknown = serde_json::json!({ "nested": [1, null, "text"] });
            fields.insert("zz_unknown_to_everybody".to_owned(), unknown);
        }
        Value::Array(items) => items.iter_mut().for_each(add_unknown),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn with_unknown_fields(mut reply: Reply) -> Reply {
    if let Ok(mut value) = serde_json::from_slice::<Value>(&reply.body) {
        add_unknown(&mut value);
        reply.body = value.to_string().into_bytes();
    }
    reply
}

#[async_trait]
impl Transport for Meddler {
    async fn send(&self, request: Request) -> Result<Reply, TransportError> {
        let (meddling, unknown_fields) = self.with(|state| {
            state.requests += 1;
            state.writes += u64::from(request.effect == Effect::Write);
            let next = state.next.pop_front().unwrap_or(Meddling::Pass);
            (next, state.unknown_fields)
        });
        let effect = request.effect;
        match meddling {
            Meddling::Pass => {
                let reply = self.inner.send(request).await?;
                Ok(if unknown_fields {
                    with_unknown_fields(reply)
                } else {
                    reply
                })
            }
            Meddling::Before(act) => {
                act().await;
                self.inner.send(request).await
            }
            Meddling::Reply(reply) => Ok(reply),
            Meddling::Fail(cause) => Err(TransportError {
                sent: match (cause, effect) {
                    (TransportCause::Connect | TransportCause::Expired, _) | (_, Effect::Read) => {
                        Sent::NotSent
                    }
                    (_, Effect::Write) => Sent::MaybeSent,
                },
                cause,
                detail: "the suite let this request fail".to_owned(),
            }),
            Meddling::Truncate => {
                let mut reply = self.inner.send(request).await?;
                reply.body.truncate(reply.body.len() / 2);
                Ok(reply)
            }
        }
    }
}

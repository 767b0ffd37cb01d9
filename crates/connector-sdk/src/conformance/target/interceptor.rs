//! A transport that does to writes as it is told.

use crate::transport::{Effect, Reply, Request, Sent, Transport, TransportCause, TransportError};
use async_trait::async_trait;
use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

/// What happens to one write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Interference {
    /// It leaves, and no answer comes back.
    LoseAnswer(TransportCause),
    /// It leaves, and half of the answer comes back.
    CutAnswer,
    /// It does not leave.
    NeverSend(TransportCause),
    /// It does not leave; this answer comes back.
    Answer(Reply),
}

/// A write as it was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SeenWrite {
    /// The hard time-out.
    pub timeout_ms: u64,
    /// The instant after which it may not leave.
    pub send_not_after_us: Option<i64>,
}

#[derive(Default)]
struct State {
    next: VecDeque<Interference>,
    writes: Vec<SeenWrite>,
}

/// The transport.
pub struct Interceptor {
    inner: Arc<dyn Transport>,
    state: Mutex<State>,
}

impl fmt::Debug for Interceptor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Interceptor")
    }
}

impl Interceptor {
    /// Around the transport that reaches the ERP.
    pub fn new(inner: Arc<dyn Transport>) -> Arc<Self> {
        Arc::new(Self {
            inner,
            state: Mutex::default(),
        })
    }

    fn with<T>(&self, look: impl FnOnce(&mut State) -> T) -> T {
        look(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// What happens to the writes to come, one each; the rest passes.
    pub fn plan(&self, next: impl IntoIterator<Item = Interference>) {
        self.with(|state| state.next = next.into_iter().collect());
    }

    /// The writes since this was asked last.
    pub fn take_writes(&self) -> Vec<SeenWrite> {
        self.with(|state| std::mem::take(&mut state.writes))
    }
}

fn failed(sent: Sent, cause: TransportCause) -> TransportError {
    TransportError {
        sent,
        cause,
        detail: "the suite lost this".to_owned(),
    }
}

#[async_trait]
impl Transport for Interceptor {
    async fn send(&self, request: Request) -> Result<Reply, TransportError> {
        if request.effect == Effect::Read {
            return self.inner.send(request).await;
        }
        let seen = SeenWrite {
            timeout_ms: request.timeout_ms,
            send_not_after_us: request.send_not_after_us,
        };
        let next = self.with(|state| {
            state.writes.push(seen);
            state.next.pop_front()
        });
        match next {
            None => self.inner.send(request).await,
            Some(Interference::LoseAnswer(cause)) => {
                self.inner.send(request).await?;
                Err(failed(Sent::MaybeSent, cause))
            }
            Some(Interference::CutAnswer) => {
                let mut reply = self.inner.send(request).await?;
                reply.body.truncate(reply.body.len() / 2);
                Ok(reply)
            }
            Some(Interference::NeverSend(cause)) => Err(failed(Sent::NotSent, cause)),
            Some(Interference::Answer(reply)) => Ok(reply),
        }
    }
}

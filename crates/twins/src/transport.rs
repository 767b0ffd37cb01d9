//! [`TwinTransport`]: requests of the connectors go to twins in the same process.
//!
//! The same [`handle`] as behind HTTP; answer times pass on a [`Clock`] handle, so that a
//! simulation decides how long a second is.

use crate::fault::{Rng, seeded};
use crate::frame::{Answer, Machine, Reaction, State, handle};
use crate::wire::WireRequest;
use async_trait::async_trait;
use connector_sdk::clock::Clock;
use connector_sdk::transport::{
    Effect, Reply, Request, Sent, Transport, TransportCause, TransportError,
};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

/// A twin with its dice, shared between whoever talks to it.
pub struct Twin<M: Machine> {
    inner: Mutex<(State<M>, Rng)>,
}

impl<M: Machine> fmt::Debug for Twin<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Twin")
    }
}

impl<M: Machine> Twin<M> {
    /// A twin; the dice come from the seed of its fault plan.
    pub fn new(state: State<M>) -> Arc<Self> {
        let rng = seeded(state.plan.seed);
        Arc::new(Self {
            inner: Mutex::new((state, rng)),
        })
    }

    /// Take a request.
    pub fn handle(&self, request: &WireRequest, now_us: i64) -> Reaction {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let (state, rng) = &mut *inner;
        handle(state, request, now_us, rng)
    }

    /// Look at the state or change it, as a test does.
    pub fn with<R>(&self, f: impl FnOnce(&mut State<M>) -> R) -> R {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        f(&mut inner.0)
    }
}

/// Anything that takes requests.
pub trait Host: Send + Sync {
    /// Take a request.
    fn take(&self, request: &WireRequest, now_us: i64) -> Reaction;
}

impl<M: Machine> Host for Twin<M> {
    fn take(&self, request: &WireRequest, now_us: i64) -> Reaction {
        self.handle(request, now_us)
    }
}

/// A transport to twins by host name.
#[derive(Clone)]
pub struct TwinTransport {
    hosts: BTreeMap<String, Arc<dyn Host>>,
    clock: Arc<dyn Clock>,
}

impl fmt::Debug for TwinTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TwinTransport")
            .field("hosts", &self.hosts.keys())
            .finish_non_exhaustive()
    }
}

impl TwinTransport {
    /// A transport that reaches nobody yet.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            hosts: BTreeMap::new(),
            clock,
        }
    }

    /// The same, and requests to `http://<host>/...` reach that twin.
    #[must_use]
    pub fn with_host(mut self, host: &str, twin: Arc<dyn Host>) -> Self {
        self.hosts.insert(host.to_owned(), twin);
        self
    }

    async fn wait_us(&self, from_us: i64, wait_us: i64) {
        if wait_us > 0 {
            self.clock
                .sleep_until_us(from_us.saturating_add(wait_us))
                .await;
        }
    }
}

fn host_of(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.split(['/', '?']).next().unwrap_or_default()
}

fn failed(sent: Sent, cause: TransportCause, detail: &str) -> TransportError {
    TransportError {
        sent,
        cause,
        detail: detail.to_owned(),
    }
}

#[async_trait]
impl Transport for TwinTransport {
    async fn send(&self, request: Request) -> Result<Reply, TransportError> {
        let maybe = match request.effect {
            Effect::Read => Sent::NotSent,
            Effect::Write => Sent::MaybeSent,
        };
        let Some(twin) = self.hosts.get(host_of(&request.url)).cloned() else {
            return Err(failed(
                Sent::NotSent,
                TransportCause::Connect,
                "no connection could be made",
            ));
        };
        let wire = WireRequest::new(
            request.method.name(),
            &request.url,
            &request.headers,
            request.body,
        );
        let started_us = self.clock.now_us();
        if request
            .send_not_after_us
            .is_some_and(|limit| started_us > limit)
        {
            return Err(failed(
                Sent::NotSent,
                TransportCause::Expired,
                "the time in which this call could be sent has passed",
            ));
        }
        let reaction = twin.take(&wire, started_us);
        let timeout_us = i64::try_from(request.timeout_ms)
            .unwrap_or(i64::MAX)
            .saturating_mul(1000);
        if reaction.answer == Answer::Silence || reaction.latency_us > timeout_us {
            self.wait_us(started_us, timeout_us).await;
            return Err(failed(
                maybe,
                TransportCause::Timeout,
                "no whole answer came within the time-out",
            ));
        }
        self.wait_us(started_us, reaction.latency_us).await;
        match reaction.answer {
            Answer::Reply(reply) if reply.body.len() > request.body_limit_bytes => Err(failed(
                maybe,
                TransportCause::BodyTooLarge,
                "the answer is larger than the limit",
            )),
            Answer::Reply(reply) => Ok(Reply {
                status: reply.status,
                headers: reply.headers,
                body: reply.body,
            }),
            Answer::Cut(..) | Answer::Dropped | Answer::Silence => Err(failed(
                maybe,
                TransportCause::Cut,
                "the connection ended before the answer did",
            )),
        }
    }
}

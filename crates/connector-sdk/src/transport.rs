//! The one way out: a request goes through [`Transport::send`] and comes back as a reply or as an
//! error that says whether the other side can have seen it.

use async_trait::async_trait;
use std::fmt;
use thiserror::Error;

/// The largest reply that is read unless a connector says otherwise.
pub const BODY_LIMIT_BYTES: usize = 32 * 1024 * 1024;

/// An HTTP method that connectors use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Reads.
    Get,
    /// Creates, or a remote call.
    Post,
    /// Replaces.
    Put,
    /// Removes.
    Delete,
}

impl Method {
    /// The name on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Delete => "DELETE",
        }
    }
}

/// What a request may do to the other side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// It changes nothing there: may be repeated.
    Read,
    /// It may change something: sent on a fresh connection, never repeated by the transport.
    Write,
}

/// A request. Debug shows neither headers nor body, since both may hold secrets.
#[derive(Clone)]
pub struct Request {
    /// The method.
    pub method: Method,
    /// The whole address.
    pub url: String,
    /// Header names and values.
    pub headers: Vec<(String, String)>,
    /// The body; empty for none.
    pub body: Vec<u8>,
    /// What it may do there.
    pub effect: Effect,
    /// The hard time-out from first byte to last, in milliseconds.
    pub timeout_ms: u64,
    /// The largest reply to read, in bytes.
    pub body_limit_bytes: usize,
    /// No byte leaves after this instant (microseconds since the epoch).
    pub send_not_after_us: Option<i64>,
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let address = self.url.split('?').next().unwrap_or_default();
        write!(
            f,
            "{} {} ({} bytes)",
            self.method.name(),
            address,
            self.body.len()
        )
    }
}

/// A whole reply.
#[derive(Clone, PartialEq, Eq)]
pub struct Reply {
    /// The status code.
    pub status: u16,
    /// Header names in lower case, and values.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Reply {
    /// The first value of a header, by lower-case name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }
}

impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "status {} ({} bytes)", self.status, self.body.len())
    }
}

/// Whether the other side can have seen the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sent {
    /// Surely not.
    NotSent,
    /// Perhaps.
    MaybeSent,
}

/// What went wrong on the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TransportCause {
    /// No connection.
    Connect,
    /// No whole reply within the time-out.
    Timeout,
    /// The connection ended before the reply did.
    Cut,
    /// The reply is larger than the limit.
    BodyTooLarge,
    /// The instant after which nothing may be sent had passed.
    Expired,
    /// The request itself cannot be written (bad address or header).
    BadRequest,
}

/// A request that brought no whole reply.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{detail}")]
pub struct TransportError {
    /// Whether the other side can have seen it.
    pub sent: Sent,
    /// What went wrong.
    pub cause: TransportCause,
    /// A sentence without secrets.
    pub detail: String,
}

/// The way out. Redirects are not followed and nothing is retried behind the caller's back.
#[async_trait]
pub trait Transport: Send + Sync {
    /// Send one request and read its whole reply.
    async fn send(&self, request: Request) -> Result<Reply, TransportError>;
}

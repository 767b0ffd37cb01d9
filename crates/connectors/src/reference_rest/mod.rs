//! What both connectors of the reference API share: one request, its classified answer, and
//! lists in pages. The API is described in `docs/reference-api`.

pub mod errors;
mod pages;
pub mod wire;

pub use pages::{PASSES_MAX, ROWS_MAX};

use connector_sdk::call::CallError;
use connector_sdk::clock::Clock;
use connector_sdk::manifest::{LimitHeaders, Resets};
use connector_sdk::secrecy::{ExposeSecret, SecretString};
use connector_sdk::target::Call;
use connector_sdk::transport::{BODY_LIMIT_BYTES, Effect, Method, Reply, Request, Transport};
use errors::{Fault, classify, of_transport};
use std::fmt;
use std::fmt::Write as _;
use std::sync::Arc;
use thiserror::Error;

/// How the reference API says what is left of its window: `ratelimit-remaining`, and
/// `ratelimit-reset` in seconds from now.
pub(crate) const LIMIT_HEADERS: LimitHeaders = LimitHeaders {
    remaining: "ratelimit-remaining",
    resets: Some(Resets::InSeconds("ratelimit-reset")),
};

/// A configuration that cannot work.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ConfigError {
    /// The address is none.
    #[error(
        "url '{0}' is no web address that can be used; write it like https://erp.example.com, without user name, '?' or '#'"
    )]
    Url(String),
    /// The token cannot be sent.
    #[error("the token is empty or holds characters that cannot be sent; copy it again")]
    Token,
    /// A number is out of range.
    #[error("{name} is {value}; it must be {range}")]
    Range {
        /// The setting.
        name: &'static str,
        /// What it is.
        value: u64,
        /// What it may be.
        range: &'static str,
    },
}

/// A connection to one server that speaks the reference API.
pub(crate) struct Rest {
    base_url: String,
    token: SecretString,
    transport: Arc<dyn Transport>,
    clock: Arc<dyn Clock>,
    read_timeout_ms: u64,
}

impl fmt::Debug for Rest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.base_url)
    }
}

impl Rest {
    /// A connection; nothing is sent yet.
    pub(crate) fn new(
        url: &str,
        token: &SecretString,
        read_timeout_ms: u64,
        transport: Arc<dyn Transport>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, ConfigError> {
        let token = token.expose_secret().trim();
        if token.is_empty() || !token.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(ConfigError::Token);
        }
        in_range(
            "read_timeout_ms",
            read_timeout_ms,
            1..=600_000,
            "1 to 600000",
        )?;
        Ok(Self {
            base_url: checked_url(url)?,
            token: SecretString::from(token.to_owned()),
            transport,
            clock,
            read_timeout_ms,
        })
    }

    fn request(&self, method: Method, path: &str, body: Vec<u8>) -> Request {
        let mut headers = vec![
            (
                "authorization".to_owned(),
                format!("Bearer {}", self.token.expose_secret()),
            ),
            ("accept".to_owned(), "application/json".to_owned()),
        ];
        if !body.is_empty() {
            headers.push(("content-type".to_owned(), "application/json".to_owned()));
        }
        Request {
            method,
            url: format!("{}/v1/{path}", self.base_url),
            headers,
            body,
            effect: match method {
                Method::Get => Effect::Read,
                Method::Post | Method::Put | Method::Delete => Effect::Write,
            },
            timeout_ms: self.read_timeout_ms,
            body_limit_bytes: BODY_LIMIT_BYTES,
            send_not_after_us: None,
        }
    }

    async fn exchange(&self, request: Request) -> Result<Reply, Fault> {
        let effect = request.effect;
        let reply = self
            .transport
            .send(request)
            .await
            .map_err(|error| Fault::Call(of_transport(&error, effect)))?;
        classify(effect, &reply, self.clock.now_us())?;
        Ok(reply)
    }

    /// Read something.
    pub(crate) async fn get(&self, path: &str) -> Result<Reply, Fault> {
        self.exchange(self.request(Method::Get, path, Vec::new()))
            .await
    }

    /// Write, the way a posting is sent.
    pub(crate) async fn write(
        &self,
        method: Method,
        path: &str,
        body: Vec<u8>,
        call: &Call,
    ) -> Result<Reply, Fault> {
        let mut request = self.request(method, path, body);
        request
            .headers
            .push(("idempotency-key".to_owned(), call.attempt_key.clone()));
        request.timeout_ms = call.timeout_ms;
        request.send_not_after_us = Some(call.send_not_after_us);
        self.exchange(request).await
    }

    /// Write something that may be written again.
    pub(crate) async fn put(
        &self,
        path: &str,
        body: Vec<u8>,
        timeout_ms: u64,
    ) -> Result<Reply, Fault> {
        let mut request = self.request(Method::Put, path, body);
        request.timeout_ms = timeout_ms;
        self.exchange(request).await
    }
}

/// Refuse a number out of range.
pub(crate) fn in_range(
    name: &'static str,
    value: u64,
    allowed: std::ops::RangeInclusive<u64>,
    range: &'static str,
) -> Result<(), ConfigError> {
    if allowed.contains(&value) {
        Ok(())
    } else {
        Err(ConfigError::Range { name, value, range })
    }
}

fn checked_url(text: &str) -> Result<String, ConfigError> {
    // What is no address may be a token pasted in the wrong place: it is not repeated.
    let hidden = || ConfigError::Url("(not shown)".to_owned());
    let url = url::Url::parse(text.trim()).map_err(|_| hidden())?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(hidden());
    }
    let plain = matches!(url.scheme(), "http" | "https")
        && url.host_str().is_some()
        && url.query().is_none()
        && url.fragment().is_none();
    if !plain {
        return Err(ConfigError::Url(text.chars().take(120).collect()));
    }
    Ok(url.as_str().trim_end_matches('/').to_owned())
}

/// A text as one part of a path or value of a query.
pub(crate) fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            out.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _written = write!(out, "%{byte:02X}");
        }
    }
    out
}

/// An answer of a read that has to be of a known form.
pub(crate) fn read_json<T: serde::de::DeserializeOwned>(
    effect: Effect,
    reply: &Reply,
) -> Result<T, CallError> {
    wire::parsed(&reply.body).map_err(|error| errors::of_body(error, effect))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_that_cannot_work_are_refused_without_repeating_secrets() {
        assert_eq!(
            checked_url(" http://127.0.0.1:8/x/ ").unwrap(),
            "http://127.0.0.1:8/x"
        );
        for url in [
            "",
            "erp",
            "ftp://x",
            "http://x?a=1",
            "http://u:pw@x",
            "http://x#y",
        ] {
            let error = checked_url(url).unwrap_err();
            assert!(!error.to_string().contains("pw@"), "{error}");
        }
    }

    #[test]
    fn what_is_no_plain_letter_is_escaped() {
        assert_eq!(encoded("a/b c&d=é"), "a%2Fb%20c%26d%3D%C3%A9");
        assert_eq!(encoded("A-1._~"), "A-1._~");
    }
}

//! [`Transport`] over real HTTP.
//!
//! Writes go over a client that keeps no idle connections: a pooled connection that the other
//! side has just closed would tempt the HTTP library to send the request a second time.

use crate::clock::Clock;
use crate::transport::{
    Effect, Method, Reply, Request, Sent, Transport, TransportCause, TransportError,
};
use async_trait::async_trait;
use std::sync::Arc;
use std::time::Duration;
use thiserror::Error;

/// Time allowed for a connection to be made, in milliseconds.
const CONNECT_TIMEOUT_MS: u64 = 10_000;

/// HTTP and HTTPS with rustls and ring.
pub struct HttpTransport {
    reads: reqwest::Client,
    writes: reqwest::Client,
    clock: Arc<dyn Clock>,
}

impl std::fmt::Debug for HttpTransport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("HttpTransport")
    }
}

/// The HTTP client could not be made.
#[derive(Debug, Error)]
#[error("the HTTP client could not be set up: {0}")]
pub struct SetUpError(String);

impl HttpTransport {
    /// A transport that trusts the built-in certificate roots.
    pub fn new(clock: Arc<dyn Clock>) -> Result<Self, SetUpError> {
        let roots = rustls::RootCertStore {
            roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
        };
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| SetUpError(error.to_string()))?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let builder = || {
            reqwest::Client::builder()
                .tls_backend_preconfigured(tls.clone())
                .redirect(reqwest::redirect::Policy::none())
                .retry(reqwest::retry::never())
                .no_proxy()
                .user_agent(concat!("counterfoil/", env!("CARGO_PKG_VERSION")))
                .connect_timeout(Duration::from_millis(CONNECT_TIMEOUT_MS))
        };
        let reads = builder()
            .build()
            .map_err(|error| SetUpError(error.to_string()))?;
        let writes = builder()
            .pool_max_idle_per_host(0)
            .http1_only()
            .build()
            .map_err(|error| SetUpError(error.to_string()))?;
        Ok(Self {
            reads,
            writes,
            clock,
        })
    }
}

fn failed(sent: Sent, cause: TransportCause, detail: impl Into<String>) -> TransportError {
    TransportError {
        sent,
        cause,
        detail: detail.into(),
    }
}

/// What a library error means. Its text is not used: it may hold the address with its query.
fn classify(error: &reqwest::Error, effect: Effect) -> TransportError {
    let maybe = match effect {
        Effect::Read => Sent::NotSent,
        Effect::Write => Sent::MaybeSent,
    };
    if error.is_builder() || error.is_request() && error.is_redirect() {
        failed(
            Sent::NotSent,
            TransportCause::BadRequest,
            "the request cannot be written",
        )
    } else if error.is_connect() {
        failed(
            Sent::NotSent,
            TransportCause::Connect,
            "no connection could be made",
        )
    } else if error.is_timeout() {
        failed(
            maybe,
            TransportCause::Timeout,
            "no whole answer came within the time-out",
        )
    } else {
        failed(
            maybe,
            TransportCause::Cut,
            "the connection ended before the answer did",
        )
    }
}

/// Headers whose value is a secret.
const SECRET_HEADERS: [&str; 2] = ["authorization", "x-redmine-api-key"];
/// The shortest secret that is looked for: a shorter one would blot out ordinary words.
const SECRET_BYTES_MIN: usize = 8;
const BLOTTED: &[u8] = b"(secret)";

/// The body of a failure without the secrets that were sent. Pages about errors like to repeat the
/// request, and what is said about a failure is shown and kept.
fn blotted(mut body: Vec<u8>, headers: &[(String, String)]) -> Vec<u8> {
    let secrets = headers
        .iter()
        .filter(|(name, _)| {
            SECRET_HEADERS
                .iter()
                .any(|own| name.eq_ignore_ascii_case(own))
        })
        .filter_map(|(_, value)| value.split_whitespace().last())
        .filter(|secret| secret.len() >= SECRET_BYTES_MIN);
    for secret in secrets {
        let secret = secret.as_bytes();
        let mut clean = Vec::with_capacity(body.len());
        let mut rest = body.as_slice();
        while let Some((first, after)) = rest.split_first() {
            if let Some(tail) = rest.strip_prefix(secret) {
                clean.extend_from_slice(BLOTTED);
                rest = tail;
            } else {
                clean.push(*first);
                rest = after;
            }
        }
        body = clean;
    }
    body
}

#[async_trait]
impl Transport for HttpTransport {
    async fn send(&self, request: Request) -> Result<Reply, TransportError> {
        let maybe = match request.effect {
            Effect::Read => Sent::NotSent,
            Effect::Write => Sent::MaybeSent,
        };
        let client = match request.effect {
            Effect::Read => &self.reads,
            Effect::Write => &self.writes,
        };
        let method = match request.method {
            Method::Get => reqwest::Method::GET,
            Method::Post => reqwest::Method::POST,
            Method::Put => reqwest::Method::PUT,
            Method::Delete => reqwest::Method::DELETE,
        };
        let mut builder = client
            .request(method, &request.url)
            .timeout(Duration::from_millis(request.timeout_ms));
        let sent_headers = request.headers;
        for (name, value) in &sent_headers {
            builder = builder.header(name, value);
        }
        if !request.body.is_empty() {
            builder = builder.body(request.body);
        }
        let ready = builder
            .build()
            .map_err(|error| classify(&error, request.effect))?;
        // The last look at the clock stands directly before the first byte.
        if request
            .send_not_after_us
            .is_some_and(|limit| self.clock.now_us() > limit)
        {
            return Err(failed(
                Sent::NotSent,
                TransportCause::Expired,
                "the time in which this call could be sent has passed",
            ));
        }
        let mut response = client
            .execute(ready)
            .await
            .map_err(|error| classify(&error, request.effect))?;
        let status = response.status().as_u16();
        let headers = response
            .headers()
            .iter()
            .filter_map(|(name, value)| {
                value
                    .to_str()
                    .ok()
                    .map(|v| (name.as_str().to_owned(), v.to_owned()))
            })
            .collect();
        let mut body = Vec::new();
        while let Some(chunk) = response
            .chunk()
            .await
            .map_err(|error| classify(&error, request.effect))?
        {
            if body.len().saturating_add(chunk.len()) > request.body_limit_bytes {
                return Err(failed(
                    maybe,
                    TransportCause::BodyTooLarge,
                    format!(
                        "the answer is larger than {} bytes",
                        request.body_limit_bytes
                    ),
                ));
            }
            body.extend_from_slice(&chunk);
        }
        if !(200..=299).contains(&status) {
            body = blotted(body, &sent_headers);
        }
        Ok(Reply {
            status,
            headers,
            body,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_that_an_error_page_repeats_is_blotted_out() {
        let headers = [
            ("Authorization".to_owned(), "Bearer canary-4711".to_owned()),
            ("accept".to_owned(), "application/json".to_owned()),
        ];
        let page = b"canary-4711: you sent 'Bearer canary-4711', accept application/json";
        let clean = b"(secret): you sent 'Bearer (secret)', accept application/json";
        assert_eq!(blotted(page.to_vec(), &headers), clean);
        assert_eq!(blotted(b"canary-471".to_vec(), &headers), b"canary-471");
    }
}

//! Twins behind HTTP on loopback: a thin shell around [`Twin::handle`].

use crate::frame::{Answer, Machine};
use crate::transport::Twin;
use crate::wire::{WireReply, WireRequest};
use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::Response;
use connector_sdk::clock::Clock;
use futures_util::stream;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// The largest request that is read.
const REQUEST_LIMIT_BYTES: usize = 8 * 1024 * 1024;

/// A twin that is being served. Dropping it ends the service.
#[derive(Debug)]
pub struct Served {
    address: SocketAddr,
    task: JoinHandle<()>,
}

impl Served {
    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// The base address for connectors, without a slash at the end.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Serve a twin on loopback. Port 0 takes a free one.
pub async fn serve<M: Machine>(
    twin: Arc<Twin<M>>,
    clock: Arc<dyn Clock>,
    port: u16,
) -> io::Result<Served> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
    let address = listener.local_addr()?;
    let router = Router::new().fallback(move |request: Request| {
        let twin = Arc::clone(&twin);
        let clock = Arc::clone(&clock);
        async move { answer(&twin, clock.as_ref(), request).await }
    });
    let task = tokio::spawn(async move {
        if let Err(error) = axum::serve(listener, router).await {
            tracing::error!(%error, "a twin stopped serving");
        }
    });
    Ok(Served { address, task })
}

async fn answer<M: Machine>(twin: &Twin<M>, clock: &dyn Clock, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let Ok(body) = to_bytes(body, REQUEST_LIMIT_BYTES).await else {
        return plain(StatusCode::PAYLOAD_TOO_LARGE);
    };
    let headers: Vec<(String, String)> = head
        .headers
        .iter()
        .filter_map(|(name, value)| {
            let value = value.to_str().ok()?;
            Some((name.as_str().to_owned(), value.to_owned()))
        })
        .collect();
    let target = head
        .uri
        .path_and_query()
        .map_or_else(|| head.uri.path(), |target| target.as_str());
    let wire = WireRequest::new(head.method.as_str(), target, &headers, body.to_vec());
    let started_us = clock.now_us();
    let reaction = twin.handle(&wire, started_us);
    if reaction.latency_us > 0 {
        clock
            .sleep_until_us(started_us.saturating_add(reaction.latency_us))
            .await;
    }
    match reaction.answer {
        Answer::Reply(reply) => {
            let body = Body::from(reply.body.clone());
            response(&reply, body)
        }
        Answer::Cut(reply, bytes) => {
            let part = reply.body.get(..bytes).unwrap_or_default().to_vec();
            response(&reply, broken(Some(part)))
        }
        // The body fails before its first byte: hyper closes the connection unanswered.
        Answer::Dropped => {
            let nothing = WireReply {
                status: 500,
                headers: Vec::new(),
                body: Vec::new(),
            };
            response(&nothing, broken(None))
        }
        Answer::Silence => std::future::pending().await,
    }
}

fn broken(part: Option<Vec<u8>>) -> Body {
    let pieces: Vec<Result<Bytes, io::Error>> = part
        .map(|part| Ok(Bytes::from(part)))
        .into_iter()
        .chain([Err(io::Error::other("the twin cuts the answer"))])
        .collect();
    Body::from_stream(stream::iter(pieces))
}

fn plain(status: StatusCode) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}

fn response(reply: &WireReply, body: Body) -> Response {
    let mut response = Response::new(body);
    *response.status_mut() =
        StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in &reply.headers {
        if let (Ok(name), Ok(value)) = (
            HeaderName::from_bytes(name.as_bytes()),
            HeaderValue::from_str(value),
        ) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

//! The other side: asking a running process.
//!
//! One connection per question over hyper, which axum stands on too: no pool that could send a
//! question twice, no TLS and no network. What the process was asked to do is never asked again.

use crate::failed::Failed;
use crate::message::{Heard, Message};
use crate::operation::Operation;
use crate::process::{self, Process};
use crate::socket::path_in;
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::net::UnixStream;

/// The longest line that is read, in bytes: a reconciliation of some hundred thousand entries.
const LINE_LIMIT_BYTES: usize = 256 * 1024 * 1024;
/// How long a process may take to say who it is.
const PROCESS_TIMEOUT: Duration = Duration::from_secs(10);

/// Asks the process of a data folder.
#[derive(Debug, Clone)]
pub struct Client {
    path: PathBuf,
}

/// An answer, and the connection that it still comes over.
struct Answer {
    response: Response<Incoming>,
    _sender: SendRequest<Full<Bytes>>,
}

fn broken(error: &dyn std::fmt::Display) -> Failed {
    Failed::stopped(
        format!("the running process broke off: {error}"),
        "see `counterfoil status`; what was done is kept",
    )
}

impl Client {
    /// A client of the process that works in this data folder.
    pub fn of(data: &Path) -> Self {
        Self {
            path: path_in(data),
        }
    }

    /// The process that listens; none if nobody does.
    pub async fn process(&self) -> Result<Option<Process>, Failed> {
        let asked = async {
            let answer = self.send(Method::GET, process::PATH, Bytes::new()).await?;
            let Some(answer) = answer else {
                return Ok(None);
            };
            let body = answer.response.into_body().collect().await;
            let body = body.map_err(|error| broken(&error))?.to_bytes();
            serde_json::from_slice(&body).map(Some).map_err(|error| {
                Failed::stopped(
                    format!("the running process speaks otherwise than this command: {error}"),
                    "restart it, so that both are of one version",
                )
            })
        };
        tokio::time::timeout(PROCESS_TIMEOUT, asked)
            .await
            .unwrap_or_else(|_| {
                Err(Failed::stopped(
                    format!(
                        "a process listens at {} and does not answer",
                        self.path.display()
                    ),
                    "look whether it is stopped or the machine is overloaded",
                ))
            })
    }

    /// Ask for an operation, hear how far it is, and have its answer.
    pub async fn ask<O: Operation>(
        &self,
        operation: &O,
        hear: &(dyn Fn(Heard) + Send + Sync),
    ) -> Result<O::Answer, Failed> {
        let body = serde_json::to_vec(operation)
            .map_err(|error| broken(&format!("the request does not write: {error}")))?;
        let answer = self.send(Method::POST, O::PATH, Bytes::from(body)).await?;
        let Some(mut answer) = answer else {
            return Err(broken(&"it no longer listens; nothing was asked"));
        };
        if answer.response.status() != StatusCode::OK {
            return Err(refused(answer.response).await);
        }
        let mut rest: Vec<u8> = Vec::new();
        while let Some(frame) = answer.response.body_mut().frame().await {
            let frame = frame.map_err(|error| broken(&error))?;
            let Ok(data) = frame.into_data() else {
                continue;
            };
            for piece in data.split_inclusive(|byte| *byte == b'\n') {
                rest.extend_from_slice(piece);
                if rest.len() > LINE_LIMIT_BYTES {
                    let what = format!("an answer is longer than {LINE_LIMIT_BYTES} bytes");
                    return Err(Failed::stopped(what, "ask for fewer days"));
                }
                if rest.last() != Some(&b'\n') {
                    continue;
                }
                let message = serde_json::from_slice(&rest)
                    .map_err(|error| broken(&format!("a line does not read: {error}")))?;
                rest.clear();
                match message {
                    Message::Progress(heard) => hear(heard),
                    Message::Done(answer) => return Ok(answer),
                    Message::Failed(failed) => return Err(failed),
                }
            }
        }
        Err(broken(&"it ended before it answered"))
    }

    /// Send a request; none if nobody listens.
    async fn send(
        &self,
        method: Method,
        address: &str,
        body: Bytes,
    ) -> Result<Option<Answer>, Failed> {
        let stream = match UnixStream::connect(&self.path).await {
            Ok(stream) => stream,
            // No file, or one that a killed process left.
            Err(error)
                if matches!(
                    error.kind(),
                    ErrorKind::NotFound | ErrorKind::ConnectionRefused
                ) =>
            {
                return Ok(None);
            }
            Err(error) if error.kind() == ErrorKind::PermissionDenied => {
                return Err(Failed::wrong_use(
                    format!("{} belongs to another user", self.path.display()),
                    "run this command as the user that `counterfoil run` runs as",
                ));
            }
            Err(error) => {
                return Err(Failed::stopped(
                    format!("connecting to {} failed: {error}", self.path.display()),
                    "look whether `counterfoil run` still runs",
                ));
            }
        };
        let (mut sender, connection) = handshake(TokioIo::new(stream))
            .await
            .map_err(|error| broken(&error))?;
        tokio::spawn(async move {
            // Its error is the error of the question, which is told there.
            let _told_there = connection.await;
        });
        let request = Request::builder()
            .method(method)
            .uri(address)
            .header("host", "counterfoil")
            .header("content-type", "application/json")
            .body(Full::new(body))
            .map_err(|error| broken(&error))?;
        let response = sender
            .send_request(request)
            .await
            .map_err(|error| broken(&error))?;
        Ok(Some(Answer {
            response,
            _sender: sender,
        }))
    }
}

async fn refused(response: Response<Incoming>) -> Failed {
    let status = response.status();
    match response.into_body().collect().await {
        Ok(body) => serde_json::from_slice(&body.to_bytes())
            .unwrap_or_else(|_| broken(&format!("it answered {status}"))),
        Err(error) => broken(&error),
    }
}

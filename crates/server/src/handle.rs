//! From a request to an operation, and from its messages to a stream of lines.

use crate::failed::Failed;
use crate::host::Host;
use crate::message::{Heard, MEDIA_TYPE, Message};
use crate::operation::Operation;
use crate::process::Process;
use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use pipeline::env::{Note, Progress};
use serde::Serialize;
use std::convert::Infallible;
use std::sync::Arc;
use tokio::sync::mpsc;

/// Lines on their way to a client. One that reads slowly misses progress, never the end.
const LINES_WAITING: usize = 1024;

/// What the process says about itself.
pub(crate) async fn process(State(host): State<Arc<Host>>) -> Json<Process> {
    Json(host.process())
}

/// No operation is served there.
pub(crate) async fn unknown() -> Response {
    let what = "the running process knows no such operation";
    let hint = "it is of another version than this command: restart it";
    refusal(StatusCode::NOT_FOUND, &Failed::wrong_use(what, hint))
}

fn refusal(status: StatusCode, failed: &Failed) -> Response {
    (status, Json(failed)).into_response()
}

struct Voice(mpsc::Sender<Bytes>);

impl Progress for Voice {
    fn hear(&self, note: Note) {
        let line = line(&Message::<()>::Progress(Heard::from(note)));
        // Work never waits for whoever watches it.
        let _slow_or_gone = self.0.try_send(line);
    }
}

fn line<A: Serialize>(message: &Message<A>) -> Bytes {
    let text = serde_json::to_vec(message).or_else(|error| {
        let what = format!("the answer does not write: {error}");
        serde_json::to_vec(&Message::<()>::Failed(Failed::stopped(what, "report this")))
    });
    // What cannot be written at all leaves the stream without an end, and the client says so.
    let mut text = text.unwrap_or_default();
    text.push(b'\n');
    Bytes::from(text)
}

/// Carry out the operation in a request. The work goes on if the client goes away.
pub(crate) async fn operation<O: Operation>(
    State(host): State<Arc<Host>>,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let body = match body {
        Ok(body) => body,
        Err(rejection) => {
            let what = format!("the request cannot be read: {rejection}");
            let hint = "name fewer at once, or all of them with --code or --all";
            return refusal(rejection.status(), &Failed::wrong_use(what, hint));
        }
    };
    let asked: O = match serde_json::from_slice(&body) {
        Ok(asked) => asked,
        Err(error) => {
            let what = format!("the request does not read: {error}");
            let hint = "the running process is of another version than this command: restart it";
            let failed = Failed::wrong_use(what, hint);
            return refusal(StatusCode::UNPROCESSABLE_ENTITY, &failed);
        }
    };
    let (sender, receiver) = mpsc::channel(LINES_WAITING);
    tokio::spawn(async move {
        let voice = Arc::new(Voice(sender.clone()));
        let outcome = host.carry_out(&asked, voice, sender.closed()).await;
        let end = match outcome {
            Ok(answer) => Message::Done(answer),
            Err(failed) => Message::Failed(failed),
        };
        let _gone = sender.send(line(&end)).await;
    });
    let lines = stream::unfold(receiver, |mut receiver| async move {
        let line = receiver.recv().await?;
        Some((Ok::<_, Infallible>(line), receiver))
    });
    let headers = [(header::CONTENT_TYPE, MEDIA_TYPE)];
    (headers, Body::from_stream(lines)).into_response()
}

//! Serving the interface at a socket until the process ends.

use crate::handle::{operation, process, unknown};
use crate::host::Host;
use crate::operation::Operation;
use crate::operations::contract::TellContract;
use crate::operations::pass::Pass;
use crate::operations::posting::SwitchPosting;
use crate::operations::publish::Publish;
use crate::operations::reconcile::Reconcile;
use crate::operations::replay::Replay;
use crate::process;
use crate::socket::{Socket, SocketFile};
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{get, post};
use connector_sdk::clock::Clock;
use std::sync::Arc;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// The largest request, in bytes: some ten thousand ids.
const REQUEST_LIMIT_BYTES: usize = 1024 * 1024;
/// How long the last answers may take to be read when the process ends, in microseconds.
const LAST_ANSWERS_US: i64 = 5_000_000;

/// An interface that is being served. Dropping it ends the service and removes the socket.
pub struct Served {
    task: JoinHandle<()>,
    end: Option<oneshot::Sender<()>>,
    clock: Arc<dyn Clock>,
    _file: SocketFile,
}

fn router(host: Arc<Host>) -> Router {
    Router::new()
        .route(process::PATH, get(process))
        .route(Pass::PATH, post(operation::<Pass>))
        .route(SwitchPosting::PATH, post(operation::<SwitchPosting>))
        .route(TellContract::PATH, post(operation::<TellContract>))
        .route(Replay::PATH, post(operation::<Replay>))
        .route(Publish::PATH, post(operation::<Publish>))
        .route(Reconcile::PATH, post(operation::<Reconcile>))
        .fallback(unknown)
        .layer(DefaultBodyLimit::max(REQUEST_LIMIT_BYTES))
        .with_state(host)
}

/// Serve a process at its socket.
pub fn serve(host: Arc<Host>, socket: Socket) -> Served {
    let clock = Arc::clone(host.clock());
    let (owners, file) = socket.into_parts(Arc::clone(&clock));
    let (end, ended) = oneshot::channel();
    let service = axum::serve(owners, router(host)).with_graceful_shutdown(async {
        let _said_or_dropped = ended.await;
    });
    let task = tokio::spawn(async move {
        if let Err(error) = service.await {
            tracing::error!(%error, "the interface stopped serving");
        }
    });
    Served {
        task,
        end: Some(end),
        clock,
        _file: file,
    }
}

impl Served {
    /// Take no more connections, and give those there are a moment to read their last lines.
    pub async fn end(mut self) {
        if let Some(end) = self.end.take() {
            let _ended_already = end.send(());
        }
        let clock = Arc::clone(&self.clock);
        let until_us = clock.now_us().saturating_add(LAST_ANSWERS_US);
        tokio::select! {
            _joined = &mut self.task => {}
            () = clock.sleep_until_us(until_us) => {}
        }
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.task.abort();
    }
}

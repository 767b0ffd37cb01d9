//! A way out at which a process stands still before one of its requests, as if the machine had paused
//! it there: everything of it stops, and goes on later as if nothing had happened.

use connector_sdk::async_trait;
use connector_sdk::transport::{Reply, Request, Transport, TransportError};
use pipeline::env::Env;
use pipeline::lease::Held;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::Notify;

/// The gate of one process.
pub struct Gate {
    inner: Arc<dyn Transport>,
    /// Whether a request that was held goes out however late it is: a planted bug.
    is_late: bool,
    /// Requests that pass before it closes for one.
    left: AtomicI64,
    reached: Notify,
    opened: Notify,
    /// The lease that a living process extends beside its work.
    held: Mutex<Option<(Arc<Held>, Env)>>,
}

impl Gate {
    /// A gate before the request after so many.
    pub fn after(requests: i64, inner: Arc<dyn Transport>, is_late: bool) -> Arc<Self> {
        Arc::new(Self {
            inner,
            is_late,
            left: AtomicI64::new(requests),
            reached: Notify::new(),
            opened: Notify::new(),
            held: Mutex::default(),
        })
    }

    /// The process has a lease, which it extends as long as it lives.
    pub fn keeps(&self, held: &Arc<Held>, env: &Env) {
        let mut kept = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        *kept = Some((Arc::clone(held), env.clone()));
    }

    /// Until the process stands before the gate.
    pub async fn reached(&self) {
        self.reached.notified().await;
    }

    /// Let it go on.
    pub fn open(&self) {
        self.opened.notify_one();
    }
}

#[async_trait]
impl Transport for Gate {
    async fn send(&self, mut request: Request) -> Result<Reply, TransportError> {
        let kept = self
            .held
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        if let Some((held, env)) = kept {
            // A lease that cannot be extended is lost, which the process notices by itself.
            let _extended = held.extend(&env).await;
        }
        if self.left.fetch_sub(1, Ordering::SeqCst) == 0 {
            self.reached.notify_one();
            self.opened.notified().await;
            if self.is_late {
                request.send_not_after_us = None;
            }
        }
        self.inner.send(request).await
    }
}

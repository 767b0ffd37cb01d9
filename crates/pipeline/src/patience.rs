//! The way out with patience: every request of an account takes a permit first, a pause that the
//! other side asks for is kept by all, and a *read* that fails is asked again. A write never is.
//!
//! Permits are per request and not per call of a role, since one call may need several requests.
//! They are kept in the ledger, so that a restart does not forget a quota that is already spent.

use crate::limit::{LimitState, Permit};
use connector_sdk::async_trait;
use connector_sdk::call::CallError;
use connector_sdk::clock::Clock;
use connector_sdk::manifest::Limit;
use connector_sdk::transport::{
    Effect, Reply, Request, Sent, Transport, TransportCause, TransportError,
};
use std::convert::Infallible;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use store::{Abort, Command, Guard, GuardSet, Store, StoreError, Tx, limits};

/// How often a read is asked again.
const READ_TRIES: u32 = 6;
/// The first wait before a read is asked again, in microseconds; it doubles.
const READ_AGAIN_US: i64 = 200_000;
/// The wait after "too many requests" without a hint, in milliseconds.
const PAUSE_MS: u64 = 1_000;

/// The name of the limit domain of a flow's target.
pub fn target_domain(flow: &str) -> String {
    format!("target:{flow}")
}

/// The name of the limit domain of a flow's source.
pub fn source_domain(flow: &str) -> String {
    format!("source:{flow}")
}

/// A transport that takes permits and asks reads again.
pub struct PatientTransport {
    inner: Arc<dyn Transport>,
    clock: Arc<dyn Clock>,
    domain: String,
    limits: OnceLock<Vec<Limit>>,
    store: OnceLock<Store>,
    memory: Mutex<LimitState>,
}

impl PatientTransport {
    /// A way out for one account. [`Self::begin`] tells its limits and where permits are kept.
    pub fn new(inner: Arc<dyn Transport>, clock: Arc<dyn Clock>, domain: String) -> Arc<Self> {
        Arc::new(Self {
            inner,
            clock,
            domain,
            limits: OnceLock::new(),
            store: OnceLock::new(),
            memory: Mutex::default(),
        })
    }

    /// The account's limits, and the ledger that keeps its permits. Without a ledger (a look
    /// beside a running process) permits are kept in memory. The first word stands.
    pub fn begin(&self, limits: Vec<Limit>, store: Option<Store>) {
        let _first_word_stands = self.limits.set(limits);
        if let Some(store) = store {
            let _first_word_stands = self.store.set(store);
        }
    }

    fn limits(&self) -> &[Limit] {
        self.limits.get().map_or(&[], Vec::as_slice)
    }

    async fn take(&self) -> Result<Permit, TransportError> {
        let Some(store) = self.store.get() else {
            let mut state = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
            return Ok(state.take(self.limits(), self.clock.now_us()));
        };
        let take = Take {
            domain: self.domain.clone(),
            limits: self.limits().to_vec(),
        };
        store.write(take).await.map_err(|_| TransportError {
            sent: Sent::NotSent,
            cause: TransportCause::Expired,
            detail: "the ledger could not keep a permit, so nothing was sent".to_owned(),
        })
    }

    async fn pause(&self, wait_ms: u64) {
        let wait_us = i64::try_from(wait_ms)
            .unwrap_or(i64::MAX / 2000)
            .saturating_mul(1000);
        let until_us = self.clock.now_us().saturating_add(wait_us);
        match self.store.get() {
            None => self
                .memory
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .pause(until_us),
            Some(store) => {
                // A pause that cannot be kept is asked for again by the next answer.
                let _kept = store
                    .write(Pause {
                        domain: self.domain.clone(),
                        until_us,
                    })
                    .await;
            }
        }
    }

    async fn permit(&self, request: &Request) -> Result<(), TransportError> {
        loop {
            match self.take().await? {
                Permit::Granted => return Ok(()),
                Permit::NotBefore(at_us) => {
                    if request.send_not_after_us.is_some_and(|limit| at_us > limit) {
                        return Err(TransportError {
                            sent: Sent::NotSent,
                            cause: TransportCause::Expired,
                            detail: "the account's limit leaves no room in time".to_owned(),
                        });
                    }
                    self.clock.sleep_until_us(at_us).await;
                }
            }
        }
    }
}

/// Whether a read is worth asking again.
fn again(result: &Result<Reply, TransportError>) -> bool {
    match result {
        Ok(reply) => matches!(reply.status, 429 | 500 | 502 | 503 | 504),
        Err(error) => match error.cause {
            TransportCause::Connect | TransportCause::Timeout | TransportCause::Cut => true,
            TransportCause::BodyTooLarge | TransportCause::Expired | TransportCause::BadRequest => {
                false
            }
        },
    }
}

#[async_trait]
impl Transport for PatientTransport {
    async fn send(&self, request: Request) -> Result<Reply, TransportError> {
        let mut tries = 0;
        loop {
            self.permit(&request).await?;
            let result = self.inner.send(request.clone()).await;
            if let Ok(reply) = &result
                && matches!(reply.status, 429 | 503)
            {
                let hint =
                    CallError::retry_after_ms(reply.header("retry-after"), self.clock.now_us());
                if reply.status == 429 || hint.is_some() {
                    self.pause(hint.unwrap_or(PAUSE_MS)).await;
                }
            }
            if request.effect == Effect::Write || tries >= READ_TRIES || !again(&result) {
                return result;
            }
            let wait_us = READ_AGAIN_US.saturating_mul(1 << tries);
            tries += 1;
            self.clock
                .sleep_until_us(self.clock.now_us().saturating_add(wait_us))
                .await;
        }
    }
}

fn read(tx: &mut Tx<'_>, domain: &str) -> Result<LimitState, StoreError> {
    limits::get(tx, domain)?.map_or_else(
        || Ok(LimitState::default()),
        |row| {
            serde_json::from_str(&row.body)
                .map_err(|error| StoreError::Defect(format!("limit state {domain}: {error}")))
        },
    )
}

fn keep(tx: &mut Tx<'_>, domain: &str, state: &LimitState) -> Result<(), StoreError> {
    let body = serde_json::to_string(state)
        .map_err(|error| StoreError::Defect(format!("limit state {domain}: {error}")))?;
    limits::put(tx, domain, &body, "permit")
}

/// When the account has room, without taking it: an intent is not written before that.
pub(crate) fn room(tx: &mut Tx<'_>, domain: &str, limits: &[Limit]) -> Result<Permit, StoreError> {
    let now_us = tx.now_us();
    Ok(read(tx, domain)?.take(limits, now_us))
}

struct Take {
    domain: String,
    limits: Vec<Limit>,
}

impl Command for Take {
    type Out = Permit;
    type Rejection = Infallible;
    fn name(&self) -> &'static str {
        "take permit"
    }
    fn guards(&self) -> GuardSet {
        GuardSet::none().and(Guard::Limit(self.domain.clone()))
    }
    fn apply(&self, tx: &mut Tx<'_>) -> Result<Permit, Abort<Infallible>> {
        let now_us = tx.now_us();
        let mut state = read(tx, &self.domain)?;
        let before = state.clone();
        let permit = state.take(&self.limits, now_us);
        if permit == Permit::Granted && state != before {
            keep(tx, &self.domain, &state)?;
        }
        Ok(permit)
    }
}

struct Pause {
    domain: String,
    until_us: i64,
}

impl Command for Pause {
    type Out = ();
    type Rejection = Infallible;
    fn name(&self) -> &'static str {
        "pause domain"
    }
    fn guards(&self) -> GuardSet {
        GuardSet::none().and(Guard::Limit(self.domain.clone()))
    }
    fn apply(&self, tx: &mut Tx<'_>) -> Result<(), Abort<Infallible>> {
        let mut state = read(tx, &self.domain)?;
        state.pause(self.until_us);
        Ok(keep(tx, &self.domain, &state)?)
    }
}

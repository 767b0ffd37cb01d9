//! The way out with patience: every request of an account takes a permit first, a pause that the
//! other side asks for is kept by all, and a *read* that fails is asked again. A write never is.
//!
//! Permits are per request and not per call of a role, since one call may need several requests.
//! They are kept in the ledger, so that a restart does not forget a quota that is already spent.

use crate::lease::CallsUntil;
use crate::limit::told::{Told, told};
use crate::limit::{LimitState, Permit, Used, counts_those_out};
use connector_sdk::async_trait;
use connector_sdk::call::CallError;
use connector_sdk::clock::Clock;
use connector_sdk::manifest::{Limit, LimitHeaders, Manifest};
use connector_sdk::transport::{
    Effect, Reply, Request, Sent, Transport, TransportCause, TransportError,
};
use std::convert::Infallible;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use store::{Abort, Command, Guard, GuardSet, ReadTx, Store, StoreError, Tx, limits};
use tokio::sync::Notify;

/// How often a read is asked again.
const READ_TRIES: u32 = 6;
/// The first wait before a read is asked again, in microseconds; it doubles.
const READ_AGAIN_US: i64 = 200_000;
/// The longest wait for a place before it is asked for again, in microseconds.
const PLACE_AGAIN_US: i64 = 250_000;
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

/// What became of calls, told with the next permit.
#[derive(Debug, Clone, Default)]
struct Since {
    /// No permit was taken by this transport yet.
    is_new: bool,
    /// Permits whose calls were answered, and when.
    landed: Vec<(u64, i64)>,
    /// What the last reply said about the quota.
    told: Option<Told>,
}

impl Since {
    fn tell(&self, state: &mut LimitState, limits: &[Limit], now_us: i64) {
        if self.is_new {
            state.begin_anew(limits, now_us);
        }
        state.land(limits, &self.landed);
        if let Some(told) = self.told {
            state.hear(limits, told, now_us);
        }
    }
}

/// A transport that takes permits and asks reads again.
pub struct PatientTransport {
    inner: Arc<dyn Transport>,
    clock: Arc<dyn Clock>,
    domain: String,
    limits: OnceLock<(Vec<Limit>, Option<LimitHeaders>)>,
    store: OnceLock<Store>,
    calls_until: OnceLock<Arc<CallsUntil>>,
    memory: Mutex<LimitState>,
    /// What became of calls since a permit was kept last.
    since: Mutex<Since>,
    /// A place was given back.
    freed: Notify,
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
            calls_until: OnceLock::new(),
            memory: Mutex::default(),
            since: Mutex::new(Since {
                is_new: true,
                ..Since::default()
            }),
            freed: Notify::new(),
        })
    }

    /// The account's limits, how its replies tell what is left, and the ledger that keeps its
    /// permits. Without a ledger (a look beside a running process) permits are kept in memory. The
    /// first word stands.
    pub fn begin(&self, limits: Vec<Limit>, headers: Option<LimitHeaders>, store: Option<Store>) {
        let _first_word_stands = self.limits.set((limits, headers));
        if let Some(store) = store {
            let _first_word_stands = self.store.set(store);
        }
    }

    /// The same, as a manifest says.
    pub fn begin_with(&self, manifest: &Manifest, store: Option<Store>) {
        self.begin(manifest.limits.clone(), manifest.limit_headers, store);
    }

    /// Nothing goes out after this instant. The first word stands.
    pub fn call_until(&self, calls_until: &Arc<CallsUntil>) {
        let _first_word_stands = self.calls_until.set(Arc::clone(calls_until));
    }

    /// The request as it may go out just now.
    fn in_time(&self, request: &Request) -> Request {
        let mut request = request.clone();
        let until_us = self.calls_until.get().map_or(i64::MAX, |until| until.us());
        if until_us < i64::MAX {
            let own_us = request.send_not_after_us.unwrap_or(i64::MAX);
            request.send_not_after_us = Some(own_us.min(until_us));
        }
        request
    }

    fn limits(&self) -> &[Limit] {
        self.limits.get().map_or(&[], |(limits, _)| limits)
    }

    fn memory(&self) -> MutexGuard<'_, LimitState> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn since(&self) -> MutexGuard<'_, Since> {
        self.since.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn take(&self, call_ms: u64) -> Result<Permit, TransportError> {
        let since = std::mem::take(&mut *self.since());
        let Some(store) = self.store.get() else {
            let (mut state, now_us) = (self.memory(), self.clock.now_us());
            since.tell(&mut state, self.limits(), now_us);
            return Ok(state.take(self.limits(), now_us, call_ms));
        };
        let take = Take {
            domain: self.domain.clone(),
            limits: self.limits().to_vec(),
            call_ms,
            since,
        };
        store.write(take).await.map_err(|_| TransportError {
            sent: Sent::NotSent,
            cause: TransportCause::Expired,
            detail: "the ledger could not keep a permit, so nothing was sent".to_owned(),
        })
    }

    /// Where calls that are out are counted, tell that this one has ended, and whether it failed.
    async fn give_back(&self, permit: u64, failed: bool) {
        if !counts_those_out(self.limits()) {
            return;
        }
        let limits = self.limits().to_vec();
        match self.store.get() {
            None => {
                let now_us = self.clock.now_us();
                self.memory().give_back(&limits, permit, failed, now_us);
            }
            Some(store) => {
                let domain = self.domain.clone();
                // A place that cannot be given back is free when its call must have ended.
                let _kept = store
                    .write(GiveBack {
                        domain,
                        limits,
                        permit,
                        failed,
                    })
                    .await;
            }
        }
        self.freed.notify_one();
    }

    async fn pause(&self, wait_ms: u64) {
        let wait_us = i64::try_from(wait_ms)
            .unwrap_or(i64::MAX / 2000)
            .saturating_mul(1000);
        let until_us = self.clock.now_us().saturating_add(wait_us);
        match self.store.get() {
            None => self.memory().pause(until_us),
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

    async fn permit(&self, request: &Request) -> Result<u64, TransportError> {
        loop {
            match self.take(request.timeout_ms).await? {
                Permit::Granted(permit) => return Ok(permit),
                Permit::NotBefore(at_us) => {
                    if request.send_not_after_us.is_some_and(|limit| at_us > limit)
                        && !counts_those_out(self.limits())
                    {
                        return Err(expired());
                    }
                    let last_us = request.send_not_after_us.unwrap_or(i64::MAX);
                    let mut until_us = last_us.min(at_us);
                    if counts_those_out(self.limits()) {
                        // Another process may give a place back.
                        let soon_us = self.clock.now_us().saturating_add(PLACE_AGAIN_US);
                        until_us = until_us.min(soon_us);
                    }
                    tokio::select! {
                        biased;
                        () = self.freed.notified() => {}
                        () = self.clock.sleep_until_us(until_us) => {
                            if until_us >= last_us {
                                return Err(expired());
                            }
                        }
                    }
                }
            }
        }
    }

    /// What a reply says about the quota.
    async fn listen(&self, reply: &Reply) {
        let now_us = self.clock.now_us();
        if let Some((_, Some(headers))) = self.limits.get()
            && let Some(told) = told(headers, reply, now_us)
        {
            self.since().told = Some(told);
        }
        let hint = || CallError::retry_after_ms(reply.header("retry-after"), now_us);
        match reply.status {
            429 => self.pause(hint().unwrap_or(PAUSE_MS)).await,
            503 => {
                if let Some(wait_ms) = hint() {
                    self.pause(wait_ms).await;
                }
            }
            402 => match hint() {
                Some(wait_ms) => self.pause(wait_ms).await,
                None => self.used_up().await,
            },
            _ => {}
        }
    }

    async fn used_up(&self) {
        let limits = self.limits().to_vec();
        match self.store.get() {
            None => {
                let now_us = self.clock.now_us();
                self.memory().used_up(&limits, now_us);
            }
            Some(store) => {
                let domain = self.domain.clone();
                // What cannot be kept is said again by the next answer.
                let _kept = store.write(UsedUp { domain, limits }).await;
            }
        }
    }
}

fn expired() -> TransportError {
    TransportError {
        sent: Sent::NotSent,
        cause: TransportCause::Expired,
        detail: "the account's limit leaves no room in time".to_owned(),
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
            let permit = self.permit(&request).await?;
            let result = self.inner.send(self.in_time(&request)).await;
            let by_us = self.clock.now_us();
            self.since().landed.push((permit, by_us));
            let failed = result.as_ref().map_or(true, |reply| reply.status >= 400);
            self.give_back(permit, failed).await;
            if let Ok(reply) = &result {
                self.listen(reply).await;
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

fn read(tx: &mut ReadTx<'_>, domain: &str) -> Result<LimitState, StoreError> {
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

/// Whether the account has room, without taking any: an intent is not written before that.
pub(crate) fn room(tx: &mut Tx<'_>, domain: &str, limits: &[Limit]) -> Result<Permit, StoreError> {
    let now_us = tx.now_us();
    Ok(read(tx, domain)?.room(limits, now_us))
}

/// Decides about a domain's state and keeps it if it changed.
fn change<T>(
    tx: &mut Tx<'_>,
    domain: &str,
    decide: impl FnOnce(&mut LimitState, i64) -> T,
) -> Result<T, Abort<Infallible>> {
    let now_us = tx.now_us();
    let mut state = read(tx, domain)?;
    let before = state.clone();
    let out = decide(&mut state, now_us);
    if state != before {
        keep(tx, domain, &state)?;
    }
    Ok(out)
}

struct Take {
    domain: String,
    limits: Vec<Limit>,
    call_ms: u64,
    since: Since,
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
        if self.limits.is_empty() {
            // Nothing is counted, but a pause is kept.
            return Ok(read(tx, &self.domain)?.room(&[], tx.now_us()));
        }
        change(tx, &self.domain, |state, now_us| {
            self.since.tell(state, &self.limits, now_us);
            state.take(&self.limits, now_us, self.call_ms)
        })
    }
}

struct GiveBack {
    domain: String,
    limits: Vec<Limit>,
    permit: u64,
    failed: bool,
}

impl Command for GiveBack {
    type Out = ();
    type Rejection = Infallible;
    fn name(&self) -> &'static str {
        "give permit back"
    }
    fn guards(&self) -> GuardSet {
        GuardSet::none().and(Guard::Limit(self.domain.clone()))
    }
    fn apply(&self, tx: &mut Tx<'_>) -> Result<(), Abort<Infallible>> {
        change(tx, &self.domain, |state, now_us| {
            state.give_back(&self.limits, self.permit, self.failed, now_us);
        })
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
        change(tx, &self.domain, |state, _| state.pause(self.until_us))
    }
}

struct UsedUp {
    domain: String,
    limits: Vec<Limit>,
}

impl Command for UsedUp {
    type Out = ();
    type Rejection = Infallible;
    fn name(&self) -> &'static str {
        "quota used up"
    }
    fn guards(&self) -> GuardSet {
        GuardSet::none().and(Guard::Limit(self.domain.clone()))
    }
    fn apply(&self, tx: &mut Tx<'_>) -> Result<(), Abort<Infallible>> {
        change(tx, &self.domain, |state, now_us| {
            state.used_up(&self.limits, now_us);
        })
    }
}

/// What is used of the limits of a domain, and until when it pauses.
pub fn used(
    tx: &mut ReadTx<'_>,
    domain: &str,
    limits: &[Limit],
    now_us: i64,
) -> Result<(Vec<Used>, Option<i64>), StoreError> {
    let state = read(tx, domain)?;
    let paused = (state.paused_until_us > now_us).then_some(state.paused_until_us);
    Ok((state.used(limits, now_us), paused))
}

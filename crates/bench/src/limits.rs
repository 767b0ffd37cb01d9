//! How much of a quota is used in a burst, and how often the account has to say no: two processes share
//! one account over one ledger, one of them starts again in the middle. The account counts by its own
//! arithmetic.

use anyhow::{Context, Result, anyhow, bail};
use connector_sdk::clock::{Clock, SystemClock};
use connector_sdk::http::HttpTransport;
use connector_sdk::manifest::Limit;
use connector_sdk::transport::{BODY_LIMIT_BYTES, Effect, Method, Request, Transport};
use pipeline::patience::PatientTransport;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use store::{SealKey, Store, StoreError, StoreOptions};
use twins::erp::Erp;
use twins::fault::FaultPlan;
use twins::firm::{FirmSpec, generate};
use twins::frame::{RequestLimit, State};
use twins::serve::serve;
use twins::transport::Twin;

/// Who sends at once in each process: more than the quota lets through.
const SENDERS: usize = 6;
/// The share of a quota that has to be used, in thousandths.
const GOAL_PERMILLE: u64 = 990;

/// One measured limit.
pub(crate) struct Use {
    /// The limit and who shared it.
    pub(crate) what: String,
    /// What was used of what could be, in thousandths.
    pub(crate) used_permille: u64,
    /// How often the account refused.
    pub(crate) refused: usize,
}

impl Use {
    /// Whether it is as good as it has to be.
    pub(crate) const fn is_met(&self) -> bool {
        self.used_permille >= GOAL_PERMILLE && self.refused == 0
    }
}

/// A ledger that processes share, if there is a server; else one process after the other.
enum Ledger {
    Postgres(String),
    Folder(tempfile::TempDir),
}

impl Ledger {
    fn find() -> Result<Self> {
        #[expect(
            clippy::disallowed_methods,
            reason = "measurements are told of the server like tests"
        )]
        let url = std::env::var("COUNTERFOIL_TEST_POSTGRES_URL").unwrap_or_default();
        if url.is_empty() {
            return Ok(Self::Folder(tempfile::tempdir()?));
        }
        Ok(Self::Postgres(url))
    }

    /// Whoever had the file before may still be letting go of it.
    async fn open(&self, node: &str) -> Result<Store> {
        for _ in 0..200 {
            match self.try_open(node) {
                Err(StoreError::Locked { .. }) => wait_ms(5).await,
                done => return Ok(done?),
            }
        }
        bail!("the ledger stays locked")
    }

    fn try_open(&self, node: &str) -> Result<Store, StoreError> {
        let options = StoreOptions::new(
            node,
            [5; 32],
            SealKey::new([6; 32]),
            Arc::new(|| SystemClock.now_us()),
            Arc::new(|bytes: &mut [u8]| bytes.fill(7)),
        );
        match self {
            Self::Postgres(url) => Store::open_postgres(url, options),
            Self::Folder(folder) => Store::open_sqlite(folder.path().join("ledger"), options),
        }
    }
}

/// What one account is like.
#[derive(Clone, Copy)]
struct Account {
    /// Calls take that long.
    latency_ms: u32,
    limit: Option<RequestLimit>,
}

fn twin(account: Account) -> Result<Arc<Twin<Erp>>> {
    let spec = FirmSpec {
        consultants: 2,
        entries: 1,
        ..FirmSpec::default()
    };
    let mut state = State::new(generate(1, &spec)?.erp);
    state.limit = account.limit;
    state.plan = FaultPlan {
        latency_ms_min: account.latency_ms,
        latency_ms_max: account.latency_ms,
        ..FaultPlan::none(1)
    };
    Ok(Twin::new(state))
}

/// One process: senders over a ledger of their own handle.
struct Process {
    stop: Arc<AtomicBool>,
    senders: Vec<tokio::task::JoinHandle<()>>,
}

/// Microseconds that calls were under way.
#[derive(Default)]
struct Busy(AtomicU64);

impl Process {
    fn start(
        store: Store,
        domain: &str,
        limits: &[Limit],
        url: &str,
        busy: &Arc<Busy>,
    ) -> Result<Self> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let http: Arc<dyn Transport> =
            Arc::new(HttpTransport::new(Arc::clone(&clock)).map_err(|e| anyhow!("{e}"))?);
        let timed: Arc<dyn Transport> = Arc::new(Timed(http, Arc::clone(busy)));
        let patient = PatientTransport::new(timed, clock, domain.to_owned());
        patient.begin(limits.to_vec(), None, Some(store));
        let stop = Arc::new(AtomicBool::new(false));
        let senders = (0..SENDERS).map(|_| {
            let (patient, stop, url) = (Arc::clone(&patient), Arc::clone(&stop), url.to_owned());
            tokio::spawn(async move {
                while !stop.load(Ordering::SeqCst) {
                    // What the account says is counted by the account.
                    let _counted_there = patient.send(request(&url)).await;
                }
            })
        });
        Ok(Self {
            senders: senders.collect(),
            stop,
        })
    }

    /// End it as a kill would: nothing is given back or told.
    fn kill(self) {
        self.stop.store(true, Ordering::SeqCst);
        for sender in self.senders {
            sender.abort();
        }
    }
}

/// A call that is under way; counted when it ends, also where its process is killed.
struct Spell<'a>(i64, &'a Busy);

impl Drop for Spell<'_> {
    fn drop(&mut self) {
        let took_us = SystemClock.steady_us().saturating_sub(self.0);
        let took_us = u64::try_from(took_us).unwrap_or(0);
        self.1.0.fetch_add(took_us, Ordering::SeqCst);
    }
}

/// Measures how long calls are under way.
struct Timed(Arc<dyn Transport>, Arc<Busy>);

#[connector_sdk::async_trait]
impl Transport for Timed {
    async fn send(
        &self,
        request: Request,
    ) -> Result<connector_sdk::transport::Reply, connector_sdk::transport::TransportError> {
        let _counted = Spell(SystemClock.steady_us(), &self.1);
        self.0.send(request).await
    }
}

fn request(url: &str) -> Request {
    Request {
        method: Method::Get,
        url: format!("{url}/v1/company"),
        headers: Vec::new(),
        body: Vec::new(),
        effect: Effect::Write,
        timeout_ms: 10_000,
        body_limit_bytes: BODY_LIMIT_BYTES,
        send_not_after_us: None,
    }
}

async fn wait_ms(ms: i64) {
    let clock = SystemClock;
    clock
        .sleep_until_us(clock.now_us().saturating_add(ms.saturating_mul(1000)))
        .await;
}

/// What an account saw.
struct Seen {
    requests: u64,
    took_us: u64,
    busy_us: u64,
    refused: usize,
}

/// Two processes over one account for a time, or one where a file cannot be shared. If asked for, one
/// dies in the middle and another starts.
async fn share(account: Account, limits: &[Limit], ms: i64, restart: bool) -> Result<Seen> {
    let twin = twin(account)?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let served = serve(Arc::clone(&twin), clock, 0).await?;
    let url = served.url();
    let ledger = Ledger::find()?;
    let domain = format!("bench {}", SystemClock.now_us());
    let busy = Arc::new(Busy::default());
    let start = async |node: &str| {
        let store = ledger.open(&format!("{node} of {domain}")).await?;
        Process::start(store, &domain, limits, &url, &busy)
    };
    let from_us = SystemClock.steady_us();
    let mut running = vec![start("a").await?];
    if matches!(ledger, Ledger::Postgres(_)) {
        running.push(start("b").await?);
    }
    wait_ms(ms / 2).await;
    if restart {
        running.pop().context("a process")?.kill();
        running.push(start("c").await?);
    }
    wait_ms(ms - ms / 2).await;
    let requests = twin.with(|state| state.requests);
    for process in running {
        process.kill();
    }
    let took_us = SystemClock.steady_us().saturating_sub(from_us);
    // Killed calls are counted when they are let go of.
    wait_ms(50).await;
    Ok(Seen {
        requests,
        took_us: u64::try_from(took_us)?,
        busy_us: busy.0.load(Ordering::SeqCst),
        refused: twin.with(|state| state.breaches.len()),
    })
}

/// Measure them all.
pub(crate) fn measure() -> Result<Vec<Use>> {
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(async {
        let processes = match Ledger::find()? {
            Ledger::Postgres(_) => "two processes on PostgreSQL",
            Ledger::Folder(_) => "one process on SQLite",
        };
        let mut all = Vec::new();
        for (requests, window_ms, windows) in [(100, 1_000, 10), (60, 4_000, 4)] {
            let account = Account {
                latency_ms: 2,
                limit: Some(RequestLimit { requests, window_ms }),
            };
            let limits = [Limit::Window {
                requests,
                window_ms: u64::from(window_ms),
            }];
            let ms = i64::from(window_ms) * windows - i64::from(window_ms) / 2;
            let seen = share(account, &limits, ms, true).await?;
            let could = u64::from(requests) * u64::try_from(windows)?;
            all.push(Use {
                what: format!("{requests} in {window_ms} ms, {windows} windows, {processes}, one starts again"),
                used_permille: seen.requests * 1000 / could.max(1),
                refused: seen.refused,
            });
        }
        let account = Account {
            latency_ms: 1_000,
            limit: None,
        };
        let limits = [Limit::Concurrency { requests: 5 }];
        let ms = 20_000;
        let seen = share(account, &limits, ms, false).await?;
        let could_us = 5 * seen.took_us;
        all.push(Use {
            what: format!("5 at one time, mean under way, {processes}"),
            used_permille: seen.busy_us * 1000 / could_us,
            refused: seen.refused,
        });
        anyhow::Ok(all)
    })
    .context("measuring limits")
}

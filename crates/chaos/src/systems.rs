//! Both twins behind HTTP, with faults whose worst is "acted, then the answer was lost".

use anyhow::{Result, anyhow};
use connector_sdk::clock::{Clock, SystemClock};
use connector_sdk::http::HttpTransport;
use std::path::Path;
use std::sync::Arc;
use twins::auditor::{Brief, Verdict, audit};
use twins::erp::Erp;
use twins::fault::FaultPlan;
use twins::firm::{Firm, FirmConfig, FirmSpec, generate};
use twins::frame::{Breach, RequestLimit, State};
use twins::serve::{Served, serve};
use twins::tracker::Tracker;
use twins::transport::Twin;

/// What the product must show to a twin.
const TOKEN: &str = "token-of-chaos-8213";
/// Requests that each account allows in a window.
const REQUESTS: u32 = 200;
/// The window, in milliseconds.
const WINDOW_MS: u32 = 1_000;
/// The longest wait for an answer, in milliseconds.
const TIMEOUT_MS: u64 = 700;
/// How much later a call may be executed whose answer never came, in milliseconds.
const LATE_MS: u32 = 900;

/// How long a pause lasts that a twin asks for, with what an answer takes, in microseconds.
const PAUSE_US: i64 = 1_500_000;

/// Both systems.
pub(crate) struct Systems {
    /// The tracker.
    pub(crate) tracker: Arc<Twin<Tracker>>,
    /// The firm, as it was made.
    pub(crate) config: FirmConfig,
    /// The first day of the month before, and a day on which work is booked.
    pub(crate) first_day: String,
    erp: Arc<Twin<Erp>>,
    brief: Brief,
    urls: (String, String),
    _served: (Served, Served),
}

fn of_tracker(seed: u64) -> FaultPlan {
    FaultPlan {
        latency_ms_max: 3,
        throttled: 2,
        unavailable: 5,
        dropped_before: 3,
        error_after_commit: 8,
        silent_after_commit: 3,
        dropped_after_commit: 8,
        cut_body: 5,
        page_repeats_row: 30,
        page_loses_row: 30,
        ..FaultPlan::none(seed)
    }
}

fn of_erp(seed: u64) -> FaultPlan {
    FaultPlan {
        // Long enough that many die while a call is under way.
        latency_ms_min: 20,
        latency_ms_max: 200,
        throttled: 5,
        unavailable: 10,
        dropped_before: 10,
        error_after_commit: 40,
        silent_after_commit: 15,
        dropped_after_commit: 80,
        late_commit: 15,
        late_commit_ms: LATE_MS,
        cut_body: 20,
        garbage: 0,
        ..FaultPlan::none(seed)
    }
}

impl Systems {
    /// A firm, served.
    pub(crate) async fn start(seed: u64, entries: u32) -> Result<Self> {
        let spec = FirmSpec {
            consultants: 12,
            entries,
            ..FirmSpec::default()
        };
        let firm: Firm = generate(seed, &spec)?;
        let (from, _) = spec.span()?;
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let mut tracker = State::new(firm.tracker);
        tracker.plan = of_tracker(seed);
        let mut erp = State::new(firm.erp);
        erp.plan = of_erp(seed.wrapping_add(1));
        tracker.token = Some(TOKEN.to_owned());
        erp.token = Some(TOKEN.to_owned());
        let limit = RequestLimit {
            requests: REQUESTS,
            window_ms: WINDOW_MS,
        };
        tracker.limit = Some(limit);
        erp.limit = Some(limit);
        let (tracker, erp) = (Twin::new(tracker), Twin::new(erp));
        let served = (
            serve(Arc::clone(&tracker), Arc::clone(&clock), 0).await?,
            serve(Arc::clone(&erp), Arc::clone(&clock), 0).await?,
        );
        let urls = (served.0.url(), served.1.url());
        let brief = Brief {
            config: firm.config.clone(),
            expected: firm.expected,
            agreed: Vec::new(),
            lost: None,
        };
        Ok(Self {
            tracker,
            config: firm.config,
            first_day: from.to_string(),
            erp,
            brief,
            urls,
            _served: served,
        })
    }

    /// Nothing goes wrong any more.
    pub(crate) fn calm(&self) {
        self.tracker.with(|state| state.plan = FaultPlan::none(1));
        self.erp.with(|state| state.plan = FaultPlan::none(1));
    }

    /// What the ERP and the tracker were asked so far.
    pub(crate) fn requests(&self) -> (u64, u64) {
        let tracker = self.tracker.with(|state| state.requests);
        (tracker, self.erp.with(|state| state.requests))
    }

    /// Write the configuration of a node and its secrets.
    pub(crate) fn configure(&self, folder: &Path, database: Option<&str>) -> Result<()> {
        let write = |name: &str, text: &str| {
            use std::os::unix::fs::PermissionsExt;
            let path = folder.join(name);
            std::fs::write(&path, text)?;
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600))
        };
        write("token", TOKEN)?;
        write("seal.key", &"8899aabbccddeeff".repeat(4))?;
        let mut store = "";
        if let Some(url) = database {
            write("database-url", url)?;
            store = "[store]\npostgres = { file = \"database-url\" }\n";
        }
        let (tracker, erp) = &self.urls;
        let first_day = &self.first_day;
        let config = self.config.to_toml()?;
        let text = format!(
            "ledger = \"ledger-of-the-chaos\"\n{store}[flow]\nfirst_day = \"{first_day}\"\n\
             billed_before = \"{first_day}\"\nlook_back_days = 92\nsend_within_ms = 1000\n\
             settle_ms = 200\npatience_ms = 20000\n[secrets]\nsource = {{ file = \"token\" }}\n\
             target = {{ file = \"token\" }}\nseal_key = {{ file = \"seal.key\" }}\n\
             [source.reference]\nurl = \"{tracker}\"\nrequests_per_window = {REQUESTS}\n\
             window_ms = {WINDOW_MS}\nread_timeout_ms = {TIMEOUT_MS}\n\
             write_timeout_ms = {TIMEOUT_MS}\n\
             [target.reference]\nurl = \"{erp}\"\nuniqueness = \"unique_key\"\n\
             requests_per_window = {REQUESTS}\nwindow_ms = {WINDOW_MS}\n\
             read_timeout_ms = {TIMEOUT_MS}\nwrite_timeout_ms = {TIMEOUT_MS}\n\
             longest_call_ms = 1200\n{config}"
        );
        write("counterfoil.toml", &text)?;
        Ok(())
    }

    /// Leave out what nobody could know: a pause that was asked for in the answer to a process that was
    /// killed before it could read it, or write it down. How many requests came in such pauses.
    pub(crate) fn excuse(&self, kills_us: &[i64]) -> usize {
        let unheard = |breach: &Breach| {
            let earliest_us = breach.at_us.saturating_sub(PAUSE_US);
            breach.kind == "before_retry_after"
                && kills_us
                    .iter()
                    .any(|at_us| (earliest_us..=breach.at_us).contains(at_us))
        };
        let leave_out = |breaches: &mut Vec<Breach>| {
            let before = breaches.len();
            breaches.retain(|breach| !unheard(breach));
            before - breaches.len()
        };
        let tracker = self.tracker.with(|state| leave_out(&mut state.breaches));
        tracker + self.erp.with(|state| leave_out(&mut state.breaches))
    }

    /// Read both and judge.
    pub(crate) async fn judge(&self) -> Result<Verdict> {
        let transport = HttpTransport::new(Arc::new(SystemClock)).map_err(|e| anyhow!("{e}"))?;
        let (tracker, erp) = &self.urls;
        Ok(audit(&transport, tracker, erp, &self.brief).await?)
    }
}

//! Both systems, the ledger and the product's handles, put together and taken apart again.

use crate::bugs::{Bug, BuggyTarget, ForgetfulFeedback, Memory};
use crate::clock::SimClock;
use crate::coverage::Coverage;
use crate::crashes::Deaths;
use crate::rng::Dice;
use crate::schedule::Schedule;
use crate::watched::Watched;
use connector_sdk::clock::Clock;
use connector_sdk::secrecy::SecretString;
use connector_sdk::source::{Feedback, TimeSource as _};
use connector_sdk::target::Target;
use connector_sdk::transport::Transport;
use connectors::source::reference::{ReferenceTracker, ReferenceTrackerConfig};
use connectors::target::reference::{KeyMode, ReferenceErp, ReferenceErpConfig};
use domain::ids::digest;
use jiff::civil::Date;
use pipeline::env::{Env, Silent};
use pipeline::patience::{PatientTransport, source_domain, target_domain};
use pipeline::settings::{BilledBefore, FingerprintKey, Settings};
use pipeline::stop::NeverStop;
use std::sync::{Arc, Mutex, PoisonError};
use store::{SealKey, Store, StoreOptions};
use twins::auditor::{Brief, Verdict, audit};
use twins::erp::{Erp, Uniqueness};
use twins::fault::FaultPlan;
use twins::firm::{Firm, generate};
use twins::frame::{RequestLimit, State};
use twins::tracker::Tracker;
use twins::transport::{Host, Twin, TwinTransport};

/// The requests that each account allows.
const REQUESTS: u32 = 25;
/// In this window.
const WINDOW_MS: u32 = 10_000;
const TOKEN: &str = "sesame";

/// A world that cannot be made: a defect of the kit.
pub type Broken = String;

/// Everything of one run.
pub struct World {
    /// Time.
    pub clock: Arc<SimClock>,
    /// The tracker.
    pub tracker: Arc<Twin<Tracker>>,
    /// The ERP.
    pub erp: Arc<Twin<Erp>>,
    /// Who dies where.
    pub deaths: Arc<Deaths>,
    /// The last day of the month, for passes.
    pub today: Date,
    brief: Brief,
    transport: Arc<dyn Transport>,
    watched: (Arc<Watched<Tracker>>, Arc<Watched<Erp>>),
    ledger: Store,
    settings: Arc<Settings>,
    entropy: Arc<Mutex<Dice>>,
    bug: Bug,
    memory: Memory,
    uniqueness: Uniqueness,
}

fn options(settings: &Settings, clock: &Arc<SimClock>, entropy: &Arc<Mutex<Dice>>) -> StoreOptions {
    let (clock, entropy) = (Arc::clone(clock), Arc::clone(entropy));
    StoreOptions::new(
        "sim",
        digest("ledger", &[settings.ledger.as_bytes()]),
        SealKey::new(digest("sim", &[b"seal key"])),
        Arc::new(move || clock.now_us()),
        Arc::new(move |buffer: &mut [u8]| {
            entropy
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .fill(buffer);
        }),
    )
}

fn settings(firm: &Firm, from: Date) -> Settings {
    let config = firm.config.clone();
    Settings {
        ledger: "sim-ledger".to_owned(),
        fingerprint_key: FingerprintKey(digest("sim", &[b"fingerprint"])),
        flow: "sim".to_owned(),
        source: "reference".to_owned(),
        billed_before: Some(BilledBefore::Day(from)),
        look_back_days: 70,
        look_ahead_days: 10,
        first_day: from,
        entity: config.entity,
        crosswalk: config.crosswalk,
        contracts: config.contracts,
        bill_rates: config.bill_rates,
        cost_rates: config.cost_rates,
        customers_on_hold: Vec::new(),
        hold_duplicates: true,
        send_within_ms: 30_000,
        settle_ms: 5_000,
        tries_max: 30,
        patience_ms: 900_000,
    }
}

fn text(error: impl std::fmt::Display) -> Broken {
    error.to_string()
}

impl World {
    /// The world of a schedule before anything happens.
    pub fn new(schedule: &Schedule, bug: Bug) -> Result<Self, Broken> {
        let firm = generate(schedule.seed, &schedule.firm).map_err(text)?;
        let (from, to) = schedule.firm.span().map_err(text)?;
        let settings = Arc::new(settings(&firm, from));
        let midnight = to.to_zoned(jiff::tz::TimeZone::UTC).map_err(text)?;
        let clock = SimClock::at(midnight.timestamp().as_microsecond());
        let entropy = Arc::new(Mutex::new(Dice::new(schedule.seed ^ 0x5ea1)));
        let Firm {
            tracker,
            mut erp,
            config,
            expected,
            ..
        } = firm;
        erp.settings.uniqueness = schedule.uniqueness;
        erp.settings.tamper = schedule.tamper;
        let limit = RequestLimit {
            requests: REQUESTS,
            window_ms: WINDOW_MS,
        };
        let mut tracker = State::new(tracker);
        tracker.plan = schedule.tracker_faults.clone();
        tracker.token = Some(TOKEN.to_owned());
        tracker.limit = Some(limit);
        let mut erp = State::new(erp);
        erp.plan = schedule.erp_faults.clone();
        erp.token = Some(TOKEN.to_owned());
        erp.limit = Some(limit);
        let (tracker, erp) = (Twin::new(tracker), Twin::new(erp));
        let watched = (
            Watched::new(Arc::clone(&tracker), "tracker"),
            Watched::new(Arc::clone(&erp), "ERP"),
        );
        let time: Arc<dyn Clock> = clock.clone();
        let hosts: (Arc<dyn Host>, Arc<dyn Host>) = (watched.0.clone(), watched.1.clone());
        let transport = TwinTransport::new(time)
            .with_host("tracker.sim", hosts.0)
            .with_host("erp.sim", hosts.1);
        let ledger = Store::open_in_memory(options(&settings, &clock, &entropy)).map_err(text)?;
        Ok(Self {
            clock,
            tracker,
            erp,
            deaths: Arc::new(Deaths::new(schedule.deaths.clone())),
            today: to,
            brief: Brief { config, expected },
            transport: Arc::new(transport),
            watched,
            ledger,
            settings,
            entropy,
            bug,
            memory: Memory::default(),
            uniqueness: schedule.uniqueness,
        })
    }

    /// A new process over the same ledger.
    pub fn session(&self) -> Result<Env, Broken> {
        let clock: Arc<dyn Clock> = self.clock.clone();
        let options = options(&self.settings, &self.clock, &self.entropy);
        let store = self.ledger.join_in_memory(options).map_err(text)?;
        let token = SecretString::from(TOKEN);
        let way = |domain: String| {
            PatientTransport::new(Arc::clone(&self.transport), Arc::clone(&clock), domain)
        };
        let (way_in, way_out) = (
            way(source_domain(&self.settings.flow)),
            way(target_domain(&self.settings.flow)),
        );
        let source = ReferenceTrackerConfig {
            requests_per_window: REQUESTS,
            window_ms: u64::from(WINDOW_MS),
            ..ReferenceTrackerConfig::at("http://tracker.sim")
        };
        let inner: Arc<dyn Transport> = way_in.clone();
        let source = Arc::new(
            ReferenceTracker::new(source, &token, inner, Arc::clone(&clock)).map_err(text)?,
        );
        let mode = match self.uniqueness {
            Uniqueness::UniqueKey => KeyMode::UniqueKey,
            Uniqueness::LookUp => KeyMode::LookUp,
        };
        let target = ReferenceErpConfig {
            batch_lines_max: 8,
            requests_per_window: REQUESTS,
            window_ms: u64::from(WINDOW_MS),
            ..ReferenceErpConfig::at("http://erp.sim", mode)
        };
        let inner: Arc<dyn Transport> = way_out.clone();
        let target: Arc<dyn Target> =
            Arc::new(ReferenceErp::new(target, &token, inner, Arc::clone(&clock)).map_err(text)?);
        let target: Arc<dyn Target> = match self.bug {
            Bug::None | Bug::LostWriteBack => target,
            bug => Arc::new(BuggyTarget::new(target, bug, &self.memory)),
        };
        let feedback: Arc<dyn Feedback> = source.clone();
        let feedback: Arc<dyn Feedback> = match self.bug {
            Bug::LostWriteBack => Arc::new(ForgetfulFeedback::new(feedback)),
            _ => feedback,
        };
        way_in.begin(source.manifest().limits.clone(), Some(store.clone()));
        way_out.begin(target.manifest().limits.clone(), Some(store.clone()));
        Ok(Env {
            clock,
            store,
            source,
            feedback: Some(feedback),
            publisher: None,
            target,
            crashes: self.deaths.clone(),
            progress: Arc::new(Silent),
            stop: Arc::new(NeverStop),
            settings: Arc::clone(&self.settings),
        })
    }

    /// From now on nothing goes wrong.
    pub fn calm(&self) {
        self.deaths.stop();
        self.tracker.with(|state| state.plan = FaultPlan::none(1));
        self.erp.with(|state| state.plan = FaultPlan::none(1));
    }

    /// The auditor's verdict.
    pub async fn verdict(&self) -> Result<Verdict, Broken> {
        audit(
            self.transport.as_ref(),
            "http://tracker.sim",
            "http://erp.sim",
            &self.brief,
        )
        .await
        .map_err(text)
    }

    /// What the run has been through.
    pub fn tell(&self, coverage: &mut Coverage) {
        self.deaths.tell(coverage);
        self.watched.0.tell(coverage);
        self.watched.1.tell(coverage);
    }
}

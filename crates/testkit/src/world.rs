//! Both systems, the ledger and the product's handles, put together and taken apart again.

use crate::bugs::{Bug, BuggyTarget, Forgetful, ForgetfulFeedback, Memory};
use crate::clock::SimClock;
use crate::coverage::Coverage;
use crate::crashes::Deaths;
use crate::gate::Gate;
use crate::moves::Postings;
use crate::rng::Dice;
use crate::schedule::Schedule;
use crate::story::Story;
use crate::watched::Watched;
use connector_sdk::clock::Clock;
use connector_sdk::secrecy::SecretString;
use connector_sdk::source::{Feedback, TimeSource as _};
use connector_sdk::target::Target;
use connector_sdk::transport::Transport;
use connectors::source::reference::{ReferenceTracker, ReferenceTrackerConfig};
use connectors::target::reference::{KeyMode, ReferenceErp, ReferenceErpConfig};
use domain::decimal::Micro;
use domain::ids::digest;
use jiff::civil::Date;
use pipeline::crash::Crashes;
use pipeline::env::{Env, Silent};
use pipeline::patience::{PatientTransport, source_domain, target_domain};
use pipeline::settings::{BilledBefore, FingerprintKey, Settings};
use pipeline::stop::NeverStop;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use store::{MemoryCopy, SealKey, Store, StoreOptions, strays};
use twins::auditor::{Brief, Lost, Verdict, audit};
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
    /// What happened.
    pub story: Arc<Story>,
    /// The last day of the month, for passes.
    pub today: Date,
    brief: Brief,
    transport: Arc<dyn Transport>,
    watched: (Arc<Watched<Tracker>>, Arc<Watched<Erp>>),
    ledger: Mutex<Store>,
    backup: Mutex<Option<Backup>>,
    lines: Mutex<BTreeMap<String, Micro>>,
    lost: Mutex<Option<Lost>>,
    settings: Arc<Settings>,
    entropy: Arc<Mutex<Dice>>,
    bug: Bug,
    memory: Memory,
    uniqueness: Uniqueness,
}

/// The ledger as it stood once, and what was known of its postings then.
pub struct Backup {
    copy: MemoryCopy,
    postings: Postings,
    taken_us: i64,
}

impl Backup {
    /// Take one.
    pub fn of(ledger: &Store, story: &Story) -> Result<Self, Broken> {
        Ok(Self {
            copy: ledger.copy_in_memory().map_err(text)?,
            postings: story.postings(),
            taken_us: story.now_us(),
        })
    }
}

fn options(
    settings: &Settings,
    clock: &Arc<SimClock>,
    entropy: &Arc<Mutex<Dice>>,
    story: &Arc<Story>,
) -> StoreOptions {
    let (clock, entropy) = (Arc::clone(clock), Arc::clone(entropy));
    let story = Arc::clone(story);
    let mut options = StoreOptions::new(
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
    );
    options.observer = Some(Arc::new(move |row| story.hear(row)));
    options
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
        source_limits: None,
        target_limits: None,
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
        let story = Story::new(&clock);
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
            Watched::new(Arc::clone(&tracker), "tracker", &story),
            Watched::new(Arc::clone(&erp), "ERP", &story),
        );
        let time: Arc<dyn Clock> = clock.clone();
        let hosts: (Arc<dyn Host>, Arc<dyn Host>) = (watched.0.clone(), watched.1.clone());
        let transport = TwinTransport::new(time)
            .with_host("tracker.sim", hosts.0)
            .with_host("erp.sim", hosts.1);
        let ledger =
            Store::open_in_memory(options(&settings, &clock, &entropy, &story)).map_err(text)?;
        Ok(Self {
            clock,
            tracker,
            erp,
            deaths: Arc::new(Deaths::new(schedule.deaths.clone())),
            story,
            today: to,
            brief: Brief {
                config,
                expected,
                agreed: Vec::new(),
                lost: None,
            },
            transport: Arc::new(transport),
            watched,
            ledger: Mutex::new(ledger),
            backup: Mutex::default(),
            lines: Mutex::default(),
            lost: Mutex::default(),
            settings,
            entropy,
            bug,
            memory: Memory::default(),
            uniqueness: schedule.uniqueness,
        })
    }

    /// A new process over the same ledger.
    pub fn session(&self) -> Result<Env, Broken> {
        let store = self.ledger().join_in_memory(self.options()).map_err(text)?;
        self.handles(store, &self.transport)
    }

    /// A process of another node over the same ledger, which stands still before the request after so
    /// many.
    pub fn node(&self, name: &str, requests: i64) -> Result<(Env, Arc<Gate>), Broken> {
        let options = StoreOptions {
            node: name.to_owned(),
            ..self.options()
        };
        let store = self.ledger().join_in_memory(options).map_err(text)?;
        let gate = Gate::after(
            requests,
            Arc::clone(&self.transport),
            self.bug == Bug::LateSend,
        );
        let transport: Arc<dyn Transport> = gate.clone();
        Ok((self.handles(store, &transport)?, gate))
    }

    fn handles(&self, store: Store, transport: &Arc<dyn Transport>) -> Result<Env, Broken> {
        let clock: Arc<dyn Clock> = self.clock.clone();
        let token = SecretString::from(TOKEN);
        let way = |domain: String| {
            PatientTransport::new(Arc::clone(transport), Arc::clone(&clock), domain)
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
            Bug::None | Bug::LostWriteBack | Bug::LostIntent | Bug::LateSend => target,
            bug => Arc::new(BuggyTarget::new(target, bug, &self.memory)),
        };
        let feedback: Arc<dyn Feedback> = source.clone();
        let feedback: Arc<dyn Feedback> = match self.bug {
            Bug::LostWriteBack => Arc::new(ForgetfulFeedback::new(feedback)),
            _ => feedback,
        };
        let crashes: Arc<dyn Crashes> = match self.bug {
            Bug::LostIntent => Arc::new(Forgetful::new(
                Arc::clone(&self.deaths),
                store.clone(),
                Arc::clone(&self.story),
                &self.memory,
            )),
            _ => self.deaths.clone(),
        };
        let calls_until = Arc::default();
        way_in.call_until(&calls_until);
        way_out.call_until(&calls_until);
        way_in.begin_with(source.manifest(), Some(store.clone()));
        way_out.begin_with(target.manifest(), Some(store.clone()));
        Ok(Env {
            clock,
            store,
            source,
            feedback: Some(feedback),
            publisher: None,
            target,
            crashes,
            progress: Arc::new(Silent),
            stop: Arc::new(NeverStop),
            calls_until,
            settings: Arc::clone(&self.settings),
        })
    }

    /// Somebody is about to change a line of the ERP.
    pub fn remember_line(&self, line: String, quantity: Micro) {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        lines.entry(line).or_insert(quantity);
    }

    /// Lines that somebody changed, with what they said before.
    pub fn changed_lines(&self) -> Vec<(String, Micro)> {
        let lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        lines.iter().map(|(id, was)| (id.clone(), *was)).collect()
    }

    fn ledger(&self) -> Store {
        let ledger = self.ledger.lock().unwrap_or_else(PoisonError::into_inner);
        ledger.clone()
    }

    fn options(&self) -> StoreOptions {
        options(&self.settings, &self.clock, &self.entropy, &self.story)
    }

    /// Take a backup of the ledger.
    pub fn back_up(&self) -> Result<(), Broken> {
        let taken = Backup::of(&self.ledger(), &self.story)?;
        let mut backup = self.backup.lock().unwrap_or_else(PoisonError::into_inner);
        *backup = Some(taken);
        Ok(())
    }

    /// Put the backup in the place of the ledger, as the product's restore does. False if there is
    /// none.
    pub fn restore(&self) -> Result<bool, Broken> {
        let backup = self.backup.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(backup) = backup.as_ref() else {
            return Ok(false);
        };
        self.story.set_back(backup.postings.clone());
        let ledger = backup.copy.restore(self.options()).map_err(text)?;
        *self.ledger.lock().unwrap_or_else(PoisonError::into_inner) = ledger;
        let mut lost = self.lost.lock().unwrap_or_else(PoisonError::into_inner);
        *lost = Some(Lost {
            from_us: backup.taken_us,
            to_us: self.story.now_us(),
            named: BTreeSet::new(),
            lists: self.uniqueness == Uniqueness::UniqueKey,
        });
        Ok(true)
    }

    /// With the bug of a lost intent: the ledger forgets what it confirmed before the process died.
    pub fn forget(&self) -> Result<(), Broken> {
        let Some(backup) = self.memory.take_backup() else {
            return Ok(());
        };
        self.story.set_back(backup.postings);
        let ledger = backup.copy.forget_since(self.options()).map_err(text)?;
        *self.ledger.lock().unwrap_or_else(PoisonError::into_inner) = ledger;
        Ok(())
    }

    /// What the ledger itself has to say at rest: its audit, its moves, nothing in flight.
    pub async fn examine(&self) -> Result<(), Broken> {
        if let Some(what) = self.story.forbidden() {
            return Err(format!("a move that no list allows: {what}"));
        }
        let in_flight = self.story.postings().in_flight();
        if in_flight > 0 {
            return Err(format!("{in_flight} lines are in flight at rest"));
        }
        let report = store::audit::verify(&self.ledger()).await.map_err(text)?;
        report.problems.first().map_or(Ok(()), |problem| {
            let (table, key, what) = (&problem.table, &problem.key, &problem.what);
            Err(format!("audit verify: {table} {key}: {what}"))
        })
    }

    /// From now on nothing goes wrong.
    pub fn calm(&self) {
        self.deaths.stop();
        self.tracker.with(|state| state.plan = FaultPlan::none(1));
        self.erp.with(|state| {
            state.plan = FaultPlan::none(1);
            state.scheduled.clear();
        });
    }

    fn lost(&self) -> Option<Lost> {
        let lost = self.lost.lock().unwrap_or_else(PoisonError::into_inner);
        lost.clone()
    }

    /// The auditor's verdict.
    pub async fn verdict(&self) -> Result<Verdict, Broken> {
        let mut brief = self.brief.clone();
        brief.lost = self.lost();
        let strays = self.ledger().read(strays::all).await.map_err(text)?;
        if let Some(lost) = &mut brief.lost {
            let open = strays.into_iter().filter(|stray| stray.open);
            lost.named = open.map(|stray| stray.line_ref).collect();
        }
        audit(
            self.transport.as_ref(),
            "http://tracker.sim",
            "http://erp.sim",
            &brief,
        )
        .await
        .map_err(text)
    }

    /// What the run has been through.
    pub fn tell(&self, coverage: &mut Coverage) {
        self.deaths.tell(coverage);
        self.watched.0.tell(coverage);
        self.watched.1.tell(coverage);
        self.story.tell_coverage(coverage);
    }
}

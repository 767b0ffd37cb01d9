//! The month end, act by act.

use super::DemoArgs;
use super::faults::{TIMEOUT_MS, of_erp, of_tracker};
use crate::failure::Failure;
use crate::out;
use connector_sdk::clock::{Clock, SystemClock};
use connector_sdk::http::HttpTransport;
use connector_sdk::secrecy::SecretString;
use connector_sdk::source::{DateWindow, TimeSource};
use connector_sdk::target::Target;
use connector_sdk::transport::Transport;
use connectors::source::reference::{ReferenceTracker, ReferenceTrackerConfig};
use connectors::target::reference::{KeyMode, ReferenceErp, ReferenceErpConfig};
use domain::decimal::Micro;
use domain::ids::digest;
use jiff::civil::Date;
use pipeline::contracts::{self, Word};
use pipeline::crash::NoCrashes;
use pipeline::env::{Env, Note, Progress};
use pipeline::exceptions::Choice;
use pipeline::patience::{PatientTransport, source_domain, target_domain};
use pipeline::settings::{BilledBefore, FingerprintKey, Settings};
use pipeline::stop::NeverStop;
use pipeline::sync::{SyncOptions, SyncResult};
use rules::account::milestone::Evidence;
use rules::account::retainer::FundingStage;
use std::path::Path;
use std::sync::Arc;
use store::{SealKey, Store, StoreOptions};
use twins::auditor::{Brief, audit};
use twins::erp::{Erp, ErpAct, Uniqueness};
use twins::fault::FaultPlan;
use twins::firm::agreed::{
    Agreed, FIRST_MILESTONE_MINOR, MILESTONES, RETAINER, fees, more_than_a_month,
};
use twins::firm::{Expected, Firm, FirmConfig, FirmSpec, generate};
use twins::frame::{Machine, RequestLimit, State};
use twins::serve::{Served, serve};
use twins::tracker::{Tracker, TrackerAct};
use twins::transport::Twin;

/// Requests that the ERP allows in one window of the demo.
const REQUESTS: u32 = 60;
const WINDOW_MS: u32 = 1_000;
/// The most passes until nothing is left.
const PASSES_MAX: usize = 12;

struct Voice(bool);

impl Progress for Voice {
    fn hear(&self, note: Note) {
        if let (true, Note::Says(words)) = (self.0, note) {
            out::line(&format!("    {words}"));
        }
    }
}

struct Stage {
    told: bool,
    firm_span: DateWindow,
    tracker: Arc<Twin<Tracker>>,
    erp: Arc<Twin<Erp>>,
    tracker_url: String,
    erp_url: String,
    config: FirmConfig,
    expected: Expected,
    env: Env,
    transport: Arc<dyn Transport>,
    _served: (Served, Served),
    _folder: Option<tempfile::TempDir>,
}

/// Play the month.
pub(super) async fn play(demo: &DemoArgs, told: bool) -> Result<super::ending::Ending, Failure> {
    let stage = Stage::set(demo, told).await?;
    stage.client_pays_ahead(demo.entries).await?;
    stage.say("1. Consultants have booked their month; the first pass takes it in and posts it.");
    stage.until_quiet().await?;
    stage.tell_faults();
    stage.say("2. People go on working: edits, a deletion, late approvals.");
    stage.people_work();
    stage.client_accepts().await?;
    stage.until_quiet().await?;
    stage.say("3. Finance mends what can be mended and replays the exceptions.");
    stage.finance_mends();
    stage.replay().await?;
    stage.until_quiet().await?;
    stage.say(
        "4. Finance issues the invoices; one client pays. Work that comes later opens new drafts.",
    );
    stage.finance_issues();
    stage.until_quiet().await?;
    stage.say(
        "5. Tracker, ledger and ERP side by side; and a judge that reads the two systems alone.",
    );
    stage.end(demo).await
}

fn failed(error: impl std::fmt::Display) -> Failure {
    Failure::stopped(error.to_string(), "report this with the seed")
}

impl Stage {
    async fn set(demo: &DemoArgs, told: bool) -> Result<Self, Failure> {
        let spec = FirmSpec {
            consultants: demo.consultants,
            entries: demo.entries,
            agreements: true,
            ..FirmSpec::default()
        };
        let Firm {
            tracker,
            mut erp,
            config,
            expected,
            ..
        } = generate(demo.seed, &spec)
            .map_err(|error| Failure::usage(error.to_string(), "choose other numbers"))?;
        let (from, to) = spec.span().map_err(failed)?;
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        erp.settings.tamper = demo.tamper.map(crate::commands::twin::Cheat::tamper);
        if demo.no_unique_key {
            erp.settings.uniqueness = Uniqueness::LookUp;
        }
        let token = "demo-token";
        let mut erp_plan = FaultPlan::none(demo.seed);
        let mut tracker = State::new(tracker);
        if !demo.no_faults {
            tracker.plan = of_tracker(demo.seed);
            erp_plan = of_erp(demo.seed.wrapping_add(1));
        }
        tracker.token = Some(token.to_owned());
        let mut erp = State::new(erp);
        erp.plan = erp_plan;
        erp.token = Some(token.to_owned());
        erp.limit = Some(RequestLimit {
            requests: REQUESTS,
            window_ms: WINDOW_MS,
        });
        let (tracker, erp) = (Twin::new(tracker), Twin::new(erp));
        let served = (
            serve(Arc::clone(&tracker), Arc::clone(&clock), 0).await?,
            serve(Arc::clone(&erp), Arc::clone(&clock), 0).await?,
        );
        let (tracker_url, erp_url) = (served.0.url(), served.1.url());
        let folder = if demo.keep.is_none() {
            Some(tempfile::tempdir()?)
        } else {
            None
        };
        let path = demo
            .keep
            .as_deref()
            .or_else(|| folder.as_ref().map(tempfile::TempDir::path))
            .unwrap_or_else(|| Path::new("."));
        std::fs::create_dir_all(path)?;
        let settings = settings(demo.seed, &config, from);
        let env = connect(
            demo,
            told,
            &path.join("ledger.sqlite"),
            settings,
            &tracker_url,
            &erp_url,
        )?;
        let stage = Self {
            told,
            firm_span: DateWindow { from, to },
            tracker,
            erp,
            tracker_url,
            erp_url,
            config,
            expected,
            env,
            transport: Arc::new(HttpTransport::new(clock).map_err(failed)?),
            _served: served,
            _folder: folder,
        };
        stage.say(&format!(
            "A firm of {} consultants, {} entries from {from} to {to}, seed {}.",
            demo.consultants,
            stage.expected.entries.len(),
            demo.seed
        ));
        stage.say(&format!(
            "   tracker {}   ERP {}",
            stage.tracker_url, stage.erp_url
        ));
        Ok(stage)
    }

    fn say(&self, words: &str) {
        if self.told {
            out::line(words);
        }
    }

    /// Passes until nothing new happens and nothing waits.
    async fn until_quiet(&self) -> Result<(), Failure> {
        for _ in 0..PASSES_MAX {
            let today = self.firm_span.to;
            match pipeline::sync::sync(&self.env, today, SyncOptions::default()).await {
                Ok(result) => {
                    self.tell_pass(&result);
                    if quiet(&result) {
                        return Ok(());
                    }
                }
                // A pass may be stopped by a fault; what it did is durable and the next goes on.
                Err(error) => self.say(&format!(
                    "   a pass stopped ({error}); the next one goes on"
                )),
            }
        }
        Ok(())
    }

    fn tell_pass(&self, result: &SyncResult) {
        let SyncResult {
            intake,
            post,
            fixed,
            ..
        } = result;
        if fixed.new_items > 0 {
            self.say(&format!(
                "   {} amounts beside hours fall due: fees, milestones",
                fixed.new_items
            ));
        }
        self.say(&format!(
            "   pass: {} new, {} changed, {} withdrawn; {} lines posted in {} calls, {} found \
             there after {} lost answers, {} refused; {} entries told",
            intake.new_items,
            intake.revisions,
            intake.withdrawn,
            post.posted,
            post.calls,
            post.adopted,
            post.doubts,
            post.rejected,
            result.told
        ));
    }

    fn tell_faults(&self) {
        let erp = self.erp.with(|state| state.requests);
        let tracker = self.tracker.with(|state| state.requests);
        self.say(&format!(
            "   (until now {tracker} requests to the tracker and {erp} to the ERP, faults among them)"
        ));
    }

    fn act_tracker(&self, act: &TrackerAct) {
        let now_us = self.env.clock.now_us();
        let done = self.tracker.with(|state| state.machine.act(act, now_us));
        if let Err(words) = done {
            self.say(&format!("   (the tracker refused an act: {words})"));
        }
    }

    fn act_erp(&self, act: &ErpAct) -> Option<serde_json::Value> {
        let now_us = self.env.clock.now_us();
        match self.erp.with(|state| state.machine.act(act, now_us)) {
            Ok(value) => Some(value),
            Err(words) => {
                self.say(&format!("   (the ERP refused an act: {words})"));
                None
            }
        }
    }

    fn people_work(&self) {
        use twins::firm::Outcome;
        let of = |wanted: fn(&Outcome) -> bool, skip: usize, take: usize| -> Vec<String> {
            let all = self
                .expected
                .entries
                .iter()
                .filter(|(_, outcome)| wanted(outcome));
            all.map(|(id, _)| id.clone())
                .skip(skip)
                .step_by(7)
                .take(take)
                .collect()
        };
        let billed = |outcome: &Outcome| matches!(outcome, Outcome::Bill { .. });
        for id in of(billed, 3, 4) {
            self.say(&format!("   entry {id}: the hours are corrected to 2.25"));
            self.act_tracker(&edit(id, "2.25"));
        }
        for id in of(billed, 5, 2) {
            self.say(&format!("   entry {id}: edited, and edited back"));
            self.act_tracker(&edit(id.clone(), "0.67"));
            self.act_tracker(&TrackerAct::EditBack { id });
        }
        for id in of(billed, 11, 2) {
            self.say(&format!("   entry {id}: deleted"));
            self.act_tracker(&TrackerAct::DeleteEntry { id });
        }
        let waiting = |outcome: &Outcome| matches!(outcome, Outcome::Unapproved);
        for id in of(waiting, 0, 5) {
            self.say(&format!("   entry {id}: approved late"));
            self.act_tracker(&TrackerAct::Approve {
                id,
                by: "lead".to_owned(),
            });
        }
    }

    async fn client_pays_ahead(&self, entries: u32) -> Result<(), Failure> {
        let spec = FirmSpec {
            entries,
            ..FirmSpec::default()
        };
        let paid = Word::Fund {
            id: "invoice 1".to_owned(),
            stage: FundingStage::Paid,
            amount: Micro::from_micro(more_than_a_month(&spec).saturating_mul(1_000_000)),
        };
        self.say("0. A client pays a retainer; the work of its month will draw on it.");
        self.tell_contract(RETAINER, &paid).await
    }

    async fn client_accepts(&self) -> Result<(), Failure> {
        let accepted = Word::Accept {
            milestone: "DESIGN".to_owned(),
            revision: 1,
            amount: None,
            evidence: Evidence {
                accepted_by: "Builders United".to_owned(),
                accepted_on: self.firm_span.to,
                document: "protocol of acceptance".to_owned(),
            },
        };
        self.say("   a client accepts the milestone DESIGN");
        self.tell_contract(MILESTONES, &accepted).await
    }

    async fn tell_contract(&self, contract: &str, word: &Word) -> Result<(), Failure> {
        contracts::tell(&self.env, contract, word, "finance")
            .await
            .map(|_| ())
            .map_err(failed)
    }

    /// Fees until the end of the month, and the milestone that was accepted.
    fn agreed(&self) -> Result<Vec<Agreed>, Failure> {
        let mut agreed = fees(&self.config, self.firm_span.to).map_err(failed)?;
        let mut contracts = self.config.contracts.iter();
        let build = contracts.find(|contract| contract.id == MILESTONES);
        agreed.extend(build.map(|contract| Agreed {
            customer: contract.customer.clone().unwrap_or_default(),
            currency: contract.currency,
            amount_minor: FIRST_MILESTONE_MINOR,
        }));
        Ok(agreed)
    }

    fn finance_mends(&self) {
        let held: Vec<String> = self.erp.with(|state| {
            let held = state
                .machine
                .customers
                .values()
                .filter(|customer| customer.on_hold);
            held.map(|customer| customer.code.clone()).collect()
        });
        for customer in held {
            self.say(&format!("   the hold on customer {customer} is lifted"));
            self.act_erp(&ErpAct::LiftHold { customer });
        }
    }

    async fn replay(&self) -> Result<(), Failure> {
        let code = domain::exception::Code::CustomerOnHold;
        for _ in 0..PASSES_MAX {
            match pipeline::sync::replay(&self.env, &Choice::Code(code), "finance").await {
                Ok((replayed, pass)) => {
                    self.say(&format!(
                        "   {} exceptions taken up, {} solved, {} lines posted",
                        replayed.taken_up, replayed.solved, pass.post.posted
                    ));
                    return Ok(());
                }
                Err(error) => self.say(&format!("   the replay stopped ({error}); once more")),
            }
        }
        Ok(())
    }

    fn finance_issues(&self) {
        self.act_erp(&ErpAct::IssueAll);
        let paid = self.erp.with(|state| {
            let mut numbers = state
                .machine
                .documents
                .values()
                .filter_map(|d| d.number.clone());
            numbers.next()
        });
        if let Some(document) = paid {
            self.say(&format!("   invoice {document} is paid"));
            self.act_erp(&ErpAct::Pay { document });
        }
        // One more hour is approved after the invoices went out.
        let mut waiting = self
            .expected
            .entries
            .iter()
            .filter(|(_, outcome)| matches!(outcome, twins::firm::Outcome::Unapproved));
        if let Some((id, _)) = waiting.next_back() {
            self.say(&format!(
                "   entry {id}: approved after its invoice went out"
            ));
            self.act_tracker(&TrackerAct::Approve {
                id: id.clone(),
                by: "lead".to_owned(),
            });
        }
    }

    async fn end(self, demo: &DemoArgs) -> Result<super::ending::Ending, Failure> {
        let mut last = None;
        for _ in 0..PASSES_MAX {
            match pipeline::reconcile::reconcile(&self.env, self.firm_span).await {
                Ok(report) => {
                    last = Some(report);
                    break;
                }
                Err(error) => self.say(&format!(
                    "   the comparison was cut off ({error}); once more"
                )),
            }
        }
        let reconciliation =
            last.ok_or_else(|| Failure::stopped("the comparison never came through", "try again"))?;
        let brief = Brief {
            config: self.config.clone(),
            expected: self.expected.clone(),
            agreed: self.agreed()?,
            lost: None,
        };
        let verdict = audit(
            self.transport.as_ref(),
            &self.tracker_url,
            &self.erp_url,
            &brief,
        )
        .await
        .map_err(failed)?;
        Ok(super::ending::Ending {
            seed: demo.seed,
            reconciliation,
            figures: contracts::figures(&self.env, None).await.map_err(failed)?,
            verdict,
        })
    }
}

fn edit(id: String, hours: &str) -> TrackerAct {
    TrackerAct::EditEntry {
        id,
        hours: Some(hours.to_owned()),
        date: None,
        narrative: None,
        project_id: None,
        task_id: None,
        billable: None,
    }
}

/// What the configuration of the firm says.
fn settings(seed: u64, config: &FirmConfig, first_day: Date) -> Settings {
    Settings {
        ledger: format!("demo-ledger-{seed}"),
        fingerprint_key: FingerprintKey(digest("demo", &[b"fingerprint"])),
        flow: "demo".to_owned(),
        source: "reference".to_owned(),
        billed_before: Some(BilledBefore::Day(first_day)),
        look_back_days: 62,
        look_ahead_days: 31,
        first_day,
        entity: config.entity.clone(),
        crosswalk: config.crosswalk.clone(),
        contracts: config.contracts.clone(),
        bill_rates: config.bill_rates.clone(),
        cost_rates: config.cost_rates.clone(),
        customers_on_hold: Vec::new(),
        hold_duplicates: true,
        send_within_ms: 5_000,
        settle_ms: 200,
        tries_max: 30,
        patience_ms: 20_000,
        source_limits: None,
        target_limits: None,
    }
}

/// Nothing new, nothing left, everybody told.
const fn quiet(result: &SyncResult) -> bool {
    let SyncResult {
        intake,
        post,
        states,
        ..
    } = result;
    intake.new_items + intake.revisions + intake.withdrawn == 0
        && result.fixed.new_items + result.fixed.revisions == 0
        && post.posted + post.adopted + post.rejected + post.left == 0
        && states.documents_changed == 0
        && result.told + result.not_told == 0
}

fn connect(
    demo: &DemoArgs,
    told: bool,
    ledger: &Path,
    settings: Settings,
    tracker_url: &str,
    erp_url: &str,
) -> Result<Env, Failure> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let transport: Arc<dyn Transport> =
        Arc::new(HttpTransport::new(Arc::clone(&clock)).map_err(failed)?);
    let token = SecretString::from("demo-token");
    let source = ReferenceTrackerConfig {
        read_timeout_ms: TIMEOUT_MS,
        write_timeout_ms: TIMEOUT_MS,
        requests_per_window: 1_000,
        window_ms: 1_000,
        ..ReferenceTrackerConfig::at(tracker_url)
    };
    let mode = if demo.no_unique_key {
        KeyMode::LookUp
    } else {
        KeyMode::UniqueKey
    };
    let target = ReferenceErpConfig {
        read_timeout_ms: TIMEOUT_MS,
        write_timeout_ms: TIMEOUT_MS,
        longest_call_ms: 1_500,
        batch_lines_max: 50,
        requests_per_window: REQUESTS,
        window_ms: u64::from(WINDOW_MS),
        ..ReferenceErpConfig::at(erp_url, mode)
    };
    let flow = &settings.flow;
    let way_in = PatientTransport::new(transport.clone(), clock.clone(), source_domain(flow));
    let through = way_in.clone();
    let source = ReferenceTracker::new(source, &token, through, clock.clone()).map_err(failed)?;
    let source = Arc::new(source);
    let way_out = PatientTransport::new(transport, clock.clone(), target_domain(flow));
    let through = way_out.clone();
    let target = ReferenceErp::new(target, &token, through, clock.clone()).map_err(failed)?;
    let now = SystemClock;
    let options = StoreOptions::new(
        "demo",
        digest("ledger", &[settings.ledger.as_bytes()]),
        SealKey::new(digest("demo", &[b"seal key"])),
        Arc::new(move || now.now_us()),
        Arc::new(|buffer: &mut [u8]| {
            if getrandom::fill(buffer).is_err() {
                std::process::abort();
            }
        }),
    );
    let store = Store::open_sqlite(ledger, options)?;
    way_in.begin_with(source.manifest(), Some(store.clone()));
    way_out.begin_with(target.manifest(), Some(store.clone()));
    Ok(Env {
        clock,
        store,
        source: source.clone(),
        feedback: Some(source),
        publisher: None,
        target: Arc::new(target),
        crashes: Arc::new(NoCrashes),
        progress: Arc::new(Voice(told)),
        stop: Arc::new(NeverStop),
        calls_until: Arc::default(),
        settings: Arc::new(settings),
    })
}

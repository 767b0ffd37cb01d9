//! A world in which nothing goes wrong by itself, and what a test does in it.

use connector_sdk::clock::Clock;
use connector_sdk::source::DateWindow;
use counterfoil_testkit::bugs::Bug;
use counterfoil_testkit::schedule::Schedule;
use counterfoil_testkit::world::World;
use domain::contract::{Contract, ContractKind};
use pipeline::env::Env;
use pipeline::exceptions::{Choice, Exception, Replayed};
use pipeline::reconcile::{Class, Reconciliation};
use pipeline::sync::{SyncOptions, SyncResult};
use std::cell::Cell;
use std::future::Future;
use std::sync::Arc;
use twins::auditor::Verdict;
use twins::erp::{ErpAct, Uniqueness};
use twins::fault::FaultPlan;
use twins::frame::Machine as _;
use twins::tracker::{Entry, TrackerAct};

pub(crate) struct Stage {
    pub(crate) world: World,
    pub(crate) env: Env,
    /// Whether a test booked parts that nothing was priced so.
    pub(crate) cut_by_hand: Cell<bool>,
}

/// A number that whoever runs the test wants.
pub(crate) fn chosen<T: std::str::FromStr>(name: &str) -> Option<T> {
    #[expect(
        clippy::disallowed_methods,
        reason = "whoever runs the test chooses its walks"
    )]
    let text = std::env::var(name).ok()?;
    text.parse().ok()
}

/// The seeds of a test that walks at random: `usual` of them, `NAME_WALKS` where whoever runs the test
/// wants another number, and `NAME_SEED` alone.
pub(crate) fn walks(name: &str, usual: u64) -> std::ops::RangeInclusive<u64> {
    let number = |what: &str| chosen(&format!("{name}_{what}"));
    let one = number("SEED");
    one.map_or(1..=number("WALKS").unwrap_or(usual), |seed| seed..=seed)
}

/// Run a test's future on one thread.
pub(crate) fn play<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap()
        .block_on(future)
}

impl Stage {
    pub(crate) fn new(seed: u64, uniqueness: Uniqueness) -> Self {
        let mut schedule = Schedule::from_seed(seed);
        schedule.firm.entries = 40;
        schedule.firm.planted = 0;
        schedule.tracker_faults = FaultPlan::none(seed);
        schedule.erp_faults = FaultPlan::none(seed);
        schedule.deaths.clear();
        schedule.uniqueness = uniqueness;
        let world = World::new(&schedule, Bug::None).unwrap();
        let env = world.session().unwrap();
        Self {
            world,
            env,
            cut_by_hand: Cell::new(false),
        }
    }

    /// Change the time-and-materials contract of customer C02; gives it as it is then.
    pub(crate) fn with_contract(&mut self, change: impl FnOnce(&mut Contract)) -> Contract {
        let mut settings = (*self.env.settings).clone();
        let material = |contract: &&mut Contract| {
            contract.kind == ContractKind::TimeAndMaterials
                && contract.customer.as_deref() == Some("C02")
        };
        let contract = settings.contracts.iter_mut().find(material).unwrap();
        change(contract);
        let contract = contract.clone();
        self.env.settings = Arc::new(settings);
        contract
    }

    /// One pass, a quarter of an hour after the one before.
    pub(crate) async fn pass(&self) -> SyncResult {
        self.world.clock.pass_ms(900_000);
        pipeline::sync::sync(&self.env, self.world.today, SyncOptions::default())
            .await
            .unwrap()
    }

    pub(crate) async fn replay(&self, choice: Choice) -> Replayed {
        pipeline::sync::replay(&self.env, &choice, "finance")
            .await
            .unwrap()
            .0
    }

    pub(crate) async fn exceptions(&self) -> Vec<Exception> {
        pipeline::exceptions::list(&self.env, None).await.unwrap()
    }

    pub(crate) async fn reconcile(&self) -> Reconciliation {
        let to = self.world.today;
        let from = to.first_of_month();
        let report = pipeline::reconcile::reconcile(&self.env, DateWindow { from, to })
            .await
            .unwrap();
        assert!(report.ties_out(), "{:?}", report.classes);
        self.priced_again().await;
        report
    }

    /// Every charge comes out again bit for bit as it is booked.
    pub(crate) async fn priced_again(&self) {
        let again = pipeline::reprice::reprice(&self.env).await.unwrap();
        assert_eq!(again.differing, []);
        assert!(
            again.before_acts == 0 || self.cut_by_hand.get(),
            "{again:?}"
        );
    }

    pub(crate) async fn class(&self, id: &str) -> Class {
        let report = self.reconcile().await;
        let row = report.entries.iter().find(|row| row.source_ref == id);
        row.unwrap().class
    }

    /// The auditor finds nothing wrong.
    pub(crate) async fn judged(&self) -> Verdict {
        self.priced_again().await;
        let verdict = self.world.verdict().await.unwrap();
        assert!(verdict.is_good(), "{verdict:?}");
        verdict
    }

    pub(crate) fn tracker_act(&self, act: &TrackerAct) {
        let now_us = self.world.clock.now_us();
        let done = self
            .world
            .tracker
            .with(|state| state.machine.act(act, now_us));
        done.unwrap();
    }

    pub(crate) fn erp_act(&self, act: &ErpAct) {
        let now_us = self.world.clock.now_us();
        self.world
            .erp
            .with(|state| state.machine.act(act, now_us))
            .unwrap();
    }

    pub(crate) fn set_hours(&self, id: &str, hours: &str) {
        self.tracker_act(&TrackerAct::EditEntry {
            id: id.to_owned(),
            hours: Some(hours.to_owned()),
            date: None,
            narrative: None,
            project_id: None,
            task_id: None,
            billable: None,
        });
    }

    pub(crate) fn entry(&self, id: &str) -> Entry {
        let number: u64 = id.parse().unwrap();
        self.world
            .tracker
            .with(|state| state.machine.entries.get(&number).cloned())
            .unwrap()
    }

    /// What the tracker shows.
    pub(crate) fn shown(&self, id: &str) -> (String, String) {
        let entry = self.entry(id);
        let status = entry.billing_status.unwrap_or_default();
        (status, entry.erp_reference.unwrap_or_default())
    }

    /// Entries that are shown as posted, of projects whose ERP code fits.
    pub(crate) fn posted(&self, fits: impl Fn(&str) -> bool) -> Vec<String> {
        self.world.tracker.with(|state| {
            let tracker = &state.machine;
            let code = |entry: &Entry| {
                let project = tracker.projects.get(&entry.project_id);
                project.and_then(|project| project.erp_code.clone())
            };
            let of = tracker.entries.iter().filter(|(_, entry)| {
                entry.billing_status.as_deref() == Some("posted")
                    && code(entry).is_some_and(|code| fits(&code))
            });
            of.map(|(id, _)| id.to_string()).collect()
        })
    }

    pub(crate) fn lines(&self) -> usize {
        self.world.erp.with(|state| state.machine.lines.len())
    }
}

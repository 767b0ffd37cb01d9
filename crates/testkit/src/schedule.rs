//! What a run is like, from one number.

use crate::acts::Kind;
use crate::crashes::Death;
use crate::rng::Dice;
use pipeline::crash::CrashPoint;
use std::fmt;
use twins::erp::{Tamper, Uniqueness};
use twins::fault::FaultPlan;
use twins::firm::FirmSpec;

/// Schedules in which the ledger is lost and restored.
const RESTORES_PERCENT: u64 = 15;
/// Of the others, schedules in which a node stands still.
const TAKEOVERS_PERCENT: u64 = 40;

/// Something people do before a pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Planned {
    /// Before which pass, from 1: before the first nothing is posted.
    pub pass: u64,
    /// What.
    pub kind: Kind,
    /// A number to choose by among what is there then.
    pub pick: u64,
}

/// A ledger lost, and the backup put in its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Restore {
    /// Before which pass the backup is taken.
    pub taken: u64,
    /// Before which later pass it takes the ledger's place.
    pub used: u64,
}

/// A node that stands still in the middle of a pass, while another takes over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Takeover {
    /// In which pass.
    pub pass: u64,
    /// Before the request after so many.
    pub requests: i64,
}

/// One run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    /// The number it was made from.
    pub seed: u64,
    /// The firm.
    pub firm: FirmSpec,
    /// How the ERP treats keys.
    pub uniqueness: Uniqueness,
    /// What goes wrong at the tracker.
    pub tracker_faults: FaultPlan,
    /// What goes wrong at the ERP.
    pub erp_faults: FaultPlan,
    /// What people do.
    pub acts: Vec<Planned>,
    /// Where the process dies.
    pub deaths: Vec<Death>,
    /// Whether the ledger is lost.
    pub restore: Option<Restore>,
    /// Nodes that stand still.
    pub takeovers: Vec<Takeover>,
    /// Whether people mend the causes of refusals before the end.
    pub mends: bool,
    /// Passes with faults and people.
    pub passes: u64,
    /// Whether the ERP cheats, for the auditor's own test.
    pub tamper: Option<Tamper>,
}

/// One fault far more often than in life, or a mixture.
fn faults(dice: &mut Dice) -> FaultPlan {
    let seed = dice.any();
    let mut plan = FaultPlan {
        latency_ms_min: 1,
        latency_ms_max: 2_000,
        throttled_for_s: 5,
        late_commit_ms: 80_000,
        ..FaultPlan::none(seed)
    };
    match dice.below(14) {
        0 => return FaultPlan::none(seed),
        1 => plan.throttled = 150,
        2 => plan.throttled_without_hint = 100,
        3 => plan.unavailable = 200,
        4 => plan.error_after_commit = 200,
        5 => plan.silent_after_commit = 150,
        6 => plan.dropped_after_commit = 200,
        7 => plan.late_commit = 150,
        8 => plan.cut_body = 150,
        9 => (plan.slow, plan.slow_ms) = (100, 45_000),
        10 => (plan.page_repeats_row, plan.page_loses_row) = (100, 100),
        11 => (plan.garbage, plan.dropped_before) = (20, 150),
        12 => {
            return FaultPlan {
                slow_ms: 20_000,
                ..FaultPlan::month_end(seed)
            };
        }
        _ => {
            return FaultPlan {
                slow_ms: 20_000,
                ..FaultPlan::nasty(seed)
            };
        }
    }
    plan
}

/// Whether the ledger of a seed is lost; by dice of its own, so that whatever else the seed means
/// does not depend on it.
fn restore(seed: u64, passes: u64) -> Option<Restore> {
    let mut dice = Dice::new(seed ^ 0x0b0c_d0ed);
    if !dice.percent(RESTORES_PERCENT) {
        return None;
    }
    let used = dice.between(1, passes);
    let taken = dice.between(0, used - 1);
    Some(Restore { taken, used })
}

impl Schedule {
    /// The schedule of a number.
    pub fn from_seed(seed: u64) -> Self {
        let mut schedule = Self::plain(seed);
        schedule.add_restore(restore(seed, schedule.passes));
        schedule.add_extra_acts();
        schedule.add_takeovers();
        schedule
    }

    /// Nodes that stand still, by dice of its own. Not where the ledger is lost: a node that goes on
    /// with a ledger that is no more is another story.
    fn add_takeovers(&mut self) {
        let mut dice = Dice::new(self.seed ^ 0x07a6_e0fe);
        if self.restore.is_some() || !dice.percent(TAKEOVERS_PERCENT) {
            return;
        }
        for _ in 0..dice.between(1, 2) {
            let pass = dice.between(0, self.passes);
            let requests = i64::try_from(dice.below(70)).unwrap_or(0);
            self.takeovers.push(Takeover { pass, requests });
        }
    }

    /// A ledger that is lost and restored. People go on working between backup and restore, at
    /// either side; beside what they do anyway, somebody changes lines just before the restored
    /// ledger looks. Nobody moves lines to another draft: of such a line the planner believes that it
    /// stands where it was put, which README names.
    fn add_restore(&mut self, restore: Option<Restore>) {
        let Some(Restore { used, .. }) = restore else {
            return;
        };
        self.restore = restore;
        self.acts.retain(|act| act.kind != Kind::MoveLine);
        let mut dice = Dice::new(self.seed ^ 0x11e_ed17);
        for _ in 0..dice.below(3) {
            let (pass, kind, pick) = (used, Kind::EditLine, dice.any());
            self.acts.push(Planned { pass, kind, pick });
        }
        self.acts.sort_by_key(|act| act.pass);
    }

    /// What people do beyond, by dice of its own.
    fn add_extra_acts(&mut self) {
        let mut dice = Dice::new(self.seed ^ 0x0e47_2a00);
        for _ in 0..dice.below(4) {
            let pass = dice.between(1, self.passes);
            let kind = dice.one_of(Kind::EXTRA).copied();
            let pick = dice.any();
            if let Some(kind) = kind {
                self.acts.push(Planned { pass, kind, pick });
                self.mends = true;
            }
        }
        self.acts.sort_by_key(|act| act.pass);
    }

    /// The schedule of a number without losses of the ledger and without [`Kind::EXTRA`]; what
    /// once failed is kept by these numbers.
    pub fn plain(seed: u64) -> Self {
        let mut dice = Dice::new(seed);
        let month = i8::try_from(dice.between(1, 12)).unwrap_or(6);
        let few = |n: u64| u32::try_from(n).unwrap_or(20);
        let firm = FirmSpec {
            consultants: few(dice.between(2, 5)),
            entries: few(dice.between(12, 28)),
            month,
            planted: u32::from(dice.percent(50)),
            not_billable: 100,
            ..FirmSpec::default()
        };
        let uniqueness = if dice.percent(50) {
            Uniqueness::UniqueKey
        } else {
            Uniqueness::LookUp
        };
        let (tracker_faults, erp_faults) = (faults(&mut dice), faults(&mut dice));
        let passes = dice.between(2, 5);
        let mut acts: Vec<Planned> = (0..dice.below(12))
            .map(|_| Planned {
                pass: dice.between(1, passes),
                kind: dice.one_of(Kind::ALL).copied().unwrap_or(Kind::Edit),
                pick: dice.any(),
            })
            .collect();
        acts.sort_by_key(|act| act.pass);
        let deaths = (0..dice.below(4))
            .filter_map(|_| {
                let point = dice.one_of(CrashPoint::ALL).copied()?;
                let often = if dice.percent(50) { 3 } else { 12 };
                Some(Death {
                    point,
                    nth: dice.between(1, often),
                })
            })
            .collect();
        Self {
            seed,
            firm,
            uniqueness,
            tracker_faults,
            erp_faults,
            acts,
            deaths,
            restore: None,
            takeovers: Vec::new(),
            mends: false,
            passes,
            tamper: None,
        }
    }
}

/// The rates of a plan that are not zero, in words.
fn plan_words(plan: &FaultPlan) -> String {
    let value = serde_json::to_value(plan).unwrap_or_default();
    let words: Vec<String> = value
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(name, rate)| {
            rate.as_u64().is_some_and(|rate| rate > 0) && !name.contains("_ms") && *name != "seed"
        })
        .map(|(name, rate)| format!("{name} {rate}"))
        .collect();
    words.join(", ")
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "seed {}: {} consultants, {} entries of month {}, planted {}, {:?}",
            self.seed,
            self.firm.consultants,
            self.firm.entries,
            self.firm.month,
            self.firm.planted,
            self.uniqueness
        )?;
        writeln!(f, "tracker: {}", plan_words(&self.tracker_faults))?;
        writeln!(f, "ERP: {}", plan_words(&self.erp_faults))?;
        for death in &self.deaths {
            writeln!(f, "dies at passing {} of {}", death.nth, death.point.name())?;
        }
        for act in &self.acts {
            writeln!(f, "before pass {}: {:?}", act.pass, act.kind)?;
        }
        for Takeover { pass, requests } in &self.takeovers {
            writeln!(f, "pass {pass} stands still after {requests} requests")?;
        }
        if let Some(Restore { taken, used }) = self.restore {
            writeln!(f, "backup before pass {taken}, restored before pass {used}")?;
        }
        write!(f, "{} passes under fire", self.passes)
    }
}

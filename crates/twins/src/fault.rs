//! The fault plan: what goes wrong how often, all from one seed.
//!
//! Rates are per mille of requests. At most one fault strikes a request; the rates of faults are
//! laid side by side on one die, so that their sum must not exceed 1000.

use rand::Rng as _;
use rand::SeedableRng;
use rand::rngs::SmallRng;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The generator of the twins.
pub type Rng = SmallRng;

/// A generator from a seed.
pub fn seeded(seed: u64) -> Rng {
    Rng::seed_from_u64(seed)
}

/// What goes wrong, and how often (per mille of requests unless the name says otherwise).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FaultPlan {
    /// The seed of every die.
    pub seed: u64,
    /// The shortest answer time in milliseconds.
    pub latency_ms_min: u32,
    /// The longest ordinary answer time in milliseconds.
    pub latency_ms_max: u32,
    /// Slow answers.
    pub slow: u32,
    /// How long a slow answer takes, in milliseconds.
    pub slow_ms: u32,
    /// 429 with Retry-After, nothing executed.
    pub throttled: u32,
    /// What Retry-After says, in seconds.
    pub throttled_for_s: u32,
    /// 429 without Retry-After, nothing executed.
    pub throttled_without_hint: u32,
    /// 503 before execution.
    pub unavailable: u32,
    /// The connection ends before execution and without an answer.
    pub dropped_before: u32,
    /// 500 or a gateway's 502 after execution.
    pub error_after_commit: u32,
    /// Executed; the answer never comes.
    pub silent_after_commit: u32,
    /// Executed; the connection ends without an answer.
    pub dropped_after_commit: u32,
    /// No answer, and the execution itself happens later.
    pub late_commit: u32,
    /// How much later, in milliseconds.
    pub late_commit_ms: u32,
    /// Executed; the body ends in the middle.
    pub cut_body: u32,
    /// Executed; the body is no JSON although the status says success.
    pub garbage: u32,
    /// A page of rows repeats a row of another page.
    pub page_repeats_row: u32,
    /// A page of rows leaves one out that moved while the pages were read.
    pub page_loses_row: u32,
    /// Before the request, a consultant edits an entry.
    pub consultant_edits: u32,
    /// Before the request, a consultant takes an edit back.
    pub consultant_edits_back: u32,
    /// Before the request, a consultant deletes an entry.
    pub consultant_deletes: u32,
    /// Before the request, a person deletes a draft line.
    pub person_deletes_line: u32,
    /// Before the request, a person changes a draft line.
    pub person_edits_line: u32,
    /// Before the request, a person moves a draft line to another draft.
    pub person_moves_line: u32,
    /// Before the request, a person issues a draft.
    pub person_issues: u32,
    /// Before the request, a person marks an issued document as paid.
    pub person_pays: u32,
    /// Before the request, a person credits an issued document.
    pub person_credits: u32,
}

/// A plan that cannot be followed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the rates of {what} add up to {sum} per mille; at most 1000 are possible")]
pub struct ImpossiblePlan {
    what: &'static str,
    sum: u64,
}

impl Default for FaultPlan {
    fn default() -> Self {
        Self {
            seed: 1,
            latency_ms_min: 0,
            latency_ms_max: 0,
            slow: 0,
            slow_ms: 0,
            throttled: 0,
            throttled_for_s: 1,
            throttled_without_hint: 0,
            unavailable: 0,
            dropped_before: 0,
            error_after_commit: 0,
            silent_after_commit: 0,
            dropped_after_commit: 0,
            late_commit: 0,
            late_commit_ms: 90_000,
            cut_body: 0,
            garbage: 0,
            page_repeats_row: 0,
            page_loses_row: 0,
            consultant_edits: 0,
            consultant_edits_back: 0,
            consultant_deletes: 0,
            person_deletes_line: 0,
            person_edits_line: 0,
            person_moves_line: 0,
            person_issues: 0,
            person_pays: 0,
            person_credits: 0,
        }
    }
}

impl FaultPlan {
    /// The names that [`Self::preset`] knows.
    pub const PRESETS: [&'static str; 3] = ["none", "month_end", "nasty"];

    /// Nothing goes wrong.
    pub fn none(seed: u64) -> Self {
        Self {
            seed,
            ..Self::default()
        }
    }

    /// A busy month end: slow, throttled, now and then an answer lost, some late edits.
    pub fn month_end(seed: u64) -> Self {
        Self {
            seed,
            latency_ms_min: 40,
            latency_ms_max: 400,
            slow: 30,
            slow_ms: 8_000,
            throttled: 20,
            throttled_for_s: 2,
            throttled_without_hint: 5,
            unavailable: 20,
            dropped_before: 5,
            error_after_commit: 15,
            silent_after_commit: 10,
            dropped_after_commit: 10,
            late_commit: 5,
            late_commit_ms: 70_000,
            cut_body: 5,
            page_repeats_row: 10,
            page_loses_row: 10,
            consultant_edits: 10,
            consultant_edits_back: 5,
            consultant_deletes: 5,
            ..Self::default()
        }
    }

    /// Everything, far more often than any real system; people interfere on both sides.
    pub fn nasty(seed: u64) -> Self {
        Self {
            seed,
            latency_ms_min: 1,
            latency_ms_max: 2_000,
            slow: 60,
            slow_ms: 45_000,
            throttled: 60,
            throttled_for_s: 5,
            throttled_without_hint: 30,
            unavailable: 60,
            dropped_before: 30,
            error_after_commit: 60,
            silent_after_commit: 40,
            dropped_after_commit: 40,
            late_commit: 30,
            late_commit_ms: 80_000,
            cut_body: 40,
            page_repeats_row: 40,
            page_loses_row: 40,
            consultant_edits: 40,
            consultant_edits_back: 30,
            consultant_deletes: 15,
            person_deletes_line: 10,
            person_edits_line: 15,
            person_moves_line: 15,
            person_issues: 10,
            person_pays: 5,
            person_credits: 3,
            ..Self::default()
        }
    }

    /// A preset by name.
    pub fn preset(name: &str, seed: u64) -> Option<Self> {
        match name {
            "none" => Some(Self::none(seed)),
            "month_end" => Some(Self::month_end(seed)),
            "nasty" => Some(Self::nasty(seed)),
            _ => None,
        }
    }

    /// The longest a call can go on at a twin after its answer was lost, in milliseconds.
    pub fn longest_call_ms(&self) -> u64 {
        let late = if self.late_commit > 0 {
            self.late_commit_ms
        } else {
            0
        };
        u64::from(late.max(self.latency_ms_max).max(self.slow_ms))
    }

    /// Whether the rates fit on their dice.
    pub fn check(&self) -> Result<(), ImpossiblePlan> {
        let sums = [
            ("faults", self.faults().map(|(rate, _)| rate).to_vec()),
            ("people", self.people().map(|(rate, _)| rate).to_vec()),
        ];
        for (what, rates) in sums {
            let sum: u64 = rates.into_iter().map(u64::from).sum();
            if sum > 1000 {
                return Err(ImpossiblePlan { what, sum });
            }
        }
        Ok(())
    }

    fn faults(&self) -> [(u32, Fault); 12] {
        [
            (self.throttled, Fault::Throttled),
            (self.throttled_without_hint, Fault::ThrottledWithoutHint),
            (self.unavailable, Fault::Unavailable),
            (self.dropped_before, Fault::DroppedBefore),
            (self.error_after_commit, Fault::ErrorAfterCommit),
            (self.silent_after_commit, Fault::SilentAfterCommit),
            (self.dropped_after_commit, Fault::DroppedAfterCommit),
            (self.late_commit, Fault::LateCommit),
            (self.cut_body, Fault::CutBody),
            (self.garbage, Fault::Garbage),
            (self.page_repeats_row, Fault::PageRepeatsRow),
            (self.page_loses_row, Fault::PageLosesRow),
        ]
    }

    fn people(&self) -> [(u32, PersonActs); 9] {
        [
            (self.consultant_edits, PersonActs::EditsEntry),
            (self.consultant_edits_back, PersonActs::EditsEntryBack),
            (self.consultant_deletes, PersonActs::DeletesEntry),
            (self.person_deletes_line, PersonActs::DeletesLine),
            (self.person_edits_line, PersonActs::EditsLine),
            (self.person_moves_line, PersonActs::MovesLine),
            (self.person_issues, PersonActs::Issues),
            (self.person_pays, PersonActs::Pays),
            (self.person_credits, PersonActs::Credits),
        ]
    }

    /// Roll for one request. Always the same number of draws, so that one fault more or less
    /// does not shift all that follow.
    pub fn roll(&self, rng: &mut Rng) -> Roll {
        let fault_die = rng.random_range(0..1000);
        let person_die = rng.random_range(0..1000);
        let slow_die: u32 = rng.random_range(0..1000);
        let span = self.latency_ms_max.saturating_sub(self.latency_ms_min);
        let share: u32 = rng.random_range(0..=1000);
        let pick: u64 = rng.random();
        let ordinary = u64::from(span) * u64::from(share) / 1000 + u64::from(self.latency_ms_min);
        let latency_ms = if slow_die < self.slow {
            u64::from(self.slow_ms)
        } else {
            ordinary
        };
        Roll {
            fault: fallen(&self.faults(), fault_die),
            person: fallen(&self.people(), person_die),
            latency_us: i64::try_from(latency_ms.saturating_mul(1000)).unwrap_or(i64::MAX),
            pick,
        }
    }
}

fn fallen<T: Copy>(table: &[(u32, T)], die: u32) -> Option<T> {
    let mut upper = 0_u32;
    for (rate, what) in table {
        upper = upper.saturating_add(*rate);
        if die < upper {
            return Some(*what);
        }
    }
    None
}

/// A fault of one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// 429 with Retry-After.
    Throttled,
    /// 429 without Retry-After.
    ThrottledWithoutHint,
    /// 503, not executed.
    Unavailable,
    /// No answer, not executed.
    DroppedBefore,
    /// Executed, then 500 or 502.
    ErrorAfterCommit,
    /// Executed, the answer never comes.
    SilentAfterCommit,
    /// Executed, the connection ends.
    DroppedAfterCommit,
    /// The answer never comes, executed later.
    LateCommit,
    /// Executed, half a body.
    CutBody,
    /// Executed, a body that is no JSON.
    Garbage,
    /// A row of another page is repeated.
    PageRepeatsRow,
    /// A row is left out.
    PageLosesRow,
}

impl Fault {
    /// Every fault.
    pub const ALL: [Self; 12] = [
        Self::Throttled,
        Self::ThrottledWithoutHint,
        Self::Unavailable,
        Self::DroppedBefore,
        Self::ErrorAfterCommit,
        Self::SilentAfterCommit,
        Self::DroppedAfterCommit,
        Self::LateCommit,
        Self::CutBody,
        Self::Garbage,
        Self::PageRepeatsRow,
        Self::PageLosesRow,
    ];

    /// Its name in reports: that of its rate in a plan.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Throttled => "throttled",
            Self::ThrottledWithoutHint => "throttled_without_hint",
            Self::Unavailable => "unavailable",
            Self::DroppedBefore => "dropped_before",
            Self::ErrorAfterCommit => "error_after_commit",
            Self::SilentAfterCommit => "silent_after_commit",
            Self::DroppedAfterCommit => "dropped_after_commit",
            Self::LateCommit => "late_commit",
            Self::CutBody => "cut_body",
            Self::Garbage => "garbage",
            Self::PageRepeatsRow => "page_repeats_row",
            Self::PageLosesRow => "page_loses_row",
        }
    }
}

/// What somebody does beside the product.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PersonActs {
    /// A consultant edits an entry.
    EditsEntry,
    /// A consultant takes an edit back.
    EditsEntryBack,
    /// A consultant deletes an entry.
    DeletesEntry,
    /// A person deletes a draft line.
    DeletesLine,
    /// A person changes a draft line.
    EditsLine,
    /// A person moves a draft line.
    MovesLine,
    /// A person issues a draft.
    Issues,
    /// A person marks a document as paid.
    Pays,
    /// A person credits a document.
    Credits,
}

/// The dice of one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Roll {
    /// The fault, if one struck.
    pub fault: Option<Fault>,
    /// What a person does first, if anything.
    pub person: Option<PersonActs>,
    /// How long the answer takes, in microseconds.
    pub latency_us: i64,
    /// A number to choose among things by.
    pub pick: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn presets_are_possible_and_survive_json() {
        for name in FaultPlan::PRESETS {
            let plan = FaultPlan::preset(name, 7).unwrap();
            plan.check().unwrap();
            let text = serde_json::to_string(&plan).unwrap();
            assert_eq!(serde_json::from_str::<FaultPlan>(&text).unwrap(), plan);
        }
        assert_eq!(FaultPlan::preset("kind", 7), None);
        let mut plan = FaultPlan::none(1);
        plan.throttled = 600;
        plan.unavailable = 401;
        assert!(plan.check().is_err());
    }

    #[test]
    fn the_same_seed_rolls_the_same() {
        let plan = FaultPlan::nasty(3);
        let rolls = |seed| {
            let mut rng = seeded(seed);
            (0..200).map(|_| plan.roll(&mut rng)).collect::<Vec<_>>()
        };
        assert_eq!(rolls(3), rolls(3));
        assert_ne!(rolls(3), rolls(4));
        assert!(rolls(3).iter().any(|roll| roll.fault.is_some()));
        let none = FaultPlan::none(3);
        let mut rng = seeded(3);
        assert!((0..200).all(|_| none.roll(&mut rng).fault.is_none()));
    }
}

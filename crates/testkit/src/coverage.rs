//! What the runs have been through, as counts, and what is missing from it.

use crate::acts::Kind;
use crate::expected::{faults, why_unreached};
use crate::moves::Move;
use domain::posting::POSTING_TRANSITIONS;
use pipeline::crash::CrashPoint;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// The systems that faults strike.
const SYSTEMS: [&str; 2] = ["tracker", "ERP"];

/// Counts over many runs.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Coverage {
    passed: BTreeMap<CrashPoint, u64>,
    died: BTreeMap<CrashPoint, u64>,
    /// Fault and step, with how often.
    faults: BTreeMap<(&'static str, String), u64>,
    /// By the number of the move in the list of transitions.
    moves: BTreeMap<usize, u64>,
    acts: BTreeMap<&'static str, u64>,
    exceptions: BTreeMap<String, u64>,
    restores: u64,
    takeovers: u64,
}

fn add<K: Ord>(to: &mut BTreeMap<K, u64>, key: K, count: u64) {
    *to.entry(key).or_default() += count;
}

fn add_all<K: Ord>(to: &mut BTreeMap<K, u64>, from: BTreeMap<K, u64>) {
    for (key, count) in from {
        add(to, key, count);
    }
}

fn of<K: Ord>(counts: &BTreeMap<K, u64>, key: &K) -> u64 {
    counts.get(key).copied().unwrap_or(0)
}

impl Coverage {
    /// A crash point was passed.
    pub fn passed(&mut self, point: CrashPoint, count: u64) {
        add(&mut self.passed, point, count);
    }

    /// The process died there.
    pub fn died(&mut self, point: CrashPoint, count: u64) {
        add(&mut self.died, point, count);
    }

    /// A fault struck a step.
    pub fn fault(&mut self, fault: &'static str, step: &str, count: u64) {
        add(&mut self.faults, (fault, step.to_owned()), count);
    }

    /// A posting moved.
    pub fn moved(&mut self, one: Move, count: u64) {
        if let Some(number) = POSTING_TRANSITIONS.iter().position(|known| *known == one) {
            add(&mut self.moves, number, count);
        }
    }

    /// Somebody did something.
    pub fn act(&mut self, act: &'static str) {
        add(&mut self.acts, act, 1);
    }

    /// The ledger was restored from a backup.
    pub fn restored(&mut self) {
        self.restores += 1;
    }

    /// A node was stopped in the middle of a pass, and another went on.
    pub fn taken_over(&mut self) {
        self.takeovers += 1;
    }

    /// An exception was open at the end.
    pub fn exception(&mut self, code: &str, count: u64) {
        add(&mut self.exceptions, code.to_owned(), count);
    }

    /// Add another run's.
    pub fn merge(&mut self, other: Self) {
        add_all(&mut self.passed, other.passed);
        add_all(&mut self.died, other.died);
        add_all(&mut self.faults, other.faults);
        add_all(&mut self.moves, other.moves);
        add_all(&mut self.acts, other.acts);
        add_all(&mut self.exceptions, other.exceptions);
        self.restores += other.restores;
        self.takeovers += other.takeovers;
    }

    fn struck(&self, fault: &str, system: &str) -> u64 {
        self.faults
            .iter()
            .filter(|((name, step), _)| *name == fault && step.starts_with(system))
            .map(|(_, count)| *count)
            .sum()
    }

    /// Everything that has to happen and did not, and what is said to be impossible and happened.
    pub fn gaps(&self) -> Vec<String> {
        let mut gaps = Vec::new();
        for point in CrashPoint::ALL {
            if of(&self.died, point) == 0 {
                gaps.push(format!("nobody died at {}", point.name()));
            }
        }
        for (number, (from, event, to)) in POSTING_TRANSITIONS.iter().enumerate() {
            let seen = of(&self.moves, &number) > 0;
            match why_unreached(*from, *event) {
                None if !seen => gaps.push(format!("no posting went {from} {event:?} {to}")),
                Some(why) if seen => gaps.push(format!(
                    "a posting went {from} {event:?} {to}, which is listed as impossible: {why}"
                )),
                _ => {}
            }
        }
        for fault in faults() {
            for system in SYSTEMS {
                if self.struck(fault, system) == 0 {
                    gaps.push(format!("{fault} never struck the {system}"));
                }
            }
        }
        for kind in Kind::ALL.iter().chain(Kind::EXTRA) {
            if of(&self.acts, &kind.name()) == 0 {
                gaps.push(format!("nobody did: {}", kind.name()));
            }
        }
        if self.takeovers == 0 {
            gaps.push("no node was taken over from".to_owned());
        }
        if self.restores == 0 {
            gaps.push("no ledger was restored".to_owned());
        }
        gaps
    }

    /// The whole report.
    pub fn report(&self) -> String {
        let mut text = String::new();
        let mut line = |words: String| {
            let _never_fails = writeln!(text, "{words}");
        };
        line("crash points (passed, died):".to_owned());
        for point in CrashPoint::ALL {
            let (passed, died) = (of(&self.passed, point), of(&self.died, point));
            line(format!("  {:<18} {passed:>9} {died:>6}", point.name()));
        }
        line("moves of postings:".to_owned());
        for (number, (from, event, to)) in POSTING_TRANSITIONS.iter().enumerate() {
            let why = why_unreached(*from, *event).map_or_else(String::new, |w| format!("  {w}"));
            let (from, event, to) = (from.name(), format!("{event:?}"), to.name());
            let count = of(&self.moves, &number);
            line(format!("  {from:<10} {event:<13} {to:<10} {count:>9}{why}"));
        }
        line("faults by step:".to_owned());
        for fault in faults() {
            let steps: Vec<String> = self
                .faults
                .iter()
                .filter(|((name, _), _)| *name == fault)
                .map(|((_, step), count)| format!("{step} {count}"))
                .collect();
            line(format!("  {fault}: {}", steps.join(", ")));
        }
        let acts: Vec<String> = self.acts.iter().map(|(a, n)| format!("{a} {n}")).collect();
        line(format!("people: {}", acts.join(", ")));
        line(format!("restores: {}", self.restores));
        line(format!("nodes taken over from: {}", self.takeovers));
        let open = self.exceptions.iter().map(|(c, n)| format!("{c} {n}"));
        let open: Vec<String> = open.collect();
        line(format!("open exceptions: {}", open.join(", ")));
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::posting::{PostingEvent, PostingState};

    #[test]
    fn a_gap_is_named_until_it_is_filled_and_a_wrong_excuse_is_named_too() {
        let mut coverage = Coverage::default();
        let claim = (
            PostingState::Ready,
            PostingEvent::Claim,
            PostingState::Sending,
        );
        let gap = "no posting went ready Claim sending".to_owned();
        assert!(coverage.gaps().contains(&gap));
        coverage.moved(claim, 1);
        assert!(!coverage.gaps().contains(&gap));
        let hold = (PostingState::Ready, PostingEvent::Hold, PostingState::Held);
        coverage.moved(hold, 1);
        assert!(coverage.gaps().iter().any(|gap| gap.contains("impossible")));
        coverage.fault("throttled", "ERP GET lines", 1);
        assert!(
            !coverage
                .gaps()
                .contains(&"throttled never struck the ERP".to_owned())
        );
    }
}

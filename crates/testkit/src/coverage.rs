//! What the runs have been through.

use domain::posting::{POSTING_TRANSITIONS, PostingState};
use pipeline::crash::CrashPoint;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

/// Counts over many runs.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Coverage {
    passed: BTreeMap<CrashPoint, u64>,
    died: BTreeMap<CrashPoint, u64>,
    /// Fault and step, with how often.
    faults: BTreeMap<(&'static str, String), u64>,
    /// Names of the states before and after.
    moves: BTreeMap<(&'static str, &'static str), u64>,
    acts: BTreeMap<&'static str, u64>,
    exceptions: BTreeMap<String, u64>,
}

fn add<K: Ord>(to: &mut BTreeMap<K, u64>, key: K, count: u64) {
    *to.entry(key).or_default() += count;
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
    pub fn moved(&mut self, from: PostingState, to: PostingState) {
        add(&mut self.moves, (from.name(), to.name()), 1);
    }

    /// Somebody did something.
    pub fn act(&mut self, act: &'static str) {
        add(&mut self.acts, act, 1);
    }

    /// An exception was open at the end.
    pub fn exception(&mut self, code: &str, count: u64) {
        add(&mut self.exceptions, code.to_owned(), count);
    }

    /// Add another run's.
    pub fn merge(&mut self, other: Self) {
        for (key, count) in other.passed {
            add(&mut self.passed, key, count);
        }
        for (key, count) in other.died {
            add(&mut self.died, key, count);
        }
        for (key, count) in other.faults {
            add(&mut self.faults, key, count);
        }
        for (key, count) in other.moves {
            add(&mut self.moves, key, count);
        }
        for (key, count) in other.acts {
            add(&mut self.acts, key, count);
        }
        for (key, count) in other.exceptions {
            add(&mut self.exceptions, key, count);
        }
    }

    /// Crash points at which nobody died.
    pub fn points_missed(&self) -> Vec<&'static str> {
        let missed = |point: &&CrashPoint| !self.died.contains_key(point);
        CrashPoint::ALL
            .iter()
            .filter(missed)
            .map(|point| point.name())
            .collect()
    }

    /// Moves of postings that were never seen, as far as they can be seen from outside a
    /// transaction.
    pub fn moves_missed(&self) -> Vec<String> {
        let mut missed = BTreeSet::new();
        for (from, _, to) in POSTING_TRANSITIONS {
            if !self.moves.contains_key(&(from.name(), to.name())) {
                missed.insert(format!("{from}->{to}"));
            }
        }
        missed.into_iter().collect()
    }

    /// The whole report.
    pub fn report(&self) -> String {
        let mut text = String::new();
        let mut line = |words: String| {
            let _never_fails = writeln!(text, "{words}");
        };
        line("crash points (passed, died):".to_owned());
        for point in CrashPoint::ALL {
            let count = |of: &BTreeMap<CrashPoint, u64>| of.get(point).copied().unwrap_or(0);
            line(format!(
                "  {:<18} {:>9} {:>6}",
                point.name(),
                count(&self.passed),
                count(&self.died)
            ));
        }
        line("faults by step:".to_owned());
        let mut by_fault: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        for ((fault, step), count) in &self.faults {
            by_fault
                .entry(fault)
                .or_default()
                .push(format!("{step} {count}"));
        }
        for (fault, steps) in by_fault {
            line(format!("  {fault}: {}", steps.join(", ")));
        }
        let counted = |of: &BTreeMap<&str, u64>| {
            let words: Vec<String> = of
                .iter()
                .map(|(name, count)| format!("{name} {count}"))
                .collect();
            words.join(", ")
        };
        line(format!("people: {}", counted(&self.acts)));
        let open: Vec<String> = self
            .exceptions
            .iter()
            .map(|(c, n)| format!("{c} {n}"))
            .collect();
        line(format!("open exceptions: {}", open.join(", ")));
        let moves: Vec<String> = self
            .moves
            .iter()
            .map(|((a, b), n)| format!("{a}->{b} {n}"))
            .collect();
        line(format!("posting moves: {}", moves.join(", ")));
        line(format!(
            "posting moves not seen: {}",
            self.moves_missed().join(", ")
        ));
        line(format!(
            "crash points without a death: {}",
            self.points_missed().join(", ")
        ));
        text
    }
}

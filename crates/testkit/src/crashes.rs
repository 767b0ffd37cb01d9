//! Processes that die at chosen points: an error that nobody handles, after which the world drops
//! the session and a new one joins the same ledger.

use crate::coverage::Coverage;
use pipeline::crash::{CrashPoint, Crashed, Crashes};
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// So many passings in one run mean that it does not come to an end.
const PASSINGS_MAX: u64 = 100_000;

/// Where a process dies: at the n-th passing of a point, counted from 1 since the last death.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Death {
    /// The point.
    pub point: CrashPoint,
    /// Which passing.
    pub nth: u64,
}

#[derive(Debug, Default)]
struct Inner {
    deaths: Vec<Death>,
    since: BTreeMap<CrashPoint, u64>,
    passed: BTreeMap<CrashPoint, u64>,
    died: BTreeMap<CrashPoint, u64>,
    all: u64,
}

/// The deaths of a run, each once.
#[derive(Debug, Default)]
pub struct Deaths(Mutex<Inner>);

impl Deaths {
    /// The deaths to come.
    pub fn new(deaths: Vec<Death>) -> Self {
        let inner = Inner {
            deaths,
            ..Inner::default()
        };
        Self(Mutex::new(inner))
    }

    /// Nobody dies any more.
    pub fn stop(&self) {
        let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        inner.deaths.clear();
    }

    /// What was passed and where the process died.
    pub fn tell(&self, coverage: &mut Coverage) {
        let inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for (point, count) in &inner.passed {
            coverage.passed(*point, *count);
        }
        for (point, count) in &inner.died {
            coverage.died(*point, *count);
        }
    }
}

impl Crashes for Deaths {
    fn pass(&self, point: CrashPoint) -> Result<(), Crashed> {
        let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        inner.all += 1;
        assert!(
            inner.all < PASSINGS_MAX,
            "the run works without coming to an end"
        );
        *inner.passed.entry(point).or_default() += 1;
        let since = inner.since.entry(point).or_default();
        *since += 1;
        let now = Death { point, nth: *since };
        let Some(at) = inner.deaths.iter().position(|death| *death == now) else {
            return Ok(());
        };
        inner.deaths.remove(at);
        inner.since.clear();
        *inner.died.entry(point).or_default() += 1;
        Err(Crashed(point))
    }
}

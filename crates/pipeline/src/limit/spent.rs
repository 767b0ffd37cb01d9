//! What was spent in a window that slides: calls that lie close together are one run, so that the
//! state stays small however many calls the window allows.
//!
//! The account counts a call when it arrives, which is some time between its permit and its reply: a
//! run leaves the window with the last reply to it. No window ever holds more than is allowed; a call
//! is let go of late by the time it took, and by 1 part in [`RUNS`] of the window at most.

use serde::{Deserialize, Serialize};

/// Into so many parts a window is counted.
const RUNS: i64 = 256;
/// So few calls are kept each by itself.
const EACH_MAX: u64 = 256;

/// Calls that lie close together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Run {
    /// The first of them (microseconds).
    #[serde(rename = "f")]
    first_us: i64,
    /// When the last of them was there at the latest, as far as is known.
    #[serde(rename = "l")]
    last_us: i64,
    /// How many.
    #[serde(rename = "n")]
    calls: u64,
    /// The last permit of the run.
    #[serde(rename = "p")]
    permit: u64,
}

/// The calls in a window, oldest first.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Spent(Vec<Run>);

impl Spent {
    /// How many are counted.
    pub(super) fn calls(&self) -> u64 {
        self.0.iter().map(|run| run.calls).sum()
    }

    /// Count calls that go out now, under permits up to this one, of so many in a window. A clock that
    /// was set back counts as if it stood still.
    pub(super) fn add(&mut self, now_us: i64, of: (u64, i64), calls: u64, permit: u64) {
        let (most, window_us) = of;
        let close_us = if most > EACH_MAX {
            window_us / RUNS
        } else {
            -1
        };
        let now_us = self.0.last().map_or(now_us, |run| now_us.max(run.first_us));
        if let Some(run) = self.0.last_mut()
            && now_us.saturating_sub(run.first_us) <= close_us
        {
            run.last_us = run.last_us.max(now_us);
            run.calls = run.calls.saturating_add(calls);
            run.permit = permit;
            return;
        }
        self.0.push(Run {
            first_us: now_us,
            last_us: now_us,
            calls,
            permit,
        });
    }

    /// The call of a permit was there by this instant.
    pub(super) fn land(&mut self, permit: u64, by_us: i64) {
        if let Some(run) = self.0.iter_mut().find(|run| run.permit >= permit) {
            run.last_us = run.last_us.max(by_us);
        }
    }

    /// Let go of what has left the window.
    pub(super) fn forget(&mut self, now_us: i64, window_us: i64) {
        self.0
            .retain(|run| run.last_us.saturating_add(window_us) > now_us);
    }

    /// When there is room for one more of so many, if there is none now.
    pub(super) fn full_until_us(&self, most: u64, window_us: i64) -> Option<i64> {
        let mut over = (self.calls() + 1).checked_sub(most)?;
        let mut runs: Vec<&Run> = self.0.iter().collect();
        runs.sort_by_key(|run| run.last_us);
        for run in runs {
            if over == 0 {
                return None;
            }
            if run.calls >= over {
                return Some(run.last_us.saturating_add(window_us));
            }
            over -= run.calls;
        }
        None
    }
}

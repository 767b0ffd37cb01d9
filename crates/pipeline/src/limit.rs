//! Permits of a limit domain (one ERP account): pure state, kept in the ledger, so that a restart
//! does not forget a quota that is already spent.

use connector_sdk::manifest::Limit;
use serde::{Deserialize, Serialize};

/// The permits spent lately, and a pause the other side asked for.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct LimitState {
    /// When permits were taken (microseconds), oldest first; kept for the longest window.
    pub taken_at_us: Vec<i64>,
    /// Nothing goes out before this instant.
    pub paused_until_us: i64,
}

/// Whether a call may go out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Permit {
    /// Yes; it is taken.
    Granted,
    /// Not before this instant (microseconds).
    NotBefore(i64),
}

fn window_us(window_ms: u64) -> i64 {
    i64::try_from(window_ms)
        .unwrap_or(i64::MAX / 1000)
        .saturating_mul(1000)
}

impl LimitState {
    /// Take a permit if every window has room.
    ///
    /// Windows slide: at no instant have more than the allowed calls been started in the window
    /// before it, so it does not matter when the other side's own windows begin.
    pub fn take(&mut self, limits: &[Limit], now_us: i64) -> Permit {
        let longest_us = limits
            .iter()
            .map(|limit| match limit {
                Limit::Window { window_ms, .. } => window_us(*window_ms),
                Limit::Concurrency { .. } => 0,
            })
            .max()
            .unwrap_or(0);
        self.taken_at_us
            .retain(|at| at.saturating_add(longest_us) > now_us);
        let mut not_before_us = self.paused_until_us;
        for limit in limits {
            let Limit::Window {
                requests,
                window_ms,
            } = limit
            else {
                continue;
            };
            let window_us = window_us(*window_ms);
            let room = usize::try_from(*requests).unwrap_or(usize::MAX);
            let spent = self
                .taken_at_us
                .iter()
                .filter(|at| at.saturating_add(window_us) > now_us);
            let spent: Vec<i64> = spent.copied().collect();
            if spent.len() >= room {
                // The call that has to leave the window before there is room again.
                let leaving = spent.len().saturating_sub(room);
                let frees_us = spent
                    .get(leaving)
                    .map_or(now_us, |at| at.saturating_add(window_us));
                not_before_us = not_before_us.max(frees_us);
            }
        }
        if not_before_us > now_us {
            return Permit::NotBefore(not_before_us);
        }
        if longest_us > 0 {
            self.taken_at_us.push(now_us);
        }
        Permit::Granted
    }

    /// The other side asked for a pause.
    pub fn pause(&mut self, until_us: i64) {
        self.paused_until_us = self.paused_until_us.max(until_us);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: &[Limit] = &[Limit::Window {
        requests: 3,
        window_ms: 1000,
    }];

    #[test]
    fn no_window_of_that_length_ever_holds_more() {
        let mut state = LimitState::default();
        let mut granted = Vec::new();
        for now_us in (0..10_000_000).step_by(37_000) {
            if state.take(LIMITS, now_us) == Permit::Granted {
                granted.push(now_us);
            }
        }
        for (index, start) in granted.iter().enumerate() {
            let inside = granted[index..]
                .iter()
                .filter(|at| **at < start + 1_000_000)
                .count();
            assert!(inside <= 3, "{inside} calls in the second after {start}");
        }
        assert!(granted.len() >= 27, "the quota is used: {}", granted.len());
    }

    #[test]
    fn says_when_there_is_room_again() {
        let mut state = LimitState::default();
        for now_us in [0, 100, 200] {
            assert_eq!(state.take(LIMITS, now_us), Permit::Granted);
        }
        assert_eq!(state.take(LIMITS, 300), Permit::NotBefore(1_000_000));
        assert_eq!(state.take(LIMITS, 1_000_000), Permit::Granted);
        state.pause(5_000_000);
        assert_eq!(state.take(LIMITS, 2_000_000), Permit::NotBefore(5_000_000));
    }

    #[test]
    fn a_restart_remembers() {
        let mut state = LimitState::default();
        for _ in 0..3 {
            state.take(LIMITS, 0);
        }
        let text = serde_json::to_string(&state).unwrap();
        let mut again: LimitState = serde_json::from_str(&text).unwrap();
        assert_eq!(again.take(LIMITS, 1), Permit::NotBefore(1_000_000));
    }
}

//! Windows that follow each other: by the clock of the account, by its days or by its months.

use super::us;
use connector_sdk::manifest::Limit;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

/// One window and what was spent in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Turn {
    /// When it begins (microseconds).
    #[serde(rename = "b")]
    begins_us: i64,
    #[serde(rename = "n")]
    calls: u64,
}

/// The window there is, and the one that comes if a call near its end may count in both.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Turns(Vec<Turn>);

/// When the day of an instant begins, and when the next one does; in a zone.
fn day_us(zone: &str, now_us: i64, month: bool) -> Option<(i64, i64)> {
    let zone = TimeZone::get(zone).ok()?;
    let day = Timestamp::from_microsecond(now_us)
        .ok()?
        .to_zoned(zone.clone())
        .date();
    let (first, next) = if month {
        let last = day.last_of_month();
        (day.first_of_month(), last.tomorrow().ok()?)
    } else {
        (day, day.tomorrow().ok()?)
    };
    let begins = |day: jiff::civil::Date| {
        let zoned = day.to_zoned(zone.clone()).ok()?;
        Some(zoned.timestamp().as_microsecond())
    };
    Some((begins(first)?, begins(next)?))
}

/// The window of an instant: its beginning and its end.
fn turn_us(limit: &Limit, now_us: i64) -> (i64, i64) {
    let found = match limit {
        Limit::FixedWindow { window_ms, .. } => {
            let window_us = us(*window_ms).max(1);
            let begins_us = now_us.div_euclid(window_us).saturating_mul(window_us);
            Some((begins_us, begins_us.saturating_add(window_us)))
        }
        Limit::Day { zone, .. } => day_us(zone, now_us, false),
        Limit::Month { zone, .. } => day_us(zone, now_us, true),
        Limit::Window { .. } | Limit::Concurrency { .. } | Limit::Errors { .. } => None,
    };
    // A zone that nobody knows was refused when the configuration was read.
    found.unwrap_or((i64::MIN, i64::MAX))
}

/// How far our clock and the account's may be apart.
fn apart_us(limit: &Limit) -> i64 {
    match limit {
        Limit::FixedWindow { apart_ms, .. } => us(*apart_ms),
        Limit::Day { .. } | Limit::Month { .. } => 1_000_000,
        Limit::Window { .. } | Limit::Concurrency { .. } | Limit::Errors { .. } => 0,
    }
}

/// When the window of an instant has surely ended.
pub(super) fn next_us(limit: &Limit, now_us: i64) -> i64 {
    let (_, ends_us) = turn_us(limit, now_us);
    ends_us.saturating_add(apart_us(limit))
}

impl Turns {
    /// The windows that a call may fall into by the account's clock.
    fn windows(limit: &Limit, now_us: i64) -> [i64; 2] {
        let apart_us = apart_us(limit);
        [
            turn_us(limit, now_us.saturating_sub(apart_us)).0,
            turn_us(limit, now_us.saturating_add(apart_us)).0,
        ]
    }

    pub(super) fn calls(&self, limit: &Limit, now_us: i64) -> u64 {
        let windows = Self::windows(limit, now_us);
        let here = self
            .0
            .iter()
            .filter(|turn| windows.contains(&turn.begins_us));
        here.map(|turn| turn.calls).max().unwrap_or(0)
    }

    pub(super) fn add(&mut self, limit: &Limit, now_us: i64) {
        let [early_us, late_us] = Self::windows(limit, now_us);
        self.count(early_us);
        if late_us != early_us {
            self.count(late_us);
        }
    }

    fn count(&mut self, begins_us: i64) {
        if let Some(turn) = self.0.iter_mut().find(|turn| turn.begins_us == begins_us) {
            turn.calls = turn.calls.saturating_add(1);
        } else {
            self.0.push(Turn {
                begins_us,
                calls: 1,
            });
        }
    }

    pub(super) fn forget(&mut self, limit: &Limit, now_us: i64) {
        let [early_us, _] = Self::windows(limit, now_us);
        self.0.retain(|turn| turn.begins_us >= early_us);
    }

    pub(super) fn full_until_us(&self, limit: &Limit, now_us: i64) -> Option<i64> {
        let most = limit.most();
        let windows = Self::windows(limit, now_us);
        let full = self
            .0
            .iter()
            .filter(|turn| windows.contains(&turn.begins_us) && turn.calls >= most);
        // Later than the end of the last full window by both clocks.
        full.map(|turn| {
            next_us(
                limit,
                turn.begins_us.max(now_us.saturating_sub(apart_us(limit))),
            )
        })
        .max()
    }
}

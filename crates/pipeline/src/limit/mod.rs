//! Permits of a limit domain (one account at a system): pure state, kept in the ledger, so that a
//! restart does not forget a quota that is already spent.
//!
//! Several limits hold at once, each with a meter of its own. A permit is taken before a request
//! leaves and counts whatever becomes of the request: what a crash left open was perhaps sent.

mod calendar;
mod slots;
mod spent;
#[cfg(test)]
mod tests;
pub mod told;

use calendar::Turns;
use connector_sdk::manifest::Limit;
use serde::{Deserialize, Serialize};
use slots::Slots;
use spent::Spent;
use std::collections::BTreeMap;
use told::Told;

/// The wait after an account says that its quota is used up and does not say until when.
const USED_UP_US: i64 = 3_600_000_000;

/// The most permits that are remembered as under way; no connector has more at once.
const UNDER_WAY_MAX: usize = 64;

/// What one limit has counted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Meter {
    /// In a window that slides.
    Spent(Spent),
    /// In windows, days or months that follow each other.
    Turns(Turns),
    /// At one time.
    Slots(Slots),
}

/// The permits spent lately, and a pause the other side asked for.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct LimitState {
    /// By the limit's measure, without its number: another number is the same meter.
    #[serde(default)]
    meters: BTreeMap<String, Meter>,
    /// The number of the last permit.
    #[serde(default)]
    permits: u64,
    /// Permits whose calls were not told of as answered.
    #[serde(default)]
    under_way: Vec<u64>,
    /// Nothing goes out before this instant.
    pub paused_until_us: i64,
}

/// Whether a call may go out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Permit {
    /// Yes; it is taken, under this number.
    Granted(u64),
    /// Not before this instant (microseconds).
    NotBefore(i64),
}

/// How much of one limit is used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Used {
    /// The limit in words.
    pub limit: String,
    /// How much is used now.
    pub used: u64,
    /// The most.
    pub most: u64,
}

fn us(ms: u64) -> i64 {
    i64::try_from(ms)
        .unwrap_or(i64::MAX / 1000)
        .saturating_mul(1000)
}

/// What a limit is measured in.
fn measure(limit: &Limit) -> String {
    match limit {
        Limit::Window { window_ms, .. } => format!("window {window_ms}"),
        Limit::FixedWindow { window_ms, .. } => format!("fixed window {window_ms}"),
        Limit::Concurrency { .. } => "at one time".to_owned(),
        Limit::Day { zone, .. } => format!("day {zone}"),
        Limit::Month { zone, .. } => format!("month {zone}"),
        Limit::Errors { window_ms, .. } => format!("errors {window_ms}"),
    }
}

/// Whether permits have to be given back, because it counts how many are out.
pub(crate) fn counts_those_out(limits: &[Limit]) -> bool {
    let counts = |limit: &Limit| matches!(limit, Limit::Concurrency { .. } | Limit::Errors { .. });
    limits.iter().any(counts)
}

impl LimitState {
    /// Take a permit if every limit has room. `call_ms` is the longest that the call can be under
    /// way: as long its place counts as taken if nobody gives it back.
    pub fn take(&mut self, limits: &[Limit], now_us: i64, call_ms: u64) -> Permit {
        self.forget(limits, now_us);
        let mut not_before_us = self.paused_until_us;
        for limit in limits {
            if let Some(frees_us) = self.full_until_us(limit, now_us) {
                not_before_us = not_before_us.max(frees_us);
            }
        }
        if not_before_us > now_us {
            return Permit::NotBefore(not_before_us);
        }
        self.permits += 1;
        let permit = self.permits;
        if counts_those_out(limits) {
            self.slots()
                .take(permit, now_us.saturating_add(us(call_ms)));
        }
        let mut is_timed = false;
        for limit in limits {
            match limit {
                Limit::Window { window_ms, .. } => {
                    let of = (limit.most(), us(*window_ms));
                    self.spent(limit).add(now_us, of, 1, permit);
                    is_timed = true;
                }
                Limit::FixedWindow { .. } | Limit::Day { .. } | Limit::Month { .. } => {
                    self.turns(limit).add(limit, now_us);
                }
                Limit::Concurrency { .. } | Limit::Errors { .. } => {}
            }
        }
        if is_timed {
            self.under_way.push(permit);
            let old = self.under_way.len().saturating_sub(UNDER_WAY_MAX);
            self.under_way.drain(..old);
        }
        Permit::Granted(permit)
    }

    /// Whether there is room, without taking any.
    pub fn room(&self, limits: &[Limit], now_us: i64) -> Permit {
        self.clone().take(limits, now_us, 0)
    }

    /// A call has ended. What counts errors hears whether it was one.
    pub fn give_back(&mut self, limits: &[Limit], permit: u64, failed: bool, now_us: i64) {
        if counts_those_out(limits) {
            self.slots().give_back(permit);
        }
        for limit in limits {
            if let (Limit::Errors { window_ms, .. }, true) = (limit, failed) {
                let of = (limit.most(), us(*window_ms));
                self.spent(limit).add(now_us, of, 1, permit);
            }
        }
    }

    /// The calls of these permits were answered, or given up, at these instants: the account has
    /// counted them by then.
    pub fn land(&mut self, limits: &[Limit], landed: &[(u64, i64)]) {
        self.under_way
            .retain(|permit| landed.iter().all(|(one, _)| one != permit));
        for limit in limits {
            if matches!(limit, Limit::Window { .. }) {
                for (permit, by_us) in landed {
                    self.spent(limit).land(*permit, *by_us);
                }
            }
        }
    }

    /// Nobody knows any more when the calls under way were answered: whoever made them is gone, or has
    /// ended its turn.
    pub fn begin_anew(&mut self, limits: &[Limit], now_us: i64) {
        let landed: Vec<(u64, i64)> = self.under_way.iter().map(|p| (*p, now_us)).collect();
        self.land(limits, &landed);
    }

    /// The other side asked for a pause.
    pub fn pause(&mut self, until_us: i64) {
        self.paused_until_us = self.paused_until_us.max(until_us);
    }

    /// The account says that its quota is used up: until its day or month ends, as far as that is
    /// known.
    pub fn used_up(&mut self, limits: &[Limit], now_us: i64) {
        let ends = limits.iter().filter_map(|limit| match limit {
            Limit::Day { .. } | Limit::Month { .. } => Some(calendar::next_us(limit, now_us)),
            _ => None,
        });
        let until_us = ends.min().unwrap_or(now_us.saturating_add(USED_UP_US));
        self.pause(until_us);
    }

    /// What the account says about what is left. Less than we think is believed: others spend of
    /// the same quota. More is not, since what is under way may not be counted there yet.
    pub fn hear(&mut self, limits: &[Limit], told: Told, now_us: i64) {
        self.forget(limits, now_us);
        let shortest = limits.iter().filter_map(|limit| match limit {
            Limit::Window {
                requests,
                window_ms,
            } => Some((*window_ms, *requests, limit)),
            _ => None,
        });
        let Some((window_ms, requests, limit)) = shortest.min_by_key(|(ms, ..)| *ms) else {
            if told.remaining == 0 {
                self.pause(told.resets_us.unwrap_or(now_us));
            }
            return;
        };
        let permits = self.permits;
        let spent = self.spent(limit);
        let left = u64::from(requests).saturating_sub(spent.calls());
        let others = left.saturating_sub(told.remaining);
        if others > 0 {
            spent.add(
                now_us,
                (u64::from(requests), us(window_ms)),
                others,
                permits,
            );
        }
        if let (0, Some(resets_us)) = (told.remaining, told.resets_us) {
            self.pause(resets_us.min(now_us.saturating_add(us(window_ms))));
        }
    }

    /// What is used of each limit.
    pub fn used(&self, limits: &[Limit], now_us: i64) -> Vec<Used> {
        let mut now = self.clone();
        now.forget(limits, now_us);
        let used = |limit: &Limit| {
            let used = match limit {
                Limit::Concurrency { .. } => now.clone().slots().out(),
                Limit::Window { .. } | Limit::Errors { .. } => now.clone().spent(limit).calls(),
                Limit::FixedWindow { .. } | Limit::Day { .. } | Limit::Month { .. } => {
                    now.clone().turns(limit).calls(limit, now_us)
                }
            };
            Used {
                limit: measure(limit),
                used,
                most: limit.most(),
            }
        };
        limits.iter().map(used).collect()
    }

    /// Until when a limit leaves no room.
    fn full_until_us(&mut self, limit: &Limit, now_us: i64) -> Option<i64> {
        match limit {
            Limit::Window {
                requests,
                window_ms,
            } => self
                .spent(limit)
                .full_until_us(u64::from(*requests), us(*window_ms)),
            Limit::Errors { errors, window_ms } => {
                // Each call that is out may come to be one.
                let room = u64::from(*errors).saturating_sub(self.slots().out());
                let frees_us = self.spent(limit).full_until_us(room, us(*window_ms));
                let full = frees_us.or_else(|| (room == 0).then(|| self.slots().frees_us(1)));
                full.map(|at_us| at_us.max(now_us.saturating_add(1)))
            }
            Limit::Concurrency { requests } => {
                let most = u64::from(*requests);
                let slots = self.slots();
                (slots.out() >= most)
                    .then(|| slots.frees_us(slots.out().saturating_sub(most) + 1))
                    .map(|at_us| at_us.max(now_us.saturating_add(1)))
            }
            Limit::FixedWindow { .. } | Limit::Day { .. } | Limit::Month { .. } => {
                self.turns(limit).full_until_us(limit, now_us)
            }
        }
    }

    /// Let go of what no limit counts any more.
    fn forget(&mut self, limits: &[Limit], now_us: i64) {
        for limit in limits {
            match limit {
                Limit::Window { window_ms, .. } | Limit::Errors { window_ms, .. } => {
                    self.spent(limit).forget(now_us, us(*window_ms));
                }
                Limit::Concurrency { .. } => self.slots().forget(now_us),
                Limit::FixedWindow { .. } | Limit::Day { .. } | Limit::Month { .. } => {
                    self.turns(limit).forget(limit, now_us);
                }
            }
        }
    }

    /// The meter of a window. A new window begins with what another one knows, so that a changed
    /// configuration does not forget what was spent.
    fn spent(&mut self, limit: &Limit) -> &mut Spent {
        let name = measure(limit);
        if !matches!(self.meters.get(&name), Some(Meter::Spent(_))) {
            let is_window = matches!(limit, Limit::Window { .. });
            let known = self.meters.iter().filter_map(|(name, meter)| match meter {
                Meter::Spent(spent) if name.starts_with("window ") => Some(spent),
                _ => None,
            });
            let most = known.max_by_key(|spent| spent.calls()).cloned();
            let first = most.filter(|_| is_window).unwrap_or_default();
            self.meters.insert(name.clone(), Meter::Spent(first));
        }
        match self.meters.get_mut(&name) {
            Some(Meter::Spent(spent)) => spent,
            _ => unreachable!("it was just put there"),
        }
    }

    fn turns(&mut self, limit: &Limit) -> &mut Turns {
        let name = measure(limit);
        if !matches!(self.meters.get(&name), Some(Meter::Turns(_))) {
            self.meters
                .insert(name.clone(), Meter::Turns(Turns::default()));
        }
        match self.meters.get_mut(&name) {
            Some(Meter::Turns(turns)) => turns,
            _ => unreachable!("it was just put there"),
        }
    }

    fn slots(&mut self) -> &mut Slots {
        let name = "at one time";
        if !matches!(self.meters.get(name), Some(Meter::Slots(_))) {
            self.meters
                .insert(name.to_owned(), Meter::Slots(Slots::default()));
        }
        match self.meters.get_mut(name) {
            Some(Meter::Slots(slots)) => slots,
            _ => unreachable!("it was just put there"),
        }
    }
}

//! Places for calls that are under way. A place that nobody gives back, since its process died, is
//! free when the call cannot be under way any more.

use serde::{Deserialize, Serialize};

/// One call that is under way, as far as is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Slot {
    #[serde(rename = "p")]
    permit: u64,
    #[serde(rename = "u")]
    until_us: i64,
}

/// Those that are out.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Slots(Vec<Slot>);

impl Slots {
    pub(super) fn out(&self) -> u64 {
        u64::try_from(self.0.len()).unwrap_or(u64::MAX)
    }

    pub(super) fn take(&mut self, permit: u64, until_us: i64) {
        self.0.push(Slot { permit, until_us });
    }

    pub(super) fn give_back(&mut self, permit: u64) {
        self.0.retain(|slot| slot.permit != permit);
    }

    pub(super) fn forget(&mut self, now_us: i64) {
        self.0.retain(|slot| slot.until_us > now_us);
    }

    /// When so many of them are free at the latest.
    pub(super) fn frees_us(&self, count: u64) -> i64 {
        let mut ends: Vec<i64> = self.0.iter().map(|slot| slot.until_us).collect();
        ends.sort_unstable();
        let at = usize::try_from(count.saturating_sub(1)).unwrap_or(usize::MAX);
        ends.get(at).copied().unwrap_or(0)
    }
}

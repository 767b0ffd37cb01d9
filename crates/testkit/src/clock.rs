//! Time that passes when somebody waits for it.

use connector_sdk::async_trait;
use connector_sdk::clock::Clock;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

/// So many waits in one run mean that it does not come to an end.
const WAITS_MAX: u64 = 200_000;

/// So many looks at one instant mean that something works without coming to an end.
const LOOKS_MAX: u64 = 20_000;

/// A simulated clock: waiting for an instant makes it come at once.
#[derive(Debug)]
pub struct SimClock {
    now_us: AtomicI64,
    waits: AtomicU64,
    /// Looks at the clock since time last passed.
    looks: AtomicU64,
}

impl SimClock {
    /// A clock that shows an instant.
    pub fn at(now_us: i64) -> Arc<Self> {
        Arc::new(Self {
            now_us: AtomicI64::new(now_us),
            waits: AtomicU64::new(0),
            looks: AtomicU64::new(0),
        })
    }

    /// What it shows, for whoever only writes it down.
    pub fn glance_us(&self) -> i64 {
        self.now_us.load(Ordering::SeqCst)
    }

    /// Let time pass.
    pub fn pass_ms(&self, ms: u64) {
        let us = i64::try_from(ms)
            .unwrap_or(i64::MAX / 1000)
            .saturating_mul(1000);
        self.now_us.fetch_add(us, Ordering::SeqCst);
        self.looks.store(0, Ordering::SeqCst);
    }
}

#[async_trait]
impl Clock for SimClock {
    fn now_us(&self) -> i64 {
        let looks = self.looks.fetch_add(1, Ordering::SeqCst);
        assert!(looks < LOOKS_MAX, "the run works without coming to an end");
        self.now_us.load(Ordering::SeqCst)
    }

    fn steady_us(&self) -> i64 {
        self.glance_us()
    }

    async fn sleep_until_us(&self, at_us: i64) {
        let waits = self.waits.fetch_add(1, Ordering::SeqCst);
        assert!(waits < WAITS_MAX, "the run waits without coming to an end");
        if self.now_us.fetch_max(at_us, Ordering::SeqCst) < at_us {
            self.looks.store(0, Ordering::SeqCst);
        }
    }
}

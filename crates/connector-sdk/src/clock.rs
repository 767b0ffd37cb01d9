//! Time as a handle. [`SystemClock`] is the one place of the product that reads the wall clock.

use async_trait::async_trait;
use std::fmt::Debug;

/// A source of instants and the only way to wait.
#[async_trait]
pub trait Clock: Send + Sync + Debug {
    /// Microseconds since the Unix epoch, UTC.
    fn now_us(&self) -> i64;

    /// Microseconds since some instant. It never jumps, and goes on while the machine sleeps; for
    /// measuring how long something has lasted.
    fn steady_us(&self) -> i64;

    /// Wait until that instant has come.
    async fn sleep_until_us(&self, at_us: i64);
}

/// The clock that counts while the machine sleeps.
#[cfg(target_os = "linux")]
const STEADY: rustix::time::ClockId = rustix::time::ClockId::Boottime;
/// Elsewhere the usual one does, or is the best there is.
#[cfg(not(target_os = "linux"))]
const STEADY: rustix::time::ClockId = rustix::time::ClockId::Monotonic;

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

#[async_trait]
impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one place that reads the clock"
    )]
    fn now_us(&self) -> i64 {
        jiff::Timestamp::now().as_microsecond()
    }

    fn steady_us(&self) -> i64 {
        let time = rustix::time::clock_gettime(STEADY);
        time.tv_sec
            .saturating_mul(1_000_000)
            .saturating_add(time.tv_nsec / 1000)
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one place that sleeps"
    )]
    async fn sleep_until_us(&self, at_us: i64) {
        let wait_us = u64::try_from(at_us.saturating_sub(self.now_us())).unwrap_or(0);
        tokio::time::sleep(std::time::Duration::from_micros(wait_us)).await;
    }
}

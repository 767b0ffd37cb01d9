//! Time as a handle. [`SystemClock`] is the one place of the product that reads the wall clock.

use async_trait::async_trait;
use std::fmt::Debug;

/// A source of instants and the only way to wait.
#[async_trait]
pub trait Clock: Send + Sync + Debug {
    /// Microseconds since the Unix epoch, UTC.
    fn now_us(&self) -> i64;

    /// Wait until that instant has come.
    async fn sleep_until_us(&self, at_us: i64);
}

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

    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one place that sleeps"
    )]
    async fn sleep_until_us(&self, at_us: i64) {
        let wait_us = u64::try_from(at_us.saturating_sub(self.now_us())).unwrap_or(0);
        tokio::time::sleep(std::time::Duration::from_micros(wait_us)).await;
    }
}

//! Tests end the process at a named point. Release builds hold nothing of this.

#[cfg(debug_assertions)]
pub(crate) use on::crashes;

#[cfg(not(debug_assertions))]
pub(crate) fn crashes() -> std::sync::Arc<dyn pipeline::crash::Crashes> {
    std::sync::Arc::new(pipeline::crash::NoCrashes)
}

#[cfg(debug_assertions)]
mod on {
    use pipeline::crash::{CrashPoint, Crashed, Crashes, NoCrashes};
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering};

    /// `COUNTERFOIL_CRASH_AT=point:n` ends the process at the n-th passing of a point, as `kill -9`
    /// would: no destructor runs, nothing is flushed.
    struct AbortAt {
        point: CrashPoint,
        left: AtomicU64,
    }

    impl Crashes for AbortAt {
        fn pass(&self, point: CrashPoint) -> Result<(), Crashed> {
            if point == self.point && self.left.fetch_sub(1, Ordering::SeqCst) == 1 {
                std::process::abort();
            }
            Ok(())
        }
    }

    pub(crate) fn crashes() -> Arc<dyn Crashes> {
        #[expect(clippy::disallowed_methods, reason = "debug builds only, for tests")]
        let wish = std::env::var("COUNTERFOIL_CRASH_AT").unwrap_or_default();
        let (name, count) = wish.split_once(':').unwrap_or((&wish, "1"));
        match (CrashPoint::from_name(name), count.parse()) {
            (Some(point), Ok(left)) => Arc::new(AbortAt {
                point,
                left: AtomicU64::new(left),
            }),
            _ => Arc::new(NoCrashes),
        }
    }
}

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
    use std::fs::File;
    use std::os::unix::fs::FileExt;
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

    /// `COUNTERFOIL_STEPS=file` writes the name of each point that is passed over the last one, so
    /// that whoever kills the process from outside knows how far it was.
    struct Steps(File);

    impl Crashes for Steps {
        fn pass(&self, point: CrashPoint) -> Result<(), Crashed> {
            // A full disk must not end the process here: it has nothing to do with the product.
            let _written = self
                .0
                .write_at(format!("{:<24}", point.name()).as_bytes(), 0);
            Ok(())
        }
    }

    pub(crate) fn crashes() -> Arc<dyn Crashes> {
        let steps = std::env::var_os("COUNTERFOIL_STEPS");
        if let Some(Ok(file)) = steps.map(File::create) {
            return Arc::new(Steps(file));
        }
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

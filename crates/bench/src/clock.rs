//! Time that passed, and time that this process had a core for.

use anyhow::{Context, Result};
use std::time::Instant;

/// What a stretch of work took.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Took {
    /// Nanoseconds on the wall.
    pub(crate) wall_ns: u128,
    /// Nanoseconds on a core.
    pub(crate) cpu_ns: u128,
}

/// Run something and tell what it took. It must not start threads: those are not counted.
#[expect(
    clippy::disallowed_methods,
    reason = "real time is what is measured here, and nothing is simulated"
)]
pub(crate) fn timed<T>(work: impl FnOnce() -> Result<T>) -> Result<(T, Took)> {
    let cpu = cpu_ns()?;
    let wall = Instant::now();
    let value = work()?;
    let wall_ns = wall.elapsed().as_nanos();
    let cpu_ns = cpu_ns()?.saturating_sub(cpu);
    Ok((value, Took { wall_ns, cpu_ns }))
}

/// Linux counts the time on a core to the nanosecond; the first number is it.
fn cpu_ns() -> Result<u128> {
    const FILE: &str = "/proc/thread-self/schedstat";
    let text = std::fs::read_to_string(FILE)
        .with_context(|| format!("reading {FILE}; the bench needs Linux"))?;
    let first = text.split_whitespace().next().unwrap_or_default();
    first.parse().with_context(|| format!("'{text}' in {FILE}"))
}

//! What goes wrong in the demo: everything a month end has, in seconds instead of minutes.

use twins::fault::FaultPlan;

/// The longest wait for an answer, in milliseconds: short, so that lost answers are noticed soon.
pub(super) const TIMEOUT_MS: u64 = 900;

/// The plan of one side.
pub(super) fn plan(seed: u64, none: bool) -> FaultPlan {
    if none {
        return FaultPlan::none(seed);
    }
    FaultPlan {
        latency_ms_min: 0,
        latency_ms_max: 3,
        slow: 4,
        slow_ms: 250,
        throttled: 8,
        throttled_for_s: 1,
        throttled_without_hint: 3,
        unavailable: 10,
        dropped_before: 4,
        error_after_commit: 30,
        silent_after_commit: 15,
        dropped_after_commit: 20,
        late_commit: 10,
        late_commit_ms: 1_500,
        cut_body: 10,
        garbage: 0,
        page_repeats_row: 20,
        page_loses_row: 20,
        ..FaultPlan::none(seed)
    }
}

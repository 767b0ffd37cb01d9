//! What goes wrong in the demo: everything a month end has, in seconds instead of minutes.

use twins::fault::FaultPlan;

/// The longest wait for an answer, in milliseconds: short, so that lost answers are noticed soon.
pub(super) const TIMEOUT_MS: u64 = 600;

/// The tracker: many small requests, so each fault is rare.
pub(super) fn of_tracker(seed: u64) -> FaultPlan {
    FaultPlan {
        latency_ms_max: 2,
        slow: 3,
        slow_ms: 150,
        throttled: 2,
        throttled_for_s: 1,
        throttled_without_hint: 1,
        unavailable: 6,
        dropped_before: 3,
        error_after_commit: 6,
        silent_after_commit: 4,
        dropped_after_commit: 6,
        cut_body: 5,
        page_repeats_row: 40,
        page_loses_row: 40,
        ..FaultPlan::none(seed)
    }
}

/// The ERP: few large requests, and what it does with them matters.
pub(super) fn of_erp(seed: u64) -> FaultPlan {
    FaultPlan {
        latency_ms_max: 5,
        slow: 5,
        slow_ms: 250,
        throttled: 8,
        throttled_for_s: 1,
        throttled_without_hint: 3,
        unavailable: 15,
        dropped_before: 5,
        error_after_commit: 40,
        silent_after_commit: 25,
        dropped_after_commit: 30,
        late_commit: 15,
        late_commit_ms: 1_200,
        cut_body: 20,
        ..FaultPlan::none(seed)
    }
}

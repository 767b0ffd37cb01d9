//! The configuration of a reference tracker. The doc comments are its documentation.

use domain::quantity::SourceResolution;
use serde::{Deserialize, Serialize};

/// Where the tracker is. The token is a secret and is handed in beside the configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReferenceTrackerConfig {
    /// The address before `/v1`, for example `https://time.example.com`.
    pub url: String,
    /// How exactly the tracker stores hours. The reference API has two decimals, so that 0.67 h
    /// stands for 40 minutes: leave it at `hundredth_hour` unless your system stores more.
    #[serde(default = "hundredth_hour")]
    pub resolution: SourceResolution,
    /// The time allowed for one read, in milliseconds.
    #[serde(default = "timeout_ms")]
    pub read_timeout_ms: u64,
    /// The time allowed for one write, in milliseconds.
    #[serde(default = "timeout_ms")]
    pub write_timeout_ms: u64,
    /// Requests that the tracker allows in one window.
    #[serde(default = "requests")]
    pub requests_per_window: u32,
    /// The window in milliseconds.
    #[serde(default = "window_ms")]
    pub window_ms: u64,
}

const fn hundredth_hour() -> SourceResolution {
    SourceResolution::HundredthHour
}

const fn timeout_ms() -> u64 {
    30_000
}

const fn requests() -> u32 {
    300
}

const fn window_ms() -> u64 {
    60_000
}

impl ReferenceTrackerConfig {
    /// A configuration with the usual limits.
    pub fn at(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            resolution: hundredth_hour(),
            read_timeout_ms: timeout_ms(),
            write_timeout_ms: timeout_ms(),
            requests_per_window: requests(),
            window_ms: window_ms(),
        }
    }
}

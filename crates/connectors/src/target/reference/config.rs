//! The configuration of a reference ERP. The doc comments are its documentation.

use serde::{Deserialize, Serialize};

/// What the ERP does with a second line of one key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "snake_case")]
pub enum KeyMode {
    /// It refuses it, whoever sends it and when.
    UniqueKey,
    /// It takes it: the key is only a searchable text, and Counterfoil looks before it repeats.
    #[default]
    LookUp,
}

/// Where the ERP is. The token is a secret and is handed in beside the configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReferenceErpConfig {
    /// The address before `/v1`, for example `https://erp.example.com`.
    pub url: String,
    /// What the ERP does with a second line of one key. `check` compares it with what the ERP says.
    #[serde(default)]
    pub uniqueness: KeyMode,
    /// The time allowed for one read, in milliseconds.
    #[serde(default = "timeout_ms")]
    pub read_timeout_ms: u64,
    /// The time allowed for one write, in milliseconds.
    #[serde(default = "timeout_ms")]
    pub write_timeout_ms: u64,
    /// The longest a call can go on in the ERP after its answer was lost, in milliseconds: a
    /// look-up that finds nothing proves nothing before that.
    #[serde(default = "longest_call_ms")]
    pub longest_call_ms: u64,
    /// The most lines of one call.
    #[serde(default = "batch_lines")]
    pub batch_lines_max: usize,
    /// Requests that the ERP allows in one window.
    #[serde(default = "requests")]
    pub requests_per_window: u32,
    /// The window in milliseconds.
    #[serde(default = "window_ms")]
    pub window_ms: u64,
    /// Digits after the point of a quantity that the ERP stores.
    #[serde(default = "two")]
    pub quantity_decimals: u32,
    /// Digits after the point of a rate that the ERP stores.
    #[serde(default = "four")]
    pub rate_decimals: u32,
}

const fn timeout_ms() -> u64 {
    30_000
}

const fn longest_call_ms() -> u64 {
    120_000
}

const fn batch_lines() -> usize {
    100
}

const fn requests() -> u32 {
    300
}

const fn window_ms() -> u64 {
    60_000
}

const fn two() -> u32 {
    2
}

const fn four() -> u32 {
    4
}

impl ReferenceErpConfig {
    /// A configuration with the usual limits.
    pub fn at(url: impl Into<String>, uniqueness: KeyMode) -> Self {
        Self {
            url: url.into(),
            uniqueness,
            read_timeout_ms: timeout_ms(),
            write_timeout_ms: timeout_ms(),
            longest_call_ms: longest_call_ms(),
            batch_lines_max: batch_lines(),
            requests_per_window: requests(),
            window_ms: window_ms(),
            quantity_decimals: two(),
            rate_decimals: four(),
        }
    }
}

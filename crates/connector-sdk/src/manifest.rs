//! A connector's capabilities as data. The pipeline adapts to them; it knows no vendor.

use domain::rounding::Rounding;
use serde::Serialize;

/// What a claim about a connector rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Evidence {
    /// Tested against the running system.
    RunningSystem,
    /// Written from the vendor's published description.
    PublishedSpec,
    /// Written from documentation only.
    Documentation,
}

/// How a target keeps one key from making two lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Uniqueness {
    /// The target itself refuses the second line of a key, whoever sends it and when.
    UniqueKey,
    /// The key is in a searchable field: one writer, and look before any repetition.
    LookUp,
}

/// What still protects when a process was paused between its check and its send.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FenceGrade {
    /// The target's unique key.
    UniqueKey,
    /// A version of the document that the write must name.
    DocumentVersion,
    /// The session can be revoked.
    SessionRevoke,
    /// Nothing: said openly.
    None,
}

/// One limit of an account. Several hold at once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Limit {
    /// So many requests in any window of that length.
    Window {
        /// How many.
        requests: u32,
        /// The window in milliseconds.
        window_ms: u64,
    },
    /// So many requests at one time.
    Concurrency {
        /// How many.
        requests: u32,
    },
}

/// What a connector can do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Manifest {
    /// The connector's name in the configuration.
    pub connector: &'static str,
    /// The vendor's versions it was seen with.
    pub versions_seen: &'static str,
    /// What it was tested with.
    pub evidence: Evidence,
    /// How duplicates are kept out (targets).
    pub uniqueness: Uniqueness,
    /// What protects against a paused process (targets).
    pub fence_grade: FenceGrade,
    /// The most lines of one call.
    pub batch_lines_max: usize,
    /// The hard time-out of a write, in milliseconds.
    pub write_timeout_ms: u64,
    /// The longest a call can go on at the other side after the answer was lost, in milliseconds:
    /// a look-up that finds nothing proves nothing before that.
    pub longest_call_ms: u64,
    /// Digits after the point of a quantity that the target stores.
    pub quantity_decimals_max: u32,
    /// Digits after the point of a rate that the target stores.
    pub rate_decimals_max: u32,
    /// How the target itself rounds quantity times rate to the smallest coin, where it computes the
    /// amount of a line. A contract that rounds otherwise would be a cent off.
    pub amount_rounding: Option<Rounding>,
    /// The limits of the account.
    pub limits: Vec<Limit>,
}

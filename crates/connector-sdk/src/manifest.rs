//! A connector's capabilities as data. The pipeline adapts to them; it knows no vendor.

use domain::rounding::Rounding;
use serde::{Deserialize, Serialize};

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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Limit {
    /// So many requests in any window of that length, wherever the account's windows begin.
    Window {
        /// How many.
        requests: u32,
        /// The window in milliseconds.
        window_ms: u64,
    },
    /// So many requests in windows that follow each other by the account's clock, counted from the
    /// epoch: 60,000 is from one full minute to the next.
    FixedWindow {
        /// How many.
        requests: u32,
        /// The window in milliseconds.
        window_ms: u64,
        /// How far the account's clock and ours may be apart, in milliseconds. A call so near to
        /// the end of a window counts in both.
        #[serde(default = "apart_ms")]
        apart_ms: u64,
    },
    /// So many requests at one time.
    Concurrency {
        /// How many.
        requests: u32,
    },
    /// So many requests a day.
    Day {
        /// How many.
        requests: u32,
        /// The zone of its midnight (an IANA name).
        #[serde(default = "utc")]
        zone: String,
    },
    /// So many requests a month: what they are paid for.
    Month {
        /// How many.
        requests: u32,
        /// The zone of its first midnight (an IANA name).
        #[serde(default = "utc")]
        zone: String,
    },
    /// So many refused or failed requests in any window of that length, after which the account is
    /// closed for a time.
    Errors {
        /// How many.
        errors: u32,
        /// The window in milliseconds.
        window_ms: u64,
    },
}

const fn apart_ms() -> u64 {
    500
}

fn utc() -> String {
    "UTC".to_owned()
}

impl Limit {
    /// The most it allows.
    pub fn most(&self) -> u64 {
        u64::from(match self {
            Self::Window { requests, .. }
            | Self::FixedWindow { requests, .. }
            | Self::Concurrency { requests }
            | Self::Day { requests, .. }
            | Self::Month { requests, .. } => *requests,
            Self::Errors { errors, .. } => *errors,
        })
    }

    /// What makes it unusable, if anything does.
    pub fn fault(&self) -> Option<String> {
        if self.most() == 0 {
            return Some("a limit of 0 lets nothing through".to_owned());
        }
        match self {
            Self::Window { window_ms, .. }
            | Self::FixedWindow { window_ms, .. }
            | Self::Errors { window_ms, .. } => {
                let known = (1..=WINDOW_MS_MAX).contains(window_ms);
                (!known).then(|| format!("a window of {window_ms} milliseconds"))
            }
            Self::Day { zone, .. } | Self::Month { zone, .. } => jiff::tz::TimeZone::get(zone)
                .is_err()
                .then(|| format!("'{zone}' is no time zone")),
            Self::Concurrency { .. } => None,
        }
    }
}

/// The longest window: longer ones are days or months.
const WINDOW_MS_MAX: u64 = 86_400_000;

/// How replies say when a quota is full again, with the header's lower-case name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Resets {
    /// Seconds from now.
    InSeconds(&'static str),
    /// Seconds since the epoch.
    EpochSeconds(&'static str),
    /// An instant in ISO 8601.
    Instant(&'static str),
}

/// The headers in which a system says what is left of its shortest window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct LimitHeaders {
    /// The header with what is left, in lower case.
    pub remaining: &'static str,
    /// The header with when it is full again.
    pub resets: Option<Resets>,
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
    /// How many calls the connector can have under way at once, as far as the account allows.
    pub calls_at_once: usize,
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
    /// How replies tell what is left.
    pub limit_headers: Option<LimitHeaders>,
}

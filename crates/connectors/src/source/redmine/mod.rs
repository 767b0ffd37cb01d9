//! Redmine as a source of approved time.
//!
//! Redmine has no change feed, no approval and no locks, ignores filters it does not know, and
//! pages over a live table. So this connector reads whole windows of work dates, checks each row
//! against what it asked for, reads again when rows moved, and takes approval and billing status
//! from custom fields. It never deletes anything and never touches a field that people fill in.
//!
//! Two traps decide its shape. Time of an archived project, or of one that the key's user may not
//! see any more, vanishes from every list without a word: only [`TimeSource::fetch`] tells
//! "deleted" (404) from "out of sight" (403). And a wrong key can read as an anonymous visitor:
//! each scan first asks who it is.

mod call;
mod check;
mod check_fields;
mod check_roles;
mod config;
pub mod errors;
mod feedback;
pub mod map;
mod masters;
mod pages;
mod plan;
mod publish;
mod publish_step;
mod scan;
mod wire;

pub use config::{ConfigError, FieldRef, Fields, PublishConfig, RedmineConfig, WorkerCode};
pub use feedback::REFERENCE_LIMIT_CHARS;
pub use pages::{PASSES_MAX, ROWS_MAX};
pub use plan::{IDENTIFIER_LIMIT_CHARS, identifier};
pub use scan::{parse_entry, parse_page};

use connector_sdk::clock::Clock;
use connector_sdk::manifest::{Evidence, FenceGrade, Limit, Manifest, Uniqueness};
use connector_sdk::secrecy::{ExposeSecret, SecretString};
use connector_sdk::transport::Transport;
use std::fmt;
use std::sync::Arc;

/// A connection to one Redmine.
pub struct Redmine {
    config: RedmineConfig,
    base_url: String,
    key: SecretString,
    transport: Arc<dyn Transport>,
    clock: Arc<dyn Clock>,
    manifest: Manifest,
}

impl fmt::Debug for Redmine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Redmine at {}", self.base_url)
    }
}

impl Redmine {
    /// A connection; nothing is sent yet.
    ///
    /// `key` is the API key of the connector's own user. An administrator's key sees all users and
    /// field definitions; without it those are read through projects, or not checked.
    pub fn new(
        config: RedmineConfig,
        key: &SecretString,
        transport: Arc<dyn Transport>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, ConfigError> {
        let base_url = config.checked()?;
        let key = key.expose_secret().trim();
        if key.is_empty() || !key.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(ConfigError::Key);
        }
        Ok(Self {
            manifest: manifest(&config),
            key: SecretString::from(key.to_owned()),
            base_url,
            config,
            transport,
            clock,
        })
    }
}

fn manifest(config: &RedmineConfig) -> Manifest {
    Manifest {
        connector: "redmine",
        versions_seen: "5.0.4",
        evidence: Evidence::RunningSystem,
        // The next two speak of targets; a source writes the same value to the same entry.
        uniqueness: Uniqueness::LookUp,
        fence_grade: FenceGrade::None,
        batch_lines_max: 1,
        calls_at_once: 1,
        write_timeout_ms: config.write_timeout_ms,
        longest_call_ms: config.write_timeout_ms.saturating_mul(4),
        quantity_decimals_max: 2,
        rate_decimals_max: 0,
        amount_rounding: None,
        limits: vec![Limit::Concurrency { requests: 2 }],
        limit_headers: None,
    }
}

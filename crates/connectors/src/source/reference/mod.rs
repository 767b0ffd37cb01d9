//! A tracker that speaks the reference API (`docs/reference-api/tracker.openapi.json`): a firm's
//! own system, or the twin.
//!
//! There is no feed of changes and deletions leave no trace, so whole windows are read; the
//! server's word about a window is not trusted: each row is checked against what was asked.

mod config;
mod feedback;
pub mod map;
mod masters;
mod publish;

pub use config::ReferenceTrackerConfig;

use crate::reference_rest::errors::Fault;
use crate::reference_rest::wire::Row;
use crate::reference_rest::{ConfigError, Rest, encoded, in_range, read_json};
use connector_sdk::async_trait;
use connector_sdk::call::CallError;
use connector_sdk::check::{CheckLine, Verdict};
use connector_sdk::clock::Clock;
use connector_sdk::manifest::{Evidence, FenceGrade, Limit, Manifest, Uniqueness};
use connector_sdk::secrecy::SecretString;
use connector_sdk::source::{DateWindow, Fetched, Scan, TimeSource};
use connector_sdk::transport::{Effect, Transport};
use domain::masters::SourceMasters;
use serde::Deserialize;
use std::fmt;
use std::sync::Arc;

/// A connection to one tracker.
pub struct ReferenceTracker {
    rest: Rest,
    config: ReferenceTrackerConfig,
    manifest: Manifest,
}

impl fmt::Debug for ReferenceTracker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ReferenceTracker at {:?}", self.rest)
    }
}

impl ReferenceTracker {
    /// A connection; nothing is sent yet.
    pub fn new(
        config: ReferenceTrackerConfig,
        token: &SecretString,
        transport: Arc<dyn Transport>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, ConfigError> {
        in_range(
            "write_timeout_ms",
            config.write_timeout_ms,
            1..=600_000,
            "1 to 600000",
        )?;
        Ok(Self {
            rest: Rest::new(&config.url, token, config.read_timeout_ms, transport, clock)?,
            manifest: manifest(&config),
            config,
        })
    }

    async fn about(&self) -> Result<About, CallError> {
        let reply = self
            .rest
            .get("tracker")
            .await
            .map_err(Fault::into_call_error)?;
        read_json(Effect::Read, &reply)
    }
}

/// What the tracker says about itself.
#[derive(Debug, Deserialize)]
struct About {
    name: String,
    api_version: String,
    may_write_billing: bool,
    may_write_masters: bool,
}

fn manifest(config: &ReferenceTrackerConfig) -> Manifest {
    Manifest {
        connector: "reference-tracker",
        versions_seen: "API 1",
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
        limits: vec![Limit::Window {
            requests: config.requests_per_window,
            window_ms: config.window_ms,
        }],
        limit_headers: Some(crate::reference_rest::LIMIT_HEADERS),
    }
}

#[async_trait]
impl TimeSource for ReferenceTracker {
    fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    async fn check(&self) -> Vec<CheckLine> {
        let about = match self.about().await {
            Ok(about) => about,
            Err(error) => {
                return vec![CheckLine::with_hint(
                    Verdict::Bad,
                    "connection",
                    error.to_string(),
                    "Check the url and the token in the configuration.",
                )];
            }
        };
        let mut lines = vec![CheckLine::good(
            "connection",
            format!("{}, API {}", about.name, about.api_version),
        )];
        if about.api_version != "1" {
            lines.push(CheckLine::with_hint(
                Verdict::Bad,
                "API version",
                format!("the tracker speaks API {}", about.api_version),
                "This connector speaks API 1; use one for that version.",
            ));
        }
        lines.push(if about.may_write_billing {
            CheckLine::good("billing status", "may be written back")
        } else {
            CheckLine::with_hint(
                Verdict::Warning,
                "billing status",
                "the token may not write billing status",
                "Give the token that right, or people will not see in the tracker what became of \
                 their time.",
            )
        });
        if !about.may_write_masters {
            lines.push(CheckLine::with_hint(
                Verdict::Warning,
                "masters",
                "the token may not publish projects and tasks",
                "Give the token that right if the tracker is to offer the ERP's projects.",
            ));
        }
        lines
    }

    async fn scan(&self, window: DateWindow) -> Result<Scan, CallError> {
        let path = format!("entries?from={}&to={}", window.from, window.to);
        let rows = self.rest.list(&path).await?;
        let mut scan = Scan::default();
        for row in &rows {
            match map::entry(row, self.config.resolution) {
                Ok(entry) if window.holds(entry.fields.work_date) => scan.entries.push(*entry),
                Ok(entry) => return Err(outside(window, &entry.source_ref)),
                Err(bad) if bad.work_date.is_none_or(|day| window.holds(day)) => {
                    scan.unreadable.push(*bad);
                }
                Err(bad) => {
                    let named = bad.source_ref.as_deref().unwrap_or("without id");
                    return Err(outside(window, named));
                }
            }
        }
        Ok(scan)
    }

    async fn fetch(&self, source_ref: &str) -> Result<Fetched, CallError> {
        let path = format!("entries/{}", encoded(source_ref));
        let reply = match self.rest.get(&path).await {
            Ok(reply) => reply,
            Err(Fault::Gone { .. }) => return Ok(Fetched::Gone),
            Err(fault) => return Err(fault.into_call_error()),
        };
        let text = String::from_utf8_lossy(&reply.body);
        // The body as a whole has to be JSON; what is in it is the entry's own matter.
        let _json: serde::de::IgnoredAny = read_json(Effect::Read, &reply)?;
        let row = Row {
            mended: matches!(text, std::borrow::Cow::Owned(_)),
            text: text.into_owned(),
        };
        let read = map::entry(&row, self.config.resolution);
        let id = match &read {
            Ok(entry) => Some(entry.source_ref.as_str()),
            Err(bad) => bad.source_ref.as_deref(),
        };
        if id != Some(source_ref) {
            return Err(CallError::Contract {
                words: "the tracker was asked for one entry and gave another".to_owned(),
            });
        }
        Ok(match read {
            Ok(entry) => Fetched::Present(entry),
            Err(bad) => Fetched::Unreadable(bad),
        })
    }

    async fn masters(&self) -> Result<SourceMasters, CallError> {
        self.source_masters().await
    }
}

fn outside(window: DateWindow, named: &str) -> CallError {
    CallError::Contract {
        words: format!(
            "the tracker was asked for {} to {} and gave entry {named} of another day: it does \
             not filter by date",
            window.from, window.to
        ),
    }
}

//! An ERP that speaks the reference API (`docs/reference-api/erp.openapi.json`): a firm's own
//! system, or the twin.
//!
//! A list of lines is created whole or not at all, and a refusal names no line. Lines carry our
//! key; with `unique_key` the ERP refuses a second line of a key, with `look_up` it does not and
//! the pipeline looks before it repeats.

mod config;
mod masters;
mod post;
mod states;
mod wire;

pub use config::{KeyMode, ReferenceErpConfig};
pub use wire::{parse_documents, parse_lines};

use crate::reference_rest::errors::Fault;
use crate::reference_rest::{ConfigError, Rest, in_range, read_json};
use connector_sdk::async_trait;
use connector_sdk::call::CallError;
use connector_sdk::check::{CheckLine, Verdict};
use connector_sdk::clock::Clock;
use connector_sdk::manifest::{Evidence, FenceGrade, Limit, Manifest, Uniqueness};
use connector_sdk::secrecy::SecretString;
use connector_sdk::target::{
    Call, DocumentReport, FoundLine, LineOutcome, PostBatch, Shape, Target,
};
use connector_sdk::transport::{Effect, Transport};
use domain::masters::Masters;
use serde::Deserialize;
use std::fmt;
use std::sync::Arc;

/// The most keys or ids of one look-up: they stand in the address.
pub const LOOK_UP_MAX: usize = 100;

/// A connection to one ERP.
pub struct ReferenceErp {
    rest: Rest,
    config: ReferenceErpConfig,
    manifest: Manifest,
}

impl fmt::Debug for ReferenceErp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ReferenceErp at {:?}", self.rest)
    }
}

/// What the ERP says about itself.
#[derive(Debug, Deserialize)]
struct About {
    id: String,
    name: String,
    api_version: String,
    uniqueness: KeyMode,
    quantity_decimals: u32,
    rate_decimals: u32,
    batch_lines_max: usize,
    may_write_lines: bool,
    may_write_time: bool,
}

impl ReferenceErp {
    /// A connection; nothing is sent yet.
    pub fn new(
        config: ReferenceErpConfig,
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
        let lines = u64::try_from(config.batch_lines_max).unwrap_or(u64::MAX);
        in_range("batch_lines_max", lines, 1..=1000, "1 to 1000")?;
        in_range(
            "quantity_decimals",
            config.quantity_decimals.into(),
            0..=6,
            "0 to 6",
        )?;
        in_range(
            "rate_decimals",
            config.rate_decimals.into(),
            0..=6,
            "0 to 6",
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
            .get("company")
            .await
            .map_err(Fault::into_call_error)?;
        read_json(Effect::Read, &reply)
    }
}

fn manifest(config: &ReferenceErpConfig) -> Manifest {
    let (uniqueness, fence_grade) = match config.uniqueness {
        KeyMode::UniqueKey => (Uniqueness::UniqueKey, FenceGrade::UniqueKey),
        KeyMode::LookUp => (Uniqueness::LookUp, FenceGrade::None),
    };
    Manifest {
        connector: "reference-erp",
        versions_seen: "API 1",
        evidence: Evidence::RunningSystem,
        uniqueness,
        fence_grade,
        batch_lines_max: config.batch_lines_max,
        // Calls that were under way when another was told to wait come too early for an account that
        // counts them; one at a time is told before the next leaves.
        calls_at_once: 1,
        write_timeout_ms: config.write_timeout_ms,
        longest_call_ms: config.longest_call_ms,
        quantity_decimals_max: config.quantity_decimals,
        rate_decimals_max: config.rate_decimals,
        // The API takes our amount.
        amount_rounding: None,
        limits: vec![Limit::Window {
            requests: config.requests_per_window,
            window_ms: config.window_ms,
        }],
        limit_headers: Some(crate::reference_rest::LIMIT_HEADERS),
    }
}

#[async_trait]
impl Target for ReferenceErp {
    fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    async fn check(&self) -> Vec<CheckLine> {
        match self.about().await {
            Ok(about) => self.checked(&about),
            Err(error) => vec![CheckLine::with_hint(
                Verdict::Bad,
                "connection",
                error.to_string(),
                "Check the url and the token in the configuration.",
            )],
        }
    }

    async fn identity(&self) -> Result<String, CallError> {
        let about = self.about().await?;
        if about.id.is_empty() {
            return Err(CallError::Contract {
                words: "the ERP does not say which company it is".to_owned(),
            });
        }
        Ok(format!("reference:{}", about.id))
    }

    async fn masters(&self) -> Result<Masters, CallError> {
        self.erp_masters().await
    }

    async fn post(&self, call: &Call, batch: &PostBatch) -> Result<Vec<LineOutcome>, CallError> {
        self.post_batch(call, batch).await
    }

    async fn look_up(
        &self,
        shape: Shape,
        line_keys: &[String],
    ) -> Result<Vec<FoundLine>, CallError> {
        self.lines_by_keys(shape, line_keys).await
    }

    async fn keyed_lines(&self, shape: Shape) -> Result<Option<Vec<FoundLine>>, CallError> {
        self.lines_with_keys(shape).await
    }

    async fn look_up_document(
        &self,
        shape: Shape,
        document_key: &str,
    ) -> Result<Option<DocumentReport>, CallError> {
        self.document_by_key(shape, document_key).await
    }

    async fn document_states(
        &self,
        _shape: Shape,
        erp_refs: &[String],
    ) -> Result<Vec<DocumentReport>, CallError> {
        self.documents_by_ids(erp_refs).await
    }
}

impl ReferenceErp {
    fn checked(&self, about: &About) -> Vec<CheckLine> {
        let mut lines = vec![CheckLine::good(
            "connection",
            format!("{} ({}), API {}", about.name, about.id, about.api_version),
        )];
        let mut compare = |subject: &str, fits: bool, found: String, hint: &str| {
            lines.push(if fits {
                CheckLine::good(subject, found)
            } else {
                CheckLine::with_hint(Verdict::Bad, subject, found, hint)
            });
        };
        compare(
            "API version",
            about.api_version == "1",
            format!("the ERP speaks API {}", about.api_version),
            "This connector speaks API 1; use one for that version.",
        );
        let promised = about.uniqueness == KeyMode::UniqueKey;
        compare(
            "uniqueness",
            promised || self.config.uniqueness == KeyMode::LookUp,
            if promised {
                "the ERP refuses a second line of a key".to_owned()
            } else {
                "the ERP takes a second line of a key".to_owned()
            },
            "Write uniqueness = \"look_up\" in the configuration, or switch unique keys on in the \
             ERP.",
        );
        compare(
            "precision",
            self.config.quantity_decimals <= about.quantity_decimals
                && self.config.rate_decimals <= about.rate_decimals,
            format!(
                "quantities with {} and rates with {} decimals",
                about.quantity_decimals, about.rate_decimals
            ),
            "Lower quantity_decimals or rate_decimals in the configuration.",
        );
        compare(
            "lines of one call",
            self.config.batch_lines_max <= about.batch_lines_max,
            format!("at most {}", about.batch_lines_max),
            "Lower batch_lines_max in the configuration.",
        );
        compare(
            "rights",
            about.may_write_lines && about.may_write_time,
            if about.may_write_lines && about.may_write_time {
                "lines and time may be written".to_owned()
            } else {
                "lines or time may not be written".to_owned()
            },
            "Give the token the right to write lines and time.",
        );
        lines
    }
}

//! The ERP Tryton 8.2 over its JSON-RPC.
//!
//! What is written here is what the running system does, not what its documentation hopes:
//! - Lines are added to a draft through the draft (`account.invoice.write`), never beside it: a
//!   line created directly leaves the draft's taxes as they were.
//! - A remote `create` runs none of the form's rules, so accounts and taxes are asked for from
//!   the server's own `on_change` and sent explicitly. Taxes are Tryton's business, not ours.
//! - A list is one transaction: refused as a whole or done as a whole.
//! - Tryton computes an amount as quantity times price, halves to the even cent. A line whose
//!   booked amount differs is refused before it is sent.
//! - Inactive records vanish from searches unless the context says otherwise; the usual clause
//!   on `active` does not bring back employees who left.

mod booked;
mod changes;
mod check;
mod config;
mod defaults;
mod drafts;
mod errors;
mod facts;
mod invoices;
pub mod json;
mod lookup;
mod masters;
mod session;
mod states;
mod timesheets;
pub mod wire;
mod works;

pub use config::{CompanyChoice, ConfigError, KeyPlace, TrytonConfig, WorkCode};
pub use errors::{Fault, classify, of_error, refusal_code};

use async_trait::async_trait;
use connector_sdk::call::CallError;
use connector_sdk::check::CheckLine;
use connector_sdk::clock::Clock;
use connector_sdk::manifest::{Evidence, FenceGrade, Limit, Manifest, Uniqueness};
use connector_sdk::secrecy::SecretString;
use connector_sdk::target::{
    Call, DocumentReport, FoundLine, LineOutcome, PostBatch, Shape, Target,
};
use connector_sdk::transport::Transport;
use domain::masters::Masters;
use domain::posting::PostingKind;
use domain::rounding::Rounding;
use facts::Facts;
use session::Rpc;
use std::fmt;
use std::sync::{Arc, Mutex};

/// One company of one Tryton database.
pub struct Tryton {
    config: TrytonConfig,
    manifest: Manifest,
    rpc: Rpc,
    facts: Mutex<Option<Arc<Facts>>>,
}

impl fmt::Debug for Tryton {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tryton {}", self.config.database)
    }
}

impl Tryton {
    /// A target from its settings. Nothing is sent yet.
    pub fn new(
        config: TrytonConfig,
        password: SecretString,
        transport: Arc<dyn Transport>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, ConfigError> {
        config.validate()?;
        let endpoint = config.endpoint()?;
        let rpc = Rpc::new(&config, endpoint, password, transport, clock);
        let (uniqueness, fence_grade) = match config.uniqueness {
            KeyPlace::Module => (Uniqueness::UniqueKey, FenceGrade::UniqueKey),
            KeyPlace::LookUp => (Uniqueness::LookUp, FenceGrade::None),
        };
        let manifest = Manifest {
            connector: "tryton",
            versions_seen: "8.2",
            evidence: Evidence::RunningSystem,
            uniqueness,
            fence_grade,
            batch_lines_max: config.batch_lines_max,
            calls_at_once: 1,
            write_timeout_ms: config.write_timeout_ms,
            longest_call_ms: config.longest_call_ms,
            quantity_decimals_max: 2,
            rate_decimals_max: 4,
            amount_rounding: Some(Rounding::HalfEven),
            // Two writers of one company wait for each other's rows.
            limits: vec![Limit::Concurrency { requests: 1 }],
            limit_headers: None,
        };
        Ok(Self {
            config,
            manifest,
            rpc,
            facts: Mutex::new(None),
        })
    }
}

#[async_trait]
impl Target for Tryton {
    fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    async fn check(&self) -> Vec<CheckLine> {
        self.run_check().await
    }

    async fn identity(&self) -> Result<String, CallError> {
        let facts = self.facts().await?;
        let database = &self.config.database;
        Ok(format!(
            "tryton:{database}:{}:{}",
            facts.company, facts.company_name
        ))
    }

    async fn masters(&self) -> Result<Masters, CallError> {
        self.read_masters().await
    }

    async fn post(&self, call: &Call, batch: &PostBatch) -> Result<Vec<LineOutcome>, CallError> {
        let in_time = matches!(batch.document.shape, Shape::Timesheet | Shape::Cost);
        match batch.kind {
            PostingKind::CreateLine if in_time => self.create_times(call, batch).await,
            PostingKind::ReplaceLine if in_time => self.replace_times(call, batch).await,
            PostingKind::DeleteLine if in_time => self.delete_times(call, batch).await,
            PostingKind::Credit | PostingKind::Difference | PostingKind::Void if in_time => {
                Ok(timesheets::not_for_time(batch))
            }
            PostingKind::CreateLine => self.create_lines(call, batch).await,
            PostingKind::Credit | PostingKind::Difference => self.credit_lines(call, batch).await,
            PostingKind::ReplaceLine => self.replace_lines(call, batch).await,
            PostingKind::DeleteLine => self.delete_lines(call, batch).await,
            PostingKind::Void => self.void(call, batch).await,
        }
    }

    async fn look_up(
        &self,
        shape: Shape,
        line_keys: &[String],
    ) -> Result<Vec<FoundLine>, CallError> {
        match shape {
            Shape::DraftLine => self.find_lines(line_keys).await,
            Shape::Timesheet | Shape::Cost => self.find_times(line_keys).await,
        }
    }

    async fn keyed_lines(&self, shape: Shape) -> Result<Option<Vec<FoundLine>>, CallError> {
        self.lines_with_keys(shape).await
    }

    async fn look_up_document(
        &self,
        shape: Shape,
        document_key: &str,
    ) -> Result<Option<DocumentReport>, CallError> {
        match shape {
            Shape::DraftLine => self.find_document(document_key).await,
            // Booked time stands in no document of ours.
            Shape::Timesheet | Shape::Cost => Ok(None),
        }
    }

    async fn document_states(
        &self,
        _shape: Shape,
        erp_refs: &[String],
    ) -> Result<Vec<DocumentReport>, CallError> {
        self.states_of(erp_refs).await
    }
}

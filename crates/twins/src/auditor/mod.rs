//! The auditor: judges a run by what the tracker and the ERP hold, never by the ledger.
//!
//! It reads both twins under `/truth`, works out with its own arithmetic what must have become of
//! each entry as it stands now, and compares that with the lines that stand in the ERP, one by
//! one and in total. Which entries are open exceptions it knows from the billing status that was
//! written back, so that a lost write-back shows as well.

mod compare;
mod lines;
mod price;
mod status;
#[cfg(test)]
mod tests;
mod truth;
mod verdict;

pub use verdict::Verdict;

use crate::firm::agreed::Agreed;
use crate::firm::{Expected, FirmConfig};
use connector_sdk::transport::{Effect, Method, Request, Transport, TransportError};
use serde::de::DeserializeOwned;
use std::collections::BTreeSet;
use thiserror::Error;

/// The largest state that is read from a twin.
const TRUTH_LIMIT_BYTES: usize = 1 << 30;
/// The time to read it, in milliseconds.
const TRUTH_TIMEOUT_MS: u64 = 120_000;

/// A run that cannot be judged.
#[derive(Debug, Error)]
pub enum AuditError {
    /// A twin could not be reached.
    #[error("{url} could not be read: {error}")]
    Unreachable {
        /// The address.
        url: String,
        /// Why.
        error: TransportError,
    },
    /// What it said is no truth of a twin.
    #[error("{url} does not show the truth of a twin: {why}")]
    Unreadable {
        /// The address.
        url: String,
        /// Why.
        why: String,
    },
}

/// What the auditor is told before it looks: the business of the firm, not the run.
#[derive(Debug, Clone)]
pub struct Brief {
    /// Contracts, rates and names.
    pub config: FirmConfig,
    /// What must become of each entry if nobody intervenes.
    pub expected: Expected,
    /// Amounts beside hours that have to be billed, each once.
    pub agreed: Vec<Agreed>,
    /// What the product cannot know of, because its ledger was set back.
    pub lost: Option<Lost>,
}

/// A ledger that was lost and restored: what it had done since the backup it has forgotten.
#[derive(Debug, Clone, Default)]
pub struct Lost {
    /// When the backup was taken.
    pub from_us: i64,
    /// When it took the ledger's place.
    pub to_us: i64,
    /// Lines that the product says it does not know.
    pub named: BTreeSet<String>,
    /// Whether the ERP lists lines with keys. Where it does not, the line of an entry that the backup
    /// did not know and that is gone can be found by nobody.
    pub lists: bool,
}

/// Judge a run that has come to rest. The addresses are the ones that stand before `/truth`.
pub async fn audit(
    transport: &dyn Transport,
    tracker_url: &str,
    erp_url: &str,
    brief: &Brief,
) -> Result<Verdict, AuditError> {
    let tracker: truth::Tracker = read(transport, tracker_url).await?;
    let erp: truth::Erp = read(transport, erp_url).await?;
    Ok(compare::judge(brief, &tracker, &erp))
}

async fn read<T: DeserializeOwned>(transport: &dyn Transport, base: &str) -> Result<T, AuditError> {
    let url = format!("{base}/truth");
    let request = Request {
        method: Method::Get,
        url: url.clone(),
        headers: Vec::new(),
        body: Vec::new(),
        effect: Effect::Read,
        timeout_ms: TRUTH_TIMEOUT_MS,
        body_limit_bytes: TRUTH_LIMIT_BYTES,
        send_not_after_us: None,
    };
    let reply = match transport.send(request).await {
        Ok(reply) => reply,
        Err(error) => return Err(AuditError::Unreachable { url, error }),
    };
    if reply.status != 200 {
        let why = format!("it answered with status {}", reply.status);
        return Err(AuditError::Unreadable { url, why });
    }
    serde_json::from_slice(&reply.body).map_err(|error| AuditError::Unreadable {
        url,
        why: error.to_string(),
    })
}

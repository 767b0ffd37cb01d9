//! Where everything stands, from counters and work lists; nothing is counted row by row.

use crate::env::Env;
use crate::error::PassError;
use crate::limit::Used;
use crate::patience::{source_domain, target_domain, used};
use crate::post::POSTING_OFF;
use serde::Serialize;
use std::collections::BTreeMap;
use store::{attempts, counters, documents, scans, settings};

/// Documents read for the status.
const DOCUMENTS_MAX: i64 = 10_000;

/// Where everything stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Status {
    /// Why posting is off, if it is.
    pub posting_off: Option<String>,
    /// When the source was last looked at completely (microseconds since the epoch).
    pub last_scan_us: Option<i64>,
    /// Entries seen by that look.
    pub last_scan_rows: Option<i64>,
    /// Lines that wait to be sent.
    pub lines_waiting: i64,
    /// Calls in doubt or under way.
    pub calls_open: usize,
    /// Open exceptions by code.
    pub exceptions: BTreeMap<String, i64>,
    /// What is used of each account's limits.
    pub limits: Vec<Account>,
    /// Everything counted since the ledger began.
    pub counters: BTreeMap<String, i64>,
}

/// An account at a system, and what is used of its limits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Account {
    /// Its limit domain.
    pub domain: String,
    /// Each limit.
    pub used: Vec<Used>,
    /// Until when the system asked for a pause (microseconds since the epoch).
    pub paused_until_us: Option<i64>,
}

/// Read it.
pub async fn status(env: &Env) -> Result<Status, PassError> {
    let source = env.settings.source.clone();
    let now_us = env.clock.now_us();
    let flow = &env.settings.flow;
    let accounts = [
        (source_domain(flow), env.source_limits().to_vec()),
        (target_domain(flow), env.target_limits().to_vec()),
    ];
    Ok(env
        .store
        .read(move |tx| {
            let scan = scans::last_finished(tx, &source)?;
            let waiting = documents::due(tx, i64::MAX, DOCUMENTS_MAX)?;
            let mut limits = Vec::new();
            for (domain, known) in accounts {
                let (used, paused_until_us) = used(tx, &domain, &known, now_us)?;
                limits.push(Account {
                    domain,
                    used,
                    paused_until_us,
                });
            }
            Ok(Status {
                limits,
                posting_off: settings::get(tx, POSTING_OFF)?.filter(|value| !value.is_empty()),
                last_scan_us: scan.as_ref().and_then(|scan| scan.finished_at_us),
                last_scan_rows: scan.map(|scan| scan.rows_seen),
                lines_waiting: waiting.iter().map(|document| document.unsettled).sum(),
                calls_open: attempts::list_open(tx)?.len(),
                exceptions: store::exceptions::count_by_code(tx)?.into_iter().collect(),
                counters: counters::list(tx, "")?,
            })
        })
        .await?)
}

//! Tracker, ledger and ERP side by side.
//!
//! It changes nothing, but it spends the quota of both systems, which the ledger counts; and beside
//! a pass it would see lines that are on their way as differences. So it waits for its turn.

use crate::failed::Failed;
use crate::operation::{Operation, Turn};
use crate::operations::pass::today;
use connector_sdk::source::DateWindow;
use jiff::civil::Date;
use pipeline::env::Env;
use pipeline::reconcile::Reconciliation;
use serde::{Deserialize, Serialize};

/// Which days; those of a pass if none are given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reconcile {
    /// The first day.
    pub from: Option<Date>,
    /// The last day.
    pub to: Option<Date>,
}

impl Operation for Reconcile {
    type Answer = Reconciliation;
    const PATH: &'static str = "/v1/reconciliations";
    const WORDS: &'static str = "a reconciliation";
    const TURN: Turn = Turn::Own;

    async fn perform(&self, env: &Env) -> Result<Reconciliation, Failed> {
        let usual = env.settings.window(today(env));
        let window = DateWindow {
            from: self.from.unwrap_or(usual.from),
            to: self.to.unwrap_or(usual.to),
        };
        Ok(pipeline::reconcile::reconcile(env, window).await?)
    }
}

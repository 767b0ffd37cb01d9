//! How the month ended: the reconciliation of the product, and the verdict of the judge.

use crate::commands::reconcile;
use crate::failure::Failure;
use crate::out;
use pipeline::env::Env;
use pipeline::reconcile::Reconciliation;
use serde_json::{Value, json};
use twins::firm::Expected;

/// The verdict (stand-in type until the judge is wired).
pub(super) type Verdict = Value;

/// How it ended.
pub(super) struct Ending {
    pub(super) seed: u64,
    pub(super) reconciliation: Reconciliation,
    pub(super) verdict: Verdict,
}

impl Ending {
    pub(super) fn is_good(&self) -> bool {
        self.reconciliation.ties_out()
    }

    pub(super) fn json(&self) -> Value {
        json!({"seed": self.seed, "verdict": self.verdict})
    }

    pub(super) fn print(&self) {
        reconcile::print(&self.reconciliation, false);
        out::line("");
    }
}

/// Ask the judge.
pub(super) async fn judge(_: &str, _: &str, _: &Expected, _: &Env) -> Result<Verdict, Failure> {
    Ok(Value::Null)
}

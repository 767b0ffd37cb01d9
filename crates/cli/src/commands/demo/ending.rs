//! How the month ended: the reconciliation of the product, and the verdict of the auditor.

use crate::commands::{contracts, reconcile};
use crate::out;
use pipeline::contracts::Figure;
use pipeline::reconcile::Reconciliation;
use serde_json::{Value, json};
use twins::auditor::Verdict;

/// The most problems that are printed one by one.
const PROBLEMS_SHOWN: usize = 20;

/// How it ended.
pub(super) struct Ending {
    /// The seed that plays it again.
    pub(super) seed: u64,
    /// What the product says.
    pub(super) reconciliation: Reconciliation,
    /// What the accounts of contracts hold.
    pub(super) figures: Vec<Figure>,
    /// What the auditor says, who read the two systems alone.
    pub(super) verdict: Verdict,
}

impl Ending {
    /// Whether both find everything explained.
    pub(super) fn is_good(&self) -> bool {
        self.reconciliation.ties_out() && self.verdict.is_good()
    }

    /// The ending as one object.
    pub(super) fn json(&self) -> Value {
        let verdict = &self.verdict;
        let unexplained: Vec<Value> = self
            .reconciliation
            .money
            .iter()
            .map(|total| {
                json!({"currency": total.currency, "unexplained_minor": total.unexplained_minor})
            })
            .collect();
        json!({
            "seed": self.seed,
            "good": self.is_good(),
            "entries": verdict.entries,
            "approved": verdict.approved,
            "posted": verdict.posted,
            "cost_only": verdict.cost_only,
            "agreed": verdict.agreed,
            "nothing_to_bill": verdict.nothing_to_bill,
            "withdrawn": verdict.withdrawn,
            "waiting": verdict.waiting,
            "exceptions": verdict.exceptions,
            "duplicates": verdict.duplicates,
            "lost": verdict.lost,
            "wrong": verdict.wrong,
            "not_told": verdict.not_told,
            "limit_breaches": verdict.limit_breaches,
            "problems": verdict.problems,
            "reconciliation": {
                "unexplained": self.reconciliation.unexplained,
                "money": unexplained,
                "classes": self.reconciliation.classes,
            },
        })
    }

    /// The ending for people.
    pub(super) fn print(&self) {
        reconcile::print(&self.reconciliation, false);
        out::line("\nwhat contracts count and bill beside hours:");
        contracts::print(self.figures.clone());
        let verdict = &self.verdict;
        out::line("\nthe auditor, who read the tracker and the ERP and never the ledger:");
        let open: u64 = verdict.exceptions.values().sum();
        out::line(&format!(
            "  {} approved = {} posted + {} cost only + {} nothing to bill + {open} open exceptions \
             + {} withdrawn",
            verdict.approved,
            verdict.posted,
            verdict.cost_only,
            verdict.nothing_to_bill,
            verdict.withdrawn
        ));
        out::line(&format!(
            "  {} amounts beside hours (fees, a milestone), each billed once",
            verdict.agreed
        ));
        for (code, count) in &verdict.exceptions {
            out::line(&format!("    {count:>4}  {code}"));
        }
        out::line(&format!(
            "  {} duplicates, {} lost, {} wrong, {} not told, {} requests over the limit",
            verdict.duplicates,
            verdict.lost,
            verdict.wrong,
            verdict.not_told,
            verdict.limit_breaches
        ));
        for problem in verdict.problems.iter().take(PROBLEMS_SHOWN) {
            out::line(&format!("  problem: {problem}"));
        }
        if verdict.problems.len() > PROBLEMS_SHOWN {
            out::line(&format!(
                "  and {} more",
                verdict.problems.len() - PROBLEMS_SHOWN
            ));
        }
        out::line(if self.is_good() {
            "every approved hour is accounted for, once and to the cent"
        } else {
            "NOT every approved hour is accounted for"
        });
        out::complain(&format!(
            "hint: --seed {} plays this month again",
            self.seed
        ));
    }
}

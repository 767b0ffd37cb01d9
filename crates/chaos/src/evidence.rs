//! What was done and what came of it, for people and for the repository.

use anyhow::Result;
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::Path;
use twins::auditor::Verdict;

/// The evidence of one run.
#[derive(Debug, Serialize)]
pub(crate) struct Evidence {
    /// The commit that was tested.
    pub(crate) commit: String,
    /// The day.
    pub(crate) day: String,
    /// Where the ledger was.
    pub(crate) store: &'static str,
    /// How many nodes shared it.
    pub(crate) nodes: usize,
    /// The seed.
    pub(crate) seed: u64,
    /// Processes killed with `kill -9`.
    pub(crate) kills: u64,
    /// The last point that each had passed.
    pub(crate) killed_after: BTreeMap<String, u64>,
    /// Times the database server was killed.
    pub(crate) database_cuts: u64,
    /// Times the disk was full.
    pub(crate) disk_full: u64,
    /// Processes that ended by themselves, by what they said.
    pub(crate) ended_by_themselves: BTreeMap<String, u64>,
    /// Requests in a pause that a killed process was told of and could not keep.
    pub(crate) pauses_unheard: usize,
    /// Entries that people booked meanwhile.
    pub(crate) booked_meanwhile: u64,
    /// Requests that the tracker and the ERP got.
    pub(crate) requests: (u64, u64),
    /// Seconds in all.
    pub(crate) seconds: i64,
    /// What the product counted: answers lost, duplicates prevented, take-overs.
    pub(crate) counters: BTreeMap<String, i64>,
    /// Whether `audit verify` found every row as it was written.
    pub(crate) audit_verified: bool,
    /// The auditor, from the twins alone.
    pub(crate) verdict: Verdict,
    /// Everything else that is wrong.
    pub(crate) problems: Vec<String>,
}

impl Evidence {
    /// Whether nothing is wrong.
    pub(crate) fn is_good(&self) -> bool {
        self.verdict.is_good() && self.audit_verified && self.problems.is_empty()
    }

    /// For people.
    pub(crate) fn in_words(&self) -> String {
        let verdict = &self.verdict;
        let mut lines = vec![format!(
            "{} kills on {} with {} node(s) in {} s, seed {}; the database was cut {} times, the disk \
             full {} times",
            self.kills,
            self.store,
            self.nodes,
            self.seconds,
            self.seed,
            self.database_cuts,
            self.disk_full
        )];
        lines.push(format!(
            "{} entries approved: {} posted, {} cost, {} withdrawn, {} exceptions; {} lost, {} \
             duplicate, {} wrong, {} not told, {} over the limit",
            verdict.approved,
            verdict.posted,
            verdict.cost_only,
            verdict.withdrawn,
            verdict.exceptions.values().sum::<u64>(),
            verdict.lost,
            verdict.duplicates,
            verdict.wrong,
            verdict.not_told,
            verdict.limit_breaches
        ));
        if self.pauses_unheard > 0 {
            lines.push(format!(
                "{} requests came in a pause that only a killed process had been told of",
                self.pauses_unheard
            ));
        }
        lines.push("killed after:".to_owned());
        for (step, count) in &self.killed_after {
            lines.push(format!("  {step:<20} {count:>6}"));
        }
        for (words, count) in &self.ended_by_themselves {
            lines.push(format!("ended by itself {count} times: {words}"));
        }
        for problem in verdict.problems.iter().chain(&self.problems).take(20) {
            lines.push(format!("PROBLEM: {problem}"));
        }
        lines.push(if self.is_good() {
            "every approved hour is there once".to_owned()
        } else {
            "NOT every approved hour is accounted for".to_owned()
        });
        lines.join("\n")
    }

    /// Write it.
    pub(crate) fn keep(&self, path: &Path) -> Result<()> {
        std::fs::write(path, serde_json::to_string_pretty(self)? + "\n")?;
        Ok(())
    }
}

//! Posting: intent before the call, outcome after, look-up when in doubt. Each document is a lane of
//! its own: its calls follow each other, and those of several documents are under way side by side, as many as
//! the account allows.

mod doubts;
mod lane;

use crate::env::{Env, Note, Terms};
use crate::error::PassError;
use crate::outcome::{SettleAttempt, Settlement};
use connector_sdk::manifest::Limit;
use domain::exception::{Code, Problem};
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use lane::{Lane, Step};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, VecDeque};
use store::attempts::AttemptRow;
use store::documents::{self, DocumentRow};

/// The setting that stops posting; its value says why.
pub const POSTING_OFF: &str = "posting_off";
/// Documents looked at in one round.
const DOCUMENTS_ROUND: i64 = 256;

/// What a posting pass came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct PostResult {
    /// Lines that reached the ERP.
    pub posted: u64,
    /// Lines found there already and adopted.
    pub adopted: u64,
    /// Lines the ERP refused.
    pub rejected: u64,
    /// Calls made.
    pub calls: u64,
    /// Answers lost.
    pub doubts: u64,
    /// Lines that still wait when the pass ended.
    pub left: u64,
}

impl PostResult {
    /// Add what another part of the pass came to.
    const fn add(&mut self, other: Self) {
        self.posted += other.posted;
        self.adopted += other.adopted;
        self.rejected += other.rejected;
        self.calls += other.calls;
        self.doubts += other.doubts;
    }

    /// Lines that this pass settled.
    const fn done(&self) -> u64 {
        self.posted + self.adopted + self.rejected
    }
}

/// A pass over everything that is due, until nothing is or patience ends.
pub async fn post_all(env: &Env, terms: &Terms) -> Result<PostResult, PassError> {
    let mut worker = Worker {
        env,
        terms,
        result: PostResult::default(),
        smaller: BTreeMap::new(),
        patience_us: env.clock.now_us().saturating_add(
            i64::try_from(env.settings.patience_ms)
                .unwrap_or(0)
                .saturating_mul(1000),
        ),
    };
    worker.run().await?;
    let mut result = worker.result;
    result.left = left(env).await?;
    Ok(result)
}

async fn left(env: &Env) -> Result<u64, PassError> {
    let documents = env
        .store
        .read(|tx| documents::due(tx, i64::MAX, 100_000))
        .await?;
    Ok(documents
        .iter()
        .map(|d| u64::try_from(d.unsettled).unwrap_or(0))
        .sum())
}

struct Worker<'a> {
    env: &'a Env,
    terms: &'a Terms,
    result: PostResult,
    /// Halves of refused batches still to be tried on their own, by document.
    smaller: BTreeMap<[u8; 16], VecDeque<Vec<i64>>>,
    patience_us: i64,
}

/// How many calls may be under way at once: what the account allows, and what the connector can.
fn calls_at_once(env: &Env) -> usize {
    let allowed = env.target_limits().iter().filter_map(|limit| match limit {
        Limit::Concurrency { requests } => usize::try_from(*requests).ok(),
        _ => None,
    });
    let able = env.target.manifest().calls_at_once;
    allowed.chain([able]).min().unwrap_or(able).max(1)
}

impl Worker<'_> {
    async fn run(&mut self) -> Result<(), PassError> {
        let total = left(self.env).await?;
        self.env
            .progress
            .hear(Note::Stage("posting to the ERP", Some(total)));
        let mut done_before = 0;
        loop {
            let (resolved, doubts_until_us) = self.resolve_doubts().await?;
            let now_us = self.env.clock.now_us();
            let mut due = self
                .env
                .store
                .read(move |tx| documents::due(tx, now_us, DOCUMENTS_ROUND))
                .await?;
            // What closes first goes first.
            due.sort_by(|one, other| one.period.cmp(&other.period));
            let mut worked = resolved;
            let mut wait_us = doubts_until_us.unwrap_or(i64::MAX);
            let (lanes_worked, lanes_until_us) = self.lanes(due).await?;
            worked |= lanes_worked;
            wait_us = wait_us.min(lanes_until_us);
            // Calls whose answer is lost again and again are work without end: a pass that settles
            // nothing any more stops when its patience does, and the next one goes on.
            let settles = self.result.done() > done_before;
            done_before = self.result.done();
            if worked && (settles || self.env.clock.now_us() <= self.patience_us) {
                continue;
            }
            let next = self
                .env
                .store
                .read(move |tx| documents::next_due(tx, now_us))
                .await?;
            wait_us = wait_us.min(next.unwrap_or(i64::MAX));
            if wait_us > self.patience_us || worked {
                return Ok(());
            }
            self.env.wait_until(wait_us).await?;
        }
    }

    /// Go on with documents side by side: whether anything was done, and when there is more to do.
    /// No call is dropped while it is under way: an error is told when all lanes have come to a stop.
    async fn lanes(&mut self, due: Vec<DocumentRow>) -> Result<(bool, i64), PassError> {
        let at_once = calls_at_once(self.env);
        let mut waiting = VecDeque::from(due);
        let mut under_way = FuturesUnordered::new();
        let (mut worked, mut wait_us, mut failed) = (false, i64::MAX, None);
        loop {
            while under_way.len() < at_once
                && failed.is_none()
                && let Some(document) = waiting.pop_front()
            {
                let halves = self.smaller.remove(&document.document_id);
                let lane = Lane::new(self.env, self.terms, document, halves.unwrap_or_default());
                under_way.push(lane.go_on());
            }
            let Some(done) = under_way.next().await else {
                break;
            };
            self.result.add(done.result);
            if !done.halves.is_empty() {
                self.smaller.insert(done.document_id, done.halves);
            }
            worked |= done.worked;
            match done.step {
                Ok(Step::NotBefore(at_us)) => wait_us = wait_us.min(at_us),
                Ok(Step::Worked | Step::Idle) => {}
                // A process that died takes all its lanes with it.
                Err(error @ PassError::Crashed(_)) => return Err(error),
                Err(error) => failed = failed.or(Some(error)),
            }
            self.env.progress.hear(Note::Step(self.result.done()));
        }
        failed.map_or(Ok((worked, wait_us)), Err)
    }
}

/// Write down what an attempt came to.
async fn settle(
    env: &Env,
    terms: &Terms,
    attempt: &AttemptRow,
    outcome: &str,
    settlements: BTreeMap<i64, Settlement>,
    erp_ref: Option<String>,
) -> Result<(), PassError> {
    let settle = SettleAttempt {
        terms: terms.clone(),
        attempt_id: attempt.attempt_id,
        document_id: attempt.document_id,
        outcome: outcome.to_owned(),
        settlements,
        erp_ref,
    };
    env.write(settle).await
}

/// What is wrong with an open attempt, for the exception queue.
pub fn doubt_problem(words: Option<&str>) -> Problem {
    let facts = words.map_or_else(
        || "the process ended during the call".to_owned(),
        str::to_owned,
    );
    Problem::new(Code::AnswerUnknown, facts)
}

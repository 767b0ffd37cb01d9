//! Posting: intent before the call, outcome after, look-up when in doubt. The only code that calls
//! [`connector_sdk::target::Target::post`].

use crate::compare::{judge_found, other_content};
use crate::crash::CrashPoint;
use crate::env::{Env, Note, Terms, erp, inconsistent};
use crate::error::PassError;
use crate::intent::{Claim, WriteIntent};
use crate::outcome::{DoubtAttempt, SettleAttempt, Settlement};
use crate::payload::batch_of;
use crate::postings::{document_shape, document_state, kind_of, members};
use crate::states;
use connector_sdk::call::CallError;
use connector_sdk::target::{Call, LineOutcome, PostBatch};
use domain::exception::{Code, Problem};
use domain::posting::PostingKind;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, VecDeque};
use store::attempts::{self, AttemptRow};
use store::documents::{self, DocumentRow};
use store::postings::{self, PostingRow};

/// The setting that stops posting; its value says why.
pub const POSTING_OFF: &str = "posting_off";
/// The first wait after a call that was surely not executed, in milliseconds; it doubles.
const BACKOFF_FIRST_MS: u64 = 500;
/// The longest such wait.
const BACKOFF_MAX_MS: u64 = 60_000;
/// The least pause between two look-ups of one attempt, in microseconds.
const LOOK_UP_PAUSE_US: i64 = 1_000_000;
/// Documents looked at in one round.
const DOCUMENTS_ROUND: i64 = 64;

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

enum Step {
    Worked,
    NotBefore(i64),
    Idle,
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
            let due = self
                .env
                .store
                .read(move |tx| documents::due(tx, now_us, DOCUMENTS_ROUND))
                .await?;
            let mut worked = resolved;
            let mut wait_us = doubts_until_us.unwrap_or(i64::MAX);
            for document in due {
                match self.one_document(document).await? {
                    Step::Worked => worked = true,
                    Step::NotBefore(at_us) => wait_us = wait_us.min(at_us),
                    Step::Idle => {}
                }
                self.env.progress.hear(Note::Step(self.result.done()));
            }
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

    /// Look up what is in doubt: whether something was resolved, and when the next look-up of what
    /// is still in doubt can prove anything.
    async fn resolve_doubts(&mut self) -> Result<(bool, Option<i64>), PassError> {
        let open = self.env.store.read(attempts::list_open).await?;
        let (mut resolved, mut wait_us) = (false, None);
        for attempt in open {
            match self.resolve(attempt).await? {
                None => resolved = true,
                Some(at_us) => {
                    wait_us = Some(wait_us.map_or(at_us, |before: i64| before.min(at_us)));
                }
            }
        }
        Ok((resolved, wait_us))
    }

    /// `None` when it is resolved, else when the next look-up can prove anything.
    async fn resolve(&mut self, attempt: AttemptRow) -> Result<Option<i64>, PassError> {
        let env = self.env;
        let document_id = attempt.document_id;
        let numbers = members(&attempt);
        let (document, rows) = env
            .store
            .read(move |tx| {
                let document = crate::postings::document_of(tx, &document_id)?;
                let mut rows = Vec::new();
                for number in numbers {
                    rows.extend(postings::get(tx, &document_id, number)?);
                }
                Ok((document, rows))
            })
            .await?;
        let kind = rows
            .first()
            .map(kind_of)
            .transpose()?
            .unwrap_or(PostingKind::CreateLine);
        let shape = document_shape(&document)?;
        env.pass(CrashPoint::LookUpDue)?;
        let keys: Vec<String> = rows.iter().map(|row| row.line_key.clone()).collect();
        let found = env.target.look_up(shape, &keys).await.map_err(erp)?;
        env.pass(CrashPoint::LookUpReturned)?;
        let now_us = env.clock.now_us();
        // Absence is proven by time alone, also where the ERP keeps keys unique: what is thought
        // absent may be planned anew under another key when its document is issued meanwhile.
        let proven = now_us >= attempt.look_up_after_us;
        let terms = self.terms;
        let batch = {
            let (terms, document, rows) = (terms.clone(), document.clone(), rows.clone());
            env.store
                .read(move |tx| batch_of(tx, &terms, &document, &rows))
                .await?
        };
        let mut settlements = BTreeMap::new();
        for (row, line) in rows.iter().zip(&batch.lines) {
            let here = found.iter().find(|found| found.line_key == row.line_key);
            let settled = judge_found(shape, kind, line, here);
            let settlement = match settled {
                Some(settlement) => settlement,
                None if proven => Settlement::Again {
                    due_at_us: now_us,
                    tried: true,
                },
                None => {
                    return Ok(Some(
                        attempt
                            .look_up_after_us
                            .max(now_us.saturating_add(LOOK_UP_PAUSE_US)),
                    ));
                }
            };
            settlements.insert(row.posting_no, settlement);
        }
        let here = settlements
            .values()
            .filter(|s| matches!(s, Settlement::Posted { .. }))
            .count();
        self.result.adopted += u64::try_from(here).unwrap_or(0);
        let erp_ref = found.iter().find_map(|line| line.document_ref.clone());
        self.settle(&attempt, "looked up", settlements, erp_ref)
            .await?;
        env.pass(CrashPoint::LookUpWritten)?;
        Ok(None)
    }

    async fn settle(
        &self,
        attempt: &AttemptRow,
        outcome: &str,
        settlements: BTreeMap<i64, Settlement>,
        erp_ref: Option<String>,
    ) -> Result<(), PassError> {
        let settle = SettleAttempt {
            terms: self.terms.clone(),
            attempt_id: attempt.attempt_id,
            document_id: attempt.document_id,
            outcome: outcome.to_owned(),
            settlements,
            erp_ref,
        };
        self.env.write(settle).await
    }

    async fn one_document(&mut self, document: DocumentRow) -> Result<Step, PassError> {
        let env = self.env;
        if !document_state(&document)?.takes_lines() {
            states::move_unsent(env, self.terms, document.document_id).await?;
            return Ok(Step::Worked);
        }
        if document.erp_ref.is_none() && self.meet_document(&document).await? {
            return Ok(Step::Worked);
        }
        let rows = self.choose(&document).await?;
        let Some(first) = rows.first() else {
            return Ok(Step::Idle);
        };
        if first.due_at_us > env.clock.now_us() {
            return Ok(Step::NotBefore(first.due_at_us));
        }
        env.pass(CrashPoint::BatchChosen)?;
        let (terms, of, chosen) = (self.terms.clone(), document.clone(), rows.clone());
        let batch = env
            .store
            .read(move |tx| batch_of(tx, &terms, &of, &chosen))
            .await?;
        let manifest = env.target.manifest();
        let intent = WriteIntent {
            flow: env.settings.flow.clone(),
            document: document.clone(),
            payload: serde_json::to_vec(&batch)
                .map_err(|error| inconsistent(format!("a call does not write: {error}")))?,
            verb: verb(batch.kind),
            attempt_key_seed: format!(
                "{}:{}",
                rows.iter().map(|row| row.tries).max().unwrap_or(0),
                document.document_key
            ),
            timeout_ms: manifest.write_timeout_ms,
            send_within_ms: env.settings.send_within_ms,
            proof_after_ms: manifest
                .longest_call_ms
                .saturating_add(env.settings.settle_ms),
            limits: manifest.limits.clone(),
            rows: rows.clone(),
        };
        match env.write(intent).await? {
            Claim::Moved => Ok(Step::Idle),
            Claim::NotBefore(at_us) => Ok(Step::NotBefore(at_us)),
            Claim::Granted(attempt) => {
                env.pass(CrashPoint::IntentWritten)?;
                self.call(&document, &rows, &batch, *attempt).await?;
                env.pass(CrashPoint::OutcomeWritten)?;
                Ok(Step::Worked)
            }
        }
    }

    /// Before the first line of a document: does the ERP have it already? (A restored ledger does
    /// not know.) True if the ledger learnt something.
    async fn meet_document(&self, document: &DocumentRow) -> Result<bool, PassError> {
        let env = self.env;
        let shape = document_shape(document)?;
        let key = &document.document_key;
        let Some(report) = env.target.look_up_document(shape, key).await.map_err(erp)? else {
            return Ok(false);
        };
        states::learn(env, self.terms, document.document_id, report).await?;
        Ok(true)
    }

    /// The lines of the next call: one kind, in order, at most what the target takes.
    async fn choose(&mut self, document: &DocumentRow) -> Result<Vec<PostingRow>, PassError> {
        let id = document.document_id;
        let now_us = self.env.clock.now_us();
        if let Some(half) = self.smaller.get_mut(&id).and_then(VecDeque::pop_front) {
            let rows = self
                .env
                .store
                .read(move |tx| {
                    let mut rows = Vec::new();
                    for number in half {
                        rows.extend(postings::get(tx, &id, number)?.filter(sendable));
                    }
                    Ok(rows)
                })
                .await?;
            if !rows.is_empty() {
                return Ok(rows);
            }
        }
        let most = self.env.target.manifest().batch_lines_max.max(1);
        let rows = self
            .env
            .store
            .read(move |tx| postings::list_in(tx, &id, &["ready", "waiting"], most))
            .await?;
        let mut due: Vec<PostingRow> = rows
            .iter()
            .filter(|row| row.due_at_us <= now_us)
            .cloned()
            .collect();
        if due.is_empty() {
            return Ok(rows
                .into_iter()
                .min_by_key(|row| row.due_at_us)
                .into_iter()
                .collect());
        }
        let kind = due.first().map(|row| row.kind.clone()).unwrap_or_default();
        due.retain(|row| row.kind == kind);
        Ok(due)
    }

    async fn call(
        &mut self,
        document: &DocumentRow,
        rows: &[PostingRow],
        batch: &PostBatch,
        attempt: AttemptRow,
    ) -> Result<(), PassError> {
        let env = self.env;
        let call = Call {
            attempt_key: attempt.attempt_key.clone(),
            timeout_ms: env.target.manifest().write_timeout_ms,
            send_not_after_us: attempt.send_not_after_us,
        };
        self.result.calls += 1;
        let answer = env.target.post(&call, batch).await;
        env.pass(CrashPoint::CallReturned)?;
        match answer {
            Ok(outcomes) if outcomes.len() == rows.len() => {
                if self.was_closed(document, &outcomes).await? {
                    let now_us = env.clock.now_us();
                    let words = "the document has changed";
                    return self.again(rows, &attempt, words, now_us, false).await;
                }
                self.write_outcomes(rows, batch, &attempt, outcomes).await
            }
            Ok(outcomes) => {
                let words = format!(
                    "{} outcomes for {} lines",
                    outcomes.len(),
                    batch.lines.len()
                );
                self.doubt(&attempt, words.clone()).await?;
                Err(erp(CallError::Contract { words }))
            }
            Err(CallError::Refused { problem }) => {
                self.refused(document, rows, &attempt, problem).await
            }
            Err(CallError::Ambiguous { words }) => {
                self.result.doubts += 1;
                self.doubt(&attempt, words).await
            }
            Err(CallError::Contract { words }) => {
                // An answer nobody understands says nothing about what was done.
                self.doubt(&attempt, words.clone()).await?;
                Err(erp(CallError::Contract { words }))
            }
            Err(CallError::Unauthorized { words }) => {
                let now_us = env.clock.now_us();
                self.again(rows, &attempt, "not authorised", now_us, false)
                    .await?;
                Err(erp(CallError::Unauthorized { words }))
            }
            Err(CallError::Throttled {
                words,
                retry_after_ms,
            }) => {
                let until_us = self.back_off(rows, retry_after_ms);
                self.again(rows, &attempt, &words, until_us, false).await
            }
            Err(CallError::NotExecuted {
                words,
                retry_after_ms,
            }) => {
                let until_us = self.back_off(rows, retry_after_ms);
                let tries = rows.iter().map(|row| row.tries).max().unwrap_or(0);
                self.again(rows, &attempt, &words, until_us, true).await?;
                if tries >= env.settings.tries_max {
                    return Err(erp(CallError::NotExecuted {
                        words,
                        retry_after_ms,
                    }));
                }
                Ok(())
            }
        }
    }

    fn back_off(&self, rows: &[PostingRow], retry_after_ms: Option<u64>) -> i64 {
        let tries = rows.iter().map(|row| row.tries).max().unwrap_or(0);
        let doubled = u32::try_from(tries.min(10)).unwrap_or(10);
        let wait_ms = retry_after_ms.unwrap_or_else(|| {
            BACKOFF_FIRST_MS
                .saturating_mul(1 << doubled)
                .min(BACKOFF_MAX_MS)
        });
        let wait_us = i64::try_from(wait_ms)
            .unwrap_or(i64::MAX / 2000)
            .saturating_mul(1000);
        self.env.clock.now_us().saturating_add(wait_us)
    }

    async fn doubt(&self, attempt: &AttemptRow, words: String) -> Result<(), PassError> {
        let doubt = DoubtAttempt {
            attempt_id: attempt.attempt_id,
            document_id: attempt.document_id,
            words,
        };
        self.env.write(doubt).await?;
        Ok(())
    }

    async fn again(
        &self,
        rows: &[PostingRow],
        attempt: &AttemptRow,
        words: &str,
        due_at_us: i64,
        tried: bool,
    ) -> Result<(), PassError> {
        let settlements = rows
            .iter()
            .map(|row| (row.posting_no, Settlement::Again { due_at_us, tried }))
            .collect();
        self.settle(attempt, words, settlements, None).await
    }

    async fn write_outcomes(
        &mut self,
        rows: &[PostingRow],
        batch: &PostBatch,
        attempt: &AttemptRow,
        outcomes: Vec<LineOutcome>,
    ) -> Result<(), PassError> {
        let mut settlements = BTreeMap::new();
        let mut erp_ref = None;
        for ((row, line), outcome) in rows.iter().zip(&batch.lines).zip(outcomes) {
            let settlement = match outcome {
                LineOutcome::Done {
                    line_ref,
                    document_ref,
                } => {
                    erp_ref = erp_ref.or(document_ref);
                    self.result.posted += 1;
                    Settlement::Posted { line_ref }
                }
                LineOutcome::AlreadyThere(found) => {
                    erp_ref = erp_ref.or_else(|| found.document_ref.clone());
                    let settled = judge_found(batch.document.shape, batch.kind, line, Some(&found));
                    if matches!(settled, Some(Settlement::Posted { .. })) {
                        self.result.adopted += 1;
                    }
                    settled.unwrap_or_else(|| Settlement::Rejected(other_content(line, &found)))
                }
                LineOutcome::Refused(problem) => {
                    self.result.rejected += 1;
                    Settlement::Rejected(problem)
                }
            };
            settlements.insert(row.posting_no, settlement);
        }
        self.settle(attempt, "answered", settlements, erp_ref).await
    }

    /// Whether every line was refused since somebody issued or withdrew the document after the
    /// lines were planned. The ledger has learnt it then, and the next plan opens the next document.
    async fn was_closed(
        &self,
        document: &DocumentRow,
        outcomes: &[LineOutcome],
    ) -> Result<bool, PassError> {
        let closed = |outcome: &LineOutcome| matches!(outcome, LineOutcome::Refused(problem) if problem.code == Code::DocumentClosed);
        let refused = |outcome: &LineOutcome| matches!(outcome, LineOutcome::Refused(_));
        if !outcomes.iter().any(closed) || !outcomes.iter().all(refused) {
            return Ok(false);
        }
        states::refresh_one(self.env, self.terms, document).await
    }

    /// The whole call was refused and nothing of it was done: halve it, or face the one bad line.
    async fn refused(
        &mut self,
        document: &DocumentRow,
        rows: &[PostingRow],
        attempt: &AttemptRow,
        problem: Problem,
    ) -> Result<(), PassError> {
        let now_us = self.env.clock.now_us();
        if states::refresh_one(self.env, self.terms, document).await? {
            // Somebody issued or deleted the draft in the meantime: that was the reason.
            return self
                .again(rows, attempt, "the document has changed", now_us, false)
                .await;
        }
        if rows.len() > 1 {
            let (left, right) = rows.split_at(rows.len() / 2);
            let halves = self.smaller.entry(document.document_id).or_default();
            for half in [right, left] {
                halves.push_front(half.iter().map(|row| row.posting_no).collect());
            }
            return self
                .again(rows, attempt, "refused as a whole, halved", now_us, false)
                .await;
        }
        self.result.rejected += 1;
        let settlements = rows
            .iter()
            .map(|row| (row.posting_no, Settlement::Rejected(problem.clone())))
            .collect();
        self.settle(attempt, "refused", settlements, None).await
    }
}

fn sendable(row: &PostingRow) -> bool {
    matches!(row.state.as_str(), "ready" | "waiting")
}

const fn verb(kind: PostingKind) -> &'static str {
    match kind {
        PostingKind::CreateLine => "create",
        PostingKind::ReplaceLine => "replace",
        PostingKind::DeleteLine => "delete",
        PostingKind::Credit => "credit",
        PostingKind::Difference => "difference",
        PostingKind::Void => "void",
    }
}

/// What is wrong with an open attempt, for the exception queue.
pub fn doubt_problem(words: Option<&str>) -> Problem {
    let facts = words.map_or_else(
        || "the process ended during the call".to_owned(),
        str::to_owned,
    );
    Problem::new(Code::AnswerUnknown, facts)
}

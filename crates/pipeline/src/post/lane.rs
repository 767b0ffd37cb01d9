//! One document: its lines are chosen, called and settled, one call after the other. The only code that
//! calls [`connector_sdk::target::Target::post`].

use super::{PostResult, settle};
use crate::compare::{judge_found, other_content};
use crate::crash::CrashPoint;
use crate::env::{Env, Terms, erp, inconsistent};
use crate::error::PassError;
use crate::intent::{Claim, WriteIntent};
use crate::outcome::{DoubtAttempt, Settlement};
use crate::payload::batch_of;
use crate::postings::{document_shape, document_state};
use crate::states;
use connector_sdk::call::CallError;
use connector_sdk::target::{Call, LineOutcome, PostBatch};
use domain::exception::{Code, Problem};
use domain::posting::PostingKind;
use std::collections::{BTreeMap, VecDeque};
use store::attempts::AttemptRow;
use store::documents::DocumentRow;
use store::postings::{self, PostingRow};

/// The first wait after a call that was surely not executed, in milliseconds; it doubles.
const BACKOFF_FIRST_MS: u64 = 500;
/// The longest such wait.
const BACKOFF_MAX_MS: u64 = 60_000;
/// Steps of one document before others get their turn again.
const STEPS_MAX: u32 = 16;

/// What a step came to.
pub(super) enum Step {
    /// Something was done.
    Worked,
    /// There is something to do at an instant (microseconds).
    NotBefore(i64),
    /// There is nothing to do.
    Idle,
}

/// One document with what is under way for it.
pub(super) struct Lane<'a> {
    env: &'a Env,
    terms: &'a Terms,
    document: DocumentRow,
    result: PostResult,
    /// Halves of refused batches still to be tried on their own.
    halves: VecDeque<Vec<i64>>,
}

/// A lane that has come to a stop.
pub(super) struct Done {
    pub(super) document_id: [u8; 16],
    pub(super) result: PostResult,
    pub(super) halves: VecDeque<Vec<i64>>,
    /// Whether any step did something.
    pub(super) worked: bool,
    /// The last step.
    pub(super) step: Result<Step, PassError>,
}

impl<'a> Lane<'a> {
    /// A document that is due.
    pub(super) fn new(
        env: &'a Env,
        terms: &'a Terms,
        document: DocumentRow,
        halves: VecDeque<Vec<i64>>,
    ) -> Self {
        Self {
            env,
            terms,
            document,
            result: PostResult::default(),
            halves,
        }
    }

    /// Step after step, until there is nothing to do just now.
    pub(super) async fn go_on(mut self) -> Done {
        let mut worked = false;
        let mut step = Ok(Step::Idle);
        for _ in 0..STEPS_MAX {
            step = self.step().await;
            if !matches!(step, Ok(Step::Worked)) {
                break;
            }
            worked = true;
            match self.read_again().await {
                Ok(true) => {}
                Ok(false) => break,
                Err(error) => {
                    step = Err(error);
                    break;
                }
            }
        }
        Done {
            document_id: self.document.document_id,
            result: self.result,
            halves: self.halves,
            worked,
            step,
        }
    }

    /// The document as it is after a step. False if there is nothing to do for it, or a call of it is in
    /// doubt.
    async fn read_again(&mut self) -> Result<bool, PassError> {
        let (id, now_us) = (self.document.document_id, self.env.clock.now_us());
        let read = self.env.store.read(move |tx| {
            let document = crate::postings::document_of(tx, &id)?;
            Ok((document, store::attempts::open(tx, &id)?.is_some()))
        });
        let (document, is_open) = read.await?;
        self.document = document;
        Ok(!is_open && self.document.unsettled > 0 && self.document.due_at_us <= now_us)
    }

    async fn step(&mut self) -> Result<Step, PassError> {
        let (env, document) = (self.env, self.document.clone());
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
            limits: env.target_limits().to_vec(),
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
        if let Some(half) = self.halves.pop_front() {
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
        settle(self.env, self.terms, attempt, words, settlements, None).await
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
        settle(
            self.env,
            self.terms,
            attempt,
            "answered",
            settlements,
            erp_ref,
        )
        .await
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
            for half in [right, left] {
                self.halves
                    .push_front(half.iter().map(|row| row.posting_no).collect());
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
        settle(self.env, self.terms, attempt, "refused", settlements, None).await
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

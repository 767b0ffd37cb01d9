//! The exception queue for people: what is wrong, in words, with money and age; and its replay.

use crate::admit::settle_judgement;
use crate::book::Judgement;
use crate::books::{Books, admission};
use crate::env::{Env, Terms, inconsistent};
use crate::error::PassError;
use crate::facts::{self, ExceptionFacts, FixedFacts, ItemFacts};
use crate::group::{judge_one, waits_for_a_person};
use crate::outcome::after_settling;
use crate::post::doubt_problem;
use crate::postings::{document_of, document_shape, kind_of, state_of};
use crate::shared;
use crate::stake::{Stake, stake_of, stake_of_line};
use crate::states::{find_lines, plan_again};
use crate::strand::active_by_part;
use crate::survey;
use connector_sdk::target::{FoundLine, Shape};
use domain::exception::{Code, OwnerRole, Problem};
use domain::ids::{ItemId, digest16};
use domain::item::ItemState;
use domain::money::Money;
use domain::posting::{DocumentState, PostingEvent, PostingState};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use store::exceptions::ExceptionRow;
use store::items::{self, ItemRow};
use store::postings::{self, PostingChange, PostingRow};
use store::{
    Abort, Command, Guard, GuardSet, Pointer, ReadTx, StoreError, Tx, attempts, charges, strays,
};

/// Exceptions read in one list.
const LIST_MAX: i64 = 100_000;

/// One exception, as people read it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Exception {
    /// By what to name it: the item.
    pub id: String,
    /// The stable code.
    pub code: String,
    /// What happened.
    pub sentence: String,
    /// The facts of this case.
    pub facts: String,
    /// The ERP's own words, if it spoke.
    pub erp_words: Option<String>,
    /// What to do.
    pub remedy: String,
    /// Who does it.
    pub owner: OwnerRole,
    /// The money at stake.
    #[serde(flatten)]
    pub stake: Stake,
    /// Recorded hours, in millionths.
    pub recorded_seconds: i64,
    /// The source's id of the entry.
    pub source_ref: String,
    /// The day of the work.
    pub work_date: String,
    /// Since when, microseconds since the epoch.
    pub since_us: i64,
}

/// The queue, from the oldest, filtered by code when one is given.
pub async fn list(env: &Env, code: Option<String>) -> Result<Vec<Exception>, PassError> {
    Ok(env
        .store
        .read(move |tx| {
            let rows = store::exceptions::list(tx, code.as_deref(), 0, LIST_MAX)?;
            let mut all = Vec::new();
            for row in rows {
                all.extend(describe(tx, &row)?);
            }
            Ok(all)
        })
        .await?)
}

/// An attempt in doubt concerns all of its lines; each other row concerns one item.
fn describe(tx: &mut ReadTx<'_>, row: &ExceptionRow) -> Result<Vec<Exception>, StoreError> {
    let mut found = Vec::new();
    match (&row.item_id, &row.attempt_id) {
        (Some(item_id), _) => {
            let known: Option<ExceptionFacts> = match row.fact {
                Some(at) => facts::open(tx, at)?,
                None => None,
            };
            let code = Code::from_text(&row.code)
                .ok_or_else(|| inconsistent(format!("exception code '{}'", row.code)))?;
            let known = known.unwrap_or_else(|| ExceptionFacts {
                problem: Problem::new(code, "the facts were shredded"),
                estimate: None,
            });
            found.push(of_item(tx, item_id, known, row.amount_minor, row.since_us)?);
        }
        (None, Some(attempt_id)) => {
            let Some(attempt) = attempts::get(tx, attempt_id)? else {
                return Ok(found);
            };
            let problem = doubt_problem(attempt.outcome.as_deref());
            for number in crate::postings::members(&attempt) {
                if let Some(posting) = postings::get(tx, &attempt.document_id, number)? {
                    let known = ExceptionFacts {
                        problem: problem.clone(),
                        estimate: None,
                    };
                    let moved = Some(posting.amount_minor);
                    found.push(of_item(tx, &posting.item_id, known, moved, row.since_us)?);
                }
            }
        }
        (None, None) => {
            if let (Some(key), Some(at)) = (&row.line_key, row.fact) {
                found.extend(of_nobody(tx, key, at, row.since_us)?);
            }
        }
    }
    Ok(found)
}

/// By what a line of no known entry is named.
fn nobody(line_key: &str) -> ItemId {
    ItemId(digest16("stray", &[line_key.as_bytes()]))
}

/// A line of the ERP that belongs to no entry the ledger knows.
fn of_nobody(
    tx: &mut ReadTx<'_>,
    line_key: &str,
    fact: Pointer,
    since_us: i64,
) -> Result<Option<Exception>, StoreError> {
    let Some(row) = strays::get(tx, line_key)? else {
        return Ok(None);
    };
    let known: Option<Problem> = facts::open(tx, fact)?;
    let code = Code::LineNotInLedger;
    let money = row.amount_minor.zip(row.currency.as_deref());
    let booked = money.and_then(|(amount_minor, currency)| {
        let currency = currency.parse().ok()?;
        Some(Money {
            amount_minor,
            currency,
        })
    });
    Ok(Some(Exception {
        id: nobody(line_key).to_string(),
        code: code.text().to_owned(),
        sentence: code.sentence().to_owned(),
        facts: known.map_or_else(|| "the facts were shredded".to_owned(), |p| p.facts),
        erp_words: None,
        remedy: code.remedy().to_owned(),
        owner: code.owner(),
        stake: Stake {
            booked,
            no_amount_because: booked
                .is_none()
                .then(|| "the ERP prices the line itself".to_owned()),
            ..Stake::default()
        },
        recorded_seconds: row.quantity_micro.saturating_mul(3_600) / 1_000_000,
        source_ref: String::new(),
        work_date: String::new(),
        since_us,
    }))
}

fn of_item(
    tx: &mut ReadTx<'_>,
    item_id: &[u8; 16],
    known: ExceptionFacts,
    posting_minor: Option<i64>,
    since_us: i64,
) -> Result<Exception, StoreError> {
    let item =
        items::get(tx, item_id)?.ok_or_else(|| inconsistent("an exception without its item"))?;
    let rows = charges::list_for_item(tx, item_id)?;
    let problem = known.problem;
    let code = problem.code;
    Ok(Exception {
        id: ItemId(*item_id).to_string(),
        code: code.text().to_owned(),
        sentence: code.sentence().to_owned(),
        facts: problem.facts,
        erp_words: problem.erp_words,
        remedy: code.remedy().to_owned(),
        owner: code.owner(),
        stake: if shared::is_line(&item) {
            stake_of_line(&rows, posting_minor)
        } else {
            stake_of(&rows, posting_minor, known.estimate)?
        },
        recorded_seconds: item.recorded_seconds,
        source_ref: item.source_ref,
        work_date: item.work_date,
        since_us,
    })
}

/// Which exceptions to take up again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Choice {
    /// All of them.
    All,
    /// Those with a code.
    Code(Code),
    /// Those of some items.
    Items(Vec<ItemId>),
}

/// What a replay came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Replayed {
    /// Items taken up.
    pub taken_up: u64,
    /// Of these, solved.
    pub solved: u64,
    /// Of these, still in the queue.
    pub still_open: u64,
}

impl Replayed {
    fn count(&mut self, solved: bool) {
        self.taken_up += 1;
        self.solved += u64::from(solved);
        self.still_open += u64::from(!solved);
    }
}

/// Take up exceptions again with the terms of now.
pub async fn replay(
    env: &Env,
    terms: &Terms,
    choice: &Choice,
    actor: &str,
) -> Result<Replayed, PassError> {
    let filter = match choice {
        Choice::Code(code) => Some(code.text().to_owned()),
        Choice::All | Choice::Items(_) => None,
    };
    let rows = env
        .store
        .read(move |tx| store::exceptions::list(tx, filter.as_deref(), 0, LIST_MAX))
        .await?;
    let wanted = |id: &[u8; 16]| match choice {
        Choice::All | Choice::Code(_) => true,
        Choice::Items(items) => items.iter().any(|item| item.bytes() == *id),
    };
    let mut result = Replayed::default();
    let mut looked_at = BTreeSet::new();
    for row in rows {
        if let (None, Some(key)) = (row.item_id, row.line_key) {
            let named = wanted(&nobody(&key).bytes());
            if named {
                env.go_on()?;
                let by_name = matches!(choice, Choice::Items(_));
                let solved = survey::look_at_nobodys(env, key, by_name, actor).await?;
                result.count(solved);
            }
            continue;
        }
        let Some(item_id) = row.item_id.filter(wanted) else {
            continue;
        };
        env.go_on()?;
        if row.subject == "stray" {
            // All lines of an entry tell together what stands.
            if looked_at.insert(item_id) {
                let solved = survey::look_again(env, terms, item_id, actor).await?;
                result.count(solved);
            }
            continue;
        }
        if row.subject == "refusal" {
            // Nothing is wrong with the item itself: only what the tracker shows is written again.
            result.count(crate::feedback::tell_again(env, item_id).await?);
            continue;
        }
        let found = match (&row.document_id, row.posting_no) {
            (Some(document_id), Some(number)) => look_again(env, *document_id, number).await?,
            _ => None,
        };
        let one = ReplayOne {
            terms: terms.clone(),
            item_id,
            posting: row.document_id.zip(row.posting_no),
            found,
            actor: actor.to_owned(),
        };
        result.count(env.write(one).await?);
    }
    Ok(result)
}

/// What the ERP shows now for a posting's line.
async fn look_again(
    env: &Env,
    document_id: [u8; 16],
    posting_no: i64,
) -> Result<Option<FoundLine>, PassError> {
    let (shape, key) = env
        .store
        .read(move |tx| {
            let document = document_of(tx, &document_id)?;
            let posting = postings::get(tx, &document_id, posting_no)?
                .ok_or_else(|| inconsistent("an exception without its posting"))?;
            Ok((document_shape(&document)?, posting.line_key))
        })
        .await?;
    if let Some(found) = find_lines(env, shape, std::slice::from_ref(&key))
        .await?
        .remove(&key)
    {
        return Ok(Some(found));
    }
    // Under this key stands time instead of a line, or the other way round: sent again, the work
    // would be billed twice.
    let mut found = survey::find_anywhere(env, vec![key.clone()]).await?;
    Ok(found.remove(&key).map(|(stands, line)| FoundLine {
        shape: Some(stands),
        ..line
    }))
}

struct ReplayOne {
    terms: Terms,
    item_id: [u8; 16],
    posting: Option<([u8; 16], i64)>,
    found: Option<FoundLine>,
    actor: String,
}

impl Command for ReplayOne {
    type Out = bool;
    type Rejection = Infallible;

    fn name(&self) -> &'static str {
        "replay exception"
    }

    fn guards(&self) -> GuardSet {
        let admission = admission(&self.terms.settings.flow);
        GuardSet::none()
            .and(admission)
            .and(Guard::Item(self.item_id))
    }

    fn apply(&self, tx: &mut Tx<'_>) -> Result<bool, Abort<Infallible>> {
        tx.act_as(&self.actor);
        tx.count("replays", 1);
        let mut books = Books::default();
        let solved = match self.posting {
            Some((document_id, number)) => {
                // The mended cause may be a rate or a contract: price the item again first.
                let priced = self.replay_item(tx, &mut books)?;
                let row = postings::get(tx, &document_id, number)?
                    .ok_or_else(|| inconsistent("an exception without its posting"))?;
                match state_of(&row)? {
                    PostingState::Cancelled | PostingState::Superseded => priced,
                    _ => priced && self.replay_posting(tx, &mut books, row)?,
                }
            }
            None => self.replay_item(tx, &mut books)?,
        };
        books.flush(tx, &self.terms, "replayed")?;
        Ok(solved)
    }
}

impl ReplayOne {
    fn replay_item(&self, tx: &mut Tx<'_>, books: &mut Books) -> Result<bool, StoreError> {
        let Some(mut item) = items::get(tx, &self.item_id)? else {
            return Ok(false);
        };
        if shared::is_line(&item) {
            // Its members are priced by themselves.
            return Ok(true);
        }
        let open = [ItemState::Exception.name(), ItemState::Booked.name()];
        if !open.contains(&item.state.as_str()) {
            return Ok(true);
        }
        let facts: Option<ItemFacts> = facts::open(tx, item.content)?;
        if let Some(fixed) = facts.as_ref().and_then(|facts| facts.fixed.as_ref()) {
            return self.replay_fixed(tx, books, item, fixed);
        }
        let Some(fields) = facts.and_then(|facts| facts.fields) else {
            // A record that cannot be read has to be mended at the source.
            return Ok(false);
        };
        let code = item.code.as_deref().and_then(Code::from_text);
        let looked_at = looked_at(tx, books, &item, code)?;
        let (judgement, judged) = judge_one(tx, books, &self.terms, &item, &fields, looked_at)?;
        let verdicts = judged.keep(tx, &self.terms)?;
        let judgement = verdicts.of(&item.source_ref).cloned().unwrap_or(judgement);
        let waiting = matches!(judgement, Judgement::Waiting);
        let undecided = waiting
            && code != Some(Code::ApprovalWithdrawn)
            && waits_for_a_person(tx, books, &item)?;
        if waiting && !undecided {
            // Nothing of it is out, or a person decided: plan the credit.
            crate::book::apply(tx, books, &self.terms, &mut item, &judgement, false)?;
        } else {
            settle_judgement(tx, books, &self.terms, &mut item, &judgement)?;
        }
        if !undecided {
            verdicts.settle(tx, books, &self.terms, "replayed")?;
        }
        item.changed_at_us = tx.now_us();
        items::update(tx, &mut item, "replayed")?;
        crate::telling::show(tx, books, &item)?;
        Ok(item.state != ItemState::Exception.name())
    }

    fn replay_fixed(
        &self,
        tx: &mut Tx<'_>,
        books: &mut Books,
        mut item: ItemRow,
        known: &FixedFacts,
    ) -> Result<bool, StoreError> {
        let judgement = crate::fixed::judge_again(tx, &self.terms, &mut item, known)?;
        crate::book::apply(tx, books, &self.terms, &mut item, &judgement, false)?;
        item.changed_at_us = tx.now_us();
        items::update(tx, &mut item, "replayed")?;
        crate::telling::show(tx, books, &item)?;
        Ok(item.state != ItemState::Exception.name())
    }

    fn replay_posting(
        &self,
        tx: &mut Tx<'_>,
        books: &mut Books,
        mut row: PostingRow,
    ) -> Result<bool, StoreError> {
        let document = books.document(tx, &row.document_id)?;
        let batch =
            crate::payload::batch_of(tx, &self.terms, &document, std::slice::from_ref(&row))?;
        let agree = match (&self.found, batch.lines.first()) {
            (Some(found), Some(line)) => crate::compare::agrees(batch.document.shape, line, found),
            _ => false,
        };
        let state = state_of(&row)?;
        let creates = kind_of(&row)?.makes_line();
        let event = match (state, &self.found, agree) {
            // Refused: the cause is said to be mended, so it is asked again under the same key;
            // unless the key is held by something else, which asking again would not mend.
            (PostingState::Rejected, Some(_), false) if creates => return Ok(false),
            // It stands there as it was meant: sent again it would stand there twice.
            (PostingState::Rejected, Some(found), true) if creates => {
                return self.take_over(tx, books, row, found);
            }
            (PostingState::Rejected, _, _) => PostingEvent::Remedy,
            (PostingState::Altered | PostingState::Missing, Some(_), true) => PostingEvent::Find,
            // Gone: a person decided that it is to be billed again, as a new effect.
            (PostingState::Missing, None, _) => PostingEvent::Supersede,
            (PostingState::Altered, None, _) => PostingEvent::Vanish,
            (PostingState::Held, _, _) => PostingEvent::Release,
            _ => return Ok(false),
        };
        let to = state
            .after(event)
            .map_err(|error| StoreError::Defect(error.to_string()))?;
        let mut change = PostingChange::to(to.name(), &row);
        change.due_at_us = tx.now_us();
        change.tries = 0;
        if event == PostingEvent::Vanish {
            let problem = Problem::new(Code::LineMissing, "the changed line was deleted since");
            change.code = Some(problem.code.text().to_owned());
            change.fact = Some(facts::seal_problem(tx, "target", &problem)?);
        }
        let id = row.document_id;
        books.settle(tx, &id, vec![(&mut row, change)], "replayed")?;
        let now_us = tx.now_us();
        books.change(tx, &id, |document| document.due_at_us = now_us)?;
        if event != PostingEvent::Vanish {
            plan_again(tx, books, &self.terms, &self.item_id)?;
        }
        if let Some(item) = items::get(tx, &self.item_id)? {
            crate::telling::show(tx, books, &item)?;
        }
        Ok(!matches!(to, PostingState::Missing | PostingState::Altered))
    }

    /// The line that held the key agrees by now.
    fn take_over(
        &self,
        tx: &mut Tx<'_>,
        books: &mut Books,
        mut row: PostingRow,
        found: &FoundLine,
    ) -> Result<bool, StoreError> {
        let id = row.document_id;
        let ready = PostingChange::to(PostingState::Ready.name(), &row);
        books.settle(tx, &id, vec![(&mut row, ready)], "replayed")?;
        let mut change = PostingChange::to(PostingState::Posted.name(), &row);
        change.erp_line_ref = Some(found.line_ref.clone());
        books.settle(tx, &id, vec![(&mut row, change)], "found by a replay")?;
        let erp_ref = found.document_ref.clone();
        books.change(tx, &id, |document| {
            if document.erp_ref.is_none() && document.shape == Shape::DraftLine.name() {
                document.erp_ref = erp_ref;
            }
            if document.state == DocumentState::Open.name() {
                DocumentState::Draft.name().clone_into(&mut document.state);
            }
        })?;
        after_settling(tx, books, &self.terms, std::slice::from_ref(&row))?;
        if let Some(item) = items::get(tx, &self.item_id)? {
            crate::telling::show(tx, books, &item)?;
        }
        Ok(true)
    }
}

/// Whether somebody looked at an item as it is, so that no condition holds it: by the replay of such
/// an exception, or because it was booked as it is.
fn looked_at(
    tx: &mut ReadTx<'_>,
    books: &mut Books,
    item: &ItemRow,
    code: Option<Code>,
) -> Result<bool, StoreError> {
    if matches!(code, Some(Code::ConditionHolds | Code::RetroRateChange)) {
        return Ok(true);
    }
    let rows = books.charges_of(tx, &item.item_id)?;
    let active = active_by_part(&rows)?;
    Ok(active.values().any(|row| row.revision == item.revision))
}

/// How many exceptions there are, by code.
pub async fn counts(env: &Env) -> Result<BTreeMap<String, i64>, PassError> {
    Ok(env
        .store
        .read(store::exceptions::count_by_code)
        .await?
        .into_iter()
        .collect())
}

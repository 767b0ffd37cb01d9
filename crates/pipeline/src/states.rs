//! What became of documents and lines in the ERP: issued, paid, credited, or changed by a person.
//! Seen here, told to the source, never overwritten.

use crate::asking::plan;
use crate::books::{Books, admission};
use crate::compare::agrees;
use crate::crash::CrashPoint;
use crate::env::{Env, Note, Terms, erp, inconsistent};
use crate::error::PassError;
use crate::facts;
use crate::payload::batch_of;
use crate::postings::{document_of, document_shape, document_state, kind_of, state_of};
use crate::strand::wanted_now;
use crate::telling::{booked_time, moved_to, shown_by, tell, tell_problem};
use connector_sdk::target::{DocumentReport, FoundLine, Shape};
use domain::exception::{Code, Problem};
use domain::posting::{DocumentState, PostingEvent, PostingKind, PostingState};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use store::documents::{self, DocumentRow};
use store::postings::{self, PostingChange, PostingRow};
use store::{Abort, Command, Guard, GuardSet, StoreError, Tx, items};

/// Documents asked for in one call.
const STATES_CHUNK: usize = 100;
/// Lines asked for in one call.
const LINES_CHUNK: usize = 200;

/// What a look at the ERP found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct StatesResult {
    /// Documents whose state changed.
    pub documents_changed: u64,
    /// Lines that somebody deleted.
    pub lines_missing: u64,
    /// Lines that somebody changed.
    pub lines_altered: u64,
}

/// Every document of the ledger.
pub async fn all_documents(env: &Env) -> Result<Vec<DocumentRow>, PassError> {
    let mut all = Vec::new();
    let mut after = [0_u8; 16];
    loop {
        let page = env
            .store
            .read(move |tx| documents::page(tx, &after, 500))
            .await?;
        let Some(last) = page.last() else {
            return Ok(all);
        };
        after = last.document_id;
        all.extend(page);
    }
}

const fn worth_asking(state: DocumentState) -> bool {
    match state {
        DocumentState::Draft | DocumentState::Issued | DocumentState::Paid => true,
        DocumentState::Open
        | DocumentState::Credited
        | DocumentState::Void
        | DocumentState::Missing => false,
    }
}

/// Ask the ERP about documents and lines that can still change.
pub async fn refresh(env: &Env, terms: &Terms) -> Result<StatesResult, PassError> {
    let mut result = StatesResult::default();
    let documents = all_documents(env).await?;
    env.progress.hear(Note::Stage(
        "reading invoice states",
        u64::try_from(documents.len()).ok(),
    ));
    let mut asked = Vec::new();
    for document in &documents {
        let shape = document_shape(document)?;
        if shape == Shape::DraftLine && worth_asking(document_state(document)?) {
            asked.extend(document.erp_ref.clone().map(|erp_ref| (erp_ref, document)));
        }
    }
    for chunk in asked.chunks(STATES_CHUNK) {
        let refs: Vec<String> = chunk.iter().map(|(erp_ref, _)| erp_ref.clone()).collect();
        let reports = env
            .target
            .document_states(Shape::DraftLine, &refs)
            .await
            .map_err(erp)?;
        env.pass(CrashPoint::StatesRead)?;
        for (erp_ref, document) in chunk {
            let Some(report) = reports.iter().find(|report| report.erp_ref == *erp_ref) else {
                continue;
            };
            if report.state.name() != document.state || report.number != document.erp_number {
                learn(env, terms, document.document_id, report.clone()).await?;
                result.documents_changed += 1;
            }
        }
        env.pass(CrashPoint::StatesWritten)?;
    }
    for document in all_documents(env).await? {
        env.go_on()?;
        // A document that is gone or closed may have left its lines elsewhere, or nowhere.
        if document_state(&document)? != DocumentState::Open {
            let lines = check_lines(env, terms, &document).await?;
            result.lines_missing += lines.lines_missing;
            result.lines_altered += lines.lines_altered;
        }
    }
    Ok(result)
}

/// Ask about one document; true if its state is another one than the ledger knew.
pub async fn refresh_one(
    env: &Env,
    terms: &Terms,
    document: &DocumentRow,
) -> Result<bool, PassError> {
    let (shape, Some(erp_ref)) = (document_shape(document)?, &document.erp_ref) else {
        return Ok(false);
    };
    if shape != Shape::DraftLine {
        return Ok(false);
    }
    let refs = [erp_ref.clone()];
    let reports = env
        .target
        .document_states(shape, &refs)
        .await
        .map_err(erp)?;
    let Some(report) = reports
        .into_iter()
        .find(|report| report.erp_ref == *erp_ref)
    else {
        return Ok(false);
    };
    let changed = report.state.name() != document.state;
    if changed {
        learn(env, terms, document.document_id, report).await?;
    }
    Ok(changed)
}

/// Keep what the ERP says about a document.
pub async fn learn(
    env: &Env,
    terms: &Terms,
    document_id: [u8; 16],
    report: DocumentReport,
) -> Result<(), PassError> {
    env.write(Learn {
        terms: terms.clone(),
        document_id,
        report,
    })
    .await
}

struct Learn {
    terms: Terms,
    document_id: [u8; 16],
    report: DocumentReport,
}

impl Command for Learn {
    type Out = ();
    type Rejection = Infallible;

    fn name(&self) -> &'static str {
        "learn document state"
    }

    fn guards(&self) -> GuardSet {
        let admission = admission(&self.terms.settings.flow);
        GuardSet::none()
            .and(admission)
            .and(Guard::Document(self.document_id))
    }

    fn apply(&self, tx: &mut Tx<'_>) -> Result<(), Abort<Infallible>> {
        tx.act_as("feedback");
        let mut document = document_of(tx, &self.document_id)?;
        self.report.state.name().clone_into(&mut document.state);
        document.erp_ref = Some(self.report.erp_ref.clone());
        document.erp_number.clone_from(&self.report.number);
        document.changed_at_us = tx.now_us();
        documents::update(tx, &mut document, "the ERP reports another state")?;
        let mut books = Books::default();
        let undone = matches!(
            self.report.state,
            DocumentState::Credited | DocumentState::Void
        );
        for posting in postings::list(tx, &self.document_id)? {
            tell_state(tx, &mut books, &document, &posting)?;
            if undone && state_of(&posting)? == PostingState::Posted {
                // A credit of ours that was not sent yet would be a second one.
                plan_again(tx, &mut books, &self.terms, &posting.item_id)?;
            }
        }
        books.flush(tx, &self.terms, "the ERP reports another state")?;
        Ok(())
    }
}

pub(crate) fn tell_state(
    tx: &mut Tx<'_>,
    books: &mut Books,
    document: &DocumentRow,
    posting: &PostingRow,
) -> Result<(), StoreError> {
    match shown_by(tx, books, document, posting)? {
        Some((part, status)) => tell(tx, books, posting.item_id, part, status),
        None => Ok(()),
    }
}

/// Move what was never sent to the next generation of a document that takes no more lines.
pub async fn move_unsent(env: &Env, terms: &Terms, document_id: [u8; 16]) -> Result<(), PassError> {
    env.write(MoveUnsent {
        terms: terms.clone(),
        document_id,
    })
    .await
}

struct MoveUnsent {
    terms: Terms,
    document_id: [u8; 16],
}

impl Command for MoveUnsent {
    type Out = ();
    type Rejection = Infallible;

    fn name(&self) -> &'static str {
        "move unsent lines"
    }

    fn guards(&self) -> GuardSet {
        let admission = admission(&self.terms.settings.flow);
        GuardSet::none()
            .and(admission)
            .and(Guard::Document(self.document_id))
    }

    fn apply(&self, tx: &mut Tx<'_>) -> Result<(), Abort<Infallible>> {
        tx.act_as("posting");
        let mut books = Books::default();
        let unsent = postings::list_in(
            tx,
            &self.document_id,
            &["ready", "waiting", "held"],
            usize::MAX,
        )?;
        let mut seen = BTreeSet::new();
        for posting in unsent {
            if seen.insert(posting.item_id) {
                plan_again(tx, &mut books, &self.terms, &posting.item_id)?;
            }
        }
        // What could not be moved (a change to a line of a closed document) is planned as a credit
        // by the same step; nothing unsettled may stay behind and wake us for ever.
        books.flush(tx, &self.terms, "the document takes no more lines")?;
        Ok(())
    }
}

/// Plan the next step of an item's parts from what is booked now.
pub(crate) fn plan_again(
    tx: &mut Tx<'_>,
    books: &mut Books,
    terms: &Terms,
    item_id: &[u8; 16],
) -> Result<(), StoreError> {
    let mut rows = books.charges_of(tx, item_id)?;
    let wanted = wanted_now(tx, books, &rows)?;
    let mut item =
        items::get(tx, item_id)?.ok_or_else(|| inconsistent("a posting without its item"))?;
    let before = item.clone();
    plan(tx, books, terms, &mut item, &mut rows, &wanted, false)?;
    if item != before {
        item.changed_at_us = tx.now_us();
        items::update(tx, &mut item, "next step planned")?;
    }
    Ok(())
}

/// The postings of a document that should stand in the ERP as lines.
pub fn standing(rows: &[PostingRow]) -> Result<Vec<PostingRow>, StoreError> {
    let mut lines = Vec::new();
    for row in rows {
        let stands = matches!(
            state_of(row)?,
            PostingState::Posted | PostingState::Missing | PostingState::Altered
        );
        let line = matches!(
            kind_of(row)?,
            PostingKind::CreateLine
                | PostingKind::ReplaceLine
                | PostingKind::Credit
                | PostingKind::Difference
        );
        if stands && line {
            lines.push(row.clone());
        }
    }
    Ok(lines)
}

/// Find lines by key, in chunks.
pub async fn find_lines(
    env: &Env,
    shape: Shape,
    keys: &[String],
) -> Result<BTreeMap<String, FoundLine>, PassError> {
    let mut all = BTreeMap::new();
    for chunk in keys.chunks(LINES_CHUNK) {
        let found = env.target.look_up(shape, chunk).await.map_err(erp)?;
        all.extend(found.into_iter().map(|line| (line.line_key.clone(), line)));
    }
    Ok(all)
}

async fn check_lines(
    env: &Env,
    terms: &Terms,
    document: &DocumentRow,
) -> Result<StatesResult, PassError> {
    let id = document.document_id;
    let rows = env.store.read(move |tx| postings::list(tx, &id)).await?;
    let lines = standing(&rows)?;
    if lines.is_empty() {
        return Ok(StatesResult::default());
    }
    let keys: Vec<String> = lines.iter().map(|row| row.line_key.clone()).collect();
    let found = find_lines(env, document_shape(document)?, &keys).await?;
    let check = CheckLines {
        terms: terms.clone(),
        document_id: id,
        found,
    };
    env.write(check).await
}

struct CheckLines {
    terms: Terms,
    document_id: [u8; 16],
    found: BTreeMap<String, FoundLine>,
}

impl Command for CheckLines {
    type Out = StatesResult;
    type Rejection = Infallible;

    fn name(&self) -> &'static str {
        "check lines"
    }

    fn guards(&self) -> GuardSet {
        let admission = admission(&self.terms.settings.flow);
        GuardSet::none()
            .and(admission)
            .and(Guard::Document(self.document_id))
    }

    fn apply(&self, tx: &mut Tx<'_>) -> Result<StatesResult, Abort<Infallible>> {
        tx.act_as("feedback");
        let mut result = StatesResult::default();
        let mut books = Books::default();
        let mut shown = Vec::new();
        let rows = postings::list(tx, &self.document_id)?;
        // A change that is on its way explains a difference by itself.
        if store::attempts::open(tx, &self.document_id)?.is_some() {
            return Ok(result);
        }
        let document = books.document(tx, &self.document_id)?;
        for mut row in standing(&rows)? {
            let seen = self.found.get(&row.line_key);
            let state = state_of(&row)?;
            let batch = batch_of(tx, &self.terms, &document, std::slice::from_ref(&row))?;
            let mut moved = false;
            let (event, problem) = match (seen, batch.lines.first()) {
                (None, _) => (PostingEvent::Vanish, Some(gone(&row))),
                (Some(seen), Some(line)) if !agrees(batch.document.shape, line, seen) => {
                    (PostingEvent::Alter, Some(altered(line, seen)))
                }
                (Some(seen), _) => {
                    moved = batch.document.shape == Shape::DraftLine
                        && seen.document_ref.is_some()
                        && seen.document_ref != document.erp_ref;
                    let status = if document.shape == Shape::Timesheet.name() {
                        booked_time(tx, &books, &row, seen)?
                    } else if moved && state == PostingState::Posted {
                        moved_to(tx, &mut books, &row, seen)?
                    } else {
                        None
                    };
                    shown.extend(status.map(|(part, status)| (row.item_id, part, status)));
                    (PostingEvent::Find, None)
                }
            };
            let Ok(to) = state.after(event) else { continue };
            match to {
                PostingState::Missing => result.lines_missing += 1,
                PostingState::Altered => result.lines_altered += 1,
                _ => {}
            }
            let mut change = PostingChange::to(to.name(), &row);
            if let Some(problem) = &problem {
                change.code = Some(problem.code.text().to_owned());
                change.fact = Some(facts::seal_problem(tx, "target", problem)?);
                tell_problem(tx, &mut books, row.item_id, problem.code.text())?;
            }
            books.settle(
                tx,
                &self.document_id,
                vec![(&mut row, change)],
                "seen in the ERP",
            )?;
            if problem.is_some() {
                // Nothing that waits to be sent may overwrite what somebody did.
                plan_again(tx, &mut books, &self.terms, &row.item_id)?;
            }
            let status = match seen {
                Some(seen) if moved => moved_to(tx, &mut books, &row, seen)?,
                _ if problem.is_none() => shown_by(tx, &mut books, &document, &row)?,
                _ => None,
            };
            shown.extend(status.map(|(part, status)| (row.item_id, part, status)));
        }
        // Together: what is shown of one part depends on what was seen of the others.
        for (item_id, part, status) in &shown {
            books.seen.insert((*item_id, *part), status.clone());
        }
        for (item_id, part, status) in shown {
            tell(tx, &mut books, item_id, part, status)?;
        }
        books.flush(tx, &self.terms, "seen in the ERP")?;
        Ok(result)
    }
}

fn gone(row: &PostingRow) -> Problem {
    let line = row.erp_line_ref.as_deref().unwrap_or_default();
    Problem::new(
        Code::LineMissing,
        format!("line {line} no longer exists in the ERP"),
    )
}

fn altered(line: &connector_sdk::target::PostLine, seen: &FoundLine) -> Problem {
    let sign = line.unit.sign();
    let rate = seen
        .rate
        .map_or_else(|| "no rate".to_owned(), |rate| rate.to_string());
    Problem::new(
        Code::LineAltered,
        format!(
            "line {} has {} {sign} at {rate} in the ERP, ours has {} {sign} at {}",
            seen.line_ref, seen.quantity, line.quantity, line.rate
        ),
    )
}

//! What a call came to, written down: postings settle, the document learns its ERP id, the source
//! is to be told, and items whose chain of effects goes on are planned again.

use crate::asking::plan;
use crate::books::{Books, admission};
use crate::env::{Terms, inconsistent};
use crate::facts;
use crate::postings::{
    amended_by, document_shape, is_difference, kind_of, members, posting_at, state_of,
};
use crate::shared;
use crate::strand::{active_by_part, charge_of, part_of, wanted_now};
use connector_sdk::target::Shape;
use domain::exception::{Code, Problem};
use domain::posting::{DocumentState, PostingEvent, PostingKind, PostingState};
use domain::status::BillingStatus;
use rules::part::Part;
use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use store::attempts::{self, AttemptRow};
use store::charges::ChargeRow;
use store::items;
use store::postings::{self, PostingChange, PostingRow};
use store::{Abort, Command, Guard, GuardSet, StoreError, Tx};

/// What happened to one posting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Settlement {
    /// It stands in the ERP.
    Posted {
        /// The ERP's id of the line.
        line_ref: String,
    },
    /// The ERP refused it.
    Rejected(Problem),
    /// Surely not executed; again at an instant (microseconds). `tried` counts against the limit.
    Again {
        /// When.
        due_at_us: i64,
        /// Whether it counts as a try.
        tried: bool,
    },
}

/// Write down what an attempt came to.
pub struct SettleAttempt {
    /// What to plan with.
    pub terms: Terms,
    /// The attempt.
    pub attempt_id: [u8; 16],
    /// Its document.
    pub document_id: [u8; 16],
    /// In short, for people.
    pub outcome: String,
    /// What happened to each member.
    pub settlements: BTreeMap<i64, Settlement>,
    /// The ERP's id of the document, if the call told.
    pub erp_ref: Option<String>,
}

/// A new state for a posting, checked against the one list of transitions.
pub fn change(
    posting: &PostingRow,
    in_doubt: bool,
    event: PostingEvent,
) -> Result<PostingState, StoreError> {
    // A member of an open attempt is stored as ready and stands as sending or ambiguous.
    let from = match state_of(posting)? {
        PostingState::Ready | PostingState::Waiting if in_doubt => PostingState::Ambiguous,
        PostingState::Ready | PostingState::Waiting => PostingState::Sending,
        other => other,
    };
    from.after(event)
        .map_err(|error| StoreError::Defect(error.to_string()))
}

impl Command for SettleAttempt {
    type Out = ();
    type Rejection = Infallible;

    fn name(&self) -> &'static str {
        "settle attempt"
    }

    fn guards(&self) -> GuardSet {
        let admission = admission(&self.terms.settings.flow);
        GuardSet::none()
            .and(admission)
            .and(Guard::Document(self.document_id))
    }

    fn apply(&self, tx: &mut Tx<'_>) -> Result<(), Abort<Infallible>> {
        tx.act_as("posting");
        let Some(mut attempt) = attempts::get(tx, &self.attempt_id)? else {
            return Err(inconsistent("an attempt vanished").into());
        };
        if attempt.state == "settled" {
            // The same outcome a second time, after a commit nobody heard of.
            return Ok(());
        }
        let mut books = Books::default();
        let in_doubt = attempt.state == "ambiguous";
        let mut rows = Vec::new();
        for number in members(&attempt) {
            let row = postings::get(tx, &self.document_id, number)?
                .ok_or_else(|| inconsistent("an attempt without its posting"))?;
            // After a restore the line may have been looked up and settled already.
            if matches!(state_of(&row)?, PostingState::Ready | PostingState::Waiting) {
                rows.push(row);
            }
        }
        let mut changes = Vec::new();
        for row in &mut rows {
            let settlement = self
                .settlements
                .get(&row.posting_no)
                .ok_or_else(|| inconsistent("an outcome misses a line"))?;
            let next = settle_one(tx, row, settlement, in_doubt)?;
            changes.push((row, next));
        }
        books.settle(tx, &self.document_id, changes, "outcome")?;
        attempts::settle(tx, &mut attempt, &self.outcome, None, "outcome")?;
        let erp_ref = self.erp_ref.clone();
        let now_us = tx.now_us();
        let again = self.settlements.values().filter_map(|s| match s {
            Settlement::Again { due_at_us, .. } => Some(*due_at_us),
            _ => None,
        });
        let due_at_us = again.max();
        let posted = rows
            .iter()
            .any(|row| row.state == PostingState::Posted.name());
        books.change(tx, &self.document_id, |document| {
            if document.erp_ref.is_none() {
                document.erp_ref = erp_ref;
            }
            if posted && document.state == DocumentState::Open.name() {
                DocumentState::Draft.name().clone_into(&mut document.state);
            }
            document.due_at_us = due_at_us.unwrap_or(now_us);
        })?;
        after_settling(tx, &mut books, &self.terms, &rows)?;
        books.flush(tx, &self.terms, "outcome")?;
        count(tx, &rows);
        Ok(())
    }
}

fn count(tx: &mut Tx<'_>, rows: &[PostingRow]) {
    for (name, state) in [("lines posted", "posted"), ("lines rejected", "rejected")] {
        let number = rows.iter().filter(|row| row.state == state).count();
        tx.count(name, i64::try_from(number).unwrap_or(0));
    }
}

fn settle_one(
    tx: &mut Tx<'_>,
    row: &PostingRow,
    settlement: &Settlement,
    in_doubt: bool,
) -> Result<PostingChange, StoreError> {
    Ok(match settlement {
        Settlement::Posted { line_ref } => {
            let event = if in_doubt {
                PostingEvent::Find
            } else {
                PostingEvent::Confirm
            };
            let to = change(row, in_doubt, event)?;
            let mut next = PostingChange::to(to.name(), row);
            next.erp_line_ref = Some(line_ref.clone());
            next
        }
        Settlement::Rejected(problem) => {
            let event = if in_doubt || problem.code == Code::KeyHeldByOtherContent {
                PostingEvent::FindOther
            } else {
                PostingEvent::Reject
            };
            let to = change(row, in_doubt, event)?;
            let fact = facts::seal_problem(tx, "target", problem)?;
            let mut next = PostingChange::to(to.name(), row);
            next.code = Some(problem.code.text().to_owned());
            next.fact = Some(fact);
            next
        }
        Settlement::Again { due_at_us, tried } => {
            let event = if in_doubt {
                PostingEvent::ConfirmAbsent
            } else {
                PostingEvent::Postpone
            };
            let to = change(row, in_doubt, event)?;
            let mut next = PostingChange::to(to.name(), row);
            next.due_at_us = *due_at_us;
            next.tries = row.tries + i64::from(*tried);
            next
        }
    })
}

/// What follows from settled postings: earlier ones are superseded, the source is to be told, and
/// the next step of each part is planned.
pub(crate) fn after_settling(
    tx: &mut Tx<'_>,
    books: &mut Books,
    terms: &Terms,
    rows: &[PostingRow],
) -> Result<(), StoreError> {
    for row in rows {
        if state_of(row)? == PostingState::Posted {
            supersede(tx, books, row)?;
        }
    }
    let mut seen = BTreeSet::new();
    for row in rows {
        let charges = books.charges_of(tx, &row.item_id)?;
        let part = part_of(charge_of(&charges, row)?)?;
        if seen.insert((row.item_id, part)) {
            go_on(tx, books, terms, row, part, charges)?;
        }
    }
    Ok(())
}

fn supersede(tx: &mut Tx<'_>, books: &mut Books, row: &PostingRow) -> Result<(), StoreError> {
    let (Some(amends), kind) = (row.amends, kind_of(row)?) else {
        return Ok(());
    };
    if !matches!(kind, PostingKind::ReplaceLine | PostingKind::DeleteLine) {
        // A credited line stays on its invoice.
        return Ok(());
    }
    let document_id = row.amends_document.unwrap_or(row.document_id);
    let mut amended = postings::get(tx, &document_id, amends)?
        .ok_or_else(|| inconsistent("a posting amends nothing"))?;
    if state_of(&amended)? == PostingState::Superseded {
        return Ok(());
    }
    let to = state_of(&amended)?
        .after(PostingEvent::Supersede)
        .map_err(|error| StoreError::Defect(error.to_string()))?;
    let change = PostingChange::to(to.name(), &amended);
    books.settle(tx, &document_id, vec![(&mut amended, change)], "superseded")
}

/// Tell the source, and plan the item's next step.
fn go_on(
    tx: &mut Tx<'_>,
    books: &mut Books,
    terms: &Terms,
    row: &PostingRow,
    part: Part,
    mut charges: Vec<ChargeRow>,
) -> Result<(), StoreError> {
    let state = state_of(row)?;
    let kind = kind_of(row)?;
    let done = state == PostingState::Posted
        && matches!(
            kind,
            PostingKind::CreateLine | PostingKind::ReplaceLine | PostingKind::Difference
        )
        && active_by_part(&charges)?
            .get(&part)
            .is_some_and(|charge| charge.charge_no == row.charge_no);
    let wanted = wanted_now(tx, books, &charges)?;
    let mut item = books
        .line(tx, &row.item_id)?
        .ok_or_else(|| inconsistent("a posting without its item"))?;
    if shared::is_line(&item) {
        // Its members are wanted by themselves, whatever becomes of the line.
        tell(tx, books, row, part, true)?;
        return shared::settled(tx, books, terms, row);
    }
    if !shows_corrected(tx, books, row, part, &charges)? {
        tell(tx, books, row, part, wanted.wants(part))?;
    }
    if done {
        return Ok(());
    }
    let before = item.clone();
    plan(tx, books, terms, &mut item, &mut charges, &wanted, false)?;
    if item != before {
        item.changed_at_us = tx.now_us();
        items::update(tx, &mut item, "next step planned")?;
    }
    Ok(())
}

/// Once a difference is taken back, the entry shows the line that it was the difference to. True if
/// that is what happened.
fn shows_corrected(
    tx: &mut Tx<'_>,
    books: &mut Books,
    row: &PostingRow,
    part: Part,
    charges: &[ChargeRow],
) -> Result<bool, StoreError> {
    let takes_back = matches!(kind_of(row)?, PostingKind::DeleteLine | PostingKind::Credit);
    if !takes_back || state_of(row)? != PostingState::Posted {
        return Ok(false);
    }
    let own = books.postings_of(tx, &row.item_id)?;
    let of_difference = amended_by(row).and_then(|key| posting_at(&own, key));
    let Some(amended) = of_difference else {
        return Ok(false);
    };
    if !is_difference(amended, &own)? {
        return Ok(false);
    }
    let status = crate::telling::of_part(tx, books, charges, &own, part)?;
    crate::telling::tell(tx, books, row.item_id, part, status)?;
    Ok(true)
}

fn tell(
    tx: &mut Tx<'_>,
    books: &mut Books,
    row: &PostingRow,
    part: Part,
    wanted: bool,
) -> Result<(), StoreError> {
    let (state, kind) = (state_of(row)?, kind_of(row)?);
    let document = books.document(tx, &row.document_id)?;
    let shape = document_shape(&document)?;
    let (status, reference) = match (state, kind) {
        (
            PostingState::Posted,
            PostingKind::CreateLine | PostingKind::ReplaceLine | PostingKind::Difference,
        ) => {
            let line = row.erp_line_ref.as_deref().unwrap_or_default();
            match shape {
                Shape::Cost => (BillingStatus::CostOnly, format!("cost {line}")),
                Shape::Timesheet => (BillingStatus::Posted, format!("time {line}")),
                Shape::DraftLine => {
                    let draft = document.erp_ref.as_deref().unwrap_or_default();
                    (BillingStatus::Posted, format!("draft {draft} line {line}"))
                }
            }
        }
        (PostingState::Posted, PostingKind::DeleteLine | PostingKind::Void) if !wanted => {
            (BillingStatus::Unbilled, String::new())
        }
        (PostingState::Posted, PostingKind::Credit) if !wanted => {
            let draft = document.erp_ref.as_deref().unwrap_or_default();
            (BillingStatus::Credited, format!("credit draft {draft}"))
        }
        (PostingState::Rejected, _) => {
            let code = row.code.clone().unwrap_or_default();
            (BillingStatus::Exception, code)
        }
        _ => return Ok(()),
    };
    crate::telling::tell(tx, books, row.item_id, part, (status, reference))
}

/// Put an attempt in doubt: the call may have arrived.
pub struct DoubtAttempt {
    /// The attempt.
    pub attempt_id: [u8; 16],
    /// Its document.
    pub document_id: [u8; 16],
    /// What was heard.
    pub words: String,
}

impl Command for DoubtAttempt {
    type Out = Option<AttemptRow>;
    type Rejection = Infallible;

    fn name(&self) -> &'static str {
        "doubt attempt"
    }

    fn guards(&self) -> GuardSet {
        GuardSet::none().and(Guard::Document(self.document_id))
    }

    fn apply(&self, tx: &mut Tx<'_>) -> Result<Self::Out, Abort<Infallible>> {
        tx.act_as("posting");
        let Some(mut attempt) = attempts::get(tx, &self.attempt_id)? else {
            return Ok(None);
        };
        if attempt.state == "sending" {
            "ambiguous".clone_into(&mut attempt.state);
            attempt.outcome = Some(self.words.clone());
            attempts::update(tx, &mut attempt, "the answer was lost")?;
            tx.count("answers lost", 1);
        }
        Ok(Some(attempt))
    }
}

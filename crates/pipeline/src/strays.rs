//! Lines that the ERP holds under keys of this ledger and that the ledger, set back by a restore,
//! does not know. What the lost ledger did is read off the lines of each part in the order of their
//! effects: what it credited is undone, what still stands is taken over if it is what is wanted.
//! Everything else is kept as a stray, and nothing is planned for any part of its item until somebody
//! has dealt with the line: the lost ledger may have cut the same work into other parts.

use crate::admit::wish;
use crate::asking::{plan, reversal_of};
use crate::books::{Books, admission};
use crate::compare::agrees;
use crate::env::{Terms, inconsistent};
use crate::facts;
use crate::payload::batch_of;
use crate::plan::{HeldLine, Home, Wanted};
use crate::postings::{kind_of, state_of, view_of};
use crate::states::tell_state;
use crate::strand::{parts_of, postings_of_part, wanted_now};
use crate::walk::{Origin, Unknown, walk};
use connector_sdk::target::{FoundLine, Shape};
use domain::exception::{Code, Problem};
use domain::posting::{DocumentState, PostingEvent, PostingState};
use domain::status::BillingStatus;
use rules::part::Part;
use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use store::charges::{self, ChargeRow};
use store::items::{self, ItemRow};
use store::postings::{self, PostingChange, PostingRow};
use store::strays::{self, StrayRow};
use store::{Abort, Command, Guard, GuardSet, ReadTx, StoreError, Tx};

/// Whether somebody has to deal with a line of the item first.
pub(crate) fn any_open(tx: &mut ReadTx<'_>, item_id: &[u8; 16]) -> Result<bool, StoreError> {
    Ok(strays::list_for_item(tx, item_id)?
        .iter()
        .any(|stray| stray.open))
}

/// Keep a line as a stray.
pub(crate) fn keep(
    tx: &mut Tx<'_>,
    origin: Option<Origin>,
    shape: Shape,
    found: &FoundLine,
    open: bool,
) -> Result<(), StoreError> {
    let amount = found
        .amount
        .map_or_else(|| "no amount".to_owned(), |amount| amount.to_string());
    let whose = if origin.is_some() {
        "an effect of this entry that the restored ledger has forgotten"
    } else {
        "no work that this ledger knows: of an entry that is gone, or of another ledger"
    };
    let words = format!(
        "line {} of the ERP has {} h and {amount}; its key belongs to {whose}",
        found.line_ref, found.quantity
    );
    let problem = Problem::new(Code::LineNotInLedger, words);
    let row = StrayRow {
        line_key: found.line_key.clone(),
        item_id: origin.map(|origin| origin.item_id),
        effect: origin.map(|origin| origin.effect),
        shape: shape.name().to_owned(),
        line_ref: found.line_ref.clone(),
        quantity_micro: found.quantity.micro(),
        amount_minor: found.amount.map(|amount| amount.amount_minor),
        currency: found.amount.map(|amount| amount.currency.to_string()),
        open,
        since_us: tx.now_us(),
        fact: facts::seal_problem(tx, "target", &problem)?,
        version: 1,
    };
    strays::put(tx, &row, "found in the ERP and not in the ledger")
}

/// Settle the unknown lines of one item.
pub(crate) struct SettleLines {
    pub(crate) terms: Terms,
    pub(crate) item_id: [u8; 16],
    /// In the order of their effects.
    pub(crate) lines: Vec<Unknown>,
    /// Lines that the ledger knows, as they stand, by key.
    pub(crate) known: BTreeMap<String, FoundLine>,
    /// The ledger's documents by the ERP's ids.
    pub(crate) documents: BTreeMap<String, [u8; 16]>,
    /// Who asked.
    pub(crate) actor: String,
}

impl Command for SettleLines {
    type Out = bool;
    type Rejection = Infallible;

    fn name(&self) -> &'static str {
        "settle unknown lines"
    }

    fn guards(&self) -> GuardSet {
        GuardSet::none()
            .and(admission(&self.terms.settings.flow))
            .and(Guard::Item(self.item_id))
    }

    fn apply(&self, tx: &mut Tx<'_>) -> Result<bool, Abort<Infallible>> {
        tx.act_as(&self.actor);
        let mut item = items::get(tx, &self.item_id)?
            .ok_or_else(|| inconsistent("a line of an item that does not exist"))?;
        let before = item.clone();
        let mut books = Books::default();
        let mut rows = books.charges_of(tx, &self.item_id)?;
        let settled = self.settle(tx, &mut books, &item, &mut rows)?;
        for line in &self.lines {
            // Their numbers are taken, whatever becomes of them.
            item.effect_next = item.effect_next.max(line.origin.effect.saturating_add(1));
        }
        let wanted = wanted_now(tx, &books, &rows)?;
        plan(
            tx,
            &mut books,
            &self.terms,
            &mut item,
            &mut rows,
            &wanted,
            false,
        )?;
        if item != before {
            item.changed_at_us = tx.now_us();
            items::update(tx, &mut item, "lines of the ERP settled")?;
        }
        crate::telling::show(tx, &mut books, &item)?;
        books.flush(tx, &self.terms, "lines of the ERP settled")?;
        Ok(settled)
    }
}

/// One part of the item, with its postings and the lines that are its.
struct Strand<'a> {
    part: Part,
    own: Vec<PostingRow>,
    wanted: Option<&'a Wanted>,
    lines: Vec<Unknown>,
}

/// What is to be shown of a part once all are settled.
enum Shown {
    /// Nothing new.
    AsBefore,
    Line(Box<PostingRow>),
    Credited(Part, String),
}

impl SettleLines {
    /// Settle each part by itself; true if nothing is left for a person.
    fn settle(
        &self,
        tx: &mut Tx<'_>,
        books: &mut Books,
        item: &ItemRow,
        rows: &mut [ChargeRow],
    ) -> Result<bool, StoreError> {
        let wanted = wanted_now(tx, books, rows)?;
        let all = books.postings_of(tx, &self.item_id)?;
        let mut parts: BTreeSet<Part> = parts_of(rows)?;
        parts.extend(self.lines.iter().map(|line| line.origin.part));
        let mut shown = Vec::new();
        let mut settled = true;
        for part in parts {
            let of_part = self.lines.iter().filter(|line| line.origin.part == part);
            let strand = Strand {
                part,
                own: postings_of_part(rows, &all, part)?,
                wanted: wanted.own.get(&part),
                lines: of_part.cloned().collect(),
            };
            if let Some(of_part) = self.settle_part(tx, books, item, rows, &strand)? {
                shown.push(of_part);
            } else {
                self.name(tx, books, &strand)?;
                settled = false;
            }
        }
        if settled {
            for stray in strays::list_for_item(tx, &self.item_id)? {
                strays::close(tx, &stray.line_key, "settled")?;
            }
        }
        for what in shown {
            match what {
                Shown::AsBefore => {}
                Shown::Line(row) => {
                    let document = books.document(tx, &row.document_id)?;
                    tell_state(tx, books, &document, &row)?;
                }
                Shown::Credited(part, reference) => {
                    let told = (BillingStatus::Credited, reference);
                    crate::telling::tell(tx, books, self.item_id, part, told)?;
                }
            }
        }
        Ok(settled)
    }

    /// What there is to show of the part afterwards; `None` if its lines prove nothing.
    fn settle_part(
        &self,
        tx: &mut Tx<'_>,
        books: &mut Books,
        item: &ItemRow,
        rows: &mut [ChargeRow],
        strand: &Strand<'_>,
    ) -> Result<Option<Shown>, StoreError> {
        let own = strand.own.clone();
        let view = view_of(tx, rows, own, |tx, id| books.document(tx, id))?;
        if view.in_flight || !view.below.is_empty() {
            // A call in doubt may still change what stands, and of a line with its differences one
            // line does not tell which of them the lost ledger took back.
            return Ok(None);
        }
        let held = view.held;
        let stands = held
            .as_ref()
            .and_then(|held| self.known.get(&held.line_key));
        let Some(walked) = walk(stands, &strand.lines) else {
            return Ok(None);
        };
        let live = walked.live.and_then(|at| strand.lines.get(at));
        let adopted = match (live, strand.wanted) {
            (Some(line), Some(wanted)) => self.fitting(tx, books, item, rows, wanted, line)?,
            _ => None,
        };
        if live.is_some_and(|line| !line.undone()) && adopted.is_none() {
            return Ok(None);
        }
        let credit = walked.credits_held.and_then(|at| strand.lines.get(at));
        if credit.is_some() || adopted.is_some() {
            // Its charge will point at the line that was found, and nothing at the unsent posting.
            Self::withdraw(tx, books, &strand.own)?;
        }
        if let Some(held) = held.filter(|_| credit.is_some() || adopted.is_some()) {
            self.leave_behind(tx, books, item, rows, &held, credit)?;
        }
        let mut stood = None;
        if let Some(row) = adopted {
            stood = Some(Self::stand(tx, books, rows, row, "found after restore")?);
        }
        for line in &strand.lines {
            let taken = stood
                .as_ref()
                .is_some_and(|row| row.line_key == line.found.line_key);
            if !taken {
                keep(tx, Some(line.origin), line.shape, &line.found, false)?;
            }
        }
        Ok(Some(match (stood, credit) {
            (Some(row), _) => Shown::Line(Box::new(row)),
            (None, Some(line)) if strand.wanted.is_none() => {
                let reference = line.found.document_ref.clone().unwrap_or_default();
                let reference = format!("credit draft {reference}");
                Shown::Credited(strand.part, reference)
            }
            _ => Shown::AsBefore,
        }))
    }

    /// Withdraw what was planned before it was known what stands.
    fn withdraw(tx: &mut Tx<'_>, books: &mut Books, own: &[PostingRow]) -> Result<(), StoreError> {
        for row in own {
            let unsent = matches!(
                state_of(row)?,
                PostingState::Ready
                    | PostingState::Waiting
                    | PostingState::Held
                    | PostingState::Rejected
            );
            if unsent {
                let mut row = row.clone();
                let change = PostingChange::to(PostingState::Cancelled.name(), &row);
                let id = row.document_id;
                books.settle(tx, &id, vec![(&mut row, change)], "no longer wanted")?;
            }
        }
        Ok(())
    }

    /// The posting that stands for a line, if the line is what is wanted.
    fn fitting(
        &self,
        tx: &mut Tx<'_>,
        books: &mut Books,
        item: &ItemRow,
        rows: &[ChargeRow],
        wanted: &Wanted,
        line: &Unknown,
    ) -> Result<Option<PostingRow>, StoreError> {
        let Some(document_id) = self.home_of(tx, books, item, &wanted.home, line)? else {
            return Ok(None);
        };
        let document = books.document(tx, &document_id)?;
        let charge = rows.iter().find(|row| row.charge_no == wanted.charge_no);
        let charge = charge.ok_or_else(|| inconsistent("a wanted line without its charge"))?;
        let row = PostingRow {
            quantity_micro: wanted.numbers.quantity.micro(),
            rate_micro: wanted.numbers.rate.micro(),
            amount_minor: wanted.numbers.amount_minor,
            ..self.row(tx, document_id, charge, line)
        };
        let batch = batch_of(tx, &self.terms, &document, std::slice::from_ref(&row))?;
        let agree = batch
            .lines
            .first()
            .is_some_and(|ours| agrees(batch.document.shape, ours, &line.found));
        Ok(agree.then_some(row))
    }

    /// The document that a line stands on, if it is one of ours and of the wanted shape.
    fn home_of(
        &self,
        tx: &mut Tx<'_>,
        books: &mut Books,
        item: &ItemRow,
        home: &Home,
        line: &Unknown,
    ) -> Result<Option<[u8; 16]>, StoreError> {
        if line.found.shape.is_some_and(|shape| shape != home.shape) {
            return Ok(None);
        }
        if home.shape != Shape::DraftLine {
            return books
                .open_document(tx, &self.terms, home, &item.entity)
                .map(Some);
        }
        let reference = line.found.document_ref.as_ref();
        Ok(reference.and_then(|reference| self.documents.get(reference).copied()))
    }

    fn row(
        &self,
        tx: &Tx<'_>,
        document_id: [u8; 16],
        charge: &ChargeRow,
        line: &Unknown,
    ) -> PostingRow {
        PostingRow {
            document_id,
            posting_no: 0,
            posting_key: line.found.line_key.clone(),
            line_key: line.found.line_key.clone(),
            item_id: self.item_id,
            charge_no: charge.charge_no,
            effect: line.origin.effect,
            kind: line.origin.kind.name().to_owned(),
            amends: None,
            amends_document: None,
            state: PostingState::Ready.name().to_owned(),
            code: None,
            due_at_us: tx.now_us(),
            tries: 0,
            quantity_micro: line.found.quantity.micro(),
            rate_micro: line
                .found
                .rate
                .map_or(charge.rate_micro, domain::decimal::Micro::micro),
            amount_minor: line.found.amount.map_or(0, |amount| amount.amount_minor),
            posting_date: charge.posting_date.clone(),
            erp_line_ref: Some(line.found.line_ref.clone()),
            fact: None,
            changed_at_us: tx.now_us(),
            version: 1,
        }
    }

    /// The line that the ledger knew is credited or gone. A credit that mirrors what the ledger
    /// knew is taken over as its own; otherwise the line is no longer what stands for the entry.
    fn leave_behind(
        &self,
        tx: &mut Tx<'_>,
        books: &mut Books,
        item: &ItemRow,
        rows: &mut [ChargeRow],
        held: &HeldLine,
        credit: Option<&Unknown>,
    ) -> Result<(), StoreError> {
        let mut amended = postings::get(tx, &held.document_id, held.posting_no)?
            .ok_or_else(|| inconsistent("a held line without its posting"))?;
        if let Some(line) = credit
            && line.found.quantity.micro() == -amended.quantity_micro
            && line.found.amount.map(|amount| amount.amount_minor) == Some(-amended.amount_minor)
            && let Some(document_id) = self.home_of(tx, books, item, &held.home, line)?
        {
            let charge_no = reversal_of(rows, amended.charge_no)?;
            let charge = rows.iter().find(|row| row.charge_no == charge_no);
            let charge = charge.ok_or_else(|| inconsistent("a credit without its charge"))?;
            let row = PostingRow {
                amends: Some(amended.posting_no),
                amends_document: Some(amended.document_id),
                ..self.row(tx, document_id, charge, line)
            };
            Self::stand(tx, books, rows, row, "credit found after restore")?;
            return Ok(());
        }
        let to = state_of(&amended)?
            .after(PostingEvent::Supersede)
            .map_err(|error| StoreError::Defect(error.to_string()))?;
        let change = PostingChange::to(to.name(), &amended);
        books.settle(
            tx,
            &held.document_id,
            vec![(&mut amended, change)],
            "no longer stands for the entry",
        )
    }

    /// Put a posting into the books for a line that stands.
    fn stand(
        tx: &mut Tx<'_>,
        books: &mut Books,
        rows: &mut [ChargeRow],
        row: PostingRow,
        why: &'static str,
    ) -> Result<PostingRow, StoreError> {
        let id = row.document_id;
        let mut row = books.put_in(tx, row, why)?;
        let mut change = PostingChange::to(PostingState::Posted.name(), &row);
        change.erp_line_ref.clone_from(&row.erp_line_ref);
        books.settle(tx, &id, vec![(&mut row, change)], why)?;
        books.change(tx, &id, |document| {
            if document.state == DocumentState::Open.name() {
                DocumentState::Draft.name().clone_into(&mut document.state);
            }
        })?;
        let charge = rows
            .iter_mut()
            .find(|charge| charge.charge_no == row.charge_no);
        let charge = charge.ok_or_else(|| inconsistent("a posting without its charge"))?;
        charges::set_posting(tx, charge, id, row.posting_no, why)?;
        Ok(row)
    }

    /// Nothing is proven: every line becomes an exception, and nothing is planned beside it.
    fn name(
        &self,
        tx: &mut Tx<'_>,
        books: &mut Books,
        strand: &Strand<'_>,
    ) -> Result<(), StoreError> {
        for line in &strand.lines {
            let unsent = strand.own.iter().find(|row| {
                row.line_key == line.found.line_key
                    && matches!(row.state.as_str(), "ready" | "waiting")
                    && kind_of(row).is_ok_and(|kind| kind == line.origin.kind)
            });
            let code = if let Some(row) = unsent {
                Self::refuse(tx, books, row, line)?;
                Code::KeyHeldByOtherContent
            } else {
                keep(tx, Some(line.origin), line.shape, &line.found, true)?;
                Code::LineNotInLedger
            };
            let code = code.text().to_owned();
            wish(tx, self.item_id, BillingStatus::Exception, code)?;
        }
        Ok(())
    }

    fn refuse(
        tx: &mut Tx<'_>,
        books: &mut Books,
        row: &PostingRow,
        line: &Unknown,
    ) -> Result<(), StoreError> {
        let mut row = row.clone();
        let problem = Problem::new(
            Code::KeyHeldByOtherContent,
            format!(
                "after a restore, line {} of the ERP differs from the ledger: it has {} h",
                line.found.line_ref, line.found.quantity
            ),
        );
        let mut change = PostingChange::to(PostingState::Rejected.name(), &row);
        change.code = Some(problem.code.text().to_owned());
        change.fact = Some(facts::seal_problem(tx, "target", &problem)?);
        let id = row.document_id;
        books.settle(tx, &id, vec![(&mut row, change)], "found after restore")
    }
}

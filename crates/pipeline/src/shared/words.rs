//! What a shared line means for its members: what the source is shown of each, and what follows for
//! those that it let go.

use super::carried::{Carried, Member, behind, carried_by};
use super::content::charge;
use crate::books::Books;
use crate::env::{Terms, inconsistent};
use crate::postings::{document_of, kind_of, state_of};
use crate::states::plan_again;
use crate::strand::{charge_of, part_of, wanted_now};
use crate::telling::{self, Status};
use domain::posting::{PostingKind, PostingState};
use domain::status::BillingStatus;
use rules::part::Part;
use std::collections::BTreeSet;
use store::charges::ChargeRow;
use store::documents::DocumentRow;
use store::postings::{self, PostingRow};
use store::{ReadTx, StoreError, Tx};

/// The line that bills a charge, if it shares one.
pub(crate) fn line_of(
    tx: &mut ReadTx<'_>,
    books: &Books,
    charge: &ChargeRow,
) -> Result<Option<[u8; 16]>, StoreError> {
    let members = books.members_of(tx, &charge.item_id)?;
    let own = members.iter().find(|row| row.charge_no == charge.charge_no);
    Ok(own.map(|row| row.line_id))
}

/// The closed document that a charge stands on by a line that it shares.
pub(crate) fn closed_document(
    tx: &mut ReadTx<'_>,
    books: &mut Books,
    charge: &ChargeRow,
) -> Result<Option<DocumentRow>, StoreError> {
    let Some(line_id) = line_of(tx, books, charge)? else {
        return Ok(None);
    };
    let carried = carried_by(tx, books, &line_id)?;
    let frozen =
        carried.is_frozen() && carried.stands.contains(&(charge.item_id, charge.charge_no));
    match carried.view.held.filter(|_| frozen) {
        Some(held) => books.document(tx, &held.document_id).map(Some),
        None => Ok(None),
    }
}

/// What the line that bills a charge shows of it; none if the charge shares none.
pub(crate) fn of_member(
    tx: &mut ReadTx<'_>,
    books: &mut Books,
    charge: &ChargeRow,
) -> Result<Option<Status>, StoreError> {
    let Some(line_id) = line_of(tx, books, charge)? else {
        return Ok(None);
    };
    let own = books.postings_of(tx, &line_id)?;
    let needs = own.iter().find(|row| telling::needs_somebody(&row.state));
    if let Some(posting) = needs {
        let code = posting.code.clone().unwrap_or_default();
        return Ok(Some((BillingStatus::Exception, code)));
    }
    let carried = carried_by(tx, books, &line_id)?;
    let unbilled = (BillingStatus::Unbilled, String::new());
    if !carried.stands.contains(&(charge.item_id, charge.charge_no)) {
        return Ok(Some(unbilled));
    }
    let Some((document, posting)) = held(tx, books, &carried)? else {
        return Ok(Some(unbilled));
    };
    Ok(Some(
        telling::status_of(&document, &posting)?.unwrap_or(unbilled),
    ))
}

/// The posting of the line that stands, and its document.
pub(crate) fn held(
    tx: &mut ReadTx<'_>,
    books: &mut Books,
    carried: &Carried,
) -> Result<Option<(DocumentRow, PostingRow)>, StoreError> {
    let Some(held) = &carried.view.held else {
        return Ok(None);
    };
    let document = books.document(tx, &held.document_id)?;
    let posting = postings::get(tx, &held.document_id, held.posting_no)?
        .ok_or_else(|| inconsistent("a held line without its posting"))?;
    Ok(Some((document, posting)))
}

/// The charges that a line bills or is about to, with their parts.
pub(crate) fn members_of(
    tx: &mut ReadTx<'_>,
    books: &mut Books,
    line_id: &[u8; 16],
) -> Result<Vec<([u8; 16], Part)>, StoreError> {
    let carried = carried_by(tx, books, line_id)?;
    let mut members = Vec::new();
    for (item_id, charge_no) in carried.stands.union(&carried.pending) {
        members.push((*item_id, part_of(&charge(tx, books, item_id, *charge_no)?)?));
    }
    Ok(members)
}

/// What follows from a settled posting of a line: entries that it let go are planned again, and told
/// if nothing bills them any more.
pub(crate) fn settled(
    tx: &mut Tx<'_>,
    books: &mut Books,
    terms: &Terms,
    row: &PostingRow,
) -> Result<(), StoreError> {
    books.touch(row.item_id);
    if state_of(row)? != PostingState::Posted {
        return Ok(());
    }
    let Some(number) = row.amends else {
        return Ok(());
    };
    let amended_in = row.amends_document.unwrap_or(row.document_id);
    let amended = postings::get(tx, &amended_in, number)?
        .ok_or_else(|| inconsistent("a posting amends nothing"))?;
    let charges = books.charges_of(tx, &row.item_id)?;
    let before = behind(tx, books, charge_of(&charges, &amended)?)?;
    let now = carried_by(tx, books, &row.item_id)?;
    let let_go: BTreeSet<Member> = before.difference(&now.stands).copied().collect();
    for (item_id, charge_no) in let_go {
        let part = part_of(&charge(tx, books, &item_id, charge_no)?)?;
        let charges = books.charges_of(tx, &item_id)?;
        if !wanted_now(tx, books, &charges)?.wants(part) {
            let told = if kind_of(row)? == PostingKind::Credit {
                let document = document_of(tx, &row.document_id)?;
                let draft = document.erp_ref.unwrap_or_default();
                (BillingStatus::Credited, format!("credit draft {draft}"))
            } else {
                (BillingStatus::Unbilled, String::new())
            };
            telling::tell(tx, books, item_id, part, told)?;
        }
        plan_again(tx, books, terms, &item_id)?;
    }
    Ok(())
}

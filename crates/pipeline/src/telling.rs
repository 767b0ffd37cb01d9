//! What the source should show about an item, derived from how it stands.

use crate::admit::wish;
use crate::books::Books;
use crate::env::inconsistent;
use crate::postings::{
    document_of, document_shape, document_state, kind_of, posting_at, state_of, view_of,
};
use crate::shared;
use crate::strand::{active_by_part, charge_of, part_of, parts_of, postings_of_part, wanted_now};
use crate::strays;
use connector_sdk::target::{FoundLine, Shape};
use domain::decimal::Micro;
use domain::exception::Code;
use domain::item::ItemState;
use domain::posting::{DocumentState, PostingKind, PostingState};
use domain::status::BillingStatus;
use rules::charge::Disposition;
use rules::part::Part;
use store::charges::ChargeRow;
use store::documents::DocumentRow;
use store::items::ItemRow;
use store::postings::PostingRow;
use store::{StoreError, Tx, feedback};

/// What a line that stands in the ERP is shown as; nothing if it is none or its document is gone.
pub(crate) fn status_of(
    document: &DocumentRow,
    posting: &PostingRow,
) -> Result<Option<(BillingStatus, String)>, StoreError> {
    let line = posting.erp_line_ref.as_deref().unwrap_or_default();
    let creates = matches!(
        kind_of(posting)?,
        PostingKind::CreateLine | PostingKind::ReplaceLine | PostingKind::Difference
    );
    if !creates || state_of(posting)? != PostingState::Posted {
        return Ok(None);
    }
    match document_shape(document)? {
        Shape::Cost => return Ok(Some((BillingStatus::CostOnly, format!("cost {line}")))),
        Shape::Timesheet => return Ok(Some((BillingStatus::Posted, format!("time {line}")))),
        Shape::DraftLine => {}
    }
    let number = document.erp_number.clone().unwrap_or_default();
    let draft = document.erp_ref.as_deref().unwrap_or_default();
    Ok(match document_state(document)? {
        DocumentState::Missing => None,
        DocumentState::Draft | DocumentState::Open => {
            Some((BillingStatus::Posted, format!("draft {draft} line {line}")))
        }
        DocumentState::Issued => Some((BillingStatus::Invoiced, number)),
        DocumentState::Paid => Some((BillingStatus::Paid, number)),
        DocumentState::Credited | DocumentState::Void => Some((BillingStatus::Credited, number)),
    })
}

/// What is shown: the status and the reference.
pub(crate) type Status = (BillingStatus, String);

/// What a line on a document shows of its part.
pub(crate) fn shown_by(
    tx: &mut Tx<'_>,
    books: &mut Books,
    document: &DocumentRow,
    posting: &PostingRow,
) -> Result<Option<(Part, Status)>, StoreError> {
    let charges = books.charges_of(tx, &posting.item_id)?;
    let part = part_of(charge_of(&charges, posting)?)?;
    let item = books.line(tx, &posting.item_id)?;
    let view = if item.is_some_and(|item| shared::is_line(&item)) {
        // What a credit in part left of it still shows.
        shared::carried_by(tx, books, &posting.item_id)?.view
    } else {
        let all = books.postings_of(tx, &posting.item_id)?;
        let own = postings_of_part(&charges, &all, part)?;
        view_of(tx, &charges, own, |tx, id| books.document(tx, id))?
    };
    // A line that was credited and billed anew is no longer what the entry shows, nor one that was
    // corrected by a later one.
    let shows = view.held.is_some_and(|held| {
        held.document_id == posting.document_id && held.posting_no == posting.posting_no
    });
    let status = status_of(document, posting)?.filter(|_| shows);
    Ok(status.map(|status| (part, status)))
}

/// Somebody moved the line to another document: that one's state counts.
pub(crate) fn moved_to(
    tx: &mut Tx<'_>,
    books: &mut Books,
    row: &PostingRow,
    seen: &FoundLine,
) -> Result<Option<(Part, Status)>, StoreError> {
    let mut document = document_of(tx, &row.document_id)?;
    seen.document_state.name().clone_into(&mut document.state);
    document.erp_ref.clone_from(&seen.document_ref);
    document.erp_number.clone_from(&seen.document_number);
    shown_by(tx, books, &document, row)
}

/// The ERP invoices booked time itself: the line tells which invoice it went to.
pub(crate) fn booked_time(
    tx: &mut Tx<'_>,
    books: &Books,
    row: &PostingRow,
    seen: &FoundLine,
) -> Result<Option<(Part, Status)>, StoreError> {
    let number = seen.document_number.clone().unwrap_or_default();
    let draft = seen.document_ref.as_deref().unwrap_or_default();
    let status = match (seen.document_state, &seen.document_ref) {
        (DocumentState::Issued, _) => (BillingStatus::Invoiced, number),
        (DocumentState::Paid, _) => (BillingStatus::Paid, number),
        (DocumentState::Credited | DocumentState::Void, _) => (BillingStatus::Credited, number),
        (DocumentState::Draft, Some(_)) => (BillingStatus::Posted, format!("draft {draft}")),
        (DocumentState::Draft, None) | (DocumentState::Open | DocumentState::Missing, _) => {
            return Ok(None);
        }
    };
    let charges = books.charges_of(tx, &row.item_id)?;
    Ok(Some((part_of(charge_of(&charges, row)?)?, status)))
}

/// Show what became of a line of a part, unless the entry or another line of it needs somebody's act:
/// that is shown until it is done, and the line comes back with it.
pub(crate) fn tell(
    tx: &mut Tx<'_>,
    books: &mut Books,
    item_id: [u8; 16],
    part: Part,
    told: Status,
) -> Result<(), StoreError> {
    let item = books.line(tx, &item_id)?;
    if item.as_ref().is_some_and(shared::is_line) {
        // What becomes of a line becomes of everything on it.
        for (item_id, part) in shared::members_of(tx, books, &item_id)? {
            tell(tx, books, item_id, part, told.clone())?;
        }
        return Ok(());
    }
    let open = item.is_some_and(|item| item.state == ItemState::Exception.name());
    if open {
        return Ok(());
    }
    let mut shown = told;
    if shown.0 != BillingStatus::Exception {
        if strays::any_open(tx, &item_id)? {
            return Ok(());
        }
        let own = books.postings_of(tx, &item_id)?;
        if own.iter().any(|posting| needs_somebody(&posting.state)) {
            return Ok(());
        }
        let charges = books.charges_of(tx, &item_id)?;
        if parts_of(&charges)?.len() > 1 {
            let told = Some((part, &shown));
            let all = of_all_parts(tx, books, &charges, &own, told)?;
            shown = all.unwrap_or(shown);
        }
    }
    wish(tx, item_id, shown.0, shown.1)
}

/// What the parts of an item show together: the least finished of those that are billed, with the
/// documents of all of them and the hours that still wait for room; of an item that no part bills, its
/// cost. `None` if no part has or wants a line. `told` is what is known of one part better than the
/// ledger knows it.
fn of_all_parts(
    tx: &mut Tx<'_>,
    books: &mut Books,
    charges: &[ChargeRow],
    postings: &[PostingRow],
    told: Option<(Part, &Status)>,
) -> Result<Option<Status>, StoreError> {
    let wanted = wanted_now(tx, books, charges)?;
    let (mut billed, mut cost): (Vec<Status>, Vec<Status>) = (Vec::new(), Vec::new());
    for (part, charge) in active_by_part(charges)? {
        if !wanted.wants(part) {
            continue;
        }
        let key = (charge.item_id, part);
        let status = match (told, books.seen.get(&key)) {
            (Some((of, status)), _) if of == part => status.clone(),
            (_, Some(status)) => status.clone(),
            _ => of_part(tx, books, charges, postings, part)?,
        };
        if charge.disposition == Disposition::Bill.name() {
            billed.push(status);
        } else {
            cost.push(status);
        }
    }
    let shown = if billed.is_empty() { cost } else { billed };
    let Some(least) = shown
        .iter()
        .map(|(status, _)| *status)
        .min_by_key(|status| finished(*status))
    else {
        return Ok(None);
    };
    let mut references: Vec<String> = Vec::new();
    for (_, reference) in shown {
        if !reference.is_empty() && !references.contains(&reference) {
            references.push(reference);
        }
    }
    let held = held_hours(charges)?;
    if held != Micro::ZERO {
        references.push(format!("{held} h held"));
    }
    Ok(Some((least, references.join(", "))))
}

/// How far a billed part has come. One whose invoice was credited is to be looked at before one that
/// is on its way.
const fn finished(status: BillingStatus) -> u8 {
    match status {
        BillingStatus::Exception => 0,
        BillingStatus::Unbilled => 1,
        BillingStatus::Credited => 2,
        BillingStatus::Posted => 3,
        BillingStatus::Invoiced => 4,
        BillingStatus::Paid => 5,
        BillingStatus::CostOnly => 6,
    }
}

/// Show that somebody has to do something about a line of an item, or of its members.
pub(crate) fn tell_problem(
    tx: &mut Tx<'_>,
    books: &mut Books,
    item_id: [u8; 16],
    code: &str,
) -> Result<(), StoreError> {
    let item = books.line(tx, &item_id)?;
    if !item.as_ref().is_some_and(shared::is_line) {
        return wish(tx, item_id, BillingStatus::Exception, code.to_owned());
    }
    let mut items: Vec<[u8; 16]> = Vec::new();
    for (member, _) in shared::members_of(tx, books, &item_id)? {
        if !items.contains(&member) {
            items.push(member);
        }
    }
    for member in items {
        wish(tx, member, BillingStatus::Exception, code.to_owned())?;
    }
    Ok(())
}

/// What the lines of one part show, as far as the ledger knows.
pub(crate) fn of_part(
    tx: &mut Tx<'_>,
    books: &mut Books,
    charges: &[ChargeRow],
    postings: &[PostingRow],
    part: Part,
) -> Result<Status, StoreError> {
    if let Some(charge) = active_by_part(charges)?.get(&part)
        && let Some(status) = shared::of_member(tx, books, charge)?
    {
        return Ok(status);
    }
    let own = postings_of_part(charges, postings, part)?;
    let view = view_of(tx, charges, own, |tx, id| books.document(tx, id))?;
    let nothing = (BillingStatus::Unbilled, String::new());
    let Some(held) = view.held else {
        return Ok(nothing);
    };
    let document = books.document(tx, &held.document_id)?;
    let posting = posting_at(postings, (held.document_id, held.posting_no))
        .ok_or_else(|| inconsistent("a line that stands without its posting"))?;
    Ok(status_of(&document, posting)?.unwrap_or(nothing))
}

/// The hours of an item that wait for room under a limit.
fn held_hours(charges: &[ChargeRow]) -> Result<Micro, StoreError> {
    let active = active_by_part(charges)?;
    let held = active
        .values()
        .filter(|charge| charge.disposition == Disposition::Held.name());
    let micro = held.fold(0_i64, |sum, charge| {
        sum.saturating_add(charge.quantity_micro)
    });
    Ok(Micro::from_micro(micro))
}

/// Show that an item is booked and no line of it is there or to be: its charges are there with their
/// explanations.
pub(crate) fn nothing_to_bill(
    tx: &mut Tx<'_>,
    item: &ItemRow,
    charges: &[ChargeRow],
) -> Result<(), StoreError> {
    let active = active_by_part(charges)?;
    if ItemState::from_name(&item.state) != Some(ItemState::Booked) || active.is_empty() {
        return Ok(());
    }
    let held = held_hours(charges)?;
    let reference = if held == Micro::ZERO {
        let micro = active.values().fold(0_i64, |sum, charge| {
            sum.saturating_add(charge.quantity_micro)
        });
        let hours = Micro::from_micro(micro);
        format!("nothing to bill: {hours} h by the contract")
    } else {
        format!("{held} h held")
    };
    wish(tx, item.item_id, BillingStatus::Unbilled, reference)
}

pub(crate) fn needs_somebody(state: &str) -> bool {
    matches!(
        PostingState::from_name(state),
        Some(PostingState::Rejected | PostingState::Missing | PostingState::Altered)
    )
}

/// Show an item that was judged again. An exception is shown until nothing of it is left: a line
/// that somebody changed stays one although the entry itself is fine, and an entry that is fine
/// again shows the line that it never lost.
pub(crate) fn show(tx: &mut Tx<'_>, books: &mut Books, item: &ItemRow) -> Result<(), StoreError> {
    if shared::is_line(item) {
        // Its members are shown as it settles.
        return Ok(());
    }
    if ItemState::from_name(&item.state) == Some(ItemState::Exception) {
        let code = item.code.clone().unwrap_or_default();
        return wish(tx, item.item_id, BillingStatus::Exception, code);
    }
    // Only something that was said before needs to be taken back.
    if feedback::get(tx, &item.item_id)?.is_none_or(|row| row.status != "exception") {
        return Ok(());
    }
    if strays::any_open(tx, &item.item_id)? {
        let code = Code::LineNotInLedger.text().to_owned();
        return wish(tx, item.item_id, BillingStatus::Exception, code);
    }
    let mut own = books.postings_of(tx, &item.item_id)?;
    own.sort_by_key(|posting| posting.effect);
    for posting in &own {
        if needs_somebody(&posting.state) {
            let code = posting.code.clone().unwrap_or_default();
            return wish(tx, item.item_id, BillingStatus::Exception, code);
        }
    }
    let charges = books.charges_of(tx, &item.item_id)?;
    let nothing = (BillingStatus::Unbilled, String::new());
    let parts = parts_of(&charges)?;
    let shown = match parts.first() {
        Some(part) if parts.len() == 1 => of_part(tx, books, &charges, &own, *part)?,
        _ => of_all_parts(tx, books, &charges, &own, None)?.unwrap_or(nothing),
    };
    wish(tx, item.item_id, shown.0, shown.1)
}

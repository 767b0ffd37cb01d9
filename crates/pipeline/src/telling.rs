//! What the source should show about an item, derived from how it stands.

use crate::admit::wish;
use crate::postings::{
    active_charge, document_of, document_shape, document_state, kind_of, state_of,
};
use connector_sdk::target::Shape;
use domain::decimal::Micro;
use domain::item::ItemState;
use domain::posting::{DocumentState, PostingKind, PostingState};
use domain::status::BillingStatus;
use store::charges::ChargeRow;
use store::documents::DocumentRow;
use store::items::ItemRow;
use store::postings::{self, PostingRow};
use store::{StoreError, Tx, feedback, items};

/// What a line that stands in the ERP is shown as; nothing if it is none or its document is gone.
pub(crate) fn status_of(
    document: &DocumentRow,
    posting: &PostingRow,
) -> Result<Option<(BillingStatus, String)>, StoreError> {
    let line = posting.erp_line_ref.as_deref().unwrap_or_default();
    let creates = matches!(
        kind_of(posting)?,
        PostingKind::CreateLine | PostingKind::ReplaceLine
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

/// Show what became of a line, unless the entry or another line of it needs somebody's act: that
/// is shown until it is done, and the line comes back with it.
pub(crate) fn tell(
    tx: &mut Tx<'_>,
    item_id: [u8; 16],
    status: BillingStatus,
    reference: String,
) -> Result<(), StoreError> {
    let item = items::get(tx, &item_id)?;
    let open = item.is_some_and(|item| item.state == ItemState::Exception.name());
    if open {
        return Ok(());
    }
    if status != BillingStatus::Exception {
        let own = postings::list_for_item(tx, &item_id)?;
        if own.iter().any(|posting| needs_somebody(&posting.state)) {
            return Ok(());
        }
    }
    wish(tx, item_id, status, reference)
}

/// Show that an item is booked and comes to nothing: its charge is there with its explanation, and
/// no line is. `has_line` says that there is one, or is to be one.
pub(crate) fn nothing_to_bill(
    tx: &mut Tx<'_>,
    item: &ItemRow,
    charges: &[ChargeRow],
    has_line: bool,
) -> Result<(), StoreError> {
    let booked = ItemState::from_name(&item.state) == Some(ItemState::Booked);
    match active_charge(charges) {
        Some(charge) if booked && !has_line => {
            let hours = Micro::from_micro(charge.quantity_micro);
            let reference = format!("nothing to bill: {hours} h by the contract");
            wish(tx, item.item_id, BillingStatus::Unbilled, reference)
        }
        _ => Ok(()),
    }
}

fn needs_somebody(state: &str) -> bool {
    matches!(
        PostingState::from_name(state),
        Some(PostingState::Rejected | PostingState::Missing | PostingState::Altered)
    )
}

/// Show an item that was judged again. An exception is shown until nothing of it is left: a line
/// that somebody changed stays one although the entry itself is fine, and an entry that is fine
/// again shows the line that it never lost.
pub(crate) fn show(tx: &mut Tx<'_>, item: &ItemRow) -> Result<(), StoreError> {
    if ItemState::from_name(&item.state) == Some(ItemState::Exception) {
        let code = item.code.clone().unwrap_or_default();
        return wish(tx, item.item_id, BillingStatus::Exception, code);
    }
    // Only something that was said before needs to be taken back.
    if feedback::get(tx, &item.item_id)?.is_none_or(|row| row.status != "exception") {
        return Ok(());
    }
    let mut own = postings::list_for_item(tx, &item.item_id)?;
    own.sort_by_key(|posting| posting.effect);
    let mut shown = (BillingStatus::Unbilled, String::new());
    for posting in &own {
        match state_of(posting)? {
            PostingState::Rejected | PostingState::Missing | PostingState::Altered => {
                let code = posting.code.clone().unwrap_or_default();
                return wish(tx, item.item_id, BillingStatus::Exception, code);
            }
            PostingState::Posted if kind_of(posting)? == PostingKind::Credit => {
                shown = (BillingStatus::Unbilled, String::new());
            }
            PostingState::Posted => {
                let document = document_of(tx, &posting.document_id)?;
                shown = status_of(&document, posting)?.unwrap_or(shown);
            }
            _ => {}
        }
    }
    wish(tx, item.item_id, shown.0, shown.1)
}

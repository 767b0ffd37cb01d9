//! How a part of an item stands towards the ERP, read from its charges and postings.

use crate::env::inconsistent;
use crate::facts::{self, ChargeFacts, ErpRefs, Sharing};
use crate::plan::{HeldLine, Home, Numbers, Unsent, View, Wanted, taken_back};
use crate::strand::charge_of;
use connector_sdk::target::Shape;
use domain::contract::BillShape;
use domain::decimal::Micro;
use domain::exception::Code;
use domain::posting::{DocumentState, PostingKind, PostingState};
use rules::charge::{ChargeContent, Disposition};
use store::attempts::{self, AttemptRow};
use store::charges::ChargeRow;
use store::documents::{self, DocumentRow};
use store::postings::PostingRow;
use store::{ReadTx, StoreError};

/// The shape of a charge in the ERP; none while it is held.
pub const fn shape_of(content: &ChargeContent) -> Option<Shape> {
    match (content.disposition, content.shape) {
        (
            Disposition::Cost
            | Disposition::Drawn
            | Disposition::Allowance
            | Disposition::WrittenOff,
            _,
        ) => Some(Shape::Cost),
        (Disposition::Bill, BillShape::DraftLine) => Some(Shape::DraftLine),
        (Disposition::Bill, BillShape::Timesheet) => Some(Shape::Timesheet),
        (Disposition::Held, _) => None,
    }
}

/// The line that a charge wants; none where the contract's rounding left nothing to bill, while it is
/// held, and where it is billed by a line that it shares.
pub fn wanted_of(charge_no: i64, facts: &ChargeFacts) -> Option<Wanted> {
    let content = &facts.content;
    let shape = shape_of(content)?;
    let home = Home {
        shape,
        bill_to: content.placement.bill_to.clone(),
        currency: content.currency(),
        group_key: content.placement.group_key.clone(),
        period: content.placement.period.clone(),
    };
    let numbers = match &facts.sharing {
        Some(Sharing::Member) => return None,
        Some(Sharing::Line(line)) => Numbers {
            quantity: line.quantity,
            rate: line.rate,
            amount_minor: line.amount.amount_minor,
            work_date: content.work_date,
            booked_seconds: None,
        },
        None => Numbers {
            quantity: content.quantity,
            // What is booked as cost has no price in the ERP, whatever the part is worth.
            rate: match shape {
                Shape::DraftLine | Shape::Timesheet => content.rate,
                Shape::Cost => Micro::ZERO,
            },
            amount_minor: content.amount.amount_minor,
            work_date: content.work_date,
            booked_seconds: booked_seconds(content),
        },
    };
    let (makes_line, credit_in_part) = match &facts.sharing {
        Some(Sharing::Line(line)) => (line.amount.amount_minor != 0, Some(line.amount_rounding)),
        Some(Sharing::Member) | None => (!content.makes_no_line(), None),
    };
    makes_line.then(|| Wanted {
        charge_no,
        home,
        numbers,
        refs: facts.refs.clone(),
        credit_in_part,
    })
}

/// The recorded time of a line that is more than its printed quantity: work that no line bills has
/// the quantity that its retainer or fee counts, and books the time that was worked.
const fn booked_seconds(content: &ChargeContent) -> Option<i64> {
    if content.books_recorded_time() {
        Some(content.recorded_seconds)
    } else {
        None
    }
}

/// The facts of a charge; an error if they were shredded, since money cannot be moved blindly.
pub fn charge_facts(tx: &mut ReadTx<'_>, charge: &ChargeRow) -> Result<ChargeFacts, StoreError> {
    facts::open(tx, charge.explain)?
        .ok_or_else(|| inconsistent("the facts of a charge were shredded"))
}

/// The numbers of the postings that an attempt covers.
pub fn members(attempt: &AttemptRow) -> Vec<i64> {
    attempt
        .members
        .as_chunks::<8>()
        .0
        .iter()
        .map(|bytes| i64::from_be_bytes(*bytes))
        .collect()
}

/// The stored form of a membership.
pub fn members_bytes(posting_nos: &[i64]) -> Vec<u8> {
    posting_nos.iter().flat_map(|no| no.to_be_bytes()).collect()
}

/// The state of a stored posting.
pub fn state_of(posting: &PostingRow) -> Result<PostingState, StoreError> {
    PostingState::from_name(&posting.state)
        .ok_or_else(|| inconsistent(format!("posting state '{}'", posting.state)))
}

/// The kind of a stored posting.
pub fn kind_of(posting: &PostingRow) -> Result<PostingKind, StoreError> {
    PostingKind::from_name(&posting.kind)
        .ok_or_else(|| inconsistent(format!("posting kind '{}'", posting.kind)))
}

/// The state of a stored document.
pub fn document_state(document: &DocumentRow) -> Result<DocumentState, StoreError> {
    DocumentState::from_name(&document.state)
        .ok_or_else(|| inconsistent(format!("document state '{}'", document.state)))
}

/// The shape of a stored document.
pub fn document_shape(document: &DocumentRow) -> Result<Shape, StoreError> {
    Shape::from_name(&document.shape)
        .ok_or_else(|| inconsistent(format!("document shape '{}'", document.shape)))
}

/// Where a document's lines belong.
pub fn home_of(document: &DocumentRow) -> Result<Home, StoreError> {
    Ok(Home {
        shape: document_shape(document)?,
        bill_to: document.bill_to.clone(),
        currency: document.currency.parse().map_err(|error| {
            inconsistent(format!(
                "document currency '{}': {error}",
                document.currency
            ))
        })?,
        group_key: document.group_key.clone(),
        period: document.period.clone(),
    })
}

/// The numbers of a line that stands, and what it is about.
fn content_of(
    tx: &mut ReadTx<'_>,
    charges: &[ChargeRow],
    posting: &PostingRow,
) -> Result<(Numbers, ErpRefs), StoreError> {
    let facts = charge_facts(tx, charge_of(charges, posting)?)?;
    let numbers = Numbers {
        quantity: Micro::from_micro(posting.quantity_micro),
        rate: Micro::from_micro(posting.rate_micro),
        amount_minor: posting.amount_minor,
        work_date: facts.content.work_date,
        booked_seconds: booked_seconds(&facts.content),
    };
    Ok((numbers, facts.refs))
}

/// How one part of an item stands towards the ERP, from the postings of this part. `document` gives
/// the present state of a document, which may have changed in this very transaction.
pub fn view_of(
    tx: &mut ReadTx<'_>,
    charges: &[ChargeRow],
    mut postings: Vec<PostingRow>,
    wanted: Option<&Wanted>,
    mut document: impl FnMut(&mut ReadTx<'_>, &[u8; 16]) -> Result<DocumentRow, StoreError>,
) -> Result<View, StoreError> {
    postings.sort_by_key(|posting| posting.effect);
    let mut view = View::default();
    let mut unsent: Option<(PostingRow, bool)> = None;
    for posting in postings {
        let home = document(tx, &posting.document_id)?;
        let open = attempts::open(tx, &posting.document_id)?;
        // After a restore a line may have been settled before the attempt that holds it: nothing
        // would plan its item again once the attempt is.
        let unsettled = matches!(
            state_of(&posting)?,
            PostingState::Ready | PostingState::Waiting
        );
        if unsettled && open.is_some_and(|attempt| members(&attempt).contains(&posting.posting_no))
        {
            view.in_flight = true;
        }
        let stands = document_state(&home)?;
        let takes_lines = stands.takes_lines();
        match state_of(&posting)? {
            // A line stands in the ERP under its key: planned anew it would be billed twice.
            PostingState::Rejected
                if posting.code.as_deref() == Some(Code::KeyHeldByOtherContent.text()) =>
            {
                view.disturbed = true;
            }
            PostingState::Ready
            | PostingState::Waiting
            | PostingState::Held
            | PostingState::Rejected => unsent = Some((posting, takes_lines)),
            PostingState::Missing | PostingState::Altered => view.disturbed = true,
            PostingState::Posted => match kind_of(&posting)? {
                PostingKind::CreateLine | PostingKind::ReplaceLine => {
                    let (numbers, refs) = content_of(tx, charges, &posting)?;
                    view.held = Some(HeldLine {
                        document_id: posting.document_id,
                        posting_no: posting.posting_no,
                        charge_no: posting.charge_no,
                        line_key: posting.line_key.clone(),
                        erp_line_ref: posting.erp_line_ref.clone().unwrap_or_default(),
                        home: home_of(&home)?,
                        numbers,
                        refs,
                        changeable: takes_lines,
                        undone: matches!(stands, DocumentState::Credited | DocumentState::Void),
                    });
                }
                PostingKind::Credit => {
                    view.held = view.held.and_then(|held| left_after(held, &posting));
                }
                PostingKind::DeleteLine | PostingKind::Void => view.held = None,
            },
            PostingState::Sending | PostingState::Ambiguous => view.in_flight = true,
            PostingState::Cancelled | PostingState::Superseded => {}
        }
    }
    if let Some((posting, takes_lines)) = unsent {
        let fits = fits(&posting, takes_lines, wanted, &view)?;
        view.unsent = Some(Unsent {
            document_id: posting.document_id,
            posting_no: posting.posting_no,
            fits,
        });
    }
    Ok(view)
}

/// What a credit leaves of a line.
fn left_after(mut held: HeldLine, credit: &PostingRow) -> Option<HeldLine> {
    let left = &mut held.numbers;
    let micro = left.quantity.micro().saturating_add(credit.quantity_micro);
    left.quantity = Micro::from_micro(micro);
    left.amount_minor = left.amount_minor.saturating_add(credit.amount_minor);
    held.charge_no = credit.charge_no;
    (micro != 0).then_some(held)
}

/// Whether an unsent posting still does what is wanted.
fn fits(
    posting: &PostingRow,
    takes_lines: bool,
    wanted: Option<&Wanted>,
    view: &View,
) -> Result<bool, StoreError> {
    Ok(match (kind_of(posting)?, wanted, &view.held) {
        (PostingKind::CreateLine, Some(wanted), None)
        | (PostingKind::ReplaceLine, Some(wanted), Some(_)) => {
            takes_lines && posting.charge_no == wanted.charge_no
        }
        (PostingKind::DeleteLine, wanted, Some(held)) => {
            takes_lines && wanted.is_none_or(|wanted| wanted.home != held.home)
        }
        (PostingKind::Credit, wanted, Some(held)) => {
            takes_lines
                && !held.undone
                && posting.quantity_micro == -taken_back(wanted, held).quantity.micro()
                && wanted.is_none_or(|w| {
                    w.home != held.home || w.numbers != held.numbers || w.refs != held.refs
                })
        }
        _ => false,
    })
}

/// A document by its id; its absence is damage.
pub fn document_of(tx: &mut ReadTx<'_>, id: &[u8; 16]) -> Result<DocumentRow, StoreError> {
    documents::get(tx, id)?.ok_or_else(|| inconsistent("a posting without its document"))
}

//! How a part of an item stands towards the ERP, read from its charges and postings.

use crate::env::inconsistent;
use crate::facts::{self, ChargeFacts, ErpRefs, Sharing};
use crate::plan::{Correction, HeldLine, Home, Numbers, Unsent, View, Wanted};
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
    let own = || match (shape, facts.by_difference) {
        (Shape::DraftLine, Some(rounding)) => Correction::Difference(rounding),
        _ => Correction::Whole,
    };
    let (makes_line, correction) = match &facts.sharing {
        Some(Sharing::Line(line)) => (
            line.amount.amount_minor != 0,
            Correction::InPart(line.amount_rounding),
        ),
        Some(Sharing::Member) | None => (!content.makes_no_line(), own()),
    };
    makes_line.then(|| Wanted {
        charge_no,
        home,
        numbers,
        refs: facts.refs.clone(),
        correction,
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

/// What a line that stands has, what it comes to with the lines that it corrects, and what it is about.
fn content_of(
    tx: &mut ReadTx<'_>,
    charges: &[ChargeRow],
    posting: &PostingRow,
    corrects: bool,
) -> Result<(Numbers, Numbers, ErpRefs), StoreError> {
    let facts = charge_facts(tx, charge_of(charges, posting)?)?;
    let content = &facts.content;
    let numbers = Numbers {
        quantity: Micro::from_micro(posting.quantity_micro),
        rate: Micro::from_micro(posting.rate_micro),
        amount_minor: posting.amount_minor,
        work_date: content.work_date,
        booked_seconds: booked_seconds(content),
    };
    let comes_to = if corrects {
        Numbers {
            quantity: content.quantity,
            rate: content.rate,
            amount_minor: content.amount.amount_minor,
            ..numbers
        }
    } else {
        numbers
    };
    Ok((numbers, comes_to, facts.refs))
}

/// How one part of an item stands towards the ERP, from the postings of this part. `document` gives
/// the present state of a document, which may have changed in this very transaction.
pub fn view_of(
    tx: &mut ReadTx<'_>,
    charges: &[ChargeRow],
    mut postings: Vec<PostingRow>,
    mut document: impl FnMut(&mut ReadTx<'_>, &[u8; 16]) -> Result<DocumentRow, StoreError>,
) -> Result<View, StoreError> {
    postings.sort_by_key(|posting| posting.effect);
    let mut view = View::default();
    let mut lines: Vec<HeldLine> = Vec::new();
    for posting in &postings {
        let home = document(tx, &posting.document_id)?;
        let open = attempts::open(tx, &posting.document_id)?;
        // After a restore a line may have been settled before the attempt that holds it: nothing
        // would plan its item again once the attempt is.
        let unsettled = matches!(
            state_of(posting)?,
            PostingState::Ready | PostingState::Waiting
        );
        if unsettled && open.is_some_and(|attempt| members(&attempt).contains(&posting.posting_no))
        {
            view.in_flight = true;
        }
        let stands = document_state(&home)?;
        let takes_lines = stands.takes_lines();
        let kind = kind_of(posting)?;
        match state_of(posting)? {
            // A line stands in the ERP under its key: planned anew it would be billed twice.
            PostingState::Rejected
                if posting.code.as_deref() == Some(Code::KeyHeldByOtherContent.text()) =>
            {
                view.disturbed = true;
            }
            PostingState::Ready
            | PostingState::Waiting
            | PostingState::Held
            | PostingState::Rejected => {
                view.unsent = Some(Unsent {
                    document_id: posting.document_id,
                    posting_no: posting.posting_no,
                    kind,
                    charge_no: posting.charge_no,
                    amends: amended_by(posting),
                    quantity: Micro::from_micro(posting.quantity_micro),
                    rate: Micro::from_micro(posting.rate_micro),
                    takes_lines,
                });
            }
            PostingState::Missing | PostingState::Altered => view.disturbed = true,
            PostingState::Posted => match kind {
                PostingKind::CreateLine | PostingKind::Difference | PostingKind::ReplaceLine => {
                    let corrects = is_difference(posting, &postings)?;
                    let (numbers, comes_to, refs) = content_of(tx, charges, posting, corrects)?;
                    if !corrects {
                        lines.clear();
                    }
                    lines.push(HeldLine {
                        document_id: posting.document_id,
                        posting_no: posting.posting_no,
                        charge_no: posting.charge_no,
                        line_key: posting.line_key.clone(),
                        erp_line_ref: posting.erp_line_ref.clone().unwrap_or_default(),
                        home: home_of(&home)?,
                        numbers,
                        comes_to,
                        refs,
                        changeable: takes_lines,
                        undone: matches!(stands, DocumentState::Credited | DocumentState::Void),
                    });
                }
                PostingKind::Credit => credit(&mut lines, posting),
                // What it took off the draft is superseded.
                PostingKind::DeleteLine if is_difference(posting, &postings)? => {}
                PostingKind::DeleteLine | PostingKind::Void => lines.clear(),
            },
            PostingState::Sending | PostingState::Ambiguous => view.in_flight = true,
            PostingState::Cancelled | PostingState::Superseded => {}
        }
    }
    view.held = lines.pop();
    view.below = lines;
    Ok(view)
}

/// The line that a posting is about, by document and number.
pub(crate) fn amended_by(posting: &PostingRow) -> Option<([u8; 16], i64)> {
    let number = posting.amends?;
    let document = posting.amends_document.unwrap_or(posting.document_id);
    Some((document, number))
}

/// A posting of an item, by document and number.
pub(crate) fn posting_at(
    postings: &[PostingRow],
    (document_id, posting_no): ([u8; 16], i64),
) -> Option<&PostingRow> {
    let mut all = postings.iter();
    all.find(|row| (row.document_id, row.posting_no) == (document_id, posting_no))
}

/// A posting, what it amends, what that amends, and so on: each is of an earlier effect.
fn amending<'a>(
    posting: &'a PostingRow,
    postings: &'a [PostingRow],
) -> impl Iterator<Item = &'a PostingRow> {
    std::iter::successors(Some(posting), |at| {
        let amended = posting_at(postings, amended_by(at)?)?;
        (amended.effect < at.effect).then_some(amended)
    })
}

/// Whether a posting makes or changes a line that is the difference to another.
pub(crate) fn is_difference(
    posting: &PostingRow,
    postings: &[PostingRow],
) -> Result<bool, StoreError> {
    for row in amending(posting, postings) {
        match kind_of(row)? {
            PostingKind::Difference => return Ok(true),
            PostingKind::ReplaceLine | PostingKind::DeleteLine => {}
            PostingKind::CreateLine | PostingKind::Credit | PostingKind::Void => break,
        }
    }
    Ok(false)
}

/// Whether a posting is a difference of rates, or credits one: it has hours of others once more.
pub(crate) fn corrects_a_rate(
    charges: &[ChargeRow],
    posting: &PostingRow,
    postings: &[PostingRow],
) -> Result<bool, StoreError> {
    let mut line = amending(posting, postings);
    for row in line.by_ref() {
        if kind_of(row)? == PostingKind::Difference {
            break;
        }
    }
    let Some(corrected) = line.next() else {
        return Ok(false);
    };
    let (new, old) = (charge_of(charges, posting)?, charge_of(charges, corrected)?);
    Ok(new.rate_micro != old.rate_micro)
}

/// The posting that made the first of the lines that a posting corrects; none where it corrects none.
pub(crate) fn first_of<'a>(
    posting: &'a PostingRow,
    postings: &'a [PostingRow],
) -> Option<&'a PostingRow> {
    amending(posting, postings).skip(1).last()
}

/// Take a credit from the line that it names.
fn credit(lines: &mut Vec<HeldLine>, credit: &PostingRow) {
    let named = |line: &HeldLine| amended_by(credit) == Some((line.document_id, line.posting_no));
    let latest = lines.len().checked_sub(1);
    let Some(at) = lines.iter().rposition(named).or(latest) else {
        return;
    };
    let Some(line) = lines.get_mut(at) else {
        return;
    };
    line.add(credit.quantity_micro, credit.amount_minor);
    line.charge_no = credit.charge_no;
    if line.numbers.quantity == Micro::ZERO {
        lines.remove(at);
    }
}

/// A document by its id; its absence is damage.
pub fn document_of(tx: &mut ReadTx<'_>, id: &[u8; 16]) -> Result<DocumentRow, StoreError> {
    documents::get(tx, id)?.ok_or_else(|| inconsistent("a posting without its document"))
}

//! The class of an item in the reconciliation: charges, postings and what the ERP holds, compared part
//! by part.

use crate::error::PassError;
use crate::postings::{corrects_a_rate, document_shape, kind_of, state_of};
use crate::reconcile::Class;
use crate::strand::{active_by_part, charge_of, part_of, parts_of};
use connector_sdk::source::DateWindow;
use connector_sdk::target::{FoundLine, Shape};
use domain::item::ItemState;
use domain::posting::{PostingKind, PostingState};
use rules::charge::Disposition;
use rules::part::Part;
use std::collections::{BTreeMap, BTreeSet};
use store::charges::ChargeRow;
use store::documents::DocumentRow;
use store::items::ItemRow;
use store::postings::PostingRow;

/// An item with what is booked and asked of it.
pub(crate) struct Book {
    pub(crate) item: ItemRow,
    /// The booked parts that make no line: they come to nothing, or wait for room.
    pub(crate) no_line: BTreeSet<Part>,
    pub(crate) charges: Vec<ChargeRow>,
    pub(crate) postings: Vec<PostingRow>,
    /// The parts that are billed by a line that they share, and how far that line has come with them.
    pub(crate) shared: BTreeMap<Part, OnLine>,
    /// What a shared line is to come to, where the item is one; its charge only books the rounding.
    pub(crate) line: Option<LineSum>,
}

/// A charge on a shared line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct OnLine {
    pub(crate) line_id: [u8; 16],
    /// Whether the line stands in the ERP with this charge on it.
    pub(crate) stands: bool,
}

/// What a shared line comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct LineSum {
    pub(crate) quantity_micro: i64,
    pub(crate) amount_minor: i64,
    /// What is booked with the charges that stand on it.
    pub(crate) members_minor: i64,
}

/// A line that should stand in the ERP, and what was found.
pub(crate) struct Line {
    pub(crate) posting: PostingRow,
    pub(crate) document: DocumentRow,
    pub(crate) found: Option<FoundLine>,
}

/// The money a line stands for in the ERP: nothing for booked time, which the ERP prices itself.
pub(crate) fn erp_amount(line: &Line) -> Option<i64> {
    if line.document.shape != Shape::DraftLine.name() {
        return line.found.as_ref().map(|_| line.posting.amount_minor);
    }
    line.found
        .as_ref()
        .and_then(|found| found.amount)
        .map(|amount| amount.amount_minor)
}

/// How an item stands, and in words.
pub(crate) fn classify(
    book: &Book,
    lines: &[&Line],
    source: Option<([u8; 16], i64)>,
    readable: bool,
    window: DateWindow,
) -> Result<(Class, String), PassError> {
    let item = &book.item;
    let state = ItemState::from_name(&item.state)
        .ok_or_else(|| crate::env::inconsistent(format!("item state '{}'", item.state)))?;
    let says = |class: Class, words: &str| Ok((class, words.to_owned()));
    for line in lines {
        if let Some(problem) = line_problem(line)? {
            return Ok(problem);
        }
    }
    let inside = item.work_date.parse().is_ok_and(|day| window.holds(day));
    match (state, source) {
        (ItemState::Elsewhere, _) => {
            return says(Class::Elsewhere, "billed before this ledger began");
        }
        (ItemState::Withdrawn, None) => {}
        (ItemState::Withdrawn, Some(_)) => {
            return says(
                Class::ChangedAtSource,
                "it is back at the source; the next sync takes it in",
            );
        }
        (_, None) if readable && inside && !item.source_ref.starts_with("unreadable-") => {
            return says(Class::GoneAtSource, "the next sync withdraws it");
        }
        (_, Some((print, _))) if print != item.fingerprint => {
            return says(Class::ChangedAtSource, "the next sync takes the change in");
        }
        _ => {}
    }
    if state == ItemState::Exception {
        return Ok((Class::OpenException, item.code.clone().unwrap_or_default()));
    }
    let mut on_its_way = false;
    for posting in &book.postings {
        match state_of(posting)? {
            PostingState::Rejected | PostingState::Held => {
                return Ok((
                    Class::OpenException,
                    posting.code.clone().unwrap_or_default(),
                ));
            }
            posting_state => on_its_way |= posting_state.unsettled(),
        }
    }
    if on_its_way {
        return says(Class::OnItsWay, "the next pass sends it");
    }
    let credits = lines
        .iter()
        .filter(|line| kind_of(&line.posting).is_ok_and(|kind| kind == PostingKind::Credit))
        .count();
    let active = active_by_part(&book.charges)?;
    match state {
        ItemState::Waiting if active.is_empty() && cancel_out(book, lines)? => {
            says(Class::Waiting, "not approved")
        }
        ItemState::Withdrawn if active.is_empty() && cancel_out(book, lines)? => says(
            Class::Withdrawn,
            if credits > 0 {
                "deleted and credited"
            } else {
                "deleted"
            },
        ),
        ItemState::Booked if !active.is_empty() => of_parts(book, lines, &active),
        ItemState::Booked if book.line.is_some() && cancel_out(book, lines)? => {
            says(Class::Withdrawn, "nothing is left of the line")
        }
        _ => says(
            Class::Unexplained,
            "state, charges and lines do not belong together",
        ),
    }
}

/// The lines of one part.
fn lines_of<'a>(book: &Book, lines: &[&'a Line], part: Part) -> Result<Vec<&'a Line>, PassError> {
    let mut own = Vec::new();
    for line in lines {
        if part_of(charge_of(&book.charges, &line.posting)?)? == part {
            own.push(*line);
        }
    }
    Ok(own)
}

/// Whether the lines of every part come to nothing.
fn cancel_out(book: &Book, lines: &[&Line]) -> Result<bool, PassError> {
    for part in parts_of(&book.charges)? {
        if !lines_cancel_out(&lines_of(book, lines, part)?) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Compare charge and lines part by part: an hour too much of one is no hour too few of another.
fn of_parts(
    book: &Book,
    lines: &[&Line],
    active: &BTreeMap<Part, &ChargeRow>,
) -> Result<(Class, String), PassError> {
    let (mut billed, mut cost, mut held, mut on_its_way) = (false, false, false, false);
    let mut documents: Vec<String> = Vec::new();
    for part in parts_of(&book.charges)? {
        let own = lines_of(book, lines, part)?;
        let shared = book.shared.get(&part);
        let charge = active
            .get(&part)
            .filter(|_| !book.no_line.contains(&part) && shared.is_none());
        if let Some(on_line) = shared {
            billed = true;
            on_its_way |= !on_line.stands;
            documents.push("on a line with others".to_owned());
        }
        let Some(charge) = charge else {
            held |= active
                .get(&part)
                .is_some_and(|charge| charge.disposition == Disposition::Held.name());
            if lines_cancel_out(&own) {
                continue;
            }
            return Ok(differ(part));
        };
        let standing = own
            .iter()
            .rfind(|line| kind_of(&line.posting).is_ok_and(|kind| kind != PostingKind::Credit));
        let net: i64 = own.iter().map(|line| line.posting.amount_minor).sum();
        let hours = hours_of(book, &own)?;
        let Some(standing) = standing else {
            return Ok(differ(part));
        };
        let wanted = match &book.line {
            Some(line) => (line.amount_minor, line.quantity_micro),
            None => (charge.amount_minor, charge.quantity_micro),
        };
        if (net, hours) != wanted {
            return Ok(differ(part));
        }
        billed |= charge.disposition == Disposition::Bill.name();
        cost |= charge.disposition != Disposition::Bill.name();
        let document = &standing.document;
        let number = document.erp_number.as_deref().unwrap_or("draft");
        let words = format!("{} {number}", document.state);
        if !documents.contains(&words) {
            documents.push(words);
        }
    }
    if on_its_way {
        let words = "the line that bills it waits to be sent".to_owned();
        return Ok((Class::OnItsWay, words));
    }
    if held {
        documents.push("a part is held".to_owned());
    }
    Ok(match (billed, cost) {
        (true, _) => (Class::Posted, documents.join(", ")),
        (false, true) => (Class::CostOnly, documents.join(", ")),
        (false, false) if held => (Class::Held, "it waits for room under a limit".to_owned()),
        (false, false) => {
            let words = "the contract's rounding left nothing".to_owned();
            (Class::NothingToBill, words)
        }
    })
}

/// The hours that lines bill. What corrects nothing but the rate of others has their hours once more.
fn hours_of(book: &Book, lines: &[&Line]) -> Result<i64, PassError> {
    let mut hours = 0_i64;
    for line in lines {
        if !corrects_a_rate(&book.charges, &line.posting, &book.postings)? {
            hours += line.posting.quantity_micro;
        }
    }
    Ok(hours)
}

fn differ(part: Part) -> (Class, String) {
    let words = if part == Part::WHOLE {
        "the ledger's charge and the ERP's lines differ".to_owned()
    } else {
        format!("the ledger's charge and the ERP's lines differ for {part}")
    };
    (Class::Unexplained, words)
}

fn lines_cancel_out(lines: &[&Line]) -> bool {
    lines
        .iter()
        .map(|line| line.posting.amount_minor)
        .sum::<i64>()
        == 0
        && lines
            .iter()
            .map(|line| line.posting.quantity_micro)
            .sum::<i64>()
            == 0
}

/// What is wrong with a line by itself.
pub(crate) fn line_problem(line: &Line) -> Result<Option<(Class, String)>, PassError> {
    let reference = line.posting.erp_line_ref.clone().unwrap_or_default();
    let Some(found) = &line.found else {
        return Ok(Some((
            Class::LineMissing,
            format!("line {reference} was deleted in the ERP"),
        )));
    };
    if document_shape(&line.document)? == Shape::Timesheet {
        let ours = domain::decimal::Micro::from_micro(line.posting.rate_micro);
        if let Some(rate) = found.rate.filter(|rate| *rate != ours) {
            let words = format!("the ERP bills booked time {reference} at {rate}, ours is {ours}");
            return Ok(Some((Class::ErpPriceDiffers, words)));
        }
        return Ok(None);
    }
    if document_shape(&line.document)? == Shape::Cost {
        return Ok(None);
    }
    let same = found.quantity.micro() == line.posting.quantity_micro
        && found
            .rate
            .is_none_or(|rate| rate.micro() == line.posting.rate_micro)
        && found
            .amount
            .is_none_or(|amount| amount.amount_minor == line.posting.amount_minor);
    if !same {
        let amount = found
            .amount
            .map_or_else(String::new, |amount| amount.to_string());
        let words = format!("line {reference} was changed in the ERP, it is now {amount}");
        return Ok(Some((Class::LineAltered, words)));
    }
    if let (Some(now), Some(then)) = (&found.document_ref, &line.document.erp_ref)
        && now != then
    {
        let words = format!("line {reference} was moved from document {then} to {now}");
        return Ok(Some((Class::LineMoved, words)));
    }
    Ok(None)
}

//! Planning inside a transaction: from what is booked and what the ERP holds to the next posting of
//! each part of an item. The only code that makes postings.

use crate::books::Books;
use crate::env::{Terms, inconsistent};
use crate::plan::{Home, Next, Numbers, Wanted, next_step};
use crate::postings::view_of;
use crate::shared;
use crate::strand::{WantedLines, part_of, parts_of, postings_of_part};
use crate::telling;
use domain::ids::ItemId;
use domain::posting::{PostingKeyParts, PostingKind, PostingState, posting_key};
use rules::part::Part;
use store::charges::{self, ChargeRow};
use store::items::ItemRow;
use store::postings::{self, PostingChange, PostingRow};
use store::{StoreError, Tx};

/// Plan the next posting of each part of an item whose charges are as they should be. A shared line is
/// only noted: it is brought up to its members once the command has done its part.
pub fn plan(
    tx: &mut Tx<'_>,
    books: &mut Books,
    terms: &Terms,
    item: &mut ItemRow,
    charges: &mut [ChargeRow],
    wanted: &WantedLines,
    new_item: bool,
) -> Result<(), StoreError> {
    if shared::is_line(item) {
        books.touch(item.item_id);
        return Ok(());
    }
    if plan_lines(tx, books, terms, item, charges, wanted, new_item)? {
        if !wanted.shared.is_empty() && !new_item {
            // What kept the entry off its line may be gone.
            for member in books.members_of(tx, &item.item_id)? {
                books.touch(member.line_id);
            }
        }
        return Ok(());
    }
    telling::nothing_to_bill(tx, item, charges)
}

/// Plan the next posting of each part. False if no line is there and none is to be.
pub(crate) fn plan_lines(
    tx: &mut Tx<'_>,
    books: &mut Books,
    terms: &Terms,
    item: &mut ItemRow,
    charges: &mut [ChargeRow],
    wanted: &WantedLines,
    new_item: bool,
) -> Result<bool, StoreError> {
    let mut has_line = !wanted.shared.is_empty();
    for part in parts_of(charges)? {
        let wanted = wanted.own.get(&part);
        has_line |= plan_part(tx, books, terms, item, charges, (part, wanted), new_item)?;
    }
    Ok(has_line)
}

/// Plan the next posting of one part. False if no line of it is there and none is to be.
fn plan_part(
    tx: &mut Tx<'_>,
    books: &mut Books,
    terms: &Terms,
    item: &mut ItemRow,
    charges: &mut [ChargeRow],
    (part, wanted): (Part, Option<&Wanted>),
    new_item: bool,
) -> Result<bool, StoreError> {
    // Each round withdraws at most one unsent posting; a part has at most one.
    for _ in 0..3 {
        let all = if new_item {
            books.fresh_postings(&item.item_id)
        } else {
            books.postings_of(tx, &item.item_id)?
        };
        let own = postings_of_part(charges, &all, part)?;
        let mut view = view_of(tx, charges, own, |tx, id| books.document(tx, id))?;
        // A line that the ledger does not know may be what is wanted: a person decides.
        view.disturbed |= !new_item && crate::strays::any_open(tx, &item.item_id)?;
        // A line that it shared may bill it still: a second one would bill it twice.
        view.in_flight |= !new_item
            && wanted.is_some()
            && !shared::is_line(item)
            && shared::carried_elsewhere(tx, books, terms, charges, part, None)?;
        let line = match next_step(wanted, &view) {
            Next::Nothing => {
                let held = view.held.is_some() || view.unsent.is_some();
                return Ok(wanted.is_some() || held);
            }
            Next::Wait => return Ok(true),
            Next::Withdraw(unsent) => {
                let mut row = postings::get(tx, &unsent.document_id, unsent.posting_no)?
                    .ok_or_else(|| inconsistent("an unsent posting vanished"))?;
                let change = PostingChange::to(PostingState::Cancelled.name(), &row);
                books.settle(
                    tx,
                    &unsent.document_id,
                    vec![(&mut row, change)],
                    "no longer wanted",
                )?;
                continue;
            }
            Next::Create => {
                let Some(wanted) = wanted else {
                    return Ok(false);
                };
                Line::create(wanted)
            }
            Next::Replace { held, numbers } => {
                let Some(wanted) = wanted else {
                    return Ok(true);
                };
                Line {
                    kind: PostingKind::ReplaceLine,
                    charge_no: wanted.charge_no,
                    home: held.home.clone(),
                    numbers,
                    held: Some(held),
                }
            }
            Next::Differ { held, numbers } => {
                let Some(wanted) = wanted else {
                    return Ok(true);
                };
                Line {
                    kind: PostingKind::Difference,
                    charge_no: wanted.charge_no,
                    home: wanted.home.clone(),
                    numbers,
                    held: Some(held),
                }
            }
            Next::Delete(held) => Line {
                kind: PostingKind::DeleteLine,
                charge_no: reversal_of(charges, held.charge_no)?,
                home: held.home.clone(),
                numbers: held.numbers,
                held: Some(held),
            },
            Next::Credit { held, taken_back } => {
                Line::credit(terms, charges, wanted, (held, taken_back))?
            }
        };
        ask(tx, books, terms, item, charges, &line)?;
        return Ok(true);
    }
    Err(inconsistent("planning an item did not come to an end"))
}

/// The period a credit goes to: that of the line if it is still open, else the next open one.
pub(crate) fn open_period(terms: &Terms, home: &Home) -> String {
    let Ok(first) = format!("{}-01", home.period).parse::<jiff::civil::Date>() else {
        return home.period.clone();
    };
    let periods = &terms.reference.masters.periods;
    let late = domain::period::LateWork::NextOpenPeriod;
    domain::period::posting_date(first, periods, late).map_or_else(
        || home.period.clone(),
        |to| format!("{:04}-{:02}", to.date().year(), to.date().month()),
    )
}

/// The reversal of a charge, which carries the posting that undoes it; the charge itself where
/// it is not reversed (a line that only moves to another document).
pub(crate) fn reversal_of(charges: &[ChargeRow], charge_no: i64) -> Result<i64, StoreError> {
    if !charges.iter().any(|row| row.charge_no == charge_no) {
        return Err(inconsistent("a posting without its charge"));
    }
    let reversal = charges.iter().find(|row| row.reverses == Some(charge_no));
    Ok(reversal.map_or(charge_no, |row| row.charge_no))
}

struct Line {
    kind: PostingKind,
    charge_no: i64,
    home: Home,
    numbers: Numbers,
    held: Option<crate::plan::HeldLine>,
}

impl Line {
    fn create(wanted: &Wanted) -> Self {
        Self {
            kind: PostingKind::CreateLine,
            charge_no: wanted.charge_no,
            home: wanted.home.clone(),
            numbers: wanted.numbers,
            held: None,
        }
    }

    fn credit(
        terms: &Terms,
        charges: &[ChargeRow],
        wanted: Option<&Wanted>,
        (held, taken_back): (crate::plan::HeldLine, Numbers),
    ) -> Result<Self, StoreError> {
        let all = taken_back == held.numbers;
        let charge_no = match wanted.filter(|_| !all) {
            // What is left of the line is what this charge bills.
            Some(wanted) => wanted.charge_no,
            None => reversal_of(charges, held.charge_no)?,
        };
        Ok(Self {
            kind: PostingKind::Credit,
            charge_no,
            numbers: Numbers {
                quantity: domain::decimal::Micro::from_micro(-taken_back.quantity.micro()),
                amount_minor: -taken_back.amount_minor,
                ..taken_back
            },
            home: Home {
                period: open_period(terms, &held.home),
                ..held.home.clone()
            },
            held: Some(held),
        })
    }
}

/// Add the posting and point its charge at it.
fn ask(
    tx: &mut Tx<'_>,
    books: &mut Books,
    terms: &Terms,
    item: &mut ItemRow,
    charges: &mut [ChargeRow],
    line: &Line,
) -> Result<(), StoreError> {
    let now_us = tx.now_us();
    let document_id = match (&line.held, line.kind) {
        (Some(held), PostingKind::ReplaceLine | PostingKind::DeleteLine) => held.document_id,
        _ => books.open_document(tx, terms, &line.home, &item.entity)?,
    };
    let mut posting_no = 0;
    books.change(tx, &document_id, |document| {
        posting_no = document.posting_next;
        document.posting_next += 1;
        document.due_at_us = document.due_at_us.min(now_us);
    })?;
    let charge = charges
        .iter_mut()
        .find(|row| row.charge_no == line.charge_no)
        .ok_or_else(|| inconsistent("a posting without its charge"))?;
    let effect = item.effect_next;
    item.effect_next += 1;
    let key = posting_key(&PostingKeyParts {
        ledger: &terms.settings.ledger,
        flow: &terms.settings.flow,
        target_identity: &terms.target_identity,
        item: ItemId(item.item_id),
        effect,
        kind: line.kind,
        part: part_of(charge)?.code(),
    });
    let line_key = match (&line.held, line.kind) {
        (Some(held), PostingKind::ReplaceLine | PostingKind::DeleteLine) => held.line_key.clone(),
        _ => key.clone(),
    };
    books.postings.push(PostingRow {
        document_id,
        posting_no,
        posting_key: key,
        line_key,
        item_id: item.item_id,
        charge_no: line.charge_no,
        effect,
        kind: line.kind.name().to_owned(),
        amends: line.held.as_ref().map(|held| held.posting_no),
        amends_document: line.held.as_ref().map(|held| held.document_id),
        state: PostingState::Ready.name().to_owned(),
        code: None,
        due_at_us: now_us,
        tries: 0,
        quantity_micro: line.numbers.quantity.micro(),
        rate_micro: line.numbers.rate.micro(),
        amount_minor: line.numbers.amount_minor,
        posting_date: charge.posting_date.clone(),
        erp_line_ref: None,
        fact: None,
        changed_at_us: now_us,
        version: 1,
    });
    // A charge that is inserted by this command is pointed before it is written.
    let fresh = books
        .charges
        .iter_mut()
        .find(|row| row.item_id == item.item_id && row.charge_no == line.charge_no);
    if let Some(row) = fresh {
        row.document_id = Some(document_id);
        row.posting_no = Some(posting_no);
        charge.document_id = Some(document_id);
        charge.posting_no = Some(posting_no);
    } else {
        charges::set_posting(tx, charge, document_id, posting_no, "posting planned")?;
    }
    tx.wake("postings");
    Ok(())
}

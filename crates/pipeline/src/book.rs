//! Booking inside a transaction: from a judgement about an item to its charges and its next
//! posting. The only code that writes charges and plans postings.

use crate::books::Books;
use crate::env::{Terms, inconsistent};
use crate::facts::{self, ChargeFacts, Codes, ErpRefs, ExceptionFacts};
use crate::plan::{Home, Next, Numbers, Wanted, next_step};
use crate::postings::{active_charge, charge_facts, view_of, wanted_of};
use crate::telling;
use domain::entry::EntryFields;
use domain::exception::{Code, Problem};
use domain::ids::ItemId;
use domain::item::ItemState;
use domain::posting::{PostingKeyParts, PostingKind, PostingState, posting_key};
use rules::diff::{ChargeChange, diff};
use rules::estimate::{Estimate, estimate};
use rules::price::Priced;
use rules::resolve::Resolved;
use store::charges::{self, ChargeRow};
use store::documents::DocumentRow;
use store::items::ItemRow;
use store::postings::{self, PostingChange, PostingRow};
use store::{SealClass, StoreError, Tx};

/// What is thought of an item.
#[derive(Debug, Clone)]
pub enum Judgement {
    /// Billed by other means before this ledger began.
    Elsewhere,
    /// Not approved.
    Waiting,
    /// Gone from the source.
    Withdrawn,
    /// It cannot go on; the money at stake.
    Exception(Problem, Estimate),
    /// Priced.
    Priced(Box<(Priced, ErpRefs, Codes, String)>),
}

/// Judge an entry. `confirmed` says that a person confirmed what was suspicious about it.
pub fn judge(
    terms: &Terms,
    source_ref: &str,
    fields: &EntryFields,
    suspicion: Option<&Problem>,
) -> Judgement {
    let covered =
        |before: &crate::settings::BilledBefore| before.covers(source_ref, fields.work_date);
    if terms.settings.billed_before.as_ref().is_some_and(covered) {
        return Judgement::Elsewhere;
    }
    if !fields.approved {
        return Judgement::Waiting;
    }
    if let Some(problem) = suspicion {
        let at_stake = estimate(&terms.reference, fields);
        return Judgement::Exception(problem.clone(), at_stake);
    }
    let priced = rules::resolve::resolve(&terms.reference, fields).and_then(|resolved| {
        let version = rules::PRICING_VERSION;
        rules::price::price(version, &terms.reference, &resolved, fields).map(|priced| {
            (
                priced,
                refs_of(&resolved),
                codes_of(&resolved),
                resolved.business_unit.to_owned(),
            )
        })
    });
    match priced {
        Ok(priced) => Judgement::Priced(Box::new(priced)),
        Err(problem) => Judgement::Exception(problem, estimate(&terms.reference, fields)),
    }
}

fn refs_of(resolved: &Resolved<'_>) -> ErpRefs {
    ErpRefs {
        customer: resolved.customer.map(|customer| customer.erp_ref.clone()),
        service_item: resolved.service_item.erp_ref.clone(),
        task: resolved.task.erp_ref.clone(),
        worker: resolved.worker.erp_ref.clone(),
    }
}

fn codes_of(resolved: &Resolved<'_>) -> Codes {
    Codes {
        worker: resolved.worker.code.clone(),
        worker_name: resolved.worker.name.clone(),
        role: resolved.role.to_owned(),
        project: resolved.project.code.clone(),
        task: resolved.task.code.clone(),
        task_name: resolved.task.name.clone(),
        service_item: resolved.service_item.code.clone(),
    }
}

/// Book a judgement: change the item's state and charges, and plan its next posting. The item row
/// itself is written by the caller.
pub fn apply(
    tx: &mut Tx<'_>,
    books: &mut Books,
    terms: &Terms,
    item: &mut ItemRow,
    judgement: &Judgement,
    new_item: bool,
) -> Result<(), StoreError> {
    item.code = None;
    item.fact = None;
    let mut rows = if new_item {
        Vec::new()
    } else {
        charges::list_for_item(tx, &item.item_id)?
    };
    let booked = active_charge(&rows).cloned();
    match judgement {
        Judgement::Exception(problem, at_stake) => {
            // What is booked stays until it is known what it should be.
            return except(tx, item, problem, Some(at_stake));
        }
        Judgement::Elsewhere => ItemState::Elsewhere.name().clone_into(&mut item.state),
        Judgement::Waiting => ItemState::Waiting.name().clone_into(&mut item.state),
        Judgement::Withdrawn => ItemState::Withdrawn.name().clone_into(&mut item.state),
        Judgement::Priced(priced) => {
            ItemState::Booked.name().clone_into(&mut item.state);
            item.business_unit.clone_from(&priced.3);
        }
    }
    let booked_facts = booked
        .as_ref()
        .map(|row| charge_facts(tx, row))
        .transpose()?;
    let desired = match judgement {
        Judgement::Priced(priced) => Some(&priced.0.content),
        _ => None,
    };
    let mut change = diff(booked_facts.as_ref().map(|f| &f.content), desired);
    if let (ChargeChange::Nothing, Some(booked), Judgement::Priced(priced)) =
        (&change, &booked_facts, judgement)
    {
        // The same money for another task or by somebody else is another charge.
        let (was, now) = (&booked.refs, &priced.1);
        if (&was.task, &was.worker, &was.service_item)
            != (&now.task, &now.worker, &now.service_item)
        {
            change = ChargeChange::Replace(&priced.0.content);
        }
    }
    let reversal = |item: &mut ItemRow, booked: &ChargeRow, now_us: i64| {
        let number = item.charge_next;
        item.charge_next += 1;
        reverse(booked, number, item.revision, now_us)
    };
    let now_us = tx.now_us();
    match (change, booked.as_ref(), judgement) {
        (ChargeChange::Reverse, Some(booked), _) => {
            let row = reversal(item, booked, now_us);
            rows.push(row.clone());
            books.charges.push(row);
        }
        (ChargeChange::Replace(_), Some(booked), Judgement::Priced(priced)) => {
            let row = reversal(item, booked, now_us);
            rows.push(row.clone());
            books.charges.push(row);
            let row = new_charge(tx, terms, item, priced)?;
            rows.push(row.clone());
            books.charges.push(row);
        }
        (ChargeChange::Book(_), _, Judgement::Priced(priced)) => {
            let row = new_charge(tx, terms, item, priced)?;
            rows.push(row.clone());
            books.charges.push(row);
        }
        _ => {}
    }
    let wanted = match (&change, judgement) {
        (ChargeChange::Nothing, _) => match (&booked, &booked_facts) {
            (Some(booked), Some(facts)) => wanted_of(booked.charge_no, &facts.content, &facts.refs),
            _ => None,
        },
        (_, Judgement::Priced(priced)) => active_charge(&rows)
            .and_then(|row| wanted_of(row.charge_no, &priced.0.content, &priced.1)),
        _ => None,
    };
    plan(tx, books, terms, item, &mut rows, wanted.as_ref(), new_item)
}

/// Put an item into the exception queue. The money at stake is given where a charge may not say it.
pub fn except(
    tx: &mut Tx<'_>,
    item: &mut ItemRow,
    problem: &Problem,
    at_stake: Option<&Estimate>,
) -> Result<(), StoreError> {
    ItemState::Exception.name().clone_into(&mut item.state);
    item.code = Some(problem.code.text().to_owned());
    let facts = ExceptionFacts {
        problem: problem.clone(),
        estimate: at_stake.cloned(),
    };
    item.fact = Some(facts::seal_exception(tx, &item.worker, &facts)?);
    tx.count("exceptions raised", 1);
    Ok(())
}

fn reverse(booked: &ChargeRow, charge_no: i64, revision: i64, now_us: i64) -> ChargeRow {
    ChargeRow {
        charge_no,
        reverses: Some(booked.charge_no),
        revision,
        quantity_micro: -booked.quantity_micro,
        amount_minor: -booked.amount_minor,
        value_minor: -booked.value_minor,
        cost_minor: -booked.cost_minor,
        document_id: None,
        posting_no: None,
        created_at_us: now_us,
        version: 1,
        ..booked.clone()
    }
}

fn new_charge(
    tx: &mut Tx<'_>,
    terms: &Terms,
    item: &mut ItemRow,
    priced: &(Priced, ErpRefs, Codes, String),
) -> Result<ChargeRow, StoreError> {
    let (priced, refs, codes, _) = priced;
    let content = &priced.content;
    let facts = ChargeFacts {
        content: content.clone(),
        explanation: priced.explanation.clone(),
        refs: refs.clone(),
        codes: codes.clone(),
        recorded_seconds: item.recorded_seconds,
    };
    let explain = facts::seal(tx, SealClass::Explanation, &content.contract, &facts)?;
    let charge_no = item.charge_next;
    item.charge_next += 1;
    Ok(ChargeRow {
        item_id: item.item_id,
        charge_no,
        reverses: None,
        revision: item.revision,
        part: content.part.code(),
        disposition: content.disposition.name().to_owned(),
        contract: content.contract.clone(),
        quantity_micro: content.quantity.micro(),
        unit: content.unit.name().to_owned(),
        rate_micro: content.rate.micro(),
        currency: content.currency().to_string(),
        amount_minor: content.amount.amount_minor,
        value_minor: content.value.amount_minor,
        cost_rate_micro: content.cost_rate.micro(),
        cost_currency: content.cost.currency.to_string(),
        cost_minor: content.cost.amount_minor,
        work_date: content.work_date.to_string(),
        posting_date: content.posting_date.to_string(),
        pricing_version: priced.explanation.pricing_version,
        snapshot_version: terms.snapshot_version,
        inputs_digest: priced.inputs_digest,
        explain,
        document_id: None,
        posting_no: None,
        created_at_us: tx.now_us(),
        version: 1,
    })
}

/// Plan the next posting of an item whose charges are as they should be.
pub fn plan(
    tx: &mut Tx<'_>,
    books: &mut Books,
    terms: &Terms,
    item: &mut ItemRow,
    charges: &mut [ChargeRow],
    wanted: Option<&Wanted>,
    new_item: bool,
) -> Result<(), StoreError> {
    // Each round withdraws at most one unsent posting; an item has at most one.
    for _ in 0..3 {
        let own = if new_item {
            Vec::new()
        } else {
            postings::list_for_item(tx, &item.item_id)?
        };
        let view = view_of(tx, charges, own, wanted, |tx, id| books.document(tx, id))?;
        match next_step(wanted, &view) {
            Next::Nothing => {
                let held = view.held.is_some() || view.unsent.is_some();
                return telling::nothing_to_bill(tx, item, charges, wanted.is_some() || held);
            }
            Next::Wait => return Ok(()),
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
            }
            Next::Create => {
                let Some(wanted) = wanted else { return Ok(()) };
                let line = Line::create(wanted);
                return ask(tx, books, terms, item, charges, &line);
            }
            Next::Replace(held) => {
                let Some(wanted) = wanted else { return Ok(()) };
                let line = Line {
                    kind: PostingKind::ReplaceLine,
                    charge_no: wanted.charge_no,
                    home: held.home.clone(),
                    numbers: wanted.numbers,
                    held: Some(held),
                };
                return ask(tx, books, terms, item, charges, &line);
            }
            Next::Delete(held) => {
                let charge_no = reversal_of(charges, held_charge(tx, &held)?)?;
                let line = Line {
                    kind: PostingKind::DeleteLine,
                    charge_no,
                    home: held.home.clone(),
                    numbers: held.numbers,
                    held: Some(held),
                };
                return ask(tx, books, terms, item, charges, &line);
            }
            Next::Credit(held) => {
                let charge_no = reversal_of(charges, held_charge(tx, &held)?)?;
                let numbers = Numbers {
                    quantity: domain::decimal::Micro::from_micro(-held.numbers.quantity.micro()),
                    amount_minor: -held.numbers.amount_minor,
                    ..held.numbers
                };
                let home = Home {
                    period: open_period(terms, &held.home),
                    ..held.home.clone()
                };
                let line = Line {
                    kind: PostingKind::Credit,
                    charge_no,
                    home,
                    numbers,
                    held: Some(held),
                };
                return ask(tx, books, terms, item, charges, &line);
            }
        }
    }
    Err(inconsistent("planning an item did not come to an end"))
}

/// The period a credit goes to: that of the line if it is still open, else the next open one.
fn open_period(terms: &Terms, home: &Home) -> String {
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

fn held_charge(tx: &mut Tx<'_>, held: &crate::plan::HeldLine) -> Result<i64, StoreError> {
    postings::get(tx, &held.document_id, held.posting_no)?
        .map(|row| row.charge_no)
        .ok_or_else(|| inconsistent("a held line without its posting"))
}

/// The reversal of a charge, which carries the posting that undoes it; the charge itself where
/// it is not reversed (a line that only moves to another document).
fn reversal_of(charges: &[ChargeRow], charge_no: i64) -> Result<i64, StoreError> {
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
    let effect = item.effect_next;
    item.effect_next += 1;
    let key = posting_key(&PostingKeyParts {
        ledger: &terms.settings.ledger,
        flow: &terms.settings.flow,
        target_identity: &terms.target_identity,
        item: ItemId(item.item_id),
        effect,
        kind: line.kind,
        part: 0,
    });
    let charge = charges
        .iter_mut()
        .find(|row| row.charge_no == line.charge_no)
        .ok_or_else(|| inconsistent("a posting without its charge"))?;
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

/// The problem of an entry whose approval was withdrawn after its invoice went out.
pub fn approval_withdrawn(document: &DocumentRow) -> Problem {
    let number = document
        .erp_number
        .as_deref()
        .unwrap_or("an issued invoice");
    Problem::new(Code::ApprovalWithdrawn, format!("the entry is on {number}"))
}

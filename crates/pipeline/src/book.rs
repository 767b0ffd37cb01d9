//! Booking inside a transaction: from a judgement about an item to its charges. The only code that
//! writes charges; [`crate::asking`] plans the postings of what is booked.

use crate::asking::plan;
use crate::books::Books;
use crate::env::{Terms, inconsistent};
use crate::facts::{self, ChargeFacts, Codes, ErpRefs, ExceptionFacts, Inputs, Sharing};
use crate::group::hangs_otherwise;
use crate::line_allowance::SoldAs;
use crate::postings::{document_state, view_of};
use crate::shared;
use crate::strand::{active_by_part, postings_of_part, wanted_now};
use domain::contract::corrections::IssuedCorrection;
use domain::entry::EntryFields;
use domain::exception::{Code, Problem};
use domain::ids::ItemId;
use domain::item::ItemState;
use domain::posting::PostingKind;
use rules::account::ask::Outcome;
use rules::diff::{PartChange, Parts, by_part, diff_parts};
use rules::engine::BeforeOthers;
use rules::estimate::{Estimate, estimate};
use rules::part::Part;
use rules::price::Priced;
use rules::resolve::Resolved;
use std::collections::{BTreeMap, BTreeSet};
use store::charges::ChargeRow;
use store::documents::DocumentRow;
use store::items::ItemRow;
use store::{Pointer, ReadTx, SealClass, StoreError, Tx};

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
    Priced(Box<Desired>),
}

/// What is to be booked for an item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Desired {
    /// Its parts, each once. Their recorded time adds up to the item's.
    pub parts: Vec<Priced>,
    /// What they are about, as the ERP names it.
    pub refs: ErpRefs,
    /// What they are about, as the business names it.
    pub codes: Codes,
    /// The business unit.
    pub business_unit: String,
    /// What is taken off its lines is about something else: none where nothing is.
    pub line_allowance: Option<Box<SoldAs>>,
    /// What it was priced from, where nothing else went in.
    pub inputs: Option<Inputs>,
}

impl Desired {
    /// The contents by part. Parts that do not make up the item are a defect of pricing: what is
    /// booked wrongly would be billed wrongly, so that nothing is booked.
    fn contents(&self, item: &ItemRow) -> Result<Parts<'_>, StoreError> {
        let wrong = |what: String| Err(inconsistent(format!("{}: {what}", ItemId(item.item_id))));
        for priced in &self.parts {
            if let Some(fault) = priced.content.fault() {
                return wrong(format!("{}: {fault}", priced.content.part));
            }
        }
        let mut seconds = self
            .parts
            .iter()
            .map(|priced| priced.content.recorded_seconds);
        let seconds = seconds.try_fold(0_i64, i64::checked_add);
        if seconds != Some(item.recorded_seconds) {
            return wrong(format!(
                "its parts have not the {} s that are recorded",
                item.recorded_seconds
            ));
        }
        by_part(self.parts.iter().map(|priced| &priced.content))
            .or_else(|twice| wrong(twice.to_string()))
    }

    /// What a part is about, as the ERP names it.
    pub(crate) fn refs_of(&self, part: Part) -> &ErpRefs {
        match self.sold_as(part) {
            Some(sold) => &sold.refs,
            None => &self.refs,
        }
    }

    /// What a part is about, as the business names it.
    pub(crate) fn codes_of(&self, part: Part) -> &Codes {
        match self.sold_as(part) {
            Some(sold) => &sold.codes,
            None => &self.codes,
        }
    }

    fn sold_as(&self, part: Part) -> Option<&SoldAs> {
        let off = self.line_allowance.as_deref();
        off.filter(|_| part.outcome == Outcome::LineAllowance)
    }

    fn before_of(&self, part: Part) -> Option<BeforeOthers> {
        let mut parts = self.parts.iter();
        parts.find(|priced| priced.content.part == part)?.before
    }

    fn of_part(&self, part: Part) -> Result<&Priced, StoreError> {
        let mut parts = self.parts.iter();
        parts
            .find(|priced| priced.content.part == part)
            .ok_or_else(|| inconsistent("a part is booked that is not desired"))
    }
}

/// What is thought of an entry whatever it is worth; none if it is to be priced.
pub(crate) fn before_price(
    terms: &Terms,
    source_ref: &str,
    fields: &EntryFields,
    suspicion: Option<&Problem>,
) -> Option<Judgement> {
    let covered =
        |before: &crate::settings::BilledBefore| before.covers(source_ref, fields.work_date);
    if terms.settings.billed_before.as_ref().is_some_and(covered) {
        return Some(Judgement::Elsewhere);
    }
    if !fields.approved {
        return Some(Judgement::Waiting);
    }
    suspicion.map(|problem| {
        let at_stake = estimate(&terms.reference, fields);
        Judgement::Exception(problem.clone(), at_stake)
    })
}

/// Judge an entry. `looked_at` says that a person looked at it as it is, or that it stands booked:
/// no condition holds it then.
pub fn judge(
    terms: &Terms,
    source_ref: &str,
    fields: &EntryFields,
    suspicion: Option<&Problem>,
    looked_at: bool,
) -> Judgement {
    if let Some(judgement) = before_price(terms, source_ref, fields, suspicion) {
        return judgement;
    }
    let priced = rules::resolve::resolve(&terms.reference, fields).and_then(|resolved| {
        let version = rules::PRICING_VERSION;
        rules::price::price(version, &terms.reference, &resolved, fields, looked_at).map(|priced| {
            Desired {
                inputs: Some(Inputs::entry(fields, looked_at)),
                ..desired_of(&resolved, vec![priced])
            }
        })
    });
    match priced {
        Ok(priced) => Judgement::Priced(Box::new(priced)),
        Err(problem) => Judgement::Exception(problem, estimate(&terms.reference, fields)),
    }
}

/// Priced parts with what they are about.
pub(crate) fn desired_of(resolved: &Resolved<'_>, parts: Vec<Priced>) -> Desired {
    Desired {
        parts,
        refs: refs_of(resolved),
        codes: codes_of(resolved),
        business_unit: resolved.business_unit.to_owned(),
        line_allowance: None,
        inputs: None,
    }
}

/// The documents that hold charges of an item and take no changes any more.
pub(crate) fn closed_documents(
    tx: &mut ReadTx<'_>,
    books: &mut Books,
    item: &ItemRow,
) -> Result<Vec<DocumentRow>, StoreError> {
    let rows = books.charges_of(tx, &item.item_id)?;
    let mut closed = Vec::new();
    for charge in active_by_part(&rows)?.into_values() {
        let Some(document_id) = charge.document_id else {
            closed.extend(shared::closed_document(tx, books, charge)?);
            continue;
        };
        let document = books.document(tx, &document_id)?;
        if !document_state(&document)?.takes_lines() {
            closed.push(document);
        }
    }
    if closed.is_empty() {
        closed.extend(corrected_documents(tx, books, item, &rows)?);
    }
    Ok(closed)
}

/// The documents of lines that are corrected by differences. A difference may be on a draft still, what
/// it corrects never is.
fn corrected_documents(
    tx: &mut ReadTx<'_>,
    books: &mut Books,
    item: &ItemRow,
    rows: &[ChargeRow],
) -> Result<Vec<DocumentRow>, StoreError> {
    let all = books.postings_of(tx, &item.item_id)?;
    let mut found = Vec::new();
    let difference = PostingKind::Difference.name();
    if all.iter().all(|posting| posting.kind != difference) {
        return Ok(found);
    }
    for part in active_by_part(rows)?.into_keys() {
        let own = postings_of_part(rows, &all, part)?;
        let view = view_of(tx, rows, own, |tx, id| books.document(tx, id))?;
        for line in view.below {
            found.push(books.document(tx, &line.document_id)?);
        }
    }
    Ok(found)
}

fn refs_of(resolved: &Resolved<'_>) -> ErpRefs {
    ErpRefs {
        customer: resolved.customer.map(|customer| customer.erp_ref.clone()),
        service_item: resolved.service_item.erp_ref.clone(),
        task: Some(resolved.task.erp_ref.clone()),
        worker: Some(resolved.worker.erp_ref.clone()),
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

/// Book a judgement: change the item's state and charges, and plan the next posting of each part. The
/// item row itself is written by the caller.
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
    let desired = match judgement {
        Judgement::Exception(problem, at_stake) => {
            // What is booked stays until it is known what it should be.
            return except(tx, item, problem, Some(at_stake));
        }
        Judgement::Elsewhere => {
            ItemState::Elsewhere.name().clone_into(&mut item.state);
            None
        }
        Judgement::Waiting => {
            ItemState::Waiting.name().clone_into(&mut item.state);
            None
        }
        Judgement::Withdrawn => {
            ItemState::Withdrawn.name().clone_into(&mut item.state);
            None
        }
        Judgement::Priced(desired) => {
            ItemState::Booked.name().clone_into(&mut item.state);
            item.business_unit.clone_from(&desired.business_unit);
            Some(desired.as_ref())
        }
    };
    let mut rows = if new_item {
        Vec::new()
    } else {
        books.charges_of(tx, &item.item_id)?
    };
    book(tx, books, terms, item, &mut rows, desired)?;
    let wanted = wanted_now(tx, books, &rows)?;
    plan(tx, books, terms, item, &mut rows, &wanted, new_item)
}

/// Change the charges to what is desired: nothing but the difference.
fn book(
    tx: &mut Tx<'_>,
    books: &mut Books,
    terms: &Terms,
    item: &mut ItemRow,
    rows: &mut Vec<ChargeRow>,
    desired: Option<&Desired>,
) -> Result<(), StoreError> {
    let active: BTreeMap<Part, ChargeRow> = active_by_part(rows)?
        .into_iter()
        .map(|(part, row)| (part, row.clone()))
        .collect();
    let mut booked = BTreeMap::new();
    for (part, row) in &active {
        let facts = books.facts_of(tx, row)?;
        // Asked for again when the lines are planned.
        let key = (row.item_id, row.charge_no);
        books.facts.insert(key, facts.clone());
        booked.insert(*part, facts);
    }
    let contents: Parts<'_> = booked.iter().map(|(part, f)| (*part, &f.content)).collect();
    let wanted = match desired {
        Some(desired) => desired.contents(item)?,
        None => Parts::new(),
    };
    // The same money for another task or by somebody else is another charge.
    let other: BTreeSet<Part> = booked
        .iter()
        .filter(|(part, facts)| {
            desired.is_some_and(|d| {
                let (contract, now) = (&facts.content.contract, d.before_of(**part));
                about(d.refs_of(**part)) != about(&facts.refs)
                    || hangs_otherwise(terms, contract, facts.before, now)
            })
        })
        .map(|(part, _)| *part)
        .collect();
    for change in diff_parts(&contents, &wanted, &other) {
        let row = match (change, desired) {
            (PartChange::Reverse(part), _) => {
                let charge = active
                    .get(&part)
                    .ok_or_else(|| inconsistent("a part is reversed that is not booked"))?;
                if booked.get(&part).is_some_and(ChargeFacts::is_member) {
                    touch_line_of(tx, books, charge)?;
                }
                let number = item.charge_next;
                item.charge_next += 1;
                reverse(charge, number, item.revision, tx.now_us())
            }
            (PartChange::Book(content), Some(desired)) => {
                let priced = desired.of_part(content.part)?;
                new_charge(tx, books, terms, item, desired, priced)?
            }
            (PartChange::Book(_), None) => {
                return Err(inconsistent("a part is booked that is not desired"));
            }
        };
        rows.push(row.clone());
        books.charges.push(row);
    }
    Ok(())
}

fn about(refs: &ErpRefs) -> (Option<&str>, Option<&str>, &str) {
    let (task, worker) = (refs.task.as_deref(), refs.worker.as_deref());
    (task, worker, &refs.service_item)
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

/// The line that bills a charge has to follow it.
fn touch_line_of(tx: &mut Tx<'_>, books: &mut Books, charge: &ChargeRow) -> Result<(), StoreError> {
    for member in books.members_of(tx, &charge.item_id)? {
        if member.charge_no == charge.charge_no {
            books.touch(member.line_id);
        }
    }
    Ok(())
}

pub(crate) fn reverse(booked: &ChargeRow, charge_no: i64, revision: i64, now_us: i64) -> ChargeRow {
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
    books: &mut Books,
    terms: &Terms,
    item: &mut ItemRow,
    desired: &Desired,
    priced: &Priced,
) -> Result<ChargeRow, StoreError> {
    let content = &priced.content;
    let mut contracts = terms.reference.contracts.iter();
    let contract = contracts.find(|contract| contract.id == content.contract);
    let shares = shared::joins(contract, content);
    let facts = ChargeFacts {
        content: content.clone(),
        explanation: priced.explanation.clone(),
        refs: desired.refs_of(content.part).clone(),
        codes: desired.codes_of(content.part).clone(),
        sharing: shares.map(|_| Sharing::Member),
        by_difference: contract
            .filter(|contract| shares.is_none() && contract.corrections == IssuedCorrection::Delta)
            .map(|contract| contract.amount_rounding),
        before: priced.before,
        inputs: desired.inputs.clone(),
    };
    let explain = facts::seal(tx, SealClass::Explanation, &content.contract, &facts)?;
    let charge_no = item.charge_next;
    item.charge_next += 1;
    if let Some(lines) = shares {
        shared::join(tx, books, terms, lines, (item.item_id, charge_no), &facts)?;
    }
    let row = charge_row(
        tx,
        terms,
        item,
        (charge_no, explain),
        &facts,
        priced.inputs_digest,
    );
    books.facts.insert((item.item_id, charge_no), facts);
    Ok(row)
}

/// The row of a charge that was not booked before.
pub(crate) fn charge_row(
    tx: &Tx<'_>,
    terms: &Terms,
    item: &ItemRow,
    (charge_no, explain): (i64, Pointer),
    facts: &ChargeFacts,
    inputs_digest: [u8; 32],
) -> ChargeRow {
    let content = &facts.content;
    ChargeRow {
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
        pricing_version: facts.explanation.pricing_version,
        snapshot_version: terms.snapshot_version,
        inputs_digest,
        explain,
        document_id: None,
        posting_no: None,
        created_at_us: tx.now_us(),
        version: 1,
    }
}

/// The problem of an entry whose approval was withdrawn after its invoices went out.
pub fn approval_withdrawn(documents: &[DocumentRow]) -> Problem {
    let numbers: BTreeSet<&str> = documents
        .iter()
        .map(|document| {
            document
                .erp_number
                .as_deref()
                .unwrap_or("an issued invoice")
        })
        .collect();
    let numbers: Vec<&str> = numbers.into_iter().collect();
    let numbers = numbers.join(" and ");
    Problem::new(
        Code::ApprovalWithdrawn,
        format!("the entry is on {numbers}"),
    )
}

//! What a shared line says: the sum of its members' printed quantities at their rate, and its words.

use super::carried::Member;
use super::key::{SharedKey, line_charge};
use crate::books::Books;
use crate::env::{Terms, inconsistent};
use crate::facts::{self, ChargeFacts, Codes, ErpRefs, ItemFacts, MemberName, SharedLine, Sharing};
use domain::contract::lines::LineTerms;
use domain::decimal::Micro;
use domain::ids::{ItemId, digest};
use domain::rounding::Rounding;
use jiff::civil::Date;
use rules::charge::ChargeContent;
use rules::documents::{DocumentLine, LineCharge, LineError, shared_line};
use rules::explanation::{Explanation, Step};
use rules::part::Part;
use std::collections::BTreeSet;
use store::charges::{self, ChargeRow};
use store::items::{self, ItemRow};
use store::{ReadTx, StoreError};

/// What a line says, with what its charge is booked with.
pub(super) struct Content {
    pub(super) facts: ChargeFacts,
    pub(super) inputs_digest: [u8; 32],
}

impl Content {
    pub(super) const fn line(&self) -> Option<&SharedLine> {
        match &self.facts.sharing {
            Some(Sharing::Line(line)) => Some(line),
            Some(Sharing::Member) | None => None,
        }
    }
}

impl Content {
    /// What a credit says for what the line lost.
    pub(super) fn credit_in_words_of(&mut self, lost: Option<&Self>) {
        let text = lost.and_then(Self::line).map(|line| line.text.clone());
        if let Some(Sharing::Line(line)) = &mut self.facts.sharing {
            line.credit_text = text;
        }
    }
}

/// The words for a line whose template fails on what people wrote: the money is not to wait for it.
const PLAIN: &str = "{{ from }} to {{ to }}, {{ tasks | first }}";

/// What a line of some members says; nothing of none. `before` is how the line rounded so far.
pub(super) fn content_of(
    tx: &mut ReadTx<'_>,
    books: &Books,
    terms: &Terms,
    key: &SharedKey,
    members: &BTreeSet<Member>,
    before: Option<Rounding>,
) -> Result<Option<Content>, StoreError> {
    let mut rows = Vec::with_capacity(members.len());
    for (item_id, charge_no) in members {
        rows.push(charge(tx, books, item_id, *charge_no)?);
    }
    // As they lie in the ledger: a block is opened once for all that is in it.
    rows.sort_by_key(|row| (row.explain.block, row.explain.ord));
    let mut first: Option<ChargeFacts> = None;
    let mut made = Vec::with_capacity(rows.len());
    let mut posting_date = Date::MIN;
    for row in &rows {
        let facts = books.facts_of(tx, row)?;
        let item = items::get(tx, &row.item_id)?.ok_or_else(|| {
            inconsistent(format!(
                "{} is on a line and not there",
                ItemId(row.item_id)
            ))
        })?;
        let words = words_of(tx, books, &item)?;
        // Within a day in the order of the source: its ids are mostly numbers.
        let id = format!("{:>24}/{}", item.source_ref, row.charge_no);
        made.push(line_charge(&id, &facts, &words));
        posting_date = posting_date.max(facts.content.posting_date);
        first.get_or_insert(facts);
    }
    let Some(first) = first else {
        return Ok(None);
    };
    let contracts = &terms.reference.contracts;
    let contract = contracts.iter().find(|own| own.id == key.contract);
    let rounding = before
        .or_else(|| contract.map(|contract| contract.amount_rounding))
        .unwrap_or_default();
    // They are members already: what the contract says of grouping by now is for new ones.
    let lines = LineTerms {
        together: Some(Vec::new()),
        ..contract
            .map(|contract| contract.lines.clone())
            .unwrap_or_default()
    };
    let made = line(&made, &lines, &first, rounding)?;
    Ok(made.map(|made| booked(key, &first, made, members, (rounding, posting_date))))
}

fn line(
    charges: &[LineCharge],
    terms: &LineTerms,
    first: &ChargeFacts,
    rounding: Rounding,
) -> Result<Option<DocumentLine>, StoreError> {
    let currency = first.content.currency();
    let failed = |error: LineError| inconsistent(error.to_string());
    match shared_line(charges, terms, currency, rounding) {
        Err(LineError::Text(error)) => {
            let plain = LineTerms {
                text: Some(PLAIN.to_owned()),
                ..terms.clone()
            };
            let mut line = shared_line(charges, &plain, currency, rounding).map_err(failed)?;
            if let Some(line) = &mut line {
                line.steps.push(Step::new(
                    "text",
                    format_args!("the contract's words for lines could not be filled: {error}"),
                    &line.text,
                ));
            }
            Ok(line)
        }
        other => other.map_err(failed),
    }
}

fn booked(
    key: &SharedKey,
    first: &ChargeFacts,
    made: DocumentLine,
    members: &BTreeSet<Member>,
    (amount_rounding, posting_date): (Rounding, Date),
) -> Content {
    let mut inputs: Vec<Vec<u8>> = vec![key.name(0).into_bytes()];
    for (item_id, charge_no) in members {
        inputs.push(item_id.to_vec());
        inputs.push(charge_no.to_be_bytes().to_vec());
    }
    let inputs: Vec<&[u8]> = inputs.iter().map(Vec::as_slice).collect();
    let shared = SharedLine {
        members: members.iter().map(MemberName::of).collect(),
        quantity: made.quantity,
        rate: made.rate,
        amount: made.amount,
        amount_rounding,
        text: made.text,
        credit_text: None,
    };
    let nothing = domain::money::Money::zero(first.content.cost.currency);
    let facts = ChargeFacts {
        content: ChargeContent {
            part: Part::WHOLE,
            quantity: Micro::ZERO,
            // What the members leave: they are booked with the rest.
            amount: made.rounding,
            value: made.rounding,
            recorded_seconds: 0,
            cost_rate: Micro::ZERO,
            cost: nothing,
            work_date: key.work_date,
            posting_date,
            ..first.content.clone()
        },
        explanation: Explanation {
            pricing_version: rules::PRICING_VERSION,
            steps: made.steps,
        },
        refs: ErpRefs {
            task: first.refs.task.clone().filter(|_| key.by_task),
            worker: first.refs.worker.clone().filter(|_| key.by_worker),
            ..first.refs.clone()
        },
        codes: codes(key, &first.codes),
        sharing: Some(Sharing::Line(Box::new(shared))),
        by_difference: None,
        before: None,
        inputs: None,
    };
    Content {
        facts,
        inputs_digest: digest("shared line inputs", &inputs),
    }
}

/// What the members have in common, and nothing of what one of them has.
fn codes(key: &SharedKey, first: &Codes) -> Codes {
    let of_worker = |value: &String| {
        if key.by_worker {
            value.clone()
        } else {
            String::new()
        }
    };
    let of_task = |value: &String| {
        if key.by_task {
            value.clone()
        } else {
            String::new()
        }
    };
    Codes {
        worker: of_worker(&first.worker),
        worker_name: of_worker(&first.worker_name),
        role: String::new(),
        project: String::new(),
        task: of_task(&first.task),
        task_name: of_task(&first.task_name),
        service_item: first.service_item.clone(),
    }
}

/// A charge, stored or about to be.
pub(super) fn charge(
    tx: &mut ReadTx<'_>,
    books: &Books,
    item_id: &[u8; 16],
    charge_no: i64,
) -> Result<ChargeRow, StoreError> {
    let mut fresh = books.charges.iter();
    if let Some(row) = fresh.find(|row| row.item_id == *item_id && row.charge_no == charge_no) {
        return Ok(row.clone());
    }
    charges::get(tx, item_id, charge_no)?.ok_or_else(|| {
        inconsistent(format!(
            "charge {charge_no} of {} is on a line and not booked",
            ItemId(*item_id)
        ))
    })
}

/// What a person wrote about an entry, as the ledger holds it now; nothing once it is shredded.
fn words_of(tx: &mut ReadTx<'_>, books: &Books, item: &ItemRow) -> Result<String, StoreError> {
    if let Some(words) = books.words.get(&item.item_id) {
        return Ok(words.clone());
    }
    let known: Option<ItemFacts> = facts::open(tx, item.content)?;
    let fields = known.and_then(|facts| facts.fields);
    Ok(fields.map(|fields| fields.narrative).unwrap_or_default())
}

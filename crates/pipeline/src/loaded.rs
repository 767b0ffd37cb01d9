//! The part of a ledger that a change touches, as the group engine takes it.

use crate::acts::{At, KnownWork};
use crate::book::closed_documents;
use crate::books::Books;
use crate::env::Terms;
use crate::facts::{self, ChargeFacts, ItemFacts};
use crate::kept::{Kept, read_accounts};
use crate::strand::active_by_part;
use domain::contract::quantity::Residual;
use domain::decimal::Micro;
use domain::entry::EntryFields;
use domain::exception::Code;
use jiff::ToSpan;
use jiff::civil::Date;
use rules::account::ask::Outcome;
use rules::charge::{ChargeContent, Disposition};
use rules::engine::{BeforeOthers, Book, Gross, GrossPart, Work};
use std::collections::{BTreeMap, BTreeSet};
use store::items::{self, ItemRow};
use store::{ReadTx, StoreError, accounts};

/// Whose days have to be loaded: workers, each with a first and a last day.
pub(crate) type Stretches = BTreeSet<(String, Date, Date)>;

/// A charge that stands booked.
pub(crate) struct Booked {
    pub(crate) content: ChargeContent,
    pub(crate) before: Option<BeforeOthers>,
}

/// The part of a ledger that some news touch.
pub(crate) struct Loaded {
    pub(crate) book: Book,
    pub(crate) rows: BTreeMap<String, ItemRow>,
    /// What stands booked, by item.
    pub(crate) booked: BTreeMap<String, Vec<Booked>>,
    /// The accounts as they are kept, by contract.
    pub(crate) stored: BTreeMap<String, Kept>,
    /// All of the work, by where it lies.
    pub(crate) works: Vec<KnownWork>,
}

pub(crate) fn work_of(source_ref: &str, fields: &EntryFields, looked_at: bool) -> Work {
    Work {
        id: source_ref.to_owned(),
        fields: fields.clone(),
        started_us: None,
        approved_us: None,
        preauthorised: false,
        looked_at,
    }
}

/// Load all that the work of some people on some days decides about.
pub(crate) fn load(
    tx: &mut ReadTx<'_>,
    books: &mut Books,
    terms: &Terms,
    wanted: &Stretches,
) -> Result<Loaded, StoreError> {
    let mut rows = BTreeMap::new();
    let mut booked = BTreeMap::new();
    let mut works = Vec::new();
    let mut all: Vec<KnownWork> = Vec::new();
    let source = &terms.settings.source;
    for (worker, from, to) in wanted {
        let mut day = *from;
        while day <= *to {
            for row in items::of_worker(tx, source, &day.to_string(), worker)? {
                if rows.contains_key(&row.source_ref) {
                    continue;
                }
                if let Some((known, (work, gross, charges))) = known(tx, books, terms, &row)? {
                    booked.insert(row.source_ref.clone(), charges);
                    works.push((work, gross));
                    all.push(known);
                }
                rows.insert(row.source_ref.clone(), row);
            }
            let next = day.saturating_add(1.day());
            if next == day {
                break;
            }
            day = next;
        }
    }
    // All of them: one whose contract left the configuration may count work of parts that are there.
    let mut stored = BTreeMap::new();
    for row in accounts::list(tx)? {
        stored.insert(row.contract.clone(), read_accounts(&row)?);
    }
    let now = stored
        .iter()
        .map(|(id, kept)| (id.clone(), kept.accounts.clone()));
    let mut book = Book::known(works, now.collect());
    for known in all.iter().filter(|known| known.issued) {
        book.set_issued(&known.id, true);
    }
    Ok(Loaded {
        book,
        rows,
        booked,
        stored,
        works: all,
    })
}

/// Whether what rounding leaves of a contract's work is carried to other work.
fn carries(terms: &Terms, contract: &str) -> bool {
    let mut contracts = terms.reference.contracts.iter();
    contracts.any(|own| own.id == contract && own.residual == Residual::Carry)
}

type Known = (Work, Gross, Vec<Booked>);

/// A piece of work that has charges, where it lies, and what it came to.
fn known(
    tx: &mut ReadTx<'_>,
    books: &mut Books,
    terms: &Terms,
    row: &ItemRow,
) -> Result<Option<(KnownWork, Known)>, StoreError> {
    let charges = books.charges_of(tx, &row.item_id)?;
    let (mut facts_of, mut at) = (Vec::new(), Vec::new());
    for charge in active_by_part(&charges)?.into_values() {
        facts_of.push(books.facts_of(tx, charge)?);
        at.push(At::from(charge.explain));
    }
    if facts_of.is_empty() {
        return Ok(None);
    }
    let stored: Option<ItemFacts> = facts::open(tx, row.content)?;
    let Some(fields) = stored.and_then(|facts| facts.fields) else {
        return Ok(None);
    };
    // What is booked is held by no condition. A change of the entry itself asks for a look, and what is
    // booked of it stays until then.
    let looked_at = row.code.as_deref() != Some(Code::ConditionHolds.text());
    let from = KnownFrom {
        source_ref: &row.source_ref,
        fields: &fields,
        looked_at,
    };
    let Some(priced) = known_from(&from, facts_of) else {
        return Ok(None);
    };
    let issued =
        carries(terms, &priced.1.contract) && !closed_documents(tx, books, row)?.is_empty();
    let known = KnownWork {
        id: row.source_ref.clone(),
        content: row.content.into(),
        charges: at,
        looked_at,
        issued,
    };
    Ok(Some((known, priced)))
}

/// An entry whose charges are known.
pub(crate) struct KnownFrom<'a> {
    pub(crate) source_ref: &'a str,
    pub(crate) fields: &'a EntryFields,
    pub(crate) looked_at: bool,
}

/// A piece of work from its charges, by part; none if it has none.
pub(crate) fn known_from(from: &KnownFrom<'_>, charges: Vec<ChargeFacts>) -> Option<Known> {
    let mut booked: Vec<Booked> = Vec::new();
    let mut steps = (Vec::new(), Vec::new());
    let mut task = String::new();
    for facts in charges {
        if booked.is_empty()
            && let Some(before) = facts.before
        {
            let mut own = facts.explanation.steps.into_iter();
            let price = own.by_ref().take(before.price_steps).collect();
            steps = (price, own.take(before.print_steps).collect());
        }
        task = facts.codes.task;
        booked.push(Booked {
            content: facts.content,
            before: facts.before,
        });
    }
    let parts = gross_parts(&booked);
    let paid = |charge: &Booked| charge.content.disposition != Disposition::Cost;
    let pays = if booked.iter().any(paid) {
        Disposition::Bill
    } else {
        Disposition::Cost
    };
    let first = &booked.first()?.content;
    let gross = Gross {
        contract: first.contract.clone(),
        pays,
        placement: first.placement.clone(),
        work_date: first.work_date,
        posting_date: first.posting_date,
        task,
        unit: first.unit,
        parts,
        cost_rate: first.cost_rate,
        cost_currency: first.cost.currency,
        steps: steps.0,
        print_steps: steps.1,
    };
    let work = work_of(from.source_ref, from.fields, from.looked_at);
    Some((work, gross, booked))
}

fn gross_parts(booked: &[Booked]) -> Vec<GrossPart> {
    let mut parts: Vec<GrossPart> = Vec::new();
    for Booked { content, before } in booked {
        if content.part.outcome == Outcome::LineAllowance {
            continue;
        }
        let quantity = content.quantity.micro();
        match parts.iter_mut().find(|part| part.tier == content.part.tier) {
            Some(part) => {
                part.quantity = Micro::from_micro(part.quantity.micro().saturating_add(quantity));
                part.recorded_seconds = part
                    .recorded_seconds
                    .saturating_add(content.recorded_seconds);
            }
            None => parts.push(GrossPart {
                tier: content.part.tier,
                recorded_seconds: content.recorded_seconds,
                billable_seconds: before
                    .map_or(content.recorded_seconds, |before| before.billable_seconds),
                billed: content.disposition != Disposition::Cost,
                quantity: content.quantity,
                rate: content.rate,
            }),
        }
    }
    parts
}

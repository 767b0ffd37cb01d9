//! Pricing in groups inside a transaction: work whose price depends on other work. What a change
//! touches is loaded from the ledger, priced as one by [`rules::engine`], and comes back as one
//! judgement per item. Accounts are written with the charges that were booked by them.
//!
//! Who calls this holds the guard of admission, so that nobody books by the same accounts meanwhile.

use crate::allowance::{apart, sold_as};
use crate::book::{Desired, Judgement, apply, before_price, closed_documents, desired_of, judge};
use crate::books::Books;
use crate::env::{Terms, inconsistent};
use crate::facts::{self, ItemFacts};
use crate::kept::{accounts_of, read_accounts};
use crate::settings::BilledBefore;
use crate::strand::active_by_part;
use crate::telling::show;
use domain::contract::Contract;
use domain::decimal::Micro;
use domain::entry::EntryFields;
use domain::exception::{Code, Problem};
use domain::ids::digest;
use domain::item::ItemState;
use domain::reference::Reference;
use jiff::ToSpan;
use jiff::civil::Date;
use rules::account::ask::Outcome;
use rules::account::{Account, Event};
use rules::charge::Disposition;
use rules::engine::{
    Accounts, Answer, Book, Change, Gross, GrossPart, PriceError, PricedPart, Whole, Work, window,
};
use rules::estimate::estimate;
use rules::price::Priced;
use std::collections::{BTreeMap, BTreeSet};
use store::items::{self, ItemRow};
use store::{ReadTx, StoreError, Tx, accounts};

/// Whether any contract prices work in groups. Where none does, an entry is priced by itself.
pub(crate) fn in_groups(reference: &Reference) -> bool {
    let mut contracts = reference.contracts.iter();
    contracts.any(|contract| contract.term_over_entries().is_some())
}

/// Something new about an item.
#[derive(Debug, Clone)]
pub(crate) struct News {
    /// The source's id.
    pub(crate) source_ref: String,
    /// What is to be priced; none where nothing of it is to be booked any more.
    pub(crate) fields: Option<EntryFields>,
    /// The item as the ledger has it, if it has.
    pub(crate) row: Option<ItemRow>,
    /// Whether a person looked at it as it is, or it stands booked.
    pub(crate) looked_at: bool,
}

impl News {
    /// An item that is gone.
    pub(crate) fn gone(row: &ItemRow) -> Self {
        Self {
            source_ref: row.source_ref.clone(),
            fields: None,
            row: Some(row.clone()),
            looked_at: false,
        }
    }

    /// An item to be priced anew.
    pub(crate) fn again(row: &ItemRow, fields: &EntryFields, looked_at: bool) -> Self {
        Self {
            source_ref: row.source_ref.clone(),
            fields: Some(fields.clone()),
            row: Some(row.clone()),
            looked_at,
        }
    }
}

/// What the news come to.
#[derive(Debug, Default)]
pub(crate) struct Verdicts {
    own: BTreeMap<String, Judgement>,
    others: Vec<(ItemRow, Judgement)>,
    accounts: BTreeMap<String, String>,
}

impl Verdicts {
    /// The judgement of an item, if it was priced in its group.
    pub(crate) fn of(&self, source_ref: &str) -> Option<&Judgement> {
        self.own.get(source_ref)
    }

    /// Write the accounts and book what the news did to other items.
    pub(crate) fn settle(
        self,
        tx: &mut Tx<'_>,
        books: &mut Books,
        terms: &Terms,
        why: &'static str,
    ) -> Result<u64, StoreError> {
        for (contract, body) in &self.accounts {
            accounts::put(tx, contract, body, why)?;
        }
        let mut changed = 0;
        for (mut item, judgement) in self.others {
            apply(tx, books, terms, &mut item, &judgement, false)?;
            item.changed_at_us = tx.now_us();
            items::update(tx, &mut item, "priced with other work")?;
            show(tx, books, &item)?;
            changed += 1;
        }
        Ok(changed)
    }
}

/// The part of a ledger that some news touch.
struct Loaded {
    book: Book,
    rows: BTreeMap<String, ItemRow>,
    /// The contents that stand booked, by item.
    booked: BTreeMap<String, Vec<rules::charge::ChargeContent>>,
    /// The contracts whose accounts have a row.
    stored: BTreeSet<String>,
}

/// Price news with all work that they touch. Nothing is written.
pub(crate) fn judge_group(
    tx: &mut ReadTx<'_>,
    books: &mut Books,
    terms: &Terms,
    news: &[News],
) -> Result<Verdicts, StoreError> {
    if news.is_empty() || !in_groups(&terms.reference) {
        return Ok(Verdicts::default());
    }
    let mut changes = Vec::with_capacity(news.len());
    for one in news {
        changes.push(match &one.fields {
            Some(fields) => Change::Put(Box::new(work_of(&one.source_ref, fields, one.looked_at))),
            None => Change::Remove(one.source_ref.clone()),
        });
    }
    let mine: BTreeSet<&str> = news.iter().map(|one| one.source_ref.as_str()).collect();
    let reference = &terms.reference;
    let answered = answered(tx, books, terms, stretches(terms, news)?, |book| {
        book.admit(reference, changes.clone())
    });
    match answered? {
        Ok((loaded, answer)) => conclude(terms, &loaded, answer, &mine),
        Err(error) => {
            let mut verdicts = Verdicts::default();
            for one in news {
                if let Some(fields) = &one.fields {
                    let problem = Problem::new(Code::ContractAmbiguous, error.to_string());
                    let at_stake = estimate(&terms.reference, fields);
                    let judgement = Judgement::Exception(problem, at_stake);
                    verdicts.own.insert(one.source_ref.clone(), judgement);
                }
            }
            Ok(verdicts)
        }
    }
}

/// Whose days have to be loaded: workers, each with a first and a last day.
type Stretches = BTreeSet<(String, Date, Date)>;

/// Load what an act needs and carry it out on that. Accounts may answer about work that is not
/// loaded: then that is loaded too, and the act carried out anew.
fn answered(
    tx: &mut ReadTx<'_>,
    books: &mut Books,
    terms: &Terms,
    mut wanted: Stretches,
    act: impl Fn(&mut Book) -> Result<Answer, PriceError>,
) -> Result<Result<(Loaded, Answer), PriceError>, StoreError> {
    loop {
        let mut loaded = load(tx, books, terms, &wanted)?;
        let answer = match act(&mut loaded.book) {
            Ok(answer) => answer,
            Err(error) => return Ok(Err(error)),
        };
        if answer.missing.is_empty() {
            return Ok(Ok((loaded, answer)));
        }
        let before = wanted.len();
        wanted.extend(stretches_of(tx, terms, &answer.missing)?);
        if wanted.len() == before {
            let missing: Vec<&str> = answer.missing.iter().map(String::as_str).collect();
            return Err(inconsistent(format!(
                "accounts count work that is not booked: {}",
                missing.join(", ")
            )));
        }
    }
}

/// Judge one known item, in its group where there are groups. `looked_at` is as for
/// [`judge`](crate::book::judge). The verdicts hold what that does to
/// other items and to accounts, to be settled by whoever books the judgement.
pub(crate) fn judge_one(
    tx: &mut ReadTx<'_>,
    books: &mut Books,
    terms: &Terms,
    row: &ItemRow,
    fields: &EntryFields,
    looked_at: bool,
) -> Result<(Judgement, Verdicts), StoreError> {
    if !in_groups(&terms.reference) {
        let judgement = judge(terms, &row.source_ref, fields, None, looked_at);
        return Ok((judgement, Verdicts::default()));
    }
    let news = match before_price(terms, &row.source_ref, fields, None) {
        None => News::again(row, fields, looked_at),
        Some(Judgement::Exception(..)) => {
            let judgement = judge(terms, &row.source_ref, fields, None, looked_at);
            return Ok((judgement, Verdicts::default()));
        }
        Some(_) => News::gone(row),
    };
    let verdicts = judge_group(tx, books, terms, std::slice::from_ref(&news))?;
    let judgement = match verdicts.of(&row.source_ref) {
        Some(judgement) => judgement.clone(),
        None => judge(terms, &row.source_ref, fields, None, looked_at),
    };
    Ok((judgement, verdicts))
}

/// Bring a contract's accounts to its terms and to the calendar, and release what waits as far as
/// there is room.
pub(crate) fn settle_accounts(
    tx: &mut ReadTx<'_>,
    books: &mut Books,
    terms: &Terms,
    contract: &Contract,
    until: Date,
) -> Result<Result<Verdicts, Problem>, StoreError> {
    let refused = |error: PriceError| {
        let facts = format!("contract {}: {error}", contract.id);
        Ok(Err(Problem::new(Code::ContractAmbiguous, facts)))
    };
    let whole = match Whole::of(&terms.reference.contracts, contract) {
        Ok(whole) => whole,
        Err(refusal) => return refused(refusal.into()),
    };
    let stored = accounts_of(tx, &contract.id)?;
    let follows = stored.as_ref().is_some_and(|kept| !kept.keep(&whole));
    let held = stored.as_ref().map(held_works).unwrap_or_default();
    let accounts = match stored {
        Some(kept) if !follows => kept,
        // As they will be, for what the calendar tells.
        Some(_) | None => match Accounts::of(&whole) {
            Ok(fresh) => fresh,
            Err(refusal) => return refused(refusal.into()),
        },
    };
    let told = calendar_events(terms, contract, &accounts, until);
    if !follows && held.is_empty() && told.is_empty() {
        return Ok(Ok(Verdicts::default()));
    }
    let reference = &terms.reference;
    let wanted = stretches_of(tx, terms, &held)?;
    let answered = answered(tx, books, terms, wanted, |book| {
        let mut answer = Answer::default();
        if follows {
            // Without any limit left, what was held is priced as a whole again.
            answer = book.change_order(reference, &contract.id)?;
        }
        // What the accounts were told is kept by the ones that follow.
        let now = book.accounts(&contract.id).unwrap_or(&accounts).clone();
        for event in calendar_events(terms, contract, &now, until) {
            then(&mut answer, book.tell(reference, &contract.id, &event)?);
        }
        if !held.is_empty() && whole.has_limits() {
            let event = Event::ReleaseHeld { at_most: None };
            then(&mut answer, book.tell(reference, &contract.id, &event)?);
        }
        Ok(answer)
    });
    match answered? {
        Ok((loaded, answer)) => conclude(terms, &loaded, answer, &BTreeSet::new()).map(Ok),
        Err(error) => refused(error),
    }
}

/// A later answer is the last word about what it touched; books and accounts never disagree.
fn then(answer: &mut Answer, later: Answer) {
    let touched: BTreeSet<&str> = later.outcomes.iter().map(|o| o.item.as_str()).collect();
    answer
        .outcomes
        .retain(|outcome| !touched.contains(outcome.item.as_str()));
    answer.outcomes.extend(later.outcomes);
    answer.effects.extend(later.effects);
    answer.missing.extend(later.missing);
}

/// The work that waits at limits.
fn held_works(accounts: &Accounts) -> BTreeSet<String> {
    let Some(Account::Limits(limits)) = &accounts.limits else {
        return BTreeSet::new();
    };
    limits
        .records()
        .filter(|(_, record)| record.held_by.is_some())
        .filter_map(|(ask, _)| ask.rsplit_once('/').map(|(item, _)| item.to_owned()))
        .collect()
}

/// What the calendar tells the accounts of a contract: months of an hour bank open on their first
/// day, and close once the ERP's books of their last day are closed.
fn calendar_events(
    terms: &Terms,
    contract: &Contract,
    accounts: &Accounts,
    until: Date,
) -> Vec<Event> {
    let (Some(Account::HourBank(bank)), Some(from)) = (&accounts.hour_bank, contract.from) else {
        return Vec::new();
    };
    // Months that were billed by other means are none of this ledger.
    let begin = match &terms.settings.billed_before {
        Some(BilledBefore::Day(day)) => from.max(*day),
        Some(BilledBefore::Entries(_)) | None => from,
    };
    let last = contract.to.and_then(|to| to.yesterday().ok());
    let until = last.map_or(until, |last| last.min(until));
    let periods = &terms.reference.masters.periods;
    bank.due(begin, until, |last| {
        let own = periods.iter().find(|p| p.first <= last && last <= p.last);
        own.is_some_and(|period| !period.open)
    })
}

/// The days to load for works of the ledger.
fn stretches_of(
    tx: &mut ReadTx<'_>,
    terms: &Terms,
    works: &BTreeSet<String>,
) -> Result<Stretches, StoreError> {
    let refs: Vec<String> = works.iter().cloned().collect();
    let mut wanted = Stretches::new();
    for row in items::get_many(tx, &crate::intake::item_ids(terms, &refs))? {
        let (from, to) = window(&terms.reference, day_of(&row)?);
        wanted.insert((row.worker, from, to));
    }
    Ok(wanted)
}

fn day_of(row: &ItemRow) -> Result<Date, StoreError> {
    row.work_date
        .parse()
        .map_err(|_| inconsistent(format!("work date '{}'", row.work_date)))
}

/// Whose days have to be loaded.
fn stretches(terms: &Terms, news: &[News]) -> Result<Stretches, StoreError> {
    let mut wanted = Stretches::new();
    for one in news {
        let mut add = |worker: &str, day: Date| {
            let (from, to) = window(&terms.reference, day);
            wanted.insert((worker.to_owned(), from, to));
        };
        if let Some(fields) = &one.fields {
            add(&fields.worker_ref, fields.work_date);
        }
        if let Some(row) = &one.row {
            add(&row.worker, day_of(row)?);
        }
    }
    Ok(wanted)
}

fn work_of(source_ref: &str, fields: &EntryFields, looked_at: bool) -> Work {
    Work {
        id: source_ref.to_owned(),
        fields: fields.clone(),
        started_us: None,
        approved_us: None,
        preauthorised: false,
        looked_at,
    }
}

fn load(
    tx: &mut ReadTx<'_>,
    books: &mut Books,
    terms: &Terms,
    wanted: &Stretches,
) -> Result<Loaded, StoreError> {
    let mut rows = BTreeMap::new();
    let mut booked = BTreeMap::new();
    let mut works = Vec::new();
    let source = &terms.settings.source;
    for (worker, from, to) in wanted {
        let mut day = *from;
        while day <= *to {
            for row in items::of_worker(tx, source, &day.to_string(), worker)? {
                if rows.contains_key(&row.source_ref) {
                    continue;
                }
                if let Some((work, gross, contents)) = known(tx, books, &row)? {
                    booked.insert(row.source_ref.clone(), contents);
                    works.push((work, gross));
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
    let mut known_accounts = BTreeMap::new();
    for row in accounts::list(tx)? {
        known_accounts.insert(row.contract.clone(), read_accounts(&row)?);
    }
    Ok(Loaded {
        stored: known_accounts.keys().cloned().collect(),
        book: Book::known(works, known_accounts),
        rows,
        booked,
    })
}

type Known = (Work, Gross, Vec<rules::charge::ChargeContent>);

/// A piece of work that has charges, and what it came to.
fn known(
    tx: &mut ReadTx<'_>,
    books: &mut Books,
    row: &ItemRow,
) -> Result<Option<Known>, StoreError> {
    let charges = books.charges_of(tx, &row.item_id)?;
    let mut contents = Vec::new();
    let mut task = String::new();
    for charge in active_by_part(&charges)?.into_values() {
        let facts = books.facts_of(tx, charge)?;
        task = facts.codes.task;
        contents.push(facts.content);
    }
    let stored: Option<ItemFacts> = facts::open(tx, row.content)?;
    let (Some(first), Some(fields)) = (contents.first(), stored.and_then(|facts| facts.fields))
    else {
        return Ok(None);
    };
    let mut parts: Vec<GrossPart> = Vec::new();
    for content in &contents {
        if content.part.outcome == Outcome::TakenOff {
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
                billable_seconds: content.recorded_seconds,
                billed: content.disposition != Disposition::Cost,
                quantity: content.quantity,
                rate: content.rate,
            }),
        }
    }
    let pays = if contents.iter().any(|c| c.disposition != Disposition::Cost) {
        Disposition::Bill
    } else {
        Disposition::Cost
    };
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
        steps: Vec::new(),
        print_steps: Vec::new(),
    };
    // What is booked is held by no condition. A change of the entry itself asks for a look, and what is
    // booked of it stays until then.
    let looked_at = row.code.as_deref() != Some(Code::ConditionHolds.text());
    let work = work_of(&row.source_ref, &fields, looked_at);
    Ok(Some((work, gross, contents)))
}

fn conclude(
    terms: &Terms,
    loaded: &Loaded,
    answer: Answer,
    mine: &BTreeSet<&str>,
) -> Result<Verdicts, StoreError> {
    let mut verdicts = Verdicts::default();
    for outcome in answer.outcomes {
        let Some(work) = loaded.book.work(&outcome.item) else {
            continue;
        };
        let own = mine.contains(outcome.item.as_str());
        let judgement = match outcome.parts {
            Ok(parts) => match desired(terms, &work.fields, parts) {
                Ok(desired) => Judgement::Priced(Box::new(desired)),
                Err(problem) => {
                    let at_stake = estimate(&terms.reference, &work.fields);
                    Judgement::Exception(problem, at_stake)
                }
            },
            Err(problem) => {
                let at_stake = estimate(&terms.reference, &work.fields);
                Judgement::Exception(problem, at_stake)
            }
        };
        if own {
            verdicts.own.insert(outcome.item, judgement);
            continue;
        }
        let (Some(row), Judgement::Priced(desired)) = (loaded.rows.get(&outcome.item), &judgement)
        else {
            // What is booked of other work stays where it cannot be priced any more.
            continue;
        };
        let stands = loaded.booked.get(&outcome.item);
        let open = row.state == ItemState::Booked.name();
        if open && stands.is_some_and(|booked| differs(booked, desired)) {
            verdicts.others.push((row.clone(), judgement));
        }
    }
    for (contract, accounts) in loaded.book.all_accounts() {
        if accounts.are_kept() || loaded.stored.contains(contract) {
            let body = serde_json::to_string(accounts)
                .map_err(|error| inconsistent(format!("accounts do not write: {error}")))?;
            verdicts.accounts.insert(contract.clone(), body);
        }
    }
    Ok(verdicts)
}

fn differs(booked: &[rules::charge::ChargeContent], desired: &Desired) -> bool {
    booked.len() != desired.parts.len()
        || desired.parts.iter().any(|priced| {
            !booked.iter().any(|content| {
                content.part == priced.content.part && content.same_effect(&priced.content)
            })
        })
}

fn desired(
    terms: &Terms,
    fields: &EntryFields,
    parts: Vec<PricedPart>,
) -> Result<Desired, Problem> {
    let resolved = rules::resolve::resolve(&terms.reference, fields)?;
    let inputs = serde_json::to_vec(&(
        EntryFields {
            narrative: String::new(),
            ..fields.clone()
        },
        resolved.contract,
    ))
    .unwrap_or_default();
    let parts = apart(parts)?;
    let priced: Vec<Priced> = parts
        .into_iter()
        .map(|part| {
            let steps = serde_json::to_vec(&part.explanation.steps).unwrap_or_default();
            Priced {
                inputs_digest: digest("group inputs", &[&inputs, &steps]),
                content: part.content,
                explanation: part.explanation,
            }
        })
        .collect();
    let cut = priced
        .iter()
        .any(|p| p.content.part.outcome == Outcome::TakenOff);
    let mut desired = desired_of(&resolved, priced);
    if cut {
        let (refs, codes) = (&desired.refs, &desired.codes);
        let sold = sold_as(&terms.reference, resolved.contract, refs, codes)?;
        desired.taken_off = Some(Box::new(sold));
    }
    Ok(desired)
}

/// Whether an item that is no longer approved stands on a document that takes no changes: then a
/// person decides, and what it reserved stays reserved until then.
pub(crate) fn waits_for_a_person(
    tx: &mut ReadTx<'_>,
    books: &mut Books,
    row: &ItemRow,
) -> Result<bool, StoreError> {
    Ok(!closed_documents(tx, books, row)?.is_empty())
}

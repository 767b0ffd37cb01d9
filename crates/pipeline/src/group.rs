//! Pricing in groups inside a transaction: work whose price depends on other work. What a change
//! touches is loaded from the ledger, priced as one by [`rules::engine`], and comes back as one
//! judgement per item. Accounts are written with the charges that were booked by them.
//!
//! Who calls this holds the guard of admission, so that nobody books by the same accounts meanwhile.

use crate::acts::{Acting, Done, Thought, deciding};
use crate::book::{Desired, Judgement, apply, before_price, closed_documents, desired_of, judge};
use crate::books::Books;
use crate::env::{Terms, inconsistent};
use crate::facts::Inputs;
use crate::kept::{accounts_of, write_accounts};
use crate::line_allowance::{apart, sold_as};
use crate::loaded::{Booked, Loaded, Stretches, load, work_of};
use crate::settings::BilledBefore;
use crate::telling::show;
use domain::contract::Contract;
use domain::entry::EntryFields;
use domain::exception::{Code, Problem};
use domain::ids::digest;
use domain::item::ItemState;
use domain::reference::Reference;
use jiff::civil::Date;
use rules::account::ask::Outcome;
use rules::account::{Account, Event};
use rules::engine::{
    Accounts, Answer, BeforeOthers, Change, PriceError, PricedPart, Whole, counts_by_document,
    window,
};
use rules::estimate::estimate;
use rules::price::Priced;
use std::collections::{BTreeMap, BTreeSet};
use store::items::{self, ItemRow};
use store::{ReadTx, StoreError, Tx};

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

/// What the news come to, as long as nothing is booked by it.
#[derive(Debug, Default)]
pub(crate) struct Judged {
    verdicts: Verdicts,
    thought: Thought,
}

/// What the news come to, with the act by which it came about.
#[derive(Debug, Default)]
pub(crate) struct Verdicts {
    own: BTreeMap<String, Judgement>,
    others: Vec<(ItemRow, Judgement)>,
    accounts: BTreeMap<String, Accounts>,
}

impl Judged {
    /// The judgement of an item, if it was priced in its group.
    pub(crate) fn of(&self, source_ref: &str) -> Option<&Judgement> {
        self.verdicts.own.get(source_ref)
    }

    /// Keep the act by which it came about, so that charges can name it.
    pub(crate) fn keep(self, tx: &mut Tx<'_>, terms: &Terms) -> Result<Verdicts, StoreError> {
        let mut verdicts = self.verdicts;
        let own = verdicts.own.values_mut();
        let others = verdicts.others.iter_mut().map(|(_, judgement)| judgement);
        let mut priced: Vec<&mut Desired> = own
            .chain(others)
            .filter_map(|judgement| match judgement {
                Judgement::Priced(desired) => Some(desired.as_mut()),
                _ => None,
            })
            .collect();
        if !priced.is_empty() {
            let act = self.thought.keep(tx, terms, &verdicts.accounts)?;
            for desired in &mut priced {
                desired.inputs = Some(Inputs::Act { act });
            }
        }
        Ok(verdicts)
    }
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
        for (contract, accounts) in &self.accounts {
            write_accounts(tx, contract, accounts, why)?;
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

/// Price news with all work that they touch. Nothing is written.
pub(crate) fn judge_group(
    tx: &mut ReadTx<'_>,
    books: &mut Books,
    terms: &Terms,
    news: &[News],
) -> Result<Judged, StoreError> {
    if news.is_empty() || !in_groups(&terms.reference) {
        return Ok(Judged::default());
    }
    let mut changes = Vec::with_capacity(news.len());
    for one in news {
        changes.push(match &one.fields {
            Some(fields) => Change::Put(Box::new(work_of(&one.source_ref, fields, one.looked_at))),
            None => Change::Remove(one.source_ref.clone()),
        });
    }
    let mine: BTreeSet<&str> = news.iter().map(|one| one.source_ref.as_str()).collect();
    let answered = answered(tx, books, terms, stretches(terms, news)?, |acting| {
        acting.admit(changes.clone())
    });
    match answered? {
        Ok((loaded, answer, done)) => Ok(conclude(terms, loaded, answer, done, &mine)),
        Err(error) => {
            let mut judged = Judged::default();
            for one in news {
                if let Some(fields) = &one.fields {
                    let problem = Problem::new(Code::ContractAmbiguous, error.to_string());
                    let at_stake = estimate(&terms.reference, fields);
                    let judgement = Judgement::Exception(problem, at_stake);
                    judged
                        .verdicts
                        .own
                        .insert(one.source_ref.clone(), judgement);
                }
            }
            Ok(judged)
        }
    }
}

/// What was loaded, what it came to, and what was asked.
type Answered = (Loaded, Answer, Vec<Done>);

/// Load what an act needs and carry it out on that. Accounts may answer about work that is not
/// loaded: then that is loaded too, and the act carried out anew.
fn answered(
    tx: &mut ReadTx<'_>,
    books: &mut Books,
    terms: &Terms,
    mut wanted: Stretches,
    act: impl Fn(&mut Acting<'_>) -> Result<(), PriceError>,
) -> Result<Result<Answered, PriceError>, StoreError> {
    loop {
        let mut loaded = load(tx, books, terms, &wanted)?;
        let mut acting = Acting::on(&mut loaded.book, terms);
        if let Err(error) = act(&mut acting) {
            return Ok(Err(error));
        }
        let (answer, done) = acting.end();
        if answer.missing.is_empty() {
            return Ok(Ok((loaded, answer, done)));
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
) -> Result<(Judgement, Judged), StoreError> {
    if !in_groups(&terms.reference) {
        let judgement = judge(terms, &row.source_ref, fields, None, looked_at);
        return Ok((judgement, Judged::default()));
    }
    let news = match before_price(terms, &row.source_ref, fields, None) {
        None => News::again(row, fields, looked_at),
        Some(Judgement::Exception(..)) => {
            let judgement = judge(terms, &row.source_ref, fields, None, looked_at);
            return Ok((judgement, Judged::default()));
        }
        Some(_) => News::gone(row),
    };
    let judged = judge_group(tx, books, terms, std::slice::from_ref(&news))?;
    let judgement = match judged.of(&row.source_ref) {
        Some(judgement) => judgement.clone(),
        None => judge(terms, &row.source_ref, fields, None, looked_at),
    };
    Ok((judgement, judged))
}

/// Bring a contract's accounts to its terms and to the calendar, and release what waits as far as
/// there is room.
pub(crate) fn settle_accounts(
    tx: &mut ReadTx<'_>,
    books: &mut Books,
    terms: &Terms,
    contract: &Contract,
    until: Date,
) -> Result<Result<Judged, Problem>, StoreError> {
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
        return Ok(Ok(Judged::default()));
    }
    let wanted = stretches_of(tx, terms, &held)?;
    let answered = answered(tx, books, terms, wanted, |acting| {
        if follows {
            acting.follow(&contract.id)?;
        }
        // What the accounts were told is kept by the ones that follow.
        let now = acting
            .book
            .accounts(&contract.id)
            .unwrap_or(&accounts)
            .clone();
        for event in calendar_events(terms, contract, &now, until) {
            acting.tell(&contract.id, event)?;
        }
        if follows {
            // Without any limit left, what was held is priced as a whole again.
            acting.again()?;
        }
        if !held.is_empty() && whole.has_limits() {
            acting.tell(&contract.id, Event::ReleaseHeld { at_most: None })?;
        }
        Ok(())
    });
    match answered? {
        Ok((loaded, answer, done)) => {
            Ok(Ok(conclude(terms, loaded, answer, done, &BTreeSet::new())))
        }
        Err(error) => refused(error),
    }
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

fn conclude(
    terms: &Terms,
    loaded: Loaded,
    answer: Answer,
    done: Vec<Done>,
    mine: &BTreeSet<&str>,
) -> Judged {
    let mut verdicts = Verdicts::default();
    for outcome in answer.outcomes {
        let Some(work) = loaded.book.work(&outcome.item) else {
            continue;
        };
        let own = mine.contains(outcome.item.as_str());
        let judgement = match outcome.parts {
            Ok(parts) => match desired(&terms.reference, &work.fields, parts) {
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
        if open && stands.is_some_and(|booked| differs(terms, booked, desired)) {
            verdicts.others.push((row.clone(), judgement));
        }
    }
    for (contract, accounts) in loaded.book.all_accounts() {
        if accounts.are_kept() || loaded.stored.contains_key(contract) {
            verdicts.accounts.insert(contract.clone(), accounts.clone());
        }
    }
    let before = loaded.booked.values().flatten();
    let before = before.map(|charge| charge.content.contract.as_str());
    let deciding = deciding(terms, &loaded.book, before, &done);
    Judged {
        verdicts,
        thought: Thought {
            works: loaded.works,
            accounts: loaded.stored,
            done,
            deciding,
        },
    }
}

fn differs(terms: &Terms, booked: &[Booked], desired: &Desired) -> bool {
    let stands = |priced: &Priced| {
        let mut own = booked.iter();
        let own = own.find(|charge| charge.content.part == priced.content.part);
        own.is_some_and(|charge| {
            charge.content.same_effect(&priced.content)
                && !hangs_otherwise(
                    terms,
                    &priced.content.contract,
                    charge.before,
                    priced.before,
                )
        })
    };
    booked.len() != desired.parts.len() || !desired.parts.iter().all(stands)
}

/// Whether other work of a document hangs on another time than is kept with a charge.
pub(crate) fn hangs_otherwise(
    terms: &Terms,
    contract: &str,
    was: Option<BeforeOthers>,
    now: Option<BeforeOthers>,
) -> bool {
    let mut contracts = terms.reference.contracts.iter();
    let by_document = contracts.any(|own| own.id == contract && counts_by_document(own));
    match (was, now) {
        (Some(was), Some(now)) if by_document => was.billable_seconds != now.billable_seconds,
        _ => false,
    }
}

/// What is to be booked for priced parts.
pub(crate) fn desired(
    reference: &Reference,
    fields: &EntryFields,
    parts: Vec<PricedPart>,
) -> Result<Desired, Problem> {
    let resolved = rules::resolve::resolve(reference, fields)?;
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
                before: Some(part.before),
            }
        })
        .collect();
    let cut = priced
        .iter()
        .any(|p| p.content.part.outcome == Outcome::LineAllowance);
    let mut desired = desired_of(&resolved, priced);
    if cut {
        let (refs, codes) = (&desired.refs, &desired.codes);
        let sold = sold_as(reference, resolved.contract, refs, codes)?;
        desired.line_allowance = Some(Box::new(sold));
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

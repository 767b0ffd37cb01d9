//! A proposed contract over work that was really done: what it would have billed, beside what was.
//!
//! Pure pricing over the ledger's entries: nothing is written, and nothing is asked of the ERP but
//! its masters. Accounts begin empty, or with the money that is said to be paid ahead.

use crate::env::{Env, Terms};
use crate::error::PassError;
use crate::facts::{self, ItemFacts};
use crate::reference::read_only;
use domain::contract::Contract;
use domain::decimal::Micro;
use domain::entry::EntryFields;
use domain::exception::Code;
use domain::money::Money;
use domain::rate::RateRow;
use domain::reference::Reference;
use jiff::civil::Date;
use rules::account::retainer::FundingStage;
use rules::account::{Account, Event};
use rules::charge::Disposition;
use rules::engine::{Accounts, Book, Change, PriceError, PricedPart, Whole, Work};
use rules::explanation::Step;
use rules::fixed::fixed_amounts;
use rules::resolve::resolve;
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::Arc;
use store::{ReadTx, StoreError, charges, items};

/// A proposal.
#[derive(Debug, Clone)]
pub struct Proposal {
    /// The contract. One of the same id is replaced, and so are those that cover its projects.
    pub contract: Contract,
    /// Its rates; none = those there are.
    pub rates: Vec<RateRow>,
    /// Money in its retainer from the beginning, in its currency.
    pub paid_ahead: Micro,
    /// The first day of work.
    pub from: Date,
    /// The last day of work.
    pub to: Date,
}

/// One entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RehearsedEntry {
    /// The source's id.
    pub source_ref: String,
    /// The day of the work.
    pub work_date: Date,
    /// Billed as booked, in minor units.
    pub before_minor: i64,
    /// Billed by the proposal, in minor units.
    pub after_minor: i64,
    /// How much of it would be worth something and not billed by a line of its own: drawn, inside an
    /// allowance, held or written off; in minor units.
    pub not_billed_minor: i64,
    /// Why it could not be priced.
    pub exception: Option<Code>,
    /// How it would come about.
    pub steps: Vec<Step>,
}

/// A month.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Default)]
pub struct RehearsedMonth {
    /// Its entries.
    pub entries: u64,
    /// Of these, without a price.
    pub exceptions: u64,
    /// Recorded time, in seconds.
    pub recorded_seconds: i64,
    /// Billed as booked, in minor units.
    pub before_minor: i64,
    /// Billed for hours by the proposal, in minor units.
    pub hours_minor: i64,
    /// Fees and instalments of the proposal, in minor units.
    pub fixed_minor: i64,
    /// Worth of hours that no line of their own bills, in minor units.
    pub not_billed_minor: i64,
}

/// What a proposal comes to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Rehearsal {
    /// The contract's id.
    pub contract: String,
    /// The currency of the proposal, and of all amounts.
    pub currency: String,
    /// By month of the work, as `2026-10`.
    pub months: BTreeMap<String, RehearsedMonth>,
    /// Every entry, by day and id.
    pub entries: Vec<RehearsedEntry>,
    /// Entries booked in another currency: what they billed is not counted.
    pub other_currency: u64,
}

struct Done {
    work: Work,
    before_minor: Option<i64>,
}

/// Rehearse a proposal.
pub async fn rehearse(env: &Env, proposal: &Proposal) -> Result<Rehearsal, PassError> {
    let terms = read_only(env).await?;
    let reference = with_proposal(&terms.reference, proposal);
    let done = history(env, &terms, &reference, proposal).await?;
    let mut book = Book::default();
    let refused = |error: PriceError| {
        PassError::refused(
            format!("contract {}: {error}", proposal.contract.id),
            "mend the terms of the proposed contract",
        )
    };
    begin(&mut book, &reference, proposal).map_err(refused)?;
    let changes = done
        .iter()
        .map(|done| Change::Put(Box::new(done.work.clone())));
    let answer = book.admit(&reference, changes.collect()).map_err(refused)?;
    let mut prices: BTreeMap<String, Result<Vec<PricedPart>, Code>> = BTreeMap::new();
    for outcome in answer.outcomes {
        let parts = outcome.parts.map_err(|problem| problem.code);
        prices.insert(outcome.item, parts);
    }
    let mut result = Rehearsal {
        contract: proposal.contract.id.clone(),
        currency: proposal.contract.currency.to_string(),
        months: BTreeMap::new(),
        entries: Vec::new(),
        other_currency: 0,
    };
    for done in done {
        result.add(&done, prices.remove(&done.work.id));
    }
    result.add_fixed(proposal, book.accounts(&proposal.contract.id))?;
    Ok(result)
}

/// The reference data as they would be.
fn with_proposal(reference: &Arc<Reference>, proposal: &Proposal) -> Reference {
    let mut changed = (**reference).clone();
    let own = &proposal.contract;
    changed.contracts.retain(|known| {
        let shares = known.projects.iter().any(|p| own.projects.contains(p));
        known.id != own.id && !shares
    });
    changed.contracts.push(own.clone());
    // A proposal is looked at by itself, whatever the others are part of.
    for known in &mut changed.contracts {
        known.parent = None;
    }
    changed.bill_rates.extend(proposal.rates.iter().cloned());
    // Books that are closed by now were open when the work was done.
    for period in &mut changed.masters.periods {
        period.open = true;
    }
    changed
}

/// The approved work of the ledger that the proposal covers.
async fn history(
    env: &Env,
    terms: &Terms,
    reference: &Reference,
    proposal: &Proposal,
) -> Result<Vec<Done>, PassError> {
    let (source, from, to) = (
        terms.settings.source.clone(),
        proposal.from.to_string(),
        proposal.to.to_string(),
    );
    let (reference, own) = (reference.clone(), proposal.contract.clone());
    let done = env.store.read(move |tx| {
        let mut all = Vec::new();
        for item in items::window_full(tx, &source, &from, &to)? {
            let facts: Option<ItemFacts> = facts::open(tx, item.content)?;
            let Some(fields) = facts.and_then(|facts| facts.fields) else {
                continue;
            };
            if fields.approved && covers(&reference, &own, &fields) {
                let before_minor = billed(tx, &item.item_id, &own)?;
                let work = Work {
                    id: item.source_ref,
                    fields,
                    started_us: None,
                    approved_us: None,
                    preauthorised: false,
                    looked_at: false,
                };
                all.push(Done { work, before_minor });
            }
        }
        all.sort_by(|a, b| {
            (a.work.fields.work_date, &a.work.id).cmp(&(b.work.fields.work_date, &b.work.id))
        });
        Ok(all)
    });
    Ok(done.await?)
}

fn covers(reference: &Reference, own: &Contract, fields: &EntryFields) -> bool {
    let id = fields.project_ref.as_str();
    let code = reference.crosswalk.projects.get(id);
    let code = code.or_else(|| reference.source.project_codes.get(id));
    let by_place = code.is_some_and(|code| own.covers(code, fields.work_date));
    // Work that its condition leaves out is none of the proposal's.
    by_place
        && (own.conditions.when.is_none()
            || resolve(reference, fields)
                .err()
                .is_none_or(|problem| problem.code != Code::ContractMissing))
}

/// What stands billed of an item; none if it is in another currency.
fn billed(tx: &mut ReadTx<'_>, id: &[u8; 16], own: &Contract) -> Result<Option<i64>, StoreError> {
    let currency = own.currency.to_string();
    let mut sum = 0_i64;
    for charge in charges::list_for_item(tx, id)? {
        if charge.currency != currency && charge.amount_minor != 0 {
            return Ok(None);
        }
        sum = sum.saturating_add(charge.amount_minor);
    }
    Ok(Some(sum))
}

/// What the accounts know before the first hour: months of an hour bank, money paid ahead.
fn begin(book: &mut Book, reference: &Reference, proposal: &Proposal) -> Result<(), PriceError> {
    let own = &proposal.contract;
    let accounts = Accounts::of(&Whole::alone(own))?;
    if let Some(Account::HourBank(bank)) = &accounts.hour_bank {
        let first = own
            .from
            .unwrap_or(proposal.from)
            .max(proposal.from.first_of_month());
        for event in bank.due(first, proposal.to, |_| false) {
            book.tell(reference, &own.id, &event)?;
        }
    }
    if accounts.retainer.is_some() && proposal.paid_ahead != Micro::ZERO {
        let amount = Money::from_decimal(proposal.paid_ahead.decimal(), own.currency);
        let amount = amount.unwrap_or(Money::zero(own.currency));
        let paid = Event::Fund {
            id: "paid ahead".to_owned(),
            stage: FundingStage::Paid,
            amount,
        };
        book.tell(reference, &own.id, &paid)?;
    }
    Ok(())
}

fn month_of(day: Date) -> String {
    format!("{:04}-{:02}", day.year(), day.month())
}

impl Rehearsal {
    fn add(&mut self, done: &Done, price: Option<Result<Vec<PricedPart>, Code>>) {
        let fields = &done.work.fields;
        let mut entry = RehearsedEntry {
            source_ref: done.work.id.clone(),
            work_date: fields.work_date,
            before_minor: done.before_minor.unwrap_or(0),
            after_minor: 0,
            not_billed_minor: 0,
            exception: None,
            steps: Vec::new(),
        };
        self.other_currency += u64::from(done.before_minor.is_none());
        match price {
            Some(Ok(parts)) => {
                for part in parts {
                    let content = &part.content;
                    entry.after_minor += content.amount.amount_minor;
                    if content.disposition != Disposition::Bill {
                        entry.not_billed_minor += content.value.amount_minor;
                    }
                    entry.steps.extend(part.explanation.steps);
                }
            }
            Some(Err(code)) => entry.exception = Some(code),
            None => entry.exception = Some(Code::ContractMissing),
        }
        let month = self.months.entry(month_of(fields.work_date)).or_default();
        month.entries += 1;
        month.exceptions += u64::from(entry.exception.is_some());
        month.recorded_seconds += fields.recorded_seconds;
        month.before_minor += entry.before_minor;
        month.hours_minor += entry.after_minor;
        month.not_billed_minor += entry.not_billed_minor;
        self.entries.push(entry);
    }

    /// Fees that fall due in the time looked at. Milestones are the client's word and are not guessed.
    fn add_fixed(
        &mut self,
        proposal: &Proposal,
        accounts: Option<&Accounts>,
    ) -> Result<(), PassError> {
        let before = proposal.to.tomorrow().unwrap_or(proposal.to);
        let all = fixed_amounts(&proposal.contract, accounts, before).map_err(|problem| {
            PassError::refused(problem.facts, "mend the terms of the proposed contract")
        })?;
        for fixed in all {
            let day = fixed.day.unwrap_or(proposal.to);
            if day >= proposal.from {
                let month = self.months.entry(month_of(day)).or_default();
                month.fixed_minor += fixed.amount.amount_minor;
            }
        }
        Ok(())
    }
}

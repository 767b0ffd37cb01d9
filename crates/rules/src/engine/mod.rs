//! The group engine: what all the work of a firm comes to, piece by piece.
//!
//! One piece of work may decide about another's price: hours of a week become overtime, a day is
//! rounded as a whole, a cap is used up by whoever came first. A [`Book`] holds what is known; a
//! change of some work gives what every piece that it touches comes to now. The charges follow by
//! [`crate::diff`], the one way in which charges change.
//!
//! Pure: the same book, the same reference data and the same change give the same answer. A book can
//! be a part of a ledger, as long as it holds everything that [`Book::window`] says.

mod accounts;
mod content;
mod gross;
mod work;

pub use accounts::{Accounts, Settled};
pub use content::PricedPart;
pub use gross::{Gross, GrossPart};
pub use work::Work;

use crate::account::Event;
use crate::account::ask::{Ask, AskKind, Effect};
use crate::account::refusal::Refusal;
use crate::charge::Placement;
use crate::explanation::{Explanation, Step};
use crate::resolve::resolve;
use domain::contract::Contract;
use domain::contract::quantity::IncrementScope;
use domain::decimal::Micro;
use domain::exception::{Code, Problem};
use domain::quantity::{Unit, hours_printed};
use domain::reference::Reference;
use gross::{Cards, Passing, asks_accounts};
use jiff::ToSpan;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use thiserror::Error;

/// Why the engine has no answer.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PriceError {
    /// An account refused.
    #[error("{0}")]
    Refused(#[from] Refusal),
    /// A contract that does not exist was named.
    #[error("there is no contract {0}")]
    NoContract(String),
}

/// What was printed for a part of a piece of work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BookedPrint {
    item: String,
    part: u32,
    rate: Micro,
    seconds: i64,
    quantity: Micro,
    issued: bool,
    home: Placement,
}

/// A change of the work that is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// New work, or another content of known work.
    Put(Box<Work>),
    /// Work that is gone, or not approved any more.
    Remove(String),
}

/// What a piece of work comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// The work.
    pub item: String,
    /// Its parts, none where nothing is left of it; or why it cannot be priced.
    pub parts: Result<Vec<PricedPart>, Problem>,
}

/// What a change came to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Answer {
    /// Everything that may have changed, in the order of ids.
    pub outcomes: Vec<Outcome>,
    /// Fees, top-ups, milestones and the like, with their contract.
    pub effects: Vec<(String, Effect)>,
}

/// What is known of work and accounts.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Book {
    works: BTreeMap<String, Work>,
    gross: BTreeMap<String, Gross>,
    issued: BTreeSet<String>,
    accounts: BTreeMap<String, Accounts>,
}

/// The stretch of days around a day in which work of the same person may decide about a price.
pub fn window(reference: &Reference, day: Date) -> (Date, Date) {
    let mut from = day;
    let mut to = day;
    for contract in &reference.contracts {
        if let Some(billing) = &contract.overtime {
            let first = billing.terms.week_start.week_of(day);
            from = from.min(first);
            to = to.max(first.saturating_add(6.days()));
        }
        if contract.unit == Unit::Month {
            from = from.min(day.first_of_month());
            to = to.max(day.last_of_month());
        }
    }
    (from, to)
}

impl Book {
    /// A book of what a ledger holds: works with what they came to, and accounts by contract.
    pub fn known(
        works: impl IntoIterator<Item = (Work, Gross)>,
        accounts: BTreeMap<String, Accounts>,
    ) -> Self {
        let mut book = Self {
            accounts,
            ..Self::default()
        };
        for (work, gross) in works {
            book.gross.insert(work.id.clone(), gross);
            book.works.insert(work.id.clone(), work);
        }
        book
    }

    /// The accounts of all contracts that have any.
    pub const fn all_accounts(&self) -> &BTreeMap<String, Accounts> {
        &self.accounts
    }

    /// The accounts of a contract, as they stand.
    pub fn accounts(&self, contract: &str) -> Option<&Accounts> {
        self.accounts.get(contract)
    }

    /// A piece of work.
    pub fn work(&self, id: &str) -> Option<&Work> {
        self.works.get(id)
    }

    /// Note that the lines of a piece of work stand on an issued document, or no longer.
    pub fn set_issued(&mut self, id: &str, issued: bool) {
        if issued {
            self.issued.insert(id.to_owned());
        } else {
            self.issued.remove(id);
        }
    }

    /// Take changes in. The book is changed only if the answer is one.
    pub fn admit(
        &mut self,
        reference: &Reference,
        changes: Vec<Change>,
    ) -> Result<Answer, PriceError> {
        let mut next = self.clone();
        let answer = next.take(reference, changes)?;
        *self = next;
        Ok(answer)
    }

    /// Tell an account of a contract something that is no work.
    pub fn tell(
        &mut self,
        reference: &Reference,
        contract: &str,
        event: &Event,
    ) -> Result<Answer, PriceError> {
        let terms = contract_of(reference, contract)?;
        let mut accounts = self.accounts_of(terms)?;
        let settled = accounts.tell(event)?;
        self.accounts.insert(contract.to_owned(), accounts);
        let mut answer = Answer::default();
        self.conclude(reference, terms, &settled, &mut answer);
        Ok(answer)
    }

    /// Price everything anew, as after a change of rates or contracts.
    pub fn again(&mut self, reference: &Reference) -> Result<Answer, PriceError> {
        let all = self.works.values().cloned().map(Box::new);
        let changes = all.map(Change::Put).collect();
        self.admit(reference, changes)
    }

    fn accounts_of(&self, contract: &Contract) -> Result<Accounts, Refusal> {
        match self.accounts.get(&contract.id) {
            Some(known) => Ok(known.clone()),
            None => Accounts::of(contract),
        }
    }

    fn take(&mut self, reference: &Reference, changes: Vec<Change>) -> Result<Answer, PriceError> {
        let (touched, removed) = self.apply(reference, changes);
        let mut answer = Answer::default();
        let mut gone: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for id in removed {
            if let Some(gross) = self.gross.remove(&id) {
                let contract = gross.contract.clone();
                gone.entry(contract)
                    .or_default()
                    .extend(ask_ids(&id, &gross));
            }
            answer.outcomes.push(Outcome {
                item: id,
                parts: Ok(Vec::new()),
            });
        }
        let fresh = self.stages(reference, &touched, &mut answer);
        self.settle(reference, fresh, gone, &mut answer)?;
        answer.outcomes.sort_by(|a, b| a.item.cmp(&b.item));
        Ok(answer)
    }

    /// Put the changes into the works. Gives everything whose price may change, and what is gone.
    fn apply(
        &mut self,
        reference: &Reference,
        changes: Vec<Change>,
    ) -> (BTreeSet<String>, Vec<String>) {
        let mut reach: Vec<(String, Date)> = Vec::new();
        let mut touched = BTreeSet::new();
        let mut removed = Vec::new();
        for change in changes {
            let (id, new) = match change {
                Change::Put(work) => (work.id.clone(), Some(*work)),
                Change::Remove(id) => (id, None),
            };
            for work in self.works.get(&id).into_iter().chain(new.as_ref()) {
                reach.push((work.fields.worker_ref.clone(), work.fields.work_date));
            }
            match new {
                Some(work) => {
                    touched.insert(id.clone());
                    self.works.insert(id, work);
                }
                None => {
                    if self.works.remove(&id).is_some() {
                        removed.push(id);
                    }
                }
            }
        }
        for (worker, day) in reach {
            let (from, to) = window(reference, day);
            let near = self.works.values().filter(|work| {
                work.fields.worker_ref == worker
                    && from <= work.fields.work_date
                    && work.fields.work_date <= to
            });
            touched.extend(near.map(|work| work.id.clone()));
        }
        if reference
            .contracts
            .iter()
            .any(|contract| contract.increment_scope == IncrementScope::Line)
        {
            touched.extend(self.works.keys().cloned());
        }
        (touched, removed)
    }

    /// The stages before accounts, for everything that is touched.
    fn stages(
        &self,
        reference: &Reference,
        touched: &BTreeSet<String>,
        answer: &mut Answer,
    ) -> BTreeMap<String, Gross> {
        let cards = Cards::of(reference);
        let mut workers: BTreeMap<&str, Vec<&Work>> = BTreeMap::new();
        for id in touched {
            if let Some(work) = self.works.get(id) {
                let own = workers.entry(work.fields.worker_ref.as_str()).or_default();
                own.push(work);
            }
        }
        let mut fresh = BTreeMap::new();
        for works in workers.into_values() {
            let mut passing = Vec::with_capacity(works.len());
            for work in works {
                match resolve(reference, &work.fields) {
                    Ok(resolved) => passing.push(Passing::new(work, resolved)),
                    Err(problem) => answer.refuse(&work.id, problem),
                }
            }
            let stages =
                gross::tier(reference, &mut passing).and_then(|()| gross::bill_time(&mut passing));
            if let Err(problem) = stages {
                for one in &passing {
                    answer.refuse(&one.work.id, problem.clone());
                }
                continue;
            }
            for one in passing {
                let id = one.work.id.clone();
                match gross::rate(reference, &cards, one) {
                    Ok(gross) => {
                        fresh.insert(id, gross);
                    }
                    Err(problem) => answer.refuse(&id, problem),
                }
            }
        }
        fresh
    }

    /// Print, ask the accounts, and say what everything comes to.
    fn settle(
        &mut self,
        reference: &Reference,
        fresh: BTreeMap<String, Gross>,
        mut gone: BTreeMap<String, BTreeSet<String>>,
        answer: &mut Answer,
    ) -> Result<(), PriceError> {
        let mut contracts: BTreeMap<String, BTreeMap<String, Gross>> = BTreeMap::new();
        for (id, gross) in fresh {
            // Work that moved to another contract asks nothing of the old one any more.
            if let Some(before) = self.gross.get(&id)
                && before.contract != gross.contract
            {
                let old = gone.entry(before.contract.clone()).or_default();
                old.extend(ask_ids(&id, before));
            }
            let own = contracts.entry(gross.contract.clone()).or_default();
            own.insert(id, gross);
        }
        for id in gone.keys() {
            contracts.entry(id.clone()).or_default();
        }
        for (id, own) in contracts {
            let contract = contract_of(reference, &id)?;
            let lost = gone.remove(&id).unwrap_or_default();
            self.settle_contract(reference, contract, own, lost, answer)?;
        }
        Ok(())
    }

    fn settle_contract(
        &mut self,
        reference: &Reference,
        contract: &Contract,
        own: BTreeMap<String, Gross>,
        mut lost: BTreeSet<String>,
        answer: &mut Answer,
    ) -> Result<(), PriceError> {
        let touched: BTreeSet<String> = own.keys().cloned().collect();
        let printed = match self.print(contract, own) {
            Ok(printed) => printed,
            Err(problem) => {
                for id in &touched {
                    answer.refuse(id, problem.clone());
                }
                return Ok(());
            }
        };
        let mut asks = Vec::new();
        let mut plain = BTreeSet::new();
        let mut accounts = self.accounts_of(contract)?;
        let asked_about = accounts.asked_about_work();
        for (id, gross) in printed {
            let before = self.gross.insert(id.clone(), gross.clone());
            let (Some(work), true) = (
                self.works.get(&id),
                asked_about && asks_accounts(contract.kind, gross.pays),
            ) else {
                if let Some(before) = &before {
                    lost.extend(ask_ids(&id, before));
                }
                plain.insert(id);
                continue;
            };
            let now = asks_of(work, &gross);
            if let Some(before) = &before {
                let kept: BTreeSet<&str> = now.iter().map(|ask| ask.item.as_str()).collect();
                let old = ask_ids(&id, before);
                lost.extend(old.into_iter().filter(|ask| !kept.contains(ask.as_str())));
            }
            asks.extend(now);
        }
        let settled = if asked_about {
            accounts.settle(&asks, &lost)?
        } else {
            Settled::default()
        };
        self.accounts.insert(contract.id.clone(), accounts);
        let mut settled = settled;
        settled.items.extend(plain);
        self.conclude(reference, contract, &settled, answer);
        Ok(())
    }

    /// The printed quantities. Only a residual that is carried looks beyond what is touched.
    fn print(
        &self,
        contract: &Contract,
        own: BTreeMap<String, Gross>,
    ) -> Result<BTreeMap<String, Gross>, Problem> {
        let mut wanted: BTreeMap<String, (Gross, Work)> = BTreeMap::new();
        let mut done = BTreeMap::new();
        for (id, mut gross) in own {
            if gross.pays == crate::charge::Disposition::Bill {
                if let Some(work) = self.works.get(&id) {
                    wanted.insert(id, (gross, work.clone()));
                }
            } else {
                for part in &mut gross.parts {
                    part.quantity = hours_printed(
                        part.recorded_seconds,
                        contract.quantity_decimals,
                        contract.quantity_rounding,
                    )
                    .ok_or_else(|| Problem::new(Code::AmountTooLarge, "a quantity"))?;
                }
                done.insert(id, gross);
            }
        }
        let carried = contract.residual == domain::contract::quantity::Residual::Carry;
        if carried {
            for (id, gross) in &self.gross {
                let same = gross.contract == contract.id
                    && gross.pays == crate::charge::Disposition::Bill
                    && self.works.contains_key(id)
                    && !wanted.contains_key(id);
                if same && let Some(work) = self.works.get(id) {
                    wanted.insert(id.clone(), (gross.clone(), work.clone()));
                }
            }
        }
        let booked = if carried {
            self.booked(contract)
        } else {
            Vec::new()
        };
        gross::print(contract, &mut wanted, &booked)?;
        done.extend(wanted.into_iter().map(|(id, (gross, _))| (id, gross)));
        Ok(done)
    }

    fn booked(&self, contract: &Contract) -> Vec<BookedPrint> {
        let mut booked = Vec::new();
        for (id, gross) in &self.gross {
            if gross.contract != contract.id || gross.pays != crate::charge::Disposition::Bill {
                continue;
            }
            for (number, part) in (0_u32..).zip(&gross.parts) {
                booked.push(BookedPrint {
                    item: id.clone(),
                    part: number,
                    rate: part.rate,
                    seconds: part.billable_seconds,
                    quantity: part.quantity,
                    issued: self.issued.contains(id),
                    home: gross.placement.clone(),
                });
            }
        }
        booked
    }

    /// Say what the items come to.
    fn conclude(
        &self,
        reference: &Reference,
        contract: &Contract,
        settled: &Settled,
        answer: &mut Answer,
    ) {
        let _ = reference;
        let ids: BTreeSet<&str> = settled.items.iter().map(|item| work_id(item)).collect();
        for id in ids {
            let Some(gross) = self.gross.get(id) else {
                continue;
            };
            let parts = content::parts(
                contract,
                id,
                gross,
                self.accounts.get(&contract.id),
                &settled.steps,
            );
            answer.outcomes.retain(|known| known.item != id);
            answer.outcomes.push(Outcome {
                item: id.to_owned(),
                parts,
            });
        }
        let effects = settled.effects.iter().cloned();
        answer
            .effects
            .extend(effects.map(|effect| (contract.id.clone(), effect)));
    }
}

impl Answer {
    fn refuse(&mut self, id: &str, problem: Problem) {
        self.outcomes.push(Outcome {
            item: id.to_owned(),
            parts: Err(problem),
        });
    }
}

fn contract_of<'a>(reference: &'a Reference, id: &str) -> Result<&'a Contract, PriceError> {
    reference
        .contracts
        .iter()
        .find(|contract| contract.id == id)
        .ok_or_else(|| PriceError::NoContract(id.to_owned()))
}

/// An account knows each tier of a piece of work by itself: its rate is its own.
fn ask_id(id: &str, part: &GrossPart) -> String {
    format!("{id}/{}", part.tier.words())
}

fn work_id(ask: &str) -> &str {
    ask.rsplit_once('/').map_or(ask, |(id, _)| id)
}

fn ask_ids(id: &str, gross: &Gross) -> BTreeSet<String> {
    gross.parts.iter().map(|part| ask_id(id, part)).collect()
}

fn asks_of(work: &Work, gross: &Gross) -> Vec<Ask> {
    gross
        .parts
        .iter()
        .filter(|part| part.billed && part.quantity != Micro::ZERO)
        .map(|part| Ask {
            item: ask_id(&work.id, part),
            kind: AskKind::Fees,
            quantity: part.quantity,
            rate: part.rate,
            work_date: gross.work_date,
            approved_at_micros: work.approved_us.unwrap_or_default(),
            source_id: work.id.clone(),
            line: None,
            purchase_order: None,
            task: Some(gross.task.clone()),
        })
        .collect()
}

/// Steps behind a common explanation.
fn explained(steps: &[Step], own: Vec<Step>) -> Explanation {
    Explanation {
        pricing_version: crate::PRICING_VERSION,
        steps: steps.iter().cloned().chain(own).collect(),
    }
}

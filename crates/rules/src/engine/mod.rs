//! The group engine: what all the work of a firm comes to, piece by piece.
//!
//! One piece of work may decide about another's price: hours of a week become overtime, a day is
//! rounded as a whole, a cap is used up by whoever came first. A [`Book`] holds what is known; a
//! change of some work gives what every piece that it touches comes to now. The charges follow by
//! [`crate::diff`], the one way in which charges change.
//!
//! A change goes through five stages: what it reaches (`reach`), the price of that before any account
//! is asked (`stages` and `gross`), printed quantities (`print`), work that a person has to look at
//! first (`look`), and the accounts with what everything comes to (`settle` and `content`). What is booked keeps its posting day unless its own price changes:
//! a period that closes moves nothing that stands.
//!
//! Pure: the same book, the same reference data and the same change give the same answer. A book can
//! be a part of a ledger, as long as it holds everything that [`window`] says.

mod accounts;
mod content;
mod gross;
mod look;
mod print;
mod rates;
mod reach;
mod settle;
mod slices;
mod stages;
mod whole;
mod work;

pub use accounts::{Accounts, Settled};
pub use content::PricedPart;
pub use gross::{Gross, GrossPart};
pub use reach::window;
pub use whole::Whole;
pub use work::Work;

use crate::account::Event;
use crate::account::ask::Effect;
use crate::account::refusal::Refusal;
use crate::charge::Placement;
use crate::shared::{SharedMap, SharedSet};
use domain::contract::Contract;
use domain::exception::Problem;
use domain::reference::Reference;
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
    /// Work that an account gave another answer about and that the book does not hold: where the
    /// book is a part of a ledger, it has to be loaded and the change made again.
    pub missing: BTreeSet<String>,
}

/// What is known of work and accounts.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(from = "Stored", into = "Stored")]
pub struct Book {
    works: SharedMap<String, Work>,
    gross: SharedMap<String, Gross>,
    issued: SharedSet<String>,
    accounts: SharedMap<String, Accounts>,
    /// The works of a person by day. Follows from the works.
    days: SharedSet<(String, Date, String)>,
    /// What stands in each pricing group. Follows from what is priced.
    homes: SharedSet<(String, Placement, String)>,
}

/// A book as it is written.
#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    works: BTreeMap<String, Work>,
    gross: BTreeMap<String, Gross>,
    issued: BTreeSet<String>,
    accounts: BTreeMap<String, Accounts>,
}

impl From<Stored> for Book {
    fn from(stored: Stored) -> Self {
        let mut book = Self {
            issued: stored.issued.into_iter().collect(),
            accounts: stored.accounts.into_iter().collect(),
            ..Self::default()
        };
        for work in stored.works.into_values() {
            book.put_work(work);
        }
        for (id, gross) in stored.gross {
            book.put_gross(id, gross);
        }
        book
    }
}

impl From<Book> for Stored {
    fn from(book: Book) -> Self {
        let owned = |(id, work): (&String, &Work)| (id.clone(), work.clone());
        let priced = |(id, gross): (&String, &Gross)| (id.clone(), gross.clone());
        let counted = |(id, accounts): (&String, &Accounts)| (id.clone(), accounts.clone());
        Self {
            works: book.works.iter().map(owned).collect(),
            gross: book.gross.iter().map(priced).collect(),
            issued: book.issued.iter().cloned().collect(),
            accounts: book.accounts.iter().map(counted).collect(),
        }
    }
}

/// An answer in the making: the last word about a piece of work counts.
#[derive(Default)]
struct Told {
    outcomes: BTreeMap<String, Result<Vec<PricedPart>, Problem>>,
    effects: Vec<(String, Effect)>,
    missing: BTreeSet<String>,
}

impl Told {
    fn refuse(&mut self, id: &str, problem: Problem) {
        self.outcomes.insert(id.to_owned(), Err(problem));
    }
}

impl From<Told> for Answer {
    fn from(told: Told) -> Self {
        // What moved between contracts was missed where it stood, and said where it stands.
        let mut missing = told.missing;
        missing.retain(|id| !told.outcomes.contains_key(id));
        let outcomes = told.outcomes.into_iter();
        Self {
            outcomes: outcomes
                .map(|(item, parts)| Outcome { item, parts })
                .collect(),
            effects: told.effects,
            missing,
        }
    }
}

impl Book {
    /// A book of what a ledger holds: works with what they came to, and accounts by contract.
    pub fn known(
        works: impl IntoIterator<Item = (Work, Gross)>,
        accounts: BTreeMap<String, Accounts>,
    ) -> Self {
        let mut stored = Stored {
            accounts,
            ..Stored::default()
        };
        for (work, gross) in works {
            stored.gross.insert(work.id.clone(), gross);
            stored.works.insert(work.id.clone(), work);
        }
        stored.into()
    }

    /// The accounts of all contracts that have any.
    pub fn all_accounts(&self) -> impl Iterator<Item = (&String, &Accounts)> {
        self.accounts.iter()
    }

    /// The accounts of a contract, as they stand.
    pub fn accounts(&self, contract: &str) -> Option<&Accounts> {
        self.accounts.get(contract)
    }

    /// A piece of work.
    pub fn work(&self, id: &str) -> Option<&Work> {
        self.works.get(id)
    }

    /// How a piece of work is priced before accounts.
    pub fn gross(&self, id: &str) -> Option<&Gross> {
        self.gross.get(id)
    }

    /// Note that the lines of a piece of work stand on an issued document, or no longer.
    pub fn set_issued(&mut self, id: &str, issued: bool) {
        if issued {
            self.issued.insert_mut(id.to_owned());
        } else {
            self.issued.remove_mut(id);
        }
    }

    /// Take changes in. The book is changed only if the answer is one.
    pub fn admit(
        &mut self,
        reference: &Reference,
        changes: Vec<Change>,
    ) -> Result<Answer, PriceError> {
        let mut next = self.clone();
        let told = next.take(reference, changes)?;
        *self = next;
        Ok(told.into())
    }

    /// Tell an account of a contract something that is no work.
    pub fn tell(
        &mut self,
        reference: &Reference,
        contract: &str,
        event: &Event,
    ) -> Result<Answer, PriceError> {
        let terms = contract_of(reference, contract)?;
        let whole = Whole::of(&reference.contracts, terms)?;
        let mut told = Told::default();
        let mut next = self.clone();
        if let Event::ReleaseHeld { at_most } = event {
            next.release(reference, &whole, *at_most, &mut told)?;
        } else {
            let mut accounts = next.accounts_of(&whole)?;
            let settled = accounts.tell(event)?;
            next.conclude(terms, &accounts, &settled, &mut told);
            next.keep_accounts(&whole, accounts)?;
        }
        *self = next;
        Ok(told.into())
    }

    /// Price everything anew, as after a change of rates.
    pub fn again(&mut self, reference: &Reference) -> Result<Answer, PriceError> {
        let all = self.works.values().cloned().map(Box::new);
        let changes = all.map(Change::Put).collect();
        self.admit(reference, changes)
    }

    /// Take a change order in: the accounts of the contract get its terms, those that it has no
    /// more are gone, new ones begin, and everything is priced anew.
    pub fn change_order(
        &mut self,
        reference: &Reference,
        contract: &str,
    ) -> Result<Answer, PriceError> {
        let terms = contract_of(reference, contract)?;
        let mut next = self.clone();
        let mut told = Told::default();
        // The limits of a part are kept with those of the whole: that account follows too.
        let outermost = Whole::of(&reference.contracts, terms)?.outermost();
        let both = std::iter::once(outermost).chain((outermost.id != terms.id).then_some(terms));
        for terms in both {
            let Some(mut accounts) = next.accounts.get(&terms.id).cloned() else {
                continue;
            };
            let whole = Whole::of(&reference.contracts, terms)?;
            let settled = accounts.follow(&whole)?;
            next.accounts.insert_mut(terms.id.clone(), accounts);
            let accounts = next.accounts_of(&whole)?;
            next.conclude(terms, &accounts, &settled, &mut told);
        }
        let all = next.works.values().cloned().map(Box::new);
        let changes = all.map(Change::Put).collect();
        let after = next.take(reference, changes)?;
        told.outcomes.extend(after.outcomes);
        told.effects.extend(after.effects);
        told.missing.extend(after.missing);
        *self = next;
        Ok(told.into())
    }

    fn put_work(&mut self, work: Work) {
        self.take_work(&work.id.clone());
        let fields = &work.fields;
        let place = (fields.worker_ref.clone(), fields.work_date, work.id.clone());
        self.days.insert_mut(place);
        self.works.insert_mut(work.id.clone(), work);
    }

    /// What stands booked as it is need not be looked at any more, whatever its price becomes.
    fn note_booked(&mut self, id: &str) {
        if self.works.get(id).is_some_and(|work| !work.looked_at)
            && let Some(work) = self.works.get_mut(id)
        {
            work.looked_at = true;
        }
    }

    fn take_work(&mut self, id: &str) -> Option<Work> {
        let work = self.works.get(id).cloned()?;
        let fields = &work.fields;
        let place = (fields.worker_ref.clone(), fields.work_date, id.to_owned());
        self.days.remove_mut(&place);
        self.works.remove_mut(id);
        Some(work)
    }

    fn put_gross(&mut self, id: String, gross: Gross) -> Option<Gross> {
        let before = self.take_gross(&id);
        let place = (gross.contract.clone(), gross.placement.clone(), id.clone());
        self.homes.insert_mut(place);
        self.gross.insert_mut(id, gross);
        before
    }

    fn take_gross(&mut self, id: &str) -> Option<Gross> {
        let gross = self.gross.get(id).cloned()?;
        let place = (
            gross.contract.clone(),
            gross.placement.clone(),
            id.to_owned(),
        );
        self.homes.remove_mut(&place);
        self.gross.remove_mut(id);
        Some(gross)
    }

    fn take(&mut self, reference: &Reference, changes: Vec<Change>) -> Result<Told, PriceError> {
        let reach = self.apply(reference, changes);
        let mut told = Told::default();
        let mut gone = Vec::new();
        for id in &reach.removed {
            gone.extend(self.take_gross(id).map(|gross| (id.clone(), gross)));
            told.outcomes.insert(id.clone(), Ok(Vec::new()));
        }
        let fresh = self.stages(reference, &reach, &mut told);
        self.settle(reference, fresh, gone, &mut told)?;
        Ok(told)
    }
}

fn contract_of<'a>(reference: &'a Reference, id: &str) -> Result<&'a Contract, PriceError> {
    reference
        .contracts
        .iter()
        .find(|contract| contract.id == id)
        .ok_or_else(|| PriceError::NoContract(id.to_owned()))
}

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
mod homes;
mod known;
mod look;
mod once;
mod print;
mod rates;
mod reach;
mod settle;
mod slices;
mod stages;
mod whole;
mod work;

pub use accounts::{Accounts, Settled};
pub use content::{BeforeOthers, PricedPart};
pub use gross::{Gross, GrossPart};
pub use homes::counts_by_document;
pub use reach::window;
pub use whole::Whole;
pub use work::Work;

use crate::account::Event;
use crate::account::ask::Effect;
use crate::account::refusal::Refusal;
use domain::contract::Contract;
use domain::exception::Problem;
use domain::reference::Reference;
use known::{Id, Known};
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
    known: Known,
    issued: BTreeSet<String>,
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
        let mut known = Known::default();
        for (contract, accounts) in stored.accounts {
            known.put_accounts(&contract, accounts);
        }
        for work in stored.works.into_values() {
            known.put_work(Box::new(work));
        }
        for (id, gross) in stored.gross {
            known.put_gross(id.into(), Box::new(gross));
        }
        known.keep();
        Self {
            known,
            issued: stored.issued,
        }
    }
}

impl From<Book> for Stored {
    fn from(book: Book) -> Self {
        let known = &book.known;
        let counted = |(id, accounts): (&String, &Accounts)| (id.clone(), accounts.clone());
        Self {
            works: known
                .works()
                .map(|work| (work.id.clone(), work.clone()))
                .collect(),
            gross: known
                .priced()
                .map(|(id, gross)| (id.to_string(), gross.clone()))
                .collect(),
            accounts: known.all_accounts().map(counted).collect(),
            issued: book.issued,
        }
    }
}

/// An answer in the making: the last word about a piece of work counts.
#[derive(Default)]
struct Told {
    outcomes: BTreeMap<Id, Result<Vec<PricedPart>, Problem>>,
    effects: Vec<(String, Effect)>,
    missing: BTreeSet<String>,
}

impl Told {
    fn refuse(&mut self, id: &Id, problem: Problem) {
        self.outcomes.insert(Id::clone(id), Err(problem));
    }
}

impl From<Told> for Answer {
    fn from(told: Told) -> Self {
        // What moved between contracts was missed where it stood, and said where it stands.
        let mut missing = told.missing;
        missing.retain(|id| !told.outcomes.contains_key(id.as_str()));
        let outcomes = told.outcomes.into_iter();
        Self {
            outcomes: outcomes
                .map(|(id, parts)| Outcome {
                    item: id.to_string(),
                    parts,
                })
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
        self.known.all_accounts()
    }

    /// The accounts of a contract, as they stand.
    pub fn accounts(&self, contract: &str) -> Option<&Accounts> {
        self.known.accounts(contract)
    }

    /// The contracts that its work is priced under.
    pub fn contracts(&self) -> impl Iterator<Item = &str> {
        self.known.contracts()
    }

    /// A piece of work.
    pub fn work(&self, id: &str) -> Option<&Work> {
        self.known.work(id)
    }

    /// How a piece of work is priced before accounts.
    pub fn gross(&self, id: &str) -> Option<&Gross> {
        self.known.gross(id)
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
        self.whole(|book| book.take(reference, changes))
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
        self.whole(|book| {
            let mut told = Told::default();
            if let Event::ReleaseHeld { at_most } = event {
                book.release(reference, &whole, *at_most, &mut told)?;
            } else {
                let mut accounts = book.accounts_of(&whole)?;
                let settled = accounts.tell(event)?;
                book.conclude(terms, &accounts, &settled, &[], &mut told);
                book.keep_accounts(&whole, accounts)?;
            }
            Ok(told)
        })
    }

    /// Price everything anew, as after a change of rates.
    pub fn again(&mut self, reference: &Reference) -> Result<Answer, PriceError> {
        let changes = self.all_works();
        self.admit(reference, changes)
    }

    /// Take a change order in: the accounts of the contract get its terms, those that it has no
    /// more are gone, new ones begin, and everything is priced anew.
    pub fn change_order(
        &mut self,
        reference: &Reference,
        contract: &str,
    ) -> Result<Answer, PriceError> {
        self.whole(|book| {
            let mut told = Told::default();
            book.follow_terms(reference, contract, &mut told)?;
            let after = book.take(reference, book.all_works())?;
            told.outcomes.extend(after.outcomes);
            told.effects.extend(after.effects);
            told.missing.extend(after.missing);
            Ok(told)
        })
    }

    /// The first half of a change order: the accounts follow, and nothing is priced anew yet. Who has to
    /// tell fresh accounts something first, like the months of an hour bank, does so before
    /// [`again`](Self::again).
    pub fn follow(&mut self, reference: &Reference, contract: &str) -> Result<Answer, PriceError> {
        self.whole(|book| {
            let mut told = Told::default();
            book.follow_terms(reference, contract, &mut told)?;
            Ok(told)
        })
    }

    fn follow_terms(
        &mut self,
        reference: &Reference,
        contract: &str,
        told: &mut Told,
    ) -> Result<(), PriceError> {
        let terms = contract_of(reference, contract)?;
        // The limits of a part are kept with those of the whole: that account follows too.
        let outermost = Whole::of(&reference.contracts, terms)?.outermost();
        let both = std::iter::once(outermost).chain((outermost.id != terms.id).then_some(terms));
        for terms in both {
            let Some(mut accounts) = self.known.accounts(&terms.id).cloned() else {
                continue;
            };
            let whole = Whole::of(&reference.contracts, terms)?;
            let settled = accounts.follow(&whole)?;
            self.known.put_accounts(&terms.id, accounts);
            let accounts = self.accounts_of(&whole)?;
            self.conclude(terms, &accounts, &settled, &[], told);
        }
        Ok(())
    }

    /// All or nothing: where there is no answer, the book is as it was.
    fn whole(
        &mut self,
        act: impl FnOnce(&mut Self) -> Result<Told, PriceError>,
    ) -> Result<Answer, PriceError> {
        let mark = self.known.mark();
        let told = act(self);
        match told {
            Ok(told) => {
                self.known.keep();
                Ok(told.into())
            }
            Err(error) => {
                self.known.go_back(&mark);
                Err(error)
            }
        }
    }

    fn all_works(&self) -> Vec<Change> {
        let all = self.known.works().cloned().map(Box::new);
        all.map(Change::Put).collect()
    }

    fn take(&mut self, reference: &Reference, changes: Vec<Change>) -> Result<Told, PriceError> {
        let mut told = Told::default();
        let reach = self.apply(reference, changes, &mut told);
        let mut gone = Vec::new();
        for id in &reach.removed {
            let gross = self.known.take_gross(id);
            gone.extend(gross.map(|gross| (Id::clone(id), gross)));
            told.outcomes.insert(Id::clone(id), Ok(Vec::new()));
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

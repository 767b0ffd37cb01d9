//! Acts of pricing: what was asked of the group engine, and what there was when it was asked. Every
//! charge that was priced with other work names its act, so that it can be priced again as it was.
//!
//! An act names what there was by where it lies: contents of entries, facts of charges and states of
//! accounts are written once and never changed. So an act is small, however much was there.

mod carried_out;
mod state;

pub(crate) use carried_out::{Carried, carry_out_again};
pub(crate) use state::{Chain, seal_whole, state_after};

use crate::env::{Terms, inconsistent};
use crate::facts;
use crate::kept::Kept;
use data_encoding::HEXLOWER;
use domain::ids::digest16;
use rules::account::Event;
use rules::engine::{Accounts, Answer, Book, Change, PriceError, Whole, Work};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use store::{Pointer, ReadTx, SealClass, StoreError, Tx, settings};

/// Whose texts acts are: no person's and no contract's alone.
const SUBJECT: &str = "acts of pricing";
/// The setting that names the last act. Each names the one before.
const LAST: &str = "last act of pricing";

/// Where a sealed text lies, as it is written in another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct At((i64, i64));

impl From<Pointer> for At {
    fn from(pointer: Pointer) -> Self {
        Self((pointer.block, pointer.ord))
    }
}

impl From<At> for Pointer {
    fn from(At((block, ord)): At) -> Self {
        Self { block, ord }
    }
}

/// A piece of work that there was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct KnownWork {
    /// The source's id.
    pub(crate) id: String,
    /// Its content.
    pub(crate) content: At,
    /// The facts of its charges that stood, by part.
    pub(crate) charges: Vec<At>,
    /// Whether no condition held it.
    pub(crate) looked_at: bool,
    /// Whether its lines were on an issued document.
    pub(crate) issued: bool,
}

/// One call of the engine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Done {
    /// Work came, changed or went.
    Admit(Vec<Changed>),
    /// A contract's accounts followed its terms.
    Follow(String),
    /// Everything that there was was priced anew.
    Again,
    /// An account of a contract was told something.
    Tell(String, Event),
}

/// A change of work, without the words of a person: no price depends on them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Changed {
    /// It came, or has another content.
    Put(Box<Work>),
    /// It is gone.
    Gone(String),
}

impl Changed {
    fn of(change: &Change) -> Self {
        match change {
            Change::Remove(id) => Self::Gone(id.clone()),
            Change::Put(work) => {
                let mut work = work.clone();
                work.fields.narrative = String::new();
                Self::Put(work)
            }
        }
    }
}

/// An act as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Act {
    /// The version of the reference data.
    pub(crate) snapshot_version: i64,
    /// The version of the rules.
    pub(crate) pricing_version: i64,
    /// The act before.
    pub(crate) previous: Option<At>,
    /// The work that there was.
    pub(crate) works: Vec<KnownWork>,
    /// The accounts that there were, by contract.
    pub(crate) accounts: BTreeMap<String, At>,
    /// What was asked, in this order.
    pub(crate) done: Vec<Done>,
    /// Digests of the accounts as they were afterwards, by contract.
    pub(crate) after: BTreeMap<String, String>,
}

impl Act {
    /// Everything that it may have priced.
    pub(crate) fn touched(&self) -> BTreeSet<String> {
        let mut all: BTreeSet<String> = self.works.iter().map(|work| work.id.clone()).collect();
        for done in &self.done {
            if let Done::Admit(changes) = done {
                all.extend(changes.iter().map(|change| match change {
                    Changed::Put(work) => work.id.clone(),
                    Changed::Gone(id) => id.clone(),
                }));
            }
        }
        all
    }
}

/// An act that was thought through and not kept yet.
#[derive(Debug, Default)]
pub(crate) struct Thought {
    pub(crate) works: Vec<KnownWork>,
    pub(crate) accounts: BTreeMap<String, Kept>,
    pub(crate) done: Vec<Done>,
    /// The contracts whose accounts decide about it.
    pub(crate) deciding: BTreeSet<String>,
}

impl Thought {
    /// Keep it, with what accounts it leaves; gives where.
    pub(crate) fn keep(
        self,
        tx: &mut Tx<'_>,
        terms: &Terms,
        after: &BTreeMap<String, Accounts>,
    ) -> Result<At, StoreError> {
        let own = after.iter().filter(|(id, _)| self.deciding.contains(*id));
        let after = digests(own)?;
        let mut accounts = BTreeMap::new();
        for (contract, kept) in self.accounts {
            if !self.deciding.contains(&contract) {
                continue;
            }
            let at = match kept.chain {
                Some(chain) => chain.at,
                // Written before there were acts.
                None => seal_whole(tx, &contract, &kept.accounts)?.at,
            };
            accounts.insert(contract, at);
        }
        let act = Act {
            snapshot_version: terms.snapshot_version,
            pricing_version: rules::PRICING_VERSION,
            previous: last(tx)?,
            works: self.works,
            accounts,
            done: self.done,
            after,
        };
        let at = At::from(facts::seal(tx, SealClass::Explanation, SUBJECT, &act)?);
        let text = serde_json::to_string(&at)
            .map_err(|error| inconsistent(format!("an act does not write: {error}")))?;
        settings::put(tx, LAST, &text, "priced with other work")?;
        Ok(at)
    }
}

/// The last act.
pub(crate) fn last(tx: &mut ReadTx<'_>) -> Result<Option<At>, StoreError> {
    let Some(text) = settings::get(tx, LAST)? else {
        return Ok(None);
    };
    let at = serde_json::from_str(&text)
        .map_err(|error| inconsistent(format!("'{text}' names no act: {error}")))?;
    Ok(Some(at))
}

/// A book that notes what is asked of it.
pub(crate) struct Acting<'a> {
    pub(crate) book: &'a mut Book,
    terms: &'a Terms,
    answer: Answer,
    done: Vec<Done>,
}

impl<'a> Acting<'a> {
    pub(crate) fn on(book: &'a mut Book, terms: &'a Terms) -> Self {
        Self {
            book,
            terms,
            answer: Answer::default(),
            done: Vec::new(),
        }
    }

    pub(crate) fn admit(&mut self, changes: Vec<Change>) -> Result<(), PriceError> {
        let noted = changes.iter().map(Changed::of).collect();
        let answer = self.book.admit(&self.terms.reference, changes)?;
        self.note(Done::Admit(noted), answer);
        Ok(())
    }

    pub(crate) fn follow(&mut self, contract: &str) -> Result<(), PriceError> {
        let answer = self.book.follow(&self.terms.reference, contract)?;
        self.note(Done::Follow(contract.to_owned()), answer);
        Ok(())
    }

    pub(crate) fn again(&mut self) -> Result<(), PriceError> {
        let answer = self.book.again(&self.terms.reference)?;
        self.note(Done::Again, answer);
        Ok(())
    }

    pub(crate) fn tell(&mut self, contract: &str, event: Event) -> Result<(), PriceError> {
        let answer = self.book.tell(&self.terms.reference, contract, &event)?;
        self.note(Done::Tell(contract.to_owned(), event), answer);
        Ok(())
    }

    fn note(&mut self, done: Done, answer: Answer) {
        then(&mut self.answer, answer);
        self.done.push(done);
    }

    /// What it came to, and what was asked.
    pub(crate) fn end(self) -> (Answer, Vec<Done>) {
        (self.answer, self.done)
    }
}

/// A later answer is the last word about what it touched; books and accounts never disagree.
pub(crate) fn then(answer: &mut Answer, later: Answer) {
    let touched: BTreeSet<&str> = later.outcomes.iter().map(|o| o.item.as_str()).collect();
    answer
        .outcomes
        .retain(|outcome| !touched.contains(outcome.item.as_str()));
    answer.outcomes.extend(later.outcomes);
    answer.effects.extend(later.effects);
    answer.missing.extend(later.missing);
}

/// Digests of accounts, by contract.
fn digests<'a>(
    accounts: impl Iterator<Item = (&'a String, &'a Accounts)>,
) -> Result<BTreeMap<String, String>, StoreError> {
    let all = accounts.map(|(id, accounts)| {
        let text = serde_json::to_vec(accounts)
            .map_err(|error| inconsistent(format!("accounts do not write: {error}")))?;
        let digest = digest16("accounts", &[&text]);
        Ok((id.clone(), HEXLOWER.encode(&digest)))
    });
    all.collect()
}

/// The contracts whose accounts decide about what is in a book: those of its work now and before, the
/// ones that they are parts of, and those that the configuration has no more, which may count work of parts.
pub(crate) fn deciding<'a>(
    terms: &Terms,
    book: &'a Book,
    before: impl Iterator<Item = &'a str>,
    done: &'a [Done],
) -> BTreeSet<String> {
    let contracts = &terms.reference.contracts;
    let mut names: BTreeSet<&str> = book.contracts().chain(before).collect();
    for one in done {
        match one {
            Done::Follow(contract) | Done::Tell(contract, _) => {
                names.insert(contract);
            }
            Done::Admit(_) | Done::Again => {}
        }
    }
    let mut deciding: BTreeSet<String> = names.iter().map(|name| (*name).to_owned()).collect();
    for contract in contracts.iter().filter(|c| names.contains(c.id.as_str())) {
        if let Ok(whole) = Whole::of(contracts, contract) {
            deciding.insert(whole.outermost().id.clone());
        }
    }
    let known = |id: &String| contracts.iter().any(|contract| contract.id == *id);
    let gone = book.all_accounts().map(|(id, _)| id);
    deciding.extend(gone.filter(|id| !known(id)).cloned());
    deciding
}

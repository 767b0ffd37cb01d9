//! What a book knows of works and their prices, by id and by place.
//!
//! The engine answers all or nothing. Whatever is changed here leaves what was there before in a list
//! of ways back, which are gone where there is no answer, and forgotten where there is one: a change
//! costs what it changes, however much is known.

use super::{Accounts, Gross, Work};
use crate::charge::Placement;
use jiff::civil::Date;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

/// The source's id of a piece of work, or of a person, shared by all places that name it.
pub(super) type Id = Arc<str>;

/// Works by day, of one person. Those of one day are in the order of ids.
type Days = BTreeMap<Date, Vec<Id>>;
/// What stands in each pricing group of one contract.
type Homes = BTreeMap<Arc<Placement>, BTreeSet<Id>>;

/// Works, their prices and the accounts.
#[derive(Debug, Clone, Default)]
pub(super) struct Known {
    /// By id, the place among the entries.
    places: HashMap<Id, usize>,
    /// In the order in which they came, as far as nobody left: one comes and goes with its neighbours.
    entries: Vec<Entry>,
    /// Places that somebody left.
    vacant: Vec<usize>,
    accounts: BTreeMap<String, Accounts>,
    /// The works of a person by day. Follows from the works.
    days: HashMap<Id, Days>,
    /// What stands in the pricing groups of a contract. Follows from what is priced.
    homes: HashMap<String, Homes>,
    /// The ways back to where the change began.
    back: Vec<Back>,
}

/// What is known of one id.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    id: Id,
    work: Option<Box<Work>>,
    gross: Option<Box<Gross>>,
}

impl Entry {
    const fn is_empty(&self) -> bool {
        self.work.is_none() && self.gross.is_none()
    }
}

/// The same is known of the same ids, in whatever order it came.
impl PartialEq for Known {
    fn eq(&self, other: &Self) -> bool {
        let same = |entry: &Entry| other.entry(&entry.id) == Some(entry);
        self.places.len() == other.places.len()
            && self.entries().all(same)
            && self.accounts == other.accounts
            && self.days == other.days
            && self.homes == other.homes
            && self.back == other.back
    }
}

impl Eq for Known {}

/// What was there before one change.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Back {
    Work(Id, Option<Box<Work>>),
    NotLookedAt(Id),
    Gross(Id, Option<Box<Gross>>),
    Accounts(String, Option<Box<Accounts>>),
}

/// A point to go back to.
pub(super) struct Mark(usize);

impl Known {
    fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter().filter(|entry| !entry.is_empty())
    }

    fn entry(&self, id: &str) -> Option<&Entry> {
        self.entries.get(*self.places.get(id)?)
    }

    /// The entry of an id, a new one where there is none.
    fn entry_of(&mut self, id: &Id) -> Option<&mut Entry> {
        if let Some(place) = self.places.get(id) {
            return self.entries.get_mut(*place);
        }
        let entry = Entry {
            id: Arc::clone(id),
            work: None,
            gross: None,
        };
        let place = self.vacant.pop().unwrap_or(self.entries.len());
        match self.entries.get_mut(place) {
            Some(left) => *left = entry,
            None => self.entries.push(entry),
        }
        self.places.insert(Arc::clone(id), place);
        self.entries.get_mut(place)
    }

    /// Leave the place of an id of which nothing is known any more.
    fn leave(&mut self, id: &Id) {
        if self.entry(id).is_some_and(Entry::is_empty)
            && let Some(place) = self.places.remove(id)
        {
            self.vacant.push(place);
        }
    }

    pub(super) fn works(&self) -> impl Iterator<Item = &Work> {
        self.entries
            .iter()
            .filter_map(|entry| entry.work.as_deref())
    }

    pub(super) fn work(&self, id: &str) -> Option<&Work> {
        self.entry(id)?.work.as_deref()
    }

    pub(super) fn priced(&self) -> impl Iterator<Item = (&Id, &Gross)> {
        let all = self.entries.iter();
        all.filter_map(|entry| Some((&entry.id, entry.gross.as_deref()?)))
    }

    pub(super) fn gross(&self, id: &str) -> Option<&Gross> {
        self.entry(id)?.gross.as_deref()
    }

    /// How a piece of work is priced, with its shared id.
    pub(super) fn priced_as(&self, id: &str) -> Option<(&Id, &Gross)> {
        let entry = self.entry(id)?;
        Some((&entry.id, entry.gross.as_deref()?))
    }

    pub(super) fn all_accounts(&self) -> impl Iterator<Item = (&String, &Accounts)> {
        self.accounts.iter()
    }

    pub(super) fn accounts(&self, contract: &str) -> Option<&Accounts> {
        self.accounts.get(contract)
    }

    /// The shared id of a person who has works.
    pub(super) fn worker(&self, worker: &str) -> Option<&Id> {
        self.days.get_key_value(worker).map(|(worker, _)| worker)
    }

    /// A person's works from one day to another, both counted in.
    pub(super) fn of_days(&self, worker: &str, from: Date, to: Date) -> impl Iterator<Item = &Id> {
        let days = self.days.get(worker).into_iter();
        days.flat_map(move |days| days.range(from..=to))
            .flat_map(|(_, works)| works)
    }

    /// The contracts that anything is priced under.
    pub(super) fn contracts(&self) -> impl Iterator<Item = &str> {
        self.homes.keys().map(String::as_str)
    }

    /// What stands in a pricing group of a contract, in the order of ids.
    pub(super) fn at(&self, contract: &str, home: &Placement) -> impl Iterator<Item = &Id> {
        let homes = self.homes.get(contract);
        homes
            .and_then(|homes| homes.get(home))
            .into_iter()
            .flatten()
    }

    fn work_mut(&mut self, id: &str) -> Option<&mut Work> {
        let place = *self.places.get(id)?;
        self.entries.get_mut(place)?.work.as_deref_mut()
    }

    pub(super) fn put_work(&mut self, work: Box<Work>) -> Id {
        let known = self.entry(&work.id).map(|entry| Arc::clone(&entry.id));
        let id = known.unwrap_or_else(|| Id::from(work.id.as_str()));
        let before = self.set_work(&id, Some(work));
        self.back.push(Back::Work(Arc::clone(&id), before));
        id
    }

    pub(super) fn take_work(&mut self, id: &str) {
        if let Some(entry) = self.entry(id).filter(|entry| entry.work.is_some()) {
            let id = Arc::clone(&entry.id);
            let before = self.set_work(&id, None);
            self.back.push(Back::Work(id, before));
        }
    }

    /// What stands booked as it is need not be looked at any more, whatever its price becomes.
    pub(super) fn note_booked(&mut self, id: &Id) {
        if let Some(work) = self.work_mut(id).filter(|work| !work.looked_at) {
            work.looked_at = true;
            self.back.push(Back::NotLookedAt(Arc::clone(id)));
        }
    }

    pub(super) fn put_gross(&mut self, id: Id, gross: Box<Gross>) {
        let before = self.set_gross(&id, Some(gross));
        self.back.push(Back::Gross(id, before));
    }

    pub(super) fn take_gross(&mut self, id: &str) -> Option<Box<Gross>> {
        let (id, gross) = self.priced_as(id)?;
        let (id, gross) = (Arc::clone(id), Box::new(gross.clone()));
        let before = self.set_gross(&id, None);
        self.back.push(Back::Gross(id, before));
        Some(gross)
    }

    pub(super) fn put_accounts(&mut self, contract: &str, accounts: Accounts) {
        let before = self.accounts.insert(contract.to_owned(), accounts);
        let before = before.map(Box::new);
        self.back.push(Back::Accounts(contract.to_owned(), before));
    }

    /// The point that is reached.
    pub(super) const fn mark(&self) -> Mark {
        Mark(self.back.len())
    }

    /// Go back to a point: everything is as it was there.
    pub(super) fn go_back(&mut self, mark: &Mark) {
        while self.back.len() > mark.0 {
            match self.back.pop() {
                Some(Back::Work(id, before)) => {
                    self.set_work(&id, before);
                }
                Some(Back::NotLookedAt(id)) => {
                    if let Some(work) = self.work_mut(&id) {
                        work.looked_at = false;
                    }
                }
                Some(Back::Gross(id, before)) => {
                    self.set_gross(&id, before);
                }
                Some(Back::Accounts(contract, Some(before))) => {
                    self.accounts.insert(contract, *before);
                }
                Some(Back::Accounts(contract, None)) => {
                    self.accounts.remove(&contract);
                }
                None => return,
            }
        }
    }

    /// There is no way back from here.
    pub(super) fn keep(&mut self) {
        self.back.clear();
    }

    /// Works and the days of people change together, here and nowhere else.
    fn set_work(&mut self, id: &Id, work: Option<Box<Work>>) -> Option<Box<Work>> {
        let place = work.as_ref().map(|work| {
            let worker = work.fields.worker_ref.as_str();
            let worker = match self.days.get_key_value(worker) {
                Some((worker, _)) => Arc::clone(worker),
                None => Id::from(worker),
            };
            (worker, work.fields.work_date)
        });
        let gone = work.is_none();
        let before = std::mem::replace(&mut self.entry_of(id)?.work, work);
        if gone {
            self.leave(id);
        }
        if let Some(before) = &before {
            let (worker, day) = (before.fields.worker_ref.as_str(), before.fields.work_date);
            if let Some(days) = self.days.get_mut(worker) {
                if let Some(works) = days.get_mut(&day) {
                    works.retain(|other| other != id);
                    if works.is_empty() {
                        days.remove(&day);
                    }
                }
                if days.is_empty() {
                    self.days.remove(worker);
                }
            }
        }
        if let Some((worker, day)) = place {
            let days = self.days.entry(worker).or_default();
            let works = days.entry(day).or_default();
            if let Err(place) = works.binary_search(id) {
                works.insert(place, Arc::clone(id));
            }
        }
        before
    }

    /// Prices and the pricing groups change together, here and nowhere else.
    fn set_gross(&mut self, id: &Id, gross: Option<Box<Gross>>) -> Option<Box<Gross>> {
        let stays = match (&gross, self.gross(id)) {
            (Some(gross), Some(before)) => {
                gross.contract == before.contract && gross.placement == before.placement
            }
            (Some(_) | None, _) => false,
        };
        if let Some(gross) = gross.as_ref().filter(|_| !stays) {
            let homes = match self.homes.get_mut(&gross.contract) {
                Some(homes) => homes,
                None => self.homes.entry(gross.contract.clone()).or_default(),
            };
            if let Some(home) = homes.get_mut(&gross.placement) {
                home.insert(Arc::clone(id));
            } else {
                let home = BTreeSet::from([Arc::clone(id)]);
                homes.insert(Arc::clone(&gross.placement), home);
            }
        }
        let gone = gross.is_none();
        let before = std::mem::replace(&mut self.entry_of(id)?.gross, gross);
        if gone {
            self.leave(id);
        }
        if let Some(before) = before.as_ref().filter(|_| !stays)
            && let Some(homes) = self.homes.get_mut(&before.contract)
        {
            if let Some(home) = homes.get_mut(&before.placement) {
                home.remove(id);
                if home.is_empty() {
                    homes.remove(&before.placement);
                }
            }
            if homes.is_empty() {
                self.homes.remove(&before.contract);
            }
        }
        before
    }
}

#[cfg(test)]
mod tests;

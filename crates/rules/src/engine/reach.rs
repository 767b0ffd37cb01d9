//! What a change reaches: the works whose price it may decide about, and the works that have to be
//! looked at to say so.
//!
//! The two differ where stretches of days overlap. A week of one contract begins on Monday, that of
//! another on Sunday; a day that is changed reaches both weeks, and to work either of them out takes
//! all of its days, also those that the change does not reach.

use super::known::Id;
use super::{Book, Change, Told};
use crate::charge::Placement;
use crate::price::placement;
use crate::resolve::Resolver;
use domain::calendar::Weekday;
use domain::contract::quantity::IncrementScope;
use domain::entry::EntryFields;
use domain::quantity::Unit;
use domain::reference::Reference;
use jiff::ToSpan;
use jiff::civil::Date;
use std::collections::{BTreeMap, BTreeSet};

/// What a change reaches.
pub(super) struct Reach {
    /// Works whose price may be another, and all that decide about them: whether one is touched itself.
    pub(super) around: BTreeMap<Id, bool>,
    /// Works that are gone.
    pub(super) removed: BTreeSet<Id>,
}

/// What of all contracts makes work of one day decide about another day's.
struct Stretches {
    week_starts: BTreeSet<Weekday>,
    months: bool,
}

impl Stretches {
    fn of(reference: &Reference) -> Self {
        let overtime = reference
            .contracts
            .iter()
            .filter_map(|c| c.overtime.as_ref());
        Self {
            week_starts: overtime.map(|billing| billing.terms.week_start).collect(),
            months: reference.contracts.iter().any(|c| c.unit == Unit::Month),
        }
    }

    fn around(&self, day: Date) -> (Date, Date) {
        let (mut from, mut to) = (day, day);
        for start in &self.week_starts {
            let first = start.week_of(day);
            from = from.min(first);
            to = to.max(first.saturating_add(6.days()));
        }
        if self.months {
            from = from.min(day.first_of_month());
            to = to.max(day.last_of_month());
        }
        (from, to)
    }
}

/// The stretch of days around a day in which work of the same person may decide about a price.
pub fn window(reference: &Reference, day: Date) -> (Date, Date) {
    Stretches::of(reference).around(day)
}

/// Stretches of days of people.
type Stretch = (Id, (Date, Date));

impl Book {
    /// Put the changes into the works, and say what they reach.
    pub(super) fn apply(
        &mut self,
        reference: &Reference,
        changes: Vec<Change>,
        told: &mut Told,
    ) -> Reach {
        let stretches = Stretches::of(reference);
        let mut reached: BTreeSet<Stretch> = BTreeSet::new();
        let mut lines = Lines::of(reference);
        let (mut touched, mut removed) = (BTreeSet::new(), BTreeSet::new());
        for change in changes {
            let (id, new) = match &change {
                Change::Put(work) => (work.id.as_str(), Some(work)),
                Change::Remove(id) => (id.as_str(), None),
            };
            lines.look_at(id, new.map(|work| &work.fields), self);
            if let Some(old) = self.known.work(id) {
                reached.extend(self.stretch(
                    &stretches,
                    &old.fields.worker_ref,
                    old.fields.work_date,
                ));
                removed.insert(Id::from(id));
            }
            match change {
                Change::Remove(id) => self.known.take_work(&id),
                Change::Put(work) => {
                    removed.remove(work.id.as_str());
                    let day = work.fields.work_date;
                    let id = self.known.put_work(work);
                    let work = self.known.work(&id);
                    let worker = work.map(|work| work.fields.worker_ref.as_str());
                    reached.extend(worker.and_then(|worker| self.stretch(&stretches, worker, day)));
                    touched.insert(id);
                }
            }
        }
        for (worker, (from, to)) in &reached {
            touched.extend(self.known.of_days(worker, *from, *to).cloned());
        }
        // A line of a document is rounded as a whole: whoever is looked at again there takes all others
        // along.
        for (contract, homes) in lines.together(&touched, self) {
            for home in &homes {
                touched.extend(self.known.at(contract, home).cloned());
            }
            self.note_missing(contract, &homes, told);
        }
        let around = self.around(&stretches, touched, &reached);
        Reach { around, removed }
    }

    fn stretch(&self, stretches: &Stretches, worker: &str, day: Date) -> Option<Stretch> {
        let worker = self.known.worker(worker)?;
        Some((Id::clone(worker), stretches.around(day)))
    }

    /// All that decides about works: the stretches of days around each of them. Those that were
    /// reached have nothing that is not touched.
    fn around(
        &self,
        stretches: &Stretches,
        touched: BTreeSet<Id>,
        reached: &BTreeSet<Stretch>,
    ) -> BTreeMap<Id, bool> {
        let works = touched.iter().filter_map(|id| self.known.work(id));
        let more: BTreeSet<Stretch> = works
            .filter_map(|work| {
                self.stretch(stretches, &work.fields.worker_ref, work.fields.work_date)
            })
            .filter(|stretch| !reached.contains(stretch))
            .collect();
        let mut around: BTreeMap<Id, bool> = touched.into_iter().map(|id| (id, true)).collect();
        for (worker, (from, to)) in more {
            for id in self.known.of_days(&worker, from, to) {
                around.entry(Id::clone(id)).or_insert(false);
            }
        }
        around
    }
}

/// Contracts whose lines are rounded as a whole, and which of their lines a change looks at again.
struct Lines<'a> {
    resolver: Resolver<'a>,
    all: BTreeSet<&'a str>,
    again: BTreeMap<&'a str, BTreeSet<Placement>>,
}

impl<'a> Lines<'a> {
    fn of(reference: &'a Reference) -> Self {
        let all = reference.contracts.iter();
        Self {
            resolver: Resolver::new(reference),
            all: all
                .filter(|contract| contract.increment_scope == IncrementScope::Line)
                .map(|contract| contract.id.as_str())
                .collect(),
            again: BTreeMap::new(),
        }
    }

    fn note(&mut self, contract: &str, home: &Placement) {
        if let Some(contract) = self.all.get(contract) {
            let homes = self.again.entry(contract).or_default();
            homes.insert(home.clone());
        }
    }

    /// A change of a piece of work, where it stands and where it comes to.
    fn look_at(&mut self, id: &str, new: Option<&EntryFields>, book: &Book) {
        if self.all.is_empty() {
            return;
        }
        if let Some(before) = book.known.gross(id) {
            self.note(&before.contract, &before.placement);
        }
        if let Some(Ok(resolved)) = new.map(|fields| self.resolver.resolve(fields)) {
            let home = placement(&resolved, resolved.posting.date());
            self.note(&resolved.contract.id, &home);
        }
    }

    /// All that are looked at again, where this work is.
    fn together(
        mut self,
        touched: &BTreeSet<Id>,
        book: &Book,
    ) -> BTreeMap<&'a str, BTreeSet<Placement>> {
        if !self.all.is_empty() {
            for before in touched.iter().filter_map(|id| book.known.gross(id)) {
                self.note(&before.contract, &before.placement);
            }
        }
        self.again
    }
}

//! What a change reaches: the works whose price it may decide about, and the works that have to be
//! looked at to say so.
//!
//! The two differ where stretches of days overlap. A week of one contract begins on Monday, that of
//! another on Sunday; a day that is changed reaches both weeks, and to work either of them out takes
//! all of its days, also those that the change does not reach.

use super::{Book, Change};
use domain::contract::quantity::IncrementScope;
use domain::quantity::Unit;
use domain::reference::Reference;
use jiff::ToSpan;
use jiff::civil::Date;
use std::collections::BTreeSet;

/// What a change reaches.
pub(super) struct Reach {
    /// Works whose price may be another.
    pub(super) touched: BTreeSet<String>,
    /// These, and all that decide about them.
    pub(super) around: BTreeSet<String>,
    /// Works that are gone.
    pub(super) removed: Vec<String>,
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
    /// Put the changes into the works, and say what they reach.
    pub(super) fn apply(&mut self, reference: &Reference, changes: Vec<Change>) -> Reach {
        let mut days: BTreeSet<(String, Date)> = BTreeSet::new();
        let mut contracts: BTreeSet<String> = BTreeSet::new();
        let mut touched = BTreeSet::new();
        let mut removed = BTreeSet::new();
        for change in changes {
            let (id, new) = match change {
                Change::Put(work) => (work.id.clone(), Some(*work)),
                Change::Remove(id) => (id, None),
            };
            contracts.extend(self.gross.get(&id).map(|gross| gross.contract.clone()));
            if let Some(old) = self.take_work(&id) {
                days.insert((old.fields.worker_ref, old.fields.work_date));
                removed.insert(id.clone());
            }
            if let Some(work) = new {
                let fields = &work.fields;
                days.insert((fields.worker_ref.clone(), fields.work_date));
                let resolved = crate::resolve::resolve(reference, fields);
                contracts.extend(resolved.ok().map(|r| r.contract.id.clone()));
                removed.remove(&id);
                touched.insert(id);
                self.put_work(work);
            }
        }
        for (worker, day) in &days {
            touched.extend(self.near(reference, worker, *day));
        }
        // A line of a document is rounded as a whole: whoever is looked at again there takes all others
        // of the contract along.
        let near = touched.iter().filter_map(|id| self.gross.get(id));
        contracts.extend(near.map(|gross| gross.contract.clone()));
        let together = reference.contracts.iter().filter(|contract| {
            contract.increment_scope == IncrementScope::Line && contracts.contains(&contract.id)
        });
        for contract in together {
            touched.extend(self.priced_under(&contract.id));
        }
        let around = self.around(reference, &touched);
        Reach {
            touched,
            around,
            removed: removed.into_iter().collect(),
        }
    }

    /// All that decides about works: the stretches of days around each of them.
    fn around(&self, reference: &Reference, touched: &BTreeSet<String>) -> BTreeSet<String> {
        let works = touched.iter().filter_map(|id| self.works.get(id));
        let days: BTreeSet<(&str, Date)> = works
            .map(|work| (work.fields.worker_ref.as_str(), work.fields.work_date))
            .collect();
        let mut around = touched.clone();
        for (worker, day) in days {
            around.extend(self.near(reference, worker, day));
        }
        around
    }

    /// A person's works in the stretch around a day.
    fn near<'a>(
        &'a self,
        reference: &Reference,
        worker: &str,
        day: Date,
    ) -> impl Iterator<Item = String> + 'a {
        let (from, to) = window(reference, day);
        let worker = worker.to_owned();
        let first = (worker.clone(), from, String::new());
        self.days
            .range(first..)
            .take_while(move |(who, on, _)| *who == worker && *on <= to)
            .map(|(_, _, id)| id.clone())
    }

    /// The works that are priced under a contract.
    fn priced_under(&self, contract: &str) -> Vec<String> {
        let all = self.gross.iter();
        all.filter(|(_, gross)| gross.contract == contract)
            .map(|(id, _)| id.clone())
            .collect()
    }
}

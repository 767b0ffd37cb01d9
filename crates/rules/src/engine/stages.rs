//! The stages before printing and accounts, for everything that a change reaches.

use super::gross::{self, Gross, Passing};
use super::known::Id;
use super::once::Once;
use super::rates::Rates;
use super::reach::Reach;
use super::{Book, Told, Work};
use crate::resolve::Resolver;
use domain::reference::Reference;
use std::collections::BTreeMap;

impl Book {
    /// The gross of what is touched. What is only around it is tiered with it and then left alone.
    pub(super) fn stages(
        &self,
        reference: &Reference,
        reach: &Reach,
        told: &mut Told,
    ) -> BTreeMap<Id, Box<Gross>> {
        let mut rates = Rates::of(reference);
        let mut once = Once::default();
        let mut passing = self.tiered(reference, reach, &mut once, told);
        let failed = gross::bill_time(&mut passing);
        let mut fresh = BTreeMap::new();
        for one in passing {
            let id = Id::clone(one.id);
            if let Some(problem) = failed.get(one.resolved.contract.id.as_str()) {
                told.refuse(&id, problem.clone());
                continue;
            }
            match gross::rate(&mut rates, &mut once, one) {
                Ok(gross) => {
                    fresh.insert(id, Box::new(gross));
                }
                Err(problem) => told.refuse(&id, problem),
            }
        }
        fresh
    }

    /// Names resolved and weeks tiered, person by person.
    fn tiered<'a>(
        &'a self,
        reference: &'a Reference,
        reach: &'a Reach,
        once: &mut Once<'a>,
        told: &mut Told,
    ) -> Vec<Passing<'a>> {
        let mut workers: BTreeMap<&str, Vec<(&'a Id, bool, &'a Work)>> = BTreeMap::new();
        for (id, touched) in &reach.around {
            if let Some(work) = self.known.work(id) {
                let own = workers.entry(work.fields.worker_ref.as_str()).or_default();
                own.push((id, *touched, work));
            }
        }
        let mut all = Vec::with_capacity(reach.around.len());
        let mut resolver = Resolver::new(reference);
        for works in workers.into_values() {
            let mut passing = Vec::with_capacity(works.len());
            for (id, touched, work) in works {
                match resolver.resolve(&work.fields) {
                    Ok(resolved) => {
                        let before = self.known.gross(id);
                        let mut one = Passing::new(id, work, resolved, before, once);
                        one.touched = touched;
                        passing.push(one);
                    }
                    Err(problem) if touched => {
                        told.refuse(id, problem);
                    }
                    Err(_) => {}
                }
            }
            let tiered = gross::tier(reference, &mut passing);
            passing.retain(|one| one.touched);
            match tiered {
                Ok(()) => all.extend(passing),
                Err(problem) => {
                    for one in &passing {
                        told.refuse(one.id, problem.clone());
                    }
                }
            }
        }
        all
    }
}

//! What is said of many pieces of work in the same words, said once for all that a change reaches.

use crate::charge::{Disposition, Placement};
use crate::explanation::Step;
use crate::price::{disposition, placement, who_pays};
use crate::resolve::Resolved;
use domain::entry::EntryFields;
use jiff::civil::Date;
use std::collections::HashMap;
use std::sync::Arc;

/// By contract, and whether the entry and the contract's condition say that the client pays.
type Payer<'a> = (&'a str, bool, bool);
/// By contract, project, year and month.
type Place<'a> = (&'a str, &'a str, i16, i8);

/// What was said so far.
#[derive(Default)]
pub(super) struct Once<'a> {
    payers: HashMap<Payer<'a>, Step>,
    places: HashMap<Place<'a>, Arc<Placement>>,
}

impl<'a> Once<'a> {
    /// Whether a client pays, and why.
    pub(super) fn who_pays(
        &mut self,
        resolved: &Resolved<'a>,
        fields: &EntryFields,
        steps: &mut Vec<Step>,
    ) -> Disposition {
        let contract = resolved.contract;
        let pays = disposition(contract.kind, resolved.billable);
        steps.extend(resolved.steps.iter().cloned());
        let payer = (contract.id.as_str(), fields.billable, resolved.billable);
        let known = self.payers.entry(payer);
        let step = known.or_insert_with(|| who_pays(resolved, fields, pays));
        steps.push(step.clone());
        pays
    }

    /// Where charges of a posting date belong.
    pub(super) fn placement(&mut self, resolved: &Resolved<'a>, posting: Date) -> Arc<Placement> {
        if resolved.group.is_some() {
            return Arc::new(placement(resolved, posting));
        }
        let (contract, project) = (&resolved.contract.id, &resolved.project.code);
        let place = (
            contract.as_str(),
            project.as_str(),
            posting.year(),
            posting.month(),
        );
        let known = self.places.entry(place);
        Arc::clone(known.or_insert_with(|| Arc::new(placement(resolved, posting))))
    }
}

//! Work that a condition of its contract wants a person to look at before it is billed.
//!
//! It is found before any account is asked: what waits for a person reserves nothing, and what stands
//! booked of it stays. Its amount is what it comes to by its rates, so that it does not hang on who
//! else was first at a limit.

use super::gross::{Gross, terms_problem};
use super::known::Id;
use super::{Book, PriceError, Told, contract_of};
use crate::charge::Disposition;
use crate::explanation::{Explanation, Step};
use crate::price::look;
use crate::resolve::resolve;
use domain::contract::Contract;
use domain::exception::Problem;
use domain::money::Money;
use domain::reference::Reference;
use std::collections::BTreeMap;

/// What conditions said, and whom they hold.
#[derive(Default)]
struct Said {
    steps: BTreeMap<Id, Vec<Step>>,
    held: BTreeMap<Id, Problem>,
}

impl Book {
    /// The works that nobody has to look at first; the others are refused. Quantities may be printed
    /// together with others, so that each round looks at what is left without the ones before.
    pub(super) fn looked_at(
        &mut self,
        reference: &Reference,
        mut fresh: BTreeMap<Id, Box<Gross>>,
        gone: &[(Id, Box<Gross>)],
        told: &mut Told,
    ) -> Result<BTreeMap<Id, Box<Gross>>, PriceError> {
        let mut holding = reference.contracts.iter();
        if !holding.any(|contract| contract.conditions.hold_when.is_some()) {
            return Ok(fresh);
        }
        loop {
            // Only a trial: what moves between contracts is not moved yet.
            let mark = self.known.mark();
            let said = self.look_round(reference, fresh.clone(), gone);
            self.known.go_back(&mark);
            let Said { steps, held } = said?;
            if held.is_empty() {
                for (id, own) in steps {
                    if let Some(gross) = fresh.get_mut(&id) {
                        gross.steps.extend(own);
                    }
                }
                return Ok(fresh);
            }
            for (id, problem) in held {
                fresh.remove(&id);
                told.refuse(&id, problem);
            }
        }
    }

    /// What conditions say of all works, printed as they are.
    fn look_round(
        &mut self,
        reference: &Reference,
        fresh: BTreeMap<Id, Box<Gross>>,
        gone: &[(Id, Box<Gross>)],
    ) -> Result<Said, PriceError> {
        let mut said = Said::default();
        for (id, under) in self.by_contract(fresh, gone.to_vec()) {
            let contract = contract_of(reference, &id)?;
            if contract.conditions.hold_when.is_none() {
                continue;
            }
            let own: Vec<Id> = under.own.keys().cloned().collect();
            // Terms that have no answer are told where everything is printed.
            let printed = self.print(contract, under.own, &under.left);
            let printed = printed.unwrap_or_default();
            for id in own {
                let looked = printed.get(&id);
                match looked.map(|gross| self.look_at(reference, contract, &id, gross)) {
                    Some(Ok(steps)) => {
                        said.steps.insert(id, steps);
                    }
                    Some(Err(problem)) => {
                        said.held.insert(id, problem);
                    }
                    None => {}
                }
            }
        }
        Ok(said)
    }

    /// What the condition says of one piece of work, or why it cannot go on.
    fn look_at(
        &self,
        reference: &Reference,
        contract: &Contract,
        id: &str,
        gross: &Gross,
    ) -> Result<Vec<Step>, Problem> {
        let Some(work) = self
            .known
            .work(id)
            .filter(|_| gross.pays == Disposition::Bill)
        else {
            return Ok(Vec::new());
        };
        let mut amount = Money::zero(contract.currency);
        for part in gross.parts.iter().filter(|part| part.billed) {
            amount = Money::times(
                part.quantity,
                part.rate,
                contract.currency,
                contract.amount_rounding,
            )
            .and_then(|own| amount.checked_add(own))
            .map_err(|error| terms_problem(contract, &error))?;
        }
        let resolved = resolve(reference, &work.fields)?;
        let mut why = Explanation::default();
        look(&resolved, &work.fields, amount, work.looked_at, &mut why)?;
        Ok(why.steps)
    }
}

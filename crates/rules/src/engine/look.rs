//! Work that a condition of its contract wants a person to look at before it is billed.
//!
//! It is found before any account is asked: what waits for a person reserves nothing, and what stands
//! booked of it stays. Its amount is what it comes to by its rates, so that it does not hang on who
//! else was first at a limit.

use super::gross::{Gross, terms_problem};
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

impl Book {
    /// The works that nobody has to look at first; the others are refused. Quantities may be printed
    /// together with others, so that each round looks at what is left without the ones before.
    pub(super) fn looked_at(
        &self,
        reference: &Reference,
        mut fresh: BTreeMap<String, Gross>,
        gone: &[(String, Gross)],
        told: &mut Told,
    ) -> Result<BTreeMap<String, Gross>, PriceError> {
        let mut holding = reference.contracts.iter();
        if !holding.any(|contract| contract.conditions.hold_when.is_some()) {
            return Ok(fresh);
        }
        loop {
            let mut trial = self.clone();
            let (mut steps, mut held) = (BTreeMap::new(), BTreeMap::new());
            for (id, under) in trial.by_contract(fresh.clone(), gone.to_vec()) {
                let contract = contract_of(reference, &id)?;
                if contract.conditions.hold_when.is_none() {
                    continue;
                }
                let own: Vec<String> = under.own.keys().cloned().collect();
                // Terms that have no answer are told where everything is printed.
                let printed = trial.print(contract, under.own, &under.left);
                let printed = printed.unwrap_or_default();
                for id in own {
                    match printed
                        .get(&id)
                        .map(|g| self.look_at(reference, contract, &id, g))
                    {
                        Some(Ok(said)) => {
                            steps.insert(id, said);
                        }
                        Some(Err(problem)) => {
                            held.insert(id, problem);
                        }
                        None => {}
                    }
                }
            }
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

    /// What the condition says of one piece of work, or why it cannot go on.
    fn look_at(
        &self,
        reference: &Reference,
        contract: &Contract,
        id: &str,
        gross: &Gross,
    ) -> Result<Vec<Step>, Problem> {
        let Some(work) = self
            .works
            .get(id)
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

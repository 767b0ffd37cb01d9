//! Contracts that cannot work, named before anything is priced by them.
//!
//! What one contract says is checked by itself, then what several say together: ids that are given
//! twice and parents that lead nowhere or in a circle. The first fault is reported with the term
//! it stands at, so that whoever reads a file can point to the line.

use super::accounts::limit::{LimitPolicy, LimitTerms, check_limits, id_in_whole};
use super::quantity::QuantityTermsError;
use super::{BillShape, Contract};
use crate::overtime::OvertimeBilling;
use crate::quantity::Unit;
use std::collections::{BTreeMap, BTreeSet};
use thiserror::Error;

/// What is wrong with a contract.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{what}")]
pub struct ContractFault {
    /// The term it stands at, as it is spelt in a file; none where the contract as a whole is meant.
    pub term: Option<&'static str>,
    /// What is wrong.
    pub what: String,
    /// What was expected.
    pub expected: String,
}

impl ContractFault {
    /// A fault at a term.
    pub fn at(
        term: &'static str,
        what: impl Into<String>,
        expected: impl Into<String>,
    ) -> ContractFault {
        Self {
            term: Some(term),
            what: what.into(),
            expected: expected.into(),
        }
    }
}

/// The fault of one of several contracts.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{fault}")]
pub struct ContractsFault {
    /// Which of them, from 0.
    pub index: usize,
    /// What is wrong.
    pub fault: ContractFault,
}

impl Contract {
    /// Refuse terms that cannot work by themselves.
    pub fn check(&self) -> Result<(), ContractFault> {
        let id = &self.id;
        if id.trim().is_empty() {
            return Err(ContractFault::at(
                "id",
                "a contract has no id",
                "an id that is its own and never changes, like ACME-2026",
            ));
        }
        if let Some(Err(error)) = self.increment.map(|rule| rule.check()) {
            return Err(self.refused(
                "increment",
                &error,
                "a step of 1 minute or more, and a minimum that is a multiple of it",
            ));
        }
        if let Err(error) = self.quantity_terms().check() {
            return Err(self.refused(quantity_term(&error), &error, "a value as the message says"));
        }
        if let Some(Err(error)) = self.overtime.as_ref().map(OvertimeBilling::check) {
            return Err(self.refused("overtime", &error, "a value as the message says"));
        }
        if self.shape == BillShape::Timesheet && self.unit != Unit::Hour {
            return Err(ContractFault::at(
                "unit",
                format!(
                    "contract {id} counts in the unit {}, and the ERP prices its booked time by the hour",
                    self.unit.name()
                ),
                "`shape = \"draft_line\"`, or no unit",
            ));
        }
        if self.overtime.is_some() && !matches!(self.unit, Unit::Hour | Unit::Minute) {
            return Err(ContractFault::at(
                "overtime",
                format!(
                    "contract {id}: overtime is of hours; a contract by the {} has none",
                    self.unit.name()
                ),
                "no overtime, or a unit of hours",
            ));
        }
        if self.retainer.is_some() && self.limit.iter().any(cuts_lines) {
            return Err(drawn_allowance(id, id));
        }
        self.check_accounts()?;
        if let (Some(from), Some(to)) = (self.from, self.to)
            && from >= to
        {
            return Err(ContractFault::at(
                "to",
                format!("contract {id} covers no day: it begins on {from} and ends before {to}"),
                "`to` is the first day that it no longer covers, later than `from`",
            ));
        }
        Ok(())
    }

    /// Refuse what the contract counts, where it has no meaning.
    fn check_accounts(&self) -> Result<(), ContractFault> {
        let printing = self.printing();
        let all = [
            ("limit", check_limits(&self.limit, &printing)),
            (
                "retainer",
                self.retainer
                    .as_ref()
                    .map_or(Ok(()), |t| t.check(&printing)),
            ),
            (
                "hour_bank",
                self.hour_bank
                    .as_ref()
                    .map_or(Ok(()), |t| t.check(&printing)),
            ),
            (
                "milestones",
                self.milestones
                    .as_ref()
                    .map_or(Ok(()), |t| t.check(&printing)),
            ),
            (
                "schedule",
                self.schedule
                    .as_ref()
                    .map_or(Ok(()), |t| t.check(&printing)),
            ),
        ];
        for (term, result) in all {
            if let Err(error) = result {
                return Err(self.refused(term, &error, "a value as the message says"));
            }
        }
        Ok(())
    }

    fn refused(
        &self,
        term: &'static str,
        error: &dyn std::fmt::Display,
        expected: &str,
    ) -> ContractFault {
        ContractFault::at(term, format!("contract {}: {error}", self.id), expected)
    }
}

/// Whether a limit takes what is above it off a line.
fn cuts_lines(limit: &LimitTerms) -> bool {
    limit.policy == LimitPolicy::BillToCap
}

fn drawn_allowance(id: &str, limited: &str) -> ContractFault {
    ContractFault::at(
        "limit",
        format!(
            "contract {id}: an allowance on a line by a limit of {limited} cannot be drawn from a retainer"
        ),
        "another policy than bill_to_cap, or no retainer",
    )
}

/// Where the contract holds what its terms of quantities complain of.
const fn quantity_term(error: &QuantityTermsError) -> &'static str {
    match error {
        QuantityTermsError::Increment(_) => "increment",
        QuantityTermsError::TooFine(_) | QuantityTermsError::FinerThanErp { .. } => {
            "quantity_decimals"
        }
        QuantityTermsError::DayHours(_)
        | QuantityTermsError::DayStep(_)
        | QuantityTermsError::DayCap { .. } => "days",
        QuantityTermsError::NoWorkingDay => "months",
        QuantityTermsError::Pieces => "unit",
    }
}

/// Refuse contracts that cannot work, by themselves or together.
pub fn check_all(contracts: &[Contract]) -> Result<(), ContractsFault> {
    let mut by_id: BTreeMap<&str, &Contract> = BTreeMap::new();
    for (index, contract) in contracts.iter().enumerate() {
        contract
            .check()
            .map_err(|fault| ContractsFault { index, fault })?;
        if by_id.insert(&contract.id, contract).is_some() {
            let fault = ContractFault::at(
                "id",
                format!("two contracts are called {}", contract.id),
                "an id of its own for each",
            );
            return Err(ContractsFault { index, fault });
        }
    }
    check_parents(contracts)
}

/// Refuse contracts that cannot be part of each other. Their ids are unique.
pub fn check_parents(contracts: &[Contract]) -> Result<(), ContractsFault> {
    let by_id: BTreeMap<&str, &Contract> = contracts.iter().map(|c| (c.id.as_str(), c)).collect();
    let mut limits: BTreeSet<(&str, String)> = BTreeSet::new();
    for (index, contract) in contracts.iter().enumerate() {
        let outermost =
            check_parent(contract, &by_id).map_err(|fault| ContractsFault { index, fault })?;
        for limit in &contract.limit {
            let name = if outermost.id == contract.id {
                limit.id.clone()
            } else {
                id_in_whole(&contract.id, &limit.id)
            };
            if !limits.insert((&outermost.id, name)) {
                let what = format!(
                    "contract {}: limit {} cannot be told from one of another part of {}",
                    contract.id, limit.id, outermost.id
                );
                let expected = "ids of contracts and limits without a slash";
                let fault = ContractFault::at("limit", what, expected);
                return Err(ContractsFault { index, fault });
            }
        }
    }
    Ok(())
}

/// Follow the parents of a contract to the outermost one.
fn check_parent<'a>(
    contract: &'a Contract,
    by_id: &BTreeMap<&str, &'a Contract>,
) -> Result<&'a Contract, ContractFault> {
    let mut chain: Vec<&str> = vec![&contract.id];
    let mut inner = contract;
    while let Some(parent) = inner.parent.as_deref() {
        let Some(outer) = by_id.get(parent).copied() else {
            return Err(ContractFault::at(
                "parent",
                format!(
                    "contract {} is part of contract {parent}, which does not exist",
                    inner.id
                ),
                "the id of another contract, or no `parent`",
            ));
        };
        if outer.currency != inner.currency {
            return Err(ContractFault::at(
                "parent",
                format!(
                    "contract {} is in {}, but {parent}, of which it is part, is in {}",
                    inner.id, inner.currency, outer.currency
                ),
                "one currency for a contract and its parts: their limits count the same money",
            ));
        }
        if outer.customer != inner.customer {
            let named = |contract: &Contract| {
                let customer = contract.customer.as_ref();
                customer.map_or_else(|| "nobody".to_owned(), |code| format!("customer {code}"))
            };
            return Err(ContractFault::at(
                "parent",
                format!(
                    "contract {} is with {}, but {parent}, of which it is part, is with {}",
                    inner.id,
                    named(inner),
                    named(outer)
                ),
                "one customer for a contract and its parts: who pays at most so much for all",
            ));
        }
        let counts = [
            ("retainer", outer.retainer.is_some()),
            ("hour_bank", outer.hour_bank.is_some()),
        ];
        if let Some((term, _)) = counts.into_iter().find(|(_, there)| *there) {
            return Err(ContractFault::at(
                "parent",
                format!(
                    "contract {} is part of {parent}, whose `{term}` does not count for its parts",
                    inner.id
                ),
                "a parent that counts limits only, and the retainer or hour bank on the parts",
            ));
        }
        if contract.retainer.is_some() && outer.limit.iter().any(cuts_lines) {
            return Err(drawn_allowance(&contract.id, &outer.id));
        }
        let begins = chain.iter().position(|known| *known == parent);
        chain.push(parent);
        if let Some(begins) = begins {
            let circle = chain.get(begins..).unwrap_or_default().join(" -> ");
            return Err(ContractFault::at(
                "parent",
                format!("contracts are part of each other in a circle: {circle}"),
                "an outermost contract that has no `parent`",
            ));
        }
        inner = outer;
    }
    Ok(inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn contract(id: &str, more: &serde_json::Value) -> Contract {
        let mut value = json!({
            "id": id, "projects": ["P1"], "kind": "time_and_materials", "currency": "EUR",
        });
        let object = value.as_object_mut().unwrap();
        object.extend(more.as_object().unwrap().clone());
        serde_json::from_value(value).unwrap()
    }

    fn refused(contracts: &[Contract]) -> (usize, &'static str, String) {
        let ContractsFault { index, fault } = check_all(contracts).unwrap_err();
        assert!(!fault.expected.is_empty());
        (index, fault.term.unwrap(), fault.what)
    }

    #[test]
    fn each_fault_names_its_term() {
        let sound = contract("A", &json!({"from": "2026-01-01", "to": "2026-01-02"}));
        assert_eq!(check_all(std::slice::from_ref(&sound)), Ok(()));
        for (more, term, says) in [
            (json!({"id": " "}), "id", "has no id"),
            (
                json!({"increment": {"step_minutes": 0}}),
                "increment",
                "0 minutes",
            ),
            (
                json!({"increment": {"step_minutes": 15, "minimum_minutes": 20}}),
                "increment",
                "not a multiple",
            ),
            (
                json!({"quantity_decimals": 7}),
                "quantity_decimals",
                "decimals are 7",
            ),
            (
                json!({"days": {"hours": "8", "step": "0.3", "cap": "0.9"}}),
                "days",
                "day_step is 0.3",
            ),
            (
                json!({"retainer": {"id": " "}}),
                "retainer",
                "contract B: retainer",
            ),
            (
                json!({"from": "2026-01-02", "to": "2026-01-02"}),
                "to",
                "covers no day",
            ),
            (json!({"id": "A"}), "id", "two contracts are called A"),
        ] {
            let (index, at, what) = refused(&[sound.clone(), contract("B", &more)]);
            assert_eq!((index, at), (1, term), "{what}");
            assert!(what.contains(says), "{what}");
        }
    }

    #[test]
    fn a_circle_of_parents_is_named() {
        let part = |id, parent| contract(id, &json!({"parent": parent}));
        let top = contract("TOP", &json!({}));
        assert_eq!(
            check_all(&[part("C", "B"), part("B", "TOP"), top.clone()]),
            Ok(())
        );
        let (index, term, what) = refused(&[part("D", "A"), part("A", "B"), part("B", "A")]);
        assert_eq!((index, term), (0, "parent"));
        assert!(what.ends_with("in a circle: A -> B -> A"), "{what}");
        let (_, _, what) = refused(&[part("A", "A")]);
        assert!(what.ends_with("in a circle: A -> A"), "{what}");
        let (_, _, what) = refused(&[part("A", "TOPP"), top.clone()]);
        assert_eq!(
            what,
            "contract A is part of contract TOPP, which does not exist"
        );
        let dollars = contract("A", &json!({"parent": "TOP", "currency": "USD"}));
        let (_, _, what) = refused(&[dollars, top]);
        assert!(what.contains("A is in USD, but TOP"), "{what}");
        let top = contract("TOP", &json!({"customer": "C1"}));
        let other = contract("A", &json!({"parent": "TOP", "customer": "C2"}));
        let (index, _, what) = refused(&[top.clone(), other]);
        assert_eq!(index, 1);
        assert!(what.contains("A is with customer C2, but TOP"), "{what}");
        let own = part("A", "TOP");
        let (_, _, what) = refused(&[top, own.clone()]);
        assert!(what.contains("A is with nobody, but TOP"), "{what}");
        let paid = contract("TOP", &json!({"retainer": {"id": "R"}}));
        let (_, term, what) = refused(&[paid, own]);
        assert_eq!(term, "parent");
        assert!(what.contains("whose `retainer` does not count"), "{what}");
    }

    #[test]
    fn limits_of_a_whole_are_told_apart() {
        let cap = |id: &str| json!([{"id": id, "amount": "10"}]);
        let top = contract("TOP", &json!({"limit": cap("A/CAP")}));
        let part = contract("A", &json!({"parent": "TOP", "limit": cap("CAP")}));
        let (index, term, what) = refused(&[top, part.clone()]);
        assert_eq!((index, term), (1, "limit"));
        assert!(what.contains("cannot be told from"), "{what}");
        let top = contract("TOP", &json!({"limit": cap("CAP")}));
        assert_eq!(check_all(&[top, part]), Ok(()));
    }
}

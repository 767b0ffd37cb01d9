//! Contracts that are part of another one: their limits are kept with those of the whole.
//!
//! One account holds the limits of the outermost contract and of all its parts, so that an entry
//! passes every level in one step or none. In it a part's limit is called by contract and id,
//! `K1/NTE`; the ids of the outermost contract's limits are as they are.

use super::{Limits, Refusal};
use crate::account::ask::Ask;
use domain::contract::accounts::Printing;
use domain::contract::accounts::limit::{
    LimitScope, LimitTerms, check_limits, id_in_whole, unique_in_whole,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// The limits of a contract and of everything that is part of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub struct WholeTerms {
    /// The outermost contract's id.
    pub contract: String,
    /// Its own limits.
    pub limits: Vec<LimitTerms>,
    /// Its parts, and theirs.
    #[serde(default)]
    pub parts: Vec<PartTerms>,
}

/// A contract that is part of another one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PartTerms {
    /// The contract's id.
    pub contract: String,
    /// The part that it is a part of; none = of the outermost contract itself.
    pub parent: Option<String>,
    /// How it prints.
    pub printing: Printing,
    /// Its limits.
    pub limits: Vec<LimitTerms>,
}

/// What an account knows of a part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Part {
    parent: Option<String>,
    printing: Printing,
    /// The ids that its limits have in the account.
    limits: Vec<String>,
}

/// The parts of an account's contract, by id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub(super) struct Parts {
    /// The outermost contract; empty where it has no parts.
    whole: String,
    by_contract: BTreeMap<String, Part>,
}

impl Parts {
    pub(super) fn is_empty(&self) -> bool {
        self.by_contract.is_empty()
    }

    /// How an ask prints; none = as the outermost contract.
    pub(super) fn printing(&self, ask: &Ask) -> Option<&Printing> {
        let part = ask.contract.as_ref()?;
        self.by_contract.get(part).map(|part| &part.printing)
    }

    /// The part whose limit it is; none = the outermost contract.
    pub(super) fn owner(&self, limit: &str) -> Option<&str> {
        let mut all = self.by_contract.iter();
        let own = all.find(|(_, part)| part.limits.iter().any(|id| id == limit));
        own.map(|(contract, _)| contract.as_str())
    }

    /// A contract and the parts that it is part of, inner ones first. A chain has each part once.
    pub(super) fn chain<'a>(&'a self, contract: Option<&'a str>) -> Vec<&'a str> {
        let mut chain = Vec::new();
        let mut next = contract;
        while let Some(id) = next {
            if chain.len() > self.by_contract.len() {
                break;
            }
            chain.push(id);
            next = self
                .by_contract
                .get(id)
                .and_then(|part| part.parent.as_deref());
        }
        chain
    }

    /// How far inside the whole the owner of a limit is.
    pub(super) fn depth(&self, limit: &str) -> usize {
        self.chain(self.owner(limit)).len()
    }
}

/// Limits of a contract without parts.
impl From<Vec<LimitTerms>> for WholeTerms {
    fn from(limits: Vec<LimitTerms>) -> Self {
        Self {
            limits,
            ..Self::default()
        }
    }
}

impl WholeTerms {
    /// Refuse terms that have no meaning; the limits by the ids that they have in the account.
    pub(super) fn joined(&self, printing: &Printing) -> Result<(Vec<LimitTerms>, Parts), Refusal> {
        check_limits(&self.limits, printing)?;
        let mut all = self.limits.clone();
        let mut parts = BTreeMap::new();
        for part in &self.parts {
            check_limits(&part.limits, &part.printing)?;
            let own = part.limits.iter().map(|limit| LimitTerms {
                id: id_in_whole(&part.contract, &limit.id),
                ..limit.clone()
            });
            let own: Vec<LimitTerms> = own.collect();
            let known = Part {
                parent: part.parent.clone(),
                printing: part.printing,
                limits: own.iter().map(|limit| limit.id.clone()).collect(),
            };
            parts.insert(part.contract.clone(), known);
            all.extend(own);
        }
        unique_in_whole(all.iter().map(|limit| limit.id.as_str()))?;
        let whole = if parts.is_empty() {
            String::new()
        } else {
            self.contract.clone()
        };
        let parts = Parts {
            whole,
            by_contract: parts,
        };
        all.sort_by_key(|limit| (parts.depth(&limit.id), limit.scope));
        Ok((all, parts))
    }
}

/// What a limit is called.
pub(super) struct Name<'a> {
    of: &'a Limits,
    limit: &'a LimitTerms,
}

impl fmt::Display for Name<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (limit, parts) = (self.limit, &self.of.parts);
        if parts.is_empty() {
            return write!(f, "limit {} on the {}", limit.id, limit.scope.words());
        }
        let contract = parts.owner(&limit.id).unwrap_or(&parts.whole);
        let id = self.of.id_of(limit);
        write!(f, "limit {id} of contract {contract}")?;
        match limit.scope {
            LimitScope::Contract => Ok(()),
            scope @ (LimitScope::Line | LimitScope::PurchaseOrder | LimitScope::Task) => {
                write!(f, " on the {}", scope.words())
            }
        }
    }
}

impl Limits {
    /// Whether it knows a contract as a part of its own.
    pub(super) fn has_part(&self, contract: &str) -> bool {
        self.parts.by_contract.contains_key(contract)
    }

    /// Whether it counts work of a contract as of a part of its own.
    pub fn counts_part(&self, contract: &str) -> bool {
        let mut all = self.items.values();
        self.has_part(contract)
            && all.any(|record| record.ask.contract.as_deref() == Some(contract))
    }

    /// The contracts that it knows as parts of its own.
    pub fn part_ids(&self) -> impl Iterator<Item = &str> {
        self.parts.by_contract.keys().map(String::as_str)
    }

    /// Whether any entry asked.
    pub fn has_entries(&self) -> bool {
        self.items.values().next().is_some()
    }

    /// The limits of a part, or with none of the outermost contract, by the ids that they have in
    /// their contract.
    pub fn terms_of<'a>(
        &'a self,
        part: Option<&'a str>,
    ) -> impl Iterator<Item = (&'a str, &'a LimitTerms)> {
        let own = self.terms.iter();
        own.filter(move |limit| self.parts.owner(&limit.id) == part)
            .map(|limit| (self.id_of(limit), limit))
    }

    /// The id that a limit has in its contract.
    pub(super) fn id_of<'a>(&self, limit: &'a LimitTerms) -> &'a str {
        let part = self.parts.owner(&limit.id);
        part.and_then(|part| limit.id.strip_prefix(part)?.strip_prefix('/'))
            .unwrap_or(&limit.id)
    }

    /// What a limit is called where it is explained.
    pub(super) const fn name_of<'a>(&'a self, limit: &'a LimitTerms) -> Name<'a> {
        Name { of: self, limit }
    }

    /// Whether it is kept by these terms.
    pub fn keeps(&self, terms: &WholeTerms) -> bool {
        let Ok((limits, parts)) = terms.joined(&self.printing) else {
            return false;
        };
        // Limits are kept outer ones first, whatever their order in the configuration.
        parts == self.parts
            && limits.len() == self.terms.len()
            && limits.iter().all(|limit| self.terms.contains(limit))
    }
}

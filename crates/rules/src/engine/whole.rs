//! Contracts that are part of another one. Their limits are counted in the account of the outermost
//! contract, so that one entry is granted by all levels in one step; everything else that a contract
//! counts is its own.

use super::{Accounts, Book, PriceError, Settled, Told, contract_of};
use crate::account::limit::{PartTerms, WholeTerms};
use crate::account::refusal::Refusal;
use crate::account::{Account, Event};
use domain::contract::Contract;
use domain::reference::Reference;
use std::collections::{BTreeMap, BTreeSet};

/// A contract, and what it is a part of.
#[derive(Debug, Clone)]
pub struct Whole<'a> {
    contract: &'a Contract,
    outermost: &'a Contract,
    /// Everything that is part of the outermost contract, in the order of ids.
    parts: Vec<&'a Contract>,
}

impl<'a> Whole<'a> {
    /// A contract among all contracts.
    pub fn of(contracts: &'a [Contract], contract: &'a Contract) -> Result<Self, Refusal> {
        if contracts.iter().all(|known| known.parent.is_none()) {
            return Ok(Self::alone(contract));
        }
        let by_id: BTreeMap<&str, &Contract> =
            contracts.iter().map(|c| (c.id.as_str(), c)).collect();
        let outermost = outermost(&by_id, contract)?;
        let mut parts = Vec::new();
        for known in by_id.values().filter(|known| known.parent.is_some()) {
            if self::outermost(&by_id, known)?.id == outermost.id {
                parts.push(*known);
            }
        }
        Ok(Self {
            contract,
            outermost,
            parts,
        })
    }

    /// A contract that no other one is looked at with.
    pub const fn alone(contract: &'a Contract) -> Self {
        Self {
            contract,
            outermost: contract,
            parts: Vec::new(),
        }
    }

    /// The contract itself.
    pub const fn contract(&self) -> &'a Contract {
        self.contract
    }

    /// The contract that holds the limits' account.
    pub const fn outermost(&self) -> &'a Contract {
        self.outermost
    }

    /// The outermost contract, looked at in the same whole.
    #[must_use]
    pub fn outer(&self) -> Self {
        Self {
            contract: self.outermost,
            ..self.clone()
        }
    }

    /// Whether it is part of another one.
    pub fn is_part(&self) -> bool {
        self.contract.id != self.outermost.id
    }

    /// Whether any of all has a limit.
    pub fn has_limits(&self) -> bool {
        let mut all = self.parts.iter().copied().chain([self.outermost]);
        all.any(|contract| !contract.limit.is_empty())
    }

    /// The limits of all.
    pub(super) fn limits(&self) -> WholeTerms {
        let parts = self.parts.iter().map(|part| PartTerms {
            contract: part.id.clone(),
            parent: part.parent.clone().filter(|id| *id != self.outermost.id),
            printing: part.printing(),
            limits: part.limit.clone(),
        });
        WholeTerms {
            contract: self.outermost.id.clone(),
            limits: self.outermost.limit.clone(),
            parts: parts.collect(),
        }
    }
}

fn outermost<'a>(
    by_id: &BTreeMap<&str, &'a Contract>,
    contract: &'a Contract,
) -> Result<&'a Contract, Refusal> {
    let mut inner = contract;
    for _ in 0..=by_id.len() {
        let Some(parent) = &inner.parent else {
            return Ok(inner);
        };
        inner = by_id
            .get(parent.as_str())
            .ok_or_else(|| no_parent(inner, parent))?;
    }
    Err(no_parent(
        contract,
        contract.parent.as_deref().unwrap_or_default(),
    ))
}

fn no_parent(contract: &Contract, parent: &str) -> Refusal {
    Refusal::NoParent {
        contract: contract.id.clone(),
        parent: parent.to_owned(),
    }
}

impl Accounts {
    /// Refuse a contract whose work these accounts, kept under another outermost one, count as that of
    /// a part.
    pub(super) fn count_elsewhere(
        &self,
        kept_under: &str,
        contract: &Contract,
    ) -> Result<(), Refusal> {
        match &self.limits {
            Some(Account::Limits(limits)) if limits.counts_part(&contract.id) => {
                Err(Refusal::CountedElsewhere {
                    contract: contract.id.clone(),
                    whole: kept_under.to_owned(),
                })
            }
            Some(_) | None => Ok(()),
        }
    }

    /// Refuse contracts that are part of something else by now than where their work is counted.
    pub fn check_places(&self, kept_under: &str, contracts: &[Contract]) -> Result<(), Refusal> {
        let Some(Account::Limits(limits)) = &self.limits else {
            return Ok(());
        };
        for id in limits.part_ids() {
            let contract = contracts.iter().find(|contract| contract.id == id);
            if let Some(contract) = contract
                && Whole::of(contracts, contract)?.outermost().id != kept_under
            {
                self.count_elsewhere(kept_under, contract)?;
            }
        }
        Ok(())
    }

    /// Refuse a contract that became part of another one after it counted by itself.
    pub(super) fn counts_nothing_alone(&mut self, whole: &Whole<'_>) -> Result<(), Refusal> {
        if let Some(Account::Limits(limits)) = &self.limits
            && limits.has_entries()
        {
            return Err(Refusal::CountedAlone {
                contract: whole.contract().id.clone(),
                parent: whole.contract().parent.clone().unwrap_or_default(),
            });
        }
        self.limits = None;
        Ok(())
    }
}

impl Book {
    /// The accounts that a contract's work asks: its own, and the limits of all that it is part of.
    pub(super) fn accounts_of(&self, whole: &Whole<'_>) -> Result<Accounts, Refusal> {
        let contract = whole.contract();
        let outermost = whole.outermost();
        for (id, accounts) in self
            .known
            .all_accounts()
            .filter(|(id, _)| **id != outermost.id)
        {
            accounts.count_elsewhere(id, contract)?;
        }
        let mut own = self.own_accounts(whole)?;
        if whole.is_part() {
            own.counts_nothing_alone(whole)?;
            own.limits = self.own_accounts(&whole.outer())?.limits;
        }
        Ok(own)
    }

    fn own_accounts(&self, whole: &Whole<'_>) -> Result<Accounts, Refusal> {
        match self.known.accounts(&whole.contract().id) {
            Some(known) => Ok(known.clone()),
            None => Accounts::of(whole),
        }
    }

    /// Put accounts that were taken by [`accounts_of`](Self::accounts_of) back in their places.
    pub(super) fn keep_accounts(
        &mut self,
        whole: &Whole<'_>,
        mut accounts: Accounts,
    ) -> Result<(), Refusal> {
        if whole.is_part() {
            let outermost = whole.outermost();
            let mut outer = self.own_accounts(&whole.outer())?;
            outer.limits = accounts.limits.take();
            self.known.put_accounts(&outermost.id, outer);
        }
        self.known.put_accounts(&whole.contract().id, accounts);
        Ok(())
    }

    /// Whether work of a contract asks any account.
    pub fn counts_work(&self, reference: &Reference, contract: &str) -> Result<bool, PriceError> {
        let contract = contract_of(reference, contract)?;
        let whole = Whole::of(&reference.contracts, contract)?;
        Ok(self.accounts_of(&whole)?.asked_about_work())
    }

    /// Release what waits at the limits of a whole contract, and let what goes pass the retainer of
    /// its own contract.
    pub(super) fn release(
        &mut self,
        reference: &Reference,
        whole: &Whole<'_>,
        at_most: Option<u32>,
        told: &mut Told,
    ) -> Result<(), PriceError> {
        let outer = whole.outer();
        let event = |at_most| Event::ReleaseHeld { at_most };
        if outer.parts.is_empty() {
            let mut accounts = self.accounts_of(&outer)?;
            let settled = accounts.tell(&event(at_most))?;
            self.conclude(outer.contract(), &accounts, &settled, &[], told);
            self.keep_accounts(&outer, accounts)?;
            return Ok(());
        }
        // One entry after the other, so that each is told why it goes and draws in its turn. One that
        // cannot go may let others pass: then the next one is tried with it, until none goes.
        let mut all: BTreeMap<String, Settled> = BTreeMap::new();
        let mut tried = at_most.unwrap_or(1);
        loop {
            let kept = self.accounts_of(&outer)?;
            let mut limits = Accounts {
                limits: kept.limits.clone(),
                ..Accounts::default()
            };
            let one = limits.tell(&event(Some(tried)))?;
            let waiting = match &limits.limits {
                Some(Account::Limits(limits)) => limits.waiting_count(),
                Some(_) | None => 0,
            };
            let ends = usize::try_from(tried).map_or(true, |tried| tried >= waiting);
            if one.items.is_empty() {
                if at_most.is_some() || ends {
                    break;
                }
                tried = tried.saturating_add(1);
                continue;
            }
            let limits = limits.limits;
            self.keep_accounts(&outer, Accounts { limits, ..kept })?;
            self.draw(reference, &outer, &one, &mut all)?;
            if at_most.is_some() {
                break;
            }
        }
        for (contract, settled) in all {
            let contract = contract_of(reference, &contract)?;
            let own = Whole::of(&reference.contracts, contract)?;
            let accounts = self.accounts_of(&own)?;
            self.conclude(contract, &accounts, &settled, &[], told);
        }
        Ok(())
    }

    /// Let what the limits of a whole contract changed pass the retainers of its parts.
    fn draw(
        &mut self,
        reference: &Reference,
        outer: &Whole<'_>,
        changed: &Settled,
        all: &mut BTreeMap<String, Settled>,
    ) -> Result<(), PriceError> {
        let mut of_contract: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        if let Some(Account::Limits(limits)) = self.accounts_of(outer)?.limits {
            for item in &changed.items {
                let part = limits.record(item).and_then(|r| r.ask.contract.clone());
                let contract = part.unwrap_or_else(|| outer.contract().id.clone());
                let own = of_contract.entry(contract).or_default();
                own.insert(item.clone());
            }
        }
        for (contract, items) in of_contract {
            let own = contract_of(reference, &contract)?;
            let own = Whole::of(&reference.contracts, own)?;
            let mut accounts = self.accounts_of(&own)?;
            let steps = changed.steps.iter();
            let steps = steps.filter(|(item, _)| items.contains(*item));
            let mut drawn = Settled {
                steps: steps
                    .map(|(id, steps)| (id.clone(), steps.clone()))
                    .collect(),
                items,
                effects: Vec::new(),
            };
            accounts.draw(&mut drawn)?;
            self.keep_accounts(&own, accounts)?;
            let told = all.entry(contract).or_default();
            told.items.extend(drawn.items);
            told.effects.extend(drawn.effects);
            for (item, steps) in drawn.steps {
                told.steps.entry(item).or_default().extend(steps);
            }
        }
        Ok(())
    }
}

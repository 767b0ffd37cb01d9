//! What everything comes to: the accounts are asked for what changed, and every piece of work that
//! they or its own price touch is said anew.

use super::accounts::{Accounts, Settled};
use super::content;
use super::gross::{Gross, GrossPart, asks_accounts};
use super::known::Id;
use super::whole::Whole;
use super::{Book, PriceError, Told, Work, contract_of};
use crate::account::ask::{Ask, AskKind};
use domain::contract::Contract;
use domain::contract::quantity::Residual;
use domain::decimal::Micro;
use domain::reference::Reference;
use std::collections::{BTreeMap, BTreeSet};

/// What changes under one contract.
#[derive(Default)]
pub(super) struct Under {
    /// New prices, by work.
    pub(super) own: BTreeMap<Id, Box<Gross>>,
    /// What stood under the contract and does no more: removed, or moved to another one.
    pub(super) left: Vec<(Id, Box<Gross>)>,
    /// What of `own` stood under another contract, and how it was priced there.
    came: BTreeMap<Id, Box<Gross>>,
}

impl Book {
    /// Print, ask the accounts, and say what everything comes to.
    pub(super) fn settle(
        &mut self,
        reference: &Reference,
        fresh: BTreeMap<Id, Box<Gross>>,
        gone: Vec<(Id, Box<Gross>)>,
        told: &mut Told,
    ) -> Result<(), PriceError> {
        let fresh = self.looked_at(reference, fresh, &gone, told)?;
        let contracts = self.by_contract(fresh, gone);
        let moves: BTreeMap<Id, String> = contracts
            .iter()
            .flat_map(|(id, under)| under.came.keys().map(|work| (Id::clone(work), id.clone())))
            .collect();
        for (id, under) in contracts {
            let contract = contract_of(reference, &id)?;
            let whole = Whole::of(&reference.contracts, contract)?;
            let inside = |other: &str| -> Result<bool, PriceError> {
                let other = contract_of(reference, other)?;
                let other = Whole::of(&reference.contracts, other)?;
                Ok(other.outermost().id == whole.outermost().id)
            };
            // What goes to another part of the whole keeps what the limits granted it, and is
            // theirs to give back where it comes.
            let (mut goes, mut comes) = (BTreeSet::new(), BTreeSet::new());
            for (work, gross) in &under.left {
                if let Some(to) = moves.get(work)
                    && inside(to)?
                {
                    goes.extend(ask_ids(work, gross));
                }
            }
            for (work, gross) in &under.came {
                if inside(&gross.contract)? {
                    comes.extend(ask_ids(work, gross));
                }
            }
            self.settle_contract(&whole, under, (&goes, comes), told)?;
        }
        Ok(())
    }

    /// What changes under each contract. What moves to another one leaves the one where it stood.
    pub(super) fn by_contract(
        &mut self,
        fresh: BTreeMap<Id, Box<Gross>>,
        gone: Vec<(Id, Box<Gross>)>,
    ) -> BTreeMap<String, Under> {
        let mut contracts: BTreeMap<String, Under> = BTreeMap::new();
        for (id, gross) in gone {
            let under = contracts.entry(gross.contract.clone()).or_default();
            under.left.push((id, gross));
        }
        for (id, mut gross) in fresh {
            match self.known.gross(&id) {
                Some(before) if before.contract == gross.contract => gross.keep_day(before),
                Some(_) => {
                    if let Some(before) = self.known.take_gross(&id) {
                        let new = contracts.entry(gross.contract.clone()).or_default();
                        new.came.insert(Id::clone(&id), before.clone());
                        let old = contracts.entry(before.contract.clone()).or_default();
                        old.left.push((Id::clone(&id), before));
                    }
                }
                None => {}
            }
            let under = match contracts.get_mut(&gross.contract) {
                Some(under) => under,
                None => contracts.entry(gross.contract.clone()).or_default(),
            };
            under.own.insert(id, gross);
        }
        contracts
    }

    fn settle_contract(
        &mut self,
        whole: &Whole<'_>,
        under: Under,
        (goes, comes): (&BTreeSet<String>, BTreeSet<String>),
        told: &mut Told,
    ) -> Result<(), PriceError> {
        let contract = whole.contract();
        let mut lost: BTreeSet<String> = BTreeSet::new();
        for (id, gross) in &under.left {
            lost.extend(ask_ids(id, gross));
        }
        let touched: Vec<Id> = under.own.keys().cloned().collect();
        let left: Vec<Id> = under.left.iter().map(|(id, _)| Id::clone(id)).collect();
        if contract.residual == Residual::Carry {
            let now = under.own.values().map(|gross| &*gross.placement);
            let before = touched.iter().filter_map(|id| self.known.gross(id));
            let before = before.map(|gross| &*gross.placement);
            let left = under.left.iter().map(|(_, gross)| &*gross.placement);
            self.note_missing(&contract.id, now.chain(before).chain(left), told);
        }
        let printed = match self.print(contract, under.own, &under.left) {
            Ok(printed) => printed,
            Err(problem) => {
                for id in &touched {
                    told.refuse(id, problem.clone());
                }
                BTreeMap::new()
            }
        };
        let mut asks = Vec::new();
        let mut plain = Vec::with_capacity(printed.len());
        let mut accounts = self.accounts_of(whole)?;
        let asked_about = accounts.asked_about_work();
        for (id, gross) in printed {
            let now = match self.known.work(&id) {
                Some(work) if asked_about && asks_accounts(contract.kind, gross.pays) => {
                    asks_of(whole, work, &gross)
                }
                Some(_) | None => Vec::new(),
            };
            if let Some(before) = self.known.gross(&id) {
                let kept = |ask: &String| now.iter().any(|now| now.item == *ask);
                lost.extend(ask_ids(&id, before).into_iter().filter(|ask| !kept(ask)));
            }
            asks.extend(now);
            self.known.put_gross(Id::clone(&id), gross);
            self.known.note_booked(&id);
            plain.push(id);
        }
        let asked: BTreeSet<&str> = asks.iter().map(|ask| ask.item.as_str()).collect();
        lost.extend(
            comes
                .into_iter()
                .filter(|ask| !asked.contains(ask.as_str())),
        );
        let settled = if asked_about {
            accounts.settle(&asks, &lost, goes)?
        } else {
            Settled::default()
        };
        self.conclude(contract, &accounts, &settled, &plain, told);
        self.note_homes(contract, &mut accounts, plain.iter().chain(&left));
        self.keep_accounts(whole, accounts)?;
        Ok(())
    }

    /// Say what the items come to, and works that no account may know. One that stands under another
    /// contract by now is said there.
    pub(super) fn conclude(
        &self,
        contract: &Contract,
        accounts: &Accounts,
        settled: &Settled,
        works: &[Id],
        told: &mut Told,
    ) {
        let own = works.iter().map(|id| &**id);
        let ids: Vec<&str> = if settled.items.is_empty() {
            own.collect()
        } else {
            let all: BTreeSet<&str> = settled.items.iter().map(|item| work_id(item)).collect();
            all.into_iter()
                .chain(own)
                .collect::<BTreeSet<_>>()
                .into_iter()
                .collect()
        };
        for id in ids {
            let Some((id, gross)) = self.known.priced_as(id) else {
                // What is removed was said already.
                if !told.outcomes.contains_key(id) {
                    told.missing.insert(id.to_owned());
                }
                continue;
            };
            if gross.contract != contract.id {
                continue;
            }
            let parts = content::parts(contract, id, gross, Some(accounts), &settled.steps);
            told.outcomes.insert(Id::clone(id), parts);
        }
        let effects = settled.effects.iter().cloned();
        told.effects
            .extend(effects.map(|effect| (contract.id.clone(), effect)));
    }
}

/// What stands between a work's id and its tier in the name that accounts know it by. A work whose
/// own id holds it is told apart all the same, because the last one counts.
const TIER_MARK: char = '/';

/// An account knows each tier of a piece of work by itself: its rate is its own.
pub(super) fn ask_id(id: &str, part: &GrossPart) -> String {
    format!("{id}{TIER_MARK}{}", part.tier.words())
}

/// The work behind an ask, or the name itself where no account made it.
fn work_id(ask: &str) -> &str {
    match ask.rsplit_once(TIER_MARK) {
        Some((id, tier)) if crate::overtime::Tier::ALL.iter().any(|t| t.words() == tier) => id,
        Some(_) | None => ask,
    }
}

fn ask_ids(id: &str, gross: &Gross) -> BTreeSet<String> {
    gross.parts.iter().map(|part| ask_id(id, part)).collect()
}

fn asks_of(whole: &Whole<'_>, work: &Work, gross: &Gross) -> Vec<Ask> {
    gross
        .parts
        .iter()
        .filter(|part| part.billed && part.quantity != Micro::ZERO)
        .map(|part| Ask {
            item: ask_id(&work.id, part),
            contract: whole.is_part().then(|| whole.contract().id.clone()),
            kind: AskKind::Fees,
            quantity: part.quantity,
            rate: part.rate,
            work_date: gross.work_date,
            approved_at_micros: work.approved_us.unwrap_or_default(),
            source_id: work.id.clone(),
            line: None,
            purchase_order: None,
            task: Some(gross.task.clone()),
        })
        .collect()
}

//! The accounts of one contract in their order: an hour bank first, then the limits, then the
//! retainer. What a bank covers is asked of nobody else; what is over it, or what has no bank, has
//! to pass the limits; what may be billed is drawn from the retainer as far as it goes.

use super::slices::{one, over, together};
use super::whole::Whole;
use crate::account::ask::{Ask, Effect, Outcome, Slice, by_order};
use crate::account::hour_bank::HourBank;
use crate::account::limit::Limits;
use crate::account::milestone::Milestones;
use crate::account::refusal::Refusal;
use crate::account::retainer::Retainer;
use crate::account::{Account, Event, Terms};
use crate::explanation::{Explanation, Step};
use crate::overtime::Tier;
use crate::shared::SharedMap;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

/// The accounts of one contract; those it does not have are absent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub struct Accounts {
    /// The hour bank.
    pub hour_bank: Option<Account>,
    /// The limits.
    pub limits: Option<Account>,
    /// The retainer.
    pub retainer: Option<Account>,
    /// The milestones.
    pub milestones: Option<Account>,
    /// Where work stands whose quantities are worked out with the rest of its document.
    #[serde(default, skip_serializing_if = "SharedMap::is_empty")]
    pub(super) homes: SharedMap<String, String>,
}

/// What is asked for, by item.
type Asked<'k> = BTreeMap<&'k str, &'k Ask>;

/// What an event on the accounts did.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Settled {
    /// The items whose slices may have changed.
    pub items: BTreeSet<String>,
    /// Effects that are no slices: fees, top-ups, milestones, breakage, credits to be billed again.
    pub effects: Vec<Effect>,
    /// Why, for each item, in the order of the accounts.
    pub steps: BTreeMap<String, Vec<Step>>,
}

impl Accounts {
    /// Fresh accounts of a contract. The limits of one that is part of another are counted there.
    pub fn of(whole: &Whole<'_>) -> Result<Self, Refusal> {
        let contract = whole.contract();
        let printing = contract.printing();
        Ok(Self {
            hour_bank: contract
                .hour_bank
                .clone()
                .map(|terms| HourBank::new(printing, terms).map(Account::HourBank))
                .transpose()?,
            limits: (!whole.is_part() && whole.has_limits())
                .then(|| Limits::of_whole(printing, &whole.limits()).map(Account::Limits))
                .transpose()?,
            retainer: contract
                .retainer
                .clone()
                .map(|terms| Retainer::new(printing, terms).map(Account::Retainer))
                .transpose()?,
            milestones: contract
                .milestones
                .clone()
                .map(|terms| Milestones::new(printing, terms).map(Account::Milestones))
                .transpose()?,
            homes: SharedMap::default(),
        })
    }

    /// Whether they are kept by the terms that a contract has now.
    pub fn keep(&self, whole: &Whole<'_>) -> bool {
        let contract = whole.contract();
        let printing = contract.printing();
        let same = |account: &Option<Account>| match account {
            None => true,
            Some(account) => *account.printing() == printing,
        };
        let kept_here = !whole.is_part() && whole.has_limits();
        let limits = match &self.limits {
            Some(Account::Limits(limits)) => kept_here && limits.keeps(&whole.limits()),
            Some(_) | None => !kept_here,
        };
        let retainer = match &self.retainer {
            Some(Account::Retainer(retainer)) => Some(retainer.terms()),
            Some(_) | None => None,
        };
        let bank = match &self.hour_bank {
            Some(Account::HourBank(bank)) => Some(bank.terms()),
            Some(_) | None => None,
        };
        let milestones = match &self.milestones {
            Some(Account::Milestones(milestones)) => Some(milestones.terms()),
            Some(_) | None => None,
        };
        let all = [
            &self.limits,
            &self.retainer,
            &self.hour_bank,
            &self.milestones,
        ];
        all.into_iter().all(same)
            && limits
            && retainer == contract.retainer.as_ref()
            && bank == contract.hour_bank.as_ref()
            && milestones == contract.milestones.as_ref()
    }

    /// Whether there is anything that has to be kept.
    pub fn are_kept(&self) -> bool {
        self.asked_about_work() || self.milestones.is_some() || !self.homes.is_empty()
    }

    /// Whether work of the contract asks any account.
    pub const fn asked_about_work(&self) -> bool {
        self.hour_bank.is_some() || self.limits.is_some() || self.retainer.is_some()
    }

    /// Ask for items, all together; `gone` are items that ask for nothing any more. Of these, `moved`
    /// went to another part of the same whole: there they keep what the limits granted them.
    pub fn settle(
        &mut self,
        asks: &[Ask],
        gone: &BTreeSet<String>,
        moved: &BTreeSet<String>,
    ) -> Result<Settled, Refusal> {
        self.whole(|accounts| accounts.settle_all(asks, gone, moved))
    }

    /// All or nothing: a refusal of one account leaves all as they were.
    fn whole(
        &mut self,
        act: impl FnOnce(&mut Self) -> Result<Settled, Refusal>,
    ) -> Result<Settled, Refusal> {
        let mut next = self.clone();
        let settled = act(&mut next)?;
        *self = next;
        Ok(settled)
    }

    fn settle_all(
        &mut self,
        asks: &[Ask],
        gone: &BTreeSet<String>,
        moved: &BTreeSet<String>,
    ) -> Result<Settled, Refusal> {
        let mut settled = Settled::default();
        settled
            .items
            .extend(asks.iter().map(|ask| ask.item.clone()));
        settled.items.extend(gone.iter().cloned());
        let asked: Asked<'_> = asks.iter().map(|ask| (ask.item.as_str(), ask)).collect();
        if let Some(bank) = &mut self.hour_bank {
            let asks: Vec<&Ask> = asks.iter().collect();
            send(bank, asks, gone, &mut settled)?;
        }
        let mut asks = self.over_the_bank(&settled.items, &asked, gone);
        asks.1.retain(|item| !moved.contains(item));
        if let Some(limits) = &mut self.limits {
            let (asks, gone) = &asks;
            send(
                limits,
                asks.iter().map(AsRef::as_ref).collect(),
                gone,
                &mut settled,
            )?;
        }
        if self.retainer.is_none() {
            return Ok(settled);
        }
        let mut asks = self.past_the_limits(&settled.items, asks.0);
        asks.0.retain(|ask| !moved.contains(&ask.item));
        asks.1.extend(moved.iter().cloned());
        self.send_to_retainer(&asks, &mut settled)?;
        Ok(settled)
    }

    fn send_to_retainer(
        &mut self,
        (asks, gone): &(Vec<Cow<'_, Ask>>, BTreeSet<String>),
        settled: &mut Settled,
    ) -> Result<(), Refusal> {
        match &mut self.retainer {
            Some(retainer) => {
                let asks = asks.iter().map(AsRef::as_ref).collect();
                send(retainer, asks, gone, settled)
            }
            None => Ok(()),
        }
    }

    /// Let what the limits changed of items pass the retainer.
    pub(super) fn draw(&mut self, settled: &mut Settled) -> Result<(), Refusal> {
        if self.retainer.is_none() {
            return Ok(());
        }
        let asks = self.past_the_limits(&settled.items, Vec::new());
        self.send_to_retainer(&asks, settled)
    }

    /// Send any other event to the account it is for, and let what it changed pass those after it.
    pub fn tell(&mut self, event: &Event) -> Result<Settled, Refusal> {
        self.whole(|accounts| accounts.hear(event))
    }

    fn hear(&mut self, event: &Event) -> Result<Settled, Refusal> {
        let mut settled = Settled::default();
        let slot = match event {
            Event::Accept { .. } | Event::ReleaseRetention { .. } => &mut self.milestones,
            Event::Fund { .. } => &mut self.retainer,
            Event::OpenPeriod { .. } | Event::ClosePeriod { .. } => &mut self.hour_bank,
            Event::ReleaseHeld { .. } => &mut self.limits,
            Event::ChangeTerms { terms } => match terms {
                Terms::Limits(_) => &mut self.limits,
                Terms::Retainer(_) => &mut self.retainer,
                Terms::HourBank(_) => &mut self.hour_bank,
                Terms::Milestones(_) => &mut self.milestones,
            },
            Event::Reserve { asks } => {
                return self.settle(asks, &BTreeSet::new(), &BTreeSet::new());
            }
            Event::Withdraw { item } => {
                let gone = BTreeSet::from([item.clone()]);
                return self.settle(&[], &gone, &BTreeSet::new());
            }
            Event::Credit { .. } => return self.credit(event),
        };
        if let Event::ReleaseHeld { at_most: None } = event {
            return self.release_one_by_one();
        }
        let Some(account) = slot else {
            return Err(Refusal::WrongAccount {
                account: "a contract without that account",
                event: "an event of an account",
            });
        };
        take(account, event, &mut settled)?;
        let items = settled.items.clone();
        let (asks, gone) = self.over_the_bank(&items, &Asked::new(), &BTreeSet::new());
        if matches!(event, Event::OpenPeriod { .. } | Event::ClosePeriod { .. })
            && let Some(limits) = &mut self.limits
        {
            let asks = asks.iter().map(AsRef::as_ref).collect();
            send(limits, asks, &gone, &mut settled)?;
        }
        if !matches!(event, Event::Fund { .. }) && self.retainer.is_some() {
            let asks = self.past_the_limits(&settled.items, asks);
            self.send_to_retainer(&asks, &mut settled)?;
        }
        Ok(settled)
    }

    /// Release what waits, one entry after the other, so that each is told why it goes. One that
    /// cannot go may let others pass: then the next one is tried with it, until none goes.
    fn release_one_by_one(&mut self) -> Result<Settled, Refusal> {
        let mut all = Settled::default();
        let mut at_most = 1_u32;
        loop {
            let waiting = match &self.limits {
                Some(Account::Limits(limits)) => limits.waiting_count(),
                Some(_) | None => 0,
            };
            let event = Event::ReleaseHeld {
                at_most: Some(at_most),
            };
            let one = self.hear(&event)?;
            if one.items.is_empty() {
                if usize::try_from(at_most).map_or(true, |tried| tried >= waiting) {
                    return Ok(all);
                }
                at_most = at_most.saturating_add(1);
                continue;
            }
            all.items.extend(one.items);
            all.effects.extend(one.effects);
            for (item, steps) in one.steps {
                all.steps.entry(item).or_default().extend(steps);
            }
        }
    }

    /// Follow a change order: the terms as they are now. An account that the contract has no more
    /// is gone with what it counted, one that it has now begins.
    pub(super) fn follow(&mut self, whole: &Whole<'_>) -> Result<Settled, Refusal> {
        let contract = whole.contract();
        let mut settled = Settled::default();
        if whole.is_part() {
            self.counts_nothing_alone(whole)?;
        }
        let fresh = Self::of(whole)?;
        let slots = [
            (
                &mut self.hour_bank,
                fresh.hour_bank,
                contract.hour_bank.clone().map(Terms::HourBank),
            ),
            (
                &mut self.limits,
                fresh.limits,
                Some(Terms::Limits(whole.limits())),
            ),
            (
                &mut self.retainer,
                fresh.retainer,
                contract.retainer.clone().map(Terms::Retainer),
            ),
            (
                &mut self.milestones,
                fresh.milestones,
                contract.milestones.clone().map(Terms::Milestones),
            ),
        ];
        for (slot, fresh, terms) in slots {
            match (slot.as_mut(), fresh, terms) {
                (Some(account), Some(_), Some(terms)) => {
                    account.set_printing(contract.printing())?;
                    take(account, &Event::ChangeTerms { terms }, &mut settled)?;
                }
                (_, fresh, _) => *slot = fresh,
            }
        }
        Ok(settled)
    }

    /// A credit goes to every account that knows the item.
    fn credit(&mut self, event: &Event) -> Result<Settled, Refusal> {
        let mut settled = Settled::default();
        let Event::Credit { item, .. } = event else {
            return Ok(settled);
        };
        let mut known = false;
        for account in [&mut self.hour_bank, &mut self.limits, &mut self.retainer]
            .into_iter()
            .flatten()
        {
            if knows(account, item) {
                known = true;
                take(account, event, &mut settled)?;
            }
        }
        if known {
            settled.items.insert(item.clone());
        }
        Ok(settled)
    }

    /// What has to pass the limits: overage of a bank, or everything where there is none. What is
    /// gone asks for nothing, whatever the limits know of it.
    fn over_the_bank<'k>(
        &self,
        items: &BTreeSet<String>,
        asked: &Asked<'k>,
        withdrawn: &BTreeSet<String>,
    ) -> (Vec<Cow<'k, Ask>>, BTreeSet<String>) {
        let mut asks = Vec::new();
        let mut gone = BTreeSet::new();
        for item in items {
            match &self.hour_bank {
                None => {
                    let known = || {
                        let still = !withdrawn.contains(item);
                        still.then(|| self.known_ask(item)).flatten()
                    };
                    let asked = asked.get(item.as_str()).copied().map(Cow::Borrowed);
                    match asked.or_else(|| known().map(Cow::Owned)) {
                        Some(ask) => asks.push(ask),
                        None => {
                            gone.insert(item.clone());
                        }
                    }
                }
                Some(Account::HourBank(bank)) => {
                    let over = bank
                        .parts_of(item)
                        .ok()
                        .and_then(|slices| one(&slices, Outcome::Overage));
                    match (over, bank.record(item)) {
                        (Some(slice), Some(record)) => asks.push(Cow::Owned(Ask {
                            quantity: slice.quantity,
                            rate: slice.rate,
                            ..record.ask.clone()
                        })),
                        _ => {
                            gone.insert(item.clone());
                        }
                    }
                }
                Some(_) => {}
            }
        }
        (asks, gone)
    }

    /// The ask of an item as the limits or the retainer know it.
    fn known_ask(&self, item: &str) -> Option<Ask> {
        match (&self.limits, &self.retainer) {
            (Some(Account::Limits(limits)), _) => limits.record(item).map(|r| r.ask.clone()),
            (_, Some(Account::Retainer(retainer))) => {
                retainer.drawing(item).map(|drawing| drawing.ask.clone())
            }
            _ => None,
        }
    }

    /// What may be billed of the items, for the retainer.
    fn past_the_limits<'k>(
        &self,
        items: &BTreeSet<String>,
        asks: Vec<Cow<'k, Ask>>,
    ) -> (Vec<Cow<'k, Ask>>, BTreeSet<String>) {
        let Some(Account::Limits(limits)) = &self.limits else {
            let asked: BTreeSet<&str> = asks.iter().map(|ask| ask.item.as_str()).collect();
            let gone = items.iter().filter(|item| !asked.contains(item.as_str()));
            let gone = gone.cloned().collect();
            return (asks, gone);
        };
        let mut past = Vec::new();
        let mut gone = BTreeSet::new();
        for item in items {
            let billed = limits
                .record(item)
                .and_then(|record| Some((record, one(&record.slices, Outcome::Billed)?)));
            match billed {
                Some((record, slice)) => past.push(Cow::Owned(Ask {
                    quantity: slice.quantity,
                    rate: slice.rate,
                    ..record.ask.clone()
                })),
                None => {
                    gone.insert(item.clone());
                }
            }
        }
        (past, gone)
    }

    /// The parts of an item with their outcomes, as all accounts together leave it.
    pub fn slices(&self, item: &str) -> Vec<Slice> {
        let mut parts: Vec<Slice> = Vec::new();
        if let Some(Account::HourBank(bank)) = &self.hour_bank {
            parts.extend(bank.parts_of(item).unwrap_or_default());
        }
        if let Some(Account::Limits(limits)) = &self.limits {
            let own = limits.record(item).map(|record| record.slices.clone());
            parts = over(parts, own.unwrap_or_default(), Outcome::Overage);
        }
        if let Some(Account::Retainer(retainer)) = &self.retainer {
            let own = retainer.drawing(item).map(|drawing| drawing.slices.clone());
            let outcome = if parts.iter().any(|slice| slice.outcome == Outcome::Billed) {
                Outcome::Billed
            } else {
                Outcome::Overage
            };
            parts = over(parts, own.unwrap_or_default(), outcome);
        }
        together(parts)
    }
}

impl Accounts {
    /// Whether any of them was asked for an item.
    pub(super) fn knows(&self, item: &str) -> bool {
        let all = [&self.hour_bank, &self.limits, &self.retainer];
        let mut all = all.into_iter().flatten();
        all.any(|account| knows(account, item))
    }
}

/// The place of an ask's tier among the tiers.
fn tier_of(item: &str) -> usize {
    let name = item.rsplit_once('/').map_or("", |(_, tier)| tier);
    let place = Tier::ALL.iter().position(|tier| tier.words() == name);
    place.unwrap_or_default()
}

fn knows(account: &Account, item: &str) -> bool {
    match account {
        Account::HourBank(bank) => bank.record(item).is_some(),
        Account::Limits(limits) => limits.record(item).is_some(),
        Account::Retainer(retainer) => retainer.drawing(item).is_some(),
        Account::Milestones(_) => false,
    }
}

fn send(
    account: &mut Account,
    mut asks: Vec<&Ask>,
    gone: &BTreeSet<String>,
    settled: &mut Settled,
) -> Result<(), Refusal> {
    for item in gone {
        if knows(account, item) {
            take(account, &Event::Withdraw { item: item.clone() }, settled)?;
        }
    }
    // One after the other in the order of a batch, so that each is told what it was granted and why.
    // The tiers of one piece of work go from straight to double time, as they were worked.
    asks.sort_by_cached_key(|ask| tier_of(&ask.item));
    asks.sort_by(|one, other| by_order(one, other));
    for ask in asks {
        let mut why = Explanation::default();
        let effects = account.hear_ask(ask, &mut why)?;
        tell(Some(&ask.item), effects, &why.steps, settled);
    }
    Ok(())
}

fn take(account: &mut Account, event: &Event, settled: &mut Settled) -> Result<(), Refusal> {
    let mut why = Explanation::default();
    let effects = account.hear(event, &mut why)?;
    let own = match event {
        Event::Reserve { asks } => asks.first().map(|ask| &ask.item),
        Event::Withdraw { item } | Event::Credit { item, .. } => Some(item),
        Event::ReleaseHeld { .. }
        | Event::ChangeTerms { .. }
        | Event::Fund { .. }
        | Event::OpenPeriod { .. }
        | Event::ClosePeriod { .. }
        | Event::Accept { .. }
        | Event::ReleaseRetention { .. } => None,
    };
    tell(own, effects, &why.steps, settled);
    Ok(())
}

/// Note what an event did: to the item that it names, and to all that it changed.
fn tell(own: Option<&String>, effects: Vec<Effect>, steps: &[Step], settled: &mut Settled) {
    let changed = effects.iter().filter_map(|effect| match effect {
        Effect::Change { item, .. } | Effect::Rebill { item, .. } => Some(item),
        Effect::TopUp { .. }
        | Effect::Fee { .. }
        | Effect::Breakage { .. }
        | Effect::Milestone { .. }
        | Effect::Withheld { .. } => None,
    });
    let told: BTreeSet<&String> = own.into_iter().chain(changed).collect();
    for item in told {
        let told = settled.steps.entry(item.clone()).or_default();
        told.extend(steps.iter().cloned());
    }
    for effect in effects {
        match &effect {
            Effect::Change { item, .. } => {
                if !settled.items.contains(item) {
                    settled.items.insert(item.clone());
                }
            }
            Effect::Rebill { item, .. } => {
                settled.items.insert(item.clone());
                settled.effects.push(effect);
            }
            Effect::TopUp { .. }
            | Effect::Fee { .. }
            | Effect::Breakage { .. }
            | Effect::Milestone { .. }
            | Effect::Withheld { .. } => settled.effects.push(effect),
        }
    }
}

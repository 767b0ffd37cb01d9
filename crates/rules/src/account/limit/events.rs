//! The events of the limits' account.

use super::grant::Standing;
use super::{HeldBy, Limits, Record, WholeTerms};
use crate::account::ask::{Ask, Effect, Outcome, in_order};
use crate::account::claim::Claim;
use crate::account::cut::{
    amount, changes, credit_slices, joined, less, minus, money, more, net_of, plus, quantity_of,
    slice, take_back, whole, words,
};
use crate::account::refusal::Refusal;
use crate::explanation::Explanation;
use domain::contract::accounts::limit::LimitPolicy;
use domain::decimal::Micro;
use std::collections::BTreeSet;

impl Limits {
    /// One batch, in the order of work date, approval time and source id.
    pub(in crate::account) fn reserve(
        &mut self,
        asks: &[Ask],
        why: &mut Explanation,
    ) -> Result<Vec<Effect>, Refusal> {
        let mut effects = Vec::new();
        for ask in in_order(asks) {
            ask.check()?;
            if let Some(part) = ask.contract.as_ref().filter(|part| !self.has_part(part)) {
                return Err(Refusal::NoPart { part: part.clone() });
            }
            effects.extend(self.reserve_one(ask, why)?);
        }
        Ok(effects)
    }

    fn reserve_one(&mut self, ask: &Ask, why: &mut Explanation) -> Result<Vec<Effect>, Refusal> {
        let old = self.items.remove(&ask.item);
        let mut record = Record {
            ask: ask.clone(),
            claim: old.as_ref().map_or_else(Claim::default, |o| o.claim),
            slices: old.as_ref().map_or_else(Vec::new, |o| o.slices.clone()),
            held_by: old.as_ref().and_then(|o| o.held_by.clone()),
            arrival: match &old {
                Some(old) => old.arrival,
                None => self.items.next_arrival(),
            },
        };
        let before = record.slices.clone();
        record.claim.asked = ask.quantity;
        if let Some(old) = &old {
            self.count(old, -1)?;
        }
        match old {
            Some(old) if self.same_terms(&old.ask, ask) => self.resize(&mut record, why)?,
            Some(old) => self.regrant(&mut record, &old, why)?,
            None => self.regrant_new(&mut record, why)?,
        }
        self.join(&mut record, why)?;
        let effects = changes(self.printing_of(ask), &ask.item, &before, &record.slices)?;
        self.put(record)?;
        Ok(effects)
    }

    /// What was granted bit by bit is one quantity on the line. Its amount may be a coin more than the
    /// amounts of the bits: not where a limit has no room for it. The totals do not hold the entry.
    fn join(&self, record: &mut Record, why: &mut Explanation) -> Result<(), Refusal> {
        let Some(all) = joined(self.printing_of(&record.ask), &record.slices)? else {
            return Ok(());
        };
        let before = net_of(&record.slices, Outcome::Billed)?;
        let now = net_of(&all, Outcome::Billed)?;
        if now > before {
            for limit in self.levels(&record.ask).0 {
                if plus(self.minor(&limit.id), now)? > self.most(limit)? {
                    return Ok(());
                }
            }
        }
        if now != before {
            let each = words(&record.slices).to_string();
            why.step(
                "one line",
                format_args!("{each}, one after the other"),
                words(&all),
            );
        }
        record.slices = all;
        Ok(())
    }

    fn put(&mut self, record: Record) -> Result<(), Refusal> {
        self.count(&record, 1)?;
        self.items.insert(record);
        Ok(())
    }

    /// Whether two asks are priced alike and are under the same limits.
    fn same_terms(&self, one: &Ask, other: &Ask) -> bool {
        let levels = |ask| {
            let (levels, uncovered) = self.levels(ask);
            let ids: Vec<String> = levels.iter().map(|l| l.id.clone()).collect();
            (ids, uncovered)
        };
        one.rate == other.rate
            && one.kind == other.kind
            && one.contract == other.contract
            && levels(one) == levels(other)
    }

    /// The limits under `hold` at which somebody waits whom nobody may pass.
    fn waiting(&self) -> BTreeSet<String> {
        let closed = |id: &str| {
            self.terms
                .iter()
                .any(|l| l.id == id && l.policy == LimitPolicy::Hold && !l.pass)
        };
        if !self
            .terms
            .iter()
            .any(|l| l.policy == LimitPolicy::Hold && !l.pass)
        {
            return BTreeSet::new();
        }
        self.items
            .waiting()
            .filter_map(|record| match &record.held_by {
                Some(HeldBy::Limit(id)) if closed(id) => Some(id.clone()),
                _ => None,
            })
            .collect()
    }

    fn regrant_new(&self, record: &mut Record, why: &mut Explanation) -> Result<(), Refusal> {
        let standing = Standing {
            waits: self.waiting(),
            ..Standing::default()
        };
        let quantity = record.claim.live()?;
        let granted = self.grant(&record.ask, quantity, &standing, why)?;
        record.slices = granted.slices;
        record.held_by = granted.held_by;
        Ok(())
    }

    /// Other rate, kind or limits: grant anew, with what it had before as its own.
    fn regrant(
        &self,
        record: &mut Record,
        old: &Record,
        why: &mut Explanation,
    ) -> Result<(), Refusal> {
        let had = net_of(&old.slices, Outcome::Billed)?;
        let own = self.levels(&old.ask).0;
        let standing = Standing {
            own_minor: own.iter().map(|limit| (limit.id.clone(), had)).collect(),
            waits: self.waiting(),
        };
        why.step(
            "changed entry",
            format_args!("had {} at {}", words(&old.slices), old.ask.rate),
            format_args!(
                "asks anew at {}, and keeps its own capacity",
                record.ask.rate
            ),
        );
        let quantity = record.claim.live()?;
        let granted = self.grant(&record.ask, quantity, &standing, why)?;
        record.slices = granted.slices;
        record.held_by = granted.held_by;
        Ok(())
    }

    /// Same rate and limits: keep what was granted, and ask for the difference or give it back.
    fn resize(&mut self, record: &mut Record, why: &mut Explanation) -> Result<(), Refusal> {
        let (has, wants) = (whole(&record.slices)?, record.claim.live()?);
        if wants < has {
            let back = less(has, wants)?;
            let before = words(&record.slices).to_string();
            take_back(self.printing_of(&record.ask), &mut record.slices, back)?;
            why.step(
                "changed entry",
                format_args!("had {before}, gives {back} back, last granted first"),
                words(&record.slices),
            );
        } else if wants > has {
            self.grow(record, less(wants, has)?, why)?;
        }
        if quantity_of(&record.slices, Outcome::Held)? == Micro::ZERO {
            record.held_by = None;
        }
        Ok(())
    }

    fn grow(
        &mut self,
        record: &mut Record,
        by: Micro,
        why: &mut Explanation,
    ) -> Result<(), Refusal> {
        let held = quantity_of(&record.slices, Outcome::Held)?;
        if held != Micro::ZERO {
            record.slices.retain(|part| part.outcome != Outcome::Held);
            let all = more(held, by)?;
            let printing = self.printing_of(&record.ask);
            let waiting = slice(printing, Outcome::Held, all, record.ask.rate)?;
            why.step(
                "changed entry",
                format_args!("asks for {by} more, and {held} of it wait already"),
                words(std::slice::from_ref(&waiting)),
            );
            record.slices.push(waiting);
            return Ok(());
        }
        // What it keeps counts while the difference is asked for.
        self.count(record, 1)?;
        let standing = Standing {
            waits: self.waiting(),
            ..Standing::default()
        };
        let granted = self.grant(&record.ask, by, &standing, why);
        self.count(record, -1)?;
        let granted = granted?;
        record.slices.extend(granted.slices);
        record.held_by = granted.held_by;
        Ok(())
    }

    /// Give all of an item back. What final credits took of it stays known.
    pub(in crate::account) fn withdraw(
        &mut self,
        item: &str,
        why: &mut Explanation,
    ) -> Result<Vec<Effect>, Refusal> {
        let Some(mut record) = self.items.remove(item) else {
            return Ok(Vec::new());
        };
        self.count(&record, -1)?;
        let effects = changes(self.printing_of(&record.ask), item, &record.slices, &[])?;
        why.step(
            "withdrawn",
            words(&record.slices),
            "its capacity is free again",
        );
        if record.claim.has_credit() {
            record.slices.clear();
            record.held_by = None;
            record.claim.asked = Micro::ZERO;
            self.put(record)?;
        }
        Ok(effects)
    }

    /// A credit of something billed. A final one frees its capacity and takes the hours out for
    /// good; one that will be billed again keeps the capacity reserved.
    pub(in crate::account) fn credit(
        &mut self,
        item: &str,
        quantity: Micro,
        rebill: bool,
        why: &mut Explanation,
    ) -> Result<Vec<Effect>, Refusal> {
        let billed = self.items.get(item).map_or(Ok(Micro::ZERO), |record| {
            quantity_of(&record.slices, Outcome::Billed)
        })?;
        Claim::check_credit(item, quantity, billed)?;
        if quantity == Micro::ZERO {
            return Ok(Vec::new());
        }
        let Some(mut record) = self.items.remove(item) else {
            return Ok(Vec::new());
        };
        if rebill {
            let amount = amount(self.printing_of(&record.ask), quantity, record.ask.rate)?;
            why.step(
                "credit, to be billed again",
                format_args!("{quantity} x {} = {amount}", record.ask.rate),
                "its capacity stays reserved",
            );
            self.items.insert(record);
            let item = item.to_owned();
            return Ok(vec![Effect::Rebill {
                item,
                quantity,
                amount,
            }]);
        }
        self.count(&record, -1)?;
        let before = record.slices.clone();
        let printing = self.printing_of(&record.ask);
        credit_slices(printing, &mut record.slices, quantity, &[Outcome::Billed])?;
        record.claim = record.claim.credited_down_to(whole(&record.slices)?)?;
        let effects = changes(printing, item, &before, &record.slices)?;
        why.step(
            "final credit",
            format_args!("{} credited of {}", quantity, words(&before)),
            format_args!("{}; its capacity is free again", words(&record.slices)),
        );
        self.put(record)?;
        Ok(effects)
    }

    /// Grant what waits, in the order of arrival. A limit at which an entry stays held stops there,
    /// unless it lets others pass.
    pub(in crate::account) fn release(
        &mut self,
        at_most: Option<u32>,
        why: &mut Explanation,
    ) -> Result<Vec<Effect>, Refusal> {
        let waiting = self.items.waiting_items();
        let (mut effects, mut stopped, mut tried) = (Vec::new(), BTreeSet::new(), 0_u32);
        for (_, item) in &waiting {
            if at_most.is_some_and(|most| tried >= most) {
                break;
            }
            let Some(mut record) = self.items.remove(item) else {
                continue;
            };
            let blocked = self
                .levels(&record.ask)
                .0
                .iter()
                .any(|l| stopped.contains(&l.id));
            if blocked {
                self.items.insert(record);
                continue;
            }
            tried = tried.saturating_add(1);
            let old = record.clone();
            let held = quantity_of(&old.slices, Outcome::Held)?;
            record.slices.retain(|part| part.outcome != Outcome::Held);
            // The totals hold what it was granted before; only what waits is asked for.
            let granted = self.grant(&record.ask, held, &Standing::default(), why)?;
            record.slices.extend(granted.slices);
            record.held_by = granted.held_by;
            if let Some(HeldBy::Limit(id)) = &record.held_by
                && self.terms.iter().any(|l| l.id == *id && !l.pass)
            {
                stopped.insert(id.clone());
            }
            self.count(&old, -1)?;
            self.join(&mut record, why)?;
            let printing = self.printing_of(&record.ask);
            effects.extend(changes(printing, item, &old.slices, &record.slices)?);
            self.put(record)?;
        }
        Ok(effects)
    }

    /// A change order. Refused if more is billed already than a new cap allows, and if a part goes
    /// that entries were counted for.
    pub(in crate::account) fn change_terms(
        &mut self,
        terms: &WholeTerms,
        why: &mut Explanation,
    ) -> Result<Vec<Effect>, Refusal> {
        let (terms, parts) = terms.joined(&self.printing)?;
        let old = std::mem::replace(&mut self.terms, terms);
        self.parts = parts;
        for part in self.items.values().filter_map(|r| r.ask.contract.as_ref()) {
            if !self.has_part(part) {
                return Err(Refusal::PartLeaves { part: part.clone() });
            }
        }
        self.used_minor = self.counted()?;
        for limit in &self.terms {
            let minor = |key, value| self.printing.money(&limit.id, key, value);
            let cap = minor("amount", limit.amount)?.amount_minor;
            let most = plus(cap, minor("tolerance", limit.tolerance)?.amount_minor)?;
            let used = self.minor(&limit.id);
            if used > most {
                return Err(Refusal::CapBelowUsed {
                    limit: limit.id.clone(),
                    billed: money(&self.printing, used),
                    cap: money(&self.printing, most),
                    over: money(&self.printing, minus(used, most)?),
                });
            }
            let before = old.iter().find(|o| o.id == limit.id);
            let before = before.map_or_else(|| "new".to_owned(), |o| o.amount.to_string());
            why.step(
                format_args!("change order, limit {}", limit.id),
                format_args!("was {before}, used {}", money(&self.printing, used)),
                format_args!("{}, left {}", limit.amount, self.left(limit)?),
            );
        }
        Ok(Vec::new())
    }
}

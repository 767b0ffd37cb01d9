//! A money retainer: money paid ahead, drawn at the contract's rate until it is used up.
//!
//! What can be drawn is what was paid or invoiced, as the contract says. An entry draws what fits and
//! the rest is billed; money that comes later does not turn billed work into drawn work. The balance
//! is never negative. An event reads the records that it names and the totals, so a store may keep
//! records as rows.

use super::ask::{Ask, Effect, Outcome, Slice, in_order};
use super::claim::Claim;
use super::cut::{
    amount, changes, credit_slices, fitting, joined, less, minus, money, net_of, plus, slice,
    take_back, whole, words,
};
use super::refusal::Refusal;
use crate::explanation::Explanation;
use crate::shared::SharedMap;
use domain::contract::accounts::Printing;
use domain::contract::accounts::retainer::{RetainerTerms, Usable};
use domain::decimal::Micro;
use domain::money::Money;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// How far a funding has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FundingStage {
    /// Invoiced.
    Invoiced,
    /// Paid.
    Paid,
}

/// Money put into the retainer: what was invoiced and paid of it so far, in minor units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub struct Funding {
    /// Invoiced so far.
    pub invoiced_minor: i64,
    /// Paid so far.
    pub paid_minor: i64,
}

/// What one entry drew.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Drawing {
    /// The ask as it stands.
    pub ask: Ask,
    /// Asked quantity and final credits.
    pub claim: Claim,
    /// Its parts, in the order of use.
    pub slices: Vec<Slice>,
}

/// The account of one retainer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Retainer {
    /// How the contract prints.
    pub printing: Printing,
    terms: RetainerTerms,
    fundings: BTreeMap<String, Funding>,
    /// Drawn by all entries, in minor units.
    drawn_minor: i64,
    items: SharedMap<String, Drawing>,
    /// Top-ups that were asked for, in order, with their amounts in minor units.
    top_ups: Vec<(String, i64)>,
}

impl Retainer {
    /// A retainer without money.
    pub fn new(printing: Printing, terms: RetainerTerms) -> Result<Self, Refusal> {
        terms.check(&printing)?;
        Ok(Self {
            printing,
            terms,
            fundings: BTreeMap::new(),
            drawn_minor: 0,
            items: SharedMap::default(),
            top_ups: Vec::new(),
        })
    }

    /// The terms.
    pub const fn terms(&self) -> &RetainerTerms {
        &self.terms
    }

    /// What one entry drew.
    pub fn drawing(&self, item: &str) -> Option<&Drawing> {
        self.items.get(item)
    }

    /// All entries, by item.
    pub fn drawings(&self) -> impl Iterator<Item = (&str, &Drawing)> {
        self.items
            .iter()
            .map(|(item, drawing)| (item.as_str(), drawing))
    }

    /// The top-ups that were asked for, in order: id and amount.
    pub fn asked(&self) -> impl Iterator<Item = (&str, Money)> {
        let asked = self.top_ups.iter();
        asked.map(|(id, minor)| (id.as_str(), money(&self.printing, *minor)))
    }

    const fn usable_of(&self, funding: &Funding) -> i64 {
        match self.terms.usable {
            Usable::Paid => funding.paid_minor,
            Usable::Invoiced => funding.invoiced_minor,
        }
    }

    fn usable_minor(&self) -> Result<i64, Refusal> {
        self.fundings
            .values()
            .try_fold(0, |sum, funding| plus(sum, self.usable_of(funding)))
    }

    /// All that was ever usable.
    pub fn usable(&self) -> Result<Money, Refusal> {
        self.usable_minor()
            .map(|minor| money(&self.printing, minor))
    }

    /// What may still be drawn.
    pub fn balance(&self) -> Result<Money, Refusal> {
        self.balance_minor()
            .map(|minor| money(&self.printing, minor))
    }

    fn balance_minor(&self) -> Result<i64, Refusal> {
        minus(self.usable_minor()?, self.drawn_minor)
    }

    /// One batch, in the order of work date, approval time and source id.
    pub(super) fn reserve(
        &mut self,
        asks: &[Ask],
        why: &mut Explanation,
    ) -> Result<Vec<Effect>, Refusal> {
        let mut effects = Vec::new();
        for ask in in_order(asks) {
            ask.check()?;
            effects.extend(self.reserve_one(ask, why)?);
        }
        Ok(effects)
    }

    fn reserve_one(&mut self, ask: &Ask, why: &mut Explanation) -> Result<Vec<Effect>, Refusal> {
        let old = self.items.get(&ask.item);
        let same_rate = old.is_none_or(|old| old.ask.rate == ask.rate);
        let mut drawing = Drawing {
            ask: ask.clone(),
            claim: old.map_or_else(Claim::default, |old| old.claim),
            slices: old.map_or_else(Vec::new, |old| old.slices.clone()),
        };
        let before = drawing.slices.clone();
        drawing.claim.asked = ask.quantity;
        self.drawn_minor = minus(self.drawn_minor, net_of(&before, Outcome::Drawn)?)?;
        if !same_rate {
            // Priced anew, with what it had drawn as its own: nobody else can have taken it.
            drawing.slices.clear();
        }
        let (has, wants) = (whole(&drawing.slices)?, drawing.claim.live()?);
        let kept = net_of(&drawing.slices, Outcome::Drawn)?;
        let room = minus(self.balance_minor()?, kept)?;
        if wants < has {
            take_back(&self.printing, &mut drawing.slices, less(has, wants)?)?;
        } else {
            let more = self.draw(less(wants, has)?, ask.rate, room)?;
            drawing.slices.extend(more);
        }
        if let Some(all) = joined(&self.printing, &drawing.slices)?
            && net_of(&all, Outcome::Drawn)? <= kept.max(self.balance_minor()?)
        {
            drawing.slices = all;
        }
        self.explain(ask, room, &before, &drawing.slices, why);
        let effects = changes(&self.printing, &ask.item, &before, &drawing.slices)?;
        self.put(drawing)?;
        Ok(effects)
    }

    fn put(&mut self, drawing: Drawing) -> Result<(), Refusal> {
        let drawn = net_of(&drawing.slices, Outcome::Drawn)?;
        self.drawn_minor = plus(self.drawn_minor, drawn)?;
        self.items.insert_mut(drawing.ask.item.clone(), drawing);
        Ok(())
    }

    /// Draw what fits; the rest is billed.
    fn draw(&self, quantity: Micro, rate: Micro, room: i64) -> Result<Vec<Slice>, Refusal> {
        let whole = amount(&self.printing, quantity, rate)?.amount_minor;
        let drawn = if whole <= room {
            quantity
        } else {
            fitting(&self.printing, quantity, rate, room)?
        };
        let parts = [
            (Outcome::Drawn, drawn),
            (Outcome::Billed, less(quantity, drawn)?),
        ];
        parts
            .into_iter()
            .filter(|(_, part)| *part != Micro::ZERO)
            .map(|(outcome, part)| slice(&self.printing, outcome, part, rate))
            .collect()
    }

    fn explain(
        &self,
        ask: &Ask,
        room: i64,
        before: &[Slice],
        after: &[Slice],
        why: &mut Explanation,
    ) {
        let had = Had(before);
        why.step(
            format_args!("retainer {}", self.terms.id),
            format_args!(
                "can be drawn {}, asked {} x {}{had}",
                money(&self.printing, room),
                ask.quantity,
                ask.rate
            ),
            words(after),
        );
    }

    /// Give all of an item back. What final credits took of it stays known.
    pub(super) fn withdraw(
        &mut self,
        item: &str,
        why: &mut Explanation,
    ) -> Result<Vec<Effect>, Refusal> {
        let Some(mut drawing) = self.items.get(item).cloned() else {
            return Ok(Vec::new());
        };
        self.items.remove_mut(item);
        let drawn = net_of(&drawing.slices, Outcome::Drawn)?;
        self.drawn_minor = minus(self.drawn_minor, drawn)?;
        why.step(
            "withdrawn",
            words(&drawing.slices),
            format_args!("balance {}", self.balance()?),
        );
        let effects = changes(&self.printing, item, &drawing.slices, &[])?;
        if drawing.claim.has_credit() {
            drawing.slices.clear();
            drawing.claim.asked = Micro::ZERO;
            self.put(drawing)?;
        }
        Ok(effects)
    }

    /// A credit, in reverse order of use: billed first, then drawn. A final one gives drawn money
    /// back to the balance; one that will be billed again keeps it drawn.
    pub(super) fn credit(
        &mut self,
        item: &str,
        quantity: Micro,
        rebill: bool,
        why: &mut Explanation,
    ) -> Result<Vec<Effect>, Refusal> {
        let old = self.items.get(item).cloned();
        let there = old
            .as_ref()
            .map_or(Ok(Micro::ZERO), |old| whole(&old.slices))?;
        Claim::check_credit(item, quantity, there)?;
        let Some(mut drawing) = old.filter(|_| quantity != Micro::ZERO) else {
            return Ok(Vec::new());
        };
        if rebill {
            let amount = amount(&self.printing, quantity, drawing.ask.rate)?;
            why.step(
                "credit, to be billed again",
                format_args!("{quantity} x {} = {amount}", drawing.ask.rate),
                "what it drew stays drawn",
            );
            let item = item.to_owned();
            return Ok(vec![Effect::Rebill {
                item,
                quantity,
                amount,
            }]);
        }
        let before = drawing.slices.clone();
        self.drawn_minor = minus(self.drawn_minor, net_of(&before, Outcome::Drawn)?)?;
        let either = [Outcome::Drawn, Outcome::Billed];
        credit_slices(&self.printing, &mut drawing.slices, quantity, &either)?;
        drawing.claim = drawing.claim.credited_down_to(whole(&drawing.slices)?)?;
        why.step(
            "final credit",
            format_args!("{quantity} credited of {}", words(&before)),
            words(&drawing.slices),
        );
        let effects = changes(&self.printing, item, &before, &drawing.slices)?;
        self.put(drawing)?;
        Ok(effects)
    }

    /// What was invoiced or paid of a funding so far. The latest amount counts.
    pub(super) fn fund(
        &mut self,
        id: &str,
        stage: FundingStage,
        amount: Money,
        why: &mut Explanation,
    ) -> Result<Vec<Effect>, Refusal> {
        self.check_funding(id, amount)?;
        let before = self.balance()?;
        let funding = self.fundings.entry(id.to_owned()).or_default();
        match stage {
            FundingStage::Invoiced => funding.invoiced_minor = amount.amount_minor,
            FundingStage::Paid => funding.paid_minor = amount.amount_minor,
        }
        let usable = self.usable()?;
        if usable.amount_minor < self.drawn_minor {
            return Err(Refusal::FundingBelowDrawn {
                retainer: self.terms.id.clone(),
                funding: id.to_owned(),
                amount,
                usable,
                drawn: money(&self.printing, self.drawn_minor),
            });
        }
        let done = match stage {
            FundingStage::Invoiced => "invoiced",
            FundingStage::Paid => "paid",
        };
        why.step(
            format_args!("retainer {}, funding {id}", self.terms.id),
            format_args!("{amount} {done} so far, balance before {before}"),
            format_args!("balance {}", self.balance()?),
        );
        Ok(Vec::new())
    }

    fn check_funding(&self, id: &str, amount: Money) -> Result<(), Refusal> {
        if amount.currency != self.printing.currency {
            return Err(Refusal::FundingCurrency {
                funding: id.to_owned(),
                amount,
                currency: self.printing.currency,
            });
        }
        if amount.amount_minor < 0 {
            return Err(Refusal::FundingNegative {
                funding: id.to_owned(),
                amount,
            });
        }
        Ok(())
    }

    /// A change order.
    pub(super) fn change_terms(
        &mut self,
        terms: &RetainerTerms,
        why: &mut Explanation,
    ) -> Result<Vec<Effect>, Refusal> {
        terms.check(&self.printing)?;
        self.terms = terms.clone();
        let usable = self.usable()?;
        if usable.amount_minor < self.drawn_minor {
            return Err(Refusal::FundingBelowDrawn {
                retainer: self.terms.id.clone(),
                funding: "all".to_owned(),
                amount: usable,
                usable,
                drawn: money(&self.printing, self.drawn_minor),
            });
        }
        why.step(
            format_args!("change order, retainer {}", self.terms.id),
            "new terms",
            format_args!("balance {}", self.balance()?),
        );
        Ok(Vec::new())
    }

    /// What top-ups that were asked for will still bring, in minor units.
    fn coming_minor(&self) -> Result<i64, Refusal> {
        self.top_ups.iter().try_fold(0, |sum, (id, asked)| {
            let there = self.fundings.get(id).map_or(0, |f| self.usable_of(f));
            plus(sum, minus(*asked, there)?.max(0))
        })
    }

    /// Ask for a top-up to the target if balance and top-ups on their way are below the threshold.
    pub(super) fn fill_up(&mut self, why: &mut Explanation) -> Result<Option<Effect>, Refusal> {
        let Some(evergreen) = self.terms.evergreen else {
            return Ok(None);
        };
        let minor = |key, value| self.printing.money(&self.terms.id, key, value);
        let threshold = minor("threshold", evergreen.threshold)?;
        let target = minor("target", evergreen.target)?;
        let (balance, coming) = (self.balance_minor()?, self.coming_minor()?);
        let there = plus(balance, coming)?;
        if there >= threshold.amount_minor {
            return Ok(None);
        }
        let amount = money(&self.printing, minus(target.amount_minor, there)?);
        let id = format!("top-up {}", self.top_ups.len().saturating_add(1));
        why.step(
            format_args!("retainer {} is filled up", self.terms.id),
            format_args!(
                "balance {}, on its way {}, below {threshold}; target {target}",
                money(&self.printing, balance),
                money(&self.printing, coming)
            ),
            format_args!("{id} of {amount} is to be invoiced"),
        );
        self.top_ups.push((id.clone(), amount.amount_minor));
        Ok(Some(Effect::TopUp { id, amount }))
    }
}

/// What an item had before, if anything.
struct Had<'a>(&'a [Slice]);

impl fmt::Display for Had<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return Ok(());
        }
        write!(f, ", had {}", words(self.0))
    }
}

//! The events of an hour bank. Each changes the logs; what that means is worked out before and after.

use super::{BankRecord, BankView, HourBank, Month, Period, Use};
use crate::account::ask::{Ask, Effect, Outcome, in_order};
use crate::account::claim::Claim;
use crate::account::cut::{changes, less, minus, money, more, net_of, take_back, words};
use crate::account::refusal::Refusal;
use crate::explanation::Explanation;
use domain::contract::accounts::hour_bank::{HourBankTerms, LateHours};
use domain::decimal::Micro;
use jiff::civil::Date;
use std::collections::BTreeSet;

impl HourBank {
    /// What the change of the logs since a view means.
    pub(in crate::account) fn since(
        &self,
        before: &BankView,
        why: &mut Explanation,
    ) -> Result<Vec<Effect>, Refusal> {
        let after = self.view()?;
        let mut effects = Vec::new();
        let items: BTreeSet<&String> = before.items.keys().chain(after.items.keys()).collect();
        for item in items {
            let (was, is) = (before.parts(item), after.parts(item));
            if was != is {
                why.step(format_args!("item {item}"), words(was), words(is));
                effects.extend(changes(&self.printing, item, was, is)?);
            }
        }
        for month in &after.months {
            let was = before.months.iter().find(|m| m.first == month.first);
            if was != Some(month) {
                self.explain(month, why);
            }
            let lapsed = |m: &Month| if m.closed { m.expired } else { Micro::ZERO };
            let quantity = less(lapsed(month), was.map_or(Micro::ZERO, lapsed))?;
            if quantity != Micro::ZERO {
                let first = month.first;
                effects.push(Effect::Breakage { first, quantity });
            }
        }
        Ok(effects)
    }

    fn explain(&self, month: &Month, why: &mut Explanation) {
        why.step(
            format_args!("hour bank {}, period from {}", self.terms.id, month.first),
            format_args!(
                "{} h carried, {} h of its own, {} h given back; used {} h",
                month.rolled_in, month.allowance, month.given_back, month.used
            ),
            format_args!(
                "{} h from carried, {} h from its own, {} h over; {} h go on, {} h lapse at its end",
                month.from_rolled,
                month.from_current,
                month.overage,
                month.rolled_out,
                month.expired
            ),
        );
    }

    fn home(&self, day: Date) -> Result<usize, Refusal> {
        self.periods
            .iter()
            .position(|period| period.first <= day && day < period.next)
            .ok_or(Refusal::NoPeriod { day })
    }

    /// The latest open period.
    fn current(&mut self) -> Result<&mut Period, Refusal> {
        self.periods
            .iter_mut()
            .rfind(|period| !period.closed)
            .ok_or(Refusal::NoOpenPeriod)
    }

    /// One batch, in the order of work date, approval time and source id.
    pub(in crate::account) fn reserve(&mut self, asks: &[Ask]) -> Result<(), Refusal> {
        in_order(asks).into_iter().try_for_each(|ask| {
            ask.check()?;
            self.reserve_one(ask)
        })
    }

    fn reserve_one(&mut self, ask: &Ask) -> Result<(), Refusal> {
        let home = self.home(ask.work_date)?;
        let old = self.items.get(&ask.item).cloned();
        let mut has = Micro::ZERO;
        if let Some(old) = &old {
            has = old.claim.live()?;
            if self.home(old.ask.work_date)? != home {
                // The work belongs to another period now: all of it goes back first.
                self.take(&ask.item, has)?;
                has = Micro::ZERO;
            }
        }
        let mut claim = old.map(|old| old.claim).unwrap_or_default();
        claim.asked = ask.quantity;
        let wants = claim.live()?;
        if wants > has {
            self.add(&ask.item, home, less(wants, has)?)?;
        } else {
            self.take(&ask.item, less(has, wants)?)?;
        }
        let ask = ask.clone();
        self.items
            .insert(ask.item.clone(), BankRecord { ask, claim });
        Ok(())
    }

    /// Hours are used last in their period, so that nobody who came before loses anything.
    fn add(&mut self, item: &str, home: usize, hours: Micro) -> Result<(), Refusal> {
        let added = Use {
            item: Some(item.to_owned()),
            hours,
        };
        let late = |period: &Period| period.closed && period.terms.late == LateHours::CurrentBucket;
        if self.periods.get(home).is_some_and(late) {
            self.current()?.log.push(added);
        } else if let Some(period) = self.periods.get_mut(home) {
            period.log.push(added);
        }
        Ok(())
    }

    /// Take hours back in reverse order of use: the latest period first, in it the latest use.
    fn take(&mut self, item: &str, hours: Micro) -> Result<(), Refusal> {
        let mut rest = hours;
        for n in (0..self.periods.len()).rev() {
            let fixed = self.periods.get(n).is_some_and(|period| {
                period.closed && period.terms.late == LateHours::CurrentBucket
            });
            if rest == Micro::ZERO {
                break;
            }
            if fixed {
                rest = self.take_from_fixed(n, item, rest)?;
            } else if let Some(period) = self.periods.get_mut(n) {
                for each in period.log.iter_mut().rev() {
                    if each.item.as_deref() == Some(item) {
                        let part = each.hours.min(rest);
                        each.hours = less(each.hours, part)?;
                        rest = less(rest, part)?;
                    }
                }
                period.log.retain(|each| each.hours != Micro::ZERO);
            }
        }
        Ok(())
    }

    /// A closed period stays as it was: overage is credited, and drawn hours stay used in it and go
    /// back to the current one.
    fn take_from_fixed(&mut self, n: usize, item: &str, hours: Micro) -> Result<Micro, Refusal> {
        let taken = self.worked_out()?.into_iter().nth(n);
        let taken = taken.map(|(_, taken)| taken).unwrap_or_default();
        let Some(period) = self.periods.get_mut(n) else {
            return Ok(hours);
        };
        let (mut rest, mut back) = (hours, Micro::ZERO);
        let mut log = Vec::new();
        for (mut each, taken) in std::mem::take(&mut period.log).into_iter().zip(taken).rev() {
            let mut stays = Micro::ZERO;
            if each.item.as_deref() == Some(item) {
                let over = taken.over.min(rest);
                rest = less(rest, over)?;
                stays = taken.drawn.min(rest);
                rest = less(rest, stays)?;
                back = more(back, stays)?;
                each.hours = less(each.hours, more(over, stays)?)?;
            }
            let moved = Use {
                item: None,
                hours: stays,
            };
            log.extend([moved, each].into_iter().filter(|u| u.hours != Micro::ZERO));
        }
        log.reverse();
        period.log = log;
        if back != Micro::ZERO {
            let current = self.current()?;
            current.given_back = more(current.given_back, back)?;
        }
        Ok(rest)
    }

    /// Give all of an item back. What final credits took of it stays known.
    pub(in crate::account) fn withdraw(&mut self, item: &str) -> Result<(), Refusal> {
        let Some(mut record) = self.items.remove(item) else {
            return Ok(());
        };
        self.take(item, record.claim.live()?)?;
        if record.claim.has_credit() {
            record.claim.asked = Micro::ZERO;
            self.items.insert(item.to_owned(), record);
        }
        Ok(())
    }

    /// A credit, in reverse order of use. A final one gives the hours back; one that will be billed
    /// again keeps them used.
    pub(in crate::account) fn credit(
        &mut self,
        item: &str,
        quantity: Micro,
        rebill: bool,
        why: &mut Explanation,
    ) -> Result<Option<Effect>, Refusal> {
        let record = self.items.get(item).cloned();
        let live = record
            .as_ref()
            .map_or(Ok(Micro::ZERO), |r| r.claim.live())?;
        Claim::check_credit(item, quantity, live)?;
        let Some(mut record) = record.filter(|_| quantity != Micro::ZERO) else {
            return Ok(None);
        };
        if rebill {
            let mut parts = self.view()?.items.remove(item).unwrap_or_default();
            let before = net_of(&parts, Outcome::Overage)?;
            take_back(&self.printing, &mut parts, quantity)?;
            let amount = minus(before, net_of(&parts, Outcome::Overage)?)?;
            let amount = money(&self.printing, amount);
            why.step(
                "credit, to be billed again",
                format_args!("{quantity} h of item {item}, {amount} of it overage"),
                "its hours stay used",
            );
            let item = item.to_owned();
            return Ok(Some(Effect::Rebill {
                item,
                quantity,
                amount,
            }));
        }
        record.claim = record.claim.credited_down_to(less(live, quantity)?)?;
        self.take(item, quantity)?;
        self.items.insert(item.to_owned(), record);
        Ok(None)
    }

    /// Open the period that follows. Its fee is due.
    pub(in crate::account) fn open(
        &mut self,
        first: Date,
        next: Date,
        why: &mut Explanation,
    ) -> Result<Effect, Refusal> {
        let refuse = |why: String| Refusal::PeriodOrder { first, why };
        if next <= first {
            return Err(refuse(format!("it ends {next}, before it begins")));
        }
        if let Some(last) = self.periods.last()
            && last.next != first
        {
            return Err(refuse(format!(
                "the one after the last begins {}",
                last.next
            )));
        }
        if let Some(to) = self.terms.to.filter(|to| *to <= first) {
            return Err(refuse(format!("the bank ends {to}")));
        }
        let fee = self.printing.money(&self.terms.id, "fee", self.terms.fee)?;
        why.step(
            format_args!("fee of hour bank {}", self.terms.id),
            format_args!("the period from {first} opens"),
            format_args!("{fee} is due"),
        );
        self.periods.push(Period {
            first,
            next,
            closed: false,
            terms: self.terms.clone(),
            given_back: Micro::ZERO,
            log: Vec::new(),
        });
        Ok(Effect::Fee {
            item: format!("{}/{first}", self.terms.id),
            first,
            amount: fee,
        })
    }

    /// Close a period: what comes for it from now on is late.
    pub(in crate::account) fn close(&mut self, first: Date) -> Result<(), Refusal> {
        if !self.periods.iter().any(|period| period.first == first) {
            return Err(Refusal::NoPeriod { day: first });
        }
        for period in self.periods.iter_mut().filter(|p| p.first <= first) {
            if period.first == first {
                period.closed = true;
            } else if !period.closed {
                return Err(Refusal::PeriodOrder {
                    first,
                    why: format!("the period from {} is still open", period.first),
                });
            }
        }
        Ok(())
    }

    /// A change order: it counts for periods that open from now on.
    pub(in crate::account) fn change_terms(
        &mut self,
        terms: &HourBankTerms,
    ) -> Result<(), Refusal> {
        terms.check(&self.printing)?;
        self.terms = terms.clone();
        Ok(())
    }
}

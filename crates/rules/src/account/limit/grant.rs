//! What the limits grant of a quantity, and why.

use super::{HeldBy, Limits};
use crate::account::ask::{Ask, AskKind, Outcome, Slice};
use crate::account::cut::{amount, fitting, less, minus, money, plus, slice, words};
use crate::account::refusal::Refusal;
use crate::explanation::Explanation;
use domain::contract::accounts::limit::{LimitPolicy, LimitTerms};
use domain::decimal::Micro;
use std::collections::{BTreeMap, BTreeSet};

/// One limit an ask is under, as it stands before the ask.
struct Level<'a> {
    limit: &'a LimitTerms,
    used_minor: i64,
    cap_minor: i64,
    /// What may still be billed.
    room_minor: i64,
    /// What the entry itself had here before it changed.
    own_minor: i64,
    /// Whether the whole ask goes over, tolerance included.
    over: bool,
    /// Whether somebody waits here whom nobody may pass.
    waits: bool,
}

/// A grant.
pub(super) struct Granted {
    pub(super) slices: Vec<Slice>,
    pub(super) held_by: Option<HeldBy>,
}

/// What an entry had before it changed, per limit, and the limits at which it has to wait.
#[derive(Default)]
pub(super) struct Standing {
    pub(super) own_minor: BTreeMap<String, i64>,
    pub(super) waits: BTreeSet<String>,
}

impl Limits {
    /// Grant as much of a quantity as all limits allow. The totals do not hold the entry itself.
    pub(super) fn grant(
        &self,
        ask: &Ask,
        quantity: Micro,
        standing: &Standing,
        why: &mut Explanation,
    ) -> Result<Granted, Refusal> {
        if quantity == Micro::ZERO {
            return Ok(Granted {
                slices: Vec::new(),
                held_by: None,
            });
        }
        let (limits, uncovered) = self.levels(ask);
        if let Some(scope) = uncovered {
            let held = slice(self.printing_of(ask), Outcome::Held, quantity, ask.rate)?;
            why.step(
                format_args!("limit of the {scope}"),
                format_args!("work date {}: no limit covers that day", ask.work_date),
                format_args!(
                    "{}; add a limit for the day, then release",
                    words(std::slice::from_ref(&held))
                ),
            );
            return Ok(Granted {
                slices: vec![held],
                held_by: Some(HeldBy::Uncovered(scope)),
            });
        }
        let asked_minor = amount(self.printing_of(ask), quantity, ask.rate)?.amount_minor;
        let levels = limits
            .into_iter()
            .map(|limit| self.level(limit, asked_minor, standing))
            .collect::<Result<Vec<_>, _>>()?;
        let granted = self.decide(ask, quantity, asked_minor, &levels)?;
        self.explain(ask, quantity, asked_minor, &levels, &granted, why)?;
        Ok(granted)
    }

    /// What may be billed under a limit, its tolerance included.
    pub(super) fn most(&self, limit: &LimitTerms) -> Result<i64, Refusal> {
        let money = |key, value| self.printing.money(&limit.id, key, value);
        let tolerance = money("tolerance", limit.tolerance)?;
        plus(
            money("amount", limit.amount)?.amount_minor,
            tolerance.amount_minor,
        )
    }

    fn level<'a>(
        &self,
        limit: &'a LimitTerms,
        asked_minor: i64,
        standing: &Standing,
    ) -> Result<Level<'a>, Refusal> {
        let minor = |key, value| {
            self.printing
                .money(&limit.id, key, value)
                .map(|money| money.amount_minor)
        };
        let used_minor = self.minor(&limit.id);
        let cap_minor = minor("amount", limit.amount)?;
        let most = self.most(limit)?;
        Ok(Level {
            limit,
            used_minor,
            cap_minor,
            room_minor: minus(cap_minor, used_minor)?.max(0),
            own_minor: standing.own_minor.get(&limit.id).copied().unwrap_or(0),
            over: plus(used_minor, asked_minor)? > most,
            waits: standing.waits.contains(&limit.id),
        })
    }

    fn decide(
        &self,
        ask: &Ask,
        quantity: Micro,
        asked_minor: i64,
        levels: &[Level<'_>],
    ) -> Result<Granted, Refusal> {
        let own = levels.iter().map(|level| level.own_minor).min();
        if let Some(waiting) = levels.iter().find(|level| level.waits) {
            // What it had stays its own; anything more waits behind the others.
            let had = own.unwrap_or(0);
            if asked_minor > had {
                return self.split(ask, quantity, had, Outcome::Held, waiting.limit);
            }
        } else if let Some(tightest) = levels
            .iter()
            .filter(|level| level.over)
            .min_by_key(|level| level.room_minor)
        {
            let least = levels.iter().map(|level| level.room_minor).min();
            let room = least.unwrap_or(0);
            return match tightest.limit.policy {
                LimitPolicy::SplitHold => {
                    self.split(ask, quantity, room, Outcome::Held, tightest.limit)
                }
                LimitPolicy::WriteOff => {
                    self.split(ask, quantity, room, Outcome::WrittenOff, tightest.limit)
                }
                LimitPolicy::Hold => {
                    let had = tightest.own_minor.min(room);
                    self.split(ask, quantity, had, Outcome::Held, tightest.limit)
                }
                LimitPolicy::BillToCap => self.bill_to_cap(ask, quantity, room),
            };
        }
        Ok(Granted {
            slices: vec![slice(
                self.printing_of(ask),
                Outcome::Billed,
                quantity,
                ask.rate,
            )?],
            held_by: None,
        })
    }

    fn bill_to_cap(&self, ask: &Ask, quantity: Micro, room: i64) -> Result<Granted, Refusal> {
        let mut billed = slice(self.printing_of(ask), Outcome::Billed, quantity, ask.rate)?;
        let allowance = minus(billed.amount.amount_minor, room)?;
        billed.line_allowance = money(&self.printing, allowance);
        Ok(Granted {
            slices: vec![billed],
            held_by: None,
        })
    }

    fn split(
        &self,
        ask: &Ask,
        quantity: Micro,
        room: i64,
        rest: Outcome,
        by: &LimitTerms,
    ) -> Result<Granted, Refusal> {
        let fits = match ask.kind {
            AskKind::Fees => fitting(self.printing_of(ask), quantity, ask.rate, room)?,
            AskKind::Expenses => Micro::ZERO,
        };
        let over = less(quantity, fits)?;
        let mut slices = Vec::new();
        for (outcome, part) in [(Outcome::Billed, fits), (rest, over)] {
            if part != Micro::ZERO {
                slices.push(slice(self.printing_of(ask), outcome, part, ask.rate)?);
            }
        }
        let held = slices.iter().any(|part| part.outcome == Outcome::Held);
        Ok(Granted {
            slices,
            held_by: held.then(|| HeldBy::Limit(by.id.clone())),
        })
    }

    fn explain(
        &self,
        ask: &Ask,
        quantity: Micro,
        asked_minor: i64,
        levels: &[Level<'_>],
        granted: &Granted,
        why: &mut Explanation,
    ) -> Result<(), Refusal> {
        let show = |minor| money(&self.printing, minor);
        let net = crate::account::cut::net_of(&granted.slices, Outcome::Billed)?;
        let cuts = levels
            .iter()
            .filter(|level| level.over)
            .min_by_key(|level| level.room_minor)
            .filter(|_| levels.len() > 1);
        for level in levels {
            let limit = level.limit;
            let left = minus(level.cap_minor, plus(level.used_minor, net)?)?.max(0);
            let (note, policy) = match (level.waits, level.over) {
                (true, _) => ("; an earlier entry waits here and none may pass", ""),
                (false, true) if cuts.is_some_and(|cuts| cuts.limit.id != limit.id) => {
                    ("; another limit leaves no more than this one", "")
                }
                (false, true) => ("; policy: ", limit.policy.words()),
                (false, false) => ("", ""),
            };
            why.step(
                self.name_of(limit),
                format_args!(
                    "used before {} of {}, asked {quantity} x {} = {}{note}{policy}",
                    show(level.used_minor),
                    show(level.cap_minor),
                    ask.rate,
                    show(asked_minor)
                ),
                format_args!("{}; left {}", words(&granted.slices), show(left)),
            );
        }
        Ok(())
    }
}

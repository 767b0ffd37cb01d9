//! Printed hours or minutes, and what rounding leaves.
//!
//! Inside a pricing group, per rate, the printed quantities add up to the rounded sum of the exact
//! ones, after every change. What was printed before is an input, so that a change touches little:
//!
//! 1. A new or changed entry is printed as what the rounded sum, with it, exceeds what the others
//!    have printed. For entries that arrive in their order this is the usual cumulative rounding.
//! 2. It stays within two steps of its exact quantity and is never below zero, so that no chain of
//!    edits makes a line drift. Arrivals are always within one step.
//! 3. What is left, as when an entry goes, is given step by step to the unchanged entry that is
//!    furthest off on that side, the latest of equals; never to one on an issued document.
//! 4. Where all are issued it waits, and the next change takes it: nobody writes a credit note
//!    over a hundredth of an hour.
//!
//! The result is a function of what is booked and what is wanted; nothing else is remembered. A
//! change of the contract's digits changes every entry that was printed off the new step.

use crate::explanation::Step;
use crate::quantity::order::WorkOrder;
use crate::quantity::{QuantityError, WorkTime, micro_of, not_negative, time_words};
use domain::contract::quantity::{QuantityTerms, Residual};
use domain::decimal::{MICRO_SCALE, Micro};
use domain::quantity::Unit;
use domain::rounding::Rounding;
use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap, HashSet};

/// What stands booked for a part of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PrintedBefore<'a> {
    /// The source's id of the entry.
    pub source_ref: &'a str,
    /// The part of the entry: 0 where it is in one piece, else its tier.
    pub part: u32,
    /// The rate it was booked at.
    pub rate: Micro,
    /// Its billable time.
    pub seconds: i64,
    /// Its printed quantity.
    pub quantity: Micro,
    /// Whether it stands on an issued document.
    pub issued: bool,
}

/// A part of an entry as it is to be booked; the time of the work is billable time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ToPrint<'a> {
    /// The work.
    pub work: WorkTime<'a>,
    /// The part of the entry: 0 where it is in one piece, else its tier.
    pub part: u32,
    /// The rate.
    pub rate: Micro,
}

/// A printed quantity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Printed {
    /// The source's id of the entry.
    pub source_ref: String,
    /// The part of the entry.
    pub part: u32,
    /// The rate.
    pub rate: Micro,
    /// The printed quantity.
    pub quantity: Micro,
    /// Why.
    pub steps: Vec<Step>,
}

/// The printed quantities of a pricing group.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PrintedGroup {
    /// One for each thing to print, by rate and then in the order of the work.
    pub entries: Vec<Printed>,
    /// What waits for the next change, by rate: the rounded sum less what is printed. Rates at
    /// which nothing waits are absent.
    pub waiting: BTreeMap<Micro, Micro>,
}

/// The printed quantities of one pricing group in hours or minutes.
pub fn print_group(
    terms: &QuantityTerms,
    booked: &[PrintedBefore<'_>],
    wanted: &[ToPrint<'_>],
) -> Result<PrintedGroup, QuantityError> {
    let printer = Printer::of(terms)?;
    let buckets = printer.group(booked, wanted)?;
    let mut group = PrintedGroup::default();
    for bucket in buckets {
        if bucket.waiting != 0 {
            let quantity = micro_of(bucket.waiting, printer.scale.step_micro)?;
            group.waiting.insert(bucket.rate, quantity);
        }
        for slot in bucket.slots {
            group.entries.push(Printed {
                source_ref: slot.source_ref().to_owned(),
                part: slot.part(),
                rate: bucket.rate,
                quantity: printer.quantity(&slot)?,
                steps: vec![printer.step(&slot)?],
            });
        }
    }
    Ok(group)
}

/// What a group prints at one rate, in the order of the work.
pub(crate) struct Bucket<'a> {
    rate: Micro,
    pub(crate) slots: Vec<Slot<'a>>,
    waiting: i128,
}

/// Prints by the terms of a contract. What is printed tells its step only when it is asked, since most
/// of a group stays as it was.
pub(crate) struct Printer<'t> {
    terms: &'t QuantityTerms,
    scale: Scale,
}

impl<'t> Printer<'t> {
    pub(crate) fn of(terms: &'t QuantityTerms) -> Result<Self, QuantityError> {
        terms.check()?;
        let scale = Scale::of(terms)?;
        Ok(Self { terms, scale })
    }

    /// The group, by rate.
    pub(crate) fn group<'a>(
        &self,
        booked: &[PrintedBefore<'_>],
        wanted: &[ToPrint<'a>],
    ) -> Result<Vec<Bucket<'a>>, QuantityError> {
        let stands: Stands<'_> = booked
            .iter()
            .map(|before| ((before.source_ref, before.part, before.rate), before))
            .collect();
        let mut seen = HashSet::with_capacity(wanted.len());
        let mut buckets: BTreeMap<Micro, Vec<Slot<'a>>> = BTreeMap::new();
        for item in wanted {
            not_negative(&item.work)?;
            if !seen.insert((item.work.source_ref, item.part)) {
                return Err(QuantityError::Twice(item.work.source_ref.to_owned()));
            }
            let slot = Slot::of(item, &stands, &self.scale)?;
            buckets.entry(item.rate).or_default().push(slot);
        }
        let printed = buckets.into_iter().map(|(rate, mut slots)| {
            slots.sort_by(|a, b| a.order.cmp(&b.order));
            let waiting = match self.terms.residual {
                Residual::Carry => carry(&mut slots, &self.scale)?,
                Residual::None => alone(&mut slots, &self.scale)?,
            };
            Ok(Bucket {
                rate,
                slots,
                waiting,
            })
        });
        printed.collect()
    }

    /// The printed quantity and its step, of a part that is printed by itself.
    pub(crate) fn by_itself(&self, item: &ToPrint<'_>) -> Result<(Micro, Step), QuantityError> {
        not_negative(&item.work)?;
        let mut slot = Slot::of(item, &Stands::new(), &self.scale)?;
        alone(std::slice::from_mut(&mut slot), &self.scale)?;
        Ok((self.quantity(&slot)?, self.step(&slot)?))
    }

    pub(crate) fn quantity(&self, slot: &Slot<'_>) -> Result<Micro, QuantityError> {
        micro_of(slot.printed, self.scale.step_micro)
    }

    /// Why a slot prints what it prints.
    pub(crate) fn step(&self, slot: &Slot<'_>) -> Result<Step, QuantityError> {
        let (terms, rate) = (self.terms, slot.item.rate);
        let quantity = self.quantity(slot)?;
        let how: Cow<'_, str> = match (terms.residual, slot.changed, slot.before) {
            (Residual::None, _, _) => "by itself".into(),
            (Residual::Carry, true, _) => {
                format!("what the rounded sum at {rate} exceeds the other entries by").into()
            }
            (Residual::Carry, false, Some(before)) if before != slot.printed => format!(
                "unchanged, and takes what another entry left ({} before)",
                micro_of(before, self.scale.step_micro)?
            )
            .into(),
            (Residual::Carry, false, _) => "unchanged, as printed before".into(),
        };
        Ok(Step::new(
            "printed quantity",
            format_args!(
                "{} billable, {} to {} decimals, {how}",
                time_words(slot.item.work.seconds),
                terms.rounding.name(),
                terms.decimals
            ),
            format_args!("{quantity} {}", terms.unit.sign()),
        ))
    }
}

type Stands<'b> = HashMap<(&'b str, u32, Micro), &'b PrintedBefore<'b>>;

/// The smallest printed step, and how many of its parts a second is.
struct Scale {
    rounding: Rounding,
    step_micro: i64,
    /// A time of `seconds` is `seconds * steps_per_unit / unit_seconds` steps.
    steps_per_unit: i128,
    unit_seconds: i128,
}

impl Scale {
    fn of(terms: &QuantityTerms) -> Result<Self, QuantityError> {
        let unit_seconds = match terms.unit {
            Unit::Hour => 3600,
            Unit::Minute => 60,
            Unit::WorkingDay | Unit::Day | Unit::Month | Unit::Piece => {
                return Err(QuantityError::OtherUnit(terms.unit.name()));
            }
        };
        let power = |exponent: u32| 10_i64.checked_pow(exponent).ok_or(QuantityError::TooLarge);
        Ok(Self {
            rounding: terms.rounding,
            step_micro: power(MICRO_SCALE.saturating_sub(terms.decimals))?,
            steps_per_unit: i128::from(power(terms.decimals)?),
            unit_seconds,
        })
    }

    fn whole(&self, numerator: i128) -> Result<i128, QuantityError> {
        self.rounding
            .whole(numerator, self.unit_seconds)
            .ok_or(QuantityError::TooLarge)
    }
}

/// One thing to print. `exact` is in steps, times the seconds of the unit.
pub(crate) struct Slot<'a> {
    item: ToPrint<'a>,
    order: (WorkOrder<'a>, u32),
    exact: i128,
    before: Option<i128>,
    printed: i128,
    changed: bool,
    issued: bool,
}

impl<'a> Slot<'a> {
    fn of(item: &ToPrint<'a>, stands: &Stands<'_>, scale: &Scale) -> Result<Self, QuantityError> {
        let key = (item.work.source_ref, item.part, item.rate);
        let before = stands.get(&key).copied();
        let exact = i128::from(item.work.seconds)
            .checked_mul(scale.steps_per_unit)
            .ok_or(QuantityError::TooLarge)?;
        let on_step = |b: &&PrintedBefore<'_>| b.quantity.micro() % scale.step_micro == 0;
        let kept = before
            .filter(on_step)
            .filter(|b| b.seconds == item.work.seconds);
        let steps = |b: &PrintedBefore<'_>| i128::from(b.quantity.micro() / scale.step_micro);
        Ok(Self {
            item: *item,
            order: (WorkOrder::of(&item.work), item.part),
            exact,
            before: before.map(steps),
            printed: kept.map_or(0, steps),
            changed: kept.is_none(),
            issued: before.is_some_and(|b| b.issued),
        })
    }

    /// The least that may be printed: two steps below the exact quantity, and nothing below zero.
    fn least(&self, scale: &Scale) -> i128 {
        let below = self.exact - 2 * scale.unit_seconds;
        let rounded_up = -(-below).div_euclid(scale.unit_seconds);
        rounded_up.max(0)
    }

    /// The most that may be printed: two steps above the exact quantity.
    const fn most(&self, scale: &Scale) -> i128 {
        (self.exact + 2 * scale.unit_seconds).div_euclid(scale.unit_seconds)
    }

    pub(crate) const fn source_ref(&self) -> &'a str {
        self.item.work.source_ref
    }

    pub(crate) const fn part(&self) -> u32 {
        self.item.part
    }
}

/// Each by itself; nothing waits.
fn alone(slots: &mut [Slot<'_>], scale: &Scale) -> Result<i128, QuantityError> {
    for slot in slots {
        slot.printed = scale.whole(slot.exact)?;
        slot.changed = slot.before != Some(slot.printed);
    }
    Ok(0)
}

/// Print the changed ones, hand over what is left, and tell what waits.
fn carry(slots: &mut [Slot<'_>], scale: &Scale) -> Result<i128, QuantityError> {
    let too_large = || QuantityError::TooLarge;
    let mut exact = 0_i128;
    let mut printed = 0_i128;
    for slot in slots.iter().filter(|slot| !slot.changed) {
        exact = exact.checked_add(slot.exact).ok_or_else(too_large)?;
        printed = printed.checked_add(slot.printed).ok_or_else(too_large)?;
    }
    for slot in slots.iter_mut().filter(|slot| slot.changed) {
        exact = exact.checked_add(slot.exact).ok_or_else(too_large)?;
        // Nothing billable is printed as nothing, whatever is left.
        slot.printed = if slot.exact == 0 {
            0
        } else {
            let missing = scale.whole(exact)? - printed;
            missing.max(slot.least(scale)).min(slot.most(scale))
        };
        printed = printed.checked_add(slot.printed).ok_or_else(too_large)?;
    }
    let mut left = scale.whole(exact)? - printed;
    while left != 0 {
        let sign = left.signum();
        let Some(heir) = heir(slots, sign, scale) else {
            break;
        };
        heir.printed += sign;
        left -= sign;
    }
    Ok(left)
}

/// The unchanged open entry that is furthest off on the side that a step would mend; of equals the
/// latest.
fn heir<'s, 'a>(slots: &'s mut [Slot<'a>], sign: i128, scale: &Scale) -> Option<&'s mut Slot<'a>> {
    slots
        .iter_mut()
        .filter(|slot| !slot.changed && !slot.issued && slot.exact > 0)
        .filter(|slot| {
            let moved = slot.printed + sign;
            slot.least(scale) <= moved && moved <= slot.most(scale)
        })
        .max_by_key(|slot| sign * (slot.exact - slot.printed * scale.unit_seconds))
}

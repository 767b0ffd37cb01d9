//! Where an entry is cut: the largest printed quantity whose printed amount fits.
//!
//! No rate is invented to use a limit up to the last cent: what is left may be less than the price
//! of one step, and stays.

use super::ask::{Effect, Outcome, Slice};
use super::refusal::Refusal;
use domain::contract::accounts::Printing;
use domain::decimal::{MICRO_SCALE, Micro};
use domain::money::Money;
use domain::quantity::hours_printed;
use std::fmt;

fn too_large(what: &str) -> Refusal {
    Refusal::TooLarge(what.to_owned())
}

/// Money of the contract.
pub(super) const fn money(printing: &Printing, amount_minor: i64) -> Money {
    Money {
        amount_minor,
        currency: printing.currency,
    }
}

/// A sum that fits.
pub(super) fn plus(one: i64, other: i64) -> Result<i64, Refusal> {
    one.checked_add(other).ok_or_else(|| too_large("a sum"))
}

/// A difference that fits.
pub(super) fn minus(one: i64, other: i64) -> Result<i64, Refusal> {
    one.checked_sub(other)
        .ok_or_else(|| too_large("a difference"))
}

/// A difference of quantities that fits.
pub(super) fn less(one: Micro, other: Micro) -> Result<Micro, Refusal> {
    minus(one.micro(), other.micro()).map(Micro::from_micro)
}

/// A sum of quantities that fits.
pub(super) fn more(one: Micro, other: Micro) -> Result<Micro, Refusal> {
    plus(one.micro(), other.micro()).map(Micro::from_micro)
}

/// Printed quantity times rate, rounded once.
pub(super) fn amount(printing: &Printing, quantity: Micro, rate: Micro) -> Result<Money, Refusal> {
    Money::times(quantity, rate, printing.currency, printing.amount_rounding)
        .map_err(|_| too_large(&format!("the amount of {quantity} at {rate}")))
}

/// A slice that multiplies out.
pub(super) fn slice(
    printing: &Printing,
    outcome: Outcome,
    quantity: Micro,
    rate: Micro,
) -> Result<Slice, Refusal> {
    Ok(Slice {
        outcome,
        quantity,
        rate,
        amount: amount(printing, quantity, rate)?,
        line_allowance: Money::zero(printing.currency),
    })
}

/// The printed quantity of so many steps.
fn candidate(printing: &Printing, steps: i64) -> Result<Micro, Refusal> {
    if let Some(minutes) = printing.step_minutes {
        return steps
            .checked_mul(i64::from(minutes))
            .and_then(|minutes| minutes.checked_mul(60))
            .and_then(|seconds| {
                hours_printed(
                    seconds,
                    printing.quantity_decimals,
                    printing.quantity_rounding,
                )
            })
            .ok_or_else(|| too_large("a quantity"));
    }
    steps
        .checked_mul(unit(printing))
        .map(Micro::from_micro)
        .ok_or_else(|| too_large("a quantity"))
}

/// The printed precision, in units of 10^-6.
fn unit(printing: &Printing) -> i64 {
    let digits = MICRO_SCALE.saturating_sub(printing.quantity_decimals);
    10_i64.saturating_pow(digits)
}

/// More steps than any part of the quantity has.
fn steps_max(printing: &Printing, quantity: Micro) -> Result<i64, Refusal> {
    let steps = match printing.step_minutes {
        // One step is minutes / 60 of 10^6 units; a printed step may be rounded down, hence 2 more.
        Some(minutes) => i128::from(quantity.micro())
            .saturating_mul(60)
            .checked_div(i128::from(minutes).saturating_mul(1_000_000))
            .unwrap_or_default()
            .saturating_add(2),
        None => i128::from(quantity.micro())
            .checked_div(i128::from(unit(printing)))
            .unwrap_or_default(),
    };
    i64::try_from(steps).map_err(|_| too_large("a quantity"))
}

/// The largest quantity, in the contract's increment or else in the printed precision, that is no
/// more than `quantity` and whose printed amount is no more than `room_minor`.
pub fn fitting(
    printing: &Printing,
    quantity: Micro,
    rate: Micro,
    room_minor: i64,
) -> Result<Micro, Refusal> {
    let fits = |steps: i64| -> Result<Option<Micro>, Refusal> {
        let part = candidate(printing, steps)?;
        if part > quantity {
            return Ok(None);
        }
        let fits = amount(printing, part, rate)?.amount_minor <= room_minor;
        Ok(fits.then_some(part))
    };
    let (mut low, mut high) = (0_i64, steps_max(printing, quantity)?);
    let mut best = Micro::ZERO;
    // Quantity and amount grow with the steps, so halving finds the last that fits.
    while low < high {
        let middle = high - (high - low) / 2;
        if let Some(part) = fits(middle)? {
            (low, best) = (middle, part);
        } else {
            high = middle - 1;
        }
    }
    Ok(best)
}

/// The slices with neighbours of one outcome and rate as one slice, at the amount of both together: it is
/// one quantity on one line. None where there are no such neighbours. What a credit or an allowance
/// took something of stays by itself.
pub(super) fn joined(printing: &Printing, slices: &[Slice]) -> Result<Option<Vec<Slice>>, Refusal> {
    let plain = |part: &Slice| -> Result<bool, Refusal> {
        let product = amount(printing, part.quantity, part.rate)?;
        Ok(part.line_allowance.amount_minor == 0 && part.amount == product)
    };
    let mut all: Vec<Slice> = Vec::with_capacity(slices.len());
    for part in slices {
        match all.last_mut() {
            Some(last)
                if (last.outcome, last.rate) == (part.outcome, part.rate)
                    && plain(last)?
                    && plain(part)? =>
            {
                let quantity = more(last.quantity, part.quantity)?;
                *last = slice(printing, part.outcome, quantity, part.rate)?;
            }
            _ => all.push(part.clone()),
        }
    }
    Ok((all.len() < slices.len()).then_some(all))
}

/// Take a quantity back from the end of a list of slices, which is the reverse of its use. A slice
/// that gets shorter is priced anew; an allowance on its line goes first.
pub(super) fn take_back(
    printing: &Printing,
    slices: &mut Vec<Slice>,
    quantity: Micro,
) -> Result<(), Refusal> {
    let mut rest = quantity;
    while rest > Micro::ZERO {
        let Some(last) = slices.pop() else {
            return Ok(());
        };
        if last.quantity <= rest {
            rest = less(rest, last.quantity)?;
            continue;
        }
        let kept = less(last.quantity, rest)?;
        let mut shorter = slice(printing, last.outcome, kept, last.rate)?;
        let net = last.net_minor().min(shorter.amount.amount_minor);
        shorter.line_allowance = money(printing, minus(shorter.amount.amount_minor, net)?);
        slices.push(shorter);
        return Ok(());
    }
    Ok(())
}

/// Credit a quantity of the slices with these outcomes, the last granted first. A credit line prints
/// quantity times rate; a slice without quantity is gone with what is left of its money, so that one
/// credited in parts ends at nothing.
pub(super) fn credit_slices(
    printing: &Printing,
    slices: &mut Vec<Slice>,
    quantity: Micro,
    outcomes: &[Outcome],
) -> Result<(), Refusal> {
    let mut rest = quantity;
    for part in slices.iter_mut().rev() {
        if !outcomes.contains(&part.outcome) {
            continue;
        }
        let taken = rest.min(part.quantity);
        rest = less(rest, taken)?;
        let credit = amount(printing, taken, part.rate)?.amount_minor;
        let gross = minus(part.amount.amount_minor, credit)?.max(0);
        let net = part.net_minor().min(gross);
        part.quantity = less(part.quantity, taken)?;
        part.amount = money(printing, gross);
        part.line_allowance = money(printing, minus(gross, net)?);
    }
    slices.retain(|part| part.quantity != Micro::ZERO);
    Ok(())
}

/// The quantity of all slices.
pub(super) fn whole(slices: &[Slice]) -> Result<Micro, Refusal> {
    slices
        .iter()
        .try_fold(Micro::ZERO, |sum, slice| more(sum, slice.quantity))
}

/// The quantity of the slices with one outcome.
pub(super) fn quantity_of(slices: &[Slice], outcome: Outcome) -> Result<Micro, Refusal> {
    slices
        .iter()
        .filter(|slice| slice.outcome == outcome)
        .try_fold(Micro::ZERO, |sum, slice| more(sum, slice.quantity))
}

/// What the client pays for the slices with one outcome, in minor units.
pub(super) fn net_of(slices: &[Slice], outcome: Outcome) -> Result<i64, Refusal> {
    slices
        .iter()
        .filter(|slice| slice.outcome == outcome)
        .try_fold(0, |sum, slice| plus(sum, slice.net_minor()))
}

fn allowance_of(slices: &[Slice], outcome: Outcome) -> Result<i64, Refusal> {
    slices
        .iter()
        .filter(|slice| slice.outcome == outcome)
        .try_fold(0, |sum, slice| plus(sum, slice.line_allowance.amount_minor))
}

/// What changed between two answers for one item, outcome by outcome.
pub(super) fn changes(
    printing: &Printing,
    item: &str,
    before: &[Slice],
    after: &[Slice],
) -> Result<Vec<Effect>, Refusal> {
    let mut effects = Vec::new();
    for outcome in Outcome::ALL {
        let quantity = less(quantity_of(after, outcome)?, quantity_of(before, outcome)?)?;
        let amount = minus(net_of(after, outcome)?, net_of(before, outcome)?)?;
        let allowance = minus(
            allowance_of(after, outcome)?,
            allowance_of(before, outcome)?,
        )?;
        if quantity != Micro::ZERO || amount != 0 || allowance != 0 {
            effects.push(Effect::Change {
                item: item.to_owned(),
                outcome,
                quantity,
                amount: money(printing, amount),
                line_allowance: money(printing, allowance),
            });
        }
    }
    Ok(effects)
}

/// Slices as words: `4 h billed (EUR 800.00), 2 h held (EUR 400.00)`.
pub(super) const fn words(slices: &[Slice]) -> Words<'_> {
    Words(slices)
}

/// See [`words`].
pub(super) struct Words<'a>(&'a [Slice]);

impl fmt::Display for Words<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("nothing");
        }
        for (number, slice) in self.0.iter().enumerate() {
            let comma = if number == 0 { "" } else { ", " };
            let (quantity, outcome) = (slice.quantity, slice.outcome.words());
            write!(f, "{comma}{quantity} {outcome} ({}", slice.amount)?;
            if slice.line_allowance.amount_minor != 0 {
                write!(f, " less an allowance of {}", slice.line_allowance)?;
            }
            f.write_str(")")?;
        }
        Ok(())
    }
}

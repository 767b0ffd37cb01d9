//! Months at a monthly rate, by days of the contract's basis.
//!
//! A month counts as its covered or worked days of the basis by all days of the basis in it:
//! working days without holidays, or calendar days. Rounding goes by the running sum, so that a
//! whole month is 1 and the parts add up. A day that is none of the basis adds nothing, above and
//! below the line; a day worked counts once, carried by its first entry.

use crate::explanation::{Explanation, Step};
use crate::quantity::order::in_order;
use crate::quantity::{QuantityError, WorkTime, each_once, micro_of, not_negative};
use domain::contract::quantity::{MonthBasis, QuantityTerms};
use domain::decimal::{MICRO_SCALE, Micro};
use domain::period::Month;
use jiff::ToSpan;
use jiff::civil::Date;
use std::collections::{BTreeMap, BTreeSet};

/// The part of a month that is billed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MonthPart {
    /// The month.
    pub month: Month,
    /// The billed quantity in months.
    pub months: Micro,
    /// Why.
    pub steps: Vec<Step>,
}

/// The share of an entry in a month.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MonthShare {
    /// The source's id of the entry.
    pub source_ref: String,
    /// Its quantity in months.
    pub months: Micro,
    /// Why.
    pub steps: Vec<Step>,
}

/// The months of an engagement from `first` to `last`, both counted. What rounding leaves is
/// carried to the next month.
pub fn months_covered(
    terms: &QuantityTerms,
    first: Date,
    last: Date,
) -> Result<Vec<MonthPart>, QuantityError> {
    terms.check()?;
    let mut parts = Vec::new();
    let mut exact = Fraction::ZERO;
    let mut billed = 0_i128;
    let mut from = first;
    while from <= last {
        let end = from.last_of_month().min(last);
        let within = counted(terms, from, end);
        let of = counted(terms, from.first_of_month(), from.last_of_month());
        exact = exact.plus(within, of)?;
        let now = exact.steps(terms)?;
        parts.push(MonthPart {
            month: Month::of(from),
            months: micro_of(now - billed, step_micro(terms)?)?,
            steps: words(terms, Month::of(from), within, of, now - billed)?,
        });
        billed = now;
        let next = end.saturating_add(1.day());
        if next == end {
            break;
        }
        from = next;
    }
    Ok(parts)
}

/// The shares of entries at a monthly rate used by the day, in the order given. Each worker's
/// month is by itself.
pub fn month_shares(
    terms: &QuantityTerms,
    works: &[WorkTime<'_>],
) -> Result<Vec<MonthShare>, QuantityError> {
    terms.check()?;
    each_once(works)?;
    let mut seen: BTreeSet<(&str, Date)> = BTreeSet::new();
    let mut days: BTreeMap<(&str, Month), (i128, i128)> = BTreeMap::new();
    let mut shares = Vec::with_capacity(works.len());
    for place in in_order(works) {
        let Some(work) = works.get(place) else {
            continue;
        };
        not_negative(work)?;
        let day = work.work_date;
        let month = Month::of(day);
        let counts =
            work.seconds > 0 && terms.counts_in_month(day) && seen.insert((work.worker, day));
        let of = counted(terms, day.first_of_month(), day.last_of_month());
        let running = days.entry((work.worker, month)).or_default();
        let (worked_before, billed) = *running;
        let worked = worked_before + i128::from(counts);
        let now = Fraction::ZERO.plus(worked, of)?.steps(terms)?;
        *running = (worked, now);
        let share = MonthShare {
            source_ref: work.source_ref.to_owned(),
            months: micro_of(now - billed, step_micro(terms)?)?,
            steps: words(terms, month, worked, of, now - billed)?,
        };
        shares.push((place, share));
    }
    shares.sort_by_key(|(place, _)| *place);
    Ok(shares.into_iter().map(|(_, share)| share).collect())
}

/// A sum of parts of months, exact.
#[derive(Clone, Copy)]
struct Fraction {
    numerator: i128,
    denominator: i128,
}

impl Fraction {
    const ZERO: Self = Self {
        numerator: 0,
        denominator: 1,
    };

    /// Plus `within` of `of` days, reduced: months have at most 31 days, so that no denominator
    /// grows beyond the least common multiple of 1 to 31. A month without days adds nothing.
    fn plus(self, within: i128, of: i128) -> Result<Self, QuantityError> {
        if of == 0 {
            return Ok(self);
        }
        let too_large = || QuantityError::TooLarge;
        let shared = gcd(self.denominator, of).max(1);
        let denominator = (self.denominator / shared)
            .checked_mul(of)
            .ok_or_else(too_large)?;
        let left = self.numerator.checked_mul(of / shared);
        let right = within.checked_mul(self.denominator / shared);
        let numerator = left
            .zip(right)
            .and_then(|(left, right)| left.checked_add(right))
            .ok_or_else(too_large)?;
        let common = gcd(numerator, denominator).max(1);
        Ok(Self {
            numerator: numerator / common,
            denominator: denominator / common,
        })
    }

    fn steps(self, terms: &QuantityTerms) -> Result<i128, QuantityError> {
        10_i128
            .checked_pow(terms.decimals)
            .and_then(|power| self.numerator.checked_mul(power))
            .and_then(|scaled| terms.rounding.whole(scaled, self.denominator))
            .ok_or(QuantityError::TooLarge)
    }
}

const fn gcd(one: i128, two: i128) -> i128 {
    let (mut one, mut two) = (one, two);
    while two != 0 {
        (one, two) = (two, one % two);
    }
    one
}

fn step_micro(terms: &QuantityTerms) -> Result<i64, QuantityError> {
    10_i64
        .checked_pow(MICRO_SCALE.saturating_sub(terms.decimals))
        .ok_or(QuantityError::TooLarge)
}

/// The days of the basis from one day to another of the same month.
fn counted(terms: &QuantityTerms, first: Date, last: Date) -> i128 {
    let mut days = 0;
    let mut day = first;
    while day <= last {
        days += i128::from(terms.counts_in_month(day));
        let next = day.saturating_add(1.day());
        if next == day {
            break;
        }
        day = next;
    }
    days
}

fn words(
    terms: &QuantityTerms,
    month: Month,
    within: i128,
    of: i128,
    steps: i128,
) -> Result<Vec<Step>, QuantityError> {
    let basis = match terms.month_basis {
        MonthBasis::WorkingDays => "working days",
        MonthBasis::CalendarDays => "calendar days",
    };
    let mut why = Explanation::default();
    why.step(
        "months",
        format_args!(
            "{within} of {of} {basis} of {month}, {} to {} decimals of the running sum",
            terms.rounding.name(),
            terms.decimals
        ),
        format_args!(
            "{} {}",
            micro_of(steps, step_micro(terms)?)?,
            terms.unit.sign()
        ),
    );
    Ok(why.steps)
}

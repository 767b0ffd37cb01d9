//! Days of a contract: a person's day, in steps and never more than the cap.
//!
//! The time of all the person's entries of the day is divided by the hours of the contract's day,
//! rounded to the step and held to the cap; the entries share it like an increment, in the order
//! of the work. What a day leaves is not carried to another day: a day is what was agreed on.

use crate::explanation::{Explanation, Step};
use crate::quantity::order::in_order;
use crate::quantity::{QuantityError, WorkTime, each_once, micro_of, not_negative, time_words};
use domain::contract::quantity::QuantityTerms;
use domain::decimal::Micro;
use jiff::civil::Date;
use std::collections::BTreeMap;

/// The days of one entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DayShare {
    /// The source's id of the entry.
    pub source_ref: String,
    /// Its days.
    pub days: Micro,
    /// Why.
    pub steps: Vec<Step>,
}

/// The days of each entry, in the order given. The time of the work is billable time.
pub fn day_shares(
    terms: &QuantityTerms,
    works: &[WorkTime<'_>],
) -> Result<Vec<DayShare>, QuantityError> {
    terms.check()?;
    each_once(works)?;
    let mut days: BTreeMap<(&str, Date), (i64, i128)> = BTreeMap::new();
    let mut shares = Vec::with_capacity(works.len());
    for place in in_order(works) {
        let Some(work) = works.get(place) else {
            continue;
        };
        not_negative(work)?;
        let running = days.entry((work.worker, work.work_date)).or_default();
        let (_, steps_before) = *running;
        let seconds = running
            .0
            .checked_add(work.seconds)
            .ok_or(QuantityError::TooLarge)?;
        let steps = steps_of(terms, seconds)?;
        *running = (seconds, steps);
        let share = explained(terms, work, seconds, steps_before, steps)?;
        shares.push((place, share));
    }
    shares.sort_by_key(|(place, _)| *place);
    Ok(shares.into_iter().map(|(_, share)| share).collect())
}

/// The steps of a day that so much time is.
fn steps_of(terms: &QuantityTerms, seconds: i64) -> Result<i128, QuantityError> {
    let step = terms.day_step.micro();
    let numerator = i128::from(seconds) * 1_000_000;
    let denominator = i128::from(terms.day_seconds()?) * i128::from(step);
    let steps = terms
        .rounding
        .whole(numerator, denominator)
        .ok_or(QuantityError::TooLarge)?;
    Ok(steps.min(i128::from(terms.day_cap.micro() / step)))
}

fn explained(
    terms: &QuantityTerms,
    work: &WorkTime<'_>,
    seconds: i64,
    steps_before: i128,
    steps: i128,
) -> Result<DayShare, QuantityError> {
    let step = terms.day_step.micro();
    let before = micro_of(steps_before, step)?;
    let after = micro_of(steps, step)?;
    let days = micro_of(steps - steps_before, step)?;
    let mut why = Explanation::default();
    why.step(
        "days",
        format_args!(
            "{} of {} on {}, a day of {} h in steps of {step_words}, {}, at most {}: {after} with it, {before} before",
            time_words(seconds),
            work.worker,
            work.work_date,
            terms.day_hours,
            terms.rounding.name(),
            terms.day_cap,
            step_words = terms.day_step,
        ),
        format_args!("{days} {}", terms.unit.sign()),
    );
    Ok(DayShare {
        source_ref: work.source_ref.to_owned(),
        days,
        steps: why.steps,
    })
}

//! Billable time: the increment applied to a scope, and the shares of its entries.
//!
//! In a scope of several entries the running sum is rounded and each entry gets what it grows by,
//! in the order of [`crate::quantity::order::WorkOrder`]: three calls of four minutes at six
//! minutes up per day are 6, 6 and 0. The parts of one entry (its tiers of overtime) are taken in
//! their order in the same way, so that they add up to the entry's share. A correction works the
//! scope out again and posts the differences; nothing negative is ever rounded.

use crate::explanation::Step;
use crate::quantity::order::in_order;
use crate::quantity::{QuantityError, WorkTime, each_once, not_negative, time_words};
use domain::contract::quantity::{IncrementScope, QuantityTerms};
use jiff::civil::Date;
use std::collections::BTreeMap;

/// The billable time of one entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BillableShare {
    /// The source's id of the entry.
    pub source_ref: String,
    /// The billable seconds of each part, in the order of the parts.
    pub parts_seconds: Vec<i64>,
    /// Why.
    pub steps: Vec<Step>,
}

impl BillableShare {
    /// The billable seconds of the entry.
    pub fn seconds(&self) -> i64 {
        self.parts_seconds.iter().sum()
    }
}

/// The billable time of each entry, in the order given.
pub fn billable_shares(
    terms: &QuantityTerms,
    works: &[WorkTime<'_>],
) -> Result<Vec<BillableShare>, QuantityError> {
    let parts: Vec<Vec<i64>> = works.iter().map(|work| vec![work.seconds]).collect();
    billable_parts(terms, works, &parts)
}

/// The billable time of each part of each entry, in the order given. `parts` holds the recorded
/// seconds of the parts of the entry at the same place; they have to add up to its time.
pub fn billable_parts(
    terms: &QuantityTerms,
    works: &[WorkTime<'_>],
    parts: &[Vec<i64>],
) -> Result<Vec<BillableShare>, QuantityError> {
    let mut shares: Vec<BillableShare> = works
        .iter()
        .map(|work| BillableShare {
            source_ref: work.source_ref.to_owned(),
            parts_seconds: Vec::new(),
            steps: Vec::new(),
        })
        .collect();
    share_out(terms, works, parts, |place, parts_seconds, step| {
        if let Some(share) = shares.get_mut(place) {
            share.parts_seconds = parts_seconds.to_vec();
            share.steps.extend(step);
        }
    })?;
    Ok(shares)
}

/// The billable time of an entry by its tiers.
#[derive(Debug, Default)]
pub(crate) struct BillableTiers {
    pub(crate) seconds: [i64; 3],
    /// Why; none where there is no increment.
    pub(crate) step: Option<Step>,
}

/// The billable time of each entry by its tiers, in the order given.
pub(crate) fn billable_tiers(
    terms: &QuantityTerms,
    works: &[WorkTime<'_>],
    tiers: &[[i64; 3]],
) -> Result<Vec<BillableTiers>, QuantityError> {
    let mut shares: Vec<BillableTiers> = Vec::with_capacity(works.len());
    shares.resize_with(works.len(), BillableTiers::default);
    share_out(terms, works, tiers, |place, parts_seconds, step| {
        if let Some(share) = shares.get_mut(place) {
            for (to, from) in share.seconds.iter_mut().zip(parts_seconds) {
                *to = *from;
            }
            share.step = step;
        }
    })?;
    Ok(shares)
}

/// Give each entry its share: its place, the billable seconds of its parts, and why.
fn share_out<P: AsRef<[i64]>>(
    terms: &QuantityTerms,
    works: &[WorkTime<'_>],
    parts: &[P],
    mut give: impl FnMut(usize, &[i64], Option<Step>),
) -> Result<(), QuantityError> {
    terms.check()?;
    each_once(works)?;
    // Where no parts are given, their sum of zero differs and the entry is refused.
    let of = |place: usize| parts.get(place).map_or(&[][..], AsRef::as_ref);
    if terms.increment.is_none() && nothing_is_wrong(works, of) {
        // To the second: no entry has anything to do with another one.
        for place in 0..works.len() {
            give(place, of(place), None);
        }
        return Ok(());
    }
    let mut scopes: BTreeMap<ScopeKey<'_>, Running> = BTreeMap::new();
    let mut seconds = Vec::new();
    for place in in_order(works) {
        let Some(work) = works.get(place) else {
            continue;
        };
        check_parts(work, of(place))?;
        let running = scopes
            .entry(scope_key(terms.increment_scope, work))
            .or_default();
        seconds.clear();
        let step = share(terms, work, of(place), running, &mut seconds)?;
        give(place, &seconds, step);
    }
    Ok(())
}

/// Whether all parts make up their entries and no sum of them is too large.
fn nothing_is_wrong<'p>(works: &[WorkTime<'_>], of: impl Fn(usize) -> &'p [i64]) -> bool {
    let mut total = 0_i64;
    works.iter().enumerate().all(|(place, work)| {
        let sum = total.checked_add(work.seconds);
        let fits = sum.filter(|sum| *sum <= SECONDS_MAX);
        total = fits.unwrap_or(total);
        fits.is_some() && check_parts(work, of(place)).is_ok()
    })
}

/// More than this is not rounded: the steps of it could not be counted.
const SECONDS_MAX: i64 = i64::MAX / 4;

type ScopeKey<'a> = (Option<Date>, [&'a str; 3]);

fn scope_key<'a>(scope: IncrementScope, work: &WorkTime<'a>) -> ScopeKey<'a> {
    match scope {
        IncrementScope::Entry => (None, [work.source_ref, "", ""]),
        IncrementScope::WorkerDayTask => {
            (Some(work.work_date), [work.worker, work.project, work.task])
        }
        IncrementScope::WorkerDayCustomer => {
            (Some(work.work_date), [work.worker, work.customer, ""])
        }
        IncrementScope::Line => (None, [work.line, "", ""]),
    }
}

#[derive(Debug, Default)]
struct Running {
    recorded: i64,
    billable: i64,
}

fn check_parts(work: &WorkTime<'_>, parts: &[i64]) -> Result<(), QuantityError> {
    not_negative(work)?;
    let mut sum = 0_i64;
    for part in parts {
        let one = WorkTime {
            seconds: *part,
            ..*work
        };
        not_negative(&one)?;
        sum = sum.checked_add(*part).ok_or(QuantityError::TooLarge)?;
    }
    if sum != work.seconds {
        return Err(QuantityError::PartsDiffer {
            source_ref: work.source_ref.to_owned(),
            parts_seconds: sum,
            seconds: work.seconds,
        });
    }
    Ok(())
}

fn share(
    terms: &QuantityTerms,
    work: &WorkTime<'_>,
    parts: &[i64],
    running: &mut Running,
    parts_seconds: &mut Vec<i64>,
) -> Result<Option<Step>, QuantityError> {
    let (recorded_before, billable_before) = (running.recorded, running.billable);
    for part in parts {
        running.recorded = running
            .recorded
            .checked_add(*part)
            .filter(|sum| *sum <= SECONDS_MAX)
            .ok_or(QuantityError::TooLarge)?;
        let rounded = match &terms.increment {
            Some(rule) => rule.apply(running.recorded)?,
            None => running.recorded,
        };
        parts_seconds.push(rounded - running.billable);
        running.billable = rounded;
    }
    let Some(rule) = &terms.increment else {
        return Ok(None);
    };
    let least = if rule.minimum_minutes > 0 {
        format!(", at least {} min", rule.minimum_minutes)
    } else {
        String::new()
    };
    Ok(Some(Step::new(
        "increment",
        format_args!(
            "{} recorded, {} to {} min{least}, over {}: {} before, {} with it",
            time_words(work.seconds),
            rule.rounding.name(),
            rule.step_minutes,
            terms.increment_scope.words(),
            time_words(recorded_before),
            time_words(running.recorded),
        ),
        format_args!(
            "{} less {} = {}",
            time_words(running.billable),
            time_words(billable_before),
            time_words(running.billable - billable_before)
        ),
    )))
}

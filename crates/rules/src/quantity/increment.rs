//! Billable time: the increment applied to a scope, and the shares of its entries.
//!
//! In a scope of several entries the running sum is rounded and each entry gets what it grows by,
//! in the order of [`crate::quantity::order::WorkOrder`]: three calls of four minutes at six
//! minutes up per day are 6, 6 and 0. The parts of one entry (its tiers of overtime) are taken in
//! their order in the same way, so that they add up to the entry's share. A correction works the
//! scope out again and posts the differences; nothing negative is ever rounded.

use crate::explanation::{Explanation, Step};
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
    terms.check()?;
    each_once(works)?;
    let mut scopes: BTreeMap<ScopeKey<'_>, Running> = BTreeMap::new();
    let mut shares: Vec<(usize, BillableShare)> = Vec::with_capacity(works.len());
    for place in in_order(works) {
        let Some(work) = works.get(place) else {
            continue;
        };
        // Where no parts are given, their sum of zero differs and the entry is refused.
        let own = parts.get(place).map_or(&[][..], Vec::as_slice);
        check_parts(work, own)?;
        let running = scopes
            .entry(scope_key(terms.increment_scope, work))
            .or_default();
        shares.push((place, share(terms, work, own, running)?));
    }
    shares.sort_by_key(|(place, _)| *place);
    Ok(shares.into_iter().map(|(_, share)| share).collect())
}

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
) -> Result<BillableShare, QuantityError> {
    let (recorded_before, billable_before) = (running.recorded, running.billable);
    let mut parts_seconds = Vec::with_capacity(parts.len());
    for part in parts {
        running.recorded = running
            .recorded
            .checked_add(*part)
            .filter(|sum| *sum <= i64::MAX / 4)
            .ok_or(QuantityError::TooLarge)?;
        let rounded = match &terms.increment {
            Some(rule) => rule.apply(running.recorded)?,
            None => running.recorded,
        };
        parts_seconds.push(rounded - running.billable);
        running.billable = rounded;
    }
    let mut why = Explanation::default();
    if let Some(rule) = &terms.increment {
        let least = if rule.minimum_minutes > 0 {
            format!(", at least {} min", rule.minimum_minutes)
        } else {
            String::new()
        };
        why.step(
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
        );
    }
    Ok(BillableShare {
        source_ref: work.source_ref.to_owned(),
        parts_seconds,
        steps: why.steps,
    })
}

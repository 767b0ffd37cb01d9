//! The tiers of one worker's work week, on recorded time.
//!
//! The week is walked in the order of the clock. Within a day, hours over the day's limit are
//! premium (and over the second limit double) and are not counted for the week; what is left
//! counts for the week, and beyond its limit is premium. The seventh day of the California form is
//! premium as a whole, if all seven were worked, and not counted for the forty.
//!
//! An entry without a start comes after those that have one, like everywhere where work has an
//! order. The week knows no month: a week over a month's end is one week.

use crate::explanation::{Explanation, Step};
use crate::overtime::bearing::by_clients;
use crate::overtime::{EntryTiers, OvertimeError};
use crate::quantity::order::in_order;
use crate::quantity::{WorkTime, time_words};
use domain::overtime::{OvertimeBearing, OvertimeExemption, OvertimeLimits, OvertimeTerms};
use jiff::ToSpan;
use jiff::civil::Date;
use std::collections::{BTreeMap, BTreeSet};

/// The tiers of a week.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WeekTiers {
    /// One for each entry, in the order given.
    pub entries: Vec<EntryTiers>,
    /// Premium and double time over the limit of a day.
    pub over_day_seconds: i64,
    /// Premium time over the limit of the week.
    pub over_week_seconds: i64,
    /// Premium and double time of a seventh day.
    pub seventh_day_seconds: i64,
    /// Why.
    pub steps: Vec<Step>,
}

/// Whether somebody is exempt in a week: one exemption or several cover every day worked in it.
/// The week is the unit of the law; a week in which it changes is treated as not exempt.
pub fn exempt_in_week(exemptions: &[OvertimeExemption], works: &[WorkTime<'_>]) -> bool {
    !works.is_empty()
        && works.iter().all(|work| {
            exemptions
                .iter()
                .any(|one| one.covers(work.worker, work.work_date))
        })
}

/// The tiers of one worker's week that begins on `first`, borne by the clients as `bearing` says.
/// The time of the works is recorded time. For the pay side the bearing does not matter.
pub fn tier_week(
    terms: &OvertimeTerms,
    bearing: OvertimeBearing,
    exemptions: &[OvertimeExemption],
    first: Date,
    works: &[WorkTime<'_>],
) -> Result<WeekTiers, OvertimeError> {
    terms.check()?;
    check_week(terms, first, works)?;
    let exempt = exempt_in_week(exemptions, works);
    let mut walk = Walk::new(terms.rule.limits(), first, works);
    let order = in_order(works);
    let mut entries: Vec<(usize, EntryTiers)> = Vec::with_capacity(works.len());
    for place in &order {
        if let Some(work) = works.get(*place) {
            entries.push((*place, walk.entry(work, exempt)));
        }
    }
    if bearing == OvertimeBearing::ProRata {
        let ordered: Vec<(&str, EntryTiers)> = entries
            .iter()
            .filter_map(|(place, tiers)| Some((works.get(*place)?.customer, tiers.clone())))
            .collect();
        let borne = by_clients(&ordered)?;
        for ((_, tiers), new) in entries.iter_mut().zip(borne) {
            *tiers = new;
        }
    }
    entries.sort_by_key(|(place, _)| *place);
    let entries: Vec<EntryTiers> = entries.into_iter().map(|(_, tiers)| tiers).collect();
    let steps = words(terms, bearing, exempt, first, &walk, &entries);
    Ok(WeekTiers {
        entries,
        over_day_seconds: walk.over_day,
        over_week_seconds: walk.over_week,
        seventh_day_seconds: walk.seventh_day,
        steps,
    })
}

fn check_week(
    terms: &OvertimeTerms,
    first: Date,
    works: &[WorkTime<'_>],
) -> Result<(), OvertimeError> {
    let begins = terms.week_start.week_of(first);
    if begins != first {
        return Err(OvertimeError::NotTheFirstDay { first, begins });
    }
    let mut seen = BTreeSet::new();
    let mut total = 0_i64;
    for work in works {
        if terms.week_start.week_of(work.work_date) != first {
            return Err(OvertimeError::OutsideTheWeek {
                source_ref: work.source_ref.to_owned(),
                day: work.work_date,
                first,
            });
        }
        if let Some(other) = works.first().filter(|other| other.worker != work.worker) {
            return Err(OvertimeError::TwoWorkers {
                one: work.worker.to_owned(),
                two: other.worker.to_owned(),
            });
        }
        if !seen.insert(work.source_ref) {
            return Err(OvertimeError::Twice(work.source_ref.to_owned()));
        }
        if work.seconds < 0 {
            return Err(OvertimeError::Negative {
                source_ref: work.source_ref.to_owned(),
                seconds: work.seconds,
            });
        }
        total = total
            .checked_add(work.seconds)
            .ok_or(OvertimeError::TooLarge)?;
    }
    Ok(())
}

/// The state of a walk through the week.
struct Walk {
    limits: OvertimeLimits,
    /// The day whose hours are all premium, if all seven were worked.
    premium_day: Option<Date>,
    day_seconds: BTreeMap<Date, i64>,
    straight: i64,
    over_day: i64,
    over_week: i64,
    seventh_day: i64,
}

impl Walk {
    fn new(limits: OvertimeLimits, first: Date, works: &[WorkTime<'_>]) -> Self {
        let worked: BTreeSet<Date> = works
            .iter()
            .filter(|work| work.seconds > 0)
            .map(|work| work.work_date)
            .collect();
        let all_seven = limits.seventh_day_seconds.is_some() && worked.len() == 7;
        Self {
            limits,
            premium_day: all_seven.then(|| first.saturating_add(6.days())),
            day_seconds: BTreeMap::new(),
            straight: 0,
            over_day: 0,
            over_week: 0,
            seventh_day: 0,
        }
    }

    /// The tiers of the next entry.
    fn entry(&mut self, work: &WorkTime<'_>, exempt: bool) -> EntryTiers {
        let mut tiers = EntryTiers {
            source_ref: work.source_ref.to_owned(),
            straight_seconds: 0,
            premium_seconds: 0,
            double_seconds: 0,
        };
        if exempt {
            tiers.straight_seconds = work.seconds;
            return tiers;
        }
        let day = self.day_seconds.entry(work.work_date).or_default();
        let (from, to) = (*day, day.saturating_add(work.seconds));
        *day = to;
        if self.premium_day == Some(work.work_date) {
            let limit = self.limits.seventh_day_seconds;
            tiers.premium_seconds = below(from, to, limit);
            tiers.double_seconds = work.seconds - tiers.premium_seconds;
            self.seventh_day += work.seconds;
            return tiers;
        }
        let within_day = below(from, to, self.limits.daily_seconds);
        let within_double = below(from, to, self.limits.double_seconds);
        tiers.double_seconds = work.seconds - within_double;
        let week = self.straight.saturating_add(within_day);
        tiers.straight_seconds = below(self.straight, week, self.limits.weekly_seconds);
        self.straight += tiers.straight_seconds;
        self.over_week += within_day - tiers.straight_seconds;
        self.over_day += work.seconds - within_day;
        tiers.premium_seconds = work.seconds - tiers.straight_seconds - tiers.double_seconds;
        tiers
    }
}

/// How much of the stretch from `from` to `to` lies below a limit.
fn below(from: i64, to: i64, limit: Option<i64>) -> i64 {
    let limit = limit.unwrap_or(i64::MAX);
    to.min(limit) - from.min(limit)
}

fn words(
    terms: &OvertimeTerms,
    bearing: OvertimeBearing,
    exempt: bool,
    first: Date,
    walk: &Walk,
    entries: &[EntryTiers],
) -> Vec<Step> {
    let sum = |part: fn(&EntryTiers) -> i64| time_words(entries.iter().map(part).sum());
    let mut why = Explanation::default();
    if exempt {
        why.step(
            "overtime",
            format_args!("work week from {first}, the worker is exempt on every day worked"),
            format_args!("{} straight", sum(|e| e.straight_seconds)),
        );
        return why.steps;
    }
    why.step(
        "overtime",
        format_args!(
            "work week from {first}, days of {}: {} over the day, {} over the week, {} of a seventh day",
            terms.zone,
            time_words(walk.over_day),
            time_words(walk.over_week),
            time_words(walk.seventh_day)
        ),
        format_args!(
            "{} straight, {} premium, {} double",
            sum(|e| e.straight_seconds),
            sum(|e| e.premium_seconds),
            sum(|e| e.double_seconds)
        ),
    );
    why.step(
        "who bears overtime",
        match bearing {
            OvertimeBearing::LastHours => "the last hours in the order of the clock",
            OvertimeBearing::ProRata => {
                "every client by its hours, in hundredths of an hour, largest remainder"
            }
        },
        entries
            .iter()
            .filter(|e| e.premium_seconds + e.double_seconds > 0)
            .map(|e| {
                let beyond = e.premium_seconds + e.double_seconds;
                format!("{} of entry {}", time_words(beyond), e.source_ref)
            })
            .collect::<Vec<_>>()
            .join(", "),
    );
    why.steps
}

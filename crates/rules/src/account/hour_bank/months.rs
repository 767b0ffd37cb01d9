//! The bank worked out from its logs.

use super::{BankView, HourBank, Month, Period};
use crate::account::ask::{Outcome, Slice};
use crate::account::cut::{less, more, slice};
use crate::account::refusal::Refusal;
use domain::contract::accounts::hour_bank::BankOrder;
use domain::decimal::Micro;

/// Hours that can be used: a period's own, or carried ones with the periods they still live.
#[derive(Debug, Clone, Copy)]
struct Bucket {
    left: Micro,
    own: bool,
    lives: u32,
}

/// What one use took.
#[derive(Debug, Clone, Copy)]
pub(super) struct Taken {
    pub(super) drawn: Micro,
    pub(super) over: Micro,
}

fn left(buckets: &[Bucket], own: bool) -> Result<Micro, Refusal> {
    buckets
        .iter()
        .filter(|bucket| bucket.own == own)
        .try_fold(Micro::ZERO, |sum, bucket| more(sum, bucket.left))
}

/// Take hours from the buckets in order; what they do not hold is over.
fn take(buckets: &mut [Bucket], hours: Micro) -> Result<Taken, Refusal> {
    let mut drawn = Micro::ZERO;
    for bucket in buckets.iter_mut() {
        let part = bucket.left.min(less(hours, drawn)?);
        bucket.left = less(bucket.left, part)?;
        drawn = more(drawn, part)?;
    }
    Ok(Taken {
        drawn,
        over: less(hours, drawn)?,
    })
}

impl Period {
    /// The buckets of the period, in the order of use.
    fn buckets(&self, carried: &[Bucket]) -> Result<Vec<Bucket>, Refusal> {
        let mut buckets = carried.to_vec();
        buckets.push(Bucket {
            left: more(self.terms.allowance_hours, self.given_back)?,
            own: true,
            lives: 0,
        });
        if self.terms.order == BankOrder::NewestFirst {
            buckets.reverse();
        }
        Ok(buckets)
    }

    /// Whether the bank ends with this period.
    fn is_last(&self) -> bool {
        self.terms.to.is_some_and(|to| to <= self.next)
    }

    /// What goes on to the next period, oldest first. A carried bucket lives its own life; only the
    /// period's own hours are limited by the maximum.
    fn carry(&self, buckets: &[Bucket]) -> Vec<Bucket> {
        let mut sorted = buckets.to_vec();
        if self.terms.order == BankOrder::NewestFirst {
            sorted.reverse();
        }
        let goes_on = |bucket: Bucket| match (self.terms.rollover, bucket.own) {
            _ if self.is_last() => None,
            (Some(rollover), true) => Some(Bucket {
                left: bucket.left.min(rollover.maximum_hours),
                own: false,
                lives: rollover.life_periods,
            }),
            (None, true) => None,
            (_, false) if bucket.lives <= 1 => None,
            (_, false) => Some(Bucket {
                lives: bucket.lives.saturating_sub(1),
                ..bucket
            }),
        };
        let next = sorted.into_iter().filter_map(goes_on);
        next.filter(|bucket| bucket.left != Micro::ZERO).collect()
    }

    fn work_out(&self, carried: &mut Vec<Bucket>) -> Result<(Month, Vec<Taken>), Refusal> {
        let mut buckets = self.buckets(carried)?;
        let (rolled_in, own) = (left(&buckets, false)?, left(&buckets, true)?);
        let taken = self
            .log
            .iter()
            .map(|each| take(&mut buckets, each.hours))
            .collect::<Result<Vec<_>, _>>()?;
        let sum = |part: fn(&Taken) -> Micro| {
            taken
                .iter()
                .try_fold(Micro::ZERO, |sum, t| more(sum, part(t)))
        };
        let (drawn, overage) = (sum(|t| t.drawn)?, sum(|t| t.over)?);
        let (left_rolled, left_own) = (left(&buckets, false)?, left(&buckets, true)?);
        *carried = self.carry(&buckets);
        let rolled_out = left(carried, false)?;
        let month = Month {
            first: self.first,
            closed: self.closed,
            rolled_in,
            allowance: self.terms.allowance_hours,
            given_back: self.given_back,
            used: more(drawn, overage)?,
            from_rolled: less(rolled_in, left_rolled)?,
            from_current: less(own, left_own)?,
            overage,
            rolled_out,
            expired: less(more(left_rolled, left_own)?, rolled_out)?,
        };
        Ok((month, taken))
    }
}

impl HourBank {
    /// Each period's figures, and what each use of its log took.
    pub(super) fn worked_out(&self) -> Result<Vec<(Month, Vec<Taken>)>, Refusal> {
        let mut carried = Vec::new();
        self.periods
            .iter()
            .map(|period| period.work_out(&mut carried))
            .collect()
    }

    /// The bank worked out.
    pub fn view(&self) -> Result<BankView, Refusal> {
        let mut view = BankView {
            months: Vec::new(),
            items: std::collections::BTreeMap::new(),
        };
        for (period, (month, taken)) in self.periods.iter().zip(self.worked_out()?) {
            view.months.push(month);
            for (each, taken) in period.log.iter().zip(taken) {
                if let Some(item) = &each.item {
                    let parts = view.items.entry(item.clone()).or_default();
                    parts.extend(self.parts(period, taken)?);
                }
            }
        }
        Ok(view)
    }

    /// The parts of one entry, in the order of use: as [`HourBank::view`] has them.
    pub fn parts_of(&self, item: &str) -> Result<Vec<Slice>, Refusal> {
        let mut parts = Vec::new();
        if self.record(item).is_none() {
            return Ok(parts);
        }
        for (period, (_, taken)) in self.periods.iter().zip(self.worked_out()?) {
            for (each, taken) in period.log.iter().zip(taken) {
                if each.item.as_deref() == Some(item) {
                    parts.extend(self.parts(period, taken)?);
                }
            }
        }
        Ok(parts)
    }

    fn parts(&self, period: &Period, taken: Taken) -> Result<Vec<Slice>, Refusal> {
        let parts = [
            (Outcome::Allowance, taken.drawn, Micro::ZERO),
            (Outcome::Overage, taken.over, period.terms.overage_rate),
        ];
        parts
            .into_iter()
            .filter(|(_, hours, _)| *hours != Micro::ZERO)
            .map(|(outcome, hours, rate)| slice(&self.printing, outcome, hours, rate))
            .collect()
    }
}

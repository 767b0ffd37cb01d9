//! Work posted out of its period: how much of each month's work stands in another month's books.
//!
//! Margin is told by the month of the work, the general ledger by the month of posting; the sums
//! of both are the same, and this report says what lies between them.

use crate::explanation::{Explanation, Step};
use domain::money::{Money, MoneyError};
use domain::period::Month;
use jiff::civil::Date;
use std::collections::BTreeMap;

/// Posted work, or a correction of it with its sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PostedWork {
    /// The day of the work.
    pub work_date: Date,
    /// The day it is booked on.
    pub posting_date: Date,
    /// The time.
    pub seconds: i64,
    /// The amount.
    pub amount: Money,
}

/// What was done in one month and posted in another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OutOfPeriod {
    /// The month of the work.
    pub work_month: Month,
    /// The month of posting.
    pub posting_month: Month,
    /// How many postings.
    pub count: u64,
    /// Their time.
    pub seconds: i64,
    /// Their amount.
    pub amount: Money,
}

/// What a month has, by one of the two dates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MonthTotal {
    /// The month.
    pub month: Month,
    /// The time.
    pub seconds: i64,
    /// The amount.
    pub amount: Money,
}

/// The report. Each currency has its own lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeriodReport {
    /// By month of work, month of posting and currency, only where the months differ.
    pub out_of_period: Vec<OutOfPeriod>,
    /// By month of work and currency.
    pub by_work_month: Vec<MonthTotal>,
    /// By month of posting and currency.
    pub by_posting_month: Vec<MonthTotal>,
    /// Why.
    pub steps: Vec<Step>,
}

/// Report on posted work.
pub fn report(posted: &[PostedWork]) -> Result<PeriodReport, MoneyError> {
    let mut pairs: BTreeMap<(Month, Month, &str), Sum> = BTreeMap::new();
    for work in posted {
        let months = (Month::of(work.work_date), Month::of(work.posting_date));
        let code = work.amount.currency.code();
        Sum::add(
            pairs.entry((months.0, months.1, code)),
            work.seconds,
            work.amount,
            1,
        )?;
    }
    let mut by_work: BTreeMap<(Month, &str), Sum> = BTreeMap::new();
    let mut by_posting: BTreeMap<(Month, &str), Sum> = BTreeMap::new();
    let mut out_of_period = Vec::new();
    let mut why = Explanation::default();
    for ((work_month, posting_month, code), sum) in &pairs {
        Sum::add(
            by_work.entry((*work_month, code)),
            sum.seconds,
            sum.amount,
            sum.count,
        )?;
        Sum::add(
            by_posting.entry((*posting_month, code)),
            sum.seconds,
            sum.amount,
            sum.count,
        )?;
        if work_month == posting_month {
            continue;
        }
        why.step(
            "out of period",
            format_args!(
                "work of {work_month} posted in {posting_month}, {} postings",
                sum.count
            ),
            format_args!("{} s, {}", sum.seconds, sum.amount),
        );
        out_of_period.push(OutOfPeriod {
            work_month: *work_month,
            posting_month: *posting_month,
            count: sum.count,
            seconds: sum.seconds,
            amount: sum.amount,
        });
    }
    Ok(PeriodReport {
        out_of_period,
        by_work_month: totals(&by_work),
        by_posting_month: totals(&by_posting),
        steps: why.steps,
    })
}

#[derive(Clone, Copy)]
struct Sum {
    count: u64,
    seconds: i64,
    amount: Money,
}

impl Sum {
    fn add<K: Ord>(
        entry: std::collections::btree_map::Entry<'_, K, Self>,
        seconds: i64,
        amount: Money,
        count: u64,
    ) -> Result<(), MoneyError> {
        let sum = entry.or_insert(Self {
            count: 0,
            seconds: 0,
            amount: Money::zero(amount.currency),
        });
        sum.count = sum.count.checked_add(count).ok_or(MoneyError::TooLarge)?;
        sum.seconds = sum
            .seconds
            .checked_add(seconds)
            .ok_or(MoneyError::TooLarge)?;
        sum.amount = sum.amount.checked_add(amount)?;
        Ok(())
    }
}

fn totals(sums: &BTreeMap<(Month, &str), Sum>) -> Vec<MonthTotal> {
    sums.iter()
        .map(|((month, _), sum)| MonthTotal {
            month: *month,
            seconds: sum.seconds,
            amount: sum.amount,
        })
        .collect()
}

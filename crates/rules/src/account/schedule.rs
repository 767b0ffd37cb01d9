//! What a contract bills by the calendar: instalments and monthly fees, as items of their days.
//!
//! There is no state: an item's id is its terms' id and its month, so the same days asked for twice
//! give the same items, and the ledger knows them again.

use super::refusal::Refusal;
use crate::explanation::Explanation;
use domain::contract::accounts::Printing;
use domain::contract::accounts::schedule::{MonthlyFee, PartialMonths, ScheduleTerms};
use domain::money::Money;
use jiff::ToSpan;
use jiff::civil::Date;

/// Something that is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    /// The day.
    pub date: Date,
    /// The item inside the contract: the instalment, or the fee and its month.
    pub item: String,
    /// How much.
    pub amount: Money,
}

/// What is due, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scheduled {
    /// By day and item.
    pub due: Vec<Due>,
    /// How it came about.
    pub why: Explanation,
}

/// Everything that is due from a day on, before another.
pub fn due(
    terms: &ScheduleTerms,
    printing: &Printing,
    from: Date,
    to: Date,
) -> Result<Scheduled, Refusal> {
    terms.check(printing)?;
    let mut why = Explanation {
        pricing_version: crate::PRICING_VERSION,
        steps: Vec::new(),
    };
    let mut due = Vec::new();
    for one in &terms.instalments {
        if from <= one.date && one.date < to {
            let amount = printing.money(&one.id, "amount", one.amount)?;
            why.step(
                format_args!("instalment {}", one.id),
                format_args!("due {}", one.date),
                amount,
            );
            due.push(Due {
                date: one.date,
                item: one.id.clone(),
                amount,
            });
        }
    }
    for fee in &terms.monthly_fees {
        due.extend(months_of(fee, printing, from, to, &mut why)?);
    }
    due.sort_by(|a, b| (a.date, &a.item).cmp(&(b.date, &b.item)));
    Ok(Scheduled { due, why })
}

fn months_of(
    fee: &MonthlyFee,
    printing: &Printing,
    from: Date,
    to: Date,
    why: &mut Explanation,
) -> Result<Vec<Due>, Refusal> {
    let mut due = Vec::new();
    // Nothing of a month before `from` can be due on or after it.
    let mut month = Some(fee.from.max(from).first_of_month());
    while let Some(first) = month {
        if first >= to || fee.to.is_some_and(|end| end <= first) {
            break;
        }
        if let Some(one) = month_of(fee, printing, first, why, |date| from <= date && date < to)? {
            due.push(one);
        }
        month = first.checked_add(1.month()).ok();
    }
    Ok(due)
}

/// The fee of one month, if it is due on a day that is asked for.
fn month_of(
    fee: &MonthlyFee,
    printing: &Printing,
    first: Date,
    why: &mut Explanation,
    asked: impl Fn(Date) -> bool,
) -> Result<Option<Due>, Refusal> {
    let length = first.days_in_month();
    let begins = fee.from.max(first);
    let last = first.last_of_month();
    let ends = match fee.to.and_then(|end| end.yesterday().ok()) {
        Some(end) => end.min(last),
        None => last,
    };
    let wished = first
        .with()
        .day(fee.day.min(length))
        .build()
        .map_err(|error| Refusal::TooLarge(format!("the day of fee {} ({error})", fee.id)))?;
    let date = wished.max(begins).min(ends);
    if !asked(date) {
        return Ok(None);
    }
    let covered = i64::from(ends.day()) - i64::from(begins.day()) + 1;
    let whole = printing.money(&fee.id, "amount", fee.amount)?;
    let amount = match fee.partial_months {
        PartialMonths::Full => whole,
        PartialMonths::ByDays => whole
            .share(covered, i64::from(length), printing.amount_rounding)
            .map_err(|error| Refusal::TooLarge(format!("fee {} ({error})", fee.id)))?,
    };
    why.step(
        format_args!("monthly fee {}", fee.id),
        format_args!("{whole} a month, {covered} of {length} days, due {date}"),
        amount,
    );
    let month = first.strftime("%Y-%m");
    Ok(Some(Due {
        date,
        item: format!("{}/{month}", fee.id),
        amount,
    }))
}

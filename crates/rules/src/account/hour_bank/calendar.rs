//! The periods of a bank by the calendar: a month each, the first one from the bank's beginning.

use super::HourBank;
use crate::account::Event;
use crate::account::refusal::Refusal;
use domain::money::Money;
use jiff::ToSpan;
use jiff::civil::Date;

/// The fee of one period.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeriodFee {
    /// The item it becomes inside the contract.
    pub item: String,
    /// The period's first day, on which it is due.
    pub first: Date,
    /// How much, by the terms of the day the period opened.
    pub amount: Money,
}

impl HourBank {
    /// The fees of all periods, in order.
    pub fn fees(&self) -> Result<Vec<PeriodFee>, Refusal> {
        self.periods
            .iter()
            .map(|period| {
                let terms = &period.terms;
                Ok(PeriodFee {
                    item: format!("{}/{}", terms.id, period.first),
                    first: period.first,
                    amount: self.printing.money(&terms.id, "fee", terms.fee)?,
                })
            })
            .collect()
    }

    /// What the calendar tells the bank on a day: months that have begun open, the first one on
    /// `begin`; months open so far whose books are closed close. Closing says what is late.
    pub fn due(&self, begin: Date, today: Date, books_closed: impl Fn(Date) -> bool) -> Vec<Event> {
        let mut events = Vec::new();
        let mut open: Vec<(Date, Date)> = self
            .periods
            .iter()
            .filter(|period| !period.closed)
            .map(|period| (period.first, period.next))
            .collect();
        let mut first = self.periods.last().map_or(begin, |period| period.next);
        let ended = |day: Date| self.terms.to.is_some_and(|to| to <= day);
        while first <= today && !ended(first) {
            let Ok(next) = first.first_of_month().checked_add(1.month()) else {
                break;
            };
            events.push(Event::OpenPeriod { first, next });
            open.push((first, next));
            first = next;
        }
        for (first, next) in open {
            let last = next.yesterday().unwrap_or(first);
            // In order, and never the month of today: its work is still coming.
            if next > today || !books_closed(last) {
                break;
            }
            events.push(Event::ClosePeriod { first });
        }
        events
    }
}

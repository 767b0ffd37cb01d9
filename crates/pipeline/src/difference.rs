//! By what an issued line is to be more or less, where its contract bills differences: one further line,
//! or a credit of a part of it. What cannot be said in one that multiplies out is not said so: then
//! the line is credited and billed anew.

use crate::plan::{Correction, HeldLine, Home, Numbers, Wanted};
use domain::decimal::Micro;
use domain::money::Money;
use domain::rounding::Rounding;

/// A difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Difference {
    /// A further line. Hours more at the same rate; or the same hours at what the rate is more, with
    /// a negative quantity where it is less.
    Further(Numbers),
    /// This part of the latest line is credited.
    InPart(Numbers),
}

/// Whether both are the same place for the same supply. A correction goes to the period that is open
/// when it is made.
pub(crate) fn same_but_period(a: &Home, b: &Home) -> bool {
    let Home {
        shape,
        bill_to,
        currency,
        group_key,
        period: _,
    } = a;
    (*shape, bill_to, *currency, group_key) == (b.shape, &b.bill_to, b.currency, &b.group_key)
}

/// The difference between what an issued line and what corrected it come to, and what is wanted; none
/// if the line is to be credited and billed anew.
pub(crate) fn difference(wanted: &Wanted, held: &HeldLine) -> Option<Difference> {
    let Correction::Difference(rounding) = wanted.correction else {
        return None;
    };
    let (from, to) = (held.comes_to, wanted.numbers);
    let same_supply = same_but_period(&wanted.home, &held.home)
        && wanted.refs == held.refs
        && from.work_date == to.work_date;
    let hours = |numbers: &Numbers| numbers.quantity.micro();
    if !same_supply || hours(&from) <= 0 || hours(&to) <= 0 {
        return None;
    }
    let amount_minor = to.amount_minor.checked_sub(from.amount_minor)?;
    let further = |quantity: i64, rate: Micro| {
        let quantity = Micro::from_micro(quantity);
        let line = Numbers {
            quantity,
            rate,
            amount_minor,
            ..to
        };
        multiplies_out(&line, held, rounding).then_some(Difference::Further(line))
    };
    if from.rate == to.rate {
        let more = hours(&to).checked_sub(hours(&from))?;
        if more > 0 {
            return further(more, to.rate);
        }
        let latest = &held.numbers;
        let part = Numbers {
            quantity: Micro::from_micro(more.checked_neg()?),
            amount_minor: amount_minor.checked_neg()?,
            ..*latest
        };
        let part_of_latest = latest.rate == to.rate && part.quantity < latest.quantity;
        let sound = part_of_latest && hours(&part) > 0 && multiplies_out(&part, held, rounding);
        return sound.then_some(Difference::InPart(part));
    }
    if from.quantity != to.quantity {
        return None;
    }
    let dearer = to.rate.micro().checked_sub(from.rate.micro())?;
    let quantity = hours(&to).checked_mul(dearer.signum())?;
    further(quantity, Micro::from_micro(dearer.checked_abs()?))
}

fn multiplies_out(numbers: &Numbers, held: &HeldLine, rounding: Rounding) -> bool {
    let currency = held.home.currency;
    Money::times(numbers.quantity, numbers.rate, currency, rounding)
        .is_ok_and(|printed| printed.amount_minor == numbers.amount_minor)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::samples::{held, numbers, wanted};

    fn line(hours: &str, rate: &str, amount_minor: i64) -> Numbers {
        Numbers {
            rate: rate.parse().unwrap(),
            amount_minor,
            ..numbers(hours)
        }
    }

    fn of(from: Numbers, to: Numbers) -> Option<(bool, String, String, i64)> {
        let held = HeldLine {
            numbers: from,
            comes_to: from,
            ..held("1", false)
        };
        let wanted = Wanted {
            numbers: to,
            correction: Correction::Difference(Rounding::HalfUp),
            ..wanted("1", "2026-12")
        };
        difference(&wanted, &held).map(|difference| {
            let (further, n) = match difference {
                Difference::Further(numbers) => (true, numbers),
                Difference::InPart(numbers) => (false, numbers),
            };
            (
                further,
                n.quantity.to_string(),
                n.rate.to_string(),
                n.amount_minor,
            )
        })
    }

    fn said(further: bool, quantity: &str, rate: &str, minor: i64) -> (bool, String, String, i64) {
        (further, quantity.to_owned(), rate.to_owned(), minor)
    }

    /// 8 h at 100 are 800.00. 9 h are 100.00 more, 6 h 200.00 less; at 112.50 8 h are 100.00 more, at
    /// 90 80.00 less.
    #[test]
    fn hours_and_rates_are_billed_by_what_they_differ() {
        let from = line("8", "100", 80_000);
        assert_eq!(
            of(from, line("9", "100", 90_000)),
            Some(said(true, "1", "100", 10_000))
        );
        assert_eq!(
            of(from, line("6", "100", 60_000)),
            Some(said(false, "2", "100", 20_000))
        );
        assert_eq!(
            of(from, line("8", "112.5", 90_000)),
            Some(said(true, "8", "12.5", 10_000))
        );
        assert_eq!(
            of(from, line("8", "90", 72_000)),
            Some(said(true, "-8", "10", -8_000))
        );
        assert_eq!(of(from, from), None);
    }

    /// Hours and rate at once are no one product. 1.33 h at 99.99 are 132.99 (132.9867), and 0.33 h are
    /// the 33.00 (32.9967) that they are more than 1 h: one line. 1.75 h are 174.98 (174.9825) and
    /// 1.25 h 124.99 (124.9875), 49.99 less; half an hour is 50.00 (49.995): the cents do not meet.
    #[test]
    fn what_does_not_multiply_out_is_credited_and_billed_anew() {
        let from = line("8", "100", 80_000);
        assert_eq!(of(from, line("9", "110", 99_000)), None);
        let odd = line("1", "99.99", 9_999);
        assert_eq!(
            of(odd, line("1.33", "99.99", 13_299)),
            Some(said(true, "0.33", "99.99", 3_300))
        );
        assert_eq!(
            of(line("1.25", "99.99", 12_499), line("1.75", "99.99", 17_498)),
            None
        );
    }

    #[test]
    fn another_day_or_another_task_is_another_supply() {
        let from = line("8", "100", 80_000);
        let later = Numbers {
            work_date: jiff::civil::date(2026, 11, 4),
            ..line("9", "100", 90_000)
        };
        assert_eq!(of(from, later), None);
    }
}

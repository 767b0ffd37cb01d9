//! By what an issued line is to be more or less, as lines of the ledger.

use crate::plan::{Correction, HeldLine, Home, Numbers, Wanted};
use domain::money::Money;
use rules::corrections::{Difference, LineNumbers};

/// A difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LineDifference {
    /// A further line.
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
pub(crate) fn difference(wanted: &Wanted, held: &HeldLine) -> Option<LineDifference> {
    let Correction::Difference(rounding) = wanted.correction else {
        return None;
    };
    let (from, to) = (held.comes_to, wanted.numbers);
    let same_supply = same_but_period(&wanted.home, &held.home)
        && wanted.refs == held.refs
        && from.work_date == to.work_date;
    if !same_supply {
        return None;
    }
    let line = |numbers: &Numbers| LineNumbers {
        quantity: numbers.quantity,
        rate: numbers.rate,
        amount: Money {
            amount_minor: numbers.amount_minor,
            currency: held.home.currency,
        },
    };
    let numbers = |like: Numbers, line: LineNumbers| Numbers {
        quantity: line.quantity,
        rate: line.rate,
        amount_minor: line.amount.amount_minor,
        ..like
    };
    let found =
        rules::corrections::difference(&line(&from), &line(&to), &line(&held.numbers), rounding)?;
    Some(match found {
        Difference::Further(line) => LineDifference::Further(numbers(to, line)),
        Difference::InPart(line) => LineDifference::InPart(numbers(held.numbers, line)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::samples::{held, numbers, wanted};
    use domain::rounding::Rounding;

    #[test]
    fn another_day_is_another_supply_and_another_period_is_not() {
        let held = held("8", false);
        let of = |work_date| {
            let to = Numbers {
                amount_minor: held.comes_to.amount_minor + 10_000,
                work_date,
                ..numbers("9")
            };
            let wanted = Wanted {
                numbers: to,
                correction: Correction::Difference(Rounding::HalfUp),
                ..wanted("9", "2026-12")
            };
            difference(&wanted, &held)
        };
        assert_eq!(of(jiff::civil::date(2026, 11, 4)), None);
        let more = of(held.comes_to.work_date);
        assert!(matches!(more, Some(LineDifference::Further(_))), "{more:?}");
    }
}

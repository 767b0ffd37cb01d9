//! By what an issued line is to be more or less, where its contract bills differences: one further line,
//! or a credit of a part of it. What cannot be said in one that multiplies out is not said so: then
//! the line is credited and billed anew.

use domain::decimal::Micro;
use domain::money::Money;
use domain::rounding::Rounding;

/// Quantity, rate and amount of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LineNumbers {
    /// Printed quantity.
    pub quantity: Micro,
    /// Rate per unit.
    pub rate: Micro,
    /// Quantity times rate.
    pub amount: Money,
}

impl LineNumbers {
    fn multiplies_out(&self, rounding: Rounding) -> bool {
        let currency = self.amount.currency;
        Money::times(self.quantity, self.rate, currency, rounding)
            .is_ok_and(|printed| printed == self.amount)
    }
}

/// A difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Difference {
    /// A further line. Hours more at the same rate; or the same hours at what the rate is more, with
    /// a negative quantity where it is less.
    Further(LineNumbers),
    /// This part of the latest line is credited.
    InPart(LineNumbers),
}

/// The difference between what an issued line and what corrected it come to (`from`) and what is wanted,
/// for one supply; none if the line is to be credited and billed anew. `latest` is what is left of the
/// line that would be credited in part.
pub fn difference(
    from: &LineNumbers,
    to: &LineNumbers,
    latest: &LineNumbers,
    rounding: Rounding,
) -> Option<Difference> {
    let hours = |numbers: &LineNumbers| numbers.quantity.micro();
    if hours(from) <= 0 || hours(to) <= 0 {
        return None;
    }
    let amount = to.amount.checked_add(from.amount.negated().ok()?).ok()?;
    let further = |quantity: i64, rate: Micro| {
        let quantity = Micro::from_micro(quantity);
        let line = LineNumbers {
            quantity,
            rate,
            amount,
        };
        let sound = line.multiplies_out(rounding);
        sound.then_some(Difference::Further(line))
    };
    if from.rate == to.rate {
        let more = hours(to).checked_sub(hours(from))?;
        if more > 0 {
            return further(more, to.rate);
        }
        let part = LineNumbers {
            quantity: Micro::from_micro(more.checked_neg()?),
            rate: latest.rate,
            amount: amount.negated().ok()?,
        };
        let part_of_latest = latest.rate == to.rate && part.quantity < latest.quantity;
        let sound = part_of_latest && hours(&part) > 0 && part.multiplies_out(rounding);
        return sound.then_some(Difference::InPart(part));
    }
    if from.quantity != to.quantity {
        return None;
    }
    let dearer = to.rate.micro().checked_sub(from.rate.micro())?;
    let quantity = hours(to).checked_mul(dearer.signum())?;
    further(quantity, Micro::from_micro(dearer.checked_abs()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(hours: &str, rate: &str, amount_minor: i64) -> LineNumbers {
        LineNumbers {
            quantity: hours.parse().unwrap(),
            rate: rate.parse().unwrap(),
            amount: Money {
                amount_minor,
                currency: "EUR".parse().unwrap(),
            },
        }
    }

    fn of(from: LineNumbers, to: LineNumbers) -> Option<Difference> {
        difference(&from, &to, &from, Rounding::HalfUp)
    }

    /// 8 h at 100 are 800.00. 9 h are 100.00 more, 6 h 200.00 less; at 112.50 8 h are 100.00 more, at
    /// 90 80.00 less.
    #[test]
    fn hours_and_rates_are_billed_by_what_they_differ() {
        let from = line("8", "100", 80_000);
        let further = |line| Some(Difference::Further(line));
        assert_eq!(
            of(from, line("9", "100", 90_000)),
            further(line("1", "100", 10_000))
        );
        assert_eq!(
            of(from, line("6", "100", 60_000)),
            Some(Difference::InPart(line("2", "100", 20_000)))
        );
        assert_eq!(
            of(from, line("8", "112.5", 90_000)),
            further(line("8", "12.5", 10_000))
        );
        assert_eq!(
            of(from, line("8", "90", 72_000)),
            further(line("-8", "10", -8_000))
        );
        assert_eq!(of(from, from), None);
    }

    /// Hours and rate at once are no one product. 1.33 h at 99.99 are 132.99 (132.9867), and 0.33 h are
    /// the 33.00 (32.9967) that they are more than 1 h: one line. 1.75 h are 174.98 (174.9825) and
    /// 1.25 h 124.99 (124.9875), 49.99 less; half an hour is 50.00 (49.995): the cents do not meet.
    #[test]
    fn what_does_not_multiply_out_is_credited_and_billed_anew() {
        assert_eq!(of(line("8", "100", 80_000), line("9", "110", 99_000)), None);
        assert_eq!(
            of(line("1", "99.99", 9_999), line("1.33", "99.99", 13_299)),
            Some(Difference::Further(line("0.33", "99.99", 3_300)))
        );
        assert_eq!(
            of(line("1.25", "99.99", 12_499), line("1.75", "99.99", 17_498)),
            None
        );
    }
}

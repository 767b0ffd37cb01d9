//! Hours and money with whole numbers, without the product's code.

use super::FirmError;
use domain::contract::Contract;
use domain::quantity::Unit;
use domain::rounding::Rounding;

/// Divide, halves away from zero. Both are positive here.
fn nearest(dividend: i128, divisor: i128) -> i128 {
    (dividend * 2 + divisor) / (divisor * 2)
}

/// Recorded minutes of hours given in hundredths: 67 stands for 40 minutes.
pub(crate) fn minutes(hundredths: i64) -> i64 {
    i64::try_from(nearest(i128::from(hundredths) * 60, 100)).unwrap_or(i64::MAX)
}

/// Billable minutes under a contract.
pub(crate) fn billable_minutes(contract: &Contract, minutes: i64) -> i64 {
    let Some(rule) = contract.increment else {
        return minutes;
    };
    let step = i64::from(rule.step_minutes).max(1);
    let (whole, rest) = (minutes / step, minutes % step);
    let up = match rule.rounding {
        Rounding::Up => rest > 0,
        Rounding::Down => false,
        Rounding::HalfUp => rest * 2 >= step,
        Rounding::HalfEven => rest * 2 > step || (rest * 2 == step && whole % 2 == 1),
    };
    ((whole + i64::from(up)) * step).max(i64::from(rule.minimum_minutes))
}

/// Printed hours of so many minutes, in hundredths, half up.
pub(crate) fn printed_hundredths(minutes: i64) -> i64 {
    i64::try_from(nearest(i128::from(minutes) * 100, 60)).unwrap_or(i64::MAX)
}

/// What a client reads of so many billable minutes, in hundredths of the contract's unit: days are of
/// eight hours.
pub(crate) fn printed(contract: &Contract, minutes: i64) -> i64 {
    match contract.unit {
        Unit::WorkingDay => {
            let hundredths = nearest(i128::from(minutes) * 100, 480);
            i64::try_from(hundredths).unwrap_or(i64::MAX)
        }
        _ => printed_hundredths(minutes),
    }
}

/// Hundredths of a unit times a rate in 10^-6, rounded half up to minor units.
pub(crate) fn amount_minor(
    hundredths: i64,
    rate_micro: i64,
    minor_digits: u32,
) -> Result<i64, FirmError> {
    let shift = 8_u32
        .checked_sub(minor_digits)
        .and_then(|digits| 10_i128.checked_pow(digits))
        .ok_or(FirmError::Arithmetic("an amount"))?;
    let product = i128::from(hundredths) * i128::from(rate_micro);
    i64::try_from(nearest(product, shift)).map_err(|_| FirmError::Arithmetic("an amount"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_known_cases() {
        for (hundredths, expected) in [(67, 40), (17, 10), (133, 80), (799, 479), (25, 15)] {
            assert_eq!(minutes(hundredths), expected, "{hundredths}");
        }
        for (minutes, printed) in [(80, 133), (10, 17), (40, 67), (479, 798), (15, 25)] {
            assert_eq!(printed_hundredths(minutes), printed, "{minutes}");
        }
        assert_eq!(amount_minor(133, 187_123_400, 2), Ok(24_887));
        assert_eq!(amount_minor(17, 15_000_000_000, 0), Ok(2_550));
        assert_eq!(amount_minor(20, 30_000_000, 2), Ok(600));
    }
}

//! What a worker is paid for a week: straight pay, and the premium on the mean regular rate.
//!
//! With several rates in one week the regular rate is all straight pay by all hours (29 CFR
//! 778.115). It stays an exact fraction; only the premium is rounded, once.

use crate::explanation::{Explanation, Step};
use crate::overtime::OvertimeError;
use crate::quantity::time_words;
use domain::currency::Currency;
use domain::decimal::{MICRO_SCALE, Micro};
use domain::money::Money;
use domain::overtime::OvertimeTerms;
use domain::rounding::Rounding;

const MICRO: i128 = 1_000_000;
const HOUR_SECONDS: i128 = 3600;

/// Work of a week at one rate of pay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PaidWork {
    /// Recorded time.
    pub seconds: i64,
    /// The rate per hour.
    pub rate: Micro,
}

/// The mean rate of a week, as the exact fraction of what was earned by what was worked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RegularRate {
    /// Seconds times millionths of the rate per hour.
    earned: i128,
    /// Seconds, more than none.
    seconds: i128,
}

impl RegularRate {
    /// The regular rate of somebody who has one rate.
    pub fn of_one(rate: Micro) -> Self {
        Self {
            earned: i128::from(rate.micro()),
            seconds: 1,
        }
    }

    /// The regular rate of a week with several rates.
    pub fn of(works: &[PaidWork]) -> Result<Self, OvertimeError> {
        let (seconds, earned) = sums(works)?;
        if seconds == 0 {
            return Err(OvertimeError::NoHours);
        }
        Ok(Self { earned, seconds })
    }

    /// To six decimals, for reading; nothing is worked out from it.
    pub fn shown(&self) -> Result<Micro, OvertimeError> {
        Rounding::HalfUp
            .whole(self.earned, self.seconds)
            .and_then(|micro| i64::try_from(micro).ok())
            .map(Micro::from_micro)
            .ok_or(OvertimeError::TooLarge)
    }

    /// What the premium of an hour costs: the rate times what the multiple adds, rounded half up
    /// once to so many decimals.
    pub fn premium_rate(&self, multiple: Micro, decimals: u32) -> Result<Micro, OvertimeError> {
        let decimals = decimals.min(MICRO_SCALE);
        let product = self
            .earned
            .checked_mul(i128::from(multiple.micro() - 1_000_000));
        let unit = 10_i128
            .checked_pow(2 * MICRO_SCALE - decimals)
            .and_then(|unit| unit.checked_mul(self.seconds));
        product
            .zip(unit)
            .and_then(|(product, unit)| Rounding::HalfUp.whole(product, unit))
            .zip(10_i128.checked_pow(MICRO_SCALE - decimals))
            .and_then(|(whole, step)| whole.checked_mul(step))
            .and_then(|micro| i64::try_from(micro).ok())
            .map(Micro::from_micro)
            .ok_or(OvertimeError::TooLarge)
    }
}

/// The pay of a week.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WeekPay {
    /// The regular rate.
    pub regular: RegularRate,
    /// All hours at their rates.
    pub straight: Money,
    /// What overtime adds.
    pub premium: Money,
    /// Both.
    pub total: Money,
    /// Why.
    pub steps: Vec<Step>,
}

/// The pay of a week in which so many seconds are premium and so many double.
pub fn week_pay(
    terms: &OvertimeTerms,
    works: &[PaidWork],
    premium_seconds: i64,
    double_seconds: i64,
    currency: Currency,
) -> Result<WeekPay, OvertimeError> {
    terms.check()?;
    let regular = RegularRate::of(works)?;
    let RegularRate { earned, seconds } = regular;
    let too_large = || OvertimeError::TooLarge;
    let beyond = |multiple: Micro, seconds: i64| {
        i128::from(multiple.micro() - 1_000_000).checked_mul(i128::from(seconds))
    };
    // Seconds beyond straight time, times a million.
    let extra = beyond(terms.premium_multiple, premium_seconds)
        .zip(beyond(terms.double_multiple, double_seconds))
        .and_then(|(premium, double)| premium.checked_add(double))
        .ok_or_else(too_large)?;
    let money = |numerator: i128, denominator: Option<i128>| {
        let denominator = denominator.ok_or_else(too_large)?;
        Money::of_ratio(numerator, denominator, currency, Rounding::HalfUp)
            .map_err(|_| OvertimeError::TooLarge)
    };
    let straight = money(earned, Some(HOUR_SECONDS * MICRO))?;
    let premium = money(
        extra.checked_mul(earned).ok_or_else(too_large)?,
        seconds.checked_mul(HOUR_SECONDS * MICRO * MICRO),
    )?;
    let total = straight.checked_add(premium).map_err(|_| too_large())?;
    let shown = regular.shown()?;
    let mut why = Explanation::default();
    why.step(
        "regular rate",
        format_args!("{straight} of straight pay by {seconds} s of work"),
        format_args!("{currency} {shown} per hour, exact as a fraction"),
    );
    why.step(
        "premium pay",
        format_args!(
            "{} premium x ({} - 1) and {} double x ({} - 1), at the regular rate, rounded once",
            time_words(premium_seconds),
            terms.premium_multiple,
            time_words(double_seconds),
            terms.double_multiple
        ),
        premium,
    );
    Ok(WeekPay {
        regular,
        straight,
        premium,
        total,
        steps: why.steps,
    })
}

/// All seconds, and seconds times millionths of the rate.
fn sums(works: &[PaidWork]) -> Result<(i128, i128), OvertimeError> {
    let (mut seconds, mut earned) = (0_i128, 0_i128);
    for work in works {
        if work.seconds < 0 || work.rate.is_negative() {
            return Err(OvertimeError::NotPaid {
                seconds: work.seconds,
                rate: work.rate,
            });
        }
        seconds += i128::from(work.seconds);
        earned = i128::from(work.seconds)
            .checked_mul(i128::from(work.rate.micro()))
            .and_then(|one| earned.checked_add(one))
            .ok_or(OvertimeError::TooLarge)?;
    }
    Ok((seconds, earned))
}

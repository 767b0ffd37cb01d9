//! Money in minor units with its currency. Two currencies cannot be added.

use crate::currency::Currency;
use crate::decimal::{MICRO_SCALE, Micro, write_scaled};
use crate::rounding::Rounding;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;
use thiserror::Error;

/// A product below this is exact as a decimal too, so that whole numbers give the same amount.
const EXACT_MAX: u128 = 1 << 95;

/// An exact amount of one currency.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Money {
    /// Units of the currency's smallest coin: 18750 is EUR 187.50, JPY 18750.
    pub amount_minor: i64,
    /// The currency.
    pub currency: Currency,
}

/// Arithmetic that has no answer.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum MoneyError {
    /// The result does not fit.
    #[error("the amount is too large to be represented")]
    TooLarge,
    /// The two amounts are of different currencies.
    #[error("{0} and {1} cannot be added: the currencies differ")]
    CurrencyMismatch(Currency, Currency),
    /// The text has more digits than the currency.
    #[error("{0} has more digits than {1} carries")]
    TooFine(Decimal, Currency),
}

impl Money {
    /// Nothing, in a currency.
    pub const fn zero(currency: Currency) -> Self {
        Self {
            amount_minor: 0,
            currency,
        }
    }

    /// The exact decimal in major units.
    pub fn decimal(&self) -> Decimal {
        Decimal::new(self.amount_minor, self.currency.minor_digits())
    }

    /// From an exact decimal in major units; refuses what would have to be rounded.
    pub fn from_decimal(value: Decimal, currency: Currency) -> Result<Self, MoneyError> {
        let value = value.normalize();
        if value.scale() > currency.minor_digits() {
            return Err(MoneyError::TooFine(value, currency));
        }
        Self::scaled(value, currency)
    }

    /// Printed quantity times printed rate, rounded once to the currency's smallest coin.
    ///
    /// This, [`Money::of_time`], [`Money::of_ratio`] and [`Money::share`] are the only places where
    /// an amount of money is rounded.
    pub fn times(
        quantity: Micro,
        rate: Micro,
        currency: Currency,
        rounding: Rounding,
    ) -> Result<Self, MoneyError> {
        let product = i128::from(quantity.micro()) * i128::from(rate.micro());
        if product.unsigned_abs() < EXACT_MAX
            && let Some(coin) = 10_i128.checked_pow(2 * MICRO_SCALE - currency.minor_digits())
        {
            return Self::whole(rounding.whole(product, coin), currency);
        }
        let exact = quantity
            .decimal()
            .checked_mul(rate.decimal())
            .ok_or(MoneyError::TooLarge)?;
        Self::scaled(rounding.to_digits(exact, currency.minor_digits()), currency)
    }

    /// Recorded time at a rate per hour, rounded once. Multiplied first and divided last: hours
    /// rounded on the way would lose the half cent of 50 minutes at 80.01.
    pub fn of_time(
        seconds: i64,
        rate: Micro,
        currency: Currency,
        rounding: Rounding,
    ) -> Result<Self, MoneyError> {
        let product = i128::from(seconds) * i128::from(rate.micro());
        if i64::try_from(product).is_ok()
            && let Some(digits) = MICRO_SCALE.checked_sub(currency.minor_digits())
            && let Some(coin) = 10_i128.checked_pow(digits)
        {
            return Self::whole(rounding.whole(product, 3600 * coin), currency);
        }
        let exact = Decimal::from(seconds)
            .checked_mul(rate.decimal())
            .and_then(|product| product.checked_div(Decimal::from(3600)))
            .ok_or(MoneyError::TooLarge)?;
        Self::scaled(rounding.to_digits(exact, currency.minor_digits()), currency)
    }

    /// An exact fraction of major units, rounded once: a mean rate has no decimal form, and its
    /// premium must not be worked out from a rounded one.
    pub fn of_ratio(
        numerator: i128,
        denominator: i128,
        currency: Currency,
        rounding: Rounding,
    ) -> Result<Self, MoneyError> {
        let minor = 10_i128
            .checked_pow(currency.minor_digits())
            .and_then(|coins| numerator.checked_mul(coins))
            .and_then(|scaled| rounding.whole(scaled, denominator));
        Self::whole(minor, currency)
    }

    /// A share of the amount, rounded once: a percentage of a price, or the days of a month that a
    /// fee covers. Multiplied first and divided last.
    pub fn share(self, part: i64, whole: i64, rounding: Rounding) -> Result<Self, MoneyError> {
        let exact = self
            .decimal()
            .checked_mul(Decimal::from(part))
            .and_then(|product| product.checked_div(Decimal::from(whole)))
            .ok_or(MoneyError::TooLarge)?;
        let digits = self.currency.minor_digits();
        Self::scaled(rounding.to_digits(exact, digits), self.currency)
    }

    /// So many of the currency's smallest coins, if they fit.
    fn whole(minor: Option<i128>, currency: Currency) -> Result<Self, MoneyError> {
        minor
            .and_then(|minor| i64::try_from(minor).ok())
            .map(|amount_minor| Self {
                amount_minor,
                currency,
            })
            .ok_or(MoneyError::TooLarge)
    }

    fn scaled(value: Decimal, currency: Currency) -> Result<Self, MoneyError> {
        let factor = 10_i64
            .checked_pow(currency.minor_digits())
            .ok_or(MoneyError::TooLarge)?;
        let amount_minor = value
            .checked_mul(Decimal::from(factor))
            .and_then(|scaled| scaled.to_i64())
            .ok_or(MoneyError::TooLarge)?;
        Ok(Self {
            amount_minor,
            currency,
        })
    }

    /// The sum, if both are of one currency and it fits.
    pub fn checked_add(self, other: Self) -> Result<Self, MoneyError> {
        if self.currency != other.currency {
            return Err(MoneyError::CurrencyMismatch(self.currency, other.currency));
        }
        let amount_minor = self
            .amount_minor
            .checked_add(other.amount_minor)
            .ok_or(MoneyError::TooLarge)?;
        Ok(Self {
            amount_minor,
            currency: self.currency,
        })
    }

    /// The mirror amount.
    pub fn negated(self) -> Result<Self, MoneyError> {
        let amount_minor = self
            .amount_minor
            .checked_neg()
            .ok_or(MoneyError::TooLarge)?;
        Ok(Self {
            amount_minor,
            currency: self.currency,
        })
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.currency.code())?;
        f.write_str(" ")?;
        write_scaled(f, self.amount_minor, self.currency.minor_digits())
    }
}

impl fmt::Debug for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn eur() -> Currency {
        "EUR".parse().unwrap()
    }

    #[test]
    fn printed_quantity_times_printed_rate() {
        // quantity, rate, currency, amount
        let table = [
            ("0.20", "30.00", "EUR", "EUR 6.00"),
            ("1.33", "187.1234", "EUR", "EUR 248.87"),
            ("3.33", "300", "EUR", "EUR 999.00"),
            ("0.17", "15000", "JPY", "JPY 2550"),
            ("0.5", "0.0001", "JPY", "JPY 0"),
            ("-1.33", "187.1234", "EUR", "EUR -248.87"),
        ];
        for (quantity, rate, currency, expected) in table {
            let amount = Money::times(
                quantity.parse().unwrap(),
                rate.parse().unwrap(),
                currency.parse().unwrap(),
                Rounding::HalfUp,
            );
            assert_eq!(amount.unwrap().to_string(), expected);
        }
    }

    #[test]
    fn time_at_a_rate_is_rounded_once() {
        // seconds, rate, currency, amount
        let table = [
            (3000, "80.01", "EUR", "EUR 66.68"),
            (1200, "100", "EUR", "EUR 33.33"),
            (4800, "9000", "JPY", "JPY 12000"),
            (0, "80", "EUR", "EUR 0.00"),
        ];
        for (seconds, rate, currency, expected) in table {
            let amount = Money::of_time(
                seconds,
                rate.parse().unwrap(),
                currency.parse().unwrap(),
                Rounding::HalfUp,
            );
            assert_eq!(amount.unwrap().to_string(), expected);
        }
    }

    #[test]
    fn whole_numbers_round_like_decimals() {
        let modes = [
            Rounding::HalfUp,
            Rounding::HalfEven,
            Rounding::Up,
            Rounding::Down,
        ];
        let rates = [
            1_i64,
            10_000_000,
            80_010_000,
            187_123_456,
            9_999_999_999_999,
        ];
        let sizes = [0_i64, 1, 7, 50, 3_600, 17_100, 16_500, 86_399];
        for (code, digits) in [("EUR", 2), ("JPY", 0), ("KWD", 3), ("CLF", 4)] {
            let currency: Currency = code.parse().unwrap();
            let minor = |exact: Decimal, mode: Rounding| {
                let rounded = mode.to_digits(exact, digits) * Decimal::from(10_i64.pow(digits));
                rounded.to_i64().unwrap()
            };
            for (rate, size, mode) in rates
                .into_iter()
                .flat_map(|rate| sizes.map(|size| (rate, size)))
                .flat_map(|(rate, size)| modes.map(|mode| (rate, size, mode)))
            {
                for rate in [rate, -rate].map(Micro::from_micro) {
                    let quantity = Micro::from_micro(size * 2_500);
                    let money = Money::times(quantity, rate, currency, mode).unwrap();
                    let exact = quantity.decimal() * rate.decimal();
                    assert_eq!(money.amount_minor, minor(exact, mode), "{money} {mode:?}");
                    let money = Money::of_time(size, rate, currency, mode).unwrap();
                    let exact = Decimal::from(size) * rate.decimal() / Decimal::from(3600);
                    assert_eq!(money.amount_minor, minor(exact, mode), "{money} {mode:?}");
                    let printed = format!("{code} {}", money.decimal());
                    assert_eq!(money.to_string(), printed);
                }
            }
        }
    }

    #[test]
    fn a_share_is_rounded_once() {
        // amount, part, whole, currency, share
        let table = [
            (100_000, 17, 31, "EUR", "EUR 548.39"),
            (100_000, 33_330_000, 100_000_000, "EUR", "EUR 333.30"),
            (100_000, 19, 28, "JPY", "JPY 67857"),
            (100_000, 7, 30, "KWD", "KWD 23.333"),
            (-3, 1, 2, "EUR", "EUR -0.02"),
        ];
        for (amount_minor, part, whole, currency, expected) in table {
            let currency = currency.parse().unwrap();
            let amount = Money {
                amount_minor,
                currency,
            };
            let share = amount.share(part, whole, Rounding::HalfUp).unwrap();
            assert_eq!(share.to_string(), expected);
        }
        let none = Money::zero(eur()).share(1, 0, Rounding::HalfUp);
        assert_eq!(none, Err(MoneyError::TooLarge));
    }

    #[test]
    fn a_credit_mirrors_its_invoice() {
        for quantity in ["0.17", "0.67", "1.33", "7.99"] {
            let quantity: Micro = quantity.parse().unwrap();
            let rate: Micro = "187.125".parse().unwrap();
            let bill = Money::times(quantity, rate, eur(), Rounding::HalfUp).unwrap();
            let mirrored = Micro::from_micro(-quantity.micro());
            let credit = Money::times(mirrored, rate, eur(), Rounding::HalfUp).unwrap();
            assert_eq!(bill.checked_add(credit).unwrap(), Money::zero(eur()));
        }
    }

    #[test]
    fn refuses_to_mix_currencies_and_to_overflow() {
        let jpy: Currency = "JPY".parse().unwrap();
        let mixed = Money::zero(eur()).checked_add(Money::zero(jpy));
        assert!(matches!(mixed, Err(MoneyError::CurrencyMismatch(..))));
        let huge = Micro::from_micro(i64::MAX);
        assert_eq!(
            Money::times(huge, huge, eur(), Rounding::HalfUp),
            Err(MoneyError::TooLarge)
        );
    }
}

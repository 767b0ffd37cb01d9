//! Rounding, always named. Money is rounded once, in [`crate::money::Money::times`],
//! [`crate::money::Money::of_time`], [`crate::money::Money::of_ratio`] or
//! [`crate::money::Money::share`].
//!
//! "Half up" is half away from zero, so that a credit is the exact mirror of its invoice.

use rust_decimal::{Decimal, RoundingStrategy};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// How a half and everything else between two steps is decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, Default)]
#[serde(rename_all = "snake_case")]
pub enum Rounding {
    /// To the nearest step, halves away from zero.
    #[default]
    HalfUp,
    /// To the nearest step, halves to the even one.
    HalfEven,
    /// Away from zero.
    Up,
    /// Towards zero.
    Down,
}

impl Rounding {
    /// The name used in files and explanations.
    pub const fn name(self) -> &'static str {
        match self {
            Self::HalfUp => "half_up",
            Self::HalfEven => "half_even",
            Self::Up => "up",
            Self::Down => "down",
        }
    }

    const fn strategy(self) -> RoundingStrategy {
        match self {
            Self::HalfUp => RoundingStrategy::MidpointAwayFromZero,
            Self::HalfEven => RoundingStrategy::MidpointNearestEven,
            Self::Up => RoundingStrategy::AwayFromZero,
            Self::Down => RoundingStrategy::ToZero,
        }
    }

    /// Round to a number of digits after the point.
    pub fn to_digits(self, value: Decimal, digits: u32) -> Decimal {
        value.round_dp_with_strategy(digits, self.strategy())
    }

    /// A fraction rounded to a whole number, exactly; `None` if the denominator is not positive
    /// or the numbers are too large. A third of an hour has no decimal form, a fraction has.
    pub fn whole(self, numerator: i128, denominator: i128) -> Option<i128> {
        if denominator <= 0 {
            return None;
        }
        let towards_zero = numerator.checked_div(denominator)?;
        let rest = numerator.checked_rem(denominator)?.checked_abs()?;
        let twice = rest.checked_mul(2)?;
        let away = match self {
            Self::Up => rest > 0,
            Self::Down => false,
            Self::HalfUp => twice >= denominator,
            Self::HalfEven => {
                twice > denominator || (twice == denominator && towards_zero % 2 != 0)
            }
        };
        towards_zero.checked_add(numerator.signum() * i128::from(away))
    }
}

/// How recorded time becomes billable time: a step, its direction and a minimum.
///
/// Recorded time itself is never rounded; this makes the billable copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Increment {
    /// The step in whole minutes, at least 1.
    pub step_minutes: u32,
    /// The least billable time of a non-zero entry in minutes; a multiple of the step. 0 = none.
    #[serde(default)]
    pub minimum_minutes: u32,
    /// The direction.
    #[serde(default = "up")]
    pub rounding: Rounding,
}

const fn up() -> Rounding {
    Rounding::Up
}

/// An increment rule that cannot be applied.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum IncrementError {
    /// The step is zero.
    #[error("the increment is 0 minutes; write 1 or more")]
    ZeroStep,
    /// The minimum is not on a step.
    #[error(
        "the minimum of {minimum_minutes} minutes is not a multiple of the increment of {step_minutes}"
    )]
    MinimumOffStep {
        /// The minimum asked for.
        minimum_minutes: u32,
        /// The step it must be a multiple of.
        step_minutes: u32,
    },
    /// The recorded time is negative: a correction rounds both states and subtracts.
    #[error("recorded time of {0} seconds is negative")]
    Negative(i64),
}

impl Increment {
    /// Refuse a rule that has no meaning.
    pub const fn check(&self) -> Result<(), IncrementError> {
        if self.step_minutes == 0 {
            return Err(IncrementError::ZeroStep);
        }
        if !self.minimum_minutes.is_multiple_of(self.step_minutes) {
            return Err(IncrementError::MinimumOffStep {
                minimum_minutes: self.minimum_minutes,
                step_minutes: self.step_minutes,
            });
        }
        Ok(())
    }

    /// The billable seconds of so many recorded seconds.
    pub fn apply(&self, recorded_seconds: i64) -> Result<i64, IncrementError> {
        self.check()?;
        if recorded_seconds < 0 {
            return Err(IncrementError::Negative(recorded_seconds));
        }
        let step = i64::from(self.step_minutes) * 60;
        let whole = recorded_seconds / step;
        let rest = recorded_seconds % step;
        let upward = match self.rounding {
            Rounding::Up => rest > 0,
            Rounding::Down => false,
            Rounding::HalfUp => rest * 2 >= step,
            Rounding::HalfEven => rest * 2 > step || (rest * 2 == step && whole % 2 == 1),
        };
        let rounded = (whole + i64::from(upward)) * step;
        let minimum = i64::from(self.minimum_minutes) * 60;
        Ok(if recorded_seconds > 0 {
            rounded.max(minimum)
        } else {
            0
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn minutes(step: u32, minimum: u32, rounding: Rounding, recorded: i64) -> i64 {
        let rule = Increment {
            step_minutes: step,
            minimum_minutes: minimum,
            rounding,
        };
        rule.apply(recorded * 60).unwrap() / 60
    }

    #[test]
    fn money_rounding_modes() {
        use std::str::FromStr;
        // value, half-up, half-even, up, down
        let table = [
            ("2.344", "2.34", "2.34", "2.35", "2.34"),
            ("2.345", "2.35", "2.34", "2.35", "2.34"),
            ("2.355", "2.36", "2.36", "2.36", "2.35"),
            ("2.346", "2.35", "2.35", "2.35", "2.34"),
            ("-2.345", "-2.35", "-2.34", "-2.35", "-2.34"),
            ("-2.355", "-2.36", "-2.36", "-2.36", "-2.35"),
        ];
        for (value, half_up, half_even, up, down) in table {
            let value = Decimal::from_str(value).unwrap();
            for (mode, expected) in [
                (Rounding::HalfUp, half_up),
                (Rounding::HalfEven, half_even),
                (Rounding::Up, up),
                (Rounding::Down, down),
            ] {
                assert_eq!(
                    mode.to_digits(value, 2).to_string(),
                    expected,
                    "{value} {mode:?}"
                );
            }
        }
    }

    #[test]
    fn fractions_round_like_decimals() {
        for mode in [
            Rounding::HalfUp,
            Rounding::HalfEven,
            Rounding::Up,
            Rounding::Down,
        ] {
            for numerator in -33_i128..=33 {
                let exact = Decimal::from_i128_with_scale(numerator, 0) / Decimal::from(8);
                let whole = mode.whole(numerator, 8).unwrap();
                assert_eq!(
                    Decimal::from_i128_with_scale(whole, 0),
                    mode.to_digits(exact, 0),
                    "{numerator}/8 {mode:?}"
                );
            }
        }
        assert_eq!(Rounding::HalfUp.whole(1, 0), None);
        assert_eq!(Rounding::HalfUp.whole(1, -1), None);
        assert_eq!(Rounding::HalfUp.whole(i128::MIN, 1), Some(i128::MIN));
    }

    #[test]
    fn quarter_hours() {
        // minutes, up, down, nearest, up with a minimum of 30
        let table = [
            (0, 0, 0, 0, 0),
            (1, 15, 0, 0, 30),
            (7, 15, 0, 0, 30),
            (8, 15, 0, 15, 30),
            (22, 30, 15, 15, 30),
            (23, 30, 15, 30, 30),
            (105, 105, 105, 105, 105),
            (112, 120, 105, 105, 120),
        ];
        for (m, up, down, nearest, minimum) in table {
            assert_eq!(minutes(15, 0, Rounding::Up, m), up, "{m} up");
            assert_eq!(minutes(15, 0, Rounding::Down, m), down, "{m} down");
            assert_eq!(minutes(15, 0, Rounding::HalfUp, m), nearest, "{m} nearest");
            assert_eq!(minutes(15, 30, Rounding::Up, m), minimum, "{m} minimum");
        }
    }

    #[test]
    fn six_minute_units() {
        let table = [
            (0, 0, 0, 0, 0),
            (2, 6, 0, 0, 0),
            (3, 6, 0, 6, 0),
            (4, 6, 0, 6, 6),
            (6, 6, 6, 6, 6),
            (9, 12, 6, 12, 12),
            (15, 18, 12, 18, 12),
            (21, 24, 18, 24, 24),
        ];
        for (m, up, down, half_up, half_even) in table {
            assert_eq!(minutes(6, 0, Rounding::Up, m), up, "{m} up");
            assert_eq!(minutes(6, 0, Rounding::Down, m), down, "{m} down");
            assert_eq!(minutes(6, 0, Rounding::HalfUp, m), half_up, "{m} half up");
            assert_eq!(
                minutes(6, 0, Rounding::HalfEven, m),
                half_even,
                "{m} half even"
            );
        }
    }

    #[test]
    fn refuses_rules_without_meaning() {
        let zero = Increment {
            step_minutes: 0,
            minimum_minutes: 0,
            rounding: Rounding::Up,
        };
        assert_eq!(zero.apply(60), Err(IncrementError::ZeroStep));
        let off = Increment {
            step_minutes: 15,
            minimum_minutes: 20,
            rounding: Rounding::Up,
        };
        assert!(matches!(
            off.apply(60),
            Err(IncrementError::MinimumOffStep { .. })
        ));
        let fine = Increment {
            step_minutes: 15,
            minimum_minutes: 30,
            rounding: Rounding::Up,
        };
        assert_eq!(fine.apply(-60), Err(IncrementError::Negative(-60)));
    }
}

//! Exact decimals at the edge of the scaled integers that the ledger stores.
//!
//! Rates and quantities are integers scaled by 10^6 ([`Micro`]); arithmetic goes through
//! `rust_decimal`, never through binary floating point.

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::str::FromStr;
use thiserror::Error;

/// Digits after the point that a [`Micro`] carries.
pub const MICRO_SCALE: u32 = 6;

/// A decimal scaled by 10^6 in an `i64`: rates, quantities, percentages.
///
/// In JSON and TOML it is a string such as `"187.1234"`, because a JSON number may pass through
/// a binary float on its way.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Micro(i64);

/// Why a text or number is not a [`Micro`].
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum DecimalError {
    /// The text is not a plain decimal number.
    #[error("'{0}' is not a decimal number (write it like 187.1234)")]
    Unreadable(String),
    /// More than six digits follow the point.
    #[error("'{0}' has more than {MICRO_SCALE} digits after the point")]
    TooFine(String),
    /// The value does not fit.
    #[error("'{0}' is too large")]
    TooLarge(String),
}

impl Micro {
    /// Zero.
    pub const ZERO: Self = Self(0);

    /// From the stored integer (units of 10^-6).
    pub const fn from_micro(micro: i64) -> Self {
        Self(micro)
    }

    /// The stored integer (units of 10^-6).
    pub const fn micro(self) -> i64 {
        self.0
    }

    /// The exact decimal, without trailing zeros.
    pub fn decimal(self) -> Decimal {
        Decimal::new(self.0, MICRO_SCALE).normalize()
    }

    /// From an exact decimal; refuses what would lose digits.
    pub fn from_decimal(value: Decimal) -> Result<Self, DecimalError> {
        let value = value.normalize();
        if value.scale() > MICRO_SCALE {
            return Err(DecimalError::TooFine(value.to_string()));
        }
        let factor = Decimal::from(1_000_000_i64);
        value
            .checked_mul(factor)
            .and_then(|scaled| scaled.to_i64())
            .map(Self)
            .ok_or_else(|| DecimalError::TooLarge(value.to_string()))
    }

    /// True below zero.
    pub const fn is_negative(self) -> bool {
        self.0 < 0
    }
}

impl FromStr for Micro {
    type Err = DecimalError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        let shape = text.strip_prefix('-').unwrap_or(text);
        let plain = !shape.is_empty()
            && shape.bytes().all(|b| b.is_ascii_digit() || b == b'.')
            && shape.bytes().filter(|b| *b == b'.').count() <= 1
            && shape.bytes().any(|b| b.is_ascii_digit());
        if !plain || text.len() > 40 {
            return Err(DecimalError::Unreadable(text.chars().take(40).collect()));
        }
        // A decimal of more digits than the arithmetic holds would be rounded while it is read.
        let decimals = text.split_once('.').map_or("", |(_, decimals)| decimals);
        if decimals.trim_end_matches('0').len() > 6 {
            return Err(DecimalError::TooFine(text.to_owned()));
        }
        let value = Decimal::from_str(text)
            .map_err(|_| DecimalError::TooLarge(text.chars().take(40).collect()))?;
        Self::from_decimal(value)
    }
}

impl fmt::Display for Micro {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (mut scaled, mut digits) = (self.0, MICRO_SCALE);
        while digits > 0 && scaled % 10 == 0 {
            scaled /= 10;
            digits -= 1;
        }
        write_scaled(f, scaled, digits)
    }
}

impl fmt::Debug for Micro {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The most signs of a number: the digits of the greatest integer, or as many zeros as a scale has,
/// a point and a minus.
const TEXT_MAX: usize = 40;

/// Write an integer with its last digits behind the point. Explanations are mostly numbers, so this
/// is written without the detour over a decimal.
pub(crate) fn write_scaled(f: &mut fmt::Formatter<'_>, scaled: i64, digits: u32) -> fmt::Result {
    let mut text = [b'0'; TEXT_MAX];
    let mut rest = scaled.unsigned_abs();
    let mut written = 0_u32;
    let mut signs = text.iter_mut().rev();
    let mut put = |sign: u8| {
        if let Some(place) = signs.next() {
            *place = sign;
        }
    };
    let mut length = 0_usize;
    while rest > 0 || written <= digits {
        if written == digits && digits > 0 {
            put(b'.');
            length += 1;
        }
        // A digit is less than ten.
        put(b'0' + u8::try_from(rest % 10).unwrap_or_default());
        length += 1;
        rest /= 10;
        written += 1;
    }
    if scaled < 0 {
        put(b'-');
        length += 1;
    }
    let begin = TEXT_MAX.saturating_sub(length);
    let text = text.get(begin..).unwrap_or_default();
    f.write_str(std::str::from_utf8(text).unwrap_or_default())
}

impl Serialize for Micro {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Micro {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for Micro {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Decimal".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "format": "decimal",
            "pattern": r"^-?[0-9]+(\.[0-9]{1,6})?$",
            "description": "An exact decimal with at most six digits after the point."
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_and_prints_without_loss() {
        for text in ["0", "187.1234", "-0.000001", "9223372036854.775807"] {
            assert_eq!(text.parse::<Micro>().unwrap().to_string(), text);
        }
        assert_eq!("150.00".parse::<Micro>().unwrap().to_string(), "150");
    }

    #[test]
    fn prints_as_the_exact_decimal_does() {
        let round = [1_i64, 10, 1_500_000, 1_000_000, 100_000_000, 187_123_400];
        let edges = [0, i64::MAX, i64::MIN, i64::MIN + 1, 9_999_999, 999_999];
        for micro in round.into_iter().chain(edges) {
            for micro in [micro, micro.wrapping_neg()] {
                let micro = Micro::from_micro(micro);
                assert_eq!(micro.to_string(), micro.decimal().to_string());
                assert_eq!(format!("{micro:?}"), micro.decimal().to_string());
            }
        }
    }

    #[test]
    fn refuses_what_is_no_decimal() {
        for text in [
            "", "-", ".", "NaN", "1e9", "1,5", "0x10", "1_000", "1.2.3", "+1", "٣",
        ] {
            assert!(
                matches!(text.parse::<Micro>(), Err(DecimalError::Unreadable(_))),
                "{text}"
            );
        }
        for text in ["0.0000001", "1.0000000000000000000000000000000001"] {
            assert!(
                matches!(text.parse::<Micro>(), Err(DecimalError::TooFine(_))),
                "{text}"
            );
        }
        assert!(matches!(
            "9223372036854.775808".parse::<Micro>(),
            Err(DecimalError::TooLarge(_))
        ));
    }
}

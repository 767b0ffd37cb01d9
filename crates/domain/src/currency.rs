//! Currencies by their ISO 4217 code, with the number of minor digits.
//!
//! Source: ISO 4217 as carried by the `iso_currency` crate. Codes without a minor unit of their
//! own (gold, test codes, bond units) are not money a client can be billed in and are refused.

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::str::FromStr;
use thiserror::Error;

/// An ISO 4217 currency that a document can be written in.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Currency {
    code: [u8; 3],
    minor_digits: u8,
}

/// The code names no billable currency.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("'{0}' is not an ISO 4217 currency that can be billed in (write a code like EUR)")]
pub struct UnknownCurrency(pub String);

impl Currency {
    /// The three letters.
    pub fn code(&self) -> &str {
        std::str::from_utf8(&self.code).unwrap_or("???")
    }

    /// Digits after the point of one major unit: 2 for EUR, 0 for JPY, 3 for KWD.
    pub const fn minor_digits(&self) -> u32 {
        // u8 to u32 widens; `From` is not const.
        #[expect(clippy::as_conversions, reason = "widening in a const function")]
        {
            self.minor_digits as u32
        }
    }
}

impl FromStr for Currency {
    type Err = UnknownCurrency;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let unknown = || UnknownCurrency(text.chars().take(12).collect());
        let known = iso_currency::Currency::from_code(text).ok_or_else(unknown)?;
        let digits = known.exponent().ok_or_else(unknown)?;
        let code: [u8; 3] = text.as_bytes().try_into().map_err(|_| unknown())?;
        Ok(Self {
            code,
            minor_digits: u8::try_from(digits).map_err(|_| unknown())?,
        })
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl Serialize for Currency {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}

impl<'de> Deserialize<'de> for Currency {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for Currency {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Currency".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "pattern": "^[A-Z]{3}$",
            "description": "An ISO 4217 code."
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn minor_digits_follow_iso_4217() {
        for (code, digits) in [("EUR", 2), ("USD", 2), ("JPY", 0), ("KWD", 3), ("CLF", 4)] {
            assert_eq!(
                code.parse::<Currency>().unwrap().minor_digits(),
                digits,
                "{code}"
            );
        }
    }

    #[test]
    fn refuses_unknown_and_unbillable_codes() {
        for code in ["", "eur", "EURO", "XXX", "XAU", "ZZZ", "€"] {
            assert!(code.parse::<Currency>().is_err(), "{code}");
        }
    }
}

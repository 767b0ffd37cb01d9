//! Rates that follow from another rate: a multiple of it, or cost and a percentage on top.
//!
//! The result is rounded before it multiplies a quantity, so that the printed rate times the printed
//! quantity is the printed amount. Rounding is half up, whatever else the contract rounds by.

use crate::explanation::Explanation;
use domain::contract::rates::{DerivedRate, RateTerms, RateTermsError};
use domain::currency::Currency;
use domain::decimal::Micro;
use domain::rounding::Rounding;
use std::fmt;

/// Why a rate cannot be derived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeriveError {
    /// The terms have no meaning.
    Terms(RateTermsError),
    /// The rate to start from is below zero.
    NegativeBase(Micro),
    /// The result cannot be represented.
    TooLarge(Micro),
}

impl fmt::Display for DeriveError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Terms(error) => write!(f, "{error}"),
            Self::NegativeBase(base) => write!(
                f,
                "a rate cannot follow from the rate {base}, which is below zero; mend the rate card"
            ),
            Self::TooLarge(base) => write!(
                f,
                "the rate that follows from {base} cannot be represented; mend the rate or the rule"
            ),
        }
    }
}

impl std::error::Error for DeriveError {}

impl From<RateTermsError> for DeriveError {
    fn from(error: RateTermsError) -> Self {
        Self::Terms(error)
    }
}

/// The rate that follows from a base rate, at the contract's precision and never finer than the ERP's.
pub fn derived_rate(
    rule: DerivedRate,
    base: Micro,
    currency: Currency,
    terms: &RateTerms,
    erp_decimals_max: u32,
    why: &mut Explanation,
) -> Result<Micro, DeriveError> {
    terms.check()?;
    if base.is_negative() {
        return Err(DeriveError::NegativeBase(base));
    }
    rule.check()?;
    let digits = terms.decimals_for(erp_decimals_max);
    let factor = match rule {
        DerivedRate::Multiple(factor) => Some(factor.decimal()),
        DerivedRate::CostPlusPercent(percent) => {
            let percent = percent.decimal();
            let hundred = Micro::from_micro(100_000_000).decimal();
            // Dividing by a hundred moves the point and is exact.
            percent
                .checked_add(hundred)
                .and_then(|sum| sum.checked_div(hundred))
        }
    };
    let exact = factor
        .and_then(|factor| base.decimal().checked_mul(factor))
        .ok_or(DeriveError::TooLarge(base))?;
    let rounded = Rounding::HalfUp.to_digits(exact, digits);
    let rate = Micro::from_decimal(rounded).map_err(|_| DeriveError::TooLarge(base))?;
    why.step(
        "derived rate",
        format_args!(
            "{}: {} of {currency} {base} is {}, half up to {digits} decimals before it multiplies \
             (contract {}, ERP {erp_decimals_max})",
            match rule {
                DerivedRate::Multiple(_) => "multiple",
                DerivedRate::CostPlusPercent(_) => "cost plus",
            },
            rule.words(),
            exact.normalize(),
            terms.decimals
        ),
        format_args!("{currency} {rate} per hour"),
    );
    Ok(rate)
}

//! The terms of a contract about rates: whose rates decide, what a gap means, how finely a derived
//! rate is written, and how a rate follows from another one.

use crate::decimal::{MICRO_SCALE, Micro};
use crate::rate::RateSource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// What happens where the most specific key has rows, but none on the day of the work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, Default)]
#[serde(rename_all = "snake_case")]
pub enum RateGap {
    /// The rate is missing, and the work waits for it. The default: a forgotten renewal is seen.
    #[default]
    Refuse,
    /// The next less specific key that covers the day decides.
    FallThrough,
}

impl RateGap {
    /// The words people read.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Refuse => "a gap is a missing rate",
            Self::FallThrough => "a gap falls through to the next level",
        }
    }
}

/// How rates of a contract are found and written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RateTerms {
    /// Whose rates decide: `card` (the default) or `erp`.
    #[serde(default)]
    pub owner: RateSource,
    /// Who is asked if the owner has no known row for the work at all; none (the default) = nobody,
    /// and the rate is missing. A gap of the owner is a gap, and the second has no say in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub second: Option<RateSource>,
    /// What a gap means: `refuse` (the default) or `fall_through`.
    #[serde(default)]
    pub gap: RateGap,
    /// Digits after the point of a rate that follows from another one; 4 unless said otherwise, and
    /// never more than the ERP stores.
    #[serde(default = "four")]
    pub decimals: u32,
}

const fn four() -> u32 {
    4
}

impl Default for RateTerms {
    fn default() -> Self {
        Self {
            owner: RateSource::Card,
            second: None,
            gap: RateGap::Refuse,
            decimals: four(),
        }
    }
}

/// Terms about rates that cannot be applied.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RateTermsError {
    /// More digits than a rate can carry.
    #[error("rates of {0} decimals are asked for; write at most {MICRO_SCALE}")]
    TooManyDecimals(u32),
    /// The second is the owner.
    #[error("`owner` and `second` of the rates are both '{}'; drop `second` or name the other", .0.name())]
    SecondIsOwner(RateSource),
    /// A multiple of nothing, or less.
    #[error("a rate of {0} times another is no rate; write a multiple above 0, such as 1.5")]
    NoMultiple(Micro),
    /// A percentage below zero.
    #[error("cost plus {0} % would bill below cost; write a percentage of 0 or more")]
    NegativePercentage(Micro),
}

impl RateTerms {
    /// Refuse terms that have no meaning.
    pub fn check(&self) -> Result<(), RateTermsError> {
        if self.decimals > MICRO_SCALE {
            return Err(RateTermsError::TooManyDecimals(self.decimals));
        }
        if self.second == Some(self.owner) {
            return Err(RateTermsError::SecondIsOwner(self.owner));
        }
        Ok(())
    }

    /// The digits that a derived rate is written with where the ERP stores at most so many.
    pub fn decimals_for(&self, erp_decimals_max: u32) -> u32 {
        self.decimals.min(erp_decimals_max)
    }
}

/// How a rate follows from another one: `{ multiple = "1.5" }` or `{ cost_plus_percent = "20" }`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DerivedRate {
    /// So many times the base rate: "1.5" is time and a half.
    Multiple(Micro),
    /// The cost rate and so many percent on top: "20" is a fifth more.
    CostPlusPercent(Micro),
}

impl DerivedRate {
    /// Refuse a rule that has no meaning.
    pub fn check(&self) -> Result<(), RateTermsError> {
        match self {
            Self::Multiple(factor) if factor.is_negative() || *factor == Micro::ZERO => {
                Err(RateTermsError::NoMultiple(*factor))
            }
            Self::CostPlusPercent(percent) if percent.is_negative() => {
                Err(RateTermsError::NegativePercentage(*percent))
            }
            Self::Multiple(_) | Self::CostPlusPercent(_) => Ok(()),
        }
    }

    /// The words people read.
    pub fn words(&self) -> String {
        match self {
            Self::Multiple(factor) => format!("{factor} times the rate"),
            Self::CostPlusPercent(percent) => format!("cost plus {percent} %"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terms_read_with_their_defaults_and_refuse_what_they_do_not_know() {
        let none: RateTerms = serde_json::from_str("{}").unwrap();
        assert_eq!(none, RateTerms::default());
        assert_eq!(none.check(), Ok(()));
        let some: RateTerms =
            serde_json::from_str(r#"{"owner":"erp","second":"card","gap":"fall_through"}"#)
                .unwrap();
        assert_eq!(
            (some.owner, some.gap),
            (RateSource::Erp, RateGap::FallThrough)
        );
        assert!(serde_json::from_str::<RateTerms>(r#"{"convert":"spot"}"#).is_err());
        let rule: DerivedRate = serde_json::from_str(r#"{"multiple":"1.5"}"#).unwrap();
        assert_eq!(rule, DerivedRate::Multiple("1.5".parse().unwrap()));
    }

    #[test]
    fn terms_without_meaning_are_refused() {
        let terms = RateTerms::default();
        let finer = RateTerms {
            decimals: 7,
            ..terms
        };
        assert_eq!(finer.check(), Err(RateTermsError::TooManyDecimals(7)));
        let twice = RateTerms {
            second: Some(RateSource::Card),
            ..terms
        };
        assert_eq!(
            twice.check().unwrap_err().to_string(),
            "`owner` and `second` of the rates are both 'card'; drop `second` or name the other"
        );
        assert_eq!((terms.decimals_for(2), terms.decimals_for(6)), (2, 4));
    }
}

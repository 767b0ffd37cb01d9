//! What a contract says about correcting what the client was already invoiced.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How an issued line is corrected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, Default)]
#[serde(rename_all = "snake_case")]
pub enum IssuedCorrection {
    /// The old line is credited in full and the new one billed: both can be read on their own.
    #[default]
    CreditAndRebill,
    /// One line with the difference on the next document: hours more or less, or the same hours at what
    /// the rate is more or less. Where that does not multiply out to the cent, in hours and rate at
    /// once, and where the work is another, the old line is credited and the new one billed. A line
    /// that several entries share is not corrected so: what joins it is on the next one anyway.
    Delta,
}

impl IssuedCorrection {
    /// The words people read.
    pub const fn words(self) -> &'static str {
        match self {
            Self::CreditAndRebill => "credit the old line and bill the new one",
            Self::Delta => "bill or credit the difference",
        }
    }
}

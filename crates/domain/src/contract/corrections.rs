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
    /// One line with the difference on the next document.
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

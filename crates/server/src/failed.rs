//! An operation that could not be carried out, as it travels: what happened and what to do.

use pipeline::error::PassError;
use serde::{Deserialize, Serialize};
use store::StoreError;

/// Whose turn it is to act.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Wrong use or configuration: whoever asked asks otherwise.
    WrongUse,
    /// Stopped by an error.
    Stopped,
    /// Nobody's: another node is at it.
    Elsewhere {
        /// How long its lease stands if it is not extended, in microseconds.
        left_us: i64,
    },
    /// This process: its session over the ledger is over, and it opens another.
    Fenced,
}

/// What happened, why, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{what}")]
pub struct Failed {
    /// What happened and why.
    pub what: String,
    /// What to do.
    pub hint: String,
    /// Whose turn it is.
    pub kind: Kind,
}

impl Failed {
    /// Wrong use or configuration.
    pub fn wrong_use(what: impl Into<String>, hint: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            hint: hint.into(),
            kind: Kind::WrongUse,
        }
    }

    /// Stopped by an error.
    pub fn stopped(what: impl Into<String>, hint: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            hint: hint.into(),
            kind: Kind::Stopped,
        }
    }
}

impl From<PassError> for Failed {
    fn from(error: PassError) -> Self {
        let hint = error.hint();
        let kind = |kind| Self {
            what: error.to_string(),
            hint: hint.clone(),
            kind,
        };
        match error {
            PassError::Elsewhere { left_us, .. } => kind(Kind::Elsewhere { left_us }),
            PassError::Store(StoreError::Fenced { .. }) => kind(Kind::Fenced),
            PassError::Refused { .. } => Self::wrong_use(error.to_string(), hint),
            PassError::Store(_)
            | PassError::System { .. }
            | PassError::LeaseLost { .. }
            | PassError::Stopped
            | PassError::Crashed(_) => Self::stopped(error.to_string(), hint),
        }
    }
}

impl From<StoreError> for Failed {
    fn from(error: StoreError) -> Self {
        if matches!(error, StoreError::Fenced { .. }) {
            return PassError::Store(error).into();
        }
        let hint = if matches!(error, StoreError::Locked { .. }) {
            "one process writes to a ledger at a time: wait until that one ends, or stop it"
        } else {
            "run `counterfoil check`; if the file is damaged, restore a backup"
        };
        Self::stopped(error.to_string(), hint)
    }
}

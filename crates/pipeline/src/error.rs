//! Why a pass stopped.

use crate::crash::Crashed;
use connector_sdk::call::CallError;
use store::StoreError;
use thiserror::Error;

/// A pass that could not go on. What was done until then is durable and the next pass goes on.
#[derive(Debug, Error)]
pub enum PassError {
    /// The ledger failed.
    #[error("the ledger failed: {0}")]
    Store(#[from] StoreError),
    /// A system could not be used.
    #[error("{system}: {error}")]
    System {
        /// Which one: `tracker` or `ERP`.
        system: &'static str,
        /// What it said.
        error: CallError,
    },
    /// The configuration does not allow it.
    #[error("{what}")]
    Refused {
        /// What is refused and why.
        what: String,
        /// What to do.
        hint: String,
    },
    /// Another node works for that limit domain.
    #[error("node {node} works for {name}, and one node does so at a time")]
    Elsewhere {
        /// The node.
        node: String,
        /// The limit domain.
        name: String,
        /// How long its lease stands if it is not extended, in microseconds.
        left_us: i64,
    },
    /// The lease ran out before it could be extended, or another node took it.
    #[error("this node could not keep its lease of {name}, so the work ended between two steps")]
    LeaseLost {
        /// The limit domain.
        name: String,
    },
    /// Somebody asked the process to end.
    #[error("this process was asked to end, so the work ended between two steps")]
    Stopped,
    /// Ended by a test.
    #[error(transparent)]
    Crashed(#[from] Crashed),
}

impl PassError {
    /// A refusal with its hint.
    pub fn refused(what: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::Refused {
            what: what.into(),
            hint: hint.into(),
        }
    }

    /// What to do about it.
    pub fn hint(&self) -> String {
        match self {
            Self::Store(_) => {
                "run `counterfoil check`; if the disk is full or the file is damaged, mend that first"
                    .to_owned()
            }
            Self::System { error: CallError::Unauthorized { .. }, system } => {
                format!("check the credentials of the {system} in the configuration")
            }
            Self::System { error: CallError::Contract { .. }, system } => {
                format!("the {system} answered in an unknown way; run `counterfoil check` and report the connector")
            }
            Self::System { system, .. } => {
                format!("run `counterfoil check` to test the connection to the {system}, then sync again")
            }
            Self::Refused { hint, .. } => hint.clone(),
            Self::Elsewhere { .. } => {
                "wait until it has ended; if it is dead, its lease runs out by itself within 15 seconds"
                    .to_owned()
            }
            Self::LeaseLost { .. } => {
                "another node goes on with the work; check that this one reaches the database in time"
                    .to_owned()
            }
            Self::Stopped => {
                "what was done is kept, and the next pass goes on; start `counterfoil run` again"
                    .to_owned()
            }
            Self::Crashed(_) => "run again".to_owned(),
        }
    }
}

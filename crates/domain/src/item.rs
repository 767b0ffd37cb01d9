//! The state of a billable item.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Where an item stands. What happened to its money is told by its charges and postings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ItemState {
    /// Seen, but not approved: it waits, and is no exception.
    Waiting,
    /// It cannot go on until somebody acts; the item carries the code.
    Exception,
    /// Admitted, and its charges say what it is worth.
    Booked,
    /// Deleted at the source, or moved out of sight; its charges are reversed.
    Withdrawn,
    /// Billed before this ledger began, by other means.
    Elsewhere,
}

impl ItemState {
    /// Every state.
    pub const ALL: [Self; 5] = [
        Self::Waiting,
        Self::Exception,
        Self::Booked,
        Self::Withdrawn,
        Self::Elsewhere,
    ];

    /// The stored name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Exception => "exception",
            Self::Booked => "booked",
            Self::Withdrawn => "withdrawn",
            Self::Elsewhere => "elsewhere",
        }
    }

    /// From the stored name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }
}

impl fmt::Display for ItemState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

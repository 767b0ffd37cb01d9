//! What the source is told about an entry: its billing status.

use serde::{Deserialize, Serialize};
use std::fmt;

/// The billing status of one time entry, as people read it in their tracker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BillingStatus {
    /// Not admitted, or admitted and not yet in the ERP.
    Unbilled,
    /// It needs somebody's act; the reference is the exception's code.
    Exception,
    /// In the ERP as cost; never on an invoice.
    CostOnly,
    /// On a draft in the ERP.
    Posted,
    /// On an issued invoice; the reference is its number.
    Invoiced,
    /// On a paid invoice.
    Paid,
    /// The invoice was credited.
    Credited,
}

impl BillingStatus {
    /// Every status.
    pub const ALL: [Self; 7] = [
        Self::Unbilled,
        Self::Exception,
        Self::CostOnly,
        Self::Posted,
        Self::Invoiced,
        Self::Paid,
        Self::Credited,
    ];

    /// The stored name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unbilled => "unbilled",
            Self::Exception => "exception",
            Self::CostOnly => "cost_only",
            Self::Posted => "posted",
            Self::Invoiced => "invoiced",
            Self::Paid => "paid",
            Self::Credited => "credited",
        }
    }

    /// The words a person reads in the tracker.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Unbilled => "Unbilled",
            Self::Exception => "Exception",
            Self::CostOnly => "Cost only",
            Self::Posted => "Posted",
            Self::Invoiced => "Invoiced",
            Self::Paid => "Paid",
            Self::Credited => "Credited",
        }
    }

    /// From the stored name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name() == name)
    }
}

impl fmt::Display for BillingStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.words())
    }
}

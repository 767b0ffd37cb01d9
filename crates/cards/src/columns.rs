//! The columns of a card, and which of them a heading names.

use domain::rate::{RateRow, RateSource};

/// A column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Column {
    Customer,
    Contract,
    Project,
    Task,
    Practice,
    Worker,
    Role,
    ServiceItem,
    Rate,
    Currency,
    From,
    To,
    Recorded,
    Origin,
}

impl Column {
    /// All columns, in the order in which they are written.
    pub(crate) const ALL: [Self; 14] = [
        Self::Customer,
        Self::Contract,
        Self::Project,
        Self::Task,
        Self::Practice,
        Self::Worker,
        Self::Role,
        Self::ServiceItem,
        Self::Rate,
        Self::Currency,
        Self::From,
        Self::To,
        Self::Recorded,
        Self::Origin,
    ];

    /// Columns that every card has.
    pub(crate) const REQUIRED: [Self; 3] = [Self::Rate, Self::Currency, Self::From];

    /// Its heading.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Customer => "customer",
            Self::Contract => "contract",
            Self::Project => "project",
            Self::Task => "task",
            Self::Practice => "practice",
            Self::Worker => "worker",
            Self::Role => "role",
            Self::ServiceItem => "service_item",
            Self::Rate => "rate",
            Self::Currency => "currency",
            Self::From => "from",
            Self::To => "to",
            Self::Recorded => "recorded",
            Self::Origin => "origin",
        }
    }

    /// The column that a heading names; capitals, spaces and underscores do not matter.
    pub(crate) fn of(heading: &str) -> Option<Self> {
        let plain = heading.trim().to_lowercase().replace([' ', '-'], "_");
        Self::ALL.into_iter().find(|column| column.name() == plain)
    }

    /// Whether a card of these rows needs the column.
    pub(crate) fn is_used(self, rows: &[&RateRow]) -> bool {
        match self {
            Self::Rate | Self::Currency | Self::From | Self::To | Self::Recorded => true,
            Self::Origin => rows.iter().any(|row| row.origin != RateSource::Card),
            Self::Customer
            | Self::Contract
            | Self::Project
            | Self::Task
            | Self::Practice
            | Self::Worker
            | Self::Role
            | Self::ServiceItem => rows.iter().any(|row| self.code(row).is_some()),
        }
    }

    /// The code that a row has in the column.
    pub(crate) fn code(self, row: &RateRow) -> Option<&str> {
        let key = &row.key;
        match self {
            Self::Customer => key.customer.as_deref(),
            Self::Contract => key.contract.as_deref(),
            Self::Project => key.project.as_deref(),
            Self::Task => key.task.as_deref(),
            Self::Practice => key.practice.as_deref(),
            Self::Worker => key.worker.as_deref(),
            Self::Role => key.role.as_deref(),
            Self::ServiceItem => key.service_item.as_deref(),
            Self::Currency => Some(row.currency.code()),
            Self::Origin => Some(row.origin.name()),
            Self::Rate | Self::From | Self::To | Self::Recorded => None,
        }
    }
}

//! The open quantity of an entry: what is worked and not invoiced.
//!
//! `open = billable - (invoiced - credited)`, kept for each entry and never for a line of an order:
//! a credit of one entry opens nothing of another. An edit below what is invoiced plans a credit of
//! the excess, and a planned credit counts as credited. So the open quantity is never below zero
//! without anything being cut off: what is over is named, and waits for its credit.

use crate::explanation::{Explanation, Step};
use domain::decimal::Micro;
use thiserror::Error;

/// What happens to the quantity of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QuantityEvent {
    /// The entry is worth so much now: approved, edited or deleted (0).
    Worked(Micro),
    /// An invoice takes so much of it.
    Invoice(Micro),
    /// A credit gives so much of it back.
    Credit(Micro),
}

/// Why a quantity cannot be so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum OpenRefusal {
    /// A quantity below zero.
    #[error("a quantity of {0} is below zero; a credit is an event of its own")]
    BelowZero(Micro),
    /// More is to be invoiced than is open.
    #[error("{asked} cannot be invoiced: {open} is open")]
    NotOpen {
        /// What is asked.
        asked: Micro,
        /// What is open.
        open: Micro,
    },
    /// More is to be credited than is invoiced.
    #[error("{asked} cannot be credited: {standing} is invoiced and not credited yet")]
    MoreThanInvoiced {
        /// What is asked.
        asked: Micro,
        /// What stands invoiced.
        standing: Micro,
    },
    /// A sum does not fit.
    #[error("the sum of what was invoiced is too large to be represented")]
    TooLarge,
}

/// The quantities of one entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct OpenQuantity {
    billable: i64,
    invoiced: i64,
    credited: i64,
}

impl OpenQuantity {
    /// What the entry is worth now.
    pub const fn billable(&self) -> Micro {
        Micro::from_micro(self.billable)
    }

    /// All that was ever invoiced.
    pub const fn invoiced(&self) -> Micro {
        Micro::from_micro(self.invoiced)
    }

    /// All that was ever credited.
    pub const fn credited(&self) -> Micro {
        Micro::from_micro(self.credited)
    }

    /// What stands invoiced. Neither sum is below zero, nor the credits above the invoices.
    const fn standing(&self) -> i64 {
        self.invoiced.saturating_sub(self.credited)
    }

    /// What has to be credited, because the entry is worth less than what stands invoiced.
    pub fn planned_credit(&self) -> Micro {
        Micro::from_micro(self.standing().saturating_sub(self.billable).max(0))
    }

    /// What can be invoiced.
    pub fn open(&self) -> Micro {
        let counted = self
            .standing()
            .saturating_sub(self.planned_credit().micro());
        Micro::from_micro(self.billable.saturating_sub(counted))
    }

    /// The quantities after an event, and why.
    pub fn after(self, event: QuantityEvent) -> Result<(Self, Vec<Step>), OpenRefusal> {
        let (QuantityEvent::Worked(asked)
        | QuantityEvent::Invoice(asked)
        | QuantityEvent::Credit(asked)) = event;
        if asked.is_negative() {
            return Err(OpenRefusal::BelowZero(asked));
        }
        let mut next = self;
        let add = |sum: i64| sum.checked_add(asked.micro()).ok_or(OpenRefusal::TooLarge);
        match event {
            QuantityEvent::Worked(_) => next.billable = asked.micro(),
            QuantityEvent::Invoice(_) if asked > self.open() => {
                let open = self.open();
                return Err(OpenRefusal::NotOpen { asked, open });
            }
            QuantityEvent::Invoice(_) => next.invoiced = add(self.invoiced)?,
            QuantityEvent::Credit(_) if asked.micro() > self.standing() => {
                let standing = Micro::from_micro(self.standing());
                return Err(OpenRefusal::MoreThanInvoiced { asked, standing });
            }
            QuantityEvent::Credit(_) => next.credited = add(self.credited)?,
        }
        Ok((next, next.steps()))
    }

    fn steps(&self) -> Vec<Step> {
        let mut why = Explanation::default();
        let planned = self.planned_credit();
        if planned > Micro::ZERO {
            why.step(
                "planned credit",
                format_args!(
                    "{} stands invoiced, {} is worked",
                    Micro::from_micro(self.standing()),
                    self.billable()
                ),
                planned,
            );
        }
        why.step(
            "open quantity",
            format_args!(
                "{} worked, {} invoiced, {} credited, {planned} to be credited",
                self.billable(),
                self.invoiced(),
                self.credited()
            ),
            self.open().to_string(),
        );
        why.steps
    }
}

//! From charges to what the client reads: documents, their lines, and the words on them.
//!
//! Hard keys are never merged: entity, bill-to, currency, tax treatment, and whatever the contract
//! groups by. Inside a document, charges share a line only where the contract says so, and every
//! line multiplies out: printed quantity times printed rate is the amount, to the coin. What is left
//! to the sum of the charges behind it is a rounding charge of its own, never hidden in a line.

mod lines;
mod text;

pub use lines::{DocumentLine, LineCharge, LineError, lines};
pub use text::{TEXT_CHARS_MAX, TextError, TextTemplate};

use domain::currency::Currency;

/// What separates documents.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DocumentKey {
    /// The billing entity.
    pub entity: String,
    /// The customer who is billed.
    pub bill_to: String,
    /// The currency.
    pub currency: Currency,
    /// The tax treatment, where one is known.
    pub tax_treatment: Option<String>,
    /// The contract's grouping value.
    pub group_key: String,
    /// The accounting period.
    pub period: String,
}

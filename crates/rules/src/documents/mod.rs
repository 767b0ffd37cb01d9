//! From charges to what the client reads: documents, their lines, and the words on them.
//!
//! Hard keys are never merged: entity, bill-to, currency, tax treatment, period, and whatever the
//! contract groups by. Inside a document, charges share a line only where the contract says so, and
//! every line multiplies out: printed quantity times printed rate is the amount, to the coin. What
//! is left to the sum of the charges behind it is a rounding charge of its own, never hidden in a
//! line.

mod gather;
mod lines;
mod template;
mod text;

pub use gather::{
    ContractLines, DocumentCharge, DocumentContent, DocumentKey, documents, group_key,
};
pub use lines::{
    DocumentLine, LineCharge, LineError, OriginalWords, line_group, lines, shared_line,
};
pub use text::{LineText, TEXT_CHARS_MAX, TextError, TextTemplate};

//! Corrections of what was booked: what is left open of an entry, and what a change asks for.
//!
//! Nothing that a client holds is ever changed. A credit names its document and keeps that
//! document's tax treatment and rate; what is billed anew is the same supply with its tax point,
//! unless the day of the supply or the place it belongs to changed.

mod difference;
mod open;
mod plan;
mod tax;

pub use difference::{Difference, LineNumbers, difference};
pub use open::{OpenQuantity, OpenRefusal, QuantityEvent};
pub use plan::{
    Act, BookedPeriod, Change, Correction, CorrectionDay, CorrectionPlan, Document, Stage, plan,
};
pub use tax::{NewTax, Taxed};

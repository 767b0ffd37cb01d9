//! ERPs: where charges go.

pub mod reference;
pub mod tryton;

//! ERPs: where charges go.

pub mod tryton;

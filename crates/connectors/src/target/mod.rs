//! ERPs: where charges go.

pub mod reference;

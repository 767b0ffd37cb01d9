//! Connectors: one folder per system, each an implementation of roles of the connector SDK.

pub mod reference_rest;
pub mod source;
pub mod target;

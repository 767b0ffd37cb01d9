//! The laws of connectors as suites that any connector's test can run.

pub mod source;
pub mod target;

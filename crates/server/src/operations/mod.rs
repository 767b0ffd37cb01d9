//! One file per operation: request, answer, and what is done.

pub mod contract;
pub mod pass;
pub mod posting;
pub mod publish;
pub mod reconcile;
pub mod replay;

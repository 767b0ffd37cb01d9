//! Trackers: where approved time comes from.

pub mod redmine;
pub mod reference;

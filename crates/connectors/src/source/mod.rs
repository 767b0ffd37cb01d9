//! Trackers: where approved time comes from.

pub mod redmine;

//! The canonical model of Counterfoil: what an hour, a price, a charge and a posting *are*.
//!
//! Pure by rule: nothing here reads a clock, a database, a network or a random number, and
//! nothing is asynchronous. Everything that can go wrong is a value.
#![deny(clippy::float_arithmetic, clippy::wildcard_enum_match_arm)]

pub mod calendar;
pub mod contract;
pub mod currency;
pub mod decimal;
pub mod entry;
pub mod exception;
pub mod ids;
pub mod item;
pub mod labor;
pub mod masters;
pub mod money;
pub mod overtime;
pub mod period;
pub mod posting;
pub mod quantity;
pub mod rate;
pub mod reference;
pub mod rounding;
pub mod status;
pub mod time;
pub mod told;

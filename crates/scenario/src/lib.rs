//! A pricing scenario: a small firm, its contracts and rates, and what happens in order. Playing one
//! needs no database and no network, so a contract can be tried, a dispute replayed and a rule tested
//! from one file.
//!
//! Pure: text in, an outcome or a precise error out. The same file gives the same outcome.
#![deny(clippy::float_arithmetic, clippy::wildcard_enum_match_arm)]

mod documents;
pub mod event;
pub mod file;
mod firm;
pub mod outcome;
mod play;
pub mod read;
mod world;

pub use documents::DocumentState;
pub use play::play;

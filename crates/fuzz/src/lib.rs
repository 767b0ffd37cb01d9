//! Fuzzing on the stable compiler: damaged bytes for every parser of bytes from outside, and a
//! judge of what the parser does with them.
//!
//! A target is a test called `fuzz_<name>` that hands its parser to [`Fuzz::run`]. In an ordinary
//! test run it is shown its seeds, everything that was ever found, and some hundred mutations of
//! them, the same each time. `cargo xtask fuzz` lets the same tests run for longer, from other
//! seeds, in processes with bounded memory. No coverage is measured; inputs that make a parser say
//! something it did not say before are kept as seeds of the run.
//!
//! The judge wants: no panic, no input that takes longer than [`INPUT_SECONDS_MAX`], the same
//! answer when asked twice, error texts that hold neither a secret nor a whole body, and what the
//! target itself demands. This crate reads only the variables of its own runs and knows no parser.

mod corpus;
mod finding;
mod mutate;
mod panics;
mod plan;
mod run;
mod tokens;
mod watch;

pub use finding::Finding;
pub use run::{Fuzz, Seen};
pub use watch::INPUT_SECONDS_MAX;

/// A text that stands in many mutated inputs, as a secret would in a file. Targets that read
/// secrets never show it.
pub const CANARY: &str = "canary-5ecret-0f-nobody";

//! The simulation: the whole product on one thread against both twins, from one seed.
//!
//! A [`schedule`] says what the firm is like, what goes wrong, what people do between passes and
//! where the process dies. A [`world`] plays it: reference connectors over twins in the same
//! process, a ledger in memory, time that passes when somebody waits. At rest the auditor of
//! [`twins::auditor`] judges the two systems; it never sees the ledger. The same seed plays the
//! same run, so that a failure is replayed by its number.

pub mod acts;
pub mod bugs;
pub mod clock;
pub mod coverage;
pub mod crashes;
pub mod expected;
pub mod gate;
pub mod moves;
pub mod play;
pub mod rng;
pub mod schedule;
pub mod story;
pub mod watched;
pub mod world;

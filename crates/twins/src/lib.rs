//! Twins: a simulated tracker and a simulated ERP that misbehave like real ones.
//!
//! Both are pure state machines: [`frame::handle`] takes a state, a request, the time and a
//! seeded generator, changes the state and says what the other side gets to see: a reply, a cut
//! reply, or nothing. [`serve`] puts them behind HTTP on loopback for the demo and for user
//! acceptance; [`transport::TwinTransport`] drives the same code in a simulation. [`firm`] makes
//! a consistent firm with a month of work and says what must become of each entry.
//!
//! The twins never read a clock, never draw real randomness, and show the auditor everything
//! they hold under `/truth`.

pub mod auditor;
mod doors;
pub mod erp;
pub mod fault;
pub mod firm;
pub mod frame;
mod page;
pub mod serve;
pub mod tracker;
pub mod transport;
pub mod wire;

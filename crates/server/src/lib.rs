//! The operations of a ledger that change something, and the interface through which a running
//! process serves them: HTTP and JSON over a Unix domain socket in the data folder.
//!
//! Each operation is one file that holds request, answer and what is done; the command line
//! carries out the same operation by itself when no process runs. So both sides print alike.
//!
//! It knows no vendor and no configuration file: who opens the handles is told by [`host::Opener`].

pub mod client;
pub mod failed;
pub mod halt;
mod handle;
pub mod host;
pub mod message;
pub mod operation;
pub mod operations;
pub mod process;
pub mod serve;
pub mod socket;

/// The version of the interface. Both sides must have the same: it is internal to one product.
pub const INTERFACE: u32 = 1;

//! The ledger store.
//!
//! Commands change the ledger through [`Store::write`], readers see it through [`Store::read`]. A
//! command is synchronous, runs inside one transaction, and composes the table modules of this
//! crate; state, audit leaves, events, counters and sealed text are kept together or not at all.
//!
//! Only this crate holds SQL. It never reads the wall clock, the environment or randomness by
//! itself, and makes no call to anything but its database.

pub mod audit;
mod backend;
pub mod backup;
mod body;
mod buffers;
mod command;
pub mod copy;
mod digest;
mod error;
mod lock;
mod memory;
mod migrate;
mod observe;
mod options;
mod postgres;
mod seal;
mod session;
mod sql;
mod sqlite;
mod store;
mod tables;
mod threads;
mod tx;
mod value;
mod wake;
mod writer;

#[cfg(test)]
extern crate self as counterfoil_store;

#[cfg(test)]
mod budget;
#[cfg(test)]
mod checks;
#[cfg(test)]
mod faults;
#[cfg(test)]
#[path = "../tests/it/fresh.rs"]
mod fresh;
#[cfg(test)]
mod fuzz_checks;
#[cfg(test)]
#[path = "../tests/it/support.rs"]
mod support;
#[cfg(test)]
mod writer_checks;

pub use body::{Event, Leaf};
pub use command::{Command, Guard, GuardSet};
pub use error::{Abort, StoreError, WriteError};
pub use memory::MemoryCopy;
pub use migrate::Step;
pub use observe::{Observer, RowChange};
pub use options::{ClockHandle, EntropyHandle, SealKey, StoreOptions};
pub use postgres::postgres_in_words;
pub use seal::{Pointer, SealClass, Sealed};
pub use store::Store;
pub use tables::{
    accounts, attempts, blocks, charges, counters, documents, exceptions, feedback, items, leases,
    limits, line_members, postings, refusals, scans, seal_keys, settings, snapshots, strays,
    totals, writers,
};
pub use tx::{ReadTx, Tx};
pub use wake::Topic;

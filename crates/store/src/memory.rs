//! Copies of a ledger in memory, for simulation: what a backup of a file and its restore are to the
//! product, without files. A restored copy is marked by the same code, so it never posts by itself.

use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::Connection;

use crate::backend::Backend;
use crate::backup;
use crate::error::StoreError;
use crate::options::StoreOptions;
use crate::sqlite;
use crate::store::Store;
use crate::wake::Wakes;

/// A ledger as it stood once.
pub struct MemoryCopy(Mutex<Connection>);

impl Store {
    /// A copy of this ledger in memory as it stands now.
    pub fn copy_in_memory(&self) -> Result<MemoryCopy, StoreError> {
        let connection = self
            .memory()
            .ok_or_else(|| StoreError::defect("only a ledger in memory is copied in memory"))?;
        let source = connection.lock().unwrap_or_else(PoisonError::into_inner);
        sqlite::copy_memory(&source).map(|copy| MemoryCopy(Mutex::new(copy)))
    }
}

impl MemoryCopy {
    /// Opens another ledger from this copy as a restore does: posting is off in it, and it says why.
    pub fn restore(&self, options: StoreOptions) -> Result<Store, StoreError> {
        let copy = self.again()?;
        backup::mark_restored(&mut Backend::Sqlite(&copy), &options)?;
        Self::open(copy, options)
    }

    /// Opens another ledger from this copy as if nothing had happened since: what a database does
    /// that loses commits it had confirmed. The product has to be protected from it, not this code.
    pub fn forget_since(&self, options: StoreOptions) -> Result<Store, StoreError> {
        Self::open(self.again()?, options)
    }

    fn again(&self) -> Result<Connection, StoreError> {
        sqlite::copy_memory(&self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn open(copy: Connection, options: StoreOptions) -> Result<Store, StoreError> {
        Store::inline(
            Arc::new(Mutex::new(copy)),
            Arc::new(Wakes::default()),
            options,
        )
    }
}

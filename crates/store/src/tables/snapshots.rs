//! Snapshots: immutable versions of the reference data.

use crate::error::StoreError;
use crate::sql::Table;
use crate::tx::{ReadTx, Tx};
use crate::value::{Param, Row};

/// The audited columns.
pub(crate) const TABLE: Table = Table {
    name: "snapshot",
    kind: 7,
    keys: 1,
    columns: &["version", "digest", "created_at_us", "body"],
    mutable: &[],
};

/// One row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SnapshotRow {
    /// Version of the reference data.
    pub version: i64,
    /// Digest of the body.
    pub digest: [u8; 32],
    /// Time it was taken.
    pub created_at_us: i64,
    /// The data.
    pub body: Vec<u8>,
}

impl SnapshotRow {
    pub(crate) fn params(&self) -> Vec<Param<'_>> {
        vec![
            self.version.into(),
            (&self.digest).into(),
            self.created_at_us.into(),
            (&self.body).into(),
        ]
    }

    pub(crate) fn read(mut row: Row) -> Result<Self, StoreError> {
        Ok(Self {
            version: row.int()?,
            digest: row.array()?,
            created_at_us: row.int()?,
            body: row.bytes()?,
        })
    }
}

/// Adds a version. A version that exists is refused.
pub fn insert(
    tx: &mut Tx<'_>,
    snapshot: &SnapshotRow,
    why: &'static str,
) -> Result<(), StoreError> {
    tx.insert_row(&TABLE, "snapshot_insert", &snapshot.params(), why)
}

/// The latest version.
pub fn latest(tx: &mut ReadTx<'_>) -> Result<Option<SnapshotRow>, StoreError> {
    tx.first("snapshot_latest", &[], SnapshotRow::read)
}

/// The number and digest of the latest version, without its body.
pub fn latest_version(tx: &mut ReadTx<'_>) -> Result<Option<(i64, [u8; 32])>, StoreError> {
    tx.first("snapshot_latest_version", &[], |mut row| {
        Ok((row.int()?, row.array()?))
    })
}

/// One version.
pub fn get(tx: &mut ReadTx<'_>, version: i64) -> Result<Option<SnapshotRow>, StoreError> {
    tx.first("snapshot_get", &[version.into()], SnapshotRow::read)
}

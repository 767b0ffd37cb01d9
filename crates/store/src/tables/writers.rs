//! Writer sessions. Number and head of the chain are kept by the writer itself and checked against
//! the blocks; the audited columns are those that do not move with every block.

use crate::error::StoreError;
use crate::sql::Table;
use crate::tx::{ReadTx, Tx};
use crate::value::{Param, Row};

/// The audited columns.
pub(crate) const TABLE: Table = Table {
    name: "writer",
    kind: 12,
    keys: 1,
    columns: &["writer_no", "node", "started_at_us", "fenced", "version"],
    mutable: &["fenced", "version"],
};

/// One row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WriterRow {
    /// The session.
    pub writer_no: i64,
    /// The node.
    pub node: String,
    /// Start.
    pub started_at_us: i64,
    /// Whether another session took over.
    pub fenced: bool,
    /// Counted by the store.
    pub version: i64,
}

impl WriterRow {
    pub(crate) fn params(&self) -> Vec<Param<'_>> {
        vec![
            self.writer_no.into(),
            (&self.node).into(),
            self.started_at_us.into(),
            self.fenced.into(),
            self.version.into(),
        ]
    }

    pub(crate) fn read(mut row: Row) -> Result<Self, StoreError> {
        Ok(Self {
            writer_no: row.int()?,
            node: row.text()?,
            started_at_us: row.int()?,
            fenced: row.bool()?,
            version: row.int()?,
        })
    }
}

/// Where one writer's chain stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WriterHead {
    /// The session.
    pub writer_no: i64,
    /// The number of its last block.
    pub seq: i64,
    /// The digest of its last block.
    pub head: [u8; 32],
}

pub(crate) fn insert(tx: &mut Tx<'_>, node: &str) -> Result<(), StoreError> {
    let row = WriterRow {
        writer_no: tx.writer_no(),
        node: node.to_owned(),
        started_at_us: tx.now_us(),
        fenced: false,
        version: 1,
    };
    tx.insert_row(&TABLE, "writer_insert", &row.params(), "session opened")
}

/// The sessions that nobody has fenced, by number.
pub fn living(tx: &mut ReadTx<'_>) -> Result<Vec<WriterRow>, StoreError> {
    tx.list("writer_living", &[], WriterRow::read)
}

/// Where all chains stand, by number.
pub fn heads(tx: &mut ReadTx<'_>) -> Result<Vec<WriterHead>, StoreError> {
    tx.list("writer_heads", &[], |mut row| {
        Ok(WriterHead {
            writer_no: row.int()?,
            seq: row.int()?,
            head: row.array()?,
        })
    })
}

pub(crate) fn fence(tx: &mut Tx<'_>, mut writer: WriterRow) -> Result<(), StoreError> {
    writer.fenced = true;
    writer.version += 1;
    tx.update_row(&TABLE, "writer_fence", &writer.params(), "session fenced")
}

/// Fences every session of a dead node and puts what it was sending in doubt. The node's late
/// transactions fail from here on. Returns how many attempts are in doubt.
pub fn fence_node(tx: &mut Tx<'_>, node: &str) -> Result<usize, StoreError> {
    let own = tx.writer_no();
    for writer in living(tx)? {
        if writer.node == node && writer.writer_no != own {
            fence(tx, writer)?;
        }
    }
    crate::tables::attempts::doubt_fenced(tx)
}

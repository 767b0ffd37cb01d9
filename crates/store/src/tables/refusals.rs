//! Refusals of the source to show an item's billing status: open while it does, closed once it
//! shows it. They stand beside the feedback, which goes on trying, and block nothing.

use crate::error::StoreError;
use crate::seal::Pointer;
use crate::sql::Table;
use crate::tx::{ReadTx, Tx};
use crate::value::{Param, Row};

/// The audited columns.
pub(crate) const TABLE: Table = Table {
    name: "refusal",
    kind: 13,
    keys: 1,
    columns: &[
        "item_id",
        "open",
        "since_us",
        "fact_block",
        "fact_ord",
        "version",
    ],
    mutable: &["open", "since_us", "fact_block", "fact_ord", "version"],
};

/// One row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusalRow {
    /// The item.
    pub item_id: [u8; 16],
    /// Whether the source still refuses.
    pub open: bool,
    /// Since when it refuses, or refused.
    pub since_us: i64,
    /// What it said.
    pub fact: Pointer,
    /// Counted by the store.
    pub version: i64,
}

impl RefusalRow {
    pub(crate) fn params(&self) -> Vec<Param<'_>> {
        vec![
            (&self.item_id).into(),
            self.open.into(),
            self.since_us.into(),
            self.fact.block.into(),
            self.fact.ord.into(),
            self.version.into(),
        ]
    }

    pub(crate) fn read(mut row: Row) -> Result<Self, StoreError> {
        Ok(Self {
            item_id: row.array()?,
            open: row.bool()?,
            since_us: row.int()?,
            fact: Pointer {
                block: row.int()?,
                ord: row.int()?,
            },
            version: row.int()?,
        })
    }
}

/// An item's refusal, open or closed.
pub fn get(tx: &mut ReadTx<'_>, item_id: &[u8; 16]) -> Result<Option<RefusalRow>, StoreError> {
    tx.first("refusal_get", &[item_id.into()], RefusalRow::read)
}

/// The source refuses. The first refusal in a row says since when, the last one why.
pub fn open(
    tx: &mut Tx<'_>,
    item_id: &[u8; 16],
    fact: Pointer,
    why: &'static str,
) -> Result<(), StoreError> {
    let before = get(tx, item_id)?;
    let since_us = match &before {
        Some(row) if row.open => row.since_us,
        _ => tx.now_us(),
    };
    let row = RefusalRow {
        item_id: *item_id,
        open: true,
        since_us,
        fact,
        version: before.as_ref().map_or(1, |row| row.version + 1),
    };
    match before {
        None => tx.insert_row(&TABLE, "refusal_insert", &row.params(), why),
        Some(_) => tx.update_row(&TABLE, "refusal_update", &row.params(), why),
    }
}

/// The source shows the item now. Nothing happens where it never refused.
pub fn close(tx: &mut Tx<'_>, item_id: &[u8; 16], why: &'static str) -> Result<(), StoreError> {
    match get(tx, item_id)? {
        Some(mut row) if row.open => {
            row.open = false;
            row.version += 1;
            tx.update_row(&TABLE, "refusal_update", &row.params(), why)
        }
        _ => Ok(()),
    }
}

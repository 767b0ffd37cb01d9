//! Members of lines: which line bills a charge that shares one with others. Rows are never deleted:
//! a charge that was taken back still tells which line it was on.

use crate::error::StoreError;
use crate::sql::Table;
use crate::tx::{ReadTx, Tx};
use crate::value::{Param, Row};

/// The audited columns.
pub(crate) const TABLE: Table = Table {
    name: "line_member",
    kind: 16,
    keys: 2,
    columns: &["item_id", "charge_no", "line_id", "version"],
    mutable: &["line_id", "version"],
};

/// One row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineMemberRow {
    /// The item of the charge.
    pub item_id: [u8; 16],
    /// Its number within the item.
    pub charge_no: i64,
    /// The item that is the line.
    pub line_id: [u8; 16],
    /// Counted by the store.
    pub version: i64,
}

impl LineMemberRow {
    pub(crate) fn params(&self) -> Vec<Param<'_>> {
        vec![
            (&self.item_id).into(),
            self.charge_no.into(),
            (&self.line_id).into(),
            self.version.into(),
        ]
    }

    pub(crate) fn read(mut row: Row) -> Result<Self, StoreError> {
        Ok(Self {
            item_id: row.array()?,
            charge_no: row.int()?,
            line_id: row.array()?,
            version: row.int()?,
        })
    }
}

/// The membership of a charge.
pub fn get(
    tx: &mut ReadTx<'_>,
    item_id: &[u8; 16],
    charge_no: i64,
) -> Result<Option<LineMemberRow>, StoreError> {
    let params = [item_id.into(), charge_no.into()];
    tx.first("line_member_get", &params, LineMemberRow::read)
}

/// The memberships of the charges of an item, by number.
pub fn of_item(tx: &mut ReadTx<'_>, item_id: &[u8; 16]) -> Result<Vec<LineMemberRow>, StoreError> {
    tx.list(
        "line_member_of_item",
        &[item_id.into()],
        LineMemberRow::read,
    )
}

/// The members of a line whose charges are not taken back, by item and number.
pub fn standing(tx: &mut ReadTx<'_>, line_id: &[u8; 16]) -> Result<Vec<LineMemberRow>, StoreError> {
    tx.list(
        "line_member_standing",
        &[line_id.into()],
        LineMemberRow::read,
    )
}

/// Inserts memberships; `version` must be 1. The primary key refuses a second line for a charge.
pub fn insert(
    tx: &mut Tx<'_>,
    members: &[LineMemberRow],
    why: &'static str,
) -> Result<(), StoreError> {
    let rows: Vec<_> = members.iter().map(LineMemberRow::params).collect();
    tx.insert_rows(&TABLE, "line_member_insert", &rows, why)
}

/// Moves a charge to another line, over the version it was read at.
pub fn move_to(
    tx: &mut Tx<'_>,
    member: &mut LineMemberRow,
    line_id: [u8; 16],
    why: &'static str,
) -> Result<(), StoreError> {
    let after = LineMemberRow {
        line_id,
        version: member.version + 1,
        ..member.clone()
    };
    tx.update_row(&TABLE, "line_member_move", &after.params(), why)?;
    *member = after;
    Ok(())
}

//! Strays: lines that the ERP holds under keys of this ledger and that the ledger, set back by a
//! restore, does not know. Open until somebody has dealt with the line; never forgotten, so that a
//! second look does not take one up again.

use crate::error::StoreError;
use crate::seal::Pointer;
use crate::sql::Table;
use crate::tx::{ReadTx, Tx};
use crate::value::{Param, Row};

/// The audited columns.
pub(crate) const TABLE: Table = Table {
    name: "stray",
    kind: 15,
    keys: 1,
    columns: &[
        "line_key",
        "item_id",
        "effect",
        "shape",
        "line_ref",
        "quantity_micro",
        "amount_minor",
        "currency",
        "open",
        "since_us",
        "fact_block",
        "fact_ord",
        "version",
    ],
    mutable: &[
        "item_id",
        "effect",
        "shape",
        "line_ref",
        "quantity_micro",
        "amount_minor",
        "currency",
        "open",
        "since_us",
        "fact_block",
        "fact_ord",
        "version",
    ],
};

/// One row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StrayRow {
    /// The key that the line carries.
    pub line_key: String,
    /// The item whose key it is; none if it is the key of no item that the ledger knows.
    pub item_id: Option<[u8; 16]>,
    /// The effect that the key was made for.
    pub effect: Option<i64>,
    /// In which shape the line stands.
    pub shape: String,
    /// The ERP's id of the line.
    pub line_ref: String,
    /// Hours on the line.
    pub quantity_micro: i64,
    /// The amount, where the ERP has one.
    pub amount_minor: Option<i64>,
    /// Its currency.
    pub currency: Option<String>,
    /// Whether somebody has to deal with it.
    pub open: bool,
    /// Since when.
    pub since_us: i64,
    /// What there is to read about it.
    pub fact: Pointer,
    /// Counted by the store.
    pub version: i64,
}

impl StrayRow {
    pub(crate) fn params(&self) -> Vec<Param<'_>> {
        vec![
            self.line_key.as_str().into(),
            (&self.item_id).into(),
            self.effect.into(),
            self.shape.as_str().into(),
            self.line_ref.as_str().into(),
            self.quantity_micro.into(),
            self.amount_minor.into(),
            (&self.currency).into(),
            self.open.into(),
            self.since_us.into(),
            self.fact.block.into(),
            self.fact.ord.into(),
            self.version.into(),
        ]
    }

    pub(crate) fn read(mut row: Row) -> Result<Self, StoreError> {
        Ok(Self {
            line_key: row.text()?,
            item_id: row.array_opt()?,
            effect: row.int_opt()?,
            shape: row.text()?,
            line_ref: row.text()?,
            quantity_micro: row.int()?,
            amount_minor: row.int_opt()?,
            currency: row.text_opt()?,
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

/// The stray of a key, open or closed.
pub fn get(tx: &mut ReadTx<'_>, line_key: &str) -> Result<Option<StrayRow>, StoreError> {
    tx.first("stray_get", &[line_key.into()], StrayRow::read)
}

/// Every stray, by key.
pub fn all(tx: &mut ReadTx<'_>) -> Result<Vec<StrayRow>, StoreError> {
    tx.list("stray_all", &[], StrayRow::read)
}

/// The strays of an item, open and closed.
pub fn list_for_item(tx: &mut ReadTx<'_>, item_id: &[u8; 16]) -> Result<Vec<StrayRow>, StoreError> {
    tx.list("stray_of_item", &[item_id.into()], StrayRow::read)
}

/// Note a stray, or what is known of it now. An open one keeps the time since when it is open.
pub fn put(tx: &mut Tx<'_>, row: &StrayRow, why: &'static str) -> Result<(), StoreError> {
    let before = get(tx, &row.line_key)?;
    let mut row = row.clone();
    let Some(before) = before else {
        row.version = 1;
        return tx.insert_row(&TABLE, "stray_insert", &row.params(), why);
    };
    if before.open {
        row.since_us = before.since_us;
    }
    row.version = before.version + 1;
    tx.update_row(&TABLE, "stray_update", &row.params(), why)
}

/// Nobody has to deal with it any more.
pub fn close(tx: &mut Tx<'_>, line_key: &str, why: &'static str) -> Result<(), StoreError> {
    match get(tx, line_key)? {
        Some(mut row) if row.open => {
            row.open = false;
            row.version += 1;
            tx.update_row(&TABLE, "stray_update", &row.params(), why)
        }
        _ => Ok(()),
    }
}

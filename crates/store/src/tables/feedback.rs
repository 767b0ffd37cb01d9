//! Feedback: what the source has been told about an item, and what it should be told.

use crate::error::StoreError;
use crate::sql::Table;
use crate::tx::{ReadTx, Tx};
use crate::value::{Param, Row};

/// The audited columns.
pub(crate) const TABLE: Table = Table {
    name: "feedback",
    kind: 6,
    keys: 1,
    columns: &[
        "item_id",
        "status",
        "reference",
        "told",
        "tries",
        "due_at_us",
        "version",
    ],
    mutable: &[
        "status",
        "reference",
        "told",
        "tries",
        "due_at_us",
        "version",
    ],
};

/// One row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedbackRow {
    /// The item.
    pub item_id: [u8; 16],
    /// Billing status to tell.
    pub status: String,
    /// The target's number to tell.
    pub reference: String,
    /// Whether the source has been told.
    pub told: bool,
    /// Failures since it was last told.
    pub tries: i64,
    /// When to tell.
    pub due_at_us: i64,
    /// Counted by the store.
    pub version: i64,
}

impl FeedbackRow {
    pub(crate) fn params(&self) -> Vec<Param<'_>> {
        vec![
            (&self.item_id).into(),
            (&self.status).into(),
            (&self.reference).into(),
            self.told.into(),
            self.tries.into(),
            self.due_at_us.into(),
            self.version.into(),
        ]
    }

    pub(crate) fn read(mut row: Row) -> Result<Self, StoreError> {
        Ok(Self {
            item_id: row.array()?,
            status: row.text()?,
            reference: row.text()?,
            told: row.bool()?,
            tries: row.int()?,
            due_at_us: row.int()?,
            version: row.int()?,
        })
    }
}

/// One item's feedback.
pub fn get(tx: &mut ReadTx<'_>, item_id: &[u8; 16]) -> Result<Option<FeedbackRow>, StoreError> {
    tx.first("feedback_get", &[item_id.into()], FeedbackRow::read)
}

/// What should be said about an item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedbackWish {
    /// The item.
    pub item_id: [u8; 16],
    /// Billing status to tell.
    pub status: String,
    /// The target's number to tell, or empty.
    pub reference: String,
    /// When to tell.
    pub due_at_us: i64,
}

/// Notes what should be told. What was said already, or is waiting to be said in the same words,
/// changes nothing. Returns how many wait anew.
pub fn upsert(
    tx: &mut Tx<'_>,
    wishes: &[FeedbackWish],
    why: &'static str,
) -> Result<usize, StoreError> {
    let mut fresh: Vec<FeedbackRow> = Vec::new();
    let mut changed = 0;
    for wish in wishes {
        match get(tx, &wish.item_id)? {
            Some(row) if row.status == wish.status && row.reference == wish.reference => continue,
            Some(mut row) => {
                row.status.clone_from(&wish.status);
                row.reference.clone_from(&wish.reference);
                row.told = false;
                row.tries = 0;
                row.due_at_us = wish.due_at_us;
                update(tx, &mut row, why)?;
            }
            None => fresh.push(FeedbackRow {
                item_id: wish.item_id,
                status: wish.status.clone(),
                reference: wish.reference.clone(),
                told: false,
                tries: 0,
                due_at_us: wish.due_at_us,
                version: 1,
            }),
        }
        changed += 1;
    }
    let rows: Vec<_> = fresh.iter().map(FeedbackRow::params).collect();
    tx.insert_rows(&TABLE, "feedback_insert", &rows, why)?;
    Ok(changed)
}

/// Up to `limit` rows that are to be told now, by item.
pub fn due(tx: &mut ReadTx<'_>, now_us: i64, limit: i64) -> Result<Vec<FeedbackRow>, StoreError> {
    tx.list(
        "feedback_due",
        &[now_us.into(), limit.into()],
        FeedbackRow::read,
    )
}

/// When the next feedback falls due after `now_us`, if any.
pub fn next_due(tx: &mut ReadTx<'_>, now_us: i64) -> Result<Option<i64>, StoreError> {
    tx.first("feedback_next_due", &[now_us.into()], |mut row| {
        row.int_opt()
    })
    .map(Option::flatten)
}

/// The source has been told.
pub fn mark_told(
    tx: &mut Tx<'_>,
    row: &mut FeedbackRow,
    why: &'static str,
) -> Result<(), StoreError> {
    row.told = true;
    row.tries = 0;
    update(tx, row, why)
}

/// Telling failed; try again at `due_at_us`.
pub fn postpone(
    tx: &mut Tx<'_>,
    row: &mut FeedbackRow,
    due_at_us: i64,
    why: &'static str,
) -> Result<(), StoreError> {
    row.tries += 1;
    row.due_at_us = due_at_us;
    update(tx, row, why)
}

fn update(tx: &mut Tx<'_>, row: &mut FeedbackRow, why: &'static str) -> Result<(), StoreError> {
    row.version += 1;
    let written = tx.update_row(&TABLE, "feedback_update", &row.params(), why);
    if written.is_err() {
        row.version -= 1;
    }
    written
}

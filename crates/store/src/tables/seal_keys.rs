//! Wrapped data keys of sealed text. Shredding empties the row and keeps it: that something was
//! shredded is itself on record.

use crate::error::StoreError;
use crate::sql::Table;
use crate::tx::{ReadTx, Tx};
use crate::value::{Param, Row};

/// The audited columns.
pub(crate) const TABLE: Table = Table {
    name: "seal_key",
    kind: 11,
    keys: 1,
    columns: &["unit", "wrapped", "created_at_us", "version"],
    mutable: &["wrapped", "version"],
};

/// One row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealKeyRow {
    /// The unit.
    pub unit: String,
    /// The wrapped data key; empty once shredded.
    pub wrapped: Vec<u8>,
    /// Time it was made.
    pub created_at_us: i64,
    /// Counted by the store.
    pub version: i64,
}

impl SealKeyRow {
    pub(crate) fn params(&self) -> Vec<Param<'_>> {
        vec![
            (&self.unit).into(),
            (&self.wrapped).into(),
            self.created_at_us.into(),
            self.version.into(),
        ]
    }

    pub(crate) fn read(mut row: Row) -> Result<Self, StoreError> {
        Ok(Self {
            unit: row.text()?,
            wrapped: row.bytes()?,
            created_at_us: row.int()?,
            version: row.int()?,
        })
    }
}

pub(crate) fn insert(tx: &mut Tx<'_>, unit: &str, wrapped: &[u8]) -> Result<(), StoreError> {
    let row = SealKeyRow {
        unit: unit.to_owned(),
        wrapped: wrapped.to_vec(),
        created_at_us: tx.now_us(),
        version: 1,
    };
    tx.insert_row(&TABLE, "seal_key_insert", &row.params(), "data key made")
}

/// All units of a subject, living and shredded.
pub fn of_subject(tx: &mut ReadTx<'_>, subject: &str) -> Result<Vec<SealKeyRow>, StoreError> {
    let prefix = tx.vault.subject_prefix(subject);
    // `0` follows `/` in ASCII, so the range holds what starts with `prefix/`.
    let (from, to) = (format!("{prefix}/"), format!("{prefix}0"));
    tx.list(
        "seal_key_range",
        &[(&from).into(), (&to).into()],
        SealKeyRow::read,
    )
}

/// Destroys the data keys of a subject: what was sealed for it can never be read again, while
/// rows, amounts and the audit chain stay. Returns how many units were shredded.
pub fn shred_subject(
    tx: &mut Tx<'_>,
    subject: &str,
    why: &'static str,
) -> Result<usize, StoreError> {
    let mut shredded = 0;
    for row in of_subject(tx, subject)? {
        if !row.wrapped.is_empty() {
            shred(tx, row, why)?;
            shredded += 1;
        }
    }
    Ok(shredded)
}

/// Destroys the data key of one unit. `false` when there is none, or it is shredded already.
pub fn shred_unit(tx: &mut Tx<'_>, unit: &str, why: &'static str) -> Result<bool, StoreError> {
    match tx.first("seal_key_get", &[unit.into()], SealKeyRow::read)? {
        Some(row) if !row.wrapped.is_empty() => shred(tx, row, why).map(|()| true),
        _ => Ok(false),
    }
}

fn shred(tx: &mut Tx<'_>, mut row: SealKeyRow, why: &'static str) -> Result<(), StoreError> {
    row.wrapped = Vec::new();
    row.version += 1;
    tx.forget_keys();
    tx.update_row(&TABLE, "seal_key_update", &row.params(), why)
}

//! Settings: facts about this database and switches. Each change is in the audit chain.

use crate::error::StoreError;
use crate::sql::Table;
use crate::tx::{ReadTx, Tx};
use crate::value::{Param, Row};

/// The audited columns.
pub(crate) const TABLE: Table = Table {
    name: "setting",
    kind: 9,
    keys: 1,
    columns: &["name", "value", "version"],
    mutable: &["value", "version"],
};

/// One row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettingRow {
    /// The name.
    pub name: String,
    /// The value.
    pub value: String,
    /// Counted by the store.
    pub version: i64,
}

impl SettingRow {
    pub(crate) fn params(&self) -> Vec<Param<'_>> {
        vec![
            (&self.name).into(),
            (&self.value).into(),
            self.version.into(),
        ]
    }

    pub(crate) fn read(mut row: Row) -> Result<Self, StoreError> {
        Ok(Self {
            name: row.text()?,
            value: row.text()?,
            version: row.int()?,
        })
    }
}

/// One value.
pub fn get(tx: &mut ReadTx<'_>, name: &str) -> Result<Option<String>, StoreError> {
    Ok(tx
        .first("setting_get", &[name.into()], SettingRow::read)?
        .map(|row| row.value))
}

/// Sets a value; the same value again changes nothing.
pub fn put(tx: &mut Tx<'_>, name: &str, value: &str, why: &'static str) -> Result<(), StoreError> {
    let before = tx.first("setting_get", &[name.into()], SettingRow::read)?;
    let version = before.as_ref().map_or(1, |row| row.version + 1);
    let row = SettingRow {
        name: name.to_owned(),
        value: value.to_owned(),
        version,
    };
    match before {
        None => tx.insert_row(&TABLE, "setting_insert", &row.params(), why),
        Some(before) if before.value == value => Ok(()),
        Some(_) => tx.update_row(&TABLE, "setting_update", &row.params(), why),
    }
}

/// All settings, by name. The ledger key stands there wrapped.
pub fn list(tx: &mut ReadTx<'_>) -> Result<Vec<SettingRow>, StoreError> {
    tx.list("setting_list", &[], SettingRow::read)
}

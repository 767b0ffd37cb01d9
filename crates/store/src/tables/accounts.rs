//! The accounts of contracts: what limits, retainers and hour banks have granted. One row for each
//! contract that has any, written in the transaction that books by it.

use crate::error::StoreError;
use crate::sql::Table;
use crate::tx::{ReadTx, Tx};
use crate::value::{Param, Row};

/// The audited columns.
pub(crate) const TABLE: Table = Table {
    name: "account",
    kind: 14,
    keys: 1,
    columns: &["contract", "body", "changed_at_us", "version"],
    mutable: &["body", "changed_at_us", "version"],
};

/// One row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContractAccountRow {
    /// The contract.
    pub contract: String,
    /// Its accounts, as the rules write them.
    pub body: String,
    /// Time of the last change.
    pub changed_at_us: i64,
    /// Counted by the store.
    pub version: i64,
}

impl ContractAccountRow {
    pub(crate) fn params(&self) -> Vec<Param<'_>> {
        vec![
            (&self.contract).into(),
            (&self.body).into(),
            self.changed_at_us.into(),
            self.version.into(),
        ]
    }

    pub(crate) fn read(mut row: Row) -> Result<Self, StoreError> {
        Ok(Self {
            contract: row.text()?,
            body: row.text()?,
            changed_at_us: row.int()?,
            version: row.int()?,
        })
    }
}

/// The accounts of a contract.
pub fn get(tx: &mut ReadTx<'_>, contract: &str) -> Result<Option<ContractAccountRow>, StoreError> {
    tx.first("account_get", &[contract.into()], ContractAccountRow::read)
}

/// All contracts with accounts, by id.
pub fn list(tx: &mut ReadTx<'_>) -> Result<Vec<ContractAccountRow>, StoreError> {
    tx.list("account_all", &[], ContractAccountRow::read)
}

/// Write the accounts of a contract. Who decided by what it read must have guarded them; nothing is
/// written where nothing changed.
pub fn put(
    tx: &mut Tx<'_>,
    contract: &str,
    body: &str,
    why: &'static str,
) -> Result<(), StoreError> {
    let before = get(tx, contract)?;
    if before.as_ref().is_some_and(|row| row.body == body) {
        return Ok(());
    }
    let row = ContractAccountRow {
        contract: contract.to_owned(),
        body: body.to_owned(),
        changed_at_us: tx.now_us(),
        version: before.as_ref().map_or(1, |row| row.version + 1),
    };
    match before {
        None => tx.insert_row(&TABLE, "account_insert", &row.params(), why),
        Some(_) => tx.update_row(&TABLE, "account_update", &row.params(), why),
    }
}

//! Limit domains: spent permits, so that a restart does not forget a spent quota.

use crate::error::StoreError;
use crate::sql::Table;
use crate::tx::{ReadTx, Tx};
use crate::value::{Param, Row};

/// The audited columns.
pub(crate) const TABLE: Table = Table {
    name: "limit_state",
    kind: 10,
    keys: 1,
    columns: &["domain", "body", "changed_at_us", "version"],
    mutable: &["body", "changed_at_us", "version"],
};

/// One row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LimitRow {
    /// The limit domain.
    pub domain: String,
    /// Spent permits, as the pipeline writes them.
    pub body: String,
    /// Time of the last change.
    pub changed_at_us: i64,
    /// Counted by the store.
    pub version: i64,
}

impl LimitRow {
    pub(crate) fn params(&self) -> Vec<Param<'_>> {
        vec![
            (&self.domain).into(),
            (&self.body).into(),
            self.changed_at_us.into(),
            self.version.into(),
        ]
    }

    pub(crate) fn read(mut row: Row) -> Result<Self, StoreError> {
        Ok(Self {
            domain: row.text()?,
            body: row.text()?,
            changed_at_us: row.int()?,
            version: row.int()?,
        })
    }
}

/// The state of a domain.
pub fn get(tx: &mut ReadTx<'_>, domain: &str) -> Result<Option<LimitRow>, StoreError> {
    tx.first("limit_get", &[domain.into()], LimitRow::read)
}

/// All domains, by name.
pub fn list(tx: &mut ReadTx<'_>) -> Result<Vec<LimitRow>, StoreError> {
    tx.list("limit_list", &[], LimitRow::read)
}

/// Writes the state of a domain over whatever stands there. Who decided by what it read must have
/// guarded the domain ([`Guard::Limit`](crate::Guard::Limit)), or use [`save`].
pub fn put(tx: &mut Tx<'_>, domain: &str, body: &str, why: &'static str) -> Result<(), StoreError> {
    let before = get(tx, domain)?;
    let row = LimitRow {
        domain: domain.to_owned(),
        body: body.to_owned(),
        changed_at_us: tx.now_us(),
        version: before.as_ref().map_or(1, |row| row.version + 1),
    };
    match before {
        None => tx.insert_row(&TABLE, "limit_insert", &row.params(), why),
        Some(_) => tx.update_row(&TABLE, "limit_update", &row.params(), why),
    }
}

/// Writes the state of a domain over the version it was read at, and moves its version on.
pub fn save(tx: &mut Tx<'_>, limit: &mut LimitRow, why: &'static str) -> Result<(), StoreError> {
    limit.version += 1;
    let before_us = std::mem::replace(&mut limit.changed_at_us, tx.now_us());
    let written = tx.update_row(&TABLE, "limit_update", &limit.params(), why);
    if written.is_err() {
        limit.version -= 1;
        limit.changed_at_us = before_us;
    }
    written
}

//! Scans: finished and running looks at a source.

use crate::error::StoreError;
use crate::sql::Table;
use crate::tx::{ReadTx, Tx};
use crate::value::{Param, Row};

/// The audited columns.
pub(crate) const TABLE: Table = Table {
    name: "scan",
    kind: 8,
    keys: 1,
    columns: &[
        "scan_no",
        "source",
        "window_from",
        "window_to",
        "started_at_us",
        "finished_at_us",
        "rows_seen",
        "version",
    ],
    mutable: &["finished_at_us", "rows_seen", "version"],
};

/// One row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScanRow {
    /// The number.
    pub scan_no: i64,
    /// The source.
    pub source: String,
    /// First civil date looked at.
    pub window_from: String,
    /// Last civil date looked at.
    pub window_to: String,
    /// Start.
    pub started_at_us: i64,
    /// End, once finished.
    pub finished_at_us: Option<i64>,
    /// Rows seen so far.
    pub rows_seen: i64,
    /// Counted by the store.
    pub version: i64,
}

impl ScanRow {
    pub(crate) fn params(&self) -> Vec<Param<'_>> {
        vec![
            self.scan_no.into(),
            (&self.source).into(),
            (&self.window_from).into(),
            (&self.window_to).into(),
            self.started_at_us.into(),
            self.finished_at_us.into(),
            self.rows_seen.into(),
            self.version.into(),
        ]
    }

    pub(crate) fn read(mut row: Row) -> Result<Self, StoreError> {
        Ok(Self {
            scan_no: row.int()?,
            source: row.text()?,
            window_from: row.text()?,
            window_to: row.text()?,
            started_at_us: row.int()?,
            finished_at_us: row.int_opt()?,
            rows_seen: row.int()?,
            version: row.int()?,
        })
    }
}

/// Starts a scan and returns its row.
pub fn start(
    tx: &mut Tx<'_>,
    source: &str,
    window_from: &str,
    window_to: &str,
    why: &'static str,
) -> Result<ScanRow, StoreError> {
    let last = tx
        .first("scan_last", &[], |mut row| row.int())?
        .unwrap_or(0);
    let row = ScanRow {
        scan_no: last + 1,
        source: source.to_owned(),
        window_from: window_from.to_owned(),
        window_to: window_to.to_owned(),
        started_at_us: tx.now_us(),
        finished_at_us: None,
        rows_seen: 0,
        version: 1,
    };
    tx.insert_row(&TABLE, "scan_insert", &row.params(), why)?;
    Ok(row)
}

/// Writes progress or the end of a scan over the version it was read at.
pub fn update(tx: &mut Tx<'_>, scan: &mut ScanRow, why: &'static str) -> Result<(), StoreError> {
    scan.version += 1;
    let written = tx.update_row(&TABLE, "scan_update", &scan.params(), why);
    if written.is_err() {
        scan.version -= 1;
    }
    written
}

/// One scan.
pub fn get(tx: &mut ReadTx<'_>, scan_no: i64) -> Result<Option<ScanRow>, StoreError> {
    tx.first("scan_get", &[scan_no.into()], ScanRow::read)
}

/// The last finished scan of a source.
pub fn last_finished(tx: &mut ReadTx<'_>, source: &str) -> Result<Option<ScanRow>, StoreError> {
    tx.first("scan_last_finished", &[source.into()], ScanRow::read)
}

/// The latest `limit` scans, newest first.
pub fn recent(tx: &mut ReadTx<'_>, limit: i64) -> Result<Vec<ScanRow>, StoreError> {
    tx.list("scan_recent", &[limit.into()], ScanRow::read)
}

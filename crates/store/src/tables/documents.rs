//! Documents: where charges meet the target. `unsettled` follows the postings, kept by
//! [`postings`](crate::postings), never by the caller.

use crate::error::StoreError;
use crate::sql::Table;
use crate::tx::{ReadTx, Tx};
use crate::value::{Param, Row};

/// The audited columns.
pub(crate) const TABLE: Table = Table {
    name: "document",
    kind: 3,
    keys: 1,
    columns: &[
        "document_id",
        "flow",
        "shape",
        "entity",
        "bill_to",
        "currency",
        "group_key",
        "period",
        "generation",
        "target_identity",
        "document_key",
        "state",
        "erp_ref",
        "erp_number",
        "posting_next",
        "unsettled",
        "due_at_us",
        "version",
        "changed_at_us",
    ],
    mutable: &[
        "state",
        "erp_ref",
        "erp_number",
        "posting_next",
        "unsettled",
        "due_at_us",
        "version",
        "changed_at_us",
    ],
};

/// One row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocumentRow {
    /// The identity.
    pub document_id: [u8; 16],
    /// The flow.
    pub flow: String,
    /// `draft_line`, `timesheet` or `cost`.
    pub shape: String,
    /// Legal entity.
    pub entity: String,
    /// Who is billed.
    pub bill_to: String,
    /// Currency.
    pub currency: String,
    /// Group by the contract.
    pub group_key: String,
    /// Period.
    pub period: String,
    /// Counts documents of the same key.
    pub generation: i64,
    /// The company as the target itself reports it.
    pub target_identity: String,
    /// Key written into the target.
    pub document_key: String,
    /// `open`, `draft`, `issued`, `paid`, `credited`, `void` or `missing`.
    pub state: String,
    /// The target's reference.
    pub erp_ref: Option<String>,
    /// The target's number.
    pub erp_number: Option<String>,
    /// The next posting number.
    pub posting_next: i64,
    /// How many postings are `ready`, `waiting` or `held`; kept by the store.
    pub unsettled: i64,
    /// When to look at it next, while something is unsettled.
    pub due_at_us: i64,
    /// Counted by the store.
    pub version: i64,
    /// Time of the last change.
    pub changed_at_us: i64,
}

impl DocumentRow {
    pub(crate) fn params(&self) -> Vec<Param<'_>> {
        vec![
            (&self.document_id).into(),
            (&self.flow).into(),
            (&self.shape).into(),
            (&self.entity).into(),
            (&self.bill_to).into(),
            (&self.currency).into(),
            (&self.group_key).into(),
            (&self.period).into(),
            self.generation.into(),
            (&self.target_identity).into(),
            (&self.document_key).into(),
            (&self.state).into(),
            (&self.erp_ref).into(),
            (&self.erp_number).into(),
            self.posting_next.into(),
            self.unsettled.into(),
            self.due_at_us.into(),
            self.version.into(),
            self.changed_at_us.into(),
        ]
    }

    pub(crate) fn read(mut row: Row) -> Result<Self, StoreError> {
        Ok(Self {
            document_id: row.array()?,
            flow: row.text()?,
            shape: row.text()?,
            entity: row.text()?,
            bill_to: row.text()?,
            currency: row.text()?,
            group_key: row.text()?,
            period: row.text()?,
            generation: row.int()?,
            target_identity: row.text()?,
            document_key: row.text()?,
            state: row.text()?,
            erp_ref: row.text_opt()?,
            erp_number: row.text_opt()?,
            posting_next: row.int()?,
            unsettled: row.int()?,
            due_at_us: row.int()?,
            version: row.int()?,
            changed_at_us: row.int()?,
        })
    }
}

/// What documents of one series share; generations count within it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DocumentSeries<'a> {
    /// The flow.
    pub flow: &'a str,
    /// The shape.
    pub shape: &'a str,
    /// Legal entity.
    pub entity: &'a str,
    /// Who is billed.
    pub bill_to: &'a str,
    /// Currency.
    pub currency: &'a str,
    /// Group by the contract.
    pub group_key: &'a str,
    /// Period.
    pub period: &'a str,
}

/// One document.
pub fn get(tx: &mut ReadTx<'_>, document_id: &[u8; 16]) -> Result<Option<DocumentRow>, StoreError> {
    tx.first("document_get", &[document_id.into()], DocumentRow::read)
}

/// The latest generation of a series.
pub fn find_by_key(
    tx: &mut ReadTx<'_>,
    series: &DocumentSeries<'_>,
) -> Result<Option<DocumentRow>, StoreError> {
    let params = [
        series.flow.into(),
        series.shape.into(),
        series.entity.into(),
        series.bill_to.into(),
        series.currency.into(),
        series.group_key.into(),
        series.period.into(),
    ];
    tx.first("document_latest", &params, DocumentRow::read)
}

/// Inserts a document; `version` must be 1 and `unsettled` 0.
pub fn insert(
    tx: &mut Tx<'_>,
    document: &DocumentRow,
    why: &'static str,
) -> Result<(), StoreError> {
    tx.insert_row(&TABLE, "document_insert", &document.params(), why)
}

/// Writes a changed document over the version it was read at, and moves its version on.
pub fn update(
    tx: &mut Tx<'_>,
    document: &mut DocumentRow,
    why: &'static str,
) -> Result<(), StoreError> {
    document.version += 1;
    let written = tx.update_row(&TABLE, "document_update", &document.params(), why);
    if written.is_err() {
        document.version -= 1;
    }
    written
}

/// Up to `limit` documents with something unsettled that is due, the longest due first.
pub fn due(tx: &mut ReadTx<'_>, now_us: i64, limit: i64) -> Result<Vec<DocumentRow>, StoreError> {
    tx.list(
        "document_due",
        &[now_us.into(), limit.into()],
        DocumentRow::read,
    )
}

/// When the next document falls due after `now_us`, if any: the timer to set.
pub fn next_due(tx: &mut ReadTx<'_>, now_us: i64) -> Result<Option<i64>, StoreError> {
    tx.first("document_next_due", &[now_us.into()], |mut row| row.int())
}

/// Up to `limit` documents after the id `after`, by id.
pub fn page(
    tx: &mut ReadTx<'_>,
    after: &[u8; 16],
    limit: i64,
) -> Result<Vec<DocumentRow>, StoreError> {
    tx.list(
        "document_page",
        &[after.into(), limit.into()],
        DocumentRow::read,
    )
}

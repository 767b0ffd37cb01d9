//! Postings: what is asked of the target for one item, clustered by document. A posting counts as
//! unsettled on its document while it is `ready`, `waiting` or `held`; this module keeps the count
//! in the document row it is given, and the caller writes that row.

use crate::error::StoreError;
use crate::seal::Pointer;
use crate::sql::Table;
use crate::tables::documents::DocumentRow;
use crate::tx::{ReadTx, Tx};
use crate::value::{Param, Row};

/// The audited columns.
pub(crate) const TABLE: Table = Table {
    name: "posting",
    kind: 4,
    keys: 2,
    columns: &[
        "document_id",
        "posting_no",
        "posting_key",
        "line_key",
        "item_id",
        "charge_no",
        "effect",
        "kind",
        "amends",
        "amends_document",
        "state",
        "code",
        "due_at_us",
        "tries",
        "quantity_micro",
        "rate_micro",
        "amount_minor",
        "posting_date",
        "erp_line_ref",
        "fact_block",
        "fact_ord",
        "changed_at_us",
        "version",
    ],
    mutable: &[
        "state",
        "code",
        "due_at_us",
        "tries",
        "erp_line_ref",
        "fact_block",
        "fact_ord",
        "changed_at_us",
        "version",
    ],
};

/// One row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostingRow {
    /// The document.
    pub document_id: [u8; 16],
    /// Number within the document, from 1.
    pub posting_no: i64,
    /// Idempotency key.
    pub posting_key: String,
    /// Key of the line it works on.
    pub line_key: String,
    /// The item.
    pub item_id: [u8; 16],
    /// The charge of the item.
    pub charge_no: i64,
    /// Effect sequence of the item.
    pub effect: i64,
    /// `create_line`, `replace_line`, `delete_line`, `credit` or `void`.
    pub kind: String,
    /// The posting it amends.
    pub amends: Option<i64>,
    /// The document of that posting, when another.
    pub amends_document: Option<[u8; 16]>,
    /// See the schema.
    pub state: String,
    /// Why it is rejected, held, missing or altered.
    pub code: Option<String>,
    /// When it may be sent.
    pub due_at_us: i64,
    /// Definite failures so far.
    pub tries: i64,
    /// Quantity, scaled by 10^6.
    pub quantity_micro: i64,
    /// Rate, scaled by 10^6.
    pub rate_micro: i64,
    /// Amount in minor units.
    pub amount_minor: i64,
    /// Civil date it is booked at.
    pub posting_date: String,
    /// The target's reference of the line; present when posted.
    pub erp_line_ref: Option<String>,
    /// The target's words.
    pub fact: Option<Pointer>,
    /// Time of the last change.
    pub changed_at_us: i64,
    /// Counted by the store.
    pub version: i64,
}

impl PostingRow {
    pub(crate) fn params(&self) -> Vec<Param<'_>> {
        vec![
            (&self.document_id).into(),
            self.posting_no.into(),
            (&self.posting_key).into(),
            (&self.line_key).into(),
            (&self.item_id).into(),
            self.charge_no.into(),
            self.effect.into(),
            (&self.kind).into(),
            self.amends.into(),
            (&self.amends_document).into(),
            (&self.state).into(),
            (&self.code).into(),
            self.due_at_us.into(),
            self.tries.into(),
            self.quantity_micro.into(),
            self.rate_micro.into(),
            self.amount_minor.into(),
            (&self.posting_date).into(),
            (&self.erp_line_ref).into(),
            self.fact.map(|at| at.block).into(),
            self.fact.map(|at| at.ord).into(),
            self.changed_at_us.into(),
            self.version.into(),
        ]
    }

    pub(crate) fn read(mut row: Row) -> Result<Self, StoreError> {
        Ok(Self {
            document_id: row.array()?,
            posting_no: row.int()?,
            posting_key: row.text()?,
            line_key: row.text()?,
            item_id: row.array()?,
            charge_no: row.int()?,
            effect: row.int()?,
            kind: row.text()?,
            amends: row.int_opt()?,
            amends_document: row.array_opt()?,
            state: row.text()?,
            code: row.text_opt()?,
            due_at_us: row.int()?,
            tries: row.int()?,
            quantity_micro: row.int()?,
            rate_micro: row.int()?,
            amount_minor: row.int()?,
            posting_date: row.text()?,
            erp_line_ref: row.text_opt()?,
            fact: Pointer::from_columns(row.int_opt()?, row.int_opt()?),
            changed_at_us: row.int()?,
            version: row.int()?,
        })
    }
}

/// What may change about a posting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostingChange {
    /// The new state.
    pub state: &'static str,
    /// Why it is rejected, held, missing or altered.
    pub code: Option<String>,
    /// When it may be sent.
    pub due_at_us: i64,
    /// Definite failures so far.
    pub tries: i64,
    /// The target's reference of the line.
    pub erp_line_ref: Option<String>,
    /// The target's words.
    pub fact: Option<Pointer>,
}

impl PostingChange {
    /// A change of state that leaves everything else of `posting` as it is, without a code.
    pub fn to(state: &'static str, posting: &PostingRow) -> Self {
        Self {
            state,
            code: None,
            due_at_us: posting.due_at_us,
            tries: posting.tries,
            erp_line_ref: posting.erp_line_ref.clone(),
            fact: posting.fact,
        }
    }
}

/// Whether a posting in `state` keeps its document on the work list.
pub fn is_unsettled(state: &str) -> bool {
    matches!(state, "ready" | "waiting" | "held")
}

/// Inserts postings of `document` and moves its `unsettled` on; the caller writes the document
/// (insert or update) in the same command. `version` must be 1.
pub fn insert(
    tx: &mut Tx<'_>,
    document: &mut DocumentRow,
    postings: &[PostingRow],
    why: &'static str,
) -> Result<(), StoreError> {
    for posting in postings {
        of_document(document, posting)?;
        document.unsettled += i64::from(is_unsettled(&posting.state));
    }
    let rows: Vec<_> = postings.iter().map(PostingRow::params).collect();
    tx.insert_rows(&TABLE, "posting_insert", &rows, why)
}

/// Changes postings of `document`, each guarded by the version it was read at, and moves the
/// document's `unsettled`; the caller writes the document in the same command.
pub fn settle(
    tx: &mut Tx<'_>,
    document: &mut DocumentRow,
    changes: Vec<(&mut PostingRow, PostingChange)>,
    why: &'static str,
) -> Result<(), StoreError> {
    let now_us = tx.now_us();
    let mut unsettled = document.unsettled;
    let mut pairs = Vec::with_capacity(changes.len());
    for (before, change) in changes {
        of_document(document, before)?;
        unsettled -= i64::from(is_unsettled(&before.state));
        unsettled += i64::from(is_unsettled(change.state));
        let mut after = before.clone();
        change.state.clone_into(&mut after.state);
        after.code = change.code;
        after.due_at_us = change.due_at_us;
        after.tries = change.tries;
        after.erp_line_ref = change.erp_line_ref;
        after.fact = change.fact;
        after.changed_at_us = now_us;
        after.version += 1;
        pairs.push((before, after));
    }
    let rows: Vec<_> = pairs.iter().map(|(_, after)| after.params()).collect();
    tx.update_rows(&TABLE, "posting_update", &rows, why)?;
    drop(rows);
    document.unsettled = unsettled;
    for (before, after) in pairs {
        *before = after;
    }
    Ok(())
}

fn of_document(document: &DocumentRow, posting: &PostingRow) -> Result<(), StoreError> {
    if document.document_id == posting.document_id {
        return Ok(());
    }
    Err(StoreError::defect(
        "a posting was given with another document",
    ))
}

/// One posting.
pub fn get(
    tx: &mut ReadTx<'_>,
    document_id: &[u8; 16],
    posting_no: i64,
) -> Result<Option<PostingRow>, StoreError> {
    tx.first(
        "posting_get",
        &[document_id.into(), posting_no.into()],
        PostingRow::read,
    )
}

/// All postings of a document, by number.
pub fn list(tx: &mut ReadTx<'_>, document_id: &[u8; 16]) -> Result<Vec<PostingRow>, StoreError> {
    tx.list(
        "posting_of_document",
        &[document_id.into()],
        PostingRow::read,
    )
}

/// Up to `limit` postings of a document in one of `states`, by number.
pub fn list_in(
    tx: &mut ReadTx<'_>,
    document_id: &[u8; 16],
    states: &[&str],
    limit: usize,
) -> Result<Vec<PostingRow>, StoreError> {
    let mut found = Vec::new();
    let mut after = 0;
    while found.len() < limit {
        let params = [document_id.into(), after.into(), PAGE.into()];
        let page = tx.list("posting_page_of_document", &params, PostingRow::read)?;
        let Some(last) = page.last() else { break };
        after = last.posting_no;
        let wanted = page
            .into_iter()
            .filter(|row| states.contains(&row.state.as_str()));
        found.extend(wanted.take(limit - found.len()));
    }
    Ok(found)
}

/// Rows read at a time while filtering.
const PAGE: i64 = 500;

/// The postings that carry the charges of an item, through the charges' pointers.
pub fn list_for_item(
    tx: &mut ReadTx<'_>,
    item_id: &[u8; 16],
) -> Result<Vec<PostingRow>, StoreError> {
    let mut found = Vec::new();
    let mut seen = std::collections::BTreeSet::new();
    for charge in crate::tables::charges::list_for_item(tx, item_id)? {
        if let (Some(document_id), Some(posting_no)) = (charge.document_id, charge.posting_no)
            && seen.insert((document_id, posting_no))
        {
            found.extend(get(tx, &document_id, posting_no)?);
        }
    }
    Ok(found)
}

/// Up to `limit` postings in a problem state after (`document_id`, `posting_no`); `state` is
/// `rejected`, `held`, `missing` or `altered`.
pub fn list_problems(
    tx: &mut ReadTx<'_>,
    state: &str,
    limit: i64,
) -> Result<Vec<PostingRow>, StoreError> {
    tx.list(
        "posting_problems",
        &[state.into(), limit.into()],
        PostingRow::read,
    )
}

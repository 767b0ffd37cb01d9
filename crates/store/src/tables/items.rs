//! Billable items: what the source holds, as last admitted. Rows are never deleted.

use crate::error::StoreError;
use crate::seal::Pointer;
use crate::sql::Table;
use crate::tx::{ReadTx, Tx};
use crate::value::{Param, Row};

/// The audited columns.
pub(crate) const TABLE: Table = Table {
    name: "item",
    kind: 1,
    keys: 1,
    columns: &[
        "item_id",
        "source",
        "source_ref",
        "flow",
        "kind",
        "entity",
        "business_unit",
        "revision",
        "fingerprint",
        "fingerprint_version",
        "state",
        "code",
        "worker",
        "project",
        "task",
        "work_date",
        "zone",
        "recorded_seconds",
        "approved",
        "billable",
        "effect_next",
        "charge_next",
        "version",
        "changed_at_us",
        "content_block",
        "content_ord",
        "fact_block",
        "fact_ord",
    ],
    mutable: &[
        "entity",
        "business_unit",
        "revision",
        "fingerprint",
        "fingerprint_version",
        "state",
        "code",
        "project",
        "task",
        "zone",
        "recorded_seconds",
        "approved",
        "billable",
        "effect_next",
        "charge_next",
        "version",
        "changed_at_us",
        "content_block",
        "content_ord",
        "fact_block",
        "fact_ord",
    ],
};

/// One row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ItemRow {
    /// The identity, derived from ledger, source and source reference.
    pub item_id: [u8; 16],
    /// Name of the source.
    pub source: String,
    /// The source's own id.
    pub source_ref: String,
    /// The flow it belongs to.
    pub flow: String,
    /// `labor`, `expense`, `milestone`, `schedule` or `adjustment`.
    pub kind: String,
    /// Legal entity.
    pub entity: String,
    /// Business unit.
    pub business_unit: String,
    /// Ordinal of the current content.
    pub revision: i64,
    /// Keyed fingerprint of the named source fields.
    pub fingerprint: [u8; 16],
    /// Version of the fingerprint.
    pub fingerprint_version: i64,
    /// `waiting`, `exception`, `booked`, `withdrawn` or `elsewhere`.
    pub state: String,
    /// Code of the exception; present exactly in state `exception`.
    pub code: Option<String>,
    /// Who did the work.
    pub worker: String,
    /// Project.
    pub project: String,
    /// Task.
    pub task: String,
    /// Civil date of the work.
    pub work_date: String,
    /// Zone of the work date.
    pub zone: String,
    /// Recorded time.
    pub recorded_seconds: i64,
    /// Whether the source says it is approved.
    pub approved: bool,
    /// Whether the source says it is billable.
    pub billable: bool,
    /// The next effect sequence.
    pub effect_next: i64,
    /// The next charge number.
    pub charge_next: i64,
    /// Counted by the store.
    pub version: i64,
    /// Time of the last change.
    pub changed_at_us: i64,
    /// The content as received.
    pub content: Pointer,
    /// What there is to say about an exception.
    pub fact: Option<Pointer>,
}

impl ItemRow {
    pub(crate) fn params(&self) -> Vec<Param<'_>> {
        vec![
            (&self.item_id).into(),
            (&self.source).into(),
            (&self.source_ref).into(),
            (&self.flow).into(),
            (&self.kind).into(),
            (&self.entity).into(),
            (&self.business_unit).into(),
            self.revision.into(),
            (&self.fingerprint).into(),
            self.fingerprint_version.into(),
            (&self.state).into(),
            (&self.code).into(),
            (&self.worker).into(),
            (&self.project).into(),
            (&self.task).into(),
            (&self.work_date).into(),
            (&self.zone).into(),
            self.recorded_seconds.into(),
            self.approved.into(),
            self.billable.into(),
            self.effect_next.into(),
            self.charge_next.into(),
            self.version.into(),
            self.changed_at_us.into(),
            self.content.block.into(),
            self.content.ord.into(),
            self.fact.map(|at| at.block).into(),
            self.fact.map(|at| at.ord).into(),
        ]
    }

    pub(crate) fn read(mut row: Row) -> Result<Self, StoreError> {
        Ok(Self {
            item_id: row.array()?,
            source: row.text()?,
            source_ref: row.text()?,
            flow: row.text()?,
            kind: row.text()?,
            entity: row.text()?,
            business_unit: row.text()?,
            revision: row.int()?,
            fingerprint: row.array()?,
            fingerprint_version: row.int()?,
            state: row.text()?,
            code: row.text_opt()?,
            worker: row.text()?,
            project: row.text()?,
            task: row.text()?,
            work_date: row.text()?,
            zone: row.text()?,
            recorded_seconds: row.int()?,
            approved: row.bool()?,
            billable: row.bool()?,
            effect_next: row.int()?,
            charge_next: row.int()?,
            version: row.int()?,
            changed_at_us: row.int()?,
            content: Pointer {
                block: row.int()?,
                ord: row.int()?,
            },
            fact: Pointer::from_columns(row.int_opt()?, row.int_opt()?),
        })
    }
}

/// The few columns that pricing a week or comparing a window needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ItemLight {
    /// The identity.
    pub item_id: [u8; 16],
    /// The source's own id.
    pub source_ref: String,
    /// Civil date of the work.
    pub work_date: String,
    /// The state.
    pub state: String,
    /// Ordinal of the current content.
    pub revision: i64,
    /// Keyed fingerprint of the named source fields.
    pub fingerprint: [u8; 16],
    /// Version of the fingerprint.
    pub fingerprint_version: i64,
    /// Version of the row.
    pub version: i64,
}

/// One item.
pub fn get(tx: &mut ReadTx<'_>, item_id: &[u8; 16]) -> Result<Option<ItemRow>, StoreError> {
    tx.first("item_get", &[item_id.into()], ItemRow::read)
}

/// Those of `item_ids` that exist, in the order asked.
pub fn get_many(tx: &mut ReadTx<'_>, item_ids: &[[u8; 16]]) -> Result<Vec<ItemRow>, StoreError> {
    let mut found = Vec::with_capacity(item_ids.len());
    for item_id in item_ids {
        found.extend(get(tx, item_id)?);
    }
    Ok(found)
}

/// Inserts items; `version` must be 1. The primary key refuses a second copy.
pub fn insert(tx: &mut Tx<'_>, items: &[ItemRow], why: &'static str) -> Result<(), StoreError> {
    let rows: Vec<_> = items.iter().map(ItemRow::params).collect();
    tx.insert_rows(&TABLE, "item_insert", &rows, why)
}

/// Writes a changed item over the version it was read at, and moves its version on. Identity,
/// source, flow and kind cannot change.
pub fn update(tx: &mut Tx<'_>, item: &mut ItemRow, why: &'static str) -> Result<(), StoreError> {
    item.version += 1;
    let params = item.params();
    // Only a moved work date or another worker touches the index over both.
    let done = tx.try_update_row(&TABLE, "item_update", &params, why)?
        || tx.try_update_row(&TABLE, "item_update_moved", &params, why)?;
    if done {
        return Ok(());
    }
    item.version -= 1;
    let key = data_encoding::HEXLOWER.encode(&item.item_id);
    Err(StoreError::Conflict {
        table: TABLE.name,
        key,
        expected: item.version,
    })
}

/// The items of a source with a work date in `from..=to`, by work date, worker and id.
pub fn window(
    tx: &mut ReadTx<'_>,
    source: &str,
    from: &str,
    to: &str,
) -> Result<Vec<ItemLight>, StoreError> {
    tx.list(
        "item_window",
        &[source.into(), from.into(), to.into()],
        light,
    )
}

/// The items of a source with a work date in `from..=to`, whole, by work date, worker
/// and id.
pub fn window_full(
    tx: &mut ReadTx<'_>,
    source: &str,
    from: &str,
    to: &str,
) -> Result<Vec<ItemRow>, StoreError> {
    tx.list(
        "item_window_full",
        &[source.into(), from.into(), to.into()],
        ItemRow::read,
    )
}

/// One worker's items on a day, by id. The worker is the source's own name of the person.
pub fn of_worker(
    tx: &mut ReadTx<'_>,
    source: &str,
    work_date: &str,
    worker: &str,
) -> Result<Vec<ItemRow>, StoreError> {
    tx.list(
        "item_of_worker",
        &[source.into(), work_date.into(), worker.into()],
        ItemRow::read,
    )
}

/// The first work date of a source that is not before `from`.
pub fn next_day(
    tx: &mut ReadTx<'_>,
    source: &str,
    from: &str,
) -> Result<Option<String>, StoreError> {
    tx.first("item_next_day", &[source.into(), from.into()], |mut row| {
        row.text()
    })
}

/// Up to `limit` items in `state` after the id `after`, by id. `exception` has an index; other
/// states walk the table and are for jobs, not for screens.
pub fn by_state(
    tx: &mut ReadTx<'_>,
    state: &str,
    after: &[u8; 16],
    limit: i64,
) -> Result<Vec<ItemRow>, StoreError> {
    if state == "exception" {
        return tx.list(
            "item_in_exception",
            &[after.into(), limit.into()],
            ItemRow::read,
        );
    }
    tx.list(
        "item_by_state",
        &[state.into(), after.into(), limit.into()],
        ItemRow::read,
    )
}

/// Up to `limit` items after the id `after`, by id.
pub fn page(tx: &mut ReadTx<'_>, after: &[u8; 16], limit: i64) -> Result<Vec<ItemRow>, StoreError> {
    tx.list("item_page", &[after.into(), limit.into()], ItemRow::read)
}

fn light(mut row: Row) -> Result<ItemLight, StoreError> {
    Ok(ItemLight {
        item_id: row.array()?,
        source_ref: row.text()?,
        work_date: row.text()?,
        state: row.text()?,
        revision: row.int()?,
        fingerprint: row.array()?,
        fingerprint_version: row.int()?,
        version: row.int()?,
    })
}

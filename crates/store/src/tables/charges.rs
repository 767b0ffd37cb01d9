//! Charges: priced results. Never edited and never deleted; only the pointer to the posting that
//! carries a charge is set later, once.

use crate::error::StoreError;
use crate::seal::Pointer;
use crate::sql::Table;
use crate::tx::{ReadTx, Tx};
use crate::value::{Param, Row};

/// The audited columns.
pub(crate) const TABLE: Table = Table {
    name: "charge",
    kind: 2,
    keys: 2,
    columns: &[
        "item_id",
        "charge_no",
        "reverses",
        "revision",
        "part",
        "disposition",
        "contract",
        "quantity_micro",
        "unit",
        "rate_micro",
        "currency",
        "amount_minor",
        "value_minor",
        "cost_rate_micro",
        "cost_currency",
        "cost_minor",
        "work_date",
        "posting_date",
        "pricing_version",
        "snapshot_version",
        "inputs_digest",
        "explain_block",
        "explain_ord",
        "document_id",
        "posting_no",
        "created_at_us",
        "version",
    ],
    mutable: &["document_id", "posting_no", "version"],
};

/// One row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChargeRow {
    /// The item.
    pub item_id: [u8; 16],
    /// Number within the item, from 1.
    pub charge_no: i64,
    /// The charge of the same item it takes back.
    pub reverses: Option<i64>,
    /// Revision of the item it prices.
    pub revision: i64,
    /// The code of the part of the item that it is.
    pub part: i64,
    /// `bill`, `cost`, `drawn`, `allowance`, `written_off` or `held`.
    pub disposition: String,
    /// The contract.
    pub contract: String,
    /// Quantity, scaled by 10^6.
    pub quantity_micro: i64,
    /// Unit of the quantity.
    pub unit: String,
    /// Rate, scaled by 10^6.
    pub rate_micro: i64,
    /// Currency of the amount.
    pub currency: String,
    /// Amount in minor units; zero unless a client is billed.
    pub amount_minor: i64,
    /// What the part is worth, in minor units of the amount's currency.
    pub value_minor: i64,
    /// Cost rate, scaled by 10^6.
    pub cost_rate_micro: i64,
    /// Currency of the cost.
    pub cost_currency: String,
    /// Cost in minor units.
    pub cost_minor: i64,
    /// Civil date of the work.
    pub work_date: String,
    /// Civil date it is booked at.
    pub posting_date: String,
    /// Version of the pricing code.
    pub pricing_version: i64,
    /// Version of the reference data.
    pub snapshot_version: i64,
    /// Digest of all pricing inputs.
    pub inputs_digest: [u8; 32],
    /// How the amount came about.
    pub explain: Pointer,
    /// The document that carries it, set once.
    pub document_id: Option<[u8; 16]>,
    /// The posting that carries it, set once.
    pub posting_no: Option<i64>,
    /// Time it was booked.
    pub created_at_us: i64,
    /// Counted by the store.
    pub version: i64,
}

impl ChargeRow {
    pub(crate) fn params(&self) -> Vec<Param<'_>> {
        vec![
            (&self.item_id).into(),
            self.charge_no.into(),
            self.reverses.into(),
            self.revision.into(),
            self.part.into(),
            (&self.disposition).into(),
            (&self.contract).into(),
            self.quantity_micro.into(),
            (&self.unit).into(),
            self.rate_micro.into(),
            (&self.currency).into(),
            self.amount_minor.into(),
            self.value_minor.into(),
            self.cost_rate_micro.into(),
            (&self.cost_currency).into(),
            self.cost_minor.into(),
            (&self.work_date).into(),
            (&self.posting_date).into(),
            self.pricing_version.into(),
            self.snapshot_version.into(),
            (&self.inputs_digest).into(),
            self.explain.block.into(),
            self.explain.ord.into(),
            (&self.document_id).into(),
            self.posting_no.into(),
            self.created_at_us.into(),
            self.version.into(),
        ]
    }

    pub(crate) fn read(mut row: Row) -> Result<Self, StoreError> {
        Ok(Self {
            item_id: row.array()?,
            charge_no: row.int()?,
            reverses: row.int_opt()?,
            revision: row.int()?,
            part: row.int()?,
            disposition: row.text()?,
            contract: row.text()?,
            quantity_micro: row.int()?,
            unit: row.text()?,
            rate_micro: row.int()?,
            currency: row.text()?,
            amount_minor: row.int()?,
            value_minor: row.int()?,
            cost_rate_micro: row.int()?,
            cost_currency: row.text()?,
            cost_minor: row.int()?,
            work_date: row.text()?,
            posting_date: row.text()?,
            pricing_version: row.int()?,
            snapshot_version: row.int()?,
            inputs_digest: row.array()?,
            explain: Pointer {
                block: row.int()?,
                ord: row.int()?,
            },
            document_id: row.array_opt()?,
            posting_no: row.int_opt()?,
            created_at_us: row.int()?,
            version: row.int()?,
        })
    }
}

/// Inserts charges; `version` must be 1.
pub fn insert(tx: &mut Tx<'_>, charges: &[ChargeRow], why: &'static str) -> Result<(), StoreError> {
    let rows: Vec<_> = charges.iter().map(ChargeRow::params).collect();
    tx.insert_rows(&TABLE, "charge_insert", &rows, why)
}

/// The charges of an item, by number.
pub fn list_for_item(
    tx: &mut ReadTx<'_>,
    item_id: &[u8; 16],
) -> Result<Vec<ChargeRow>, StoreError> {
    tx.list("charge_of_item", &[item_id.into()], ChargeRow::read)
}

/// One charge.
pub fn get(
    tx: &mut ReadTx<'_>,
    item_id: &[u8; 16],
    charge_no: i64,
) -> Result<Option<ChargeRow>, StoreError> {
    tx.first(
        "charge_get",
        &[item_id.into(), charge_no.into()],
        ChargeRow::read,
    )
}

/// Says which posting carries the charge, over the version it was read at. It moves on only when the
/// posting before it was withdrawn unsent, or vanished and a person decided to bill again.
pub fn set_posting(
    tx: &mut Tx<'_>,
    charge: &mut ChargeRow,
    document_id: [u8; 16],
    posting_no: i64,
    why: &'static str,
) -> Result<(), StoreError> {
    let mut after = charge.clone();
    after.document_id = Some(document_id);
    after.posting_no = Some(posting_no);
    after.version += 1;
    tx.update_row(&TABLE, "charge_set_posting", &after.params(), why)?;
    *charge = after;
    Ok(())
}

/// Up to `limit` charges after (`item_id`, `charge_no`), in key order.
pub fn page(
    tx: &mut ReadTx<'_>,
    item_id: &[u8; 16],
    charge_no: i64,
    limit: i64,
) -> Result<Vec<ChargeRow>, StoreError> {
    let params = [item_id.into(), charge_no.into(), limit.into()];
    tx.list("charge_page", &params, ChargeRow::read)
}

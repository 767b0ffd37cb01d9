//! Totals for reconciliation, in integers only.

use crate::error::StoreError;
use crate::tx::ReadTx;

/// One total.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Total {
    /// The contract.
    pub contract: String,
    /// `bill`, `cost`, `drawn`, `allowance`, `written_off` or `held`.
    pub disposition: String,
    /// Currency of the amounts.
    pub currency: String,
    /// How many charges, reversals included.
    pub charges: i64,
    /// Quantity, scaled by 10^6.
    pub quantity_micro: i64,
    /// Sum of amounts, in minor units; reversals carry the opposite sign.
    pub amount_minor: i64,
}

fn total(mut row: crate::value::Row) -> Result<Total, StoreError> {
    Ok(Total {
        contract: row.text()?,
        disposition: row.text()?,
        currency: row.text()?,
        charges: row.int()?,
        quantity_micro: row.int()?,
        amount_minor: row.int()?,
    })
}

/// The sums of all charges by contract, disposition and currency.
pub fn by_contract(tx: &mut ReadTx<'_>) -> Result<Vec<Total>, StoreError> {
    tx.list("total_by_contract", &[], total)
}

/// What the postings of a document amount to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocumentTotal {
    /// State of the postings.
    pub state: String,
    /// How many.
    pub postings: i64,
    /// Quantity, scaled by 10^6.
    pub quantity_micro: i64,
    /// Sum of amounts, in minor units.
    pub amount_minor: i64,
}

/// The sums of a document's postings by state.
pub fn of_document(
    tx: &mut ReadTx<'_>,
    document_id: &[u8; 16],
) -> Result<Vec<DocumentTotal>, StoreError> {
    tx.list("total_of_document", &[document_id.into()], |mut row| {
        Ok(DocumentTotal {
            state: row.text()?,
            postings: row.int()?,
            quantity_micro: row.int()?,
            amount_minor: row.int()?,
        })
    })
}

/// Amounts of items that are in no document yet, by contract and currency.
pub fn without_document(tx: &mut ReadTx<'_>) -> Result<Vec<Total>, StoreError> {
    tx.list("total_without_document", &[], total)
}

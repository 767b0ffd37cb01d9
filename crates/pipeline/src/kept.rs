//! The accounts of contracts as the ledger keeps them.

use crate::env::inconsistent;
use rules::engine::Accounts;
use store::{ReadTx, StoreError, accounts};

/// The accounts of a contract, if any are kept.
pub(crate) fn accounts_of(
    tx: &mut ReadTx<'_>,
    contract: &str,
) -> Result<Option<Accounts>, StoreError> {
    accounts::get(tx, contract)?
        .map(|row| read_accounts(&row))
        .transpose()
}

/// Accounts from their row.
pub(crate) fn read_accounts(row: &accounts::ContractAccountRow) -> Result<Accounts, StoreError> {
    serde_json::from_str(&row.body).map_err(|error| {
        inconsistent(format!(
            "the accounts of {} do not read: {error}",
            row.contract
        ))
    })
}

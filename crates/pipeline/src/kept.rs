//! The accounts of contracts as the ledger keeps them: as they are now, and where their last state lies
//! in the order of all their states.

use crate::acts::{Chain, seal_whole, state_after};
use crate::env::inconsistent;
use rules::engine::Accounts;
use serde::{Deserialize, Serialize};
use store::accounts::{self, ContractAccountRow};
use store::{ReadTx, StoreError, Tx};

/// Accounts as they are kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Kept {
    /// As they are.
    pub(crate) accounts: Accounts,
    /// Where their last state lies; none if they were written before states were.
    pub(crate) chain: Option<Chain>,
}

/// The accounts of a contract, if any are kept.
pub(crate) fn accounts_of(
    tx: &mut ReadTx<'_>,
    contract: &str,
) -> Result<Option<Accounts>, StoreError> {
    let row = accounts::get(tx, contract)?;
    row.map(|row| Ok(read_accounts(&row)?.accounts)).transpose()
}

/// Accounts from their row.
pub(crate) fn read_accounts(row: &ContractAccountRow) -> Result<Kept, StoreError> {
    // Rows of before there were states are the accounts alone.
    let kept = if row.body.starts_with("{\"accounts\":") {
        serde_json::from_str(&row.body)
    } else {
        serde_json::from_str(&row.body).map(|accounts| Kept {
            accounts,
            chain: None,
        })
    };
    kept.map_err(|error| {
        inconsistent(format!(
            "the accounts of {} do not read: {error}",
            row.contract
        ))
    })
}

/// Write the accounts of a contract, and their state. Nothing is written where they are as before.
pub(crate) fn write_accounts(
    tx: &mut Tx<'_>,
    contract: &str,
    accounts: &Accounts,
    why: &'static str,
) -> Result<(), StoreError> {
    let before = accounts::get(tx, contract)?;
    let before = before.as_ref().map(read_accounts).transpose()?;
    if before
        .as_ref()
        .is_some_and(|before| before.accounts == *accounts)
    {
        return Ok(());
    }
    let chain = match before {
        Some(Kept {
            accounts: before,
            chain: Some(chain),
        }) => state_after(tx, contract, (&before, chain), accounts)?,
        Some(Kept { chain: None, .. }) | None => seal_whole(tx, contract, accounts)?,
    };
    let kept = Kept {
        accounts: accounts.clone(),
        chain: Some(chain),
    };
    let body = serde_json::to_string(&kept)
        .map_err(|error| inconsistent(format!("accounts do not write: {error}")))?;
    accounts::put(tx, contract, &body, why)
}

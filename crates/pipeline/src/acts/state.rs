//! The states of a contract's accounts, one after the other: each is a small difference to the one
//! before (RFC 6902), and a whole one again once the differences are as long as it would be. So what
//! a change adds does not grow with the account, and a state is read by reading about twice its size.

use super::At;
use crate::env::inconsistent;
use crate::facts;
use json_patch::Patch;
use rules::engine::Accounts;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use store::{ReadTx, SealClass, StoreError, Tx};

/// What is written of a state.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum State {
    /// All of it.
    Whole(Value),
    /// What is another than in the state before.
    Since { before: At, changes: Patch },
}

/// Where the last state lies, and how long the way to it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Chain {
    /// The last state.
    pub(crate) at: At,
    whole_bytes: u64,
    since_bytes: u64,
}

fn value_of(accounts: &Accounts) -> Result<Value, StoreError> {
    serde_json::to_value(accounts)
        .map_err(|error| inconsistent(format!("accounts do not write: {error}")))
}

fn length(value: &impl Serialize) -> Result<u64, StoreError> {
    let text = serde_json::to_vec(value)
        .map_err(|error| inconsistent(format!("accounts do not write: {error}")))?;
    Ok(u64::try_from(text.len()).unwrap_or(u64::MAX))
}

/// Write a state by itself.
pub(crate) fn seal_whole(
    tx: &mut Tx<'_>,
    contract: &str,
    accounts: &Accounts,
) -> Result<Chain, StoreError> {
    let value = value_of(accounts)?;
    let whole_bytes = length(&value)?;
    let at = facts::seal(tx, SealClass::Explanation, contract, &State::Whole(value))?;
    Ok(Chain {
        at: at.into(),
        whole_bytes,
        since_bytes: 0,
    })
}

/// Write the state that follows another.
pub(crate) fn state_after(
    tx: &mut Tx<'_>,
    contract: &str,
    (before, chain): (&Accounts, Chain),
    accounts: &Accounts,
) -> Result<Chain, StoreError> {
    let changes = json_patch::diff(&value_of(before)?, &value_of(accounts)?);
    let since_bytes = chain.since_bytes.saturating_add(length(&changes)?);
    if since_bytes > chain.whole_bytes {
        return seal_whole(tx, contract, accounts);
    }
    let state = State::Since {
        before: chain.at,
        changes,
    };
    let at = facts::seal(tx, SealClass::Explanation, contract, &state)?;
    Ok(Chain {
        at: at.into(),
        since_bytes,
        ..chain
    })
}

/// A state; none if its text was shredded.
pub(super) fn state_at(tx: &mut ReadTx<'_>, at: At) -> Result<Option<Accounts>, StoreError> {
    let mut later: Vec<Patch> = Vec::new();
    let mut at = at;
    let mut value = loop {
        match facts::open(tx, at.into())? {
            None => return Ok(None),
            Some(State::Whole(value)) => break value,
            Some(State::Since { before, changes }) => {
                later.push(changes);
                // Written later than what it follows: the way has an end.
                if before >= at {
                    return Err(inconsistent("a state of an account follows itself"));
                }
                at = before;
            }
        }
    };
    for changes in later.iter().rev() {
        json_patch::patch(&mut value, changes).map_err(|error| {
            inconsistent(format!(
                "a state of an account does not follow the one before: {error}"
            ))
        })?;
    }
    serde_json::from_value(value)
        .map(Some)
        .map_err(|error| inconsistent(format!("a state of an account does not read: {error}")))
}

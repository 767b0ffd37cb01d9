//! Accounts: what a contract counts across many items, as pure functions of events.
//!
//! An account is a value. [`apply`] takes it and one event and gives the next value, what changed,
//! and why; it never reads a clock or another account. Folding the same events over the same
//! beginning gives the same value and the same effects, so an account can be rebuilt and proved.
//! A refused event changes nothing.
//!
//! | account | holds |
//! |---|---|
//! | [`limit::Limits`] | all nested limits of a contract: what is billed, what waits |

pub mod ask;
pub mod claim;
pub mod cut;
pub mod limit;
pub mod refusal;

use crate::explanation::Explanation;
use ask::{Ask, Effect};
use domain::contract::accounts::limit::LimitTerms;
use domain::decimal::Micro;
use refusal::Refusal;
use serde::{Deserialize, Serialize};

/// An account of one contract.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Account {
    /// All limits of the contract.
    Limits(limit::Limits),
}

/// New terms, for the account they belong to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Terms {
    /// All limits of the contract, as they shall be.
    Limits(Vec<LimitTerms>),
}

/// Something that happened to an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case", deny_unknown_fields)]
pub enum Event {
    /// One batch of items asks to be billed. An item that is known asks for its whole new quantity,
    /// and is given or gives back the difference.
    Reserve {
        /// The items.
        asks: Vec<Ask>,
    },
    /// An item is gone: all it had is free again.
    Withdraw {
        /// The item.
        item: String,
    },
    /// Something billed was credited.
    Credit {
        /// The item.
        item: String,
        /// How much of it.
        quantity: Micro,
        /// Whether it will be billed again: its capacity stays reserved. Else the credit is final.
        rebill: bool,
    },
    /// What waits at a limit may go, in the order of arrival. Sent together with whatever freed
    /// capacity, so that nothing that arrives later is served first.
    ReleaseHeld {
        /// How many entries at most; none = all.
        at_most: Option<u32>,
    },
    /// A change order.
    ChangeTerms {
        /// The terms as they shall be.
        terms: Terms,
    },
}

/// An account after an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applied {
    /// The account as it is now.
    pub account: Account,
    /// What changed.
    pub effects: Vec<Effect>,
    /// Why.
    pub why: Explanation,
}

/// The account after an event, what changed, and why.
pub fn apply(account: &Account, event: &Event) -> Result<Applied, Refusal> {
    let mut next = account.clone();
    let mut why = Explanation {
        pricing_version: crate::PRICING_VERSION,
        steps: Vec::new(),
    };
    let effects = match &mut next {
        Account::Limits(limits) => to_limits(limits, event, &mut why)?,
    };
    Ok(Applied {
        account: next,
        effects,
        why,
    })
}

fn to_limits(
    limits: &mut limit::Limits,
    event: &Event,
    why: &mut Explanation,
) -> Result<Vec<Effect>, Refusal> {
    match event {
        Event::Reserve { asks } => limits.reserve(asks, why),
        Event::Withdraw { item } => limits.withdraw(item, why),
        Event::Credit {
            item,
            quantity,
            rebill,
        } => limits.credit(item, *quantity, *rebill, why),
        Event::ReleaseHeld { at_most } => limits.release(*at_most, why),
        Event::ChangeTerms {
            terms: Terms::Limits(terms),
        } => limits.change_terms(terms, why),
    }
}

//! What a change of rates or terms would do to booked work, before anybody decides.
//!
//! It is carried out for real, on a copy of the ledger, with the same commands that a pass and a
//! replay use, and nothing is sent. So what is shown is what then happens, as long as nobody does
//! anything else meanwhile.

mod documents;
mod standing;

pub use documents::ByDocument;
pub use standing::Stands;

use crate::contracts::{Figure, figures};
use crate::env::Env;
use crate::error::PassError;
use crate::exceptions::{self, Choice};
use crate::fixed::take_in_fixed;
use crate::reference::load;
use crate::states;
use crate::sync::{mark_rate_changes, settle_accounts};
use documents::{next_numbers, planned};
use domain::exception::Code;
use jiff::civil::Date;
use serde::Serialize;
use standing::{Standing, standings};
use std::collections::{BTreeMap, BTreeSet};
use store::items;

/// How many entries change, and by how much.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Default)]
pub struct Sums {
    /// How many.
    pub entries: u64,
    /// Billed as booked, in minor units.
    pub before_minor: i64,
    /// Billed by the change, in minor units.
    pub after_minor: i64,
}

impl Sums {
    const fn add(&mut self, before_minor: i64, after_minor: i64) {
        self.entries += 1;
        self.before_minor += before_minor;
        self.after_minor += after_minor;
    }
}

/// Entries of one kind and their money.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ByState {
    /// How far they have come.
    pub stands: Stands,
    /// Whether their document is of a period whose books are closed.
    pub period_closed: bool,
    /// The currency.
    pub currency: String,
    /// What changes.
    #[serde(flatten)]
    pub sums: Sums,
}

/// The money of one contract.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ByContract {
    /// The customer's code.
    pub customer: String,
    /// The contract's id.
    pub contract: String,
    /// The currency.
    pub currency: String,
    /// What changes.
    #[serde(flatten)]
    pub sums: Sums,
}

/// A figure of an account that changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FigureChange {
    /// The contract's id.
    pub contract: String,
    /// The account.
    pub account: String,
    /// What it is a figure of.
    pub what: String,
    /// Before; absent where it begins.
    pub before: Option<String>,
    /// After; absent where it ends.
    pub after: Option<String>,
}

/// What a change would do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Default)]
pub struct Preview {
    /// Entries and fixed amounts that change, by how far they have come.
    pub states: Vec<ByState>,
    /// Money per client and contract.
    pub contracts: Vec<ByContract>,
    /// What would be sent, by document.
    pub documents: Vec<ByDocument>,
    /// Limits, retainers and hour banks that change.
    pub accounts: Vec<FigureChange>,
    /// What could not go on, by code.
    pub exceptions: BTreeMap<String, u64>,
}

impl Preview {
    /// How many entries and fixed amounts change.
    pub fn entries(&self) -> u64 {
        self.contracts.iter().map(|row| row.sums.entries).sum()
    }
}

/// Carry a change out on a copy of the ledger and say what it did. `env` is over the copy, with the
/// settings as they would be; `before` has those of now.
pub async fn preview(before: &Env, env: &Env, today: Date) -> Result<Preview, PassError> {
    let then = figures(before, None).await?;
    let terms = load(env).await?.terms;
    states::refresh(env, &terms).await?;
    settle_accounts(env, &terms, env.settings.window(today).to).await?;
    take_in_fixed(env, &terms, today).await?;
    mark_rate_changes(env, &terms).await?;
    let filter = Some(Code::RetroRateChange.text());
    let held = env
        .store
        .read(move |tx| store::exceptions::list(tx, filter, 0, i64::MAX))
        .await?;
    let items: BTreeSet<[u8; 16]> = held.iter().filter_map(|row| row.item_id).collect();
    let was = standings(env, &terms, items.clone()).await?;
    let documents = next_numbers(env).await?;
    let choice = Choice::Code(Code::RetroRateChange);
    exceptions::replay(env, &terms, &choice, "preview").await?;
    let is = standings(env, &terms, items.clone()).await?;
    let mut result = Preview {
        accounts: figure_changes(&then, &figures(env, None).await?),
        documents: planned(env, &terms, &documents, items.clone()).await?,
        ..Preview::default()
    };
    result.add(&was, &is);
    let open = env
        .store
        .read(move |tx| {
            let mut codes: BTreeMap<String, u64> = BTreeMap::new();
            for id in items {
                if let Some(code) = items::get(tx, &id)?.and_then(|item| item.code) {
                    *codes.entry(code).or_default() += 1;
                }
            }
            Ok(codes)
        })
        .await?;
    result.exceptions = open;
    Ok(result)
}

impl Preview {
    fn add(&mut self, was: &BTreeMap<[u8; 16], Standing>, is: &BTreeMap<[u8; 16], Standing>) {
        let mut states: BTreeMap<(Stands, bool, &str), ByState> = BTreeMap::new();
        let mut contracts: BTreeMap<(&str, &str, &str), ByContract> = BTreeMap::new();
        for (id, before) in was {
            let after_minor = is.get(id).map_or(0, |after| after.amount_minor);
            let key = (
                before.stands,
                before.period_closed,
                before.currency.as_str(),
            );
            let row = states.entry(key).or_insert_with(|| ByState {
                stands: before.stands,
                period_closed: before.period_closed,
                currency: before.currency.clone(),
                sums: Sums::default(),
            });
            row.sums.add(before.amount_minor, after_minor);
            let key = (
                before.customer.as_str(),
                before.contract.as_str(),
                before.currency.as_str(),
            );
            let row = contracts.entry(key).or_insert_with(|| ByContract {
                customer: before.customer.clone(),
                contract: before.contract.clone(),
                currency: before.currency.clone(),
                sums: Sums::default(),
            });
            row.sums.add(before.amount_minor, after_minor);
        }
        self.states = states.into_values().collect();
        self.contracts = contracts.into_values().collect();
    }
}

fn figure_changes(before: &[Figure], after: &[Figure]) -> Vec<FigureChange> {
    let key = |figure: &Figure| {
        (
            figure.contract.clone(),
            figure.account.clone(),
            figure.what.clone(),
        )
    };
    let was: BTreeMap<_, String> = before.iter().map(|f| (key(f), f.figure.clone())).collect();
    let is: BTreeMap<_, String> = after.iter().map(|f| (key(f), f.figure.clone())).collect();
    let names: BTreeSet<_> = was.keys().chain(is.keys()).collect();
    names
        .into_iter()
        .filter(|name| was.get(*name) != is.get(*name))
        .map(|name| FigureChange {
            contract: name.0.clone(),
            account: name.1.clone(),
            what: name.2.clone(),
            before: was.get(name).cloned(),
            after: is.get(name).cloned(),
        })
        .collect()
}

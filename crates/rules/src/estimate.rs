//! What is at stake while an entry cannot be billed: an estimate by the rules of pricing, without
//! the questions whether the work may be booked. It is shown beside an exception and never booked.
//!
//! An estimate is the amount that the entry would be billed at once its cause is mended, as far as
//! everything that decides it is known. Where a rate hangs on something unknown, none is guessed.

use crate::charge::Disposition;
use crate::explanation::Explanation;
use crate::price;
use crate::resolve::{self, Names};
use domain::entry::EntryFields;
use domain::exception::{Code, Problem};
use domain::masters::Worker;
use domain::money::Money;
use domain::rate::{RateKey, RateQuery, RateRow};
use domain::reference::Reference;
use serde::{Deserialize, Serialize};

/// The money at stake, or why nobody can know it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Estimate {
    /// What the client would be billed; zero where nobody pays.
    Amount(Money),
    /// What is missing, in a few words.
    Unknown(String),
}

/// Estimate an entry.
pub fn estimate(reference: &Reference, fields: &EntryFields) -> Estimate {
    amount(reference, fields).map_or_else(|why| Estimate::Unknown(why.to_owned()), Estimate::Amount)
}

/// What decides a rate and may be unknown.
struct Known<'a> {
    worker: Option<&'a Worker>,
    task: Option<&'a str>,
    service_item: Option<&'a str>,
}

fn amount(reference: &Reference, fields: &EntryFields) -> Result<Money, &'static str> {
    let project = resolve::find_project(reference, fields).map_err(|_| "no project")?;
    let chosen =
        resolve::contract(reference, project, fields).map_err(|problem| in_short(&problem))?;
    let contract = chosen.contract;
    let disposition = price::disposition(contract.kind, fields.billable);
    if disposition == Disposition::Cost {
        return Ok(Money::zero(contract.currency));
    }
    let known = Known {
        worker: resolve::find_worker(reference, fields).ok(),
        task: resolve::find_task(reference, project, fields)
            .ok()
            .map(|task| task.code.as_str()),
        service_item: resolve::find_service_item(reference, fields)
            .ok()
            .map(|item| item.code.as_str()),
    };
    let query = RateQuery {
        customer: contract.customer.as_deref().unwrap_or_default(),
        contract: &contract.id,
        project: &project.code,
        task: known.task.unwrap_or_default(),
        worker: known.worker.map_or("", |worker| worker.code.as_str()),
        role: known
            .worker
            .map_or("", |worker| resolve::role_of(reference, worker)),
        service_item: known.service_item.unwrap_or_default(),
        day: fields.work_date,
    };
    if contract.conditions.billable_when.is_some()
        && let Some(conditions) = &chosen.conditions
    {
        let Ok(names) = Names::find(reference, project, fields) else {
            return Err("whether the client pays depends on what is missing");
        };
        let said = conditions.billable(&names.work(contract, fields));
        if !said.map_err(|problem| in_short(&problem.into()))?.value {
            return Ok(Money::zero(contract.currency));
        }
    }
    if let Some(why) = undecided(&reference.bill_rates, &query, &known) {
        return Err(why);
    }
    let mut steps = Explanation::default();
    price::quantity(contract, disposition, fields, &mut steps)
        .and_then(|quantity| {
            price::bill(
                reference,
                contract,
                disposition,
                &query,
                quantity,
                &mut steps,
            )
        })
        .map(|(_, amount)| amount)
        .map_err(|problem| in_short(&problem))
}

/// Whether a rate that could be the one that applies hangs on something unknown.
fn undecided(rows: &[RateRow], query: &RateQuery<'_>, known: &Known<'_>) -> Option<&'static str> {
    let best = rows
        .iter()
        .filter(|row| row.key.matches(query))
        .map(|row| row.key.specificity())
        .max();
    rows.iter().find_map(|row| {
        let key = &row.key;
        let why = if known.task.is_none() && key.task.is_some() {
            "the rate depends on the task"
        } else if known.worker.is_none() && (key.worker.is_some() || key.role.is_some()) {
            "the rate depends on the worker"
        } else if known.service_item.is_none() && key.service_item.is_some() {
            "the rate depends on the service item"
        } else {
            return None;
        };
        let could_win = best.is_none_or(|best| key.specificity() >= best);
        (could_win && as_far_as_known(key, known).matches(query)).then_some(why)
    })
}

/// A key without its demands on what is unknown.
fn as_far_as_known(key: &RateKey, known: &Known<'_>) -> RateKey {
    let mut key = key.clone();
    if known.task.is_none() {
        key.task = None;
    }
    if known.worker.is_none() {
        (key.worker, key.role) = (None, None);
    }
    if known.service_item.is_none() {
        key.service_item = None;
    }
    key
}

/// The refusals of pricing, in a few words.
const SHORT: &[(Code, &str)] = &[
    (Code::ContractMissing, "no contract"),
    (Code::ContractAmbiguous, "two contracts"),
    (Code::ConditionFailed, "a condition has no answer"),
    // Told by conditions only: without them, a contract needs none of these.
    (Code::WorkerUnmapped, "the contract depends on the worker"),
    (Code::TaskUnmapped, "the contract depends on the task"),
    (
        Code::ServiceItemUnmapped,
        "the contract depends on the service item",
    ),
    (Code::RateMissing, "no rate"),
    (Code::RateAmbiguous, "two rates"),
    (Code::CurrencyMismatch, "the rate is in another currency"),
    (Code::AmountTooLarge, "too large"),
];

fn in_short(problem: &Problem) -> &'static str {
    SHORT
        .iter()
        .find(|(code, _)| *code == problem.code)
        .map_or("it cannot be priced", |(_, words)| words)
}

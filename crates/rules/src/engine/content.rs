//! The last stage: parts of a piece of work become the contents of charges, each with its
//! explanation. Parts add up: their seconds to the recorded time, their cost to the cost of it.

use super::accounts::Accounts;
use super::gross::{Gross, GrossPart, asks_accounts};
use super::settle::ask_id;
use crate::account::ask::{Outcome, Slice};
use crate::charge::{ChargeContent, Disposition};
use crate::explanation::{Explanation, Step};
use crate::part::Part;
use domain::contract::Contract;
use domain::decimal::Micro;
use domain::exception::{Code, Problem};
use domain::money::{Money, MoneyError};
use domain::rounding::Rounding;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A part of a piece of work, priced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PricedPart {
    /// What is to be booked.
    pub content: ChargeContent,
    /// An allowance in money that the line is less by; usually none.
    pub line_allowance: Money,
    /// What it was before accounts and other work of its document were looked at.
    pub before: BeforeOthers,
    /// Why.
    pub explanation: Explanation,
}

/// What a part of a piece of work was before accounts were asked: with it, others can be priced again
/// that hang on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BeforeOthers {
    /// Billable time of the whole tier, in seconds.
    pub billable_seconds: i64,
    /// How many of the steps, from the first, are those of the price.
    pub price_steps: usize,
    /// How many after these are those of the printed quantity.
    pub print_steps: usize,
}

impl BeforeOthers {
    const fn of(gross: &Gross, part: &GrossPart) -> Self {
        Self {
            billable_seconds: part.billable_seconds,
            price_steps: gross.steps.len(),
            print_steps: gross.print_steps.len(),
        }
    }
}

fn too_large(_: MoneyError) -> Problem {
    Problem::new(Code::AmountTooLarge, "an amount cannot be represented")
}

/// The parts of one piece of work.
pub(super) fn parts(
    contract: &Contract,
    id: &str,
    gross: &Gross,
    accounts: Option<&Accounts>,
    settled: &BTreeMap<String, Vec<Step>>,
) -> Result<Vec<PricedPart>, Problem> {
    let mut made: Vec<PricedPart> = Vec::with_capacity(gross.parts.len());
    let mut cost = Cost::default();
    let accounts = accounts.filter(|accounts| accounts.asked_about_work());
    for part in &gross.parts {
        let asked = part.billed && asks_accounts(contract.kind, gross.pays);
        let (mut slices, mut steps): (Vec<Slice>, &[Step]) = (Vec::new(), &[]);
        let mut credited = false;
        if accounts.is_some() || !settled.is_empty() {
            let own_name = ask_id(id, part);
            if let Some(accounts) = accounts.filter(|_| asked) {
                slices = accounts.slices(&own_name);
                credited = slices.is_empty() && accounts.knows(&own_name);
            }
            steps = settled.get(&own_name).map_or(&[], Vec::as_slice);
        }
        // Nobody was asked, or there was nothing to ask for: the part is as it is. Credited for good, it
        // is billed with nothing, and it cost all the same.
        if slices.is_empty() {
            let slice = if credited {
                nothing(contract, part)
            } else {
                whole(contract, part)?
            };
            let seconds = part.recorded_seconds;
            let one = priced(contract, gross, part, &slice, seconds, &mut cost, steps)?;
            made.push(one);
            continue;
        }
        let seconds = shares(part.recorded_seconds, &slices);
        for (slice, seconds) in slices.iter().zip(seconds) {
            let one = priced(contract, gross, part, slice, seconds, &mut cost, steps)?;
            made.push(one);
        }
    }
    Ok(made)
}

/// A part that no account was asked about.
fn whole(contract: &Contract, part: &GrossPart) -> Result<Slice, Problem> {
    Ok(Slice {
        outcome: Outcome::Billed,
        quantity: part.quantity,
        rate: part.rate,
        amount: Money::times(
            part.quantity,
            part.rate,
            contract.currency,
            contract.amount_rounding,
        )
        .map_err(too_large)?,
        line_allowance: Money::zero(contract.currency),
    })
}

/// A part of which nothing is billed.
fn nothing(contract: &Contract, part: &GrossPart) -> Slice {
    Slice {
        outcome: Outcome::Billed,
        quantity: Micro::ZERO,
        rate: part.rate,
        amount: Money::zero(contract.currency),
        line_allowance: Money::zero(contract.currency),
    }
}

/// The recorded seconds of slices, by their quantities; what division leaves goes to the last.
fn shares(seconds: i64, slices: &[Slice]) -> Vec<i64> {
    let total: i128 = slices.iter().map(|s| i128::from(s.quantity.micro())).sum();
    let mut running = 0_i128;
    let mut given = 0_i64;
    slices
        .iter()
        .map(|slice| {
            running += i128::from(slice.quantity.micro());
            let upto = if total == 0 {
                seconds
            } else {
                i64::try_from(i128::from(seconds) * running / total).unwrap_or(seconds)
            };
            let own = upto - given;
            given = upto;
            own
        })
        .collect()
}

/// Cost by the running sum of seconds, so that the parts' costs add up to that of the work.
#[derive(Default)]
struct Cost {
    seconds: i64,
    minor: i64,
}

fn priced(
    contract: &Contract,
    gross: &Gross,
    part: &GrossPart,
    slice: &Slice,
    seconds: i64,
    cost: &mut Cost,
    account_steps: &[Step],
) -> Result<PricedPart, Problem> {
    let zero = Money::zero(contract.currency);
    let key = Part {
        outcome: slice.outcome,
        tier: part.tier,
    };
    let disposition = if gross.pays == Disposition::Bill && part.billed {
        key.disposition()
    } else {
        Disposition::Cost
    };
    let net = slice
        .amount
        .checked_add(slice.line_allowance.negated().map_err(too_large)?)
        .map_err(too_large)?;
    let value = if disposition == Disposition::Cost {
        zero
    } else {
        net
    };
    let amount = if disposition == Disposition::Bill {
        net
    } else {
        zero
    };
    let said = [&gross.steps, &gross.print_steps, account_steps];
    let mut steps = Vec::with_capacity(said.iter().map(|steps| steps.len()).sum::<usize>() + 2);
    for said in said {
        steps.extend_from_slice(said);
    }
    if disposition != Disposition::Cost {
        let inputs = format_args!(
            "{} {} x {} {}, {} to the smallest coin; {}",
            slice.quantity,
            gross.unit.name(),
            contract.currency,
            slice.rate,
            contract.amount_rounding.name(),
            disposition.words()
        );
        steps.push(if slice.line_allowance.amount_minor == 0 {
            Step::new("amount", inputs, value)
        } else {
            let less = format_args!("{} less {} = {value}", slice.amount, slice.line_allowance);
            Step::new("amount", inputs, less)
        });
    }
    cost.seconds += seconds;
    let upto = Money::of_time(
        cost.seconds,
        gross.cost_rate,
        gross.cost_currency,
        Rounding::HalfUp,
    )
    .map_err(too_large)?;
    let own_cost = Money {
        amount_minor: upto.amount_minor - cost.minor,
        currency: gross.cost_currency,
    };
    cost.minor = upto.amount_minor;
    if gross.cost_rate != Micro::ZERO {
        steps.push(Step::new(
            "cost",
            format_args!(
                "{seconds} s recorded x {} {} per hour",
                gross.cost_currency, gross.cost_rate
            ),
            own_cost,
        ));
    }
    let content = ChargeContent {
        part: key,
        disposition,
        contract: contract.id.clone(),
        contract_kind: contract.kind,
        shape: contract.shape,
        placement: Arc::clone(&gross.placement),
        quantity: slice.quantity,
        unit: gross.unit,
        rate: if disposition == Disposition::Cost {
            Micro::ZERO
        } else {
            slice.rate
        },
        amount,
        value,
        recorded_seconds: seconds,
        cost_rate: gross.cost_rate,
        cost: own_cost,
        work_date: gross.work_date,
        posting_date: gross.posting_date,
    };
    Ok(PricedPart {
        content,
        line_allowance: slice.line_allowance,
        before: BeforeOthers::of(gross, part),
        explanation: Explanation {
            pricing_version: crate::PRICING_VERSION,
            steps,
        },
    })
}

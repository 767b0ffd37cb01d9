//! The first stages: from the recorded time of one worker's stretch of days to priced parts, before
//! any account is asked. Tiers of the week, billable time of the scope, the rate, the printed
//! quantity.

use super::PriceError;
use super::known::Id;
use super::once::Once;
use super::rates::{Rate, Rates};
use super::work::Work;
use crate::charge::{Disposition, Placement};
use crate::explanation::Step;
use crate::overtime::bill::{TierPrice, bill_tiers};
use crate::overtime::pay::RegularRate;
use crate::overtime::tiers::tier_week;
use crate::overtime::{OvertimeError, Tier};
use crate::quantity::WorkTime;
use crate::quantity::increment::billable_tiers;
use crate::resolve::Resolved;
use domain::contract::quantity::IncrementScope;
use domain::contract::{Contract, ContractKind};
use domain::currency::Currency;
use domain::decimal::Micro;
use domain::exception::{Code, Problem};
use domain::quantity::Unit;
use domain::reference::Reference;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A part of a piece of work before accounts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GrossPart {
    /// Its tier.
    pub tier: Tier,
    /// Recorded seconds of it.
    pub recorded_seconds: i64,
    /// Billable seconds of it.
    pub billable_seconds: i64,
    /// Whether the client pays for it.
    pub billed: bool,
    /// The printed quantity.
    pub quantity: Micro,
    /// The rate per unit.
    pub rate: Micro,
}

/// A piece of work, priced before accounts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gross {
    /// The contract.
    pub contract: String,
    /// Whether a client pays for it at all.
    pub pays: Disposition,
    /// Where its charges belong.
    pub placement: Arc<Placement>,
    /// The day of the work.
    pub work_date: Date,
    /// The day it is posted on.
    pub posting_date: Date,
    /// The task, for limits.
    pub task: String,
    /// The unit of its quantities.
    pub unit: Unit,
    /// The parts, by tier.
    pub parts: Vec<GrossPart>,
    /// The cost rate per hour; zero where the ERP owns cost.
    pub cost_rate: Micro,
    /// The currency of cost.
    pub cost_currency: Currency,
    /// How it came about.
    pub steps: Vec<Step>,
    /// How the quantities were printed.
    pub print_steps: Vec<Step>,
}

impl Gross {
    /// Whether it is of the same time on the same task and day.
    fn is_of(&self, work: &Work, resolved: &Resolved<'_>) -> bool {
        let parts = self.parts.iter();
        let seconds: i64 = parts.map(|part| part.recorded_seconds).sum();
        self.contract == resolved.contract.id
            && self.task == resolved.task.code
            && self.work_date == work.fields.work_date
            && seconds == work.fields.recorded_seconds
    }

    /// Keep the posting day of what stands, where nothing but the day is another. The period of the
    /// work may have been closed since: that moves work that comes, and no work that is there.
    pub(super) fn keep_day(&mut self, before: &Self) {
        let priced = |gross: &Self| -> Vec<(Tier, i64, i64, bool, Micro)> {
            let parts = gross.parts.iter();
            parts
                .map(|p| {
                    (
                        p.tier,
                        p.recorded_seconds,
                        p.billable_seconds,
                        p.billed,
                        p.rate,
                    )
                })
                .collect()
        };
        let same = self.contract == before.contract
            && self.pays == before.pays
            && self.placement.bill_to == before.placement.bill_to
            && self.placement.group_key == before.placement.group_key
            && self.work_date == before.work_date
            && self.task == before.task
            && self.unit == before.unit
            && self.cost_rate == before.cost_rate
            && self.cost_currency == before.cost_currency
            && priced(self) == priced(before);
        if same {
            self.posting_date = before.posting_date;
            self.placement = Arc::clone(&before.placement);
        }
    }
}

/// A piece of work on its way through the stages.
pub(super) struct Passing<'a> {
    pub(super) id: &'a Id,
    /// Whether its own price may be another.
    pub(super) touched: bool,
    pub(super) work: &'a Work,
    pub(super) resolved: Resolved<'a>,
    pub(super) pays: Disposition,
    /// The line of a document; empty where the contract does not look at it.
    line: String,
    tiers: [i64; 3],
    billable: [i64; 3],
    /// How it came about so far.
    steps: Vec<Step>,
}

/// So many steps has work with cost, bill rate and overtime before it is printed.
const STEPS_USUAL: usize = 10;

/// Why a stage has no answer, as the exception that the work becomes.
pub(super) fn terms_problem(contract: &Contract, error: &dyn std::fmt::Display) -> Problem {
    Problem::new(
        Code::ContractAmbiguous,
        format!("contract {}: {error}", contract.id),
    )
}

impl<'a> Passing<'a> {
    /// `before` is how the work stands, if it does.
    pub(super) fn new(
        id: &'a Id,
        work: &'a Work,
        resolved: Resolved<'a>,
        before: Option<&Gross>,
        once: &mut Once<'a>,
    ) -> Self {
        let mut steps = Vec::with_capacity(STEPS_USUAL);
        let pays = once.who_pays(&resolved, &work.fields, &mut steps);
        let line = if resolved.contract.increment_scope == IncrementScope::Line {
            // What stands stays on its line, also when its period is closed by now.
            let stands = before.filter(|before| before.is_of(work, &resolved));
            let place = match stands {
                Some(before) => before.placement.clone(),
                None => once.placement(&resolved, resolved.posting.date()),
            };
            format!("{} {}", place.group_key, place.period)
        } else {
            String::new()
        };
        let seconds = work.fields.recorded_seconds;
        Self {
            id,
            touched: true,
            work,
            resolved,
            pays,
            line,
            tiers: [seconds, 0, 0],
            billable: [seconds, 0, 0],
            steps,
        }
    }

    fn time(&self) -> WorkTime<'_> {
        self.work.time(&self.resolved, &self.line)
    }

    const fn contract(&self) -> &'a Contract {
        self.resolved.contract
    }
}

/// Tiers of each week that a contract with overtime is in. Hours of every contract count.
pub(super) fn tier(reference: &Reference, passing: &mut [Passing<'_>]) -> Result<(), Problem> {
    let mut weeks: BTreeSet<(&str, &str, Date)> = BTreeSet::new();
    for one in passing.iter() {
        if let Some(billing) = &one.contract().overtime
            && one.pays == Disposition::Bill
        {
            let first = billing.terms.week_start.week_of(one.work.fields.work_date);
            let worker = one.resolved.worker.code.as_str();
            weeks.insert((one.contract().id.as_str(), worker, first));
        }
    }
    for (contract, worker, first) in weeks {
        let Some(terms) = reference.contracts.iter().find(|c| c.id == contract) else {
            continue;
        };
        let Some(billing) = &terms.overtime else {
            continue;
        };
        let inside: Vec<usize> = passing
            .iter()
            .enumerate()
            .filter(|(_, one)| {
                one.resolved.worker.code == worker
                    && billing.terms.week_start.week_of(one.work.fields.work_date) == first
            })
            .map(|(place, _)| place)
            .collect();
        let times: Vec<WorkTime<'_>> = inside
            .iter()
            .filter_map(|place| passing.get(*place).map(Passing::time))
            .collect();
        let week = tier_week(
            &billing.terms,
            billing.bearing,
            &reference.overtime_exemptions,
            first,
            &times,
        )
        .map_err(|error| terms_problem(terms, &error))?;
        for (place, entry) in inside.into_iter().zip(week.entries) {
            if let Some(one) = passing.get_mut(place)
                && one.contract().id == contract
                && one.pays == Disposition::Bill
            {
                one.tiers = entry.parts();
                one.steps.extend(week.steps.iter().cloned());
            }
        }
    }
    Ok(())
}

/// Billable time by the increment of each contract, over everybody's work: a line of a document has
/// hours of several people. Gives the contracts whose terms have no answer.
pub(super) fn bill_time<'a>(passing: &mut [Passing<'a>]) -> BTreeMap<&'a str, Problem> {
    let mut contracts: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (place, one) in passing.iter().enumerate() {
        if one.pays == Disposition::Bill {
            let own = contracts.entry(one.contract().id.as_str()).or_default();
            own.push(place);
        }
    }
    let mut failed = BTreeMap::new();
    for (id, places) in contracts {
        if let Err(problem) = bill_contract(passing, places) {
            failed.insert(id, problem);
        }
    }
    failed
}

fn bill_contract(passing: &mut [Passing<'_>], places: Vec<usize>) -> Result<(), Problem> {
    let of = |place: &usize| passing.get(*place);
    let Some(contract) = places.iter().find_map(of).map(Passing::contract) else {
        return Ok(());
    };
    let terms = contract.quantity_terms();
    let times: Vec<WorkTime<'_>> = places.iter().filter_map(of).map(Passing::time).collect();
    let tiers: Vec<[i64; 3]> = places.iter().filter_map(of).map(|one| one.tiers).collect();
    let shares =
        billable_tiers(&terms, &times, &tiers).map_err(|error| terms_problem(contract, &error))?;
    for (place, share) in places.into_iter().zip(shares) {
        if let Some(one) = passing.get_mut(place) {
            one.steps.extend(share.step);
            one.billable = share.seconds;
        }
    }
    Ok(())
}

/// The parts at their rates, not yet printed.
fn rates_of<'a>(
    rates: &mut Rates<'a>,
    one: &mut Passing<'a>,
    cost_rate: Micro,
) -> Result<Vec<GrossPart>, Problem> {
    let contract = one.contract();
    let part = |tier: Tier, seconds: i64, billable: i64, billed: bool, rate: Micro| GrossPart {
        tier,
        recorded_seconds: seconds,
        billable_seconds: billable,
        billed,
        quantity: Micro::ZERO,
        rate,
    };
    if one.pays != Disposition::Bill {
        let seconds = one.work.fields.recorded_seconds;
        let whole = part(Tier::Straight, seconds, seconds, false, Micro::ZERO);
        return Ok(vec![whole]);
    }
    let Rate { row, steps } = rates.bill(&one.resolved, one.work.fields.work_date)?;
    let rate = row.rate;
    one.steps.extend(steps.iter().cloned());
    let Some(billing) = &contract.overtime else {
        let [seconds, ..] = one.tiers;
        let [billable, ..] = one.billable;
        return Ok(vec![part(Tier::Straight, seconds, billable, true, rate)]);
    };
    let billed = bill_tiers(
        billing,
        one.work.preauthorised,
        one.billable,
        rate,
        &RegularRate::of_one(cost_rate),
    )
    .map_err(|error: OvertimeError| terms_problem(contract, &error))?;
    one.steps.extend(billed.steps);
    let mut parts: Vec<GrossPart> = Vec::new();
    for tier in billed.parts {
        let place = Tier::ALL.iter().position(|known| *known == tier.tier);
        let seconds = place.and_then(|p| one.tiers.get(p)).copied().unwrap_or(0);
        let (is_billed, rate) = match tier.price {
            TierPrice::Rate(rate) | TierPrice::PremiumCost(rate) => (true, rate),
            TierPrice::NotBilled => (false, Micro::ZERO),
        };
        match parts.iter_mut().find(|known| known.tier == tier.tier) {
            // The hour and what its premium costs are one price of one hour.
            Some(known) => {
                known.rate = Micro::from_micro(known.rate.micro().saturating_add(rate.micro()));
            }
            None => parts.push(part(tier.tier, seconds, tier.seconds, is_billed, rate)),
        }
    }
    // A tier that the increment rounds to nothing is billed with nothing, and was worked all the same.
    for (tier, seconds) in Tier::ALL.into_iter().zip(one.tiers) {
        if seconds != 0 && !parts.iter().any(|known| known.tier == tier) {
            parts.push(part(tier, seconds, 0, true, rate));
        }
    }
    parts.sort_by_key(|known| known.tier);
    Ok(parts)
}

/// The cost rate and its currency; zero where no cost rates are kept here.
fn cost_of<'a>(rates: &mut Rates<'a>, one: &mut Passing<'a>) -> Result<(Micro, Currency), Problem> {
    match rates.cost(&one.resolved, one.work.fields.work_date)? {
        None => Ok((Micro::ZERO, one.contract().currency)),
        Some(Rate { row, steps }) => {
            one.steps.extend(steps.iter().cloned());
            Ok((row.rate, row.currency))
        }
    }
}

/// Rates and everything that needs no other work: the gross of one piece of work, quantities still
/// to be printed.
pub(super) fn rate<'a>(
    rates: &mut Rates<'a>,
    once: &mut Once<'a>,
    mut one: Passing<'a>,
) -> Result<Gross, Problem> {
    let (cost_rate, cost_currency) = cost_of(rates, &mut one)?;
    let parts = rates_of(rates, &mut one, cost_rate)?;
    let contract = one.resolved.contract;
    let posting_date = one.resolved.posting.date();
    Ok(Gross {
        contract: contract.id.clone(),
        pays: one.pays,
        placement: once.placement(&one.resolved, posting_date),
        work_date: one.work.fields.work_date,
        posting_date,
        task: one.resolved.task.code.clone(),
        unit: if one.pays == Disposition::Bill {
            contract.unit
        } else {
            Unit::Hour
        },
        parts,
        cost_rate,
        cost_currency,
        steps: one.steps,
        print_steps: Vec::new(),
    })
}

/// Whether accounts of the contract are asked about work that is paid like this.
pub(super) const fn asks_accounts(kind: ContractKind, pays: Disposition) -> bool {
    matches!(
        (kind, pays),
        (ContractKind::TimeAndMaterials, Disposition::Bill)
    )
}

impl From<PriceError> for Problem {
    fn from(error: PriceError) -> Self {
        Self::new(Code::ContractAmbiguous, error.to_string())
    }
}

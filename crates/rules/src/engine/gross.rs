//! The first stages: from the recorded time of one worker's stretch of days to priced parts, before
//! any account is asked. Tiers of the week, billable time of the scope, the rate, the printed
//! quantity.

use super::work::{Work, rate_facts};
use super::{BookedPrint, PriceError};
use crate::card::{Asked, Card, RateUse};
use crate::charge::{Disposition, Placement};
use crate::explanation::{Explanation, Step};
use crate::overtime::bill::{TierPrice, bill_tiers};
use crate::overtime::pay::RegularRate;
use crate::overtime::tiers::tier_week;
use crate::overtime::{OvertimeError, Tier};
use crate::price::{disposition, placement, who_pays};
use crate::quantity::days::day_shares;
use crate::quantity::increment::billable_parts;
use crate::quantity::months::month_shares;
use crate::quantity::printed::{PrintedBefore, ToPrint, print_group};
use crate::quantity::{QuantityError, WorkTime};
use crate::resolve::Resolved;
use domain::contract::quantity::QuantityTerms;
use domain::contract::rates::RateTerms;
use domain::contract::{Contract, ContractKind};
use domain::currency::Currency;
use domain::decimal::Micro;
use domain::exception::{Code, Problem};
use domain::quantity::Unit;
use domain::reference::Reference;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

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
    pub placement: Placement,
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
}

/// A piece of work on its way through the stages.
pub(super) struct Passing<'a> {
    pub(super) work: &'a Work,
    pub(super) resolved: Resolved<'a>,
    pub(super) pays: Disposition,
    line: String,
    tiers: [i64; 3],
    billable: [i64; 3],
    why: Explanation,
}

/// Why a stage has no answer, as the exception that the work becomes.
fn terms_problem(contract: &Contract, error: &dyn std::fmt::Display) -> Problem {
    Problem::new(
        Code::ContractAmbiguous,
        format!("contract {}: {error}", contract.id),
    )
}

impl<'a> Passing<'a> {
    pub(super) fn new(work: &'a Work, resolved: Resolved<'a>) -> Self {
        let pays = disposition(resolved.contract.kind, work.fields.billable);
        let mut why = Explanation {
            pricing_version: crate::PRICING_VERSION,
            steps: Vec::new(),
        };
        who_pays(resolved.contract, work.fields.billable, pays, &mut why);
        let place = placement(&resolved, resolved.posting.date());
        let seconds = work.fields.recorded_seconds;
        Self {
            work,
            resolved,
            pays,
            line: format!("{} {}", place.group_key, place.period),
            tiers: [seconds, 0, 0],
            billable: [seconds, 0, 0],
            why,
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
    let mut weeks: BTreeSet<(String, String, Date)> = BTreeSet::new();
    for one in passing.iter() {
        if let Some(billing) = &one.contract().overtime
            && one.pays == Disposition::Bill
        {
            let first = billing.terms.week_start.week_of(one.work.fields.work_date);
            let worker = one.resolved.worker.code.clone();
            weeks.insert((one.contract().id.clone(), worker, first));
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
                one.why.steps.extend(week.steps.iter().cloned());
            }
        }
    }
    Ok(())
}

/// Billable time by the increment of each contract.
pub(super) fn bill_time(passing: &mut [Passing<'_>]) -> Result<(), Problem> {
    let mut contracts: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (place, one) in passing.iter().enumerate() {
        if one.pays == Disposition::Bill {
            let own = contracts.entry(one.contract().id.clone()).or_default();
            own.push(place);
        }
    }
    for places in contracts.into_values() {
        let Some(contract) = places
            .first()
            .and_then(|p| passing.get(*p))
            .map(Passing::contract)
        else {
            continue;
        };
        let terms = contract.quantity_terms();
        let of = |place: &usize| passing.get(*place);
        let times: Vec<WorkTime<'_>> = places.iter().filter_map(of).map(Passing::time).collect();
        let parts: Vec<Vec<i64>> = places
            .iter()
            .filter_map(of)
            .map(|one| one.tiers.to_vec())
            .collect();
        let shares = billable_parts(&terms, &times, &parts)
            .map_err(|error| terms_problem(contract, &error))?;
        for (place, share) in places.into_iter().zip(shares) {
            if let Some(one) = passing.get_mut(place) {
                if terms.increment.is_some() {
                    one.why.steps.extend(share.steps);
                }
                for (to, from) in one.billable.iter_mut().zip(share.parts_seconds) {
                    *to = from;
                }
            }
        }
    }
    Ok(())
}

/// Parts at a rate, not yet printed.
struct Rated {
    parts: Vec<GrossPart>,
    steps: Vec<Step>,
}

fn rates_of(card: &Card<'_>, one: &Passing<'_>, cost_rate: Micro) -> Result<Rated, Problem> {
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
        return Ok(Rated {
            parts: vec![part(Tier::Straight, seconds, seconds, false, Micro::ZERO)],
            steps: Vec::new(),
        });
    }
    let asked = Asked {
        used_for: RateUse::Bill,
        facts: rate_facts(&one.resolved),
        day: one.work.fields.work_date,
        known_at: None,
        currency: Some(contract.currency),
    };
    let mut why = Explanation::default();
    let chosen = card
        .choose(&asked, &RateTerms::default(), &mut why)
        .map_err(|refusal| refusal.problem(&asked))?;
    let rate = chosen.row.rate;
    let Some(billing) = &contract.overtime else {
        let [seconds, ..] = one.tiers;
        let [billable, ..] = one.billable;
        return Ok(Rated {
            parts: vec![part(Tier::Straight, seconds, billable, true, rate)],
            steps: why.steps,
        });
    };
    let billed = bill_tiers(
        billing,
        one.work.preauthorised,
        one.billable,
        rate,
        &RegularRate::of_one(cost_rate),
    )
    .map_err(|error: OvertimeError| terms_problem(contract, &error))?;
    why.steps.extend(billed.steps);
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
    Ok(Rated {
        parts,
        steps: why.steps,
    })
}

/// The cost rate and its currency; zero where no cost rates are kept here.
fn cost_of(
    reference: &Reference,
    card: &Card<'_>,
    one: &mut Passing<'_>,
) -> Result<(Micro, Currency), Problem> {
    if reference.cost_rates.is_empty() {
        return Ok((Micro::ZERO, one.contract().currency));
    }
    let asked = Asked {
        used_for: RateUse::Cost,
        facts: rate_facts(&one.resolved),
        day: one.work.fields.work_date,
        known_at: None,
        currency: None,
    };
    let chosen = card
        .choose(&asked, &RateTerms::default(), &mut one.why)
        .map_err(|refusal| refusal.problem(&asked))?;
    Ok((chosen.row.rate, chosen.row.currency))
}

/// Cards of a reference, made once.
pub(super) struct Cards<'a> {
    bill: Card<'a>,
    cost: Card<'a>,
}

impl<'a> Cards<'a> {
    pub(super) fn of(reference: &'a Reference) -> Self {
        Self {
            bill: Card::new(&reference.bill_rates),
            cost: Card::new(&reference.cost_rates),
        }
    }
}

/// Rates and everything that needs no other work: the gross of one piece of work, quantities still
/// to be printed.
pub(super) fn rate(
    reference: &Reference,
    cards: &Cards<'_>,
    mut one: Passing<'_>,
) -> Result<Gross, Problem> {
    let (cost_rate, cost_currency) = cost_of(reference, &cards.cost, &mut one)?;
    let rated = rates_of(&cards.bill, &one, cost_rate)?;
    let mut steps = one.why.steps;
    steps.extend(rated.steps);
    let contract = one.resolved.contract;
    let posting_date = one.resolved.posting.date();
    Ok(Gross {
        contract: contract.id.clone(),
        pays: one.pays,
        placement: placement(&one.resolved, posting_date),
        work_date: one.work.fields.work_date,
        posting_date,
        task: one.resolved.task.code.clone(),
        unit: if one.pays == Disposition::Bill {
            contract.unit
        } else {
            Unit::Hour
        },
        parts: rated.parts,
        cost_rate,
        cost_currency,
        steps,
    })
}

/// Print the quantities of one contract's works. `wanted` are the works of the pricing groups that
/// are touched, with what is booked of them.
pub(super) fn print(
    contract: &Contract,
    wanted: &mut BTreeMap<String, (Gross, Work)>,
    booked: &[BookedPrint],
) -> Result<(), Problem> {
    let terms = contract.quantity_terms();
    let failed = |error: QuantityError| terms_problem(contract, &error);
    match contract.unit {
        Unit::Hour | Unit::Minute => print_time(contract, &terms, wanted, booked),
        Unit::WorkingDay | Unit::Day => {
            let shares = {
                let times: Vec<WorkTime<'_>> = wanted.iter().map(plain_time).collect();
                day_shares(&terms, &times).map_err(failed)?
            };
            for share in shares {
                set_whole(wanted, &share.source_ref, share.days, share.steps);
            }
            Ok(())
        }
        Unit::Month => {
            let shares = {
                let times: Vec<WorkTime<'_>> = wanted.iter().map(plain_time).collect();
                month_shares(&terms, &times).map_err(failed)?
            };
            for share in shares {
                set_whole(wanted, &share.source_ref, share.months, share.steps);
            }
            Ok(())
        }
    }
}

/// The time of a work whose resolved names are known through its gross.
fn plain_time<'a>((id, (gross, work)): (&'a String, &'a (Gross, Work))) -> WorkTime<'a> {
    WorkTime {
        source_ref: id,
        worker: &work.fields.worker_ref,
        customer: &gross.placement.bill_to,
        project: "",
        task: &gross.task,
        line: "",
        work_date: gross.work_date,
        started_us: work.started_us,
        approved_us: work.approved_us,
        seconds: gross.parts.iter().map(|part| part.billable_seconds).sum(),
    }
}

fn set_whole(
    wanted: &mut BTreeMap<String, (Gross, Work)>,
    id: &str,
    quantity: Micro,
    steps: Vec<Step>,
) {
    if let Some((gross, _)) = wanted.get_mut(id) {
        if let Some(part) = gross.parts.first_mut() {
            part.quantity = quantity;
        }
        gross.steps.extend(steps);
    }
}

fn print_time(
    contract: &Contract,
    terms: &QuantityTerms,
    wanted: &mut BTreeMap<String, (Gross, Work)>,
    booked: &[BookedPrint],
) -> Result<(), Problem> {
    let mut homes: BTreeMap<Placement, Vec<(String, u32, Micro, i64)>> = BTreeMap::new();
    for (id, (gross, _)) in wanted.iter() {
        for (number, part) in (0_u32..).zip(&gross.parts) {
            homes.entry(gross.placement.clone()).or_default().push((
                id.clone(),
                number,
                part.rate,
                part.billable_seconds,
            ));
        }
    }
    for (home, parts) in homes {
        let before: Vec<PrintedBefore<'_>> = booked
            .iter()
            .filter(|print| print.home == home)
            .map(|print| PrintedBefore {
                source_ref: &print.item,
                part: print.part,
                rate: print.rate,
                seconds: print.seconds,
                quantity: print.quantity,
                issued: print.issued,
            })
            .collect();
        let group = {
            let mut to_print: Vec<ToPrint<'_>> = Vec::with_capacity(parts.len());
            for (id, part, rate, seconds) in &parts {
                let Some(entry) = wanted.get_key_value(id) else {
                    continue;
                };
                to_print.push(ToPrint {
                    work: WorkTime {
                        seconds: *seconds,
                        ..plain_time(entry)
                    },
                    part: *part,
                    rate: *rate,
                });
            }
            print_group(terms, &before, &to_print)
                .map_err(|error| terms_problem(contract, &error))?
        };
        for printed in group.entries {
            if let Some((gross, _)) = wanted.get_mut(&printed.source_ref) {
                let place = usize::try_from(printed.part).unwrap_or(usize::MAX);
                if let Some(part) = gross.parts.get_mut(place) {
                    part.quantity = printed.quantity;
                }
                gross.steps.extend(printed.steps);
            }
        }
    }
    Ok(())
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

//! The whole scenario, from its first event to its outcome.

use crate::documents::Document;
use crate::outcome::{
    AccountLine, DocumentOutcome, ExceptionLine, LineOutcome, ScenarioOutcome, Total,
};
use crate::read::{ReadError, ReadScenario};
use crate::world::{PlayError, World};
use domain::contract::lines::LineTerms;
use domain::money::Money;
use domain::rounding::Rounding;
use rules::account::Account;
use rules::documents::{LineCharge, lines};
use rules::engine::Whole;
use std::collections::BTreeMap;

/// Play a scenario that was read.
pub fn play(read: &ReadScenario) -> Result<ScenarioOutcome, ReadError> {
    let scenario = &read.scenario;
    let mut world = World::new(scenario);
    for (number, event) in scenario.event.iter().enumerate() {
        world
            .play(number, event)
            .map_err(|error| refused(read, &error))?;
    }
    let documents = world
        .documents
        .all
        .iter()
        .filter(|document| !document.lines.is_empty())
        .map(|document| document_outcome(&world, document))
        .collect::<Result<_, _>>()?;
    Ok(ScenarioOutcome {
        title: scenario.title.clone(),
        documents,
        exceptions: exceptions(&world),
        accounts: accounts(&world)?,
        totals: totals(&world)?,
        charges: world.charges,
    })
}

fn refused(read: &ReadScenario, error: &PlayError) -> ReadError {
    ReadError::at(
        read.event_line(error.event),
        format!("event {}: {error}", error.event + 1),
        "an event that can happen at this place",
    )
}

fn failed(error: &dyn std::fmt::Display) -> ReadError {
    ReadError::new(error.to_string(), "amounts that can be represented")
}

fn document_outcome(world: &World, document: &Document) -> Result<DocumentOutcome, ReadError> {
    let charges: Vec<LineCharge> = document
        .lines
        .iter()
        .filter(|(_, line)| line.fixed.is_none())
        .map(|(name, line)| LineCharge {
            id: name.clone(),
            contract: line.contract.clone(),
            worker: line.words.worker.clone(),
            worker_name: line.words.worker.clone(),
            role: line.words.role.clone(),
            project: line.words.project.clone(),
            task: line.words.task.clone(),
            task_name: line.words.task.clone(),
            service_item: line.words.service_item.clone(),
            sort: line.sort.clone(),
            work_date: line.work_date,
            quantity: line.quantity,
            unit: line.unit,
            rate: line.rate,
            amount: line.amount,
            narrative: line.words.narrative.clone(),
        })
        .collect();
    let contract = document.lines.values().next().and_then(|line| {
        world
            .reference
            .contracts
            .iter()
            .find(|c| c.id == line.contract)
    });
    let rounding = contract.map_or(Rounding::default(), |contract| contract.amount_rounding);
    let usual = LineTerms::default();
    let terms = contract.map_or(&usual, |contract| &contract.lines);
    let made =
        lines(&charges, terms, document.home.currency, rounding).map_err(|error| failed(&error))?;
    let mut total = Money::zero(document.home.currency);
    let mut out = Vec::with_capacity(made.len());
    for line in made {
        let mut allowance = Money::zero(document.home.currency);
        for own in line.charges.iter().filter_map(|id| document.lines.get(id)) {
            let sum = allowance.checked_add(own.allowance);
            allowance = sum.map_err(|error| failed(&error))?;
        }
        total = allowance
            .negated()
            .and_then(|less| line.amount.checked_add(less))
            .and_then(|net| total.checked_add(net))
            .map_err(|error| failed(&error))?;
        out.push(LineOutcome {
            text: line.text,
            allowance,
            quantity: line.quantity,
            unit: line.unit.name(),
            rate: line.rate,
            amount: line.amount,
            rounding: line.rounding,
            charges: line.charges,
        });
    }
    for (name, line) in &document.lines {
        if let Some(text) = &line.fixed {
            total = total
                .checked_add(line.amount)
                .map_err(|error| failed(&error))?;
            out.push(LineOutcome {
                text: text.clone(),
                quantity: line.quantity,
                unit: "one",
                rate: line.rate,
                amount: line.amount,
                allowance: line.allowance,
                rounding: Money::zero(document.home.currency),
                charges: vec![name.clone()],
            });
        }
    }
    Ok(DocumentOutcome {
        name: document.name.clone(),
        bill_to: document.home.bill_to.clone(),
        state: document.state,
        generation: document.generation(),
        lines: out,
        total,
    })
}

fn exceptions(world: &World) -> Vec<ExceptionLine> {
    let all = world.exceptions.iter();
    all.map(|(item, problem)| ExceptionLine {
        item: item.clone(),
        code: problem.code.text(),
        facts: problem.facts.clone(),
        remedy: problem.code.remedy(),
    })
    .collect()
}

fn totals(world: &World) -> Result<Vec<Total>, ReadError> {
    let mut totals: BTreeMap<String, Total> = BTreeMap::new();
    for charge in &world.charges {
        let zero = Money::zero(charge.amount.currency);
        let total = totals
            .entry(charge.contract.clone())
            .or_insert_with(|| Total {
                contract: charge.contract.clone(),
                billed: zero,
                value: zero,
            });
        let add = |to: Money, more: Money| to.checked_add(more).map_err(|error| failed(&error));
        total.billed = add(total.billed, charge.amount)?;
        total.value = add(total.value, charge.value)?;
    }
    Ok(totals.into_values().collect())
}

fn accounts(world: &World) -> Result<Vec<AccountLine>, ReadError> {
    let mut out = Vec::new();
    for contract in &world.reference.contracts {
        let whole = Whole::of(&world.reference.contracts, contract);
        let whole = whole.map_err(|error| failed(&error))?;
        let outer = world.book.accounts(&whole.outermost().id);
        let mut say = |account: &str, figure: &'static str, value: String| {
            out.push(AccountLine {
                contract: contract.id.clone(),
                account: account.to_owned(),
                figure,
                value,
            });
        };
        if let Some(Account::Limits(limits)) = outer.and_then(|accounts| accounts.limits.as_ref()) {
            let part = whole.is_part().then_some(contract.id.as_str());
            for (id, limit) in limits.terms_of(part) {
                let left = limits.left(limit).map_err(|error| failed(&error))?;
                say(id, "used", limits.used(&limit.id).to_string());
                say(id, "left", left.to_string());
            }
            let held = limits.held(part).map_err(|error| failed(&error))?;
            say("all limits", "held", held.to_string());
        }
        let Some(accounts) = world.book.accounts(&contract.id) else {
            continue;
        };
        if let Some(Account::Retainer(retainer)) = &accounts.retainer {
            let balance = retainer.balance().map_err(|error| failed(&error))?;
            say(&retainer.terms().id, "balance", balance.to_string());
        }
        if let Some(Account::Milestones(milestones)) = &accounts.milestones {
            let coins = |amount_minor| {
                let currency = contract.currency;
                Money {
                    amount_minor,
                    currency,
                }
                .to_string()
            };
            for (item, minor) in milestones.billed_minor() {
                say("milestones", "billed", format!("{item}: {}", coins(*minor)));
            }
            say("milestones", "withheld", coins(milestones.withheld_minor()));
        }
        if let Some(Account::HourBank(bank)) = &accounts.hour_bank {
            let view = bank.view().map_err(|error| failed(&error))?;
            for month in view.months {
                let name = format!("{} {}", bank.terms().id, month.first);
                say(&name, "rolled in", month.rolled_in.to_string());
                say(&name, "used", month.used.to_string());
                say(&name, "overage", month.overage.to_string());
                say(&name, "rolled out", month.rolled_out.to_string());
                say(&name, "expired", month.expired.to_string());
            }
        }
    }
    Ok(out)
}

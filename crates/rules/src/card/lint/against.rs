//! Rows against what exists: codes, and the contracts that a row can serve.

use super::{Findings, KnownContract, LintCode, LintInput, Severity, lawful};
use crate::card::RateUse;
use domain::rate::{RateKey, RateRow};
use jiff::civil::Date;
use std::collections::BTreeSet;

pub(super) fn look(input: &LintInput<'_>, at: usize, row: &RateRow, found: &mut Findings<'_>) {
    for unknown in unknown_codes(input, &row.key) {
        let sentence = format!(
            "The rate for {} names {unknown}, which does not exist.",
            row.words()
        );
        found.add(LintCode::UnknownCode, vec![at], sentence);
    }
    let Some(contracts) = &input.known.contracts else {
        return;
    };
    if let Some(contract) = named(&row.key, contracts) {
        if let Some(contradiction) = contradiction(&row.key, contract) {
            let sentence = format!("The rate for {} {contradiction}.", row.words());
            found.add(LintCode::KeyContradicts, vec![at], sentence);
            return;
        }
        if lawful(row) && days(row, contract).is_none() {
            let sentence = format!(
                "The rate for {} covers no day of contract {}.",
                row.words(),
                contract.id
            );
            found.add(LintCode::OutsideContract, vec![at], sentence);
        }
    }
    if input.used_for == RateUse::Bill {
        currency(at, row, contracts, found);
    }
}

fn unknown_codes(input: &LintInput<'_>, key: &RateKey) -> Vec<String> {
    let known = input.known;
    let mut unknown = Vec::new();
    let mut check = |name: &str, code: &Option<String>, list: &Option<BTreeSet<String>>| {
        if let (Some(code), Some(list)) = (code, list)
            && !list.contains(code)
        {
            unknown.push(format!("{name} {code}"));
        }
    };
    check("customer", &key.customer, &known.customers);
    check("project", &key.project, &known.projects);
    check("practice", &key.practice, &known.practices);
    check("worker", &key.worker, &known.workers);
    check("role", &key.role, &known.roles);
    check("service item", &key.service_item, &known.service_items);
    if let (Some(contract), Some(list)) = (&key.contract, &known.contracts)
        && !list.iter().any(|known| known.id == *contract)
    {
        unknown.push(format!("contract {contract}"));
    }
    if let (Some(project), Some(task), Some(list)) = (&key.project, &key.task, &known.tasks)
        && !list.contains(&(project.clone(), task.clone()))
    {
        unknown.push(format!("task {task} of project {project}"));
    }
    unknown
}

/// The contract that a key names.
fn named<'a>(key: &RateKey, contracts: &'a [KnownContract]) -> Option<&'a KnownContract> {
    let id = key.contract.as_ref()?;
    contracts.iter().find(|contract| contract.id == *id)
}

fn contradiction(key: &RateKey, contract: &KnownContract) -> Option<String> {
    if key.customer.is_some() && key.customer != contract.customer {
        return Some(format!(
            "names a customer that contract {} is not with",
            contract.id
        ));
    }
    let project = key.project.as_ref()?;
    (!contract.projects.contains(project)).then(|| {
        format!(
            "names project {project}, which contract {} does not cover",
            contract.id
        )
    })
}

/// The contracts whose work a key can have.
pub(super) fn servable<'a>(
    key: &RateKey,
    contracts: &'a [KnownContract],
) -> Vec<&'a KnownContract> {
    let fits = |contract: &&KnownContract| {
        key.contract.as_ref().is_none_or(|id| *id == contract.id)
            && (key.customer.is_none() || key.customer == contract.customer)
            && key
                .project
                .as_ref()
                .is_none_or(|p| contract.projects.contains(p))
    };
    contracts.iter().filter(fits).collect()
}

/// The days of a row on which a contract runs: the first, and the first after.
pub(super) fn days(row: &RateRow, contract: &KnownContract) -> Option<(Date, Option<Date>)> {
    let from = contract.from.map_or(row.from, |from| from.max(row.from));
    let to = match (row.to, contract.to) {
        (Some(one), Some(two)) => Some(one.min(two)),
        (one, two) => one.or(two),
    };
    to.is_none_or(|to| from < to).then_some((from, to))
}

fn currency(at: usize, row: &RateRow, contracts: &[KnownContract], found: &mut Findings<'_>) {
    let key = &row.key;
    if key.contract.is_none() && key.project.is_none() && key.customer.is_none() {
        // A standard rate serves contracts of its own currency.
        return;
    }
    let served = servable(key, contracts);
    let others: Vec<String> = served
        .iter()
        .filter(|contract| contract.currency != row.currency)
        .map(|contract| format!("{} is in {}", contract.id, contract.currency))
        .collect();
    if others.is_empty() {
        return;
    }
    let (severity, which) = if others.len() == served.len() {
        (Severity::Error, "every contract it can serve")
    } else {
        (Severity::Warning, "some contracts it can serve")
    };
    let sentence = format!(
        "The rate for {} would be refused for {which}: {}.",
        row.words(),
        others.join(", ")
    );
    found.add_as(severity, LintCode::Currency, vec![at], sentence);
}

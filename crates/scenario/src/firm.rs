//! The reference data of a scenario: what the file names, and what its contracts and entries imply.
//! Codes are the same everywhere, so every crosswalk is the identity.

use crate::file::{CustomerTable, PeriodTable, Scenario, WorkerTable};
use domain::contract::Contract;
use domain::masters::{Customer, Masters, Project, ServiceItem, SourceMasters, Task, Worker};
use domain::period::Period;
use domain::reference::{Crosswalk, Entity, Reference};
use jiff::civil::Date;
use std::collections::{BTreeMap, BTreeSet};

/// The most months for which periods are made up.
const MONTHS_MAX: usize = 1_200;

/// The reference data at the beginning of a scenario.
pub(crate) fn reference(scenario: &Scenario) -> Reference {
    let masters = Masters {
        customers: customers(scenario),
        projects: projects(scenario),
        tasks: tasks(scenario),
        workers: scenario.worker.iter().map(worker).collect(),
        service_items: service_items(scenario),
        periods: periods(scenario),
    };
    let same = |codes: Vec<String>| -> BTreeMap<String, String> {
        codes.into_iter().map(|code| (code.clone(), code)).collect()
    };
    let roles = scenario.worker.iter().filter(|w| !w.role.is_empty());
    let practices = scenario
        .worker
        .iter()
        .filter_map(|w| Some((w.code.clone(), w.practice.clone()?)));
    let crosswalk = Crosswalk {
        workers: same(masters.workers.keys().cloned().collect()),
        projects: same(masters.projects.keys().cloned().collect()),
        tasks: same(masters.tasks.iter().map(|task| task.code.clone()).collect()),
        service_items: same(masters.service_items.keys().cloned().collect()),
        roles: roles.map(|w| (w.code.clone(), w.role.clone())).collect(),
        business_units: BTreeMap::new(),
        practices: practices.collect(),
    };
    let held = scenario.customer.iter().filter(|c| c.on_hold);
    Reference {
        entity: Entity {
            code: scenario.entity.code.clone(),
            business_unit: scenario.entity.business_unit.clone(),
            zone: scenario.entity.zone.clone(),
        },
        customers_on_hold: held.map(|customer| customer.code.clone()).collect(),
        masters,
        source: SourceMasters::default(),
        crosswalk,
        contracts: scenario.contract.clone(),
        bill_rates: scenario.rate.clone(),
        cost_rates: scenario.cost_rate.clone(),
        overtime_exemptions: scenario.overtime_exemption.clone(),
    }
}

fn customers(scenario: &Scenario) -> BTreeMap<String, Customer> {
    let named = contracts(scenario).filter_map(|c| c.customer.clone());
    let implied = named.map(|code| CustomerTable {
        code,
        name: None,
        on_hold: false,
    });
    implied
        .chain(scenario.customer.iter().cloned())
        .map(|table| {
            let customer = Customer {
                name: table.name.clone().unwrap_or_else(|| table.code.clone()),
                erp_ref: table.code.clone(),
                code: table.code.clone(),
                active: true,
                on_hold: table.on_hold,
                currency: None,
            };
            (table.code, customer)
        })
        .collect()
}

fn projects(scenario: &Scenario) -> BTreeMap<String, Project> {
    let mut projects = BTreeMap::new();
    for contract in contracts(scenario) {
        for code in &contract.projects {
            projects.insert(
                code.clone(),
                project(code, None, contract.customer.clone(), true),
            );
        }
    }
    for table in &scenario.project {
        let customer = projects
            .get(&table.code)
            .and_then(|p: &Project| p.customer.clone());
        let made = project(&table.code, table.name.as_deref(), customer, !table.closed);
        projects.insert(table.code.clone(), made);
    }
    projects
}

fn project(code: &str, name: Option<&str>, customer: Option<String>, active: bool) -> Project {
    Project {
        code: code.to_owned(),
        name: name.unwrap_or(code).to_owned(),
        erp_ref: code.to_owned(),
        customer,
        active,
    }
}

/// The tasks that are named, and those of entries on projects that name none.
fn tasks(scenario: &Scenario) -> Vec<Task> {
    let closed_lists: BTreeMap<&str, &[String]> = scenario
        .project
        .iter()
        .filter(|project| !project.tasks.is_empty())
        .map(|project| (project.code.as_str(), project.tasks.as_slice()))
        .collect();
    let mut names: BTreeSet<(String, String)> = BTreeSet::new();
    for (project, tasks) in &closed_lists {
        for task in *tasks {
            names.insert(((*project).to_owned(), task.clone()));
        }
    }
    for (project, task) in used(scenario) {
        if !closed_lists.contains_key(project) {
            names.insert((project.to_owned(), task.to_owned()));
        }
    }
    names
        .into_iter()
        .map(|(project, code)| Task {
            project,
            name: code.clone(),
            erp_ref: code.clone(),
            code,
            active: true,
            closed_after: None,
        })
        .collect()
}

/// The tasks that entries are on at some time, with their projects.
fn used(scenario: &Scenario) -> BTreeSet<(&str, &str)> {
    let mut now: BTreeMap<&str, (&str, &str)> = BTreeMap::new();
    let mut used = BTreeSet::new();
    for event in &scenario.event {
        if let Some(entry) = &event.entry {
            now.insert(&entry.id, (&entry.project, &entry.task));
            used.insert((entry.project.as_str(), entry.task.as_str()));
        }
        if let Some(edit) = &event.edit
            && let Some((project, task)) = now.get_mut(edit.id.as_str())
        {
            *project = edit.project.as_deref().unwrap_or(project);
            *task = edit.task.as_deref().unwrap_or(task);
            used.insert((project, task));
        }
    }
    used
}

/// The contracts of the file, and as change orders leave them.
fn contracts(scenario: &Scenario) -> impl Iterator<Item = &Contract> {
    let changed = scenario.event.iter().filter_map(|e| e.contract.as_deref());
    scenario.contract.iter().chain(changed)
}

fn worker(table: &WorkerTable) -> (String, Worker) {
    let worker = Worker {
        name: table.name.clone().unwrap_or_else(|| table.code.clone()),
        erp_ref: table.code.clone(),
        code: table.code.clone(),
        role: table.role.clone(),
        from: table.from,
        until: table.until,
        active: true,
    };
    (table.code.clone(), worker)
}

fn service_items(scenario: &Scenario) -> BTreeMap<String, ServiceItem> {
    let entries = scenario
        .event
        .iter()
        .filter_map(|event| event.entry.as_ref());
    entries
        .map(|entry| entry.service_item.clone())
        .map(|code| {
            let item = ServiceItem {
                name: code.clone(),
                erp_ref: code.clone(),
                code: code.clone(),
                active: true,
            };
            (code, item)
        })
        .collect()
}

/// The periods of the file, or every month from the first to the last day that is named.
fn periods(scenario: &Scenario) -> Vec<Period> {
    if !scenario.period.is_empty() {
        return scenario.period.iter().map(PeriodTable::period).collect();
    }
    let days = scenario.event.iter().flat_map(|event| {
        let entry = event.entry.as_ref().map(|entry| entry.date);
        let edit = event.edit.as_ref().and_then(|edit| edit.date);
        [event.on, entry, edit].into_iter().flatten()
    });
    let days: Vec<Date> = days.collect();
    let (Some(first), Some(last)) = (days.iter().min(), days.iter().max()) else {
        return Vec::new();
    };
    let mut periods = Vec::new();
    let mut month = first.first_of_month();
    while month <= *last && periods.len() < MONTHS_MAX {
        periods.push(Period {
            name: format!("{:04}-{:02}", month.year(), month.month()),
            first: month,
            last: month.last_of_month(),
            open: true,
        });
        let Ok(next) = month.last_of_month().tomorrow() else {
            break;
        };
        month = next;
    }
    periods
}

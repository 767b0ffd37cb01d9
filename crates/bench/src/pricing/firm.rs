//! The firm whose work is priced: a hundred people on twenty contracts, five kinds of four each.

use anyhow::Result;
use domain::contract::Contract;
use domain::masters::{Customer, Masters, Project, ServiceItem, SourceMasters, Task, Worker};
use domain::period::Period;
use domain::rate::{RateKey, RateRow, RateSource};
use domain::reference::{Crosswalk, Entity, Reference};
use jiff::civil::date;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// People, evenly over the contracts.
pub(super) const WORKERS: u32 = 100;
/// Contracts.
const CONTRACTS: u32 = 20;
/// What the mix is, for the report.
pub(super) const MIX: &str = "a fifth each under daily and weekly overtime, under a cap that half of \
                              the work passes, on a retainer that half of it uses up, rounded up \
                              over the person's day, and plain";

/// The contract a person works under.
pub(super) const fn contract_of(worker: u32) -> u32 {
    worker % CONTRACTS
}

/// The terms that make a contract's kind. Half of what is billed in `weeks` weeks is `half`.
fn terms(number: u32, half: &str) -> Value {
    match number / 4 {
        0 => json!({"overtime": {
            "form": "full_multiplier",
            "terms": {"rule": {"form": "daily_and_weekly", "daily_minutes": 480, "weekly_minutes": 2400},
                      "zone": "America/New_York"},
        }}),
        1 => json!({"limit": [{"id": "CAP", "amount": half}]}),
        2 => json!({"retainer": {"id": "RET"}}),
        3 => json!({"increment": {"step_minutes": 15, "rounding": "up"},
                    "increment_scope": "worker_day_customer"}),
        _ => json!({}),
    }
}

fn contract(number: u32, half: &str) -> Result<Contract> {
    let mut all = json!({
        "id": format!("K{number:02}"),
        "customer": format!("C{number:02}"),
        "projects": [format!("P{number:02}")],
        "kind": "time_and_materials",
        "currency": "EUR",
    });
    if let (Value::Object(all), Value::Object(more)) = (&mut all, terms(number, half)) {
        all.extend(more);
    }
    Ok(serde_json::from_value(all)?)
}

/// The contracts with a retainer, to be funded with half of what they come to.
pub(super) fn on_retainer() -> impl Iterator<Item = String> {
    (0..CONTRACTS)
        .filter(|number| number / 4 == 2)
        .map(|number| format!("K{number:02}"))
}

fn rate(key: RateKey, value: &str) -> Result<RateRow> {
    Ok(RateRow {
        key,
        rate: value.parse()?,
        currency: "EUR".parse()?,
        from: date(2026, 1, 1),
        to: None,
        recorded: None,
        origin: RateSource::Card,
    })
}

fn role(worker: u32) -> &'static str {
    if worker.is_multiple_of(2) {
        "senior"
    } else {
        "consultant"
    }
}

/// Everything that pricing looks up.
pub(super) fn reference(half: &str) -> Result<Reference> {
    let same = |codes: Vec<String>| -> BTreeMap<String, String> {
        codes.into_iter().map(|code| (code.clone(), code)).collect()
    };
    let masters = masters();
    let by_role = |role: &str| RateKey {
        role: Some(role.to_owned()),
        ..RateKey::default()
    };
    let mut bill_rates = vec![
        rate(RateKey::default(), "150")?,
        rate(by_role("senior"), "187.50")?,
    ];
    for number in (0..CONTRACTS).step_by(3) {
        let own = RateKey {
            project: Some(format!("P{number:02}")),
            ..by_role("senior")
        };
        bill_rates.push(rate(own, "205.25")?);
    }
    Ok(Reference {
        entity: Entity {
            code: "KA".into(),
            business_unit: "Advisory".into(),
            zone: "Europe/Berlin".into(),
        },
        source: SourceMasters::default(),
        crosswalk: Crosswalk {
            workers: same(masters.workers.keys().cloned().collect()),
            projects: same(masters.projects.keys().cloned().collect()),
            tasks: same(vec!["ANALYSIS".into(), "REVIEW".into()]),
            service_items: same(vec!["CONS".into()]),
            ..Crosswalk::default()
        },
        masters,
        contracts: (0..CONTRACTS)
            .map(|number| contract(number, half))
            .collect::<Result<_>>()?,
        bill_rates,
        cost_rates: vec![rate(RateKey::default(), "80")?],
        customers_on_hold: Vec::new(),
        overtime_exemptions: Vec::new(),
    })
}

fn masters() -> Masters {
    let numbers = 0..CONTRACTS;
    let tasks = numbers.clone().flat_map(|number| {
        ["ANALYSIS", "REVIEW"].map(|code| Task {
            project: format!("P{number:02}"),
            code: code.to_owned(),
            name: code.to_owned(),
            erp_ref: format!("{number}{code}"),
            active: true,
            closed_after: None,
        })
    });
    let customers = numbers.clone().map(|number| {
        let code = format!("C{number:02}");
        let customer = Customer {
            name: format!("Client {number}"),
            erp_ref: number.to_string(),
            code: code.clone(),
            active: true,
            on_hold: false,
            currency: None,
        };
        (code, customer)
    });
    let projects = numbers.map(|number| {
        let code = format!("P{number:02}");
        let project = Project {
            name: format!("Project {number}"),
            erp_ref: number.to_string(),
            code: code.clone(),
            customer: Some(format!("C{number:02}")),
            active: true,
        };
        (code, project)
    });
    let workers = (0..WORKERS).map(|number| {
        let code = format!("W{number:03}");
        let worker = Worker {
            name: format!("Worker {number}"),
            erp_ref: number.to_string(),
            code: code.clone(),
            role: role(number).to_owned(),
            from: None,
            until: None,
            active: true,
        };
        (code, worker)
    });
    let item = ServiceItem {
        code: "CONS".into(),
        name: "Consulting".into(),
        erp_ref: "51".into(),
        active: true,
    };
    Masters {
        tasks: tasks.collect(),
        customers: customers.collect(),
        projects: projects.collect(),
        workers: workers.collect(),
        service_items: BTreeMap::from([(item.code.clone(), item)]),
        periods: (1..=12)
            .map(|month| {
                let first = date(2026, month, 1);
                Period {
                    name: format!("2026-{month:02}"),
                    first,
                    last: first.last_of_month(),
                    open: true,
                }
            })
            .collect(),
    }
}

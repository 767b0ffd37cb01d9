//! A small firm in which everything is in order, to be put out of order by a test.

use domain::contract::{Contract, ContractKind};
use domain::entry::EntryFields;
use domain::masters::{Customer, Masters, Project, ServiceItem, SourceMasters, Task, Worker};
use domain::period::Period;
use domain::rate::{RateKey, RateRow, RateSource};
use domain::reference::{Crosswalk, Entity, Reference};
use jiff::civil::{Date, date};
use std::collections::BTreeMap;

/// The day of the work.
pub(crate) const DAY: Date = date(2026, 3, 5);

fn one<T>(code: &str, value: T) -> BTreeMap<String, T> {
    BTreeMap::from([(code.to_owned(), value)])
}

fn name(code: &str) -> BTreeMap<String, String> {
    one(code, code.to_uppercase())
}

/// A rate for everything.
pub(crate) fn rate(value: &str, currency: &str) -> RateRow {
    RateRow {
        key: RateKey::default(),
        rate: value.parse().unwrap(),
        currency: currency.parse().unwrap(),
        from: date(2026, 1, 1),
        to: None,
        recorded: None,
        origin: RateSource::Card,
    }
}

fn month(month: i8) -> Period {
    let first = date(2026, month, 1);
    Period {
        name: format!("2026-{month:02}"),
        first,
        last: first.last_of_month(),
        open: true,
    }
}

/// A contract without increment.
pub(crate) fn contract(id: &str, kind: ContractKind) -> Contract {
    serde_json::from_value(serde_json::json!({
        "id": id, "customer": "C1", "projects": ["P1"], "kind": kind, "currency": "EUR",
    }))
    .unwrap()
}

/// The firm: worker W1, project P1 of customer C1, task T1, 150 an hour, cost 80 an hour.
pub(crate) fn reference() -> Reference {
    Reference {
        entity: Entity {
            code: "KA".into(),
            business_unit: "Advisory".into(),
            zone: "Europe/Berlin".into(),
        },
        masters: Masters {
            customers: one(
                "C1",
                Customer {
                    code: "C1".into(),
                    name: "Client".into(),
                    erp_ref: "11".into(),
                    active: true,
                    on_hold: false,
                    currency: None,
                },
            ),
            projects: one(
                "P1",
                Project {
                    code: "P1".into(),
                    name: "Project".into(),
                    erp_ref: "21".into(),
                    customer: Some("C1".into()),
                    active: true,
                },
            ),
            tasks: vec![Task {
                project: "P1".into(),
                code: "T1".into(),
                name: "Task".into(),
                erp_ref: "31".into(),
                active: true,
                closed_after: None,
            }],
            workers: one(
                "W1",
                Worker {
                    code: "W1".into(),
                    name: "Worker".into(),
                    erp_ref: "41".into(),
                    role: "senior".into(),
                    from: None,
                    until: None,
                    active: true,
                },
            ),
            service_items: one(
                "CONS",
                ServiceItem {
                    code: "CONS".into(),
                    name: "Consulting".into(),
                    erp_ref: "51".into(),
                    active: true,
                },
            ),
            periods: vec![month(3), month(4)],
        },
        source: SourceMasters {
            project_codes: name("p1"),
            task_codes: name("t1"),
            worker_codes: name("w1"),
            ..SourceMasters::default()
        },
        crosswalk: Crosswalk {
            service_items: one("Consulting", "CONS".to_owned()),
            ..Crosswalk::default()
        },
        contracts: vec![contract("K1", ContractKind::TimeAndMaterials)],
        bill_rates: vec![rate("150", "EUR")],
        cost_rates: vec![rate("80", "EUR")],
        customers_on_hold: Vec::new(),
        overtime_exemptions: Vec::new(),
    }
}

/// An hour and a quarter.
pub(crate) fn fields() -> EntryFields {
    EntryFields {
        worker_ref: "w1".into(),
        project_ref: "p1".into(),
        task_ref: Some("t1".into()),
        activity_ref: "Consulting".into(),
        work_date: DAY,
        recorded_seconds: 4500,
        narrative: "Review of the draft".into(),
        approved: true,
        billable: true,
    }
}

/// Resolve and price.
pub(crate) fn price(
    reference: &Reference,
    fields: &EntryFields,
) -> Result<counterfoil_rules::price::Priced, domain::exception::Problem> {
    let resolved = counterfoil_rules::resolve::resolve(reference, fields)?;
    counterfoil_rules::price::price(
        counterfoil_rules::PRICING_VERSION,
        reference,
        &resolved,
        fields,
        false,
    )
}

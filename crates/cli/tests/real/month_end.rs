//! A month end of the seeded firm.

use crate::redmine::{Work, field, shown};
use crate::tryton::Kind;
use crate::world::{Days, World};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

const SEEDED: Days = Days {
    first: "2026-10-01",
    last: "2026-11-30",
};

fn minor(amount: domain::decimal::Micro, currency: &str) -> i64 {
    let unit = if currency == "JPY" { 1_000_000 } else { 10_000 };
    assert_eq!(amount.micro() % unit, 0);
    amount.micro() / unit
}

#[test]
fn a_month_end_ties_out_to_the_cent_and_a_second_run_does_nothing() {
    let Some(mut world) = World::of("month", Kind::Module, SEEDED) else {
        return;
    };
    world.change(|config| {
        config.flow = config.flow.replace("2025-12-01", "2026-10-05");
        config.add_to_contract("COBA", "shape = \"timesheet\"");
        config.add_to_contract(
            "ACME-TM",
            "increment = { step_minutes = 15, rounding = \"up\" }",
        );
    });
    let first = world.sync();
    assert!(first["new"].as_u64().unwrap() >= 200, "{first}");
    assert!(first["posted"].as_u64().unwrap() >= 100, "{first}");
    assert_eq!(first["left"], 0);

    let report = world.ties_out();
    let entries = world.redmine().entries(SEEDED.first, SEEDED.last);
    assert!(entries.len() >= 200);
    the_drafts_are_the_ledger(&world, &report, &entries);
    every_entry_is_where_it_belongs(&world, &report, &entries);
    let (all_lines, times) = (world.tryton.lines(), world.tryton.times());

    // Again: nothing.
    let again = world.sync();
    for what in [
        "new",
        "revisions",
        "posted",
        "calls",
        "told",
        "withdrawn",
        "documents_changed",
    ] {
        assert_eq!(again[what], 0, "{what}: {again}");
    }
    assert_eq!(world.tryton.lines(), all_lines);
    assert_eq!(world.tryton.times(), times);
    world.audit();

    the_erp_prices_booked_time(&world);
}

/// The drafts against the ledger, per currency, to the cent.
fn the_drafts_are_the_ledger(world: &World, report: &Value, entries: &[Value]) {
    let mut drafts: BTreeMap<String, i64> = BTreeMap::new();
    for invoice in world.tryton.invoices() {
        assert_eq!(invoice.state, "draft");
        *drafts.entry(invoice.currency.clone()).or_default() +=
            minor(invoice.untaxed, &invoice.currency);
    }
    let on_drafts: BTreeSet<String> = entries
        .iter()
        .filter(|row| shown(row).1.starts_with("draft "))
        .map(|row| row["id"].to_string())
        .collect();
    let (mut lines, mut ledger) = (BTreeMap::new(), BTreeMap::new());
    for row in report["entries"].as_array().unwrap() {
        if row["class"] == "posted" {
            let currency = row["currency"].as_str().unwrap().to_owned();
            let amount = row["ledger_minor"].as_i64().unwrap();
            *ledger.entry(currency.clone()).or_default() += amount;
            if on_drafts.contains(row["source_ref"].as_str().unwrap()) {
                *lines.entry(currency).or_default() += amount;
            }
        }
    }
    assert_eq!(drafts.len(), 3, "{drafts:?}");
    assert_eq!(drafts, lines);
    let totals: BTreeMap<String, i64> = report["money"]
        .as_array()
        .unwrap()
        .iter()
        .map(|money| {
            let currency = money["currency"].as_str().unwrap().to_owned();
            (currency, money["ledger_minor"].as_i64().unwrap())
        })
        .collect();
    assert_eq!(totals, ledger);
}

/// Every entry of Redmine, and what has become of it in Tryton.
fn every_entry_is_where_it_belongs(world: &World, report: &Value, entries: &[Value]) {
    let (all_lines, times) = (world.tryton.lines(), world.tryton.times());
    let project = |erp: &str| {
        let tasks = world.lab.at(&format!("/tryton/seed/projects/{erp}/tasks"));
        let tasks = tasks.as_object().unwrap().values();
        tasks
            .map(|task| task["timesheet_work"].as_i64().unwrap())
            .collect::<Vec<i64>>()
    };
    let never_invoiced = [project("P-ACME-FX"), project("P-INT")].concat();
    let by_erp = project("P-COBA-TM");
    let classes: BTreeMap<&str, &str> = report["entries"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| {
            (
                row["source_ref"].as_str().unwrap(),
                row["class"].as_str().unwrap(),
            )
        })
        .collect();
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for row in entries {
        let id = row["id"].to_string();
        let class = classes[id.as_str()];
        *counts.entry(class).or_default() += 1;
        let (status, reference) = shown(row);
        let comment = row["comments"].as_str().unwrap_or_default();
        let line_count = all_lines
            .iter()
            .filter(|line| {
                !comment.is_empty() && line.description.ends_with(&format!(": {comment}"))
            })
            .count();
        let own: Vec<_> = times
            .iter()
            .filter(|time| time.description == comment)
            .collect();
        match class {
            "waiting" => {
                assert_ne!(field(row, 1), "Approved", "{id}");
                assert_eq!((line_count, own.len()), (0, 0), "{id}");
            }
            "cost_only" => {
                assert_eq!((line_count, own.len()), (0, 1), "{id}");
                assert_eq!(status, "Cost only", "{id}");
                assert_eq!(reference, format!("cost {}", own[0].id));
            }
            "posted" if !own.is_empty() && by_erp.contains(&own[0].work) => {
                assert_eq!((line_count, own.len()), (0, 1), "{id}");
                assert_eq!(
                    (status, reference),
                    ("Posted".into(), format!("time {}", own[0].id))
                );
            }
            "posted" if comment == "Same text, same hours" || comment.is_empty() => {}
            "posted" => {
                assert_eq!((line_count, own.len()), (1, 0), "{id}");
                assert_eq!(status, "Posted", "{id}");
                assert!(reference.starts_with("draft "), "{id}: {reference}");
            }
            "open_exception" => assert_eq!((status.as_str(), own.len()), ("Exception", 0), "{id}"),
            "elsewhere" => assert_eq!((line_count, own.len()), (0, 0), "{id}"),
            other => panic!("{id} is {other}"),
        }
    }
    let all = [
        "cost_only",
        "elsewhere",
        "open_exception",
        "posted",
        "waiting",
    ];
    assert!(counts.keys().eq(all.iter()), "{counts:?}");
    let cost = times
        .iter()
        .filter(|time| never_invoiced.contains(&time.work));
    assert!(cost.clone().count() > 0 && cost.clone().all(|time| !time.invoiced));
}

/// Tryton invoices the booked time at its own prices; the reconciliation tells where they differ.
fn the_erp_prices_booked_time(world: &World) {
    let drafts = world.tryton.invoices().len();
    world
        .tryton
        .invoice_project(world.lab.id("/tryton/seed/projects/P-COBA-TM/id"));
    assert_eq!(world.tryton.invoices().len(), drafts + 1);
    let report = world.ties_out();
    let differing = report["classes"]["erp_price_differs"]
        .as_u64()
        .unwrap_or_default();
    // Analysis is 187.1234 in Tryton and 152.50 with us; Build is 152.50 on both sides.
    let rows = report["entries"].as_array().unwrap();
    for row in rows
        .iter()
        .filter(|row| row["class"] == "erp_price_differs")
    {
        let words = row["words"].as_str().unwrap();
        assert!(
            words.contains("187.1234") && words.contains("152.5"),
            "{words}"
        );
    }
    assert!(differing > 0);
    let costs = [
        "/tryton/seed/projects/P-ACME-FX/id",
        "/tryton/seed/projects/P-INT/id",
    ];
    for cost in costs {
        let project = json!([world.lab.id(cost)]);
        let answer = world.tryton.tries("project.work.invoice", vec![project]);
        assert!(answer.get("error").is_some(), "{answer}");
    }
}

#[test]
fn issued_paid_and_credited_show_on_each_entry() {
    let days = Days {
        first: "2026-05-01",
        last: "2026-05-10",
    };
    let Some(world) = World::new("states", Kind::Module, days) else {
        return;
    };
    let book = |project: &str, issue: &str, comment: &str| {
        world.book(Work {
            project,
            issue,
            comment,
            ..Work::default()
        })
    };
    let issued = book("acme-rollout", "Build", "state issued");
    let paid = book("borealis-training", "Classroom", "state paid");
    let credited = book("cobalt-platform", "Build", "state credited");
    world.sync_clean();
    let drafts: BTreeMap<&str, i64> = ["state issued", "state paid", "state credited"]
        .into_iter()
        .map(|comment| (comment, world.tryton.line(comment).invoice))
        .collect();
    let invoice = |comment: &str| drafts[comment];
    for comment in ["state issued", "state paid", "state credited"] {
        world.tryton.issue(invoice(comment));
    }
    world.tryton.pay(invoice("state paid"), "2026-05-31");
    world.tryton.credit(invoice("state credited"), "2026-05-31");
    world.sync_clean();
    let number = |comment: &str| {
        let invoice = world.tryton.invoice(invoice(comment)).unwrap();
        (invoice.state, invoice.number)
    };
    let redmine = world.redmine();
    let seen = [
        (&issued, "state issued", "posted", "Invoiced"),
        (&paid, "state paid", "paid", "Paid"),
        (&credited, "state credited", "cancelled", "Credited"),
    ];
    for (id, comment, state, status) in seen {
        let (erp_state, erp_number) = number(comment);
        assert_eq!(erp_state, state);
        assert!(!erp_number.is_empty());
        assert_eq!(redmine.shows(id), (status.to_owned(), erp_number));
    }
    let again: Value = world.sync_clean();
    assert_eq!(
        (&again["told"], &again["revisions"]),
        (&json!(0), &json!(0))
    );
    world.ties_out();
}

//! A rate that is changed back in time over work in every state: what the preview says is what then
//! happens, in the ledger and in Tryton.

use crate::config::rate;
use crate::redmine::Work;
use crate::tryton::{Kind, date};
use crate::world::{Days, World};
use serde_json::{Value, json};
use std::collections::BTreeMap;

const DAYS: Days = Days {
    first: "2026-07-30",
    last: "2026-08-04",
};
const AUGUST: &str = "2026-08-03";

/// Old and new rates: contract, currency, what it was, what it should have been.
const RATES: [(&str, &str, &str, &str); 4] = [
    ("ACME-TM", "EUR", "187.1234", "190.25"),
    ("BORE", "EUR", "98.75", "95.5"),
    ("COBA", "EUR", "152.5", "160"),
    ("ELMW", "USD", "215.505", "220.5"),
];

fn micro_cents(amount: domain::decimal::Micro) -> i64 {
    amount.micro() / 10_000
}

/// What all documents of Tryton come to, in cents by currency.
fn totals(world: &World) -> BTreeMap<String, i64> {
    let mut all = BTreeMap::new();
    for invoice in world.tryton.invoices() {
        *all.entry(invoice.currency).or_default() += micro_cents(invoice.untaxed);
    }
    all
}

/// What the ledger billed on documents, in cents by currency.
fn ledger(report: &Value) -> BTreeMap<String, i64> {
    let money = report["money"].as_array().unwrap();
    let pair = |money: &Value| {
        let currency = money["currency"].as_str().unwrap().to_owned();
        (currency, money["ledger_minor"].as_i64().unwrap())
    };
    money.iter().map(pair).collect()
}

fn book(world: &World, project: &str, issue: &str, day: &str, hours: &str, comment: &str) {
    world.book(Work {
        project,
        issue,
        day,
        hours,
        comment,
        ..Work::default()
    });
}

fn period(world: &World, name: &str, act: &str) {
    let found = world
        .tryton
        .does("account.period.search", vec![json!([["name", "=", name]])]);
    world
        .tryton
        .does(&format!("account.period.{act}"), vec![found]);
}

/// Work in every state.
fn work_in_every_state(world: &World) {
    book(
        world,
        "acme-rollout",
        "Build",
        DAYS.first,
        "2",
        "issued, books closed",
    );
    book(world, "acme-rollout", "Build", AUGUST, "1.33", "on a draft");
    book(
        world,
        "borealis-training",
        "Classroom",
        DAYS.first,
        "3",
        "paid, books closed",
    );
    book(
        world,
        "borealis-training",
        "Classroom",
        AUGUST,
        "2.67",
        "issued",
    );
    book(
        world,
        "cobalt-platform",
        "Build",
        AUGUST,
        "1.5",
        "work in progress",
    );
    world.sync_clean();
    for comment in ["issued, books closed", "paid, books closed", "issued"] {
        let invoice = world.tryton.line(comment).invoice;
        let day = if comment == "issued" {
            "2026-08-31"
        } else {
            "2026-07-31"
        };
        world.tryton.write(
            "account.invoice",
            invoice,
            json!({"invoice_date": date(day)}),
        );
        world.tryton.issue(invoice);
    }
    world.tryton.pay(
        world.tryton.line("paid, books closed").invoice,
        "2026-07-31",
    );
    world.sync_clean();
    period(world, "2026-07", "close");
    // What is booked while posting is paused is not in the ERP yet.
    assert_eq!(world.run(&["pause", "month end"]).code, Some(0));
    book(world, "elmwood-review", "Review", AUGUST, "2", "not posted");
    world.sync();
}

#[test]
fn what_the_preview_says_is_what_then_happens() {
    let Some(mut world) = World::new("retro", Kind::Module, DAYS) else {
        return;
    };
    world.change(|config| config.add_to_contract("COBA", "shape = \"timesheet\""));
    work_in_every_state(&world);
    let card = world.path("new-rates.csv");
    let mut text = "contract,rate,currency,from,recorded\n".to_owned();
    for (contract, currency, _, new) in RATES {
        let row = format!("{contract},{new},{currency},2025-01-01,2026-08-10\n");
        text.push_str(&row);
    }
    std::fs::write(&card, text).unwrap();

    let (lines, documents) = (world.tryton.lines(), totals(&world));
    let before = ledger(&world.ties_out());
    let path = card.to_str().unwrap();
    let words = [
        "--output", "json", "rates", "preview", path, "--today", DAYS.first,
    ];
    let said = world.run(&words);
    assert_eq!(said.code, Some(0), "{said:?}");
    let preview = said.json();
    the_states_are_told(&preview);
    // Looking changes nothing, and looks the same again.
    assert_eq!(world.tryton.lines(), lines);
    assert_eq!(ledger(&world.ties_out()), before);
    assert_eq!(world.run(&words).json(), preview);
    let table = world.run(&["rates", "preview", path, "--today", DAYS.first]);
    assert!(table.out.contains("on paid invoices"), "{}", table.out);

    // The change itself, and a person's word.
    world.change(|config| {
        for (contract, currency, _, new) in RATES {
            let new = rate(contract, currency, new);
            config
                .rates
                .push(format!("{new}recorded = \"2026-08-10\"\n"));
        }
    });
    let held = world.sync();
    assert_eq!(
        held["exceptions"],
        json!({"RETRO_RATE_CHANGE": 6}),
        "{held}"
    );
    let replayed = world.run(&["exceptions", "replay", "--code", "RETRO_RATE_CHANGE"]);
    assert_eq!(replayed.code, Some(0), "{replayed:?}");
    assert_eq!(world.run(&["resume"]).code, Some(0));
    world.sync_clean();
    world.sync_clean();
    let report = world.ties_out();

    // The ledger: each contract bills what was predicted.
    let mut booked: BTreeMap<String, i64> = BTreeMap::new();
    for (contract, _, _, _) in RATES {
        let row = of_contract(&preview, contract);
        let currency = row["currency"].as_str().unwrap().to_owned();
        *booked.entry(currency).or_default() += row["after_minor"].as_i64().unwrap();
    }
    assert_eq!(ledger(&report), booked, "{preview}");
    // 2 h and 1.33 h at 190.25; 3 h and 2.67 h at 95.50; 1.5 h at 160; 2 h at 220.50.
    assert_eq!(
        of_contract(&preview, "ACME-TM")["after_minor"],
        38_050 + 25_303
    );
    assert_eq!(
        of_contract(&preview, "BORE")["after_minor"],
        28_650 + 25_498
    );
    assert_eq!(of_contract(&preview, "COBA")["after_minor"], 24_000);
    assert_eq!(of_contract(&preview, "ELMW")["after_minor"], 44_100);

    // Tryton: its documents changed by what was predicted, with as many lines.
    let mut expected = documents;
    let (mut new_lines, mut taken) = (0, 0);
    for row in preview["documents"].as_array().unwrap() {
        if row["shape"] == "draft_line" {
            let currency = row["currency"].as_str().unwrap().to_owned();
            *expected.entry(currency).or_default() += row["change_minor"].as_i64().unwrap();
            new_lines +=
                row["new_lines"].as_u64().unwrap() + row["credited_lines"].as_u64().unwrap();
            taken += row["deleted_lines"].as_u64().unwrap();
            // Nothing goes into closed books.
            assert_eq!(row["period"], "2026-08", "{row}");
        }
    }
    assert_eq!(totals(&world), expected, "{preview}");
    assert_eq!(taken, 0);
    // The line that waited is one of the new ones.
    let added = world.tryton.lines().len() - lines.len();
    assert_eq!(u64::try_from(added).unwrap(), new_lines, "{preview}");
    world.audit();
    period(&world, "2026-07", "reopen");
}

fn of_contract(preview: &Value, contract: &str) -> Value {
    let rows = preview["contracts"].as_array().unwrap();
    let found = rows.iter().find(|row| row["contract"] == contract);
    found
        .unwrap_or_else(|| panic!("no {contract} in {preview}"))
        .clone()
}

fn the_states_are_told(preview: &Value) {
    let rows = preview["states"].as_array().unwrap();
    let told: Vec<(&str, bool, u64)> = rows
        .iter()
        .map(|row| {
            (
                row["stands"].as_str().unwrap(),
                row["period_closed"].as_bool().unwrap(),
                row["entries"].as_u64().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            ("unposted", false, 1),
            ("work_in_progress", false, 1),
            ("draft", false, 1),
            ("issued", false, 1),
            ("issued", true, 1),
            ("paid", true, 1),
        ]
    );
}

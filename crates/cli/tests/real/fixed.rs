//! Amounts that no work is priced for, on the real systems: a monthly fee, milestones with retention,
//! a retainer that asks to be filled up, an hour bank.

use crate::config::Config;
use crate::tryton::Kind;
use crate::world::{Days, World};
use domain::decimal::Micro;
use serde_json::Value;
use std::collections::BTreeMap;

const DAYS: Days = Days {
    first: "2026-10-01",
    last: "2026-11-30",
};

fn accept(world: &World, milestone: &str) -> Value {
    let said = world.run(&[
        "--output",
        "json",
        "contracts",
        "accept",
        "ACME-FX",
        milestone,
        "--accepted-by",
        "Nora Acme",
        "--on",
        "2026-10-01",
        "--document",
        "protocol 7",
    ]);
    assert_eq!(said.code, Some(0), "{said:?}");
    said.json()
}

/// The lines of fixed amounts by their text.
fn fixed(world: &World) -> BTreeMap<String, (Micro, Micro, Micro)> {
    let starts = ["Fee ", "Milestone ", "Retainer ", "Retention"];
    let lines = world.tryton.lines().into_iter();
    let own = lines.filter(|line| {
        starts
            .iter()
            .any(|start| line.description.starts_with(start))
    });
    own.map(|line| (line.description, (line.quantity, line.rate, line.amount)))
        .collect()
}

fn micro(text: &str) -> Micro {
    text.parse().unwrap()
}

/// What the clients of the lab agreed to beside hours.
fn agree(config: &mut Config) {
    for id in ["ACME-FX", "BORE", "COBA", "ELMW"] {
        config.add_to_contract(id, "fixed_service_item = \"FIX\"");
    }
    config.add_to_contract(
        "ACME-FX",
        "milestones = { price = \"24000\", retention_percent = \"10\", milestones = [\
         { id = \"M1\", percent = \"40\" }, { id = \"M2\", percent = \"60\" }] }",
    );
    config.add_to_contract(
        "BORE",
        "schedule = { monthly_fees = [{ id = \"SUPPORT\", amount = \"480.55\", from = \"2026-09-15\", partial_months = \"by_days\" }] }",
    );
    config.add_to_contract(
        "COBA",
        "retainer = { id = \"R\", evergreen = { threshold = \"500\", target = \"2000\" } }",
    );
    config.add_to_contract("ELMW", "from = \"2026-10-01\"");
    config.add_to_contract(
        "ELMW",
        "hour_bank = { id = \"BANK\", allowance_hours = \"4\", fee = \"900.10\", overage_rate = \"230.5\" }",
    );
}

#[test]
fn fees_milestones_retainers_and_hour_banks_stand_in_tryton_as_predicted() {
    let Some(mut world) = World::of("fixed", Kind::Module, DAYS) else {
        return;
    };
    world.change(agree);
    let said = world.run(&[
        "contracts",
        "fund",
        "COBA",
        "first",
        "--amount",
        "1500",
        "--stage",
        "paid",
    ]);
    assert_eq!(said.code, Some(0), "{said:?}");
    assert_eq!(accept(&world, "M1")["new"], true);
    assert_eq!(accept(&world, "M1")["new"], false);

    let first = world.sync();
    assert_eq!(first["left"], 0, "{first}");
    // 40 % of 24000 less 10 %; half of September; October; October of the bank; a
    // top-up.
    let lines = fixed(&world);
    let piece = micro("1");
    let expect = |lines: &BTreeMap<_, (Micro, Micro, Micro)>, text: &str, amount: &str| {
        let amount = micro(amount);
        assert_eq!(
            lines.get(text),
            Some(&(piece, amount, amount)),
            "{text}: {lines:?}"
        );
    };
    expect(&lines, "Milestone M1", "8640");
    expect(&lines, "Fee SUPPORT, 2026-09", "256.29");
    expect(&lines, "Fee SUPPORT, 2026-10", "480.55");
    // November is open for the work of that month, and its fee is not due.
    expect(&lines, "Fee BANK, from 2026-10-01", "900.1");
    assert!(lines.contains_key("Retainer R, top-up 1"), "{lines:?}");
    let top_up = lines["Retainer R, top-up 1"].2;
    assert_eq!(lines.len(), 5, "{lines:?}");
    let report = world.ties_out();
    the_documents_are_the_ledger(&world, &report);

    // The top-up restored the target when it was asked for; work drew on after that.
    let said = world.run(&["--output", "json", "contracts", "show", "COBA"]);
    let figures = said.json();
    let balance = figures
        .as_array()
        .unwrap()
        .iter()
        .find(|row| row["what"] == "balance");
    let balance = balance.unwrap()["figure"]
        .as_str()
        .unwrap()
        .replace("EUR ", "");
    let sum = micro(&balance).micro() + top_up.micro();
    let allowed = micro("500").micro()..=micro("2000").micro();
    assert!(allowed.contains(&sum), "{figures}");

    let again = world.sync();
    for what in ["posted", "calls", "fixed_new", "fixed_revisions"] {
        assert_eq!(again[what], 0, "{what}: {again}");
    }

    // The end: the second milestone and what was withheld.
    accept(&world, "M2");
    let said = world.run(&[
        "contracts",
        "release-retention",
        "ACME-FX",
        "--accepted-by",
        "Nora Acme",
        "--on",
        "2026-10-01",
        "--document",
        "final protocol",
    ]);
    assert_eq!(said.code, Some(0), "{said:?}");
    world.sync();
    let lines = fixed(&world);
    expect(&lines, "Milestone M2", "12960");
    expect(&lines, "Retention", "2400");
    let story = world.explain("ACME-FX/milestone/M2/1");
    assert!(story["raw"].as_str().unwrap().contains("M2/1"), "{story}");

    a_fee_is_corrected(&mut world);
}

fn a_fee_is_corrected(world: &mut World) {
    // A fee that is corrected once its invoice is out: credited and billed anew, when a person says so.
    let invoice = world.tryton.lines().into_iter();
    let invoice = invoice.filter(|line| line.description == "Fee SUPPORT, 2026-10");
    let invoice = invoice.map(|line| line.invoice).next().unwrap();
    world.tryton.issue(invoice);
    world.change(|config| {
        for contract in &mut config.contracts {
            *contract = contract.replace("480.55", "500");
        }
    });
    let held = world.sync();
    assert_eq!(held["exceptions"]["RETRO_RATE_CHANGE"], 2, "{held}");
    world.replay("BORE/schedule/SUPPORT/2026-10");
    world.sync();
    let all: Vec<Micro> = world
        .tryton
        .lines()
        .into_iter()
        .filter(|line| line.description == "Fee SUPPORT, 2026-10")
        .map(|line| line.amount)
        .collect();
    let mut all: Vec<i64> = all.iter().map(|amount| amount.micro()).collect();
    all.sort_unstable();
    assert_eq!(all, [-480_550_000, 480_550_000, 500_000_000]);
    let report = world.ties_out();
    the_documents_are_the_ledger(world, &report);
    world.audit();
}

/// Per currency: what the ledger billed is what Tryton's documents come to.
fn the_documents_are_the_ledger(world: &World, report: &Value) {
    let mut documents: BTreeMap<String, i64> = BTreeMap::new();
    for invoice in world.tryton.invoices() {
        let unit = if invoice.currency == "JPY" {
            1_000_000
        } else {
            10_000
        };
        *documents.entry(invoice.currency).or_default() += invoice.untaxed.micro() / unit;
    }
    for money in report["money"].as_array().unwrap() {
        let currency = money["currency"].as_str().unwrap();
        let known = documents.get(currency).copied().unwrap_or(0);
        assert_eq!(money["ledger_minor"], known, "{currency}");
    }
}

//! What is left open of an entry, and what a change of booked work asks for.

use crate::table::{Row, table};
use counterfoil_rules::corrections::{
    Act, BookedPeriod, Change, Correction, CorrectionDay, CorrectionPlan, Document, OpenQuantity,
    OpenRefusal, QuantityEvent, Stage, Taxed, plan,
};
use domain::currency::Currency;
use domain::decimal::Micro;
use domain::money::Money;
use serde_json::{Value, from_value};
use std::collections::{BTreeMap, BTreeSet};

const FILE: &str = "corrections.md";

const fn words(refusal: &OpenRefusal) -> &'static str {
    match refusal {
        OpenRefusal::BelowZero(_) => "below zero",
        OpenRefusal::NotOpen { .. } => "not open",
        OpenRefusal::MoreThanInvoiced { .. } => "more than invoiced",
        OpenRefusal::TooLarge => "too large",
    }
}

#[test]
fn what_is_left_open_of_each_entry() {
    let mut entries: BTreeMap<(String, String), OpenQuantity> = BTreeMap::new();
    for row in table(FILE, "Open quantities") {
        let (scenario, entry) = (row.get("scenario"), row.get("entry"));
        let what = format!("{scenario} {entry} {}", row.get("working"));
        let now = entries
            .entry((scenario.to_owned(), entry.to_owned()))
            .or_default();
        let quantity: Micro = row.get("quantity").parse().unwrap();
        let event = match row.get("event") {
            "worked" => QuantityEvent::Worked(quantity),
            "invoice" => QuantityEvent::Invoice(quantity),
            "credit" => QuantityEvent::Credit(quantity),
            other => panic!("'{other}' is no event"),
        };
        let outcome = match now.after(event) {
            Ok((next, steps)) => {
                *now = next;
                assert_eq!(steps.last().unwrap().rule(), "open quantity", "{what}");
                let planned = steps.iter().any(|step| step.rule() == "planned credit");
                assert_eq!(planned, next.planned_credit() > Micro::ZERO, "{what}");
                "done"
            }
            Err(refusal) => words(&refusal),
        };
        assert_eq!(outcome, row.get("= outcome"), "{what}");
        assert_eq!(now.invoiced().to_string(), row.get("= invoiced"), "{what}");
        assert_eq!(now.credited().to_string(), row.get("= credited"), "{what}");
        let planned = now.planned_credit().to_string();
        assert_eq!(planned, row.get("= planned credit"), "{what}");
        assert_eq!(now.open().to_string(), row.get("= open"), "{what}");
    }
}

fn money(row: &Row, amount: &str) -> Money {
    let in_currency: Currency = row.get(&format!("{amount} currency")).parse().unwrap();
    Money::from_decimal(row.get(amount).parse().unwrap(), in_currency).unwrap()
}

fn change_of(row: &Row) -> Change {
    let document = row.get("document").to_owned();
    let booked_supply = row.get("booked supply").parse().unwrap();
    let tax = row.some("tax").map(|treatment| Taxed {
        treatment,
        rate_percent: row.get("tax rate").parse().unwrap(),
        tax_point: booked_supply,
    });
    let stage = match row.get("stage") {
        "unposted" => Stage::Unposted,
        "unbilled" => Stage::Unbilled,
        "draft" => Stage::Draft { document },
        "issued" | "issued, paid" => Stage::Issued {
            document,
            paid: row.get("stage") == "issued, paid",
            tax,
        },
        other => panic!("'{other}' is no stage"),
    };
    let period = match row.get("period") {
        "open" => BookedPeriod::Open,
        _ => BookedPeriod::Closed {
            next_open: row.some("next open").map(|day| day.parse().unwrap()),
        },
    };
    Change {
        item: row.get("item").to_owned(),
        stage,
        booked: money(row, "booked"),
        desired: money(row, "desired"),
        booked_home: row.get("booked home").to_owned(),
        home: row.get("home").to_owned(),
        booked_supply,
        supply: row.get("supply").parse().unwrap(),
        period,
        pair: row.some("pair"),
    }
}

fn shown(amount: Option<Money>) -> String {
    amount.map_or_else(|| "none".to_owned(), |amount| amount.decimal().to_string())
}

fn told<T: ToString>(value: Option<&T>) -> String {
    value.map_or_else(|| "none".to_owned(), ToString::to_string)
}

fn check(row: &Row, change: &Change, correction: &Correction) {
    let what = format!("{}: {}", row.get("case"), row.get("item"));
    let none = || "none".to_owned();
    let (mut credit, mut new, mut on_account) = (none(), none(), false);
    let (mut credit_tax, mut new_tax) = (none(), none());
    match &correction.act {
        Act::Nothing | Act::Hold | Act::Reprice | Act::ReverseAndRepost => {}
        Act::RefreshDraft { .. } => new = shown(Some(change.desired)),
        Act::TakeOffDraft { bill, .. } => new = shown(*bill),
        Act::CreditAndRebill {
            credit: taken_back,
            rebill,
            on_account: stays,
            credit_tax: old_tax,
            rebill_tax,
            document,
        } => {
            (credit, new, on_account) = (shown(*taken_back), shown(*rebill), *stays);
            credit_tax = told(old_tax.as_ref());
            new_tax = told(rebill_tax.as_ref());
            assert_eq!(document, row.get("document"), "{what}");
        }
        Act::Delta {
            difference,
            tax,
            document,
        } => {
            new = shown(Some(*difference));
            new_tax = told(tax.as_ref());
            assert_eq!(document, row.get("document"), "{what}");
        }
    }
    assert_eq!(correction.item, row.get("item"), "{what}");
    assert_eq!(correction.act.words(), row.get("= act"), "{what}");
    assert_eq!(credit, row.get("= credit"), "{what}");
    assert_eq!(new, row.get("= new line"), "{what}");
    assert_eq!(on_account, row.get("= on account") == "yes", "{what}");
    assert_eq!(credit_tax, row.get("= credit tax"), "{what}");
    assert_eq!(new_tax, row.get("= new tax"), "{what}");
    let day = match correction.day {
        CorrectionDay::None => none(),
        CorrectionDay::AsBooked => "as booked".to_owned(),
        CorrectionDay::NextOpen(day) => day.to_string(),
    };
    assert_eq!(day, row.get("= day"), "{what}");
    assert_eq!(correction.steps[0].result(), row.get("= act"), "{what}");
}

fn joined(mut texts: Vec<String>) -> String {
    texts.sort();
    if texts.is_empty() {
        return "none".to_owned();
    }
    texts.join("; ")
}

fn documents(plan: &CorrectionPlan) -> String {
    let shown = plan
        .documents
        .iter()
        .map(|((document, _), (lines, total))| {
            let name = match document {
                Document::Draft(id) => format!("draft {id}"),
                Document::CreditOf(id) => format!("credit of {id}"),
                Document::Next(home) => format!("next of {home}"),
            };
            let word = if *lines == 1 { "line" } else { "lines" };
            format!("{name}: {lines} {word}, {total}")
        });
    joined(shown.collect())
}

#[test]
fn what_a_change_of_booked_work_asks_for() {
    let all = table(FILE, "Changes");
    let mut seen = BTreeSet::new();
    for row in table(FILE, "Plans") {
        let case = row.get("case");
        let rows: Vec<&Row> = all.iter().filter(|r| r.get("case") == case).collect();
        let changes: Vec<Change> = rows.iter().map(|row| change_of(row)).collect();
        let issued = from_value(Value::from(row.get("issued"))).unwrap();
        let plan = plan(&changes, issued).unwrap();
        assert_eq!(plan.corrections.len(), rows.len(), "{case}");
        for ((row, change), correction) in rows.iter().zip(&changes).zip(&plan.corrections) {
            check(row, change, correction);
        }
        assert_eq!(documents(&plan), row.get("= documents"), "{case}");
        let differences = plan
            .difference
            .iter()
            .map(|((stage, _), amount)| format!("{stage} {amount}"));
        assert_eq!(
            joined(differences.collect()),
            row.get("= difference"),
            "{case}"
        );
        let mut totals: BTreeMap<Currency, Money> = BTreeMap::new();
        for amount in plan.difference.values() {
            let total = totals
                .entry(amount.currency)
                .or_insert(Money::zero(amount.currency));
            *total = total.checked_add(*amount).unwrap();
        }
        let totals = totals.values().map(ToString::to_string);
        assert_eq!(joined(totals.collect()), row.get("= total"), "{case}");
        seen.insert(case.to_owned());
    }
    assert!(all.iter().all(|row| seen.contains(row.get("case"))));
}

//! Hour banks, step by step and month by month.

use crate::accounts::{ask, micro, named, plain_printing, play};
use crate::table::{Row, table};
use counterfoil_rules::account::ask::{Effect, Outcome};
use counterfoil_rules::account::hour_bank::{HourBank, Month};
use counterfoil_rules::account::{Account, Event, Terms};
use domain::contract::accounts::hour_bank::{HourBankTerms, Rollover};
use domain::decimal::Micro;
use std::collections::BTreeMap;

fn start(scenario: &str) -> Account {
    let rows = table("hour_banks.md", "Banks");
    let row = rows.iter().find(|r| r.get("scenario") == scenario).unwrap();
    let terms = HourBankTerms {
        id: "B".into(),
        allowance_hours: micro(row.get("allowance")),
        fee: micro(row.get("fee")),
        overage_rate: micro(row.get("overage rate")),
        rollover: row.some("carry at most").map(|maximum| Rollover {
            maximum_hours: micro(&maximum),
            life_periods: row.get("life").parse().unwrap(),
        }),
        order: named(row.get("order")),
        late: named(row.get("late")),
        to: row.some("ends").map(|day| day.parse().unwrap()),
    };
    Account::HourBank(HourBank::new(plain_printing(), terms).unwrap())
}

fn bank(account: &Account) -> &HourBank {
    match account {
        Account::HourBank(bank) => bank,
        other => panic!("{other:?} is no hour bank"),
    }
}

fn event(row: &Row, account: &Account) -> Event {
    let item = row.get("item").to_owned();
    let day = || row.get("day").parse().unwrap();
    match row.get("event") {
        "open" => Event::OpenPeriod {
            first: day(),
            next: item.parse().unwrap(),
        },
        "close" => Event::ClosePeriod { first: day() },
        "reserve" => {
            let mut asked = ask(&item, row.get("hours"), "150");
            asked.work_date = day();
            Event::Reserve { asks: vec![asked] }
        }
        "withdraw" => Event::Withdraw { item },
        "change order" => {
            let mut terms = bank(account).terms().clone();
            terms.fee = micro(&item);
            terms.allowance_hours = micro(row.get("hours"));
            Event::ChangeTerms {
                terms: Terms::HourBank(terms),
            }
        }
        credit @ ("final credit" | "credit to rebill") => Event::Credit {
            item,
            quantity: micro(row.get("hours")),
            rebill: credit == "credit to rebill",
        },
        other => panic!("'{other}' is no event"),
    }
}

fn words(refused: &str) -> &'static str {
    match refused {
        "credit above billed" => "is more than the",
        "negative quantity" => "neither can be below zero",
        "no period" => "is in no period of the hour bank",
        "period order" => "cannot be opened or closed",
        other => panic!("'{other}' is no refusal"),
    }
}

/// Changes of hours with one outcome as a cell.
fn hours(effects: &[Effect], wanted: Outcome) -> String {
    let mut sums: BTreeMap<&str, i64> = BTreeMap::new();
    for effect in effects {
        if let Effect::Change {
            item,
            outcome,
            quantity,
            ..
        } = effect
            && *outcome == wanted
        {
            *sums.entry(item).or_default() += quantity.micro();
        }
    }
    let parts: Vec<String> = sums
        .into_iter()
        .filter(|(_, micro)| *micro != 0)
        .map(|(item, micro)| format!("{item} {}", Micro::from_micro(micro)))
        .collect();
    if parts.is_empty() {
        "none".into()
    } else {
        parts.join(", ")
    }
}

fn sum(parts: &[Micro]) -> i64 {
    parts.iter().map(|part| part.micro()).sum()
}

/// What has to hold in every month, whatever happened.
pub(crate) fn invariants(account: &Account, what: &str) {
    let bank = bank(account);
    let view = bank.view().unwrap();
    let mut carried = Micro::ZERO;
    for m in &view.months {
        assert_eq!(m.rolled_in, carried, "{what}: {}", m.first);
        carried = m.rolled_out;
        let there = sum(&[m.rolled_in, m.allowance, m.given_back]);
        let gone = sum(&[m.from_rolled, m.from_current, m.rolled_out, m.expired]);
        assert_eq!(there, gone, "{what}: {}", m.first);
        let used = sum(&[m.from_rolled, m.from_current, m.overage]);
        assert_eq!(m.used.micro(), used, "{what}: {}", m.first);
        let parts = [
            m.rolled_in,
            m.from_rolled,
            m.from_current,
            m.overage,
            m.rolled_out,
            m.expired,
        ];
        assert!(
            parts.iter().all(|part| !part.is_negative()),
            "{what}: {m:?}"
        );
        let room = there - m.from_rolled.micro() - m.from_current.micro();
        assert!(
            m.overage == Micro::ZERO || room == 0,
            "{what}: over while hours are left, {m:?}"
        );
    }
    for (item, record) in bank.records() {
        let parts = view.items.get(item).cloned().unwrap_or_default();
        let quantity: i64 = parts.iter().map(|part| part.quantity.micro()).sum();
        if !record.claim.has_credit() {
            assert_eq!(quantity, record.claim.asked.micro(), "{what}: {item}");
        }
    }
}

fn step(row: &Row, account: &mut Account) -> Vec<Effect> {
    let what = format!(
        "{}: {} {}",
        row.get("scenario"),
        row.get("event"),
        row.get("item")
    );
    let event = event(row, account);
    let (effects, steps) = match play(account, &event) {
        Ok(applied) => {
            assert_eq!(row.get("= refused"), "no", "{what}");
            (applied.effects, applied.why.steps)
        }
        Err(message) => {
            assert!(
                message.contains(words(row.get("= refused"))),
                "{what}: {message}"
            );
            (Vec::new(), Vec::new())
        }
    };
    let (mut fee, mut lapsed) = ("none".to_owned(), Vec::new());
    for effect in &effects {
        match effect {
            Effect::Fee { amount, .. } => fee = amount.decimal().to_string(),
            Effect::Breakage { first, quantity } => lapsed.push(format!("{first} {quantity}")),
            _ => {}
        }
    }
    let lapsed = if lapsed.is_empty() {
        "none".into()
    } else {
        lapsed.join(", ")
    };
    assert_eq!(
        hours(&effects, Outcome::Allowance),
        row.get("= drawn"),
        "{what}"
    );
    assert_eq!(
        hours(&effects, Outcome::Overage),
        row.get("= overage"),
        "{what}"
    );
    let billed = crate::accounts::cell(&effects, Outcome::Overage);
    assert_eq!(billed, row.get("= billed"), "{what}");
    assert_eq!(fee, row.get("= fee"), "{what}");
    assert_eq!(lapsed, row.get("= lapsed"), "{what}");
    assert!(
        effects.is_empty() || !steps.is_empty(),
        "{what}: no number without a reason"
    );
    invariants(account, &what);
    effects
}

fn figure(month: &Month, column: &str) -> String {
    let value = match column {
        "= rolled in" => month.rolled_in,
        "= given back" => month.given_back,
        "= available" => {
            Micro::from_micro(sum(&[month.rolled_in, month.allowance, month.given_back]))
        }
        "= used" => month.used,
        "= from rolled" => month.from_rolled,
        "= from current" => month.from_current,
        "= overage" => month.overage,
        "= rolled out" => month.rolled_out,
        "= expired" => month.expired,
        other => panic!("'{other}' is no figure"),
    };
    value.to_string()
}

#[test]
fn hour_banks_step_by_step() {
    let mut played: BTreeMap<String, (Account, i64)> = BTreeMap::new();
    for row in table("hour_banks.md", "Steps") {
        let scenario = row.get("scenario").to_owned();
        let (account, billed) = played
            .entry(scenario.clone())
            .or_insert_with(|| (start(&scenario), 0));
        for effect in step(&row, account) {
            match effect {
                Effect::Fee { amount, .. } | Effect::Change { amount, .. } => {
                    *billed += amount.amount_minor;
                }
                _ => {}
            }
        }
    }
    let mut in_all: BTreeMap<String, i64> = BTreeMap::new();
    for row in table("hour_banks.md", "Months") {
        let view = bank(&played[row.get("scenario")].0).view().unwrap();
        let first = row.get("month").parse().unwrap();
        let month = view.months.iter().find(|m| m.first == first).unwrap();
        for (column, expected) in row.expected().filter(|(column, _)| *column != "= billed") {
            let what = format!("{} {first} {column}", row.get("scenario"));
            assert_eq!(figure(month, column), expected, "{what}");
        }
        let billed = micro(row.get("= billed")).micro() / 10_000;
        *in_all.entry(row.get("scenario").to_owned()).or_default() += billed;
    }
    // Fees and overage, event by event, come to what the months come to.
    for (scenario, billed) in in_all {
        assert_eq!(played[&scenario].1, billed, "{scenario}");
    }
}

//! Limits, step by step.

use crate::accounts::{allowances, ask, cell, micro, named, play, printing};
use crate::table::{Row, table};
use counterfoil_rules::account::ask::{Ask, AskKind, Outcome};
use counterfoil_rules::account::limit::Limits;
use counterfoil_rules::account::{Account, Event, Terms};
use domain::contract::accounts::limit::LimitTerms;
use domain::money::Money;

fn terms(row: &Row) -> LimitTerms {
    LimitTerms {
        id: row.get("limit").to_owned(),
        scope: named(row.get("scope")),
        code: row.some("code"),
        amount: micro(row.get("cap")),
        opening_used: micro(row.get("opening used")),
        base: named(row.get("base")),
        policy: named(row.get("policy")),
        pass: row.get("pass") == "yes",
        tolerance: micro(row.get("tolerance")),
        from: row.some("from").map(|day| day.parse().unwrap()),
        to: row.some("to").map(|day| day.parse().unwrap()),
    }
}

fn start(scenario: &str) -> Account {
    let contracts = table("limits.md", "Contracts");
    let contract = contracts.iter().find(|r| r.get("scenario") == scenario);
    let limits = table("limits.md", "Limits");
    let limits = limits.iter().filter(|r| r.get("scenario") == scenario);
    let limits = Limits::new(printing(contract.unwrap()), limits.map(terms).collect());
    Account::Limits(limits.unwrap())
}

fn limits(account: &Account) -> &Limits {
    match account {
        Account::Limits(limits) => limits,
        other => panic!("{other:?} is no account of limits"),
    }
}

fn asked(row: &Row) -> Ask {
    let mut asked = ask(row.get("item"), row.get("quantity"), row.get("rate"));
    asked.work_date = row.get("day").parse().unwrap();
    if row.get("kind") == "expenses" {
        asked.kind = AskKind::Expenses;
    }
    for part in row
        .get("under")
        .split(';')
        .map(str::trim)
        .filter(|p| !p.is_empty())
    {
        let (scope, code) = part.split_once(' ').unwrap();
        let code = Some(code.to_owned());
        match scope {
            "line" => asked.line = code,
            "purchase_order" => asked.purchase_order = code,
            "task" => asked.task = code,
            other => panic!("'{other}' is no scope"),
        }
    }
    asked
}

fn batch(name: &str) -> Vec<Ask> {
    let rows = table("limits.md", "Batches");
    rows.iter()
        .filter(|row| row.get("batch") == name)
        .map(|row| {
            let mut one = ask(row.get("item"), row.get("quantity"), row.get("rate"));
            one.work_date = row.get("day").parse().unwrap();
            one.approved_at_micros = row.number("approved");
            one.source_id = row.get("source id").to_owned();
            one
        })
        .collect()
}

fn event(row: &Row, account: &Account) -> Event {
    let item = row.get("item").to_owned();
    match row.get("event") {
        "reserve" => Event::Reserve {
            asks: vec![asked(row)],
        },
        "batch" => Event::Reserve { asks: batch(&item) },
        "withdraw" => Event::Withdraw { item },
        "release" => Event::ReleaseHeld { at_most: None },
        "release next" => Event::ReleaseHeld { at_most: Some(1) },
        "change order" => {
            let mut terms = limits(account).terms().to_vec();
            let changed = terms.iter_mut().find(|limit| limit.id == item).unwrap();
            changed.amount = micro(row.get("quantity"));
            Event::ChangeTerms {
                terms: Terms::Limits(terms.into()),
            }
        }
        credit @ ("final credit" | "credit to rebill") => Event::Credit {
            item,
            quantity: micro(row.get("quantity")),
            rebill: credit == "credit to rebill",
        },
        other => panic!("'{other}' is no event"),
    }
}

/// What the message of a refusal has to say.
fn words(refused: &str) -> &'static str {
    match refused {
        "cap below used" => "is billed or reserved already",
        "credit above billed" => "is more than the",
        "negative quantity" => "neither can be below zero",
        other => panic!("'{other}' is no refusal"),
    }
}

fn per_limit(account: &Account, figure: impl Fn(&Limits, &LimitTerms) -> Money) -> String {
    let limits = limits(account);
    let text = |limit| figure(limits, limit).decimal().to_string();
    match limits.terms() {
        [only] => text(only),
        several => {
            let parts = several.iter().map(|l| format!("{} {}", l.id, text(l)));
            parts.collect::<Vec<_>>().join(", ")
        }
    }
}

/// What has to hold after each step, whatever happened.
pub(crate) fn invariants(account: &Account, what: &str) {
    let limits = limits(account);
    let counted = limits.counted().unwrap();
    for limit in limits.terms() {
        let used = limits.used(&limit.id);
        assert_eq!(counted[&limit.id], used.amount_minor, "{what}: totals");
        let most = limit.amount.decimal() + limit.tolerance.decimal();
        assert!(used.decimal() <= most, "{what}: {} exceeded", limit.id);
    }
    for (_, record) in limits.records() {
        let quantity: i64 = record.slices.iter().map(|s| s.quantity.micro()).sum();
        let expected = record.claim.asked.micro() - record.claim.credited.micro();
        if record.claim.credited.micro() == 0 {
            assert_eq!(quantity, expected, "{what}: parts add up to what was asked");
        }
        let held = record.slices.iter().any(|s| s.outcome == Outcome::Held);
        assert_eq!(
            held,
            record.held_by.is_some(),
            "{what}: who is held, and why"
        );
    }
}

#[test]
fn limits_step_by_step() {
    let (mut scenario, mut account) = (String::new(), None);
    for row in table("limits.md", "Steps") {
        let what = format!(
            "{}: {} {}",
            row.get("scenario"),
            row.get("event"),
            row.get("item")
        );
        if scenario != row.get("scenario") {
            scenario = row.get("scenario").to_owned();
            account = Some(start(&scenario));
        }
        let account = account.as_mut().unwrap();
        let event = event(&row, account);
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
        assert_eq!(
            cell(&effects, Outcome::Billed),
            row.get("= billed"),
            "{what}"
        );
        assert_eq!(cell(&effects, Outcome::Held), row.get("= held"), "{what}");
        assert_eq!(
            cell(&effects, Outcome::WrittenOff),
            row.get("= written off"),
            "{what}"
        );
        assert_eq!(allowances(&effects), row.get("= allowance"), "{what}");
        assert_eq!(
            per_limit(account, |all, l| all.used(&l.id)),
            row.get("= used"),
            "{what}"
        );
        assert_eq!(
            per_limit(account, |all, l| all.left(l).unwrap()),
            row.get("= left"),
            "{what}"
        );
        assert!(
            effects.is_empty() || !steps.is_empty(),
            "{what}: no number without a reason"
        );
        invariants(account, &what);
    }
}

/// A person reads how an entry was cut.
#[test]
fn a_cut_is_explained() {
    let mut account = start("by the minute");
    let asks = vec![ask("e1", "8", "200")];
    play(&mut account, &Event::Reserve { asks }).unwrap();
    let asks = vec![ask("e2", "6", "200")];
    let applied = play(&mut account, &Event::Reserve { asks }).unwrap();
    let expected = "1. limit NTE on the contract: used before EUR 49200.00 of EUR 50000.00, \
        asked 6 x 200 = EUR 1200.00; policy: bill what fits, hold the rest -> \
        4 billed (EUR 800.00), 2 held (EUR 400.00); left EUR 0.00\n";
    assert_eq!(applied.why.text(), expected);
}

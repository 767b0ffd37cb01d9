//! Money retainers, step by step.

use crate::accounts::{ask, cell, micro, named, play, printing};
use crate::table::{Row, table};
use counterfoil_rules::account::ask::{Effect, Outcome};
use counterfoil_rules::account::cut::fitting;
use counterfoil_rules::account::retainer::{FundingStage, Retainer};
use counterfoil_rules::account::{Account, Event, Terms};
use domain::contract::accounts::retainer::{Evergreen, RetainerTerms};
use domain::money::Money;

fn evergreen(threshold: Option<String>, target: Option<String>) -> Option<Evergreen> {
    Some(Evergreen {
        threshold: micro(&threshold?),
        target: micro(&target?),
    })
}

fn start(scenario: &str) -> Account {
    let rows = table("retainers.md", "Retainers");
    let row = rows.iter().find(|r| r.get("scenario") == scenario).unwrap();
    let terms = RetainerTerms {
        id: "R".into(),
        usable: named(row.get("usable")),
        evergreen: evergreen(row.some("threshold"), row.some("target")),
    };
    Account::Retainer(Retainer::new(printing(row), terms).unwrap())
}

fn retainer(account: &Account) -> &Retainer {
    match account {
        Account::Retainer(retainer) => retainer,
        other => panic!("{other:?} is no retainer"),
    }
}

fn event(row: &Row, account: &Account) -> Event {
    let item = row.get("item").to_owned();
    match row.get("event") {
        "reserve" => Event::Reserve {
            asks: vec![ask(&item, row.get("quantity"), row.get("rate"))],
        },
        "withdraw" => Event::Withdraw { item },
        stage @ ("invoiced" | "paid") => Event::Fund {
            id: item,
            stage: named::<FundingStage>(stage),
            amount: {
                let currency = retainer(account).printing.currency;
                Money::from_decimal(micro(row.get("amount")).decimal(), currency).unwrap()
            },
        },
        "change order" => {
            let mut terms = retainer(account).terms().clone();
            terms.evergreen = evergreen(row.some("item"), row.some("amount"));
            Event::ChangeTerms {
                terms: Terms::Retainer(terms),
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

fn words(row: &Row) -> &'static str {
    match (row.get("= refused"), row.get("event")) {
        ("below drawn", _) => "was drawn; take drawn items back first",
        ("credit above billed", _) => "is more than the",
        ("negative quantity", "reserve") => "neither can be below zero",
        ("negative quantity", _) => "write what was invoiced or paid so far, 0 or more",
        other => panic!("{other:?} is no refusal"),
    }
}

/// Usable is drawn and balance, and the balance is never negative.
pub(crate) fn invariants(account: &Account, what: &str) {
    let retainer = retainer(account);
    let parts = retainer.drawings().flat_map(|(_, drawing)| &drawing.slices);
    let drawn: i64 = parts
        .filter(|part| part.outcome == Outcome::Drawn)
        .map(|part| part.amount.amount_minor)
        .sum();
    let balance = retainer.balance().unwrap().amount_minor;
    assert_eq!(
        retainer.usable().unwrap().amount_minor,
        drawn + balance,
        "{what}"
    );
    assert!(balance >= 0, "{what}: {balance}");
}

#[test]
fn retainers_step_by_step() {
    let (mut scenario, mut account) = (String::new(), None);
    for row in table("retainers.md", "Steps") {
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
                assert!(message.contains(words(&row)), "{what}: {message}");
                (Vec::new(), Vec::new())
            }
        };
        let top_up = effects.iter().find_map(|effect| match effect {
            Effect::TopUp { id, amount } => Some(format!("{id} {}", amount.decimal())),
            _ => None,
        });
        let balance = retainer(account).balance().unwrap().decimal().to_string();
        assert_eq!(cell(&effects, Outcome::Drawn), row.get("= drawn"), "{what}");
        assert_eq!(
            cell(&effects, Outcome::Billed),
            row.get("= billed"),
            "{what}"
        );
        assert_eq!(balance, row.get("= balance"), "{what}");
        assert_eq!(
            top_up.as_deref().unwrap_or("none"),
            row.get("= top-up"),
            "{what}"
        );
        assert!(
            effects.is_empty() || !steps.is_empty(),
            "{what}: no number without a reason"
        );
        invariants(account, &what);
    }
}

/// The cut that limits and retainers share: 201.00 at 180 is 1.11 h, 999.00 at 300 is 3.33 h.
#[test]
fn the_largest_quantity_that_fits() {
    let rows = table("retainers.md", "Retainers");
    let plain = rows
        .iter()
        .find(|r| r.get("scenario") == "the cut")
        .unwrap();
    let printing = printing(plain);
    let table = [
        ("180", 20_100, "1.11"),
        ("300", 99_900, "3.33"),
        ("300", 0, "0"),
    ];
    for (rate, room_minor, expected) in table {
        let fits = fitting(&printing, micro("8"), micro(rate), room_minor).unwrap();
        assert_eq!(fits, micro(expected), "{rate}");
    }
}

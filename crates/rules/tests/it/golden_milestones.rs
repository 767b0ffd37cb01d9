//! Milestones, step by step.

use crate::accounts::{DAY, cells, micro, plain_printing, play};
use crate::table::{Row, table};
use counterfoil_rules::account::ask::Effect;
use counterfoil_rules::account::milestone::{Acceptance, Evidence, MilestoneValue, Milestones};
use counterfoil_rules::account::{Account, Event, Terms};
use domain::contract::accounts::Printing;
use domain::contract::accounts::milestone::{Milestone, MilestoneTerms};
use domain::money::Money;
use std::collections::BTreeMap;

fn start(scenario: &str) -> Account {
    let contracts = table("milestones.md", "Contracts");
    let contract = contracts.iter().find(|r| r.get("scenario") == scenario);
    let contract = contract.unwrap();
    let rows = table("milestones.md", "Milestones");
    let milestones = rows
        .iter()
        .filter(|row| row.get("scenario") == scenario)
        .map(|row| Milestone {
            id: row.get("milestone").to_owned(),
            amount: row.some("amount").map(|text| micro(&text)),
            percent: row.some("percent").map(|text| micro(&text)),
        });
    let terms = MilestoneTerms {
        price: micro(contract.get("price")),
        retention_percent: micro(contract.get("retention")),
        milestones: milestones.collect(),
    };
    let printing = Printing {
        currency: contract.get("currency").parse().unwrap(),
        ..plain_printing()
    };
    Account::Milestones(Milestones::new(printing, terms).unwrap())
}

fn milestones(account: &Account) -> &Milestones {
    match account {
        Account::Milestones(milestones) => milestones,
        other => panic!("{other:?} is no account of milestones"),
    }
}

fn evidence(row: &Row) -> Evidence {
    Evidence {
        accepted_by: "client".into(),
        accepted_on: DAY,
        document: row.get("evidence").to_owned(),
    }
}

fn value(text: &str) -> MilestoneValue {
    match text.strip_suffix(" %") {
        Some(percent) => MilestoneValue::Percent(micro(percent)),
        None => MilestoneValue::Amount(micro(text)),
    }
}

fn event(row: &Row, account: &Account) -> Event {
    match row.get("event") {
        "accept" => Event::Accept {
            acceptance: Acceptance {
                milestone: row.get("item").to_owned(),
                revision: row.get("revision").parse().unwrap(),
                value: row.some("value").map(|text| value(&text)),
                evidence: evidence(row),
            },
        },
        "release retention" => Event::ReleaseRetention {
            evidence: evidence(row),
        },
        "change order" => {
            let mut terms = milestones(account).terms().clone();
            terms.price = micro(row.get("value"));
            if let Some((id, amount)) = row.get("item").split_once(' ') {
                let changed = terms.milestones.iter_mut().find(|m| m.id == id);
                changed.unwrap().amount = Some(micro(amount));
            }
            Event::ChangeTerms {
                terms: Terms::Milestones(terms),
            }
        }
        other => panic!("'{other}' is no event"),
    }
}

fn words(refused: &str) -> &'static str {
    match refused {
        "not all accepted" => "is not accepted yet",
        "no evidence" => "needs the client's acceptance as evidence",
        "unknown milestone" => "the contract has no milestone M9",
        "revision taken" => "is known with other content, or older",
        "takes the remainder" => "has no value of its own",
        "nothing takes the difference" => "no percentage milestone takes the difference",
        "not the price" => "they come to",
        "more than the price" => "not between 0 and 100",
        other => panic!("'{other}' is no refusal"),
    }
}

#[test]
fn milestones_step_by_step() {
    let (mut scenario, mut account) = (String::new(), None);
    for row in table("milestones.md", "Steps") {
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
                let expected = words(row.get("= refused"));
                let remainder = expected.starts_with("not between")
                    && message.contains("it takes what the others leave of the price");
                assert!(remainder || message.contains(expected), "{what}: {message}");
                (Vec::new(), Vec::new())
            }
        };
        check_effects(&row, account, &effects, &what);
        assert!(
            effects.is_empty() || !steps.is_empty(),
            "{what}: no number without a reason"
        );
        invariants(account, &what);
    }
}

fn check_effects(row: &Row, account: &Account, effects: &[Effect], what: &str) {
    let milestones = milestones(account);
    let currency = milestones.printing.currency;
    let money = |amount_minor| Money {
        amount_minor,
        currency,
    };
    let (mut billed, mut withheld) = (BTreeMap::new(), "none".to_owned());
    for effect in effects {
        match effect {
            Effect::Milestone { item, amount } => {
                *billed.entry(item.as_str()).or_insert(0) += amount.amount_minor;
            }
            Effect::Withheld { amount } => withheld = amount.decimal().to_string(),
            other => panic!("{what}: {other:?}"),
        }
    }
    let in_all: i64 = milestones.billed_minor().values().sum();
    let withheld_in_all = money(milestones.withheld_minor()).decimal().to_string();
    assert_eq!(
        cells(billed, currency.minor_digits()),
        row.get("= billed"),
        "{what}"
    );
    assert_eq!(withheld, row.get("= withheld"), "{what}");
    assert_eq!(
        money(in_all).decimal().to_string(),
        row.get("= billed in all"),
        "{what}"
    );
    assert_eq!(withheld_in_all, row.get("= withheld in all"), "{what}");
}

/// Milestones come to the price if one takes the remainder; billed and withheld are what accepted
/// ones are worth.
pub(crate) fn invariants(account: &Account, what: &str) {
    let milestones = milestones(account);
    let worth = milestones.worth_minor().unwrap();
    let price = milestones.terms().price(&milestones.printing).unwrap();
    if milestones.terms().remainder().is_some() {
        assert_eq!(worth.values().sum::<i64>(), price.amount_minor, "{what}");
    }
    let accepted: i64 = worth
        .iter()
        .filter(|(id, _)| {
            let start = format!("{id}/");
            milestones
                .billed_minor()
                .keys()
                .any(|item| item.starts_with(&start))
        })
        .map(|(_, minor)| minor)
        .sum();
    let billed: i64 = milestones.billed_minor().values().sum();
    assert_eq!(billed + milestones.withheld_minor(), accepted, "{what}");
}

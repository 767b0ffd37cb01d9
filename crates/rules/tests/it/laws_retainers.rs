//! What holds for retainers, whatever happens in whatever order.

use crate::accounts::{DAY, plain_printing};
use crate::golden_retainers::invariants;
use crate::laws_limits::{asked, printing};
use counterfoil_rules::account::ask::{Effect, Outcome};
use counterfoil_rules::account::retainer::{FundingStage, Retainer};
use counterfoil_rules::account::{Account, Event, apply};
use domain::contract::accounts::retainer::{Evergreen, RetainerTerms, Usable};
use domain::decimal::Micro;
use domain::money::Money;
use proptest::prelude::*;

fn terms() -> impl Strategy<Value = RetainerTerms> {
    let evergreen = (0_i64..1_000, 0_i64..2_000).prop_map(|(threshold, more)| Evergreen {
        threshold: Micro::from_micro(threshold * 1_000_000),
        target: Micro::from_micro((threshold + more) * 1_000_000),
    });
    (any::<bool>(), proptest::option::of(evergreen)).prop_map(|(paid, evergreen)| RetainerTerms {
        id: "R".into(),
        usable: if paid { Usable::Paid } else { Usable::Invoiced },
        evergreen,
    })
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        6 => (0_usize..6, 0_i64..1_500, 0_i64..250_000).prop_map(|(item, hundredths, rate)| {
            Event::Reserve { asks: vec![asked(item, hundredths, rate)] }
        }),
        2 => (0_usize..6).prop_map(|item| Event::Withdraw { item: format!("e{item}") }),
        2 => (0_usize..6, 0_i64..600, any::<bool>()).prop_map(|(item, hundredths, rebill)| {
            Event::Credit {
                item: format!("e{item}"),
                quantity: Micro::from_micro(hundredths * 10_000),
                rebill,
            }
        }),
        4 => (1_usize..4, any::<bool>(), 0_i64..300_000).prop_map(|(n, paid, amount_minor)| {
            Event::Fund {
                id: format!("top-up {n}"),
                stage: if paid { FundingStage::Paid } else { FundingStage::Invoiced },
                amount: Money { amount_minor, currency: "EUR".parse().unwrap() },
            }
        }),
    ]
}

fn of(account: &Account) -> &Retainer {
    match account {
        Account::Retainer(retainer) => retainer,
        other => panic!("{other:?}"),
    }
}

fn drawn(account: &Account, item: &str) -> i64 {
    let slices = of(account).drawing(item).map(|d| d.slices.clone());
    let slices = slices.unwrap_or_default().into_iter();
    let drawn = slices.filter(|s| s.outcome == Outcome::Drawn);
    drawn.map(|s| s.amount.amount_minor).sum()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn the_balance_is_never_negative_and_what_was_drawn_stays(
        printing in printing(), terms in terms(),
        events in proptest::collection::vec(event(), 1..25),
    ) {
        let start = Account::Retainer(Retainer::new(printing, terms).unwrap());
        let mut account = start.clone();
        let mut told = Vec::new();
        for event in &events {
            let Ok(applied) = apply(&account, event) else { continue };
            let named = match event {
                Event::Reserve { asks } => asks[0].item.clone(),
                Event::Withdraw { item } | Event::Credit { item, .. } => item.clone(),
                _ => String::new(),
            };
            for item in (0..6).map(|n| format!("e{n}")).filter(|item| *item != named) {
                prop_assert_eq!(drawn(&applied.account, &item), drawn(&account, &item), "{}", item);
            }
            account = applied.account;
            invariants(&account, "any event");
            told.push((event, applied.effects));
        }
        let mut again = start;
        for (event, effects) in told {
            let applied = apply(&again, event).unwrap();
            prop_assert_eq!(&applied.effects, &effects);
            again = applied.account;
        }
        prop_assert_eq!(again, account);
    }

    #[test]
    fn reserving_and_withdrawing_leaves_nothing(
        printing in printing(), terms in terms(), hundredths in 0_i64..1_500, rate in 0_i64..250_000,
        events in proptest::collection::vec(event(), 0..10),
    ) {
        // A top-up that was asked for is not taken back, so this one is not filled up.
        let terms = RetainerTerms { evergreen: None, ..terms };
        let mut account = Account::Retainer(Retainer::new(printing, terms).unwrap());
        for event in &events {
            if let Ok(applied) = apply(&account, event) {
                account = applied.account;
            }
        }
        let asks = vec![asked(9, hundredths, rate)];
        let reserved = apply(&account, &Event::Reserve { asks }).unwrap();
        let item = "e9".to_owned();
        let withdrawn = apply(&reserved.account, &Event::Withdraw { item }).unwrap();
        prop_assert_eq!(withdrawn.account, account);
    }

    /// After every event balance and top-ups on their way reach the threshold, and none is asked
    /// for while they do.
    #[test]
    fn a_top_up_restores_the_target(
        printing in printing(), terms in terms(),
        events in proptest::collection::vec(event(), 1..25),
    ) {
        prop_assume!(terms.evergreen.is_some());
        let evergreen = terms.evergreen.unwrap();
        let minor = |value: Micro| value.micro() / 10_000;
        let mut account = Account::Retainer(Retainer::new(printing, terms).unwrap());
        let mut asked_for = 0;
        for event in &events {
            let Ok(applied) = apply(&account, event) else { continue };
            account = applied.account;
            let top_ups: Vec<i64> = applied.effects.iter().filter_map(|effect| match effect {
                Effect::TopUp { amount, .. } => Some(amount.amount_minor),
                _ => None,
            }).collect();
            prop_assert!(top_ups.len() <= 1);
            let balance = of(&account).balance().unwrap().amount_minor;
            if let Some(amount) = top_ups.first() {
                asked_for += amount;
                prop_assert!(*amount > 0);
                prop_assert!(*amount + balance <= minor(evergreen.target));
            }
            prop_assert!(balance + asked_for >= minor(evergreen.threshold));
        }
    }
}

/// An event for another kind of account is refused, and says so.
#[test]
fn a_retainer_has_no_periods() {
    let terms = RetainerTerms {
        id: "R".into(),
        usable: Usable::Paid,
        evergreen: None,
    };
    let account = Account::Retainer(Retainer::new(plain_printing(), terms).unwrap());
    let refusal = apply(&account, &Event::ClosePeriod { first: DAY }).unwrap_err();
    assert_eq!(
        refusal.to_string(),
        "a retainer takes no 'close period': send it to the account it is meant for"
    );
}

//! Laws of limits over a contract and its parts, for any limits and any sequence of events: FRAME has
//! the parts A and C, and A has the part B.

use crate::laws_limits::{billed, event, limits, named, of, printing};
use counterfoil_rules::account::ask::{Ask, AskKind};
use counterfoil_rules::account::limit::{Limits, PartTerms, WholeTerms};
use counterfoil_rules::account::{Account, Event, apply};
use domain::contract::accounts::limit::{LimitBase, LimitScope, LimitTerms};
use proptest::prelude::*;

/// Each contract with everything that it is part of; none = FRAME itself.
const CHAINS: [(Option<&str>, &[Option<&str>]); 4] = [
    (None, &[None]),
    (Some("A"), &[None, Some("A")]),
    (Some("B"), &[None, Some("A"), Some("B")]),
    (Some("C"), &[None, Some("C")]),
];

fn part(contract: &'static str, parent: Option<&'static str>) -> impl Strategy<Value = PartTerms> {
    (printing(), limits(), 0_usize..3)
        .prop_map(move |(printing, mut limits, count)| {
            limits.truncate(count);
            PartTerms {
                contract: contract.to_owned(),
                parent: parent.map(str::to_owned),
                printing,
                limits,
            }
        })
        .boxed()
}

/// On the heap: together these are too large for the stack of a test.
fn whole() -> BoxedStrategy<WholeTerms> {
    let parts = (part("A", None), part("B", Some("A")), part("C", None));
    let whole = (limits().boxed(), parts).prop_map(|(limits, (a, b, c))| WholeTerms {
        contract: "FRAME".to_owned(),
        limits,
        parts: vec![a, b, c],
    });
    whole.boxed()
}

/// Events of entries that may be under any of the contracts, and move between them.
fn events() -> BoxedStrategy<Vec<Event>> {
    let under = proptest::collection::vec(0_usize..CHAINS.len(), 3);
    let one = (event(false).boxed(), under).prop_map(|(mut event, under)| {
        if let Event::Reserve { asks } = &mut event {
            for (ask, under) in asks.iter_mut().zip(under) {
                ask.contract = CHAINS[under].0.map(str::to_owned);
            }
        }
        event
    });
    let kept = one.prop_filter("a change order is of limits alone", |event| {
        !matches!(event, Event::ChangeTerms { .. })
    });
    proptest::collection::vec(kept.boxed(), 1..25).boxed()
}

fn counts(limit: &LimitTerms, owner: Option<&str>, ask: &Ask) -> bool {
    let under = CHAINS.iter().find(|(id, _)| *id == ask.contract.as_deref());
    let code = match limit.scope {
        LimitScope::Contract => true,
        LimitScope::Line => ask.line == limit.code,
        LimitScope::PurchaseOrder => ask.purchase_order == limit.code,
        LimitScope::Task => ask.task == limit.code,
    };
    let base = limit.base == LimitBase::FeesAndExpenses || ask.kind == AskKind::Fees;
    under.unwrap().1.contains(&owner) && code && base && limit.covers(ask.work_date)
}

/// At every level the total is what the entries under it have, and no more than it allows.
fn holds(account: &Account) {
    let limits = of(account);
    assert_eq!(limits.counted().unwrap().len(), limits.terms().len());
    for (owner, _) in CHAINS {
        for (_, limit) in limits.terms_of(owner) {
            let own: i64 = limits
                .records()
                .filter(|(_, record)| counts(limit, owner, &record.ask))
                .map(|(_, record)| billed(record))
                .sum();
            let used = limits.used(&limit.id).amount_minor;
            assert_eq!(used, limit.opening_used.micro() / 10_000 + own, "{limit:?}");
            let most = (limit.amount.micro() + limit.tolerance.micro()) / 10_000;
            assert!(used <= most, "{used} of {most}: {limit:?}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Whatever comes in whatever order, no level is exceeded, every level counts the same entries,
    /// and what an entry was granted is taken away by no other one.
    #[test]
    fn no_level_is_exceeded_and_reserved_capacity_is_kept(
        printing in printing(), terms in whole(), events in events(),
    ) {
        let mut account = Account::Limits(Limits::of_whole(printing, &terms).unwrap());
        for event in &events {
            let Ok(applied) = apply(&account, event) else { continue };
            for (item, record) in of(&account).records() {
                if !named(event).contains(&item.to_owned()) {
                    let after = of(&applied.account).record(item).unwrap();
                    prop_assert!(billed(after) >= billed(record), "{item} lost capacity: {event:?}");
                }
            }
            account = applied.account;
            holds(&account);
            let stored = serde_json::to_string(&account).unwrap();
            let again: Account = serde_json::from_str(&stored).unwrap();
            prop_assert_eq!(&again, &account);
        }
    }

    /// Parts without limits of their own are as if all work were under the whole.
    #[test]
    fn parts_without_limits_change_nothing(
        printing in printing(), mut terms in whole(), events in events(),
    ) {
        for part in &mut terms.parts {
            part.limits.clear();
            part.printing = printing;
        }
        let mut whole = Account::Limits(Limits::of_whole(printing, &terms).unwrap());
        let mut plain = Account::Limits(Limits::new(printing, terms.limits).unwrap());
        for event in &events {
            let mut under = event.clone();
            if let Event::Reserve { asks } = &mut under {
                for ask in asks {
                    // An entry that moves asks anew, and by itself it would not.
                    let known = of(&whole).record(&ask.item).map(|r| r.ask.contract.clone());
                    if let Some(known) = known {
                        ask.contract = known;
                    }
                }
            }
            let mut alone = under.clone();
            if let Event::Reserve { asks } = &mut alone {
                for ask in asks {
                    ask.contract = None;
                }
            }
            let (one, other) = (apply(&whole, &under), apply(&plain, &alone));
            let (Ok(one), Ok(other)) = (one, other) else { continue };
            prop_assert_eq!(&one.effects, &other.effects);
            (whole, plain) = (one.account, other.account);
        }
    }

    /// When all is withdrawn or credited for good, every level has its whole room again.
    #[test]
    fn every_level_gets_back_what_is_withdrawn(
        printing in printing(), terms in whole(), events in events(),
    ) {
        let start = Account::Limits(Limits::of_whole(printing, &terms).unwrap());
        let mut account = start.clone();
        for event in &events {
            if let Ok(applied) = apply(&account, event) {
                account = applied.account;
            }
        }
        for item in 0..6 {
            let item = format!("e{item}");
            account = apply(&account, &Event::Withdraw { item }).unwrap().account;
        }
        for limit in of(&start).terms() {
            prop_assert_eq!(of(&account).used(&limit.id), of(&start).used(&limit.id));
        }
    }
}

#[test]
fn an_entry_of_an_unknown_part_is_refused() {
    let terms = WholeTerms {
        contract: "FRAME".to_owned(),
        ..WholeTerms::default()
    };
    let printing = serde_json::from_str(r#"{"currency":"EUR","quantity_decimals":2}"#).unwrap();
    let account = Account::Limits(Limits::of_whole(printing, &terms).unwrap());
    let mut ask = crate::accounts::ask("e1", "1", "100");
    ask.contract = Some("LATE".to_owned());
    let refused = apply(&account, &Event::Reserve { asks: vec![ask] }).unwrap_err();
    assert!(refused.to_string().starts_with("contract LATE is no part"));
}

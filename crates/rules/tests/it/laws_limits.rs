//! What holds for limits, whatever happens in whatever order.

use crate::accounts::{DAY, ask, plain_printing};
use crate::golden_limits::invariants;
use counterfoil_rules::account::ask::{Ask, AskKind, Effect, Outcome, Slice};
use counterfoil_rules::account::limit::{Limits, Record};
use counterfoil_rules::account::{Account, Event, Terms, apply};
use domain::contract::accounts::Printing;
use domain::contract::accounts::limit::{LimitBase, LimitPolicy, LimitScope, LimitTerms};
use domain::decimal::Micro;
use domain::rounding::Rounding;
use proptest::prelude::*;

pub(crate) fn printing() -> impl Strategy<Value = Printing> {
    let step = prop_oneof![Just(None), Just(Some(6)), Just(Some(10)), Just(Some(15))];
    let mode = prop_oneof![
        Just(Rounding::HalfUp),
        Just(Rounding::HalfEven),
        Just(Rounding::Up),
        Just(Rounding::Down),
    ];
    (step, 0_u32..=3, mode.clone(), mode).prop_map(|(step_minutes, decimals, quantity, amount)| {
        Printing {
            currency: "EUR".parse().unwrap(),
            step_minutes,
            quantity_decimals: decimals,
            quantity_rounding: quantity,
            amount_rounding: amount,
        }
    })
}

fn policy() -> impl Strategy<Value = LimitPolicy> {
    prop_oneof![
        Just(LimitPolicy::SplitHold),
        Just(LimitPolicy::Hold),
        Just(LimitPolicy::WriteOff),
        Just(LimitPolicy::BillToCap),
    ]
}

prop_compose! {
    fn limit(n: usize)(
        scope in 0_usize..4, amount in 500_i64..5_000, opening in 0_i64..500, fees in any::<bool>(),
        policy in policy(), pass in any::<bool>(), tolerance in prop_oneof![Just(0_i64), 1_i64..100],
        ends in prop_oneof![4 => Just(None), 1 => Just(Some(DAY))],
    ) -> LimitTerms {
        let scopes = [LimitScope::Contract, LimitScope::Line, LimitScope::PurchaseOrder, LimitScope::Task];
        LimitTerms {
            id: format!("L{n}"),
            scope: scopes[scope],
            code: (scope > 0).then(|| "A".to_owned()),
            amount: Micro::from_micro(amount * 1_000_000),
            opening_used: Micro::from_micro(opening * 1_000_000),
            base: if fees { LimitBase::Fees } else { LimitBase::FeesAndExpenses },
            policy,
            pass,
            tolerance: Micro::from_micro(tolerance * 1_000_000),
            from: None,
            to: ends,
        }
    }
}

/// An ask for hundredths of an hour at a rate in thousandths.
pub(crate) fn asked(item: usize, hundredths: i64, rate_milli: i64) -> Ask {
    let mut one = ask(&format!("e{item}"), "0", "0");
    one.quantity = Micro::from_micro(hundredths * 10_000);
    one.rate = Micro::from_micro(rate_milli * 1_000);
    one
}

prop_compose! {
    fn any_ask(whole_rates: bool)(
        item in 0_usize..6, hundredths in 0_i64..1_500, rate in 0_i64..250, milli in 0_i64..1_000,
        under in 0..8, expense in prop_oneof![4 => Just(false), 1 => Just(true)], days in 0..2,
    ) -> Ask {
        let rate = rate * 1_000 + if whole_rates { 0 } else { milli };
        let mut one = asked(item, hundredths, rate);
        let code = |bit: i32| (under & bit != 0).then(|| "A".to_owned());
        (one.line, one.purchase_order, one.task) = (code(1), code(2), code(4));
        if expense {
            one.kind = AskKind::Expenses;
        }
        one.work_date = DAY.checked_sub(jiff::Span::new().days(days)).unwrap();
        one
    }
}

pub(crate) fn event(whole_rates: bool) -> impl Strategy<Value = Event> {
    prop_oneof![
        8 => proptest::collection::vec(any_ask(whole_rates), 1..3)
            .prop_map(|asks| Event::Reserve { asks }),
        2 => (0_usize..6).prop_map(|item| Event::Withdraw { item: format!("e{item}") }),
        2 => (0_usize..6, 0_i64..600, any::<bool>()).prop_map(|(item, hundredths, rebill)| {
            Event::Credit {
                item: format!("e{item}"),
                quantity: Micro::from_micro(hundredths * 10_000),
                rebill,
            }
        }),
        2 => proptest::option::of(1_u32..3).prop_map(|at_most| Event::ReleaseHeld { at_most }),
        1 => limits().prop_map(|terms| Event::ChangeTerms { terms: Terms::Limits(terms.into()) }),
    ]
}

pub(crate) fn limits() -> impl Strategy<Value = Vec<LimitTerms>> {
    (limit(0), limit(1), limit(2), 1_usize..=3).prop_map(|(a, b, c, count)| {
        let mut all = vec![a, b, c];
        all.truncate(count);
        all
    })
}

pub(crate) fn of(account: &Account) -> &Limits {
    match account {
        Account::Limits(limits) => limits,
        other => panic!("{other:?}"),
    }
}

/// What an event itself names; everything else has to keep what it has.
pub(crate) fn named(event: &Event) -> Vec<String> {
    match event {
        Event::Reserve { asks } => asks.iter().map(|ask| ask.item.clone()).collect(),
        Event::Withdraw { item } | Event::Credit { item, .. } => vec![item.clone()],
        _ => Vec::new(),
    }
}

pub(crate) fn billed(record: &Record) -> i64 {
    let billed = record
        .slices
        .iter()
        .filter(|s| s.outcome == Outcome::Billed);
    billed.map(Slice::net_minor).sum()
}

/// Every part, with line allowances, in minor units.
fn all_parts(record: &Record) -> i64 {
    record.slices.iter().map(|s| s.amount.amount_minor).sum()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn a_limit_is_never_exceeded_and_reserved_capacity_is_kept(
        printing in printing(), terms in limits(),
        events in proptest::collection::vec(event(false), 1..25),
    ) {
        let start = Account::Limits(Limits::new(printing, terms).unwrap());
        let mut account = start.clone();
        let mut told = Vec::new();
        for event in &events {
            let Ok(applied) = apply(&account, event) else { continue };
            for (item, record) in of(&account).records() {
                if !named(event).contains(&item.to_owned()) {
                    let after = of(&applied.account).record(item).unwrap();
                    prop_assert!(billed(after) >= billed(record), "{item} lost capacity: {event:?}");
                }
            }
            account = applied.account;
            told.push((event, applied.effects));
            invariants(&account, "any event");
        }
        // Folding the events that counted gives the same, bit for bit.
        let mut again = start;
        for (event, effects) in told {
            let applied = apply(&again, event).unwrap();
            prop_assert_eq!(&applied.effects, &effects);
            again = applied.account;
        }
        prop_assert_eq!(serde_json::to_string(&again).unwrap(), serde_json::to_string(&account).unwrap());
    }

    /// With rates and quantities that multiply to whole cents nothing is lost to rounding.
    #[test]
    fn used_and_held_are_opening_and_asked(
        terms in limits(), events in proptest::collection::vec(event(true), 1..25),
    ) {
        let printing = plain_printing();
        let mut account = Account::Limits(Limits::new(printing, terms).unwrap());
        for event in &events {
            let Ok(applied) = apply(&account, event) else { continue };
            account = applied.account;
            let limits = of(&account);
            for (_, record) in limits.records() {
                let claim = record.claim;
                let gone = claim.credited.micro();
                let (asked, base) = (claim.asked.micro(), claim.credit_base.micro());
                let live = if asked >= base { asked - gone } else { asked.min(base - gone) };
                let money = i128::from(live) * i128::from(record.ask.rate.micro()) / 10_000_000_000;
                prop_assert_eq!(i128::from(all_parts(record)), money, "{:?}", record);
            }
            let whole: i64 = limits.terms().iter().filter(|l| {
                l.scope == LimitScope::Contract && l.base == LimitBase::FeesAndExpenses && l.to.is_none()
            }).map(|l| {
                let opening = l.opening_used.micro() / 10_000;
                let used = limits.used(&l.id).amount_minor;
                used - opening - limits.records().map(|(_, r)| billed(r)).sum::<i64>()
            }).sum();
            prop_assert_eq!(whole, 0, "a limit on all of the contract counts all of it");
        }
    }

    #[test]
    fn reserving_and_withdrawing_leaves_nothing(
        printing in printing(), terms in limits(), one in any_ask(false),
        events in proptest::collection::vec(event(false), 0..10),
    ) {
        let mut account = Account::Limits(Limits::new(printing, terms).unwrap());
        for event in &events {
            if let Ok(applied) = apply(&account, event) {
                account = applied.account;
            }
        }
        let fresh = Ask { item: "new".into(), source_id: "new".into(), ..one };
        let asks = vec![fresh];
        let reserved = apply(&account, &Event::Reserve { asks }).unwrap();
        let item = "new".to_owned();
        let withdrawn = apply(&reserved.account, &Event::Withdraw { item }).unwrap();
        prop_assert_eq!(&withdrawn.account, &account);
        let sum = |effects: &[Effect]| -> i64 {
            effects.iter().map(|effect| match effect {
                Effect::Change { amount, .. } => amount.amount_minor,
                _ => 0,
            }).sum()
        };
        prop_assert_eq!(sum(&reserved.effects), -sum(&withdrawn.effects));
    }

    /// The same ask again is nothing.
    #[test]
    fn asking_twice_is_asking_once(
        printing in printing(), terms in limits(),
        asks in proptest::collection::vec(any_ask(false), 1..12),
    ) {
        let mut account = Account::Limits(Limits::new(printing, terms).unwrap());
        for one in &asks {
            let event = Event::Reserve { asks: vec![one.clone()] };
            account = apply(&account, &event).unwrap().account;
            let again = apply(&account, &event).unwrap();
            prop_assert_eq!(&again.account, &account);
            prop_assert_eq!(again.effects, vec![]);
        }
    }

    /// A cut uses the room up to less than the price of one step.
    #[test]
    fn a_cut_is_the_largest_that_fits(
        printing in printing(), hundredths in 1_i64..2_000, rate in 1_i64..300_000, room in 0_i64..100_000,
    ) {
        let printing = Printing { quantity_decimals: printing.quantity_decimals.max(2), ..printing };
        let (quantity, rate) = (Micro::from_micro(hundredths * 10_000), Micro::from_micro(rate * 1_000));
        let cut = |room| {
            counterfoil_rules::account::cut::fitting(&printing, quantity, rate, room).unwrap()
        };
        let price = |quantity| {
            domain::money::Money::times(quantity, rate, printing.currency, printing.amount_rounding)
                .unwrap().amount_minor
        };
        let fits = cut(room);
        prop_assert!(fits <= quantity && price(fits) <= room);
        // Walk all steps: none between the cut and the quantity fits.
        let next = (1_i64..20_000).map(|n| match printing.step_minutes {
            Some(minutes) => domain::quantity::hours_printed(
                n * i64::from(minutes) * 60, printing.quantity_decimals, printing.quantity_rounding,
            ).unwrap(),
            None => Micro::from_micro(n * 10_i64.pow(6 - printing.quantity_decimals)),
        }).find(|part| *part > fits).unwrap();
        prop_assert!(next > quantity || price(next) > room, "{next} would fit");
    }
}

//! What holds for hour banks, whatever happens in whatever order.

use crate::accounts::plain_printing;
use crate::golden_hour_banks::invariants;
use crate::laws_limits::asked;
use counterfoil_rules::account::ask::{Outcome, Slice};
use counterfoil_rules::account::hour_bank::HourBank;
use counterfoil_rules::account::{Account, Event, apply};
use domain::contract::accounts::hour_bank::{BankOrder, HourBankTerms, LateHours, Rollover};
use domain::decimal::Micro;
use jiff::ToSpan;
use jiff::civil::{Date, date};
use proptest::prelude::*;

fn month(n: i32) -> Date {
    date(2026, 1, 1).checked_add(n.months()).unwrap()
}

prop_compose! {
    fn terms()(
        allowance in 0_i64..60, maximum in 0_i64..30, life in 0_u32..4, newest in any::<bool>(),
        late in any::<bool>(), rate in 0_i64..300,
    ) -> HourBankTerms {
        let hours = |n: i64| Micro::from_micro(n * 1_000_000);
        HourBankTerms {
            id: "B".into(),
            allowance_hours: hours(allowance),
            fee: hours(6_000),
            overage_rate: hours(rate),
            rollover: (life > 0).then(|| Rollover { maximum_hours: hours(maximum), life_periods: life }),
            order: if newest { BankOrder::NewestFirst } else { BankOrder::OldestFirst },
            late: if late { LateHours::CurrentBucket } else { LateHours::Reopen },
            to: None,
        }
    }
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        8 => (0_usize..8, 0_i64..4_000, 0_i32..4).prop_map(|(item, hundredths, at)| {
            let mut one = asked(item, hundredths, 150_000);
            one.work_date = month(at).checked_add(9.days()).unwrap();
            Event::Reserve { asks: vec![one] }
        }),
        2 => (0_usize..8).prop_map(|item| Event::Withdraw { item: format!("e{item}") }),
        2 => (0_usize..8, 0_i64..600, any::<bool>()).prop_map(|(item, hundredths, rebill)| {
            Event::Credit {
                item: format!("e{item}"),
                quantity: Micro::from_micro(hundredths * 10_000),
                rebill,
            }
        }),
        2 => (1_i32..4).prop_map(|at| Event::OpenPeriod { first: month(at), next: month(at + 1) }),
        2 => (0_i32..4).prop_map(|at| Event::ClosePeriod { first: month(at) }),
    ]
}

fn start(terms: HourBankTerms) -> Account {
    let account = Account::HourBank(HourBank::new(plain_printing(), terms).unwrap());
    let event = Event::OpenPeriod {
        first: month(0),
        next: month(1),
    };
    apply(&account, &event).unwrap().account
}

fn of(account: &Account) -> &HourBank {
    match account {
        Account::HourBank(bank) => bank,
        other => panic!("{other:?}"),
    }
}

fn allowed(account: &Account, item: &str) -> i64 {
    let parts: Vec<Slice> = of(account)
        .view()
        .unwrap()
        .items
        .remove(item)
        .unwrap_or_default();
    let inside = parts
        .iter()
        .filter(|part| part.outcome == Outcome::Allowance);
    inside.map(|part| part.quantity.micro()).sum()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn a_bank_is_never_negative_and_its_hours_add_up(
        terms in terms(), events in proptest::collection::vec(event(), 1..30),
    ) {
        let start = start(terms);
        let mut account = start.clone();
        let mut told = Vec::new();
        for event in &events {
            let Ok(applied) = apply(&account, event) else { continue };
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

    /// Inside one period nobody who came before loses hours to somebody who comes later.
    #[test]
    fn reserved_hours_are_kept(
        terms in terms(), asks in proptest::collection::vec((0_usize..6, 0_i64..3_000), 1..20),
    ) {
        let mut account = start(terms);
        for (item, hundredths) in asks {
            let mut one = asked(item, hundredths, 150_000);
            one.work_date = month(0);
            let named = one.item.clone();
            let event = Event::Reserve { asks: vec![one] };
            let after = apply(&account, &event).unwrap().account;
            for other in (0..6).map(|n| format!("e{n}")).filter(|other| *other != named) {
                prop_assert!(allowed(&after, &other) >= allowed(&account, &other), "{other}");
            }
            account = after;
        }
    }

    /// With late time in the current period, a closed period stays as it was but for overage that
    /// was credited.
    #[test]
    fn closed_periods_stay(
        terms in terms(), events in proptest::collection::vec(event(), 1..30),
    ) {
        let mut account = start(HourBankTerms { late: LateHours::CurrentBucket, ..terms });
        for event in &events {
            let Ok(applied) = apply(&account, event) else { continue };
            let before = of(&account).view().unwrap().months;
            let after = of(&applied.account).view().unwrap().months;
            for (was, is) in before.iter().zip(&after).filter(|(was, _)| was.closed) {
                prop_assert!(is.overage <= was.overage);
                prop_assert_eq!(
                    (is.rolled_in, is.from_rolled, is.from_current, is.rolled_out, is.expired),
                    (was.rolled_in, was.from_rolled, was.from_current, was.rolled_out, was.expired)
                );
            }
            account = applied.account;
        }
    }

    #[test]
    fn reserving_and_withdrawing_leaves_nothing(
        terms in terms(), hundredths in 0_i64..5_000, at in 0_i32..4,
        events in proptest::collection::vec(event(), 0..12),
    ) {
        let mut account = start(terms);
        for event in &events {
            if let Ok(applied) = apply(&account, event) {
                account = applied.account;
            }
        }
        let mut one = asked(9, hundredths, 150_000);
        one.work_date = month(at);
        if let Ok(reserved) = apply(&account, &Event::Reserve { asks: vec![one] }) {
            let item = "e9".to_owned();
            let withdrawn = apply(&reserved.account, &Event::Withdraw { item }).unwrap();
            prop_assert_eq!(withdrawn.account, account);
        }
    }
}

//! What holds for milestones and schedules, whatever happens in whatever order.

use crate::accounts::{DAY, plain_printing};
use crate::golden_milestones::invariants;
use counterfoil_rules::account::milestone::{Acceptance, Evidence, MilestoneValue, Milestones};
use counterfoil_rules::account::schedule::due;
use counterfoil_rules::account::{Account, Event, Terms, apply};
use domain::contract::accounts::milestone::{Milestone, MilestoneTerms};
use domain::contract::accounts::schedule::{MonthlyFee, PartialMonths, ScheduleTerms};
use domain::decimal::Micro;
use jiff::ToSpan;
use jiff::civil::Date;
use proptest::prelude::*;

/// Percentages that come to 100, in thousandths; the last takes what is left.
fn terms(price_minor: i64, retention: i64, weights: &[i64]) -> MilestoneTerms {
    let sum: i64 = weights.iter().sum();
    let mut left = 100_000_000;
    let mut milestones = Vec::new();
    for (n, weight) in weights.iter().enumerate() {
        let last = n + 1 == weights.len();
        let part = if last {
            left
        } else {
            weight * 100_000_000 / sum
        };
        left -= part;
        milestones.push(Milestone {
            id: format!("M{n}"),
            amount: None,
            percent: Some(Micro::from_micro(part)),
        });
    }
    MilestoneTerms {
        price: Micro::from_micro(price_minor * 10_000),
        retention_percent: Micro::from_micro(retention * 10_000),
        milestones,
    }
}

fn evidence() -> Evidence {
    Evidence {
        accepted_by: "client".into(),
        accepted_on: DAY,
        document: "signed".into(),
    }
}

fn accept(n: usize, revision: u32, value: Option<MilestoneValue>) -> Event {
    Event::Accept {
        acceptance: Acceptance {
            milestone: format!("M{n}"),
            revision,
            value,
            evidence: evidence(),
        },
    }
}

fn event() -> impl Strategy<Value = Event> {
    let value = prop_oneof![
        2 => Just(None),
        1 => (0_i64..5_000_000).prop_map(|v| Some(MilestoneValue::Amount(Micro::from_micro(v * 10_000)))),
        1 => (0_i64..10_000).prop_map(|v| Some(MilestoneValue::Percent(Micro::from_micro(v * 10_000)))),
    ];
    prop_oneof![
        8 => (0_usize..5, 1_u32..5, value).prop_map(|(n, revision, value)| accept(n, revision, value)),
        1 => Just(Event::ReleaseRetention { evidence: evidence() }),
        1 => (100_i64..20_000_000, 0_i64..2_000).prop_map(|(price, retention)| Event::ChangeTerms {
            terms: Terms::Milestones(terms(price, retention, &[1, 1, 1, 1, 1])),
        }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn milestones_come_to_the_price(
        price in 100_i64..20_000_000, retention in 0_i64..2_000,
        weights in proptest::collection::vec(1_i64..100, 5),
        events in proptest::collection::vec(event(), 1..25),
    ) {
        let terms = terms(price, retention, &weights);
        let start = Account::Milestones(Milestones::new(plain_printing(), terms).unwrap());
        let mut account = start.clone();
        let mut told = Vec::new();
        for event in &events {
            let Ok(applied) = apply(&account, event) else { continue };
            account = applied.account;
            invariants(&account, "any event");
            // The same once more is nothing.
            if matches!(event, Event::Accept { .. }) {
                let again = apply(&account, event).unwrap();
                prop_assert_eq!(&again.account, &account);
                prop_assert_eq!(again.effects, vec![]);
            }
            told.push((event, applied.effects));
        }
        let mut again = start;
        for (event, effects) in told {
            let applied = apply(&again, event).unwrap();
            prop_assert_eq!(&applied.effects, &effects);
            again = applied.account;
        }
        prop_assert_eq!(&again, &account);
        // Accept what is missing and release: all that was billed is the price.
        for n in 0..5 {
            if let Ok(applied) = apply(&account, &accept(n, 1, None)) {
                account = applied.account;
            }
        }
        let end = Event::ReleaseRetention { evidence: evidence() };
        let Account::Milestones(done) = apply(&account, &end).unwrap().account else {
            panic!("an account of milestones")
        };
        let billed: i64 = done.billed_minor().values().sum();
        prop_assert_eq!(billed * 10_000, done.terms().price.micro());
    }

    /// What is due in two stretches of time is what is due in both together.
    #[test]
    fn days_asked_for_in_parts_give_the_same(
        begins in 0_i32..60, covers in 1_i32..200, day in 1_i8..=31, by_days in any::<bool>(),
        from in 0_i32..250, first in 0_i32..120, second in 0_i32..120,
    ) {
        let at = |n: i32| -> Date { DAY.checked_add(n.days()).unwrap() };
        let terms = ScheduleTerms {
            monthly_fees: vec![MonthlyFee {
                id: "fee".into(),
                amount: Micro::from_micro(1_000_000_000),
                from: at(begins),
                to: Some(at(begins + covers)),
                day,
                partial_months: if by_days { PartialMonths::ByDays } else { PartialMonths::Full },
            }],
            ..ScheduleTerms::default()
        };
        let ask = |from, to| due(&terms, &plain_printing(), from, to).unwrap().due;
        let (a, b, c) = (at(from), at(from + first), at(from + first + second));
        let mut parts = ask(a, b);
        parts.extend(ask(b, c));
        prop_assert_eq!(parts, ask(a, c));
        // And all of it lies in the days that the fee covers.
        for one in ask(at(0), at(400)) {
            prop_assert!(at(begins) <= one.date && one.date < at(begins + covers));
        }
    }
}

//! What holds for open quantities and corrections, whatever happens.

use counterfoil_rules::corrections::{
    Act, BookedPeriod, Change, CorrectionDay, Document, OpenQuantity, QuantityEvent, Stage, plan,
};
use domain::contract::corrections::IssuedCorrection;
use domain::currency::Currency;
use domain::decimal::Micro;
use domain::money::Money;
use jiff::civil::date;
use proptest::prelude::*;
use std::collections::BTreeSet;

fn eur(amount_minor: i64) -> Money {
    let currency: Currency = "EUR".parse().unwrap();
    Money {
        amount_minor,
        currency,
    }
}

fn event() -> impl Strategy<Value = QuantityEvent> {
    (0_u8..3, -50_i64..500).prop_map(|(sort, hundredths)| {
        let quantity = Micro::from_micro(hundredths * 10_000);
        match sort {
            0 => QuantityEvent::Worked(quantity),
            1 => QuantityEvent::Invoice(quantity),
            _ => QuantityEvent::Credit(quantity),
        }
    })
}

/// Often nothing: lines of 0.00 go out too.
fn amount() -> impl Strategy<Value = i64> {
    prop_oneof![1 => Just(0_i64), 3 => 0_i64..500]
}

prop_compose! {
    fn change()(
        stage in 0_u8..5, document in 0_u8..3, booked in amount(), desired in amount(),
        homes in (0_u8..2, 0_u8..2), supply in 1_i8..3, period in 0_u8..3,
        pair in proptest::option::of(0_u8..3),
    ) -> Change {
        let document = format!("{}-{document}", if stage == 2 { "D" } else { "INV" });
        Change {
            item: "e".to_owned(),
            stage: match stage {
                0 => Stage::Unposted,
                1 => Stage::Unbilled,
                2 => Stage::Draft { document },
                _ => Stage::Issued { document, paid: stage == 4, tax: None },
            },
            booked: eur(booked),
            desired: eur(desired),
            booked_home: format!("H{}", homes.0),
            home: format!("H{}", homes.1),
            booked_supply: date(2026, 3, 1),
            supply: date(2026, 3, supply),
            period: match period {
                0 => BookedPeriod::Open,
                1 => BookedPeriod::Closed { next_open: Some(date(2026, 4, 1)) },
                _ => BookedPeriod::Closed { next_open: None },
            },
            pair: pair.map(|pair| format!("pair {pair}")),
        }
    }
}

fn issued() -> impl Strategy<Value = IssuedCorrection> {
    prop_oneof![
        Just(IssuedCorrection::CreditAndRebill),
        Just(IssuedCorrection::Delta),
    ]
}

/// What an act changes for the client, in the books.
fn moved(change: &Change, act: &Act) -> i64 {
    let minor = |amount: &Option<Money>| amount.map_or(0, |amount| amount.amount_minor);
    match act {
        Act::Nothing | Act::Hold => 0,
        Act::CreditAndRebill { credit, rebill, .. } => minor(credit) + minor(rebill),
        Act::Delta { difference, .. } => difference.amount_minor,
        Act::TakeOffDraft { bill, .. } => minor(bill) - change.booked.amount_minor,
        Act::Reprice | Act::ReverseAndRepost | Act::RefreshDraft { .. } => {
            change.desired.amount_minor - change.booked.amount_minor
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Open and planned are never below zero nor both there, and nothing is cut off: what is worked
    /// is what stands invoiced and what is open, less what is to be credited.
    #[test]
    fn nothing_is_cut_off(events in proptest::collection::vec(event(), 0..40)) {
        let mut now = OpenQuantity::default();
        for event in events {
            if let Ok((next, _)) = now.after(event) {
                now = next;
            }
            let (open, planned) = (now.open().micro(), now.planned_credit().micro());
            let standing = now.invoiced().micro() - now.credited().micro();
            prop_assert!(open >= 0 && planned >= 0 && standing >= 0);
            prop_assert!(open == 0 || planned == 0);
            prop_assert_eq!(now.billable().micro(), standing + open - planned);
            prop_assert!(open <= now.billable().micro());
        }
    }

    /// An invoice of what is open and a credit of what is planned leave nothing to do.
    #[test]
    fn what_is_asked_for_can_be_done(events in proptest::collection::vec(event(), 0..40)) {
        let mut now = OpenQuantity::default();
        for event in events {
            now = now.after(event).map_or(now, |(next, _)| next);
        }
        let (now, _) = now.after(QuantityEvent::Invoice(now.open())).unwrap();
        let (now, _) = now.after(QuantityEvent::Credit(now.planned_credit())).unwrap();
        prop_assert_eq!((now.open(), now.planned_credit()), (Micro::ZERO, Micro::ZERO));
        prop_assert_eq!(now.invoiced().micro() - now.credited().micro(), now.billable().micro());
    }

    /// What is done comes to what should be, the documents to what is done on them, and there are no
    /// more documents than places.
    #[test]
    fn a_plan_comes_to_what_should_be(
        changes in proptest::collection::vec(change(), 0..15), policy in issued(),
    ) {
        let plan = plan(&changes, policy).unwrap();
        let (mut all, mut on_documents) = (0, 0);
        let mut places = BTreeSet::new();
        for (change, correction) in changes.iter().zip(&plan.corrections) {
            let act = &correction.act;
            let wanted = change.desired.amount_minor - change.booked.amount_minor;
            let done = moved(change, act);
            prop_assert!(done == wanted || matches!(act, Act::Hold), "{act:?}");
            all += done;
            match act {
                Act::Nothing | Act::Hold | Act::Reprice | Act::ReverseAndRepost => {}
                Act::RefreshDraft { document } => {
                    on_documents += change.desired.amount_minor;
                    places.insert(Document::Draft(document.clone()));
                }
                Act::TakeOffDraft { document, bill } => {
                    places.insert(Document::Draft(document.clone()));
                    if let Some(bill) = bill {
                        on_documents += bill.amount_minor;
                        places.insert(Document::Next(change.home.clone()));
                    }
                }
                Act::CreditAndRebill { document, credit, rebill, .. } => {
                    prop_assert!(credit.is_some() || rebill.is_some());
                    on_documents += done;
                    if credit.is_some() {
                        places.insert(Document::CreditOf(document.clone()));
                    }
                    if rebill.is_some() {
                        places.insert(Document::Next(change.home.clone()));
                    }
                }
                Act::Delta { difference, .. } => {
                    prop_assert!(change.booked_home == change.home);
                    prop_assert!(change.booked_supply == change.supply);
                    prop_assert!(difference.amount_minor != 0);
                    on_documents += done;
                    places.insert(Document::Next(change.home.clone()));
                }
            }
            let posts = !matches!(act, Act::Nothing | Act::Hold | Act::Reprice);
            prop_assert_eq!(posts, correction.day != CorrectionDay::None);
            prop_assert!(!correction.steps.is_empty());
        }
        let differences: i64 = plan.difference.values().map(|amount| amount.amount_minor).sum();
        prop_assert_eq!(differences, all);
        let totals: i64 = plan.documents.values().map(|(_, total)| total.amount_minor).sum();
        prop_assert_eq!(totals, on_documents);
        let made: BTreeSet<Document> = plan.documents.keys().map(|(one, _)| one.clone()).collect();
        prop_assert_eq!(made.len(), plan.documents.len());
        prop_assert_eq!(made, places);
    }

    /// A pair is corrected on both sides or on neither, and a second plan after the first finds
    /// nothing to do but what was held.
    #[test]
    fn both_sides_or_neither(
        changes in proptest::collection::vec(change(), 0..15), policy in issued(),
    ) {
        let first = plan(&changes, policy).unwrap();
        for (n, one) in changes.iter().enumerate() {
            for (m, other) in changes.iter().enumerate() {
                let held = |at: usize| first.corrections[at].act == Act::Hold;
                let idle = |at: usize| first.corrections[at].act == Act::Nothing;
                if one.pair.is_some() && one.pair == other.pair && held(n) {
                    prop_assert!(held(m) || idle(m));
                }
            }
        }
        let after: Vec<Change> = changes
            .iter()
            .zip(&first.corrections)
            .map(|(change, correction)| match correction.act {
                Act::Hold => change.clone(),
                _ => Change {
                    booked: change.desired,
                    booked_home: change.home.clone(),
                    booked_supply: change.supply,
                    ..change.clone()
                },
            })
            .collect();
        let second = plan(&after, policy).unwrap();
        for correction in &second.corrections {
            prop_assert!(matches!(correction.act, Act::Nothing | Act::Hold));
        }
        prop_assert!(second.documents.is_empty());
    }
}

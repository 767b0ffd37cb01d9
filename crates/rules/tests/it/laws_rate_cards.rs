//! What holds for every rate card.

use counterfoil_rules::card::timeline::timeline;
use counterfoil_rules::card::{Asked, Card, Chosen, RateUse, Refusal};
use counterfoil_rules::explanation::Explanation;
use domain::contract::rates::{RateGap, RateTerms};
use domain::decimal::Micro;
use domain::rate::{NoRate, RateFacts, RateKey, RateQuery, RateRow, RateSource, choose_rate};
use jiff::ToSpan;
use jiff::civil::{Date, date};
use proptest::prelude::*;

pub(crate) fn day(number: i32) -> Date {
    date(2026, 1, 1).checked_add(number.days()).unwrap()
}

fn code(one: &'static str, other: &'static str) -> impl Strategy<Value = Option<String>> {
    prop_oneof![
        4 => Just(None),
        2 => Just(Some(one.to_owned())),
        1 => Just(Some(other.to_owned())),
    ]
}

prop_compose! {
    pub(crate) fn any_key()(
        customer in code("C1", "C2"), contract in code("K1", "K2"), project in code("P1", "P2"),
        practice in code("TAX", "LAW"), worker in code("W1", "W2"), role in code("senior", "junior"),
        service_item in code("CONS", "TRAIN"),
    ) -> RateKey {
        RateKey { customer, contract, project, task: None, practice, worker, role, service_item }
    }
}

prop_compose! {
    fn dated(key: BoxedStrategy<RateKey>, origin: BoxedStrategy<RateSource>)(
        key in key, origin in origin, rate in 0_i64..1_000_000_000,
        from in 0..60, length in proptest::option::of(1..60),
        recorded in proptest::option::of(0..30),
    ) -> RateRow {
        RateRow {
            key, origin,
            rate: Micro::from_micro(rate),
            currency: "EUR".parse().unwrap(),
            from: day(from),
            to: length.map(|length| day(from + length)),
            recorded: recorded.map(day),
        }
    }
}

pub(crate) fn any_row() -> impl Strategy<Value = RateRow> {
    dated(any_key().boxed(), Just(RateSource::Card).boxed())
}

fn row_of_any_source() -> impl Strategy<Value = RateRow> {
    let origin = prop_oneof![Just(RateSource::Card), Just(RateSource::Erp)];
    dated(any_key().boxed(), origin.boxed())
}

fn row_of_one_key() -> impl Strategy<Value = RateRow> {
    dated(
        Just(RateKey::default()).boxed(),
        Just(RateSource::Card).boxed(),
    )
}

pub(crate) const FACTS: RateFacts<'static> = RateFacts {
    customer: "C1",
    contract: "K1",
    project: "P1",
    task: "T1",
    practice: "TAX",
    worker: "W1",
    role: "senior",
    service_item: "CONS",
};

pub(crate) fn asked(on: i32, known_at: Option<i32>) -> Asked<'static> {
    Asked {
        used_for: RateUse::Bill,
        facts: FACTS,
        day: day(on),
        known_at: known_at.map(day),
        currency: None,
    }
}

fn terms(gap: RateGap) -> RateTerms {
    RateTerms {
        gap,
        ..RateTerms::default()
    }
}

pub(crate) fn choose<'a>(
    rows: &'a [RateRow],
    asked: &Asked<'_>,
    terms: RateTerms,
) -> Result<Chosen<'a>, Refusal<'a>> {
    Card::new(rows).choose(asked, &terms, &mut Explanation::default())
}

proptest! {
    #[test]
    fn a_chosen_row_is_known_covers_the_day_and_loses_to_none(
        rows in proptest::collection::vec(row_of_any_source(), 0..12), on in 0..120, known in 0..40,
        fall in any::<bool>(),
    ) {
        let gap = if fall { RateGap::FallThrough } else { RateGap::Refuse };
        let question = asked(on, Some(known));
        if let Ok(chosen) = choose(&rows, &question, terms(gap)) {
            let row = chosen.row;
            prop_assert!(row.key.fits(&FACTS) && row.covers(question.day));
            prop_assert!(row.known(question.known_at) && row.origin == RateSource::Card);
            for other in rows.iter().filter(|other| {
                !std::ptr::eq(*other, row) && other.origin == row.origin && other.key.fits(&FACTS)
                    && other.known(question.known_at)
            }) {
                if other.covers(question.day) {
                    prop_assert!(chosen.beaten.iter().any(|beaten| std::ptr::eq(*beaten, other)));
                    prop_assert!(!other.key.refines(&row.key));
                    prop_assert!(other.key != row.key || other.recorded < row.recorded);
                    prop_assert!(other.key.specificity() <= row.key.specificity());
                } else if gap == RateGap::Refuse {
                    prop_assert!(!other.key.refines(&row.key));
                    prop_assert!(other.key.specificity() <= row.key.specificity());
                }
            }
        }
    }

    #[test]
    fn the_order_of_rows_has_no_meaning(
        rows in proptest::collection::vec(row_of_any_source(), 0..10), on in 0..120,
        known in proptest::option::of(0..40),
    ) {
        let backwards: Vec<RateRow> = rows.iter().rev().cloned().collect();
        let (one, two) = (
            choose(&rows, &asked(on, known), RateTerms::default()),
            choose(&backwards, &asked(on, known), RateTerms::default()),
        );
        match (one, two) {
            (Ok(one), Ok(two)) => prop_assert_eq!(one.row, two.row),
            (Err(one), Err(two)) => {
                prop_assert_eq!(std::mem::discriminant(&one), std::mem::discriminant(&two));
            }
            (one, two) => prop_assert!(false, "{:?} and {:?}", one, two),
        }
    }

    #[test]
    fn what_is_not_known_yet_changes_nothing(
        rows in proptest::collection::vec(any_row(), 0..10), more in any_row(), on in 0..120,
        known in 0..30, later in 1..30,
    ) {
        let mut all = rows.clone();
        all.push(RateRow { recorded: Some(day(known + later)), ..more });
        let question = asked(on, Some(known));
        let (before, after) = (
            choose(&rows, &question, RateTerms::default()),
            choose(&all, &question, RateTerms::default()),
        );
        prop_assert_eq!(before, after);
    }

    #[test]
    fn a_later_row_of_a_key_changes_only_the_days_it_covers(
        rows in proptest::collection::vec(row_of_one_key(), 1..8), more in row_of_one_key(),
        on in 0..120,
    ) {
        let mut all = rows.clone();
        all.push(RateRow { recorded: Some(day(500)), ..more });
        let added = all.last().unwrap().clone();
        let question = asked(on, None);
        let after = choose(&all, &question, RateTerms::default());
        if added.covers(question.day) {
            prop_assert_eq!(after.unwrap().row, &added);
        } else {
            prop_assert_eq!(choose(&rows, &question, RateTerms::default()), after);
        }
    }

    #[test]
    fn a_timeline_says_what_is_chosen_on_each_day(
        rows in proptest::collection::vec(row_of_one_key(), 1..8), known in proptest::option::of(0..40),
    ) {
        let all: Vec<&RateRow> = rows.iter().collect();
        let line = timeline(&all, known.map(day));
        for pair in line.spans.windows(2) {
            prop_assert!(pair[0].to.is_some_and(|to| to <= pair[1].from));
        }
        for on in 0..130 {
            let here = line.spans.iter().find(|span| {
                span.from <= day(on) && span.to.is_none_or(|to| day(on) < to)
            });
            match choose(&rows, &asked(on, known), RateTerms::default()) {
                Ok(chosen) => prop_assert!(std::ptr::eq(chosen.row, all[here.unwrap().row])),
                Err(Refusal::Tie { rows, .. }) => {
                    prop_assert!(rows.iter().any(|row| std::ptr::eq(*row, all[here.unwrap().row])));
                }
                Err(_) => prop_assert!(here.is_none()),
            }
        }
    }

    #[test]
    fn falling_through_changes_gaps_and_nothing_else(
        rows in proptest::collection::vec(any_row(), 0..10), on in 0..120,
    ) {
        let question = asked(on, None);
        let strict = choose(&rows, &question, terms(RateGap::Refuse));
        let falling = choose(&rows, &question, terms(RateGap::FallThrough));
        if matches!(strict, Err(Refusal::Gap { .. })) {
            prop_assert!(!matches!(falling, Err(Refusal::NoRow)));
        } else {
            prop_assert_eq!(strict, falling);
        }
    }

    #[test]
    fn the_plain_look_up_says_the_same(
        rows in proptest::collection::vec(any_row(), 0..10), on in 0..120,
    ) {
        // A plain look-up knows no practice.
        let mut question = asked(on, None);
        question.facts.practice = "";
        let query = RateQuery {
            customer: "C1", contract: "K1", project: "P1", task: "T1", worker: "W1",
            role: "senior", service_item: "CONS", day: question.day,
        };
        match (choose(&rows, &question, RateTerms::default()), choose_rate(&rows, &query)) {
            (Ok(chosen), Ok(row)) => prop_assert!(std::ptr::eq(chosen.row, row)),
            (Err(Refusal::NoRow), Err(NoRate::NoRow))
            | (Err(Refusal::Gap { .. }), Err(NoRate::Gap { .. }))
            | (Err(Refusal::Tie { .. }), Err(NoRate::Tie { .. })) => {}
            (one, two) => prop_assert!(false, "{:?} and {:?}", one, two),
        }
    }
}

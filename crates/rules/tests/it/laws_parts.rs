//! What holds for every set of parts: what is booked follows what is desired, and nothing else moves.

use crate::world;
use counterfoil_rules::charge::{ChargeContent, Disposition};
use counterfoil_rules::diff::{PartChange, PartTwice, by_part, diff_parts};
use counterfoil_rules::part::Part;
use domain::decimal::Micro;
use domain::money::Money;
use domain::rounding::Rounding;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

/// A row of the books, as the ledger keeps it.
#[derive(Debug, Clone)]
struct Row {
    number: usize,
    reverses: Option<usize>,
    sign: i64,
    content: ChargeContent,
}

/// Books that only grow.
#[derive(Debug, Clone, Default)]
struct Book(Vec<Row>);

impl Book {
    fn active(&self) -> Vec<&Row> {
        let taken_back = |row: &Row| self.0.iter().any(|r| r.reverses == Some(row.number));
        let active = |row: &&Row| row.reverses.is_none() && !taken_back(row);
        self.0.iter().filter(active).collect()
    }

    fn contents(&self) -> Vec<ChargeContent> {
        let rows = self.active();
        rows.into_iter().map(|row| row.content.clone()).collect()
    }

    fn apply(&mut self, changes: &[PartChange<'_>]) {
        for change in changes {
            let number = self.0.len();
            let (reverses, sign, content) = match change {
                PartChange::Reverse(part) => {
                    let active = self.active();
                    let row = active.iter().find(|row| row.content.part == *part).unwrap();
                    (Some(row.number), -1, row.content.clone())
                }
                PartChange::Book(content) => {
                    let active = self.active();
                    let taken = active.iter().any(|row| row.content.part == content.part);
                    assert!(!taken, "{} is booked twice", content.part);
                    (None, 1, (*content).clone())
                }
            };
            self.0.push(Row {
                number,
                reverses,
                sign,
                content,
            });
        }
    }

    /// What all rows come to, by part: amount, value, quantity and recorded time.
    fn sums(&self) -> BTreeMap<Part, [i64; 4]> {
        let mut sums: BTreeMap<Part, [i64; 4]> = BTreeMap::new();
        for row in &self.0 {
            let sum = sums.entry(row.content.part).or_default();
            for (sum, number) in sum.iter_mut().zip(numbers(&row.content)) {
                *sum += row.sign * number;
            }
        }
        sums
    }
}

fn numbers(content: &ChargeContent) -> [i64; 4] {
    [
        content.amount.amount_minor,
        content.value.amount_minor,
        content.quantity.micro(),
        content.recorded_seconds,
    ]
}

fn content(part: Part, minutes: i64, rate: i64) -> ChargeContent {
    let whole = world::price(&world::reference(), &world::fields()).unwrap();
    let quantity = Micro::from_micro(minutes * 1_000_000 / 60);
    let rate = Micro::from_micro(rate * 1_000_000);
    let value = Money::times(quantity, rate, whole.content.currency(), Rounding::HalfUp).unwrap();
    let disposition = part.disposition();
    let amount = match disposition {
        Disposition::Bill => value,
        _ => Money::zero(value.currency),
    };
    let content = ChargeContent {
        part,
        disposition,
        quantity,
        rate,
        amount,
        value,
        recorded_seconds: minutes * 60,
        ..whole.content
    };
    assert_eq!(content.fault(), None);
    content
}

prop_compose! {
    /// Some parts, each once, in any order.
    fn contents()(
        chosen in proptest::sample::subsequence(Part::all().collect::<Vec<_>>(), 0..=6)
            .prop_shuffle(),
        minutes in proptest::collection::vec(1_i64..4, 6),
        rate in 100_i64..103,
    ) -> Vec<ChargeContent> {
        chosen.into_iter().zip(minutes).map(|(part, minutes)| content(part, minutes, rate)).collect()
    }
}

fn step(book: &mut Book, desired: &[ChargeContent], other: &BTreeSet<Part>) -> usize {
    let booked = book.contents();
    let changes = diff_parts(
        &by_part(&booked).unwrap(),
        &by_part(desired).unwrap(),
        other,
    );
    book.apply(&changes);
    changes.len()
}

fn sorted(contents: &[ChargeContent]) -> Vec<&ChargeContent> {
    by_part(contents).unwrap().into_values().collect()
}

proptest! {
    #[test]
    fn an_applied_difference_gives_what_is_desired(
        steps in proptest::collection::vec(contents(), 1..5),
    ) {
        let mut book = Book::default();
        for desired in &steps {
            step(&mut book, desired, &BTreeSet::new());
            let booked = book.contents();
            prop_assert_eq!(sorted(&booked), sorted(desired));
            prop_assert_eq!(step(&mut book, desired, &BTreeSet::new()), 0, "once is enough");
            // What was reversed comes to nothing, whatever happened on the way.
            for (part, sum) in book.sums() {
                let now = desired.iter().find(|content| content.part == part);
                prop_assert_eq!(sum, now.map_or([0; 4], numbers));
            }
        }
    }

    #[test]
    fn there_and_back_is_where_it_was(one in contents(), two in contents()) {
        let mut book = Book::default();
        step(&mut book, &one, &BTreeSet::new());
        let before = book.sums();
        let there = step(&mut book, &two, &BTreeSet::new());
        let back = step(&mut book, &one, &BTreeSet::new());
        prop_assert_eq!(there, back, "each change has its way back");
        let booked = book.contents();
        prop_assert_eq!(sorted(&booked), sorted(&one));
        for (part, sum) in book.sums() {
            prop_assert_eq!(sum, before.get(&part).copied().unwrap_or_default());
        }
    }

    #[test]
    fn reversals_come_first_and_each_run_is_by_part(
        one in contents(), mut two in contents(), turn in 0_usize..6,
    ) {
        let booked = by_part(&one).unwrap();
        let changes = diff_parts(&booked, &by_part(&two).unwrap(), &BTreeSet::new());
        let is_booking = |change: &PartChange<'_>| matches!(change, PartChange::Book(_));
        prop_assert!(changes.is_sorted_by_key(|change| (is_booking(change), change.part())));
        // The order in which the parts are given says nothing.
        let turn = turn.min(two.len());
        let written: Vec<String> = changes.iter().map(|change| format!("{change:?}")).collect();
        two.rotate_left(turn);
        let again = diff_parts(&booked, &by_part(&two).unwrap(), &BTreeSet::new());
        let again: Vec<String> = again.iter().map(|change| format!("{change:?}")).collect();
        prop_assert_eq!(again, written);
    }

    #[test]
    fn a_part_that_does_not_change_is_not_touched(one in contents(), two in contents()) {
        let (was, now) = (by_part(&one).unwrap(), by_part(&two).unwrap());
        let touched: BTreeSet<Part> = diff_parts(&was, &now, &BTreeSet::new())
            .iter()
            .map(PartChange::part)
            .collect();
        for part in Part::all() {
            prop_assert_eq!(!touched.contains(&part), was.get(&part) == now.get(&part), "{}", part);
        }
    }

    #[test]
    fn what_is_about_something_else_is_booked_anew_where_it_is_booked(
        one in contents(), other in proptest::sample::subsequence(Part::all().collect::<Vec<_>>(), 0..=18),
    ) {
        let other: BTreeSet<Part> = other.into_iter().collect();
        let mut book = Book::default();
        step(&mut book, &one, &other);
        let anew = one.iter().filter(|content| other.contains(&content.part)).count();
        prop_assert_eq!(step(&mut book, &one, &other), 2 * anew);
        let booked = book.contents();
        prop_assert_eq!(sorted(&booked), sorted(&one));
    }
}

#[test]
fn a_part_given_twice_is_refused() {
    let (one, two) = (content(Part::WHOLE, 1, 100), content(Part::WHOLE, 2, 100));
    assert_eq!(by_part([&one, &two]), Err(PartTwice(Part::WHOLE)));
}

#[test]
fn a_content_that_does_not_hold_together_has_a_fault() {
    let good = content(Part::WHOLE, 60, 100);
    assert_eq!(good.fault(), None);
    let faults: [fn(&mut ChargeContent); 5] = [
        |c| c.disposition = Disposition::Held,
        |c| c.amount.amount_minor += 1,
        |c| c.value.currency = "USD".parse().unwrap(),
        |c| c.recorded_seconds = -1,
        // Cost with an amount.
        |c| c.disposition = Disposition::Cost,
    ];
    for fault in faults {
        let mut bad = good.clone();
        fault(&mut bad);
        assert!(bad.fault().is_some(), "{bad:?}");
    }
}

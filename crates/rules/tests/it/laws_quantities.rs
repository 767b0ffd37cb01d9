//! Laws of quantities, for every input.

use counterfoil_rules::quantity::QuantityError;
use counterfoil_rules::quantity::WorkTime;
use counterfoil_rules::quantity::days::day_shares;
use counterfoil_rules::quantity::increment::{billable_parts, billable_shares};
use counterfoil_rules::quantity::months::months_covered;
use counterfoil_rules::quantity::printed::{PrintedBefore, ToPrint, print_group};
use domain::contract::quantity::{IncrementScope, MonthBasis, QuantityTerms, Residual};
use domain::decimal::Micro;
use domain::quantity::Unit;
use domain::rounding::{Increment, Rounding};
use jiff::ToSpan;
use jiff::civil::date;
use proptest::prelude::*;
use std::collections::BTreeMap;

fn rounding() -> impl Strategy<Value = Rounding> {
    prop_oneof![
        Just(Rounding::HalfUp),
        Just(Rounding::HalfEven),
        Just(Rounding::Up),
        Just(Rounding::Down),
    ]
}

fn scope() -> impl Strategy<Value = IncrementScope> {
    prop_oneof![
        Just(IncrementScope::Entry),
        Just(IncrementScope::WorkerDayTask),
        Just(IncrementScope::WorkerDayCustomer),
        Just(IncrementScope::Line),
    ]
}

prop_compose! {
    fn terms()(
        step in 1_u32..=30, times in 0_u32..=3, direction in rounding(), mode in rounding(),
        scope in scope(), decimals in 0_u32..=4,
    ) -> QuantityTerms {
        QuantityTerms {
            increment: Some(Increment {
                step_minutes: step, minimum_minutes: step * times, rounding: direction,
            }),
            increment_scope: scope,
            decimals,
            rounding: mode,
            ..QuantityTerms::default()
        }
    }
}

/// Worker, day, task, start and seconds of an entry.
type Facts = (u8, i8, u8, Option<i64>, i64);

fn entries() -> impl Strategy<Value = Vec<Facts>> {
    let facts = (
        0_u8..2,
        1_i8..=2,
        0_u8..2,
        prop::option::of(0_i64..50),
        0_i64..20_000,
    );
    prop::collection::vec(facts, 1..12)
}

const NAMES: [&str; 2] = ["one", "two"];
const IDS: [&str; 12] = ["1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "x"];

fn works(entries: &[Facts]) -> Vec<WorkTime<'static>> {
    entries
        .iter()
        .zip(IDS)
        .map(|(&(worker, day, task, started_us, seconds), id)| WorkTime {
            source_ref: id,
            worker: NAMES[usize::from(worker)],
            customer: "C1",
            project: "P1",
            task: NAMES[usize::from(task)],
            line: NAMES[usize::from(task)],
            work_date: date(2026, 3, day),
            started_us,
            approved_us: None,
            seconds,
        })
        .collect()
}

fn scope_of(scope: IncrementScope, work: &WorkTime<'_>) -> String {
    let (worker, day, task) = (work.worker, work.work_date, work.task);
    match scope {
        IncrementScope::Entry => work.source_ref.to_owned(),
        IncrementScope::WorkerDayTask => format!("{worker} {day} {task}"),
        IncrementScope::WorkerDayCustomer => format!("{worker} {day}"),
        IncrementScope::Line => work.line.to_owned(),
    }
}

/// The books after some changes: what is printed of each entry.
struct Books {
    terms: QuantityTerms,
    seconds: BTreeMap<usize, i64>,
    printed: BTreeMap<usize, (i64, Micro)>,
    waiting: Micro,
}

impl Books {
    fn new(terms: &QuantityTerms) -> Self {
        Self {
            terms: terms.clone(),
            seconds: BTreeMap::new(),
            printed: BTreeMap::new(),
            waiting: Micro::ZERO,
        }
    }

    /// Change an entry, and tell which entries are printed differently.
    fn change(&mut self, entry: usize, seconds: i64) -> Vec<usize> {
        self.seconds.insert(entry, seconds);
        let rate = Micro::from_micro(100_000_000);
        let booked: Vec<PrintedBefore<'_>> = self
            .printed
            .iter()
            .map(|(entry, (seconds, quantity))| PrintedBefore {
                source_ref: IDS[*entry],
                part: 0,
                rate,
                seconds: *seconds,
                quantity: *quantity,
                issued: false,
            })
            .collect();
        let wanted: Vec<ToPrint<'_>> = self
            .seconds
            .iter()
            .map(|(entry, seconds)| ToPrint {
                work: WorkTime {
                    source_ref: IDS[*entry],
                    seconds: *seconds,
                    ..works(&[(0, 1, 0, None, 0)])[0]
                },
                part: 0,
                rate,
            })
            .collect();
        let group = print_group(&self.terms, &booked, &wanted).unwrap();
        let again = print_group(&self.terms, &booked, &wanted).unwrap();
        assert_eq!(group, again, "the same inputs print the same");
        self.waiting = group.waiting.get(&rate).copied().unwrap_or_default();
        let mut differ = Vec::new();
        for printed in group.entries {
            let place = IDS.iter().position(|id| *id == printed.source_ref).unwrap();
            let before = self.printed.get(&place).map(|(_, quantity)| *quantity);
            if before.unwrap_or_default() != printed.quantity {
                differ.push(place);
            }
            let stands = (self.seconds[&place], printed.quantity);
            self.printed.insert(place, stands);
        }
        differ
    }

    fn step_micro(&self) -> i64 {
        10_i64.pow(6 - self.terms.decimals)
    }

    fn sum(&self) -> i64 {
        self.printed
            .values()
            .map(|(_, quantity)| quantity.micro())
            .sum()
    }

    fn rounded_sum(&self) -> i64 {
        let seconds: i64 = self.seconds.values().sum();
        let numerator = i128::from(seconds) * 10_i128.pow(self.terms.decimals);
        let steps = self.terms.rounding.whole(numerator, 3600).unwrap();
        i64::try_from(steps).unwrap() * self.step_micro()
    }

    /// Whether an entry is within so many steps of its exact quantity, and not below zero.
    fn within(&self, entry: usize, steps: i64) -> bool {
        let (seconds, quantity) = self.printed[&entry];
        let off = i128::from(quantity.micro()) * 3600 - i128::from(seconds) * 1_000_000;
        quantity >= Micro::ZERO && off.abs() <= i128::from(steps * self.step_micro()) * 3600
    }
}

proptest! {
    #[test]
    fn shares_add_up_to_the_rounded_scope(terms in terms(), entries in entries()) {
        let works = works(&entries);
        let shares = billable_shares(&terms, &works).unwrap();
        let mut scopes: BTreeMap<String, (i64, i64)> = BTreeMap::new();
        for (work, share) in works.iter().zip(&shares) {
            prop_assert!(share.seconds() >= 0);
            let sums = scopes.entry(scope_of(terms.increment_scope, work)).or_default();
            sums.0 += work.seconds;
            sums.1 += share.seconds();
        }
        for (recorded, billable) in scopes.values() {
            prop_assert_eq!(terms.increment.unwrap().apply(*recorded).unwrap(), *billable);
        }
    }

    #[test]
    fn the_order_in_which_entries_are_given_does_not_matter(
        terms in terms(), entries in entries(), turn in 0_usize..12,
    ) {
        let works = works(&entries);
        let mut turned = works.clone();
        turned.rotate_left(turn % works.len());
        turned.reverse();
        let by_id = |works: &[WorkTime<'_>]| -> BTreeMap<String, i64> {
            let shares = billable_shares(&terms, works).unwrap();
            shares.into_iter().map(|s| (s.source_ref.clone(), s.seconds())).collect()
        };
        prop_assert_eq!(by_id(&works), by_id(&turned));
    }

    #[test]
    fn parts_add_up_to_the_share(terms in terms(), entries in entries(), cut in 0_i64..=100) {
        let works = works(&entries);
        let parts: Vec<Vec<i64>> = works
            .iter()
            .map(|work| vec![work.seconds * cut / 100, work.seconds - work.seconds * cut / 100])
            .collect();
        let whole = billable_shares(&terms, &works).unwrap();
        for (part, share) in billable_parts(&terms, &works, &parts).unwrap().iter().zip(&whole) {
            prop_assert_eq!(part.seconds(), share.seconds());
            prop_assert!(part.parts_seconds.iter().all(|seconds| *seconds >= 0));
        }
    }

    #[test]
    fn a_correction_and_its_undoing_cancel_out(
        terms in terms(), entries in entries(), place in 0_usize..12, seconds in 0_i64..20_000,
    ) {
        let before = works(&entries);
        let mut after = before.clone();
        let place = place % after.len();
        after[place].seconds = seconds;
        let (old, new) = (
            billable_shares(&terms, &before).unwrap(), billable_shares(&terms, &after).unwrap(),
        );
        let scope = scope_of(terms.increment_scope, &before[place]);
        let mut net = 0;
        for ((work, old), new) in before.iter().zip(&old).zip(&new) {
            let delta = new.seconds() - old.seconds();
            prop_assert!(delta == 0 || scope_of(terms.increment_scope, work) == scope);
            net += delta;
        }
        let sum = |works: &[WorkTime<'_>]| -> i64 {
            works.iter().filter(|w| scope_of(terms.increment_scope, w) == scope)
                .map(|w| w.seconds).sum()
        };
        let rule = terms.increment.unwrap();
        let rounded = rule.apply(sum(&after)).unwrap() - rule.apply(sum(&before)).unwrap();
        prop_assert_eq!(net, rounded);
    }

    #[test]
    fn printed_quantities_add_up_after_every_event(
        terms in terms(), events in prop::collection::vec((0_usize..8, 0_i64..6_000), 1..30),
    ) {
        let mut books = Books::new(&terms);
        for (entry, seconds) in events {
            books.change(entry, seconds);
            prop_assert_eq!(books.sum() + books.waiting.micro(), books.rounded_sum());
            for entry in books.printed.keys() {
                prop_assert!(books.within(*entry, 2), "{entry} drifted: {:?}", books.printed);
            }
        }
    }

    #[test]
    fn an_arrival_touches_nothing_else(
        terms in terms(), seconds in prop::collection::vec(0_i64..6_000, 1..12),
        order in 0_usize..12,
    ) {
        let mut books = Books::new(&terms);
        let count = seconds.len();
        for place in 0..count {
            // From anywhere, so that late ones are among them.
            let entry = (place + order) % count;
            let differ = books.change(entry, seconds[entry]);
            prop_assert!(differ.iter().all(|other| *other == entry));
            prop_assert_eq!(books.waiting, Micro::ZERO);
            prop_assert!(books.within(entry, 1));
        }
    }

    #[test]
    fn an_edit_touches_nothing_else(
        terms in terms(), seconds in prop::collection::vec(1_i64..6_000, 1..12),
        place in 0_usize..12, edits in prop::collection::vec(1_i64..6_000, 1..6),
    ) {
        let mut books = Books::new(&terms);
        for (entry, seconds) in seconds.iter().enumerate() {
            books.change(entry, *seconds);
        }
        let place = place % seconds.len();
        for edit in edits {
            // An entry of less than two steps may have to leave something: it is never below zero.
            let small = edit * 1_000_000 < 2 * 3600 * books.step_micro();
            let differ = books.change(place, edit);
            prop_assert!(small || differ.iter().all(|other| *other == place), "{differ:?}");
            prop_assert_eq!(books.sum(), books.rounded_sum());
            if small {
                break;
            }
        }
    }

    #[test]
    fn what_goes_leaves_nothing_behind(
        terms in terms(), seconds in prop::collection::vec(1_i64..6_000, 1..10),
    ) {
        let mut books = Books::new(&terms);
        for (entry, seconds) in seconds.iter().enumerate() {
            books.change(entry, *seconds);
        }
        for entry in 0..seconds.len() {
            books.change(entry, 0);
            prop_assert_eq!(books.printed[&entry].1, Micro::ZERO);
            prop_assert_eq!(books.sum() + books.waiting.micro(), books.rounded_sum());
        }
        prop_assert_eq!(books.sum(), 0);
    }

    #[test]
    fn a_day_is_never_more_than_its_cap(
        mode in rounding(), entries in entries(), step in 0_usize..3, caps in 1_i64..4,
    ) {
        let step = [250_000, 500_000, 1_000_000][step];
        let terms = QuantityTerms {
            unit: Unit::WorkingDay,
            rounding: mode,
            day_step: Micro::from_micro(step),
            day_cap: Micro::from_micro(step * caps),
            ..QuantityTerms::default()
        };
        let works = works(&entries);
        let mut days: BTreeMap<_, (i64, i64)> = BTreeMap::new();
        for (work, share) in works.iter().zip(day_shares(&terms, &works).unwrap()) {
            prop_assert!(share.days >= Micro::ZERO);
            let sums = days.entry((work.worker, work.work_date)).or_default();
            sums.0 += work.seconds;
            sums.1 += share.days.micro();
        }
        for (seconds, micro) in days.values() {
            let steps = mode.whole(i128::from(*seconds) * 1_000_000, 28_800 * i128::from(step));
            let steps = i64::try_from(steps.unwrap()).unwrap().min(caps);
            prop_assert_eq!(steps * step, *micro);
        }
    }

    #[test]
    fn an_engagement_cut_in_two_is_the_same_number_of_days(
        first in 0_i32..200, length in 0_i32..300, calendar in any::<bool>(),
    ) {
        let basis = if calendar { MonthBasis::CalendarDays } else { MonthBasis::WorkingDays };
        let terms = QuantityTerms { month_basis: basis, decimals: 6, ..QuantityTerms::default() };
        let from = date(2026, 1, 1).checked_add(first.days()).unwrap();
        let last = from.checked_add(length.days()).unwrap();
        let parts = months_covered(&terms, from, last).unwrap();
        let months = i64::try_from(parts.len()).unwrap();
        let sum: i64 = parts.iter().map(|part| part.months.micro()).sum();
        prop_assert!(sum >= (months - 2).max(0) * 1_000_000 && sum <= months * 1_000_000);
        for part in &parts {
            prop_assert!(part.months >= Micro::ZERO);
            prop_assert!(part.months <= Micro::from_micro(1_000_000));
        }
    }
}

/// What is refused says which entry it is.
#[test]
fn what_cannot_be_counted_is_refused() {
    let terms = QuantityTerms::default();
    let good = works(&[(0, 1, 0, None, 600)])[0];
    let negative = WorkTime {
        seconds: -60,
        ..good
    };
    let refused = billable_shares(&terms, &[negative]).unwrap_err();
    assert!(
        matches!(refused, QuantityError::Negative { .. }),
        "{refused}"
    );
    let twice = billable_shares(&terms, &[good, good]).unwrap_err();
    assert_eq!(twice, QuantityError::Twice("1".into()));
    let parts = billable_parts(&terms, &[good], &[vec![300]]).unwrap_err();
    assert!(
        matches!(parts, QuantityError::PartsDiffer { .. }),
        "{parts}"
    );
    let item = ToPrint {
        work: good,
        part: 0,
        rate: Micro::ZERO,
    };
    let twice = print_group(&terms, &[], &[item, item]).unwrap_err();
    assert_eq!(twice, QuantityError::Twice("1".into()));
    let days = QuantityTerms {
        unit: Unit::Day,
        ..QuantityTerms::default()
    };
    let unit = print_group(&days, &[], &[item]).unwrap_err();
    assert_eq!(unit, QuantityError::OtherUnit("day"));
    let huge = WorkTime {
        seconds: i64::MAX,
        ..good
    };
    assert_eq!(
        billable_shares(&terms, &[huge]).unwrap_err(),
        QuantityError::TooLarge
    );
}

/// Fewer digits print everything anew: what was printed off the new step does not stay.
#[test]
fn a_change_of_digits_prints_everything_anew() {
    let mut books = Books::new(&QuantityTerms::default());
    for entry in 0..3 {
        books.change(entry, 1200);
    }
    assert_eq!(books.printed[&0].1.to_string(), "0.33");
    books.terms.decimals = 1;
    books.change(3, 1200);
    assert!(
        books
            .printed
            .values()
            .all(|(_, q)| q.micro() % 100_000 == 0)
    );
    assert_eq!(books.sum(), books.rounded_sum());
    books.terms.residual = Residual::None;
    books.change(3, 1200);
    assert!(books.printed.values().all(|(_, q)| q.micro() == 300_000));
}

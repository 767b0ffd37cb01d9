//! Laws of overtime, for every week.

use counterfoil_rules::overtime::OvertimeError;
use counterfoil_rules::overtime::bill::derived_rate;
use counterfoil_rules::overtime::pay::{PaidWork, week_pay};
use counterfoil_rules::overtime::tiers::{WeekTiers, tier_week};
use counterfoil_rules::quantity::WorkTime;
use domain::calendar::Weekday;
use domain::decimal::Micro;
use domain::overtime::{OvertimeBearing, OvertimeRule, OvertimeTerms};
use jiff::ToSpan;
use jiff::civil::{Date, date};
use proptest::prelude::*;
use std::collections::BTreeMap;

/// Client, day of the week, start and seconds.
type Facts = (usize, i32, Option<i64>, i64);

const CLIENTS: [&str; 3] = ["A", "B", "C"];
const IDS: [&str; 14] = [
    "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12", "13", "14",
];
const MONDAY: Date = date(2026, 3, 30);

fn entries() -> impl Strategy<Value = Vec<Facts>> {
    let facts = (
        0_usize..3,
        0_i32..7,
        prop::option::of(0_i64..100),
        0_i64..40_000,
    );
    prop::collection::vec(facts, 1..14)
}

fn rules() -> impl Strategy<Value = OvertimeRule> {
    prop_oneof![
        (1_u32..=720).prop_map(|daily_minutes| OvertimeRule::Daily { daily_minutes }),
        (1_u32..=3000).prop_map(|weekly_minutes| OvertimeRule::Weekly { weekly_minutes }),
        (1_u32..=720, 1_u32..=3000).prop_map(|(daily_minutes, weekly_minutes)| {
            OvertimeRule::DailyAndWeekly {
                daily_minutes,
                weekly_minutes,
            }
        }),
        Just(OvertimeRule::California {}),
        Just(OvertimeRule::FlsaWeekly {}),
    ]
}

fn bearings() -> impl Strategy<Value = OvertimeBearing> {
    prop_oneof![
        Just(OvertimeBearing::LastHours),
        Just(OvertimeBearing::ProRata)
    ]
}

fn terms(rule: &OvertimeRule) -> OvertimeTerms {
    OvertimeTerms {
        rule: rule.clone(),
        week_start: Weekday::Monday,
        zone: "America/Los_Angeles".into(),
        premium_multiple: "1.5".parse().unwrap(),
        double_multiple: "2".parse().unwrap(),
    }
}

fn works(entries: &[Facts], monday: Date) -> Vec<WorkTime<'static>> {
    entries
        .iter()
        .zip(IDS)
        .map(|(&(client, day, started_us, seconds), id)| WorkTime {
            source_ref: id,
            worker: "W1",
            customer: CLIENTS[client],
            project: "P1",
            task: "T1",
            line: "L1",
            work_date: monday.checked_add(day.days()).unwrap(),
            started_us,
            approved_us: None,
            seconds,
        })
        .collect()
}

fn tier(rule: &OvertimeRule, bearing: OvertimeBearing, works: &[WorkTime<'_>]) -> WeekTiers {
    let first = Weekday::Monday.week_of(works[0].work_date);
    tier_week(&terms(rule), bearing, &[], first, works).unwrap()
}

fn by_id(week: &WeekTiers) -> BTreeMap<&str, [i64; 3]> {
    let tiers = week.entries.iter();
    tiers.map(|e| (e.source_ref.as_str(), e.parts())).collect()
}

fn sum(week: &WeekTiers, tier: usize) -> i64 {
    week.entries.iter().map(|e| e.parts()[tier]).sum()
}

proptest! {
    #[test]
    fn the_parts_of_an_entry_add_up(
        rule in rules(), bearing in bearings(), entries in entries(),
    ) {
        let works = works(&entries, MONDAY);
        let week = tier(&rule, bearing, &works);
        for (work, tiers) in works.iter().zip(&week.entries) {
            prop_assert_eq!(tiers.source_ref.as_str(), work.source_ref);
            prop_assert_eq!(tiers.parts().iter().sum::<i64>(), work.seconds);
            prop_assert!(tiers.parts().iter().all(|part| *part >= 0));
        }
    }

    #[test]
    fn no_hour_is_counted_twice(rule in rules(), bearing in bearings(), entries in entries()) {
        let week = tier(&rule, bearing, &works(&entries, MONDAY));
        let beyond = sum(&week, 1) + sum(&week, 2);
        let causes = week.over_day_seconds + week.over_week_seconds + week.seventh_day_seconds;
        prop_assert_eq!(beyond, causes);
    }

    #[test]
    fn who_bears_it_does_not_change_how_much_it_is(rule in rules(), entries in entries()) {
        let works = works(&entries, MONDAY);
        let last = tier(&rule, OvertimeBearing::LastHours, &works);
        let shared = tier(&rule, OvertimeBearing::ProRata, &works);
        for tier in 0..3 {
            prop_assert_eq!(sum(&last, tier), sum(&shared, tier));
        }
    }

    #[test]
    fn nothing_is_overtime_below_the_limits(rule in rules(), entries in entries()) {
        let works = works(&entries, MONDAY);
        let limits = rule.limits();
        let mut days: BTreeMap<Date, i64> = BTreeMap::new();
        for work in &works {
            *days.entry(work.work_date).or_default() += work.seconds;
        }
        let within = |limit: Option<i64>, seconds: i64| limit.is_none_or(|l| seconds <= l);
        let seven = days.values().filter(|seconds| **seconds > 0).count() == 7;
        let below = days.values().all(|seconds| within(limits.daily_seconds, *seconds))
            && within(limits.weekly_seconds, days.values().sum())
            && !(seven && limits.seventh_day_seconds.is_some());
        let week = tier(&rule, OvertimeBearing::LastHours, &works);
        prop_assert_eq!(sum(&week, 1) + sum(&week, 2) == 0, below);
    }

    #[test]
    fn the_order_of_the_set_does_not_matter(
        rule in rules(), bearing in bearings(), entries in entries(), turn in 0_usize..14,
    ) {
        let works = works(&entries, MONDAY);
        let mut turned = works.clone();
        turned.rotate_left(turn % works.len());
        turned.reverse();
        let (one, two) = (tier(&rule, bearing, &works), tier(&rule, bearing, &turned));
        prop_assert_eq!(by_id(&one), by_id(&two));
    }

    #[test]
    fn a_week_over_the_month_end_keeps_its_tiers(
        rule in rules(), bearing in bearings(), entries in entries(), weeks in 1_i32..10,
    ) {
        let other = MONDAY.checked_add(weeks.weeks()).unwrap();
        let over_the_end = tier(&rule, bearing, &works(&entries, MONDAY));
        let elsewhere = tier(&rule, bearing, &works(&entries, other));
        prop_assert_eq!(by_id(&over_the_end), by_id(&elsewhere));
    }

    #[test]
    fn pro_rata_is_within_a_hundredth_per_client(entries in entries()) {
        let works = works(&entries, MONDAY);
        let rule = OvertimeRule::FlsaWeekly {};
        let week = tier(&rule, OvertimeBearing::ProRata, &works);
        let total: i64 = works.iter().map(|work| work.seconds).sum();
        for client in CLIENTS {
            let own = |values: Vec<i64>| -> i64 {
                works.iter().zip(values).filter(|(w, _)| w.customer == client).map(|(_, v)| v).sum()
            };
            let hours = own(works.iter().map(|work| work.seconds).collect());
            let borne = own(week.entries.iter().map(|e| e.premium_seconds).collect());
            let exact = i128::from(sum(&week, 1)) * i128::from(hours);
            let off = (i128::from(borne) * i128::from(total) - exact).abs();
            prop_assert!(off <= 36 * i128::from(total), "{client}: {borne} of {hours}");
        }
    }

    #[test]
    fn a_derived_rate_multiplies_out(rate in 0_i64..1_000_000_000, decimals in 0_u32..=6) {
        let multiple: Micro = "1.5".parse().unwrap();
        let derived = derived_rate(Micro::from_micro(rate), multiple, decimals).unwrap();
        let step = 10_i64.pow(6 - decimals);
        prop_assert_eq!(derived.micro() % step, 0);
        // Twice the exact one is three times the rate.
        prop_assert!((derived.micro() * 2 - rate * 3).abs() <= step);
    }

    #[test]
    fn one_rate_needs_no_mean(seconds in 1_i64..600_000, rate in 0_i64..500, part in 0_i64..=100) {
        let premium = seconds * part / 100;
        let rate = Micro::from_micro(rate * 1_000_000);
        let halves: Vec<PaidWork> = [seconds / 2, seconds - seconds / 2]
            .into_iter().map(|seconds| PaidWork { seconds, rate }).collect();
        let terms = terms(&OvertimeRule::FlsaWeekly {});
        let usd = "USD".parse().unwrap();
        let pay = week_pay(&terms, &halves, premium, 0, usd).unwrap();
        prop_assert_eq!(pay.regular.shown().unwrap(), rate);
        // Half the rate for the premium hours, in cents, half up.
        let exact = i128::from(premium) * i128::from(rate.micro());
        let cents = (exact * 100 + 3_600_000_000) / 7_200_000_000;
        prop_assert_eq!(i128::from(pay.premium.amount_minor), cents);
    }
}

#[test]
fn what_is_no_work_week_is_refused() {
    let rule = OvertimeRule::FlsaWeekly {};
    let good = works(&[(0, 0, None, 3600)], MONDAY)[0];
    let week = |first: Date, works: &[WorkTime<'_>]| {
        tier_week(&terms(&rule), OvertimeBearing::LastHours, &[], first, works).unwrap_err()
    };
    let tuesday = MONDAY.tomorrow().unwrap();
    let refused = week(tuesday, &[good]);
    assert!(matches!(refused, OvertimeError::NotTheFirstDay { begins, .. } if begins == MONDAY));
    let next = WorkTime {
        work_date: date(2026, 4, 6),
        ..good
    };
    let refused = week(MONDAY, &[next]);
    assert!(
        matches!(refused, OvertimeError::OutsideTheWeek { .. }),
        "{refused}"
    );
    let other = WorkTime {
        source_ref: "2",
        worker: "W2",
        ..good
    };
    let refused = week(MONDAY, &[good, other]);
    assert!(
        matches!(refused, OvertimeError::TwoWorkers { .. }),
        "{refused}"
    );
    assert_eq!(
        week(MONDAY, &[good, good]),
        OvertimeError::Twice("1".into())
    );
    let negative = WorkTime {
        seconds: -1,
        ..good
    };
    let refused = week(MONDAY, &[negative]);
    assert!(
        matches!(refused, OvertimeError::Negative { .. }),
        "{refused}"
    );
    let usd = "USD".parse().unwrap();
    let nothing = week_pay(&terms(&rule), &[], 0, 0, usd).unwrap_err();
    assert_eq!(nothing, OvertimeError::NoHours);
}

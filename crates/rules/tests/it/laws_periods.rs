//! Laws of posting dates and of the report on them, for every calendar.

use counterfoil_rules::period_report::{PostedWork, report};
use counterfoil_rules::posting_date::post_on;
use domain::money::Money;
use domain::period::{
    ClosedPeriodPolicy, EntityCalendar, LateWork, ObjectPeriod, Period, PeriodObject, PostingDate,
    posting_date,
};
use jiff::ToSpan;
use jiff::civil::{Date, date};
use proptest::prelude::*;

const FIRST: Date = date(2026, 1, 1);

fn day(number: i32) -> Date {
    FIRST.checked_add(number.days()).unwrap()
}

/// Periods one after the other, with their lengths, holes and what is closed in them.
fn calendar() -> impl Strategy<Value = EntityCalendar> {
    let period = (1_i32..40, 0_i32..3, prop::collection::vec(any::<bool>(), 5));
    prop::collection::vec(period, 1..6).prop_map(|periods| {
        let mut from = 0;
        let mut calendar = EntityCalendar {
            entity: "A".into(),
            periods: Vec::new(),
        };
        for (length, hole, closed) in periods {
            let objects = PeriodObject::ALL.into_iter().zip(closed);
            calendar.periods.push(ObjectPeriod {
                name: from.to_string(),
                first: day(from),
                last: day(from + length - 1),
                closed_for: objects
                    .filter(|(_, closed)| *closed)
                    .map(|(o, _)| o)
                    .collect(),
            });
            from += length + hole;
        }
        calendar
    })
}

fn policy() -> impl Strategy<Value = ClosedPeriodPolicy> {
    prop_oneof![
        Just(ClosedPeriodPolicy::NextOpenPeriod),
        Just(ClosedPeriodPolicy::Today),
        Just(ClosedPeriodPolicy::Hold),
    ]
}

proptest! {
    #[test]
    fn a_posting_date_is_open_everywhere_and_never_before_the_work(
        calendars in prop::collection::vec(calendar(), 1..3), work in 0_i32..200,
        today in 0_i32..200, policy in policy(),
        objects in prop::sample::subsequence(PeriodObject::ALL.to_vec(), 1..4),
    ) {
        let work = day(work);
        let open = |day| calendars.iter().all(|c: &EntityCalendar| c.open_on(day, &objects));
        let posting = post_on(work, &calendars, &objects, policy, day(today)).date;
        match posting {
            Some(PostingDate::InPeriod(date)) => prop_assert!(date == work && open(work)),
            Some(PostingDate::Moved(date)) => {
                prop_assert!(date > work && open(date) && !open(work));
                prop_assert!(policy != ClosedPeriodPolicy::Hold);
                if policy == ClosedPeriodPolicy::NextOpenPeriod {
                    let mut between = work;
                    while between < date {
                        prop_assert!(!open(between), "{between} was open");
                        between = between.tomorrow().unwrap();
                    }
                }
            }
            None => {
                prop_assert!(!open(work));
                let later = (0..400).map(day).filter(|d| *d > work).any(open);
                prop_assert!(policy == ClosedPeriodPolicy::Hold || !later);
            }
        }
    }

    #[test]
    fn whole_periods_post_as_they_always_did(
        calendar in calendar(), work in 0_i32..200, hold in any::<bool>(),
    ) {
        let periods: Vec<Period> = calendar.periods.iter().map(|p| Period {
            name: p.name.clone(), first: p.first, last: p.last, open: p.closed_for.is_empty(),
        }).collect();
        let late = if hold { LateWork::Hold } else { LateWork::NextOpenPeriod };
        let whole = EntityCalendar {
            entity: "A".into(),
            periods: periods.iter().map(ObjectPeriod::from).collect(),
        };
        for object in PeriodObject::ALL {
            let posting = post_on(day(work), std::slice::from_ref(&whole), &[object], late.into(), FIRST);
            prop_assert_eq!(posting.date, posting_date(day(work), &periods, late));
        }
    }

    #[test]
    fn both_ways_of_looking_have_the_same_sums(
        posted in prop::collection::vec((0_i32..120, 0_i32..60, -9_999_i64..9_999), 0..20),
    ) {
        let posted: Vec<PostedWork> = posted.into_iter().map(|(work, later, minor)| PostedWork {
            work_date: day(work),
            posting_date: day(work + later),
            seconds: minor,
            amount: Money {
                amount_minor: minor,
                currency: if minor % 2 == 0 { "EUR" } else { "JPY" }.parse().unwrap(),
            },
        }).collect();
        let report = report(&posted).unwrap();
        let moved: i64 = report.out_of_period.iter().map(|line| line.seconds).sum();
        let stayed: i64 = posted.iter()
            .filter(|p| (p.work_date.year(), p.work_date.month())
                == (p.posting_date.year(), p.posting_date.month()))
            .map(|p| p.seconds).sum();
        let all: i64 = posted.iter().map(|p| p.seconds).sum();
        prop_assert_eq!(moved + stayed, all);
        for code in ["EUR", "JPY"] {
            let own: i64 = posted.iter().filter(|p| p.amount.currency.code() == code)
                .map(|p| p.amount.amount_minor).sum();
            for totals in [&report.by_work_month, &report.by_posting_month] {
                let sum: i64 = totals.iter().filter(|t| t.amount.currency.code() == code)
                    .map(|t| t.amount.amount_minor).sum();
                prop_assert_eq!(sum, own);
            }
        }
    }
}

/// With no calendar, or nothing named to be posted, nothing is known to be open.
#[test]
fn what_is_not_known_is_held() {
    let open = EntityCalendar {
        entity: "A".into(),
        periods: vec![ObjectPeriod {
            name: "2026".into(),
            first: FIRST,
            last: date(2026, 12, 31),
            closed_for: [].into(),
        }],
    };
    let policy = ClosedPeriodPolicy::Today;
    let post = |calendars: &[EntityCalendar], objects: &[PeriodObject]| {
        post_on(day(5), calendars, objects, policy, day(9)).date
    };
    let time = [PeriodObject::Time];
    assert_eq!(post(&[], &time), None);
    assert_eq!(post(std::slice::from_ref(&open), &[]), None);
    assert_eq!(post(&[open], &time), Some(PostingDate::InPeriod(day(5))));
}

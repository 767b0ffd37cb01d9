//! Tiers of a work week, who bears them, what is billed and what is paid.

use crate::golden_quantities::instant;
use crate::table::{Row, table};
use counterfoil_rules::overtime::bill::{TierPrice, bill_tiers};
use counterfoil_rules::overtime::pay::{PaidWork, RegularRate, week_pay};
use counterfoil_rules::overtime::tiers::{WeekTiers, exempt_in_week, tier_week};
use counterfoil_rules::quantity::WorkTime;
use counterfoil_rules::quantity::increment::billable_parts;
use domain::calendar::Weekday;
use domain::contract::quantity::QuantityTerms;
use domain::decimal::Micro;
use domain::overtime::{
    OvertimeBearing, OvertimeBilling, OvertimeExemption, OvertimeRule, OvertimeTerms,
    OvertimeTermsError,
};
use domain::rounding::Increment;
use jiff::ToSpan;
use jiff::civil::{Date, date};
use serde::de::DeserializeOwned;
use serde_json::{Value, from_value};

const FILE: &str = "overtime.md";

fn named<T: DeserializeOwned>(name: &str) -> T {
    from_value(Value::from(name)).unwrap()
}

fn seconds_of(hours: &str) -> i64 {
    let micro = hours.parse::<Micro>().unwrap().micro() * 3600;
    assert_eq!(micro % 1_000_000, 0, "{hours} h");
    micro / 1_000_000
}

fn minutes(hours: &str) -> u32 {
    u32::try_from(seconds_of(hours) / 60).unwrap()
}

fn rule(words: &str) -> OvertimeRule {
    let words: Vec<&str> = words.split(' ').collect();
    match words.as_slice() {
        ["california"] => OvertimeRule::California {},
        ["flsa"] => OvertimeRule::FlsaWeekly {},
        ["daily", day] => OvertimeRule::Daily {
            daily_minutes: minutes(day),
        },
        ["weekly", week] => OvertimeRule::Weekly {
            weekly_minutes: minutes(week),
        },
        ["daily", day, "weekly", week] => OvertimeRule::DailyAndWeekly {
            daily_minutes: minutes(day),
            weekly_minutes: minutes(week),
        },
        other => panic!("no rule {other:?}"),
    }
}

fn terms(rule: OvertimeRule) -> OvertimeTerms {
    OvertimeTerms {
        rule,
        week_start: Weekday::Monday,
        zone: "America/Los_Angeles".into(),
        premium_multiple: "1.5".parse().unwrap(),
        double_multiple: "2".parse().unwrap(),
    }
}

/// Hours with as many digits as they have.
fn hours(seconds: i64) -> String {
    assert_eq!(seconds * 1_000_000 % 3600, 0);
    Micro::from_micro(seconds * 1_000_000 / 3600).to_string()
}

fn week_of_days(words: &str, row: &Row) -> WeekTiers {
    let first = date(2026, 3, 2);
    let ids: Vec<String> = (1..=7).map(|n| format!("h{n}")).collect();
    let works: Vec<WorkTime<'_>> = ids
        .iter()
        .zip(0_i32..)
        .map(|(id, n)| WorkTime {
            source_ref: id,
            work_date: first.checked_add(n.days()).unwrap(),
            seconds: seconds_of(row.get(id)),
            ..nothing()
        })
        .collect();
    let terms = terms(rule(words));
    tier_week(&terms, OvertimeBearing::LastHours, &[], first, &works).unwrap()
}

const fn nothing() -> WorkTime<'static> {
    WorkTime {
        source_ref: "1",
        worker: "W1",
        customer: "A",
        project: "P1",
        task: "T1",
        line: "L1",
        work_date: date(2026, 3, 2),
        started_us: None,
        approved_us: None,
        seconds: 0,
    }
}

fn sums(week: &WeekTiers) -> [i64; 3] {
    let mut sums = [0; 3];
    for entry in &week.entries {
        for (sum, part) in sums.iter_mut().zip(entry.parts()) {
            *sum += part;
        }
    }
    sums
}

#[test]
fn weeks() {
    for row in table(FILE, "Weeks") {
        let why = row.get("fact");
        let check = |column: &str, seconds: i64| {
            assert_eq!(hours(seconds), row.get(column), "{column}: {why}");
        };
        check("= FLSA", sums(&week_of_days("flsa", &row))[1]);
        check("= over 8 a day", sums(&week_of_days("daily 8", &row))[1]);
        check(
            "= over 35 a week",
            sums(&week_of_days("weekly 35", &row))[1],
        );
        let both = week_of_days("daily 8 weekly 40", &row);
        check("= 8/40 daily", both.over_day_seconds);
        check("= 8/40 weekly", both.over_week_seconds);
        assert_eq!(
            sums(&both)[1],
            both.over_day_seconds + both.over_week_seconds
        );
        let [straight, premium, double] = sums(&week_of_days("california", &row));
        check("= CA straight", straight);
        check("= CA 1.5x", premium);
        check("= CA 2x", double);
        check("= CA pay hours", straight + premium * 3 / 2 + double * 2);
    }
}

fn work(row: &Row) -> WorkTime<'_> {
    WorkTime {
        source_ref: row.get("id"),
        customer: row.get("client"),
        work_date: row.get("day").parse().unwrap(),
        started_us: row
            .some("start")
            .map(|start| instant(&format!("{} {start}", row.get("day")))),
        seconds: row.number("minutes") * 60,
        ..nothing()
    }
}

/// Minutes with as many digits as they have.
fn minutes_text(seconds: i64) -> String {
    assert_eq!(seconds * 1_000_000 % 60, 0);
    Micro::from_micro(seconds * 1_000_000 / 60).to_string()
}

#[test]
fn clients_of_a_week() {
    let entries = table(FILE, "Clients: entries");
    for case in table(FILE, "Clients: cases") {
        let rows: Vec<&Row> = entries
            .iter()
            .filter(|row| row.get("case") == case.get("case"))
            .collect();
        let works: Vec<WorkTime<'_>> = rows.iter().map(|row| work(row)).collect();
        let terms = OvertimeTerms {
            week_start: named(case.get("week start")),
            ..terms(rule(case.get("rule")))
        };
        let first = terms.week_start.week_of(works[0].work_date);
        let bearing = named(case.get("bearing"));
        let week = tier_week(&terms, bearing, &[], first, &works).unwrap();
        for (row, tiers) in rows.iter().zip(&week.entries) {
            let why = format!("{} {}: {tiers:?}", case.get("case"), row.get("id"));
            let [straight, premium, double] = tiers.parts();
            assert_eq!(tiers.source_ref, row.get("id"), "{why}");
            assert_eq!(minutes_text(straight), row.get("= straight"), "{why}");
            assert_eq!(minutes_text(premium), row.get("= premium"), "{why}");
            assert_eq!(minutes_text(double), row.get("= double"), "{why}");
        }
    }
}

#[test]
fn a_late_entry_tiers_the_week_again() {
    let rows = table(FILE, "Late entries");
    for row in &rows {
        let mine: Vec<&Row> = rows
            .iter()
            .filter(|other| other.get("case") == row.get("case"))
            .collect();
        let parts = |with_late: bool| {
            let works: Vec<WorkTime<'_>> = mine
                .iter()
                .filter(|other| with_late || other.get("late") == "no")
                .map(|other| work(other))
                .collect();
            let terms = terms(rule(row.get("rule")));
            let first = terms.week_start.week_of(works[0].work_date);
            let week = tier_week(&terms, OvertimeBearing::LastHours, &[], first, &works).unwrap();
            let own = week
                .entries
                .into_iter()
                .find(|e| e.source_ref == row.get("id"));
            own.map_or([0; 3], |tiers| tiers.parts())
        };
        let (before, after) = (parts(false), parts(true));
        let why = row.get("fact");
        assert_eq!(hours(before[1]), row.get("= premium before"), "{why}");
        assert_eq!(hours(after[1]), row.get("= premium after"), "{why}");
        assert_eq!(
            hours(after[0] - before[0]),
            row.get("= post straight"),
            "{why}"
        );
        assert_eq!(
            hours(after[1] - before[1]),
            row.get("= post premium"),
            "{why}"
        );
    }
}

#[test]
fn parts_are_rounded_in_the_order_of_the_tiers() {
    for row in table(FILE, "Rounded parts") {
        let terms = QuantityTerms {
            increment: Some(Increment {
                step_minutes: row.get("step").parse().unwrap(),
                minimum_minutes: row.get("minimum").parse().unwrap(),
                rounding: named(row.get("direction")),
            }),
            ..QuantityTerms::default()
        };
        let parts: Vec<i64> = ["straight", "premium", "double"]
            .iter()
            .map(|tier| row.number(tier) * 60)
            .collect();
        let work = WorkTime {
            seconds: parts.iter().sum(),
            ..nothing()
        };
        let share = &billable_parts(&terms, &[work], &[parts]).unwrap()[0];
        let text: Vec<String> = share
            .parts_seconds
            .iter()
            .map(|seconds| (seconds / 60).to_string())
            .collect();
        assert_eq!(text.join(", "), row.get("= parts"), "{}", row.get("fact"));
        assert_eq!(share.seconds(), row.number("= whole") * 60);
    }
}

fn billing(row: &Row) -> OvertimeBilling {
    OvertimeBilling {
        terms: OvertimeTerms {
            premium_multiple: row.get("premium x").parse().unwrap(),
            double_multiple: row.get("double x").parse().unwrap(),
            ..terms(rule("california"))
        },
        bearing: OvertimeBearing::LastHours,
        form: named(row.get("form")),
        authorisation: named(row.get("authorisation")),
        rate_decimals: row.get("rate decimals").parse().unwrap(),
    }
}

#[test]
fn bills_of_tiers() {
    for row in table(FILE, "Billed") {
        let parts = ["straight", "premium", "double"].map(|tier| row.number(tier) * 60);
        let billed = bill_tiers(
            &billing(&row),
            row.get("authorised") == "yes",
            parts,
            row.get("rate").parse().unwrap(),
            &regular_rate(row.get("pay rate")),
        )
        .unwrap();
        let lines: Vec<String> = billed
            .parts
            .iter()
            .map(|part| {
                let what = format!("{} {} min", part.tier.words(), part.seconds / 60);
                match part.price {
                    TierPrice::Rate(rate) => format!("{what} at {rate}"),
                    TierPrice::PremiumCost(rate) => format!("{what} at cost {rate}"),
                    TierPrice::NotBilled => format!("{what} not billed"),
                }
            })
            .collect();
        assert_eq!(lines.join("; "), row.get("= lines"), "{}", row.get("fact"));
        assert_eq!(billed.steps.len(), billed.parts.len());
    }
}

/// `30 at 50, 18 at 40` as work.
fn paid_work(cell: &str) -> Vec<PaidWork> {
    cell.split(", ")
        .map(|part| {
            let (hours, rate) = part.split_once(" at ").unwrap();
            PaidWork {
                seconds: seconds_of(hours),
                rate: rate.parse().unwrap(),
            }
        })
        .collect()
}

fn regular_rate(cell: &str) -> RegularRate {
    if cell.contains(" at ") {
        RegularRate::of(&paid_work(cell)).unwrap()
    } else {
        RegularRate::of_one(cell.parse().unwrap())
    }
}

#[test]
fn pay_of_a_week() {
    for row in table(FILE, "Paid") {
        let works = paid_work(row.get("hours at rates"));
        let terms = billing_multiples(&row);
        let premium = seconds_of(row.get("premium hours"));
        let double = seconds_of(row.get("double hours"));
        let currency = row.get("currency").parse().unwrap();
        let pay = week_pay(&terms, &works, premium, double, currency).unwrap();
        let why = row.get("fact");
        let shown = pay.regular.shown().unwrap().to_string();
        assert_eq!(shown, row.get("= regular rate"), "{why}");
        for (money, column) in [
            (pay.straight, "= straight pay"),
            (pay.premium, "= premium pay"),
            (pay.total, "= week pay"),
        ] {
            assert_eq!(money.decimal().to_string(), row.get(column), "{why}");
        }
    }
}

fn billing_multiples(row: &Row) -> OvertimeTerms {
    OvertimeTerms {
        premium_multiple: row.get("premium x").parse().unwrap(),
        double_multiple: row.get("double x").parse().unwrap(),
        ..terms(rule("california"))
    }
}

#[test]
fn exempt_weeks() {
    for row in table(FILE, "Exempt") {
        let exemption = OvertimeExemption {
            worker: "W1".into(),
            from: row.get("exempt from").parse().unwrap(),
            to: row.some("exempt until").map(|day| day.parse().unwrap()),
        };
        let days: Vec<(String, Date)> = row
            .get("days worked")
            .split(' ')
            .map(|day| (day.to_owned(), day.parse().unwrap()))
            .collect();
        let works: Vec<WorkTime<'_>> = days
            .iter()
            .map(|(id, day)| WorkTime {
                source_ref: id,
                work_date: *day,
                seconds: 11 * 3600,
                ..nothing()
            })
            .collect();
        let expected = row.get("= exempt") == "yes";
        let exemptions = [exemption];
        assert_eq!(
            exempt_in_week(&exemptions, &works),
            expected,
            "{}",
            row.get("fact")
        );
        let terms = terms(rule("daily 8"));
        let first = date(2026, 3, 2);
        let bearing = OvertimeBearing::LastHours;
        let week = tier_week(&terms, bearing, &exemptions, first, &works).unwrap();
        assert_eq!(sums(&week)[1] == 0, expected, "{}", row.get("fact"));
        let of_another = OvertimeExemption {
            worker: "W2".into(),
            ..exemptions[0].clone()
        };
        assert!(!exempt_in_week(&[of_another], &works));
    }
}

#[test]
fn work_weeks() {
    for row in table(FILE, "Work weeks") {
        let start: Weekday = named(row.get("week start"));
        let first = start.week_of(row.get("day").parse().unwrap());
        assert_eq!(first.to_string(), row.get("= first day"));
    }
}

#[test]
fn terms_without_meaning() {
    for row in table(FILE, "Terms without meaning") {
        let billing = OvertimeBilling {
            terms: OvertimeTerms {
                rule: OvertimeRule::DailyAndWeekly {
                    daily_minutes: row.get("daily minutes").parse().unwrap(),
                    weekly_minutes: row.get("weekly minutes").parse().unwrap(),
                },
                zone: row.get("zone").to_owned(),
                ..billing_multiples(&row)
            },
            bearing: OvertimeBearing::LastHours,
            form: named("straight"),
            authorisation: named("not_needed"),
            rate_decimals: row.get("rate decimals").parse().unwrap(),
        };
        let erp_decimals = row.get("erp decimals").parse().unwrap();
        let checked = billing
            .check()
            .and_then(|()| billing.check_against_erp(erp_decimals));
        let refusal = match checked {
            Ok(()) => "none",
            Err(OvertimeTermsError::Daily(_)) => "daily",
            Err(OvertimeTermsError::Weekly(_)) => "weekly",
            Err(OvertimeTermsError::Premium(_)) => "premium",
            Err(OvertimeTermsError::Double { .. }) => "double",
            Err(OvertimeTermsError::TooFine(_)) => "too fine",
            Err(OvertimeTermsError::FinerThanErp { .. }) => "finer than the ERP",
            Err(OvertimeTermsError::Zone(_)) => "zone",
        };
        assert_eq!(refusal, row.get("= refusal"), "{}", row.get("working"));
    }
}

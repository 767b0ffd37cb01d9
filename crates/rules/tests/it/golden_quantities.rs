//! Time shared out over a scope, printed quantities, days and months.

use crate::table::{Row, table};
use counterfoil_rules::quantity::WorkTime;
use counterfoil_rules::quantity::days::day_shares;
use counterfoil_rules::quantity::increment::billable_shares;
use counterfoil_rules::quantity::months::{month_shares, months_covered};
use counterfoil_rules::quantity::printed::{PrintedBefore, ToPrint, print_group};
use domain::contract::quantity::{QuantityTerms, QuantityTermsError};
use domain::decimal::Micro;
use domain::quantity::Unit;
use domain::rounding::{Increment, IncrementError};
use jiff::civil::{Date, date};
use jiff::tz::TimeZone;
use serde::de::DeserializeOwned;
use serde_json::{Value, from_value};
use std::collections::{BTreeMap, BTreeSet};

const FILE: &str = "quantities.md";

fn named<T: DeserializeOwned>(name: &str) -> T {
    from_value(Value::from(name)).unwrap()
}

/// `2026-03-05 09:00` as an instant.
pub(crate) fn instant(text: &str) -> i64 {
    let civil: jiff::civil::DateTime = text.replace(' ', "T").parse().unwrap();
    let zoned = civil.to_zoned(TimeZone::UTC).unwrap();
    zoned.timestamp().as_microsecond()
}

fn increment(row: &Row) -> Increment {
    Increment {
        step_minutes: row.get("step").parse().unwrap(),
        minimum_minutes: row.get("minimum").parse().unwrap(),
        rounding: named(row.get("direction")),
    }
}

fn work(row: &Row) -> WorkTime<'_> {
    let or_none = |column| {
        if row.has(column) {
            row.get(column)
        } else {
            "none"
        }
    };
    WorkTime {
        source_ref: row.get("id"),
        worker: row.get("worker"),
        customer: or_none("customer"),
        project: or_none("project"),
        task: or_none("task"),
        line: or_none("line"),
        work_date: row.get("day").parse().unwrap(),
        started_us: row
            .some("start")
            .map(|start| instant(&format!("{} {start}", row.get("day")))),
        approved_us: Some(or_none("approved"))
            .filter(|cell| !matches!(*cell, "" | "none"))
            .map(instant),
        seconds: row.number("minutes") * 60,
    }
}

fn nothing(source_ref: &str, seconds: i64) -> WorkTime<'_> {
    WorkTime {
        source_ref,
        worker: "W1",
        customer: "C1",
        project: "P1",
        task: "T1",
        line: "L1",
        work_date: date(2026, 3, 5),
        started_us: None,
        approved_us: None,
        seconds,
    }
}

fn of_case<'a>(rows: &'a [Row], case: &Row) -> Vec<&'a Row> {
    rows.iter()
        .filter(|row| row.get("case") == case.get("case"))
        .collect()
}

#[test]
fn shares_of_a_scope() {
    let entries = table(FILE, "Scopes: entries");
    for case in table(FILE, "Scopes: cases") {
        let terms = QuantityTerms {
            increment: Some(increment(&case)),
            increment_scope: named(case.get("scope")),
            ..QuantityTerms::default()
        };
        let rows = of_case(&entries, &case);
        assert!(!rows.is_empty(), "{} has no entries", case.get("case"));
        let works: Vec<WorkTime<'_>> = rows.iter().map(|row| work(row)).collect();
        let shares = billable_shares(&terms, &works).unwrap();
        for (row, share) in rows.iter().zip(&shares) {
            let why = format!("{}: {}", case.get("case"), row.get("working"));
            assert_eq!(share.source_ref, row.get("id"), "{why}");
            assert_eq!(share.seconds(), row.number("= billable") * 60, "{why}");
            assert_eq!(share.steps.len(), 1, "{why}");
        }
    }
}

fn shares_of_list(terms: &QuantityTerms, minutes: &str) -> Vec<i64> {
    let ids: Vec<String> = (1..=9).map(|id: i32| id.to_string()).collect();
    let works: Vec<WorkTime<'_>> = minutes
        .split(", ")
        .zip(&ids)
        .map(|(minutes, id)| nothing(id, minutes.parse::<i64>().unwrap() * 60))
        .collect();
    let shares = billable_shares(terms, &works).unwrap();
    shares.iter().map(|share| share.seconds() / 60).collect()
}

#[test]
fn a_correction_is_the_difference_of_two_states() {
    for row in table(FILE, "Corrections") {
        let terms = QuantityTerms {
            increment: Some(increment(&row)),
            increment_scope: named("worker_day_task"),
            ..QuantityTerms::default()
        };
        let mut old = shares_of_list(&terms, row.get("old"));
        let mut new = shares_of_list(&terms, row.get("new"));
        let size = old.len().max(new.len());
        old.resize(size, 0);
        new.resize(size, 0);
        let deltas: Vec<i64> = new.iter().zip(&old).map(|(n, o)| n - o).collect();
        let text: Vec<String> = deltas.iter().map(i64::to_string).collect();
        assert_eq!(text.join(", "), row.get("= deltas"), "{}", row.get("fact"));
        assert_eq!(deltas.iter().sum::<i64>(), row.number("= in all"));
    }
}

#[derive(Default)]
struct Books {
    wanted: BTreeMap<String, (Micro, i64)>,
    printed: BTreeMap<String, (Micro, i64, Micro)>,
    issued: BTreeSet<String>,
}

impl Books {
    fn event(&mut self, terms: &QuantityTerms, row: &Row) -> (String, Micro, Micro) {
        let rate: Micro = row.get("rate").parse().unwrap();
        let issued = row.get("issued before").split(", ").map(str::to_owned);
        self.issued.extend(issued);
        for change in row.get("changes").split(", ") {
            let (name, minutes) = change.split_once(' ').unwrap();
            let seconds = minutes.parse::<i64>().unwrap() * 60;
            self.wanted.insert(name.to_owned(), (rate, seconds));
        }
        let booked: Vec<PrintedBefore<'_>> = self
            .printed
            .iter()
            .map(|(name, (rate, seconds, quantity))| PrintedBefore {
                source_ref: name,
                part: 0,
                rate: *rate,
                seconds: *seconds,
                quantity: *quantity,
                issued: self.issued.contains(name),
            })
            .collect();
        let wanted: Vec<ToPrint<'_>> = self
            .wanted
            .iter()
            .map(|(name, (rate, seconds))| ToPrint {
                work: nothing(name, *seconds),
                part: 0,
                rate: *rate,
            })
            .collect();
        let group = print_group(terms, &booked, &wanted).unwrap();
        let after: BTreeMap<String, (Micro, i64, Micro)> = group
            .entries
            .iter()
            .map(|e| {
                let (rate, seconds) = self.wanted[&e.source_ref];
                assert_eq!(rate, e.rate);
                (e.source_ref.clone(), (rate, seconds, e.quantity))
            })
            .filter(|(_, (_, seconds, _))| *seconds > 0)
            .collect();
        let text: Vec<String> = after
            .iter()
            .map(|(n, (_, _, q))| format!("{n} {q}"))
            .collect();
        let sum = group.entries.iter().map(|e| e.quantity.micro()).sum();
        let waiting = group.waiting.values().map(|q| q.micro()).sum();
        self.printed = after;
        (
            text.join(", "),
            Micro::from_micro(sum),
            Micro::from_micro(waiting),
        )
    }
}

#[test]
fn printed_quantities_and_what_is_carried() {
    let events = table(FILE, "Printed: events");
    for case in table(FILE, "Printed: cases") {
        let terms = QuantityTerms {
            unit: named(case.get("unit")),
            decimals: case.get("decimals").parse().unwrap(),
            rounding: named(case.get("rounding")),
            residual: named(case.get("residual")),
            ..QuantityTerms::default()
        };
        let rows = of_case(&events, &case);
        assert!(!rows.is_empty(), "{} has no events", case.get("case"));
        let mut books = Books::default();
        for row in rows {
            let why = format!("{} step {}", case.get("case"), row.get("step"));
            let (printed, sum, waiting) = books.event(&terms, row);
            assert_eq!(printed, row.get("= printed"), "{why}");
            assert_eq!(sum.to_string(), row.get("= sum"), "{why}");
            assert_eq!(waiting.to_string(), row.get("= waiting"), "{why}");
        }
    }
}

#[test]
fn days_of_a_contract() {
    let entries = table(FILE, "Days: entries");
    for case in table(FILE, "Days: cases") {
        let terms = QuantityTerms {
            unit: Unit::WorkingDay,
            day_hours: case.get("day hours").parse().unwrap(),
            day_step: case.get("day step").parse().unwrap(),
            day_cap: case.get("cap").parse().unwrap(),
            rounding: named(case.get("rounding")),
            ..QuantityTerms::default()
        };
        let rows = of_case(&entries, &case);
        let works: Vec<WorkTime<'_>> = rows.iter().map(|row| work(row)).collect();
        let shares = day_shares(&terms, &works).unwrap();
        assert!(!rows.is_empty(), "{} has no entries", case.get("case"));
        for (row, share) in rows.iter().zip(&shares) {
            let why = format!("{}: {}", case.get("case"), row.get("working"));
            assert_eq!(share.days.to_string(), row.get("= days"), "{why}");
        }
    }
}

fn month_terms(row: &Row) -> QuantityTerms {
    let mut terms = QuantityTerms {
        unit: Unit::Month,
        decimals: row.get("decimals").parse().unwrap(),
        rounding: named(row.get("rounding")),
        month_basis: named(row.get("basis")),
        holidays: row
            .get("holidays")
            .split_whitespace()
            .map(|day| day.parse().unwrap())
            .collect(),
        ..QuantityTerms::default()
    };
    if let Some(week) = row.some("working week") {
        terms.working_week = week.split_whitespace().map(named).collect();
    }
    terms
}

#[test]
fn months_of_an_engagement() {
    for row in table(FILE, "Months covered") {
        let first = row.get("first").parse().unwrap();
        let last = row.get("last").parse().unwrap();
        let parts = months_covered(&month_terms(&row), first, last).unwrap();
        let text: Vec<String> = parts
            .iter()
            .map(|part| format!("{} {}", part.month, part.months))
            .collect();
        assert_eq!(text.join(", "), row.get("= months"), "{}", row.get("fact"));
        let sum = parts.iter().map(|part| part.months.micro()).sum();
        assert_eq!(Micro::from_micro(sum).to_string(), row.get("= in all"));
    }
}

#[test]
fn months_by_days_worked() {
    for row in table(FILE, "Months by days worked") {
        let days: Vec<(String, Date)> = row
            .get("days worked")
            .split_whitespace()
            .zip(1_i32..)
            .map(|(day, id)| (id.to_string(), day.parse().unwrap()))
            .collect();
        let works: Vec<WorkTime<'_>> = days
            .iter()
            .map(|(id, day)| WorkTime {
                work_date: *day,
                ..nothing(id, 3600)
            })
            .collect();
        let shares = month_shares(&month_terms(&row), &works).unwrap();
        let text: Vec<String> = shares.iter().map(|s| s.months.to_string()).collect();
        assert_eq!(text.join(", "), row.get("= shares"), "{}", row.get("fact"));
    }
}

#[test]
fn codes_of_units() {
    for row in table(FILE, "Codes of units") {
        let unit: Unit = named(row.get("unit"));
        assert_eq!(unit.unece_code(), row.get("= code"));
        assert_eq!(unit.name(), row.get("unit"));
    }
}

#[test]
fn terms_without_meaning() {
    for row in table(FILE, "Terms without meaning") {
        let mut terms = QuantityTerms {
            increment: Some(Increment {
                rounding: named("up"),
                step_minutes: row.get("step").parse().unwrap(),
                minimum_minutes: row.get("minimum").parse().unwrap(),
            }),
            decimals: row.get("decimals").parse().unwrap(),
            day_hours: row.get("day hours").parse().unwrap(),
            day_step: row.get("day step").parse().unwrap(),
            day_cap: row.get("cap").parse().unwrap(),
            month_basis: named(row.get("basis")),
            ..QuantityTerms::default()
        };
        if row.get("working week") == "none" {
            terms.working_week.clear();
        }
        let erp_decimals = row.get("erp decimals").parse().unwrap();
        let checked = terms
            .check()
            .and_then(|()| terms.check_against_erp(erp_decimals));
        let refusal = match checked {
            Ok(()) => "none",
            Err(QuantityTermsError::Increment(IncrementError::ZeroStep)) => "zero step",
            Err(QuantityTermsError::Increment(IncrementError::MinimumOffStep { .. })) => {
                "minimum off step"
            }
            Err(QuantityTermsError::Increment(IncrementError::Negative(_))) => "negative",
            Err(QuantityTermsError::TooFine(_)) => "too fine",
            Err(QuantityTermsError::FinerThanErp { .. }) => "finer than the ERP",
            Err(QuantityTermsError::DayHours(_)) => "day hours",
            Err(QuantityTermsError::DayStep(_)) => "day step",
            Err(QuantityTermsError::DayCap { .. }) => "cap",
            Err(QuantityTermsError::NoWorkingDay) => "no working day",
            Err(QuantityTermsError::Pieces) => "pieces",
        };
        assert_eq!(refusal, row.get("= refusal"), "{}", row.get("working"));
    }
}

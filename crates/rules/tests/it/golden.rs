//! Rounding, increments, hours and posting dates.

use crate::table::{Row, folder, table};
use domain::decimal::Micro;
use domain::money::Money;
use domain::period::{LateWork, Period, posting_date};
use domain::quantity::{HoursError, SourceResolution, hours_printed, recorded_seconds};
use domain::rounding::{Increment, IncrementError, Rounding};
use serde_json::{Value, from_value};

fn rounding(name: &str) -> Rounding {
    from_value(Value::from(name)).unwrap()
}

#[test]
fn amounts_to_the_cent() {
    for row in table("rounding.md", "Amounts to the cent") {
        let value: Micro = row.get("value").parse().unwrap();
        for (column, expected) in row.expected() {
            let mode = rounding(column.trim_start_matches("= "));
            let rounded = mode.to_digits(value.decimal(), 2);
            let expected: Micro = expected.parse().unwrap();
            assert_eq!(rounded, expected.decimal(), "{} {column}", row.get("value"));
        }
    }
}

#[test]
fn printed_quantity_times_printed_rate() {
    for row in table("rounding.md", "Printed quantity times printed rate") {
        let amount = Money::times(
            row.get("quantity").parse().unwrap(),
            row.get("rate").parse().unwrap(),
            row.get("currency").parse().unwrap(),
            rounding(row.get("rounding")),
        );
        let amount = amount.unwrap().decimal().to_string();
        assert_eq!(amount, row.get("= amount"), "{}", row.get("working"));
    }
}

/// `= 15 up, at least 30` as a rule.
fn rule(column: &str) -> Increment {
    let words: Vec<&str> = column
        .split([' ', ','])
        .filter(|word| !word.is_empty())
        .collect();
    Increment {
        step_minutes: words[1].parse().unwrap(),
        minimum_minutes: words.get(5).map_or(0, |word| word.parse().unwrap()),
        rounding: rounding(words[2]),
    }
}

fn check_increments(row: &Row) {
    let seconds = if row.has("minutes") {
        row.number("minutes") * 60
    } else {
        row.number("seconds")
    };
    for (column, expected) in row.expected() {
        let billable = rule(column).apply(seconds).unwrap();
        let expected: i64 = expected.parse().unwrap();
        assert_eq!(billable, expected * 60, "{seconds} s {column}");
    }
}

#[test]
fn recorded_to_billable_time() {
    for heading in [
        "Quarter hours",
        "Six-minute units",
        "Times that are no whole minutes",
    ] {
        for row in table("increments.md", heading) {
            check_increments(&row);
        }
    }
}

#[test]
fn rules_without_meaning_are_refused() {
    for row in table("increments.md", "Rules without meaning") {
        let rule = Increment {
            step_minutes: row.get("step").parse().unwrap(),
            minimum_minutes: row.get("minimum").parse().unwrap(),
            rounding: Rounding::Up,
        };
        let refusal = match rule.apply(row.number("seconds")) {
            Ok(_) => "none",
            Err(IncrementError::ZeroStep) => "zero step",
            Err(IncrementError::MinimumOffStep { .. }) => "minimum off step",
            Err(IncrementError::Negative(_)) => "negative",
        };
        assert_eq!(refusal, row.get("= refusal"));
    }
}

#[test]
fn hours_as_a_source_gives_them() {
    for row in table("hours.md", "Hours as a source gives them") {
        let resolution: SourceResolution = from_value(Value::from(row.get("resolution"))).unwrap();
        let hours = row.get("hours");
        let seconds = recorded_seconds(hours, resolution).unwrap();
        assert_eq!(seconds, row.number("= seconds"), "{hours}");
    }
    for row in table("hours.md", "Hours that are no working time") {
        let hours = row.get("hours");
        let refusal = match recorded_seconds(hours, SourceResolution::HundredthHour) {
            Ok(_) => "none",
            Err(HoursError::Unreadable(_)) => "unreadable",
            Err(HoursError::OutOfRange(_)) => "out of range",
        };
        assert_eq!(refusal, row.get("= refusal"), "{hours}");
    }
}

#[test]
fn hours_as_printed() {
    for row in table("hours.md", "Hours as printed") {
        let decimals = row.get("decimals").parse().unwrap();
        let mode = rounding(row.get("rounding"));
        let hours = hours_printed(row.number("minutes") * 60, decimals, mode).unwrap();
        assert_eq!(
            hours.to_string(),
            row.get("= hours"),
            "{}",
            row.get("working")
        );
    }
}

#[test]
fn posting_dates() {
    let calendars = table("posting_dates.md", "Calendars");
    for row in table("posting_dates.md", "Work") {
        let periods: Vec<Period> = calendars
            .iter()
            .filter(|period| period.get("calendar") == row.get("calendar"))
            .map(|period| Period {
                name: period.get("period").to_owned(),
                first: period.get("first").parse().unwrap(),
                last: period.get("last").parse().unwrap(),
                open: period.get("open") == "yes",
            })
            .collect();
        let work = row.get("work date").parse().unwrap();
        let late: LateWork = from_value(Value::from(row.get("late work"))).unwrap();
        let date = posting_date(work, &periods, late)
            .map_or_else(|| "hold".to_owned(), |posting| posting.date().to_string());
        assert_eq!(date, row.get("= posting date"), "{}", row.get("working"));
    }
}

/// Python works every figure out again. Where there is no Python, nothing is compared.
#[test]
fn python_comes_to_the_same_figures() {
    let script = folder().join("derive.py");
    let Ok(done) = std::process::Command::new("python3").arg(script).output() else {
        println!("python3 was not found: the figures were not worked out again");
        return;
    };
    let said = String::from_utf8_lossy(&done.stdout).into_owned();
    assert!(done.status.success(), "{said}");
    assert!(said.ends_with(" 0 differ\n"), "{said}");
}

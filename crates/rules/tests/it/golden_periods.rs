//! Posting dates by object and for pairs, the five dates, work out of its period.

use crate::table::{Row, table};
use counterfoil_rules::period_report::{PeriodReport, PostedWork, report};
use counterfoil_rules::posting_date::post_on;
use domain::money::Money;
use domain::period::{
    CalendarError, ClosedPeriodPolicy, DateQuestion, DatesError, EntityCalendar, FiveDates,
    ObjectPeriod, PeriodObject, PostingDate,
};
use jiff::civil::Date;
use serde::de::DeserializeOwned;
use serde_json::{Value, from_value};

const FILE: &str = "periods.md";

fn named<T: DeserializeOwned>(name: &str) -> T {
    from_value(Value::from(name)).unwrap()
}

fn date_in(row: &Row, column: &str) -> Option<Date> {
    row.some(column).map(|day| day.parse().unwrap())
}

fn calendar(name: &str) -> EntityCalendar {
    let periods: Vec<ObjectPeriod> = table(FILE, "Calendars")
        .iter()
        .filter(|row| row.get("calendar") == name)
        .map(|row| ObjectPeriod {
            name: row.get("period").to_owned(),
            first: row.get("first").parse().unwrap(),
            last: row.get("last").parse().unwrap(),
            closed_for: match row.get("closed for") {
                "everything" => PeriodObject::ALL.into_iter().collect(),
                "" => [].into(),
                some => some.split(", ").map(named).collect(),
            },
        })
        .collect();
    assert!(!periods.is_empty(), "no calendar '{name}'");
    let calendar = EntityCalendar {
        entity: name.to_owned(),
        periods,
    };
    assert_eq!(calendar.check(), Ok(()));
    calendar
}

#[test]
fn posting_dates_by_object_and_pair() {
    for row in table(FILE, "Posting dates") {
        let calendars: Vec<EntityCalendar> =
            row.get("calendars").split(" + ").map(calendar).collect();
        let objects: Vec<PeriodObject> = row.get("objects").split(", ").map(named).collect();
        let policy: ClosedPeriodPolicy = named(row.get("policy"));
        let work: Date = row.get("work date").parse().unwrap();
        let today = row.get("today").parse().unwrap();
        let posting = post_on(work, &calendars, &objects, policy, today);
        let text = posting
            .date
            .map_or_else(|| "hold".to_owned(), |posting| posting.date().to_string());
        let why = format!("{}: {:?}", row.get("fact"), posting.steps);
        assert_eq!(text, row.get("= posting date"), "{why}");
        let in_period = posting.date == Some(PostingDate::InPeriod(work));
        assert_eq!(in_period, text == work.to_string(), "{why}");
        let said = text.replace("hold", "held");
        assert!(posting.steps[0].result().starts_with(&said), "{why}");
    }
}

#[test]
fn which_date_decides() {
    for row in table(FILE, "Which date decides") {
        let dates = FiveDates {
            work: row.get("work").parse().unwrap(),
            submission: None,
            approval: None,
            posting: date_in(&row, "posting"),
            tax_point: date_in(&row, "tax point"),
        };
        let question: DateQuestion = named(row.get("question"));
        let answer = dates
            .answer(question)
            .map_or_else(|| "not known".to_owned(), |day| day.to_string());
        assert_eq!(answer, row.get("= date"), "{}", row.get("fact"));
    }
}

#[test]
fn dates_that_contradict_each_other() {
    for row in table(FILE, "Dates that contradict each other") {
        let dates = FiveDates {
            work: row.get("work").parse().unwrap(),
            submission: date_in(&row, "submission"),
            approval: date_in(&row, "approval"),
            posting: date_in(&row, "posting"),
            tax_point: None,
        };
        let refusal = match dates.check() {
            Ok(()) => "none",
            Err(DatesError::ApprovedBeforeSubmitted { .. }) => "approved before submitted",
            Err(DatesError::PostedBeforeWorked { .. }) => "posted before worked",
        };
        assert_eq!(refusal, row.get("= refusal"), "{}", row.get("fact"));
    }
}

fn whole_report() -> PeriodReport {
    let posted: Vec<PostedWork> = table(FILE, "Out of period: entries")
        .iter()
        .map(|row| PostedWork {
            work_date: row.get("work date").parse().unwrap(),
            posting_date: row.get("posting date").parse().unwrap(),
            seconds: row.number("minutes") * 60,
            amount: Money::from_decimal(
                row.get("amount").parse().unwrap(),
                row.get("currency").parse().unwrap(),
            )
            .unwrap(),
        })
        .collect();
    report(&posted).unwrap()
}

#[test]
fn work_out_of_its_period() {
    let report = whole_report();
    let rows = table(FILE, "Out of period: report");
    assert_eq!(rows.len(), report.out_of_period.len());
    assert_eq!(rows.len(), report.steps.len());
    for row in &rows {
        let line = report.out_of_period.iter().find(|line| {
            line.work_month.to_string() == row.get("work month")
                && line.posting_month.to_string() == row.get("posting month")
                && line.amount.currency.code() == row.get("currency")
        });
        let line = line.unwrap();
        assert_eq!(line.count.to_string(), row.get("= entries"));
        assert_eq!(line.seconds, row.number("= minutes") * 60);
        assert_eq!(line.amount.decimal().to_string(), row.get("= amount"));
    }
}

#[test]
fn work_by_month() {
    let report = whole_report();
    for row in table(FILE, "Out of period: by month") {
        for (totals, by) in [
            (&report.by_work_month, "work"),
            (&report.by_posting_month, "posting"),
        ] {
            let own = totals.iter().find(|total| {
                total.month.to_string() == row.get("month")
                    && total.amount.currency.code() == row.get("currency")
            });
            let minutes = row.number(&format!("= minutes by {by}"));
            let zero = Money::zero(row.get("currency").parse().unwrap());
            let amount = own.map_or(zero, |total| total.amount);
            assert_eq!(own.map_or(0, |total| total.seconds), minutes * 60);
            let expected = row.get(&format!("= amount by {by}"));
            assert_eq!(
                amount.decimal().to_string(),
                expected,
                "{}",
                row.get("fact")
            );
        }
    }
}

#[test]
fn calendars_without_meaning() {
    for row in table(FILE, "Calendars without meaning") {
        let periods = row
            .get("periods")
            .split(' ')
            .map(|span| {
                let (first, last) = span.split_once("..").unwrap();
                ObjectPeriod {
                    name: first.to_owned(),
                    first: first.parse().unwrap(),
                    last: last.parse().unwrap(),
                    closed_for: [].into(),
                }
            })
            .collect();
        let calendar = EntityCalendar {
            entity: "A".into(),
            periods,
        };
        let refusal = match calendar.check() {
            Ok(()) => "none",
            Err(CalendarError::Backwards { .. }) => "backwards",
            Err(CalendarError::Overlap { .. }) => "overlap",
        };
        assert_eq!(refusal, row.get("= refusal"), "{}", row.get("working"));
    }
}

//! Which dated rate applies.

use crate::table::{Row, table};
use domain::rate::{NoRate, RateKey, RateQuery, RateRow, RateSource, choose_rate};

fn row_of(row: &Row) -> RateRow {
    RateRow {
        key: RateKey {
            customer: row.some("customer"),
            contract: row.some("contract"),
            project: row.some("project"),
            task: row.some("task"),
            practice: None,
            worker: row.some("worker"),
            role: row.some("role"),
            service_item: row.some("service item"),
        },
        rate: row.get("rate").parse().unwrap(),
        currency: "EUR".parse().unwrap(),
        from: row.get("from").parse().unwrap(),
        to: row.some("to").map(|to| to.parse().unwrap()),
        recorded: None,
        origin: RateSource::Card,
    }
}

#[test]
fn the_rate_of_the_day() {
    for asked in table("rates.md", "Work") {
        let card = table("rates.md", &format!("Card: {}", asked.get("card")));
        let rows: Vec<RateRow> = card.iter().map(row_of).collect();
        let query = RateQuery {
            customer: asked.get("customer"),
            contract: asked.get("contract"),
            project: asked.get("project"),
            task: asked.get("task"),
            worker: asked.get("worker"),
            role: asked.get("role"),
            service_item: asked.get("service item"),
            day: asked.get("day").parse().unwrap(),
        };
        let why = asked.get("working");
        let expected = asked.get("= outcome");
        match choose_rate(&rows, &query) {
            Ok(row) => assert_eq!(row.rate, expected.parse().unwrap(), "{why}"),
            Err(NoRate::NoRow) => assert_eq!("no row", expected, "{why}"),
            Err(NoRate::Gap { .. }) => assert_eq!("gap", expected, "{why}"),
            Err(NoRate::Tie { .. }) => assert_eq!("tie", expected, "{why}"),
        }
    }
}

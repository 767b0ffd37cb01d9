//! Entries as a source sends them: about 620 bytes of JSON, of which billing needs the half.

use super::firm::{WORKERS, contract_of};
use anyhow::Result;
use jiff::ToSpan;
use jiff::civil::{Date, date};
use serde::Deserialize;
use std::fmt::Write as _;

/// What pricing takes from an entry. The floor reads the very same.
#[derive(Debug, Deserialize)]
pub(super) struct Wire<'a> {
    #[serde(borrow)]
    pub(super) id: &'a str,
    pub(super) worker: &'a str,
    pub(super) project: &'a str,
    pub(super) task: &'a str,
    pub(super) activity: &'a str,
    pub(super) date: Date,
    /// Hours as decimal text.
    pub(super) hours: &'a str,
    /// A rate per hour as decimal text: the floor's. The product has a card.
    pub(super) rate: &'a str,
    pub(super) narrative: &'a str,
    pub(super) approved: bool,
    pub(super) billable: bool,
}

/// A week of everybody's work, as one delivery.
pub(super) type Week = Vec<String>;

/// Two pieces of work a day: together more than eight hours.
const HALVES: [(&str, &str); 2] = [("4.75", "ANALYSIS"), ("4.58", "REVIEW")];

/// Weeks of work, from the first Monday of 2026.
pub(super) fn weeks(count: u32) -> Result<Vec<Week>> {
    let monday = date(2026, 1, 5);
    (0..count)
        .map(|week| {
            let first = monday.checked_add((7 * i64::from(week)).days())?;
            let mut all = Vec::new();
            for day in 0_i64..5 {
                let on = first.checked_add(day.days())?;
                for worker in 0..WORKERS {
                    for (half, (hours, task)) in HALVES.into_iter().enumerate() {
                        let number = contract_of(worker);
                        all.push(entry(
                            &format!("{on}-{worker:03}-{half}"),
                            worker,
                            number,
                            on,
                            hours,
                            task,
                        )?);
                    }
                }
            }
            Ok(all)
        })
        .collect()
}

fn entry(id: &str, worker: u32, number: u32, on: Date, hours: &str, task: &str) -> Result<String> {
    let mut text = String::new();
    write!(
        text,
        "{{\"id\":\"{id}\",\"worker\":\"W{worker:03}\",\"worker_name\":\"Worker {worker}\",\
         \"project\":\"P{number:02}\",\"project_name\":\"Project {number} of Client {number}\",\
         \"task\":\"{task}\",\"activity\":\"CONS\",\"date\":\"{on}\",\"hours\":\"{hours}\",\
         \"rate\":\"187.50\",\"currency\":\"EUR\",\
         \"narrative\":\"Review of the second draft with the client, notes sent to the team\",\
         \"approved\":true,\"billable\":true,\"approved_by\":\"Manager {number}\",\
         \"approved_at\":\"{on}T18:00:00Z\",\"created_at\":\"{on}T17:31:12Z\",\
         \"updated_at\":\"{on}T17:58:40Z\",\"tags\":[\"billable\",\"onsite\"],\
         \"url\":\"https://tracker.example/time_entries/{id}\",\"source\":\"web\",\
         \"custom\":{{\"cost_center\":\"{number}\",\"location\":\"Berlin\",\"travel\":false}}}}"
    )?;
    Ok(text)
}

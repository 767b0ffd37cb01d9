//! People who go on working in the tracker while processes die.

use crate::systems::Systems;
use anyhow::{Context, Result};
use connector_sdk::clock::{Clock, SystemClock};
use rand::Rng as _;
use rand::rngs::SmallRng;
use rand::seq::IndexedRandom as _;
use serde_json::Value;
use twins::frame::Machine as _;
use twins::tracker::TrackerAct;

/// Where somebody can work: contracts whose work is billed or is cost.
struct Place {
    project: String,
    task: String,
}

/// The people of the firm.
pub(crate) struct People {
    users: Vec<String>,
    places: Vec<Place>,
    /// Entries that they made, by id.
    made: Vec<String>,
    serial: u64,
}

impl People {
    /// Those whom both systems know, and the open tasks of ordinary contracts.
    pub(crate) fn of(systems: &Systems) -> Self {
        let ordinary = |id: &str| id == "K-INTERNAL" || !id.contains('-');
        let contracts = systems.config.contracts.iter();
        let codes: Vec<String> = contracts
            .filter(|contract| ordinary(&contract.id))
            .flat_map(|contract| contract.projects.clone())
            .collect();
        let places = systems.tracker.with(|state| {
            let tracker = &state.machine;
            let tasks = tracker.tasks.iter().filter_map(|(id, task)| {
                let project = tracker.projects.get(&task.project_id)?;
                let known = project.erp_code.as_ref().is_some_and(|c| codes.contains(c));
                (known && task.erp_code.is_some()).then(|| Place {
                    project: task.project_id.clone(),
                    task: id.clone(),
                })
            });
            tasks.collect()
        });
        let users = systems.config.crosswalk.workers.keys().cloned().collect();
        Self {
            users,
            places,
            made: Vec::new(),
            serial: 0,
        }
    }

    /// How many entries they made.
    pub(crate) fn made(&self) -> u64 {
        self.serial
    }

    /// One of them does something: books approved work, corrects or deletes it.
    pub(crate) fn act(&mut self, systems: &Systems, dice: &mut SmallRng) -> Result<()> {
        let die: u32 = dice.random_range(0..100);
        let act = match self.made.choose(dice) {
            Some(id) if die < 12 => TrackerAct::EditEntry {
                id: id.clone(),
                hours: Some(hours(dice)),
                date: None,
                narrative: None,
                project_id: None,
                task_id: None,
                billable: None,
            },
            Some(id) if die < 16 => TrackerAct::DeleteEntry { id: id.clone() },
            _ => self.booking(dice)?,
        };
        let now_us = SystemClock.now_us();
        let done = systems
            .tracker
            .with(|state| state.machine.act(&act, now_us));
        match (&done, &act) {
            (Ok(done), TrackerAct::AddEntry { .. }) => {
                let id = done.get("id").and_then(Value::as_str);
                self.made.extend(id.map(str::to_owned));
            }
            (_, TrackerAct::DeleteEntry { id }) => self.made.retain(|one| one != id),
            _ => {}
        }
        Ok(())
    }

    fn booking(&mut self, dice: &mut SmallRng) -> Result<TrackerAct> {
        self.serial += 1;
        let place = self.places.choose(dice).context("no open task")?;
        Ok(TrackerAct::AddEntry {
            user_id: self.users.choose(dice).context("nobody works")?.clone(),
            project_id: place.project.clone(),
            task_id: Some(place.task.clone()),
            activity_id: "consulting".to_owned(),
            date: format!("2026-11-{:02}", dice.random_range(1..=25)),
            hours: hours(dice),
            // No two look alike, so that none is held as a copy of another.
            narrative: format!("work {}", self.serial),
            approved_by: Some("u1".to_owned()),
        })
    }
}

fn hours(dice: &mut SmallRng) -> String {
    let minutes: u32 = dice.random_range(7..540);
    format!("{}.{:02}", minutes / 60, minutes % 60 * 100 / 60)
}

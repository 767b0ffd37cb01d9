//! The simulated tracker: entries of consultants, read page by page.
//!
//! Like real ones it has no feed of changes and does not tell of deletions; showing a billing
//! status changes the entry's time of change.

mod act;
mod api;
mod state;

pub use act::TrackerAct;
pub use state::{Change, Deleted, Entry, Project, Task, Tracker, User};

use crate::fault::PersonActs;
use crate::frame::Machine;
use crate::page::Quirk;
use crate::wire::{WireReply, WireRequest};
use serde_json::{Value, json};
use std::collections::BTreeMap;

impl Machine for Tracker {
    type Act = TrackerAct;

    fn api(&mut self, request: &WireRequest, now_us: i64, quirk: Quirk) -> WireReply {
        api::answer(self, request, now_us, quirk)
    }

    fn act(&mut self, act: &TrackerAct, now_us: i64) -> Result<Value, String> {
        act::perform(self, act, now_us)
    }

    fn whim(&self, acts: PersonActs, pick: u64) -> Option<TrackerAct> {
        act::whim(self, acts, pick)
    }

    fn truth(&self) -> BTreeMap<&'static str, Value> {
        let entries: Vec<Value> = self
            .entries
            .iter()
            .map(|(id, entry)| api::entry_json(*id, entry))
            .collect();
        let deleted: Vec<Value> = self
            .deleted
            .iter()
            .map(
                |gone| json!({"at_us": gone.at_us, "entry": api::entry_json(gone.id, &gone.entry)}),
            )
            .collect();
        BTreeMap::from([
            ("tracker", json!({"id": self.id, "name": self.name})),
            ("entries", Value::Array(entries)),
            ("deleted", Value::Array(deleted)),
            ("changes", json!(self.changes)),
            ("users", json!(self.users)),
            ("projects", json!(self.projects)),
            ("tasks", json!(self.tasks)),
        ])
    }
}

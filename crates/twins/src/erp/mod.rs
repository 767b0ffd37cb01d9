//! The simulated ERP: drafts with lines, issued documents with numbers from a strict sequence,
//! booked time, masters with periods.
//!
//! It misbehaves the way real ones do: a list is created whole or not at all and the error names
//! no line; without the unique-key mode a second line of one key is taken without a word; people
//! edit, move and delete what the product wrote.

mod act;
mod api;
mod check;
mod documents;
mod effect;
mod lines;
mod person;
mod state;
mod tamper;
mod time;

pub use act::ErpAct;
pub use effect::Effect;
pub use state::{
    Customer, Document, Erp, Line, ListPrice, Period, Project, ServiceItem, Settings, Task,
    TimeKind, TimeLine, Uniqueness, Worker,
};
pub use tamper::{Tamper, TamperMode, TamperWhen};

use crate::fault::PersonActs;
use crate::frame::Machine;
use crate::page::Quirk;
use crate::wire::{WireReply, WireRequest};
use serde_json::{Value, json};
use std::collections::BTreeMap;

impl Machine for Erp {
    type Act = ErpAct;

    fn api(&mut self, request: &WireRequest, now_us: i64, quirk: Quirk) -> WireReply {
        api::answer(self, request, now_us, quirk)
    }

    fn act(&mut self, act: &ErpAct, now_us: i64) -> Result<Value, String> {
        act::perform(self, act, now_us)
    }

    fn whim(&self, acts: PersonActs, pick: u64) -> Option<ErpAct> {
        act::whim(self, acts, pick)
    }

    fn truth(&self) -> BTreeMap<&'static str, Value> {
        let documents: Vec<Value> = self
            .documents
            .keys()
            .filter_map(|id| documents::document_json(self, *id))
            .collect();
        let lines: Vec<Value> = self
            .lines
            .iter()
            .map(|(id, line)| lines::line_json(self, *id, line))
            .collect();
        let time_lines: Vec<Value> = self
            .time_lines
            .iter()
            .map(|(id, line)| time::time_line_json(self, *id, line))
            .collect();
        BTreeMap::from([
            ("company", api::company_json(self)),
            ("documents", Value::Array(documents)),
            ("lines", Value::Array(lines)),
            ("time_lines", Value::Array(time_lines)),
            ("effects", json!(self.effects)),
            ("periods", json!(self.periods)),
            ("customers", json!(self.customers)),
            ("workers", json!(self.workers)),
            ("projects", json!(self.projects)),
            ("tasks", json!(self.tasks)),
            ("service_items", json!(self.service_items)),
        ])
    }

    fn before_truth(&mut self, now_us: i64) {
        tamper::at_end(self, now_us);
    }
}

//! A piece of work as the group engine takes it: what the source recorded, and what the source may
//! know of its clock and approval.

use crate::quantity::WorkTime;
use crate::resolve::Resolved;
use domain::entry::EntryFields;
use domain::rate::RateFacts;
use serde::{Deserialize, Serialize};

/// A piece of work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Work {
    /// The source's id.
    pub id: String,
    /// What was recorded.
    pub fields: EntryFields,
    /// When it began, in microseconds since the epoch, if the source knows.
    #[serde(default)]
    pub started_us: Option<i64>,
    /// When it was approved, in microseconds since the epoch.
    #[serde(default)]
    pub approved_us: Option<i64>,
    /// Whether the client allowed overtime for it beforehand.
    #[serde(default)]
    pub preauthorised: bool,
    /// Whether a person looked at it as it is, so that no condition holds it. What stands booked as
    /// it is counts as looked at.
    #[serde(default)]
    pub looked_at: bool,
}

impl Work {
    /// As the stages of quantity and overtime see it, with so many seconds.
    pub(super) fn time<'a>(&'a self, resolved: &Resolved<'a>, line: &'a str) -> WorkTime<'a> {
        WorkTime {
            source_ref: &self.id,
            worker: &resolved.worker.code,
            customer: resolved.customer.map_or("", |c| c.code.as_str()),
            project: &resolved.project.code,
            task: &resolved.task.code,
            line,
            work_date: self.fields.work_date,
            started_us: self.started_us,
            approved_us: self.approved_us,
            seconds: self.fields.recorded_seconds,
        }
    }
}

/// What a rate is looked up by.
pub(super) fn rate_facts<'a>(resolved: &Resolved<'a>) -> RateFacts<'a> {
    RateFacts {
        customer: resolved.customer.map_or("", |c| c.code.as_str()),
        contract: &resolved.contract.id,
        project: &resolved.project.code,
        task: &resolved.task.code,
        practice: resolved.practice,
        worker: &resolved.worker.code,
        role: resolved.role,
        service_item: &resolved.service_item.code,
    }
}

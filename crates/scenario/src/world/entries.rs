//! Entries: recorded, changed, deleted at their source.

use super::{Played, World};
use crate::event;
use domain::decimal::Micro;
use domain::entry::EntryFields;
use domain::exception::{Code, Problem};
use jiff::civil::{Date, Time};
use rules::engine::{Change, Work};

impl World {
    pub(super) fn entry(&mut self, number: usize, entry: &event::Entry) -> Played<()> {
        if self.works.contains_key(&entry.id) {
            return Err(format!("entry {} is there already; use edit", entry.id));
        }
        let fields = EntryFields {
            worker_ref: entry.worker.clone(),
            project_ref: entry.project.clone(),
            task_ref: Some(entry.task.clone()),
            activity_ref: entry.service_item.clone(),
            work_date: entry.date,
            recorded_seconds: seconds(entry.hours, entry.minutes)?.unwrap_or_default(),
            narrative: entry.narrative.clone(),
            approved: entry.approved,
            billable: entry.billable,
        };
        let work = Work {
            id: entry.id.clone(),
            started_us: entry
                .start
                .and_then(|start| self.instant(entry.date, start)),
            approved_us: self.instant(self.day, Time::midnight()),
            preauthorised: entry.preauthorised,
            looked_at: false,
            fields,
        };
        self.put(number, work)
    }

    fn instant(&self, day: Date, time: Time) -> Option<i64> {
        let zone = jiff::tz::TimeZone::get(&self.reference.entity.zone).ok()?;
        let zoned = day.to_datetime(time).to_zoned(zone).ok()?;
        Some(zoned.timestamp().as_microsecond())
    }

    pub(super) fn edit(&mut self, number: usize, edit: &event::Edit) -> Played<()> {
        let Some(known) = self.works.get(&edit.id) else {
            return Err(format!("there is no entry {} to edit", edit.id));
        };
        let mut work = known.clone();
        let was_approved = work.fields.approved;
        // What somebody looked at was the entry as it was.
        work.looked_at = false;
        let fields = &mut work.fields;
        let set = |to: &mut String, new: &Option<String>| {
            if let Some(new) = new {
                to.clone_from(new);
            }
        };
        set(&mut fields.worker_ref, &edit.worker);
        set(&mut fields.project_ref, &edit.project);
        set(&mut fields.narrative, &edit.narrative);
        if edit.task.is_some() {
            fields.task_ref.clone_from(&edit.task);
        }
        fields.work_date = edit.date.unwrap_or(fields.work_date);
        fields.billable = edit.billable.unwrap_or(fields.billable);
        fields.approved = edit.approved.unwrap_or(fields.approved);
        if let Some(seconds) = seconds(edit.hours, edit.minutes)? {
            fields.recorded_seconds = seconds;
        }
        if fields.approved && !was_approved {
            work.approved_us = self.instant(self.day, Time::midnight());
        }
        self.put(number, work)
    }

    fn put(&mut self, number: usize, work: Work) -> Played<()> {
        let id = work.id.clone();
        let approved = work.fields.approved;
        let change = if approved {
            Change::Put(Box::new(work.clone()))
        } else {
            Change::Remove(id.clone())
        };
        self.works.insert(id.clone(), work);
        if !approved && self.is_issued(&id) {
            // The client has it. Whether that is credited is for a person to say.
            let facts = "the entry is on an issued document";
            let problem = Problem::new(Code::ApprovalWithdrawn, facts);
            self.exceptions.insert(id, problem);
            return Ok(());
        }
        self.change(number, vec![change])
    }

    pub(super) fn confirm(&mut self, number: usize, id: &str) -> Played<()> {
        let held = self.exceptions.get(id).map(|problem| problem.code);
        let Some(known) = self
            .works
            .get(id)
            .filter(|_| held == Some(Code::ConditionHolds))
        else {
            return Err(format!("no condition holds an entry {id}"));
        };
        let mut work = known.clone();
        work.looked_at = true;
        self.put(number, work)
    }

    pub(super) fn delete(&mut self, number: usize, id: &str) -> Played<()> {
        if self.works.remove(id).is_none() {
            return Err(format!("there is no entry {id} to delete"));
        }
        self.exceptions.remove(id);
        self.change(number, vec![Change::Remove(id.to_owned())])
    }
}

/// Recorded seconds of hours or minutes.
fn seconds(hours: Option<Micro>, minutes: Option<u32>) -> Played<Option<i64>> {
    let seconds = match (hours, minutes) {
        (None, None) => return Ok(None),
        (Some(hours), None) => {
            let micro_seconds = i128::from(hours.micro()) * 3600;
            if micro_seconds % 1_000_000 != 0 {
                return Err(format!("{hours} hours are no whole seconds; write minutes"));
            }
            i64::try_from(micro_seconds / 1_000_000).map_err(|error| error.to_string())?
        }
        (None, Some(minutes)) => i64::from(minutes) * 60,
        (Some(_), Some(_)) => return Err("the time is given twice".to_owned()),
    };
    if seconds <= 0 || seconds > domain::quantity::SECONDS_MAX_PER_ENTRY {
        return Err("an entry has more than 0 and at most 24 hours".to_owned());
    }
    Ok(Some(seconds))
}

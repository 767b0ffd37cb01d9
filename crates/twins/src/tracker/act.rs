//! What people do in the tracker.

use super::state::{Deleted, Entry, Tracker};
use crate::fault::PersonActs;
use crate::page::chosen;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Something a person does in the tracker.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
pub enum TrackerAct {
    /// Change an entry; what is not given stays.
    EditEntry {
        /// The entry.
        id: String,
        /// New hours.
        #[serde(default)]
        hours: Option<String>,
        /// New day.
        #[serde(default)]
        date: Option<String>,
        /// New text.
        #[serde(default)]
        narrative: Option<String>,
        /// New project, with its task.
        #[serde(default)]
        project_id: Option<String>,
        /// New task.
        #[serde(default)]
        task_id: Option<String>,
        /// Whether the client pays.
        #[serde(default)]
        billable: Option<bool>,
    },
    /// Take the last edit of an entry back.
    EditBack {
        /// The entry.
        id: String,
    },
    /// Delete an entry.
    DeleteEntry {
        /// The entry.
        id: String,
    },
    /// Record one more entry.
    AddEntry {
        /// The person.
        user_id: String,
        /// The project.
        project_id: String,
        /// The task.
        #[serde(default)]
        task_id: Option<String>,
        /// The kind of work.
        activity_id: String,
        /// The day.
        date: String,
        /// The hours.
        hours: String,
        /// The text.
        narrative: String,
        /// Who approved it, if anybody.
        #[serde(default)]
        approved_by: Option<String>,
    },
    /// Approve an entry.
    Approve {
        /// The entry.
        id: String,
        /// Who approves.
        by: String,
    },
    /// Withdraw the approval.
    Unapprove {
        /// The entry.
        id: String,
    },
    /// Link a project to the ERP.
    LinkProject {
        /// The tracker's project.
        id: String,
        /// The ERP's code.
        erp_code: String,
    },
}

pub(super) fn perform(
    tracker: &mut Tracker,
    act: &TrackerAct,
    now_us: i64,
) -> Result<Value, String> {
    match act {
        TrackerAct::EditEntry {
            id,
            hours,
            date,
            narrative,
            project_id,
            task_id,
            billable,
        } => change(tracker, id, "edit", now_us, |entry| {
            set(&mut entry.hours, hours.as_ref());
            set(&mut entry.date, date.as_ref());
            set(&mut entry.narrative, narrative.as_ref());
            set(&mut entry.project_id, project_id.as_ref());
            if task_id.is_some() {
                entry.task_id.clone_from(task_id);
            }
            entry.billable = billable.unwrap_or(entry.billable);
        }),
        TrackerAct::EditBack { id } => {
            let before = tracker
                .changes
                .iter()
                .rev()
                .find(|change| &change.id == id && change.what == "edit")
                .and_then(|change| change.before.clone())
                .ok_or("the entry was not edited")?;
            change(tracker, id, "edit_back", now_us, |entry| {
                let shown = (entry.billing_status.take(), entry.erp_reference.take());
                *entry = before;
                (entry.billing_status, entry.erp_reference) = shown;
            })
        }
        TrackerAct::DeleteEntry { id } => {
            let number = number(id)?;
            let entry = tracker
                .entries
                .remove(&number)
                .ok_or("there is no such entry")?;
            tracker.record(now_us, number, "delete", Some(entry.clone()), None);
            tracker.deleted.push(Deleted {
                at_us: now_us,
                id: number,
                entry,
            });
            Ok(json!({"deleted": id}))
        }
        TrackerAct::AddEntry { .. } => add(tracker, act, now_us),
        TrackerAct::Approve { id, by } => change(tracker, id, "approve", now_us, |entry| {
            entry.approved_by = Some(by.clone());
            entry.approved_at_us = Some(now_us);
        }),
        TrackerAct::Unapprove { id } => change(tracker, id, "unapprove", now_us, |entry| {
            entry.approved_by = None;
            entry.approved_at_us = None;
        }),
        TrackerAct::LinkProject { id, erp_code } => {
            let project = tracker
                .projects
                .get_mut(id)
                .ok_or("there is no such project")?;
            project.erp_code = Some(erp_code.clone());
            Ok(json!({"linked": id}))
        }
    }
}

fn add(tracker: &mut Tracker, act: &TrackerAct, now_us: i64) -> Result<Value, String> {
    let TrackerAct::AddEntry {
        user_id,
        project_id,
        task_id,
        activity_id,
        date,
        hours,
        narrative,
        approved_by,
    } = act
    else {
        return Err("that adds nothing".to_owned());
    };
    let entry = Entry {
        user_id: user_id.clone(),
        project_id: project_id.clone(),
        task_id: task_id.clone(),
        activity_id: activity_id.clone(),
        date: date.clone(),
        hours: hours.clone(),
        narrative: narrative.clone(),
        approved_by: approved_by.clone(),
        approved_at_us: approved_by.as_ref().map(|_| now_us),
        billable: true,
        billing_status: None,
        erp_reference: None,
        updated_at_us: now_us,
    };
    let id = tracker.seed_entry(entry.clone());
    tracker.record(now_us, id, "add", None, Some(entry));
    Ok(json!({"id": id.to_string()}))
}

fn set(field: &mut String, value: Option<&String>) {
    if let Some(value) = value {
        field.clone_from(value);
    }
}

fn number(id: &str) -> Result<u64, String> {
    id.parse().map_err(|_| "there is no such entry".to_owned())
}

fn change(
    tracker: &mut Tracker,
    id: &str,
    what: &'static str,
    now_us: i64,
    edit: impl FnOnce(&mut Entry),
) -> Result<Value, String> {
    let number = number(id)?;
    let entry = tracker
        .entries
        .get_mut(&number)
        .ok_or("there is no such entry")?;
    let before = entry.clone();
    edit(entry);
    if before.same_content(entry) {
        entry.updated_at_us = before.updated_at_us;
        return Ok(json!({"unchanged": id}));
    }
    entry.updated_at_us = now_us;
    let after = entry.clone();
    tracker.record(now_us, number, what, Some(before), Some(after));
    Ok(json!({"changed": id}))
}

/// What a consultant would do on the spur of the moment.
pub(super) fn whim(tracker: &Tracker, acts: PersonActs, pick: u64) -> Option<TrackerAct> {
    let any = || {
        chosen(tracker.entries.len(), pick)
            .and_then(|at| tracker.entries.iter().nth(at))
            .map(|(id, entry)| (id.to_string(), entry))
    };
    match acts {
        PersonActs::EditsEntry => {
            let (id, entry) = any()?;
            let hours = ["0.25", "0.67", "1.33", "2.50", "3.17"];
            let at = chosen(hours.len(), pick >> 20)?;
            Some(TrackerAct::EditEntry {
                id,
                hours: hours.get(at).map(|hours| (*hours).to_owned()),
                date: None,
                narrative: (pick & 1 == 1).then(|| format!("{} (corrected)", entry.narrative)),
                project_id: None,
                task_id: None,
                billable: None,
            })
        }
        PersonActs::EditsEntryBack => {
            let edited: Vec<&str> = tracker
                .changes
                .iter()
                .filter(|change| change.what == "edit")
                .map(|change| change.id.as_str())
                .collect();
            let id = edited.get(chosen(edited.len(), pick)?)?;
            Some(TrackerAct::EditBack {
                id: (*id).to_owned(),
            })
        }
        PersonActs::DeletesEntry => any().map(|(id, _)| TrackerAct::DeleteEntry { id }),
        PersonActs::DeletesLine
        | PersonActs::EditsLine
        | PersonActs::MovesLine
        | PersonActs::Issues
        | PersonActs::Pays
        | PersonActs::Credits => None,
    }
}

//! From a record of Redmine to a canonical entry: pure, total, and exact.
//!
//! A record that cannot be read is an [`UnreadableEntry`] with the code that says why; it never
//! costs another record of its page. Hours are read from the text of the JSON number.

use super::config::{FieldRef, RedmineConfig};
use super::wire::{CustomValue, Named};
use domain::entry::{EntryFields, SourceEntry, UnreadableEntry};
use domain::exception::{Code, Problem};
use domain::quantity::recorded_seconds;
use domain::time::{DateError, work_date};
use jiff::civil::Date;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::collections::BTreeMap;

/// The most of an unreadable record that is kept, in bytes.
pub const RAW_LIMIT_BYTES: usize = 64 * 1024;
/// The longest text of one entry, in characters. Redmine itself stops at 1024.
pub const TEXT_LIMIT_CHARS: usize = 16 * 1024;

/// One record: an entry, or why it is none.
pub type Read = Result<Box<SourceEntry>, Box<UnreadableEntry>>;

type Parts<'a> = BTreeMap<String, &'a RawValue>;

/// Read one time entry. `mended` says that bytes which are no UTF-8 were replaced on the way: the
/// replacement character then stands where nobody typed it.
pub(super) fn entry(raw: &str, mended: bool, config: &RedmineConfig) -> Read {
    let unreadable = |source_ref: Option<String>, work_date: Option<Date>, problem: Problem| {
        Err(Box::new(UnreadableEntry {
            source_ref,
            work_date,
            raw: raw.bytes().take(RAW_LIMIT_BYTES).collect(),
            problem,
        }))
    };
    let Ok(parts) = serde_json::from_str::<Parts<'_>>(raw) else {
        let facts = "The record is no time entry but something else.";
        return unreadable(None, None, Problem::new(Code::RecordUnreadable, facts));
    };
    let source_ref = parts.get("id").and_then(|raw| id_text(raw.get()));
    let day = spent_on(&parts);
    let known_day = match &day {
        Ok(date) | Err((Some(date), _)) => Some(*date),
        Err((None, _)) => None,
    };
    let Some(id) = source_ref.clone() else {
        let facts = "The record has no id that can be read.";
        return unreadable(None, known_day, Problem::new(Code::RecordUnreadable, facts));
    };
    if mended && raw.contains('\u{fffd}') {
        let facts = format!("Time entry {id} holds bytes that are no text (not UTF-8).");
        let problem = Problem::new(Code::TextRefused, facts);
        return unreadable(source_ref, known_day, problem);
    }
    match day
        .map_err(|(_, problem)| problem)
        .and_then(|date| read(id, raw, &parts, date, config))
    {
        Ok(entry) => Ok(Box::new(entry)),
        Err(problem) => unreadable(source_ref, known_day, problem),
    }
}

/// A positive whole number, as a number or in quotation marks.
pub(super) fn id_text(raw: &str) -> Option<String> {
    let digits = raw
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'))
        .unwrap_or(raw);
    let value: u64 = digits.parse().ok()?;
    (value > 0 && !digits.starts_with('+')).then(|| value.to_string())
}

/// The day, or the problem and the day where at least that could be read.
fn spent_on(parts: &Parts<'_>) -> Result<Date, (Option<Date>, Problem)> {
    let raw = parts.get("spent_on").map_or("null", |raw| raw.get());
    let text: String = serde_json::from_str(raw).map_err(|_| {
        let facts = format!("The date is {}, which is no date.", short(raw));
        (None, Problem::new(Code::DateInvalid, facts))
    })?;
    work_date(&text).map_err(|error| {
        let day = match &error {
            DateError::OutOfRange(date) => Some(*date),
            DateError::Unreadable(_) => None,
        };
        let facts = format!("The date {}.", visible(&error.to_string()));
        (day, Problem::new(Code::DateInvalid, facts))
    })
}

fn read(
    id: String,
    raw: &str,
    parts: &Parts<'_>,
    work_date: Date,
    config: &RedmineConfig,
) -> Result<SourceEntry, Problem> {
    let custom = custom_values(parts)?;
    let recorded_seconds = hours(parts, config)?;
    let worker = required(parts, "user")?;
    let project = required(parts, "project")?;
    let task = optional(parts, "issue")?;
    let activity = required(parts, "activity")?;
    let activity_ref = match &activity.name {
        Some(name) => text(name, "activity")?,
        None => activity.id.to_string(),
    };
    let comments: Option<String> = parts
        .get("comments")
        .map_or(Ok(None), |raw| serde_json::from_str(raw.get()))
        .map_err(|_| unreadable("comment"))?;
    let approval = field(&custom, &config.fields.approval)?;
    let approved = approval
        .as_deref()
        .is_some_and(|value| config.approved_values.iter().any(|word| word == value));
    let billable = if config.fields.billable.is_used() {
        match field(&custom, &config.fields.billable)?.as_deref() {
            Some("1") => true,
            Some("0") => false,
            Some(other) => {
                let facts = format!(
                    "The {} is '{}', but it is a yes/no field (1 or 0).",
                    config.fields.billable,
                    short(other)
                );
                return Err(Problem::new(Code::RecordUnreadable, facts));
            }
            None => config.billable_when_empty,
        }
    } else {
        true
    };
    Ok(SourceEntry {
        source_ref: id,
        raw: raw.as_bytes().to_vec(),
        fields: EntryFields {
            worker_ref: worker.id.to_string(),
            project_ref: project.id.to_string(),
            task_ref: task.map(|issue| issue.id.to_string()),
            activity_ref,
            work_date,
            recorded_seconds,
            narrative: text(&comments.unwrap_or_default(), "comment")?,
            approved,
            billable,
        },
        shown_status: shown(&custom, &config.fields.billing_status),
        shown_reference: shown(&custom, &config.fields.erp_reference),
    })
}

fn hours(parts: &Parts<'_>, config: &RedmineConfig) -> Result<i64, Problem> {
    let raw = parts.get("hours").map_or("null", |raw| raw.get());
    let invalid = |facts: String| Problem::new(Code::HoursInvalid, facts);
    let seconds = recorded_seconds(raw, config.resolution)
        .map_err(|error| invalid(format!("The {}.", visible(&error.to_string()))))?;
    if seconds == 0 {
        return Err(invalid(format!("The hours are {raw}, which is no time.")));
    }
    Ok(seconds)
}

/// The custom fields that can be read; a broken one that nobody asked for is no harm.
fn custom_values(parts: &Parts<'_>) -> Result<Vec<CustomValue>, Problem> {
    let Some(raw) = parts.get("custom_fields") else {
        return Ok(Vec::new());
    };
    let rows: Option<Vec<&RawValue>> =
        serde_json::from_str(raw.get()).map_err(|_| unreadable("list of custom fields"))?;
    Ok(rows
        .unwrap_or_default()
        .into_iter()
        .filter(|row| is_object(row))
        .filter_map(|row| serde_json::from_str(row.get()).ok())
        .collect())
}

/// The value of a field: `None` where it is empty, a problem where the field is not there at all
/// (hidden from the key's user, or not enabled).
fn field(custom: &[CustomValue], which: &FieldRef) -> Result<Option<String>, Problem> {
    let Some(found) = custom
        .iter()
        .find(|value| which.means(value.id, &value.name))
    else {
        let facts = format!(
            "The {which} is not on this entry: it is hidden from the connector's user, or not there."
        );
        return Err(Problem::new(Code::RecordUnreadable, facts));
    };
    match one_value(found) {
        Value::Empty => Ok(None),
        Value::One(text) => Ok(Some(text)),
        Value::Several => {
            let facts = format!("The {which} holds several values where one is needed.");
            Err(Problem::new(Code::RecordUnreadable, facts))
        }
    }
}

/// What a custom field holds.
enum Value {
    Empty,
    One(String),
    Several,
}

fn one_value(found: &CustomValue) -> Value {
    let one = |value: &serde_json::Value| match value {
        serde_json::Value::Null => Value::Empty,
        serde_json::Value::String(text) if text.is_empty() => Value::Empty,
        serde_json::Value::String(text) => Value::One(text.clone()),
        serde_json::Value::Number(number) => Value::One(number.to_string()),
        serde_json::Value::Bool(yes) => Value::One(if *yes { "1" } else { "0" }.to_owned()),
        serde_json::Value::Array(_) | serde_json::Value::Object(_) => Value::Several,
    };
    match &found.value {
        serde_json::Value::Array(values) => match values.as_slice() {
            [] => Value::Empty,
            [single] => one(single),
            _ => Value::Several,
        },
        other => one(other),
    }
}

/// What a field shows, for fields that carry no decision: missing is nothing.
pub(super) fn shown(custom: &[CustomValue], which: &FieldRef) -> Option<String> {
    custom
        .iter()
        .find(|value| which.means(value.id, &value.name))
        .and_then(|value| match one_value(value) {
            Value::One(text) => Some(text.trim().to_owned()),
            Value::Empty | Value::Several => None,
        })
        .filter(|text| !text.is_empty())
}

fn required(parts: &Parts<'_>, name: &str) -> Result<Named, Problem> {
    optional(parts, name)?.ok_or_else(|| {
        let facts = format!("The entry names no {name}.");
        Problem::new(Code::RecordUnreadable, facts)
    })
}

fn optional(parts: &Parts<'_>, name: &str) -> Result<Option<Named>, Problem> {
    match parts.get(name) {
        None => Ok(None),
        Some(raw) if raw.get() == "null" => Ok(None),
        Some(raw) if is_object(raw) => Named::deserialize(*raw)
            .map(Some)
            .map_err(|_| unreadable(name)),
        Some(_) => Err(unreadable(name)),
    }
}

/// Serde would also take `[7]` for `{"id":7}`.
fn is_object(raw: &RawValue) -> bool {
    raw.get().starts_with('{')
}

fn unreadable(what: &str) -> Problem {
    let facts = format!("The {what} of the entry cannot be read.");
    Problem::new(Code::RecordUnreadable, facts)
}

/// A text that any ledger and any e-invoice can hold: the characters of XML 1.0, no longer than the
/// limit. Right-to-left text, emoji and combining marks stay as they are.
fn text(value: &str, what: &str) -> Result<String, Problem> {
    let allowed = |c: char| match c {
        '\t' | '\n' | '\r' => true,
        '\u{fffe}' | '\u{ffff}' => false,
        other => other >= ' ',
    };
    if let Some(bad) = value.chars().find(|c| !allowed(*c)) {
        let facts = format!(
            "The {what} holds the character U+{:04X}, which cannot be printed.",
            u32::from(bad)
        );
        return Err(Problem::new(Code::TextRefused, facts));
    }
    if value.chars().nth(TEXT_LIMIT_CHARS).is_some() {
        let facts = format!("The {what} is longer than {TEXT_LIMIT_CHARS} characters.");
        return Err(Problem::new(Code::TextRefused, facts));
    }
    Ok(value.to_owned())
}

fn short(text: &str) -> String {
    visible(&text.chars().take(40).collect::<String>())
}

fn visible(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).collect()
}

//! From a row of the tracker to a canonical entry: pure and total.
//!
//! A row that cannot be read is an [`UnreadableEntry`] with the code that says why; it never costs
//! another row of its page.

use crate::reference_rest::wire::{Row, row_id};
use domain::entry::{EntryFields, SourceEntry, UnreadableEntry};
use domain::exception::{Code, Problem};
use domain::quantity::{SourceResolution, recorded_seconds};
use domain::status::BillingStatus;
use domain::time::{DateError, work_date};
use jiff::civil::Date;
use serde::Deserialize;

/// The most of an unreadable row that is kept, in bytes.
pub const RAW_LIMIT_BYTES: usize = 64 * 1024;
/// The longest text of one entry, in characters.
pub const TEXT_LIMIT_CHARS: usize = 16 * 1024;

/// One row: an entry, or why it is none.
pub type Read = Result<Box<SourceEntry>, Box<UnreadableEntry>>;

#[derive(Deserialize)]
struct EntryRow {
    id: String,
    user_id: String,
    project_id: String,
    task_id: Option<String>,
    activity_id: String,
    date: String,
    hours: String,
    #[serde(default)]
    narrative: String,
    approved: bool,
    billable: bool,
    billing_status: Option<String>,
    erp_reference: Option<String>,
}

#[derive(Deserialize)]
struct Dated {
    date: String,
}

/// Read one row.
pub fn entry(row: &Row, resolution: SourceResolution) -> Read {
    let day = serde_json::from_str::<Dated>(&row.text)
        .map_err(|_| Problem::new(Code::DateInvalid, "The entry has no date that can be read."))
        .map(|dated| dated.date);
    // A day out of all reason is still a day: needed to tell the entry from a deleted one.
    let known_day = day.as_deref().ok().and_then(|text| match work_date(text) {
        Ok(date) | Err(DateError::OutOfRange(date)) => Some(date),
        Err(DateError::Unreadable(_)) => None,
    });
    read(row, resolution).map(Box::new).map_err(|problem| {
        Box::new(UnreadableEntry {
            source_ref: row_id(&row.text),
            work_date: known_day,
            raw: row.text.bytes().take(RAW_LIMIT_BYTES).collect(),
            problem,
        })
    })
}

fn read(row: &Row, resolution: SourceResolution) -> Result<SourceEntry, Problem> {
    if row_id(&row.text).is_none() {
        let facts = "The record has no id that can be read.";
        return Err(Problem::new(Code::RecordUnreadable, facts));
    }
    if row.mended && row.text.contains('\u{fffd}') {
        let facts = "The entry holds bytes that are no text (not UTF-8).";
        return Err(Problem::new(Code::TextRefused, facts));
    }
    let parts: EntryRow = serde_json::from_str(&row.text).map_err(|error| {
        // The library's words name the field and never its value's text beyond a type.
        let what = if error.is_data() {
            "a field is missing or of another type"
        } else {
            "it is no entry"
        };
        Problem::new(
            Code::RecordUnreadable,
            format!("The record cannot be read: {what}."),
        )
    })?;
    let work_date: Date = work_date(&parts.date).map_err(|error| {
        Problem::new(
            Code::DateInvalid,
            format!("The date {}.", visible(&error.to_string())),
        )
    })?;
    let seconds = recorded_seconds(&parts.hours, resolution).map_err(|error| {
        Problem::new(
            Code::HoursInvalid,
            format!("The {}.", visible(&error.to_string())),
        )
    })?;
    if seconds == 0 {
        let facts = format!("The hours are {}, which is no time.", visible(&parts.hours));
        return Err(Problem::new(Code::HoursInvalid, facts));
    }
    for (what, value) in [
        ("user", &parts.user_id),
        ("project", &parts.project_id),
        ("activity", &parts.activity_id),
    ] {
        if value.is_empty() {
            let facts = format!("The entry names no {what}.");
            return Err(Problem::new(Code::RecordUnreadable, facts));
        }
    }
    printable(&parts.narrative)?;
    Ok(SourceEntry {
        source_ref: parts.id,
        raw: row.text.as_bytes().to_vec(),
        fields: EntryFields {
            worker_ref: parts.user_id,
            project_ref: parts.project_id,
            task_ref: parts.task_id.filter(|task| !task.is_empty()),
            activity_ref: parts.activity_id,
            work_date,
            recorded_seconds: seconds,
            narrative: parts.narrative,
            approved: parts.approved,
            billable: parts.billable,
        },
        shown_status: parts.billing_status.map(shown),
        shown_reference: parts.erp_reference.filter(|shown| !shown.is_empty()),
    })
}

/// The words of a status that the tracker keeps by its stable name.
fn shown(name: String) -> String {
    BillingStatus::from_name(&name).map_or(name, |status| status.words().to_owned())
}

/// A text that any ledger and any e-invoice can hold: the characters of XML 1.0, no longer than
/// the limit.
fn printable(value: &str) -> Result<(), Problem> {
    let allowed = |c: char| match c {
        '\t' | '\n' | '\r' => true,
        '\u{fffe}' | '\u{ffff}' => false,
        other => other >= ' ',
    };
    if let Some(bad) = value.chars().find(|c| !allowed(*c)) {
        let facts = format!(
            "The text holds the character U+{:04X}, which cannot be printed.",
            u32::from(bad)
        );
        return Err(Problem::new(Code::TextRefused, facts));
    }
    if value.chars().nth(TEXT_LIMIT_CHARS).is_some() {
        let facts = format!("The text is longer than {TEXT_LIMIT_CHARS} characters.");
        return Err(Problem::new(Code::TextRefused, facts));
    }
    Ok(())
}

fn visible(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(120).collect()
}

#[cfg(test)]
#[path = "map_tests.rs"]
mod tests;

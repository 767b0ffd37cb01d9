//! A time entry as a source gave it, read but not judged.

use crate::ids::digest;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// The version of the list of fields that [`EntryFields::fingerprint`] covers. A new version is
/// re-baselined from the raw bytes and makes no revision.
pub const FINGERPRINT_VERSION: i64 = 1;

/// The fields of an entry that billing depends on. Our own write-backs (billing status, ERP
/// reference, the source's time of change) are not among them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EntryFields {
    /// The source's id of the person.
    pub worker_ref: String,
    /// The source's id of the project.
    pub project_ref: String,
    /// The source's id of the task, if the entry has one.
    pub task_ref: Option<String>,
    /// The source's name or id of the kind of work.
    pub activity_ref: String,
    /// The day the work was done.
    pub work_date: Date,
    /// Recorded time in whole seconds, at the source's resolution.
    pub recorded_seconds: i64,
    /// What the person wrote.
    pub narrative: String,
    /// Whether the source calls it approved.
    pub approved: bool,
    /// Whether the source calls it billable.
    pub billable: bool,
}

impl EntryFields {
    /// The bytes whose keyed hash is the fingerprint: every field, length-prefixed.
    pub fn canonical_bytes(&self) -> Vec<u8> {
        let seconds = self.recorded_seconds.to_string();
        let date = self.work_date.to_string();
        let task = self
            .task_ref
            .as_deref()
            .map_or_else(|| "-".to_owned(), |t| format!("={t}"));
        let mut bytes = Vec::with_capacity(160 + self.narrative.len());
        for part in [
            self.worker_ref.as_str(),
            self.project_ref.as_str(),
            task.as_str(),
            self.activity_ref.as_str(),
            date.as_str(),
            seconds.as_str(),
            self.narrative.as_str(),
            if self.approved {
                "approved"
            } else {
                "unapproved"
            },
            if self.billable {
                "billable"
            } else {
                "not billable"
            },
        ] {
            bytes.extend_from_slice(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            bytes.extend_from_slice(part.as_bytes());
        }
        bytes
    }

    /// The keyed fingerprint. Keyed, because an unkeyed hash of a person's text can be guessed.
    pub fn fingerprint(&self, key: &[u8; 32]) -> [u8; 16] {
        let inner = digest("fingerprint", &[key, &self.canonical_bytes()]);
        let outer = digest("fingerprint-outer", &[key, &inner]);
        let mut short = [0_u8; 16];
        for (to, from) in short.iter_mut().zip(outer) {
            *to = from;
        }
        short
    }
}

/// One entry of a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceEntry {
    /// The source's own, stable id.
    pub source_ref: String,
    /// The bytes as received.
    pub raw: Vec<u8>,
    /// What was read from them.
    pub fields: EntryFields,
    /// The billing status that the source shows now (our own write-back), if it can show one.
    pub shown_status: Option<String>,
    /// The ERP reference that the source shows now.
    pub shown_reference: Option<String>,
}

/// A record that could not be read; the others of its page are not touched by it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnreadableEntry {
    /// The source's id, where at least that could be read.
    pub source_ref: Option<String>,
    /// The work date, where it could be read: needed to tell an unreadable entry from a deleted one.
    pub work_date: Option<Date>,
    /// The bytes as received, cut at a limit.
    pub raw: Vec<u8>,
    /// What is wrong with it.
    pub problem: crate::exception::Problem,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields() -> EntryFields {
        EntryFields {
            worker_ref: "8".into(),
            project_ref: "9".into(),
            task_ref: Some("18".into()),
            activity_ref: "Consulting".into(),
            work_date: jiff::civil::date(2026, 11, 15),
            recorded_seconds: 9900,
            narrative: "Review".into(),
            approved: true,
            billable: true,
        }
    }

    #[test]
    fn every_field_moves_the_fingerprint() {
        let key = [7; 32];
        let base = fields().fingerprint(&key);
        let changes: [fn(&mut EntryFields); 9] = [
            |f| f.worker_ref.push('x'),
            |f| f.project_ref.push('x'),
            |f| f.task_ref = None,
            |f| f.activity_ref.push('x'),
            |f| f.work_date = jiff::civil::date(2026, 11, 16),
            |f| f.recorded_seconds += 1,
            |f| f.narrative.push('x'),
            |f| f.approved = false,
            |f| f.billable = false,
        ];
        for (number, change) in changes.iter().enumerate() {
            let mut changed = fields();
            change(&mut changed);
            assert_ne!(changed.fingerprint(&key), base, "change {number}");
        }
        assert_eq!(fields().fingerprint(&key), base);
        assert_ne!(fields().fingerprint(&[8; 32]), base);
    }
}

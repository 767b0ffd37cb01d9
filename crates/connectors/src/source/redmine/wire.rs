//! What Redmine sends, read record by record, so that one broken record breaks no page.
//!
//! Numbers that matter are kept as the text that was received ([`RawValue`]): nothing passes
//! through a binary float.

use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::collections::BTreeMap;
use thiserror::Error;

/// One page of a list.
#[derive(Debug)]
pub(super) struct Page {
    /// The records, each as the bytes received.
    pub(super) rows: Vec<String>,
    /// How many there are in all, as Redmine counts them.
    pub(super) total: u64,
    /// Where this page begins, if Redmine says.
    pub(super) offset: Option<u64>,
    /// Whether some bytes were no UTF-8 and were replaced.
    pub(super) mended: bool,
}

/// A body that is no page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum BodyError {
    /// It ends too early.
    #[error("the answer ends in the middle")]
    Truncated,
    /// It is an HTML page.
    #[error("the answer is an HTML page, not JSON")]
    Html,
    /// It is no JSON.
    #[error("the answer is no JSON")]
    NotJson,
    /// It is JSON of another shape.
    #[error("the answer has not the expected parts")]
    Shape,
}

/// The text of a body; bytes that are no UTF-8 are replaced and said so.
fn text_of(body: &[u8]) -> (Cow<'_, str>, bool) {
    let text = String::from_utf8_lossy(body);
    let mended = matches!(text, Cow::Owned(_));
    (text, mended)
}

fn fault(text: &str, error: &serde_json::Error) -> BodyError {
    if text.trim_start().starts_with('<') {
        BodyError::Html
    } else if error.is_data() {
        BodyError::Shape
    } else if error.is_eof() || stands_at_the_end(text, error) {
        BodyError::Truncated
    } else {
        BodyError::NotJson
    }
}

/// A number that is cut after its point is a fault of the number to the parser, not an early end.
fn stands_at_the_end(text: &str, error: &serde_json::Error) -> bool {
    let mut lines = text.split('\n');
    let last = lines.next_back().unwrap_or_default();
    error.line() == lines.count() + 1 && error.column() >= last.len() && !last.is_empty()
}

type Parts<'a> = BTreeMap<String, &'a RawValue>;

/// A page of the list called `list`.
pub(super) fn page(body: &[u8], list: &str) -> Result<Page, BodyError> {
    let (text, mended) = text_of(body);
    let parts: Parts<'_> = serde_json::from_str(&text).map_err(|e| fault(&text, &e))?;
    let rows = parts.get(list).ok_or(BodyError::Shape)?;
    let rows: Vec<&RawValue> = serde_json::from_str(rows.get()).map_err(|_| BodyError::Shape)?;
    let number = |name: &str| {
        parts
            .get(name)
            .and_then(|raw| serde_json::from_str::<u64>(raw.get()).ok())
    };
    Ok(Page {
        rows: rows.into_iter().map(|raw| raw.get().to_owned()).collect(),
        total: number("total_count").ok_or(BodyError::Shape)?,
        offset: number("offset"),
        mended,
    })
}

/// A list that comes whole, without pages.
pub(super) fn whole<T: for<'a> Deserialize<'a>>(
    body: &[u8],
    list: &str,
) -> Result<Vec<T>, BodyError> {
    let raw = single(body, list)?;
    serde_json::from_str(&raw.text).map_err(|_| BodyError::Shape)
}

/// One record as received.
#[derive(Debug)]
pub(super) struct Single {
    /// Its text.
    pub(super) text: String,
    /// Whether some bytes were no UTF-8 and were replaced.
    pub(super) mended: bool,
}

/// The record called `name`.
pub(super) fn single(body: &[u8], name: &str) -> Result<Single, BodyError> {
    let (text, mended) = text_of(body);
    let parts: Parts<'_> = serde_json::from_str(&text).map_err(|e| fault(&text, &e))?;
    let raw = parts.get(name).ok_or(BodyError::Shape)?;
    Ok(Single {
        text: raw.get().to_owned(),
        mended,
    })
}

/// `{"errors":["…"]}`: Redmine's words, in the language of the key's user.
#[derive(Debug, Deserialize)]
pub(super) struct Errors {
    /// The sentences.
    pub(super) errors: Vec<String>,
}

/// A project, issue, user or activity named by a record.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct Named {
    /// Its id.
    pub(super) id: u64,
    /// Its name; issues have none.
    #[serde(default)]
    pub(super) name: Option<String>,
}

/// The value of a custom field.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct CustomValue {
    /// The field's id.
    pub(super) id: u64,
    /// The field's name.
    #[serde(default)]
    pub(super) name: String,
    /// The value: a text, several texts, or nothing.
    #[serde(default)]
    pub(super) value: serde_json::Value,
}

/// A project.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Project {
    pub(super) id: u64,
    #[serde(default)]
    pub(super) name: String,
    #[serde(default)]
    pub(super) identifier: String,
    #[serde(default)]
    pub(super) parent: Option<Named>,
    /// 1 active, 5 closed, 9 archived.
    #[serde(default = "active")]
    pub(super) status: u64,
    #[serde(default)]
    pub(super) custom_fields: Vec<CustomValue>,
}

const fn active() -> u64 {
    1
}

/// An issue.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Issue {
    pub(super) id: u64,
    pub(super) project: Named,
    #[serde(default)]
    pub(super) status: Option<IssueStatus>,
    #[serde(default)]
    pub(super) subject: String,
    #[serde(default)]
    pub(super) closed_on: Option<String>,
    #[serde(default)]
    pub(super) custom_fields: Vec<CustomValue>,
}

/// A status of issues.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct IssueStatus {
    pub(super) id: u64,
    #[serde(default)]
    pub(super) name: String,
    /// Not sent with an issue by versions before 5.0.
    #[serde(default)]
    pub(super) is_closed: Option<bool>,
}

/// A user.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct User {
    pub(super) id: u64,
    #[serde(default)]
    pub(super) login: Option<String>,
    #[serde(default)]
    pub(super) mail: Option<String>,
    #[serde(default)]
    pub(super) firstname: String,
    #[serde(default)]
    pub(super) lastname: String,
    /// Only told about the key's own user, and to administrators.
    #[serde(default)]
    pub(super) admin: bool,
    #[serde(default)]
    pub(super) custom_fields: Vec<CustomValue>,
    #[serde(default)]
    pub(super) memberships: Vec<Membership>,
}

/// Who works on a project.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Membership {
    #[serde(default)]
    pub(super) project: Option<Named>,
    #[serde(default)]
    pub(super) user: Option<Named>,
    #[serde(default)]
    pub(super) roles: Vec<Named>,
}

/// A role with its permissions.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Role {
    #[serde(default)]
    pub(super) time_entries_visibility: Option<String>,
    #[serde(default)]
    pub(super) issues_visibility: Option<String>,
    #[serde(default)]
    pub(super) permissions: Vec<String>,
}

/// The definition of a custom field, told to administrators only.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct FieldDefinition {
    pub(super) id: u64,
    #[serde(default)]
    pub(super) name: String,
    #[serde(default)]
    pub(super) customized_type: String,
    #[serde(default)]
    pub(super) field_format: String,
    #[serde(default)]
    pub(super) multiple: bool,
    #[serde(default)]
    pub(super) possible_values: Vec<PossibleValue>,
}

/// One value of a list.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct PossibleValue {
    pub(super) value: String,
}

//! Bodies of the reference API, read row by row, so that one broken row breaks no page.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use std::borrow::Cow;
use thiserror::Error;

/// A body that is not what was asked for.
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

fn fault(text: &str, error: &serde_json::Error) -> BodyError {
    if text.trim_start().starts_with('<') {
        BodyError::Html
    } else if error.is_eof() {
        BodyError::Truncated
    } else if error.is_data() {
        BodyError::Shape
    } else {
        BodyError::NotJson
    }
}

/// A body of a known form.
pub fn parsed<T: DeserializeOwned>(body: &[u8]) -> Result<T, BodyError> {
    let text = String::from_utf8_lossy(body);
    serde_json::from_str(&text).map_err(|error| fault(&text, &error))
}

/// A row as received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Its text.
    pub text: String,
    /// Whether bytes that are no UTF-8 were replaced in its page.
    pub mended: bool,
}

/// One page of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// The rows.
    pub rows: Vec<Row>,
    /// Where the next page begins; nothing on the last one.
    pub next_cursor: Option<String>,
    /// How many rows the list has.
    pub total: usize,
    /// The state of the collection that the page was cut from.
    pub snapshot: String,
}

#[derive(Deserialize)]
struct PageParts<'a> {
    #[serde(borrow)]
    items: Vec<&'a RawValue>,
    next_cursor: Option<String>,
    total: usize,
    snapshot: String,
}

/// Read a page.
pub fn page(body: &[u8]) -> Result<Page, BodyError> {
    let text = String::from_utf8_lossy(body);
    let mended = matches!(text, Cow::Owned(_));
    let parts: PageParts<'_> = serde_json::from_str(&text).map_err(|error| fault(&text, &error))?;
    Ok(Page {
        rows: parts
            .items
            .into_iter()
            .map(|raw| Row {
                text: raw.get().to_owned(),
                mended,
            })
            .collect(),
        next_cursor: parts.next_cursor,
        total: parts.total,
        snapshot: parts.snapshot,
    })
}

/// A problem of RFC 9457 as the reference API sends it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct ProblemBody {
    /// The stable code.
    pub code: String,
    /// What happened, as a sentence.
    #[serde(default)]
    pub detail: String,
}

#[derive(Deserialize)]
struct Identified {
    id: String,
}

/// A row's id, if it has one.
pub fn row_id(text: &str) -> Option<String> {
    serde_json::from_str::<Identified>(text)
        .ok()
        .map(|row| row.id)
        .filter(|id| !id.is_empty() && id.len() <= 200)
}

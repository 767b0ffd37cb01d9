//! Reading a whole list in pages without losing or repeating a row.
//!
//! Redmine pages by offset over a live table: a row that is inserted or deleted meanwhile shifts
//! all that follow. So each page begins with the last row of the page before; if that row is not
//! there, if a row comes twice, or if Redmine's own count changes, rows have moved and the whole
//! list is read again.

use super::Redmine;
use super::errors::of_body;
use super::map::id_text;
use super::wire;
use connector_sdk::call::CallError;
use connector_sdk::transport::Effect;
use serde_json::value::RawValue;
use std::collections::{BTreeMap, BTreeSet};

/// How often a list is read before the connector gives up.
pub const PASSES_MAX: usize = 5;
/// The most rows of one list.
pub const ROWS_MAX: usize = 200_000;

/// A row as received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Row {
    /// Its text.
    pub(super) text: String,
    /// Whether bytes that are no UTF-8 were replaced in its page.
    pub(super) mended: bool,
}

/// What one pass over a list came to.
enum Pass {
    Whole(Vec<Row>),
    Moved(&'static str),
}

/// What a row is recognised by: its id, or its whole text where it has none.
fn identity(text: &str) -> String {
    serde_json::from_str::<BTreeMap<String, &RawValue>>(text)
        .ok()
        .and_then(|parts| parts.get("id").and_then(|raw| id_text(raw.get())))
        .unwrap_or_else(|| text.to_owned())
}

/// The rows of one pass so far.
#[derive(Default)]
struct Collected {
    rows: Vec<Row>,
    seen: BTreeSet<String>,
    last: Option<String>,
}

impl Collected {
    /// Take a page; `Err` says how the rows have moved.
    fn take(&mut self, page: wire::Page) -> Result<(), &'static str> {
        let mended = page.mended;
        let mut rows = page.rows.into_iter();
        if let Some(last) = &self.last {
            match rows.next() {
                Some(first) if identity(&first) == *last => {}
                _ => return Err("a page did not begin where the one before ended"),
            }
        }
        for text in rows {
            let id = identity(&text);
            if !self.seen.insert(id.clone()) {
                return Err("a row came twice");
            }
            self.last = Some(id);
            self.rows.push(Row { text, mended });
        }
        Ok(())
    }
}

impl Redmine {
    /// Every row of the list called `list` at `path` (with its query, without paging).
    pub(super) async fn list(&self, path: &str, list: &str) -> Result<Vec<Row>, CallError> {
        let mut reason = "";
        for _ in 0..PASSES_MAX {
            match self.pass(path, list).await? {
                Pass::Whole(rows) => return Ok(rows),
                Pass::Moved(why) => reason = why,
            }
        }
        Err(CallError::NotExecuted {
            words: format!(
                "Redmine's {list} changed under each of {PASSES_MAX} readings ({reason}), so that \
                 no whole picture could be had. The next sync reads them again; if this goes on, \
                 sync at a quieter time or with a shorter window"
            ),
            retry_after_ms: None,
        })
    }

    async fn pass(&self, path: &str, list: &str) -> Result<Pass, CallError> {
        let joint = if path.contains('?') { '&' } else { '?' };
        let limit = self.config.page_size;
        let mut collected = Collected::default();
        let mut total = None;
        loop {
            // Each page repeats the last row of the one before.
            let offset = collected.rows.len().saturating_sub(1);
            let reply = self
                .get(&format!("{path}{joint}limit={limit}&offset={offset}"))
                .await?;
            let page =
                wire::page(&reply.body, list).map_err(|error| of_body(error, Effect::Read))?;
            if page
                .offset
                .is_some_and(|o| usize::try_from(o).ok() != Some(offset))
            {
                return Err(CallError::Contract {
                    words: format!(
                        "Redmine was asked for {list} from row {offset} on and gave others; a \
                         proxy or plug-in drops the paging. Report it with Redmine's version"
                    ),
                });
            }
            if *total.get_or_insert(page.total) != page.total {
                return Ok(Pass::Moved("the number of rows changed"));
            }
            let whole = usize::try_from(page.total).unwrap_or(usize::MAX);
            if whole > ROWS_MAX {
                return Err(CallError::Contract {
                    words: format!(
                        "Redmine holds {whole} {list} here, more than {ROWS_MAX} at once; choose a \
                         shorter window"
                    ),
                });
            }
            let before = collected.rows.len();
            if let Err(why) = collected.take(page) {
                return Ok(Pass::Moved(why));
            }
            if collected.rows.len() == whole {
                return Ok(Pass::Whole(collected.rows));
            }
            if collected.rows.len() > whole {
                return Ok(Pass::Moved("more rows came than there are"));
            }
            if collected.rows.len() == before {
                return Ok(Pass::Moved("fewer rows came than there are"));
            }
        }
    }
}

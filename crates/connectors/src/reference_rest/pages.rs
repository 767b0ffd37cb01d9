//! A whole list in pages, without losing or repeating a row.
//!
//! Every page names the snapshot it was cut from and how many rows there are. If the snapshot or
//! the number changes, if a row comes twice, or if the rows do not add up, they moved while they
//! were read, and the list is read again.

use super::wire::{Page, Row, page, row_id};
use super::{Rest, encoded, errors};
use connector_sdk::call::CallError;
use connector_sdk::transport::{Effect, Reply};
use std::collections::BTreeSet;

/// How often a list is read before the connector gives up.
pub const PASSES_MAX: usize = 6;
/// The most rows of one list.
pub const ROWS_MAX: usize = 200_000;

/// How long one page is asked for again, in microseconds.
const PAGE_PATIENCE_US: i64 = 20_000_000;
/// The wait before a page is asked for again, where the server names none, in milliseconds.
const PAGE_WAIT_MS: u64 = 1_000;

/// The rows of one pass so far.
#[derive(Default)]
struct Collected {
    rows: Vec<Row>,
    seen: BTreeSet<String>,
    first: Option<(usize, String)>,
}

impl Collected {
    /// Take a page; `Err` says how the rows have moved.
    fn take(&mut self, page: Page) -> Result<Option<String>, &'static str> {
        let (total, snapshot) = self
            .first
            .get_or_insert((page.total, page.snapshot.clone()));
        if *total != page.total {
            return Err("the number of rows changed");
        }
        if *snapshot != page.snapshot {
            return Err("the list changed between two pages");
        }
        let whole = *total;
        for row in page.rows {
            // A row without an id is known by its text.
            let id = row_id(&row.text).unwrap_or_else(|| row.text.clone());
            if !self.seen.insert(id) {
                return Err("a row came twice");
            }
            self.rows.push(row);
        }
        match page.next_cursor {
            Some(_) if self.rows.len() >= whole => Err("more rows came than there are"),
            None if self.rows.len() != whole => Err("the rows do not add up"),
            next => Ok(next),
        }
    }
}

impl Rest {
    /// Every row of the list at `path` (with its query, without paging).
    pub(crate) async fn list(&self, path: &str) -> Result<Vec<Row>, CallError> {
        let mut reason = "";
        for _ in 0..PASSES_MAX {
            match self.pass(path).await? {
                Ok(rows) => return Ok(rows),
                Err(why) => reason = why,
            }
        }
        Err(CallError::NotExecuted {
            words: format!(
                "the list changed under each of {PASSES_MAX} readings ({reason}); the next sync \
                 reads it again"
            ),
            retry_after_ms: None,
        })
    }

    /// Read one page. A page that surely was not given is asked for again: in a list of many
    /// pages, one refusal would cost them all.
    async fn patiently(&self, address: &str) -> Result<Reply, CallError> {
        let until_us = self.clock.now_us().saturating_add(PAGE_PATIENCE_US);
        loop {
            let error = match self.get(address).await {
                Ok(reply) => return Ok(reply),
                Err(fault) => fault.into_call_error(),
            };
            let wait_ms = match &error {
                CallError::NotExecuted { retry_after_ms, .. }
                | CallError::Throttled { retry_after_ms, .. } => {
                    retry_after_ms.unwrap_or(PAGE_WAIT_MS)
                }
                _ => return Err(error),
            };
            let wait_us = i64::try_from(wait_ms.saturating_mul(1000)).unwrap_or(i64::MAX);
            let again_us = self.clock.now_us().saturating_add(wait_us);
            if again_us > until_us {
                return Err(error);
            }
            self.clock.sleep_until_us(again_us).await;
        }
    }

    async fn pass(&self, path: &str) -> Result<Result<Vec<Row>, &'static str>, CallError> {
        let joint = if path.contains('?') { '&' } else { '?' };
        let mut collected = Collected::default();
        let mut cursor: Option<String> = None;
        loop {
            let address = match &cursor {
                Some(cursor) => format!("{path}{joint}cursor={}", encoded(cursor)),
                None => path.to_owned(),
            };
            let reply = self.patiently(&address).await?;
            let page = page(&reply.body).map_err(|e| errors::of_body(e, Effect::Read))?;
            if page.total > ROWS_MAX {
                return Err(CallError::Contract {
                    words: format!(
                        "the server holds {} rows here, more than {ROWS_MAX} at once; choose a \
                         shorter window",
                        page.total
                    ),
                });
            }
            if page.rows.is_empty() && page.next_cursor.is_some() {
                return Ok(Err("a page in the middle was empty"));
            }
            match collected.take(page) {
                Ok(Some(next)) => cursor = Some(next),
                Ok(None) => return Ok(Ok(collected.rows)),
                Err(why) => return Ok(Err(why)),
            }
        }
    }
}

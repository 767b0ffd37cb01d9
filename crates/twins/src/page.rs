//! Pages of rows behind a cursor that is the position of the next row.
//!
//! A position is the weakest cursor there is: rows that come, go or move between two requests
//! make the pages repeat or lose rows. Every page names the snapshot it was cut from and the
//! number of rows there, so that a client can tell.

use crate::wire::{WireReply, WireRequest, problem, reply};
use serde_json::{Value, json};

/// What a page gets wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quirk {
    /// Nothing.
    None,
    /// It shows a row of another page again, chosen by the number.
    Repeats(u64),
    /// It leaves out one of its rows, chosen by the number.
    Loses(u64),
}

/// How pages are cut.
pub(crate) struct Cut<'a> {
    /// Rows of one page at most.
    pub(crate) size_max: usize,
    /// The snapshot's name.
    pub(crate) snapshot: &'a str,
    /// What this page gets wrong.
    pub(crate) quirk: Quirk,
}

/// Cut one page out of all rows.
pub(crate) fn page<T>(
    request: &WireRequest,
    rows: &[T],
    render: impl Fn(&T) -> Value,
    cut: &Cut<'_>,
) -> WireReply {
    let Cut {
        size_max,
        snapshot,
        quirk,
    } = *cut;
    let size = match request.param("limit").map(str::parse::<usize>) {
        None => size_max,
        Some(Ok(size)) if size > 0 => size.min(size_max),
        Some(_) => return problem(400, "MALFORMED", "limit is not a number above 0"),
    };
    let start = match request.param("cursor").map(|c| {
        c.strip_prefix('p')
            .and_then(|position| position.parse::<usize>().ok())
    }) {
        None => 0,
        Some(Some(start)) => start,
        Some(None) => return problem(400, "MALFORMED", "the cursor is not one of ours"),
    };
    let mut items: Vec<Value> = rows.iter().skip(start).take(size).map(&render).collect();
    let end = start.saturating_add(items.len());
    match quirk {
        Quirk::None => {}
        Quirk::Repeats(pick) => {
            let again = chosen(rows.len(), pick).and_then(|at| rows.get(at));
            items.extend(again.map(&render));
        }
        Quirk::Loses(pick) => {
            if let Some(at) = chosen(items.len(), pick) {
                items.remove(at);
            }
        }
    }
    let next = (end < rows.len()).then(|| format!("p{end}"));
    reply(
        200,
        &json!({"items": items, "next_cursor": next, "total": rows.len(), "snapshot": snapshot}),
    )
}

/// An index below a length, by a drawn number.
pub(crate) fn chosen(length: usize, pick: u64) -> Option<usize> {
    let length = u64::try_from(length).ok().filter(|length| *length > 0)?;
    usize::try_from(pick % length).ok()
}

//! The exception queue: a view of state, never a log. What is repaired disappears by itself.

use crate::error::StoreError;
use crate::seal::Pointer;
use crate::tx::ReadTx;

/// What cannot go on without somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExceptionRow {
    /// `item`, `posting`, `refusal`, `stray` or `attempt`.
    pub subject: String,
    /// The stable code.
    pub code: String,
    /// The state it stands in.
    pub state: String,
    /// The item, where one is meant.
    pub item_id: Option<[u8; 16]>,
    /// The document, where one is meant.
    pub document_id: Option<[u8; 16]>,
    /// The posting in the document.
    pub posting_no: Option<i64>,
    /// The attempt.
    pub attempt_id: Option<[u8; 16]>,
    /// Amount in minor units, where there is one.
    pub amount_minor: Option<i64>,
    /// Since when.
    pub since_us: i64,
    /// What there is to read about it.
    pub fact: Option<Pointer>,
    /// The key of the line, where the line itself is meant.
    pub line_key: Option<String>,
}

/// The queue from the oldest, filtered by code when one is given.
pub fn list(
    tx: &mut ReadTx<'_>,
    code: Option<&str>,
    offset: i64,
    limit: i64,
) -> Result<Vec<ExceptionRow>, StoreError> {
    let code = code.unwrap_or("");
    tx.list(
        "exception_list",
        &[code.into(), limit.into(), offset.into()],
        |mut row| {
            Ok(ExceptionRow {
                subject: row.text()?,
                code: row.text()?,
                state: row.text()?,
                item_id: row.array_opt()?,
                document_id: row.array_opt()?,
                posting_no: row.int_opt()?,
                attempt_id: row.array_opt()?,
                amount_minor: row.int_opt()?,
                since_us: row.int()?,
                fact: Pointer::from_columns(row.int_opt()?, row.int_opt()?),
                line_key: row.text_opt()?,
            })
        },
    )
}

/// How many there are of each code.
pub fn count_by_code(tx: &mut ReadTx<'_>) -> Result<Vec<(String, i64)>, StoreError> {
    tx.list("exception_count", &[], |mut row| {
        Ok((row.text()?, row.int()?))
    })
}

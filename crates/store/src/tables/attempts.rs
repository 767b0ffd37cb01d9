//! Attempts: one call to the target each. At most one of a document is open; its members are frozen.

use crate::error::StoreError;
use crate::seal::Pointer;
use crate::sql::Table;
use crate::tx::{ReadTx, Tx};
use crate::value::{Param, Row};

/// The audited columns.
pub(crate) const TABLE: Table = Table {
    name: "attempt",
    kind: 5,
    keys: 1,
    columns: &[
        "attempt_id",
        "document_id",
        "attempt_key",
        "verb",
        "state",
        "members",
        "payload_digest",
        "writer_no",
        "started_at_us",
        "send_not_after_us",
        "call_timeout_ms",
        "look_up_after_us",
        "settled_at_us",
        "outcome",
        "fact_block",
        "fact_ord",
        "version",
    ],
    mutable: &[
        "state",
        "look_up_after_us",
        "settled_at_us",
        "outcome",
        "fact_block",
        "fact_ord",
        "version",
    ],
};

/// One row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttemptRow {
    /// The identity.
    pub attempt_id: [u8; 16],
    /// The document.
    pub document_id: [u8; 16],
    /// Idempotency key of the call.
    pub attempt_key: String,
    /// `create`, `replace`, `delete`, `credit` or `void`.
    pub verb: String,
    /// `sending`, `ambiguous` or `settled`.
    pub state: String,
    /// Numbers of the postings in it, frozen.
    pub members: Vec<u8>,
    /// Digest of the bytes sent.
    pub payload_digest: [u8; 32],
    /// The session that opened it.
    pub writer_no: i64,
    /// Time of the intent.
    pub started_at_us: i64,
    /// After this the call must not start.
    pub send_not_after_us: i64,
    /// Hard time-out of the call.
    pub call_timeout_ms: i64,
    /// Before this a look-up proves nothing.
    pub look_up_after_us: i64,
    /// Time of the outcome.
    pub settled_at_us: Option<i64>,
    /// The outcome.
    pub outcome: Option<String>,
    /// Bytes sent or answered.
    pub fact: Option<Pointer>,
    /// Counted by the store.
    pub version: i64,
}

impl AttemptRow {
    pub(crate) fn params(&self) -> Vec<Param<'_>> {
        vec![
            (&self.attempt_id).into(),
            (&self.document_id).into(),
            (&self.attempt_key).into(),
            (&self.verb).into(),
            (&self.state).into(),
            (&self.members).into(),
            (&self.payload_digest).into(),
            self.writer_no.into(),
            self.started_at_us.into(),
            self.send_not_after_us.into(),
            self.call_timeout_ms.into(),
            self.look_up_after_us.into(),
            self.settled_at_us.into(),
            (&self.outcome).into(),
            self.fact.map(|at| at.block).into(),
            self.fact.map(|at| at.ord).into(),
            self.version.into(),
        ]
    }

    pub(crate) fn read(mut row: Row) -> Result<Self, StoreError> {
        Ok(Self {
            attempt_id: row.array()?,
            document_id: row.array()?,
            attempt_key: row.text()?,
            verb: row.text()?,
            state: row.text()?,
            members: row.bytes()?,
            payload_digest: row.array()?,
            writer_no: row.int()?,
            started_at_us: row.int()?,
            send_not_after_us: row.int()?,
            call_timeout_ms: row.int()?,
            look_up_after_us: row.int()?,
            settled_at_us: row.int_opt()?,
            outcome: row.text_opt()?,
            fact: Pointer::from_columns(row.int_opt()?, row.int_opt()?),
            version: row.int()?,
        })
    }
}

/// Records the intent to call. A second open attempt of the document is refused.
pub fn insert(tx: &mut Tx<'_>, attempt: &AttemptRow, why: &'static str) -> Result<(), StoreError> {
    tx.insert_row(&TABLE, "attempt_insert", &attempt.params(), why)
}

/// One attempt.
pub fn get(tx: &mut ReadTx<'_>, attempt_id: &[u8; 16]) -> Result<Option<AttemptRow>, StoreError> {
    tx.first("attempt_get", &[attempt_id.into()], AttemptRow::read)
}

/// The open attempt of a document.
pub fn open(tx: &mut ReadTx<'_>, document_id: &[u8; 16]) -> Result<Option<AttemptRow>, StoreError> {
    tx.first(
        "attempt_of_document",
        &[document_id.into()],
        AttemptRow::read,
    )
}

/// All open attempts, by document.
pub fn list_open(tx: &mut ReadTx<'_>) -> Result<Vec<AttemptRow>, StoreError> {
    tx.list("attempt_open", &[], AttemptRow::read)
}

/// Up to `limit` attempts after the id `after`, by id.
pub fn page(
    tx: &mut ReadTx<'_>,
    after: &[u8; 16],
    limit: i64,
) -> Result<Vec<AttemptRow>, StoreError> {
    tx.list(
        "attempt_page",
        &[after.into(), limit.into()],
        AttemptRow::read,
    )
}

/// Writes a changed attempt over the version it was read at, and moves its version on. What was
/// sent cannot change.
pub fn update(
    tx: &mut Tx<'_>,
    attempt: &mut AttemptRow,
    why: &'static str,
) -> Result<(), StoreError> {
    attempt.version += 1;
    let written = tx.update_row(&TABLE, "attempt_update", &attempt.params(), why);
    if written.is_err() {
        attempt.version -= 1;
    }
    written
}

/// Settles an open attempt with its outcome.
pub fn settle(
    tx: &mut Tx<'_>,
    attempt: &mut AttemptRow,
    outcome: &str,
    fact: Option<Pointer>,
    why: &'static str,
) -> Result<(), StoreError> {
    if attempt.state == "settled" {
        let key = data_encoding::HEXLOWER.encode(&attempt.attempt_id);
        return Err(StoreError::Conflict {
            table: TABLE.name,
            key,
            expected: attempt.version,
        });
    }
    "settled".clone_into(&mut attempt.state);
    attempt.settled_at_us = Some(tx.now_us());
    attempt.outcome = Some(outcome.to_owned());
    attempt.fact = fact.or(attempt.fact);
    update(tx, attempt, why)
}

/// Puts in doubt what fenced sessions were sending: nobody knows whether it arrived.
pub(crate) fn doubt_fenced(tx: &mut Tx<'_>) -> Result<usize, StoreError> {
    let mut doubtful = tx.list("attempt_of_fenced", &[], AttemptRow::read)?;
    for attempt in &mut doubtful {
        "ambiguous".clone_into(&mut attempt.state);
        update(tx, attempt, "its session ended while sending")?;
    }
    Ok(doubtful.len())
}

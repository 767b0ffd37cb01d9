//! Blocks: what each transaction had to say, in the order of its writer. Relays read events from
//! here with a cursor per writer, never by a global order.

use crate::body::{Body, Event, Leaf};
use crate::error::StoreError;
use crate::tx::ReadTx;

/// One block, opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// The session that wrote it.
    pub writer_no: i64,
    /// Its number in that session.
    pub seq: i64,
    /// When.
    pub written_at_us: i64,
    /// Its audit leaves.
    pub leaves: Vec<Leaf>,
    /// Its events; the identity of one is (writer, seq, place in this list).
    pub events: Vec<Event>,
}

/// Up to `limit` blocks of a writer after number `after`, in order.
pub fn list(
    tx: &mut ReadTx<'_>,
    writer_no: i64,
    after: i64,
    limit: i64,
) -> Result<Vec<Block>, StoreError> {
    let params = [writer_no.into(), after.into(), limit.into()];
    tx.list("block_page", &params, |mut row| {
        let (writer_no, seq, written_at_us) = (row.int()?, row.int()?, row.int()?);
        let body = Body::decode(&row.bytes()?).ok_or_else(|| {
            let key = format!("{writer_no}/{seq}");
            StoreError::inconsistent("block", &key, "the body does not decode")
        })?;
        let Body { leaves, events, .. } = body;
        Ok(Block {
            writer_no,
            seq,
            written_at_us,
            leaves,
            events,
        })
    })
}

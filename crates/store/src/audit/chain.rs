//! The blocks: chained digests, decodable bodies, and what their leaves say of each row.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher};

use crate::audit::Report;
use crate::body::{Body, Leaf};
use crate::digest;
use crate::error::StoreError;
use crate::seal::Pointer;
use crate::tx::ReadTx;
use crate::value::Row;

/// Rows followed at once; each takes about 150 bytes.
const FOLLOWED_MAX: usize = 1_000_000;

/// What the leaves say of one row.
#[derive(Debug, Clone, Copy)]
pub(super) struct Followed {
    pub(super) version: i64,
    pub(super) digest: [u8; 32],
    leaves: i64,
    sum: i64,
}

impl Followed {
    /// Whether the leaves bear the versions 1 to the last, each once.
    pub(super) fn has_gap(&self) -> bool {
        let wanted = self.version.wrapping_mul(self.version.wrapping_add(1)) / 2;
        self.leaves != self.version || self.sum != wanted
    }
}

/// What all blocks say together.
#[derive(Default)]
pub(super) struct Found {
    pub(super) part: u64,
    pub(super) parts: u64,
    /// By (table number, canonical key).
    pub(super) rows: HashMap<(u8, Vec<u8>), Followed>,
    /// By counter and writer.
    pub(super) counters: BTreeMap<(String, i64), i64>,
    /// How many sealed texts each block has.
    pub(super) texts: HashMap<i64, i64>,
    pub(super) units: BTreeSet<String>,
    /// The last block of each writer.
    heads: BTreeMap<i64, (i64, [u8; 32])>,
}

impl Found {
    pub(super) fn takes(&self, kind: u8, key: &[u8]) -> bool {
        let mut hasher = DefaultHasher::new();
        (kind, key).hash(&mut hasher);
        hasher.finish() % self.parts == self.part
    }

    fn follow(&mut self, leaf: Leaf) {
        let Leaf {
            kind,
            key,
            version,
            digest,
            ..
        } = leaf;
        if kind == 0 || !self.takes(kind, &key) {
            return;
        }
        let row = self.rows.entry((kind, key)).or_insert(Followed {
            version: 0,
            digest,
            leaves: 0,
            sum: 0,
        });
        row.leaves += 1;
        row.sum = row.sum.wrapping_add(version);
        if version > row.version {
            row.version = version;
            row.digest = digest;
        }
    }
}

/// Reads every block. `None` when the rows of this part are too many to follow.
pub(super) fn read(
    tx: &mut ReadTx<'_>,
    part: u64,
    parts: u64,
    report: &mut Report,
) -> Option<Found> {
    let mut found = Found {
        part,
        parts,
        ..Found::default()
    };
    let mut too_many = false;
    let outcome = tx.stream("block_all", &[], |row| {
        if found.rows.len() > FOLLOWED_MAX {
            too_many = true;
            return Err(StoreError::Closed);
        }
        read_block(row, &mut found, report)
    });
    if too_many {
        return None;
    }
    if part == 0 {
        report.add_failure("block", outcome);
    }
    Some(found)
}

fn read_block(mut row: Row, found: &mut Found, report: &mut Report) -> Result<(), StoreError> {
    let (writer_no, seq, written_at_us) = (row.int()?, row.int()?, row.int()?);
    let (previous, stored, bytes) = (row.array::<32>()?, row.array::<32>()?, row.bytes()?);
    let key = format!("{writer_no}/{seq}");
    let (last, head) = found.heads.get(&writer_no).copied().unwrap_or((0, [0; 32]));
    let body = Body::decode(&bytes);
    if found.part == 0 {
        report.checked.blocks += 1;
        let digest = digest::chain(&previous, writer_no, seq, written_at_us, &bytes);
        if seq != last + 1 {
            report.add(
                "block",
                &key,
                format!("follows block {last}: blocks between are missing"),
            );
        }
        if previous != head {
            report.add("block", &key, "does not continue the chain of its writer");
        }
        if digest != stored {
            report.add("block", &key, "its content does not give its digest");
        }
        if body.is_none() {
            report.add("block", &key, "its body does not decode");
        }
    }
    found.heads.insert(writer_no, (seq, stored));
    let Some(body) = body else { return Ok(()) };
    if found.part == 0 {
        report.checked.leaves += u64::try_from(body.leaves.len()).unwrap_or(0);
        report.checked.texts += u64::try_from(body.facts.len()).unwrap_or(0);
    }
    for (name, delta) in body.counts {
        let sum = found.counters.entry((name, writer_no)).or_default();
        *sum = sum.wrapping_add(delta);
    }
    for fact in &body.facts {
        if !found.units.contains(&*fact.unit) {
            found.units.insert(fact.unit.to_string());
        }
    }
    if !body.facts.is_empty()
        && let Ok(at) = Pointer::new(writer_no, seq, 0)
    {
        found.texts.insert(
            at.block,
            i64::try_from(body.facts.len()).unwrap_or(i64::MAX),
        );
    }
    for leaf in body.leaves {
        found.follow(leaf);
    }
    Ok(())
}

/// The writers' rows against the ends of their chains: a cut tail shows here.
pub(super) fn check_heads(tx: &mut ReadTx<'_>, found: &Found, report: &mut Report) {
    let mut heads = found.heads.clone();
    let outcome = tx.stream("writer_heads", &[], |mut row| {
        let (writer_no, seq, head) = (row.int()?, row.int()?, row.array::<32>()?);
        report.checked.writers += 1;
        let (last, digest) = heads.remove(&writer_no).unwrap_or((0, [0; 32]));
        if (seq, head) != (last, digest) {
            let what = format!("stands at block {seq}, but its chain ends with block {last}");
            let same = format!("its head is not the digest of its last block {last}");
            let what = if seq == last { same } else { what };
            report.add("writer", writer_no.to_string(), what);
        }
        Ok(())
    });
    report.add_failure("writer", outcome);
    for writer_no in heads.into_keys() {
        report.add("writer", writer_no.to_string(), "has blocks but no row");
    }
}

//! Canonical bytes of rows and the keyed digests over them.
//!
//! A digest is HMAC-SHA-256 under the ledger's own key: rows hold names of people, and an unkeyed
//! hash of a short name is the name.

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

use crate::error::StoreError;
use crate::value::Param;

/// The keyed digest of one ledger.
#[derive(Clone)]
pub(crate) struct Digester {
    keyed: Hmac<Sha256>,
}

impl Digester {
    pub(crate) fn new(key: &[u8; 32]) -> Result<Self, StoreError> {
        let keyed = Hmac::<Sha256>::new_from_slice(key)
            .map_err(|_| StoreError::defect("a digest key of 32 bytes was refused"))?;
        Ok(Self { keyed })
    }

    /// The digest of one row of `table`, over its audited columns in order.
    pub(crate) fn row(&self, table: &str, columns: &[Param<'_>]) -> [u8; 32] {
        let mut buffer = Vec::with_capacity(512);
        put_bytes(&mut buffer, table.as_bytes());
        put_params(&mut buffer, columns);
        self.bytes("row", &buffer)
    }

    /// The digest of `content` for one `purpose`; digests of different purposes never meet.
    pub(crate) fn bytes(&self, purpose: &str, content: &[u8]) -> [u8; 32] {
        let mut mac = self.keyed.clone();
        mac.update(purpose.as_bytes());
        mac.update(&[0]);
        mac.update(content);
        mac.finalize().into_bytes().into()
    }
}

/// The next digest of a writer's chain.
pub(crate) fn chain(
    previous: &[u8; 32],
    writer_no: i64,
    seq: i64,
    written_at_us: i64,
    body: &[u8],
) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(previous);
    hash.update(writer_no.to_be_bytes());
    hash.update(seq.to_be_bytes());
    hash.update(written_at_us.to_be_bytes());
    hash.update(body);
    hash.finalize().into()
}

/// Appends parameters so that no two different lists give the same bytes.
pub(crate) fn put_params(out: &mut Vec<u8>, params: &[Param<'_>]) {
    for param in params {
        match param {
            Param::Null => out.push(0),
            Param::Int(value) => {
                out.push(1);
                put_int(out, *value);
            }
            Param::Text(value) => {
                out.push(2);
                put_bytes(out, value.as_bytes());
            }
            Param::Bytes(value) => {
                out.push(3);
                put_bytes(out, value);
            }
        }
    }
}

/// A length and the bytes.
pub(crate) fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    put_uint(out, u64::try_from(bytes.len()).unwrap_or(u64::MAX));
    out.extend_from_slice(bytes);
}

/// Seven bits a byte, least significant first.
pub(crate) fn put_uint(out: &mut Vec<u8>, mut value: u64) {
    loop {
        let [low, ..] = value.to_le_bytes();
        value >>= 7;
        if value == 0 {
            out.push(low & 0x7f);
            return;
        }
        out.push(low | 0x80);
    }
}

/// Zigzag, so that small negative numbers stay small.
pub(crate) fn put_int(out: &mut Vec<u8>, value: i64) {
    put_uint(out, ((value << 1) ^ (value >> 63)).cast_unsigned());
}

/// Reads what the functions above wrote; every read may find the end too early.
pub(crate) struct Cursor<'a> {
    rest: &'a [u8],
}

impl<'a> Cursor<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    pub(crate) fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(*first)
    }

    pub(crate) fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(count)?;
        self.rest = rest;
        Some(taken)
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        <[u8; N]>::try_from(self.take(N)?).ok()
    }

    pub(crate) fn uint(&mut self) -> Option<u64> {
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f).checked_shl(shift)?;
            if byte & 0x80 == 0 {
                return Some(value);
            }
        }
        None
    }

    pub(crate) fn int(&mut self) -> Option<i64> {
        let value = self.uint()?;
        Some((value >> 1).cast_signed() ^ -(value & 1).cast_signed())
    }

    pub(crate) fn bytes(&mut self) -> Option<&'a [u8]> {
        let length = usize::try_from(self.uint()?).ok()?;
        self.take(length)
    }

    /// A count of things of at least one byte each, so that a broken count cannot ask for memory.
    pub(crate) fn count(&mut self) -> Option<usize> {
        let count = usize::try_from(self.uint()?).ok()?;
        (count <= self.rest.len()).then_some(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_survive_the_way_there_and_back() {
        for value in [0, 1, -1, 63, -64, 64, i64::MAX, i64::MIN] {
            let mut bytes = Vec::new();
            put_int(&mut bytes, value);
            let mut cursor = Cursor::new(&bytes);
            assert_eq!(cursor.int(), Some(value));
            assert!(cursor.is_empty());
        }
    }

    #[test]
    fn different_rows_have_different_bytes() {
        let encode = |params: &[Param<'_>]| {
            let mut out = Vec::new();
            put_params(&mut out, params);
            out
        };
        assert_ne!(
            encode(&[Param::Text("ab"), Param::Text("c")]),
            encode(&[Param::Text("a"), Param::Text("bc")])
        );
        assert_ne!(encode(&[Param::Null]), encode(&[Param::Int(0)]));
        assert_ne!(encode(&[Param::Text("a")]), encode(&[Param::Bytes(b"a")]));
    }
}

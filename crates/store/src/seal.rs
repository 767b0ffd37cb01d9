//! Sealed text: whatever is long or names people, compressed, encrypted under the data key of its
//! unit (subject, class, month), and put into a block. Destroying the data key shreds the unit,
//! while digests, money and the chain stay provable.
//!
//! The nonce is the pointer of the text, which is never used twice in what is kept; AES-GCM-SIV
//! bears the repetition that a rolled back command causes in what is thrown away.

use std::cell::RefCell;
use std::fmt;
use std::sync::Arc;

use aes_gcm_siv::aead::{Aead, KeyInit, Payload};
use aes_gcm_siv::{Aes256GcmSiv, Nonce};
use data_encoding::HEXLOWER;

use crate::digest::Digester;
use crate::error::StoreError;
use crate::options::SealKey;

/// Where a sealed text lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pointer {
    /// `writer_no * 2^40 + seq` of the block.
    pub block: i64,
    /// The ordinal of the text in the block.
    pub ord: i64,
}

const SEQ_BITS: u32 = 40;

impl Pointer {
    pub(crate) fn new(writer_no: i64, seq: i64, ord: usize) -> Result<Self, StoreError> {
        let fits = (0..1 << 22).contains(&writer_no) && (0..1 << SEQ_BITS).contains(&seq);
        match i64::try_from(ord) {
            Ok(ord) if fits => Ok(Self {
                block: (writer_no << SEQ_BITS) | seq,
                ord,
            }),
            _ => Err(StoreError::defect(format!(
                "no pointer holds writer {writer_no} seq {seq}"
            ))),
        }
    }

    /// The writer session that wrote the block.
    pub fn writer_no(self) -> i64 {
        self.block >> SEQ_BITS
    }

    /// The block's number in that session.
    pub fn seq(self) -> i64 {
        self.block & ((1 << SEQ_BITS) - 1)
    }

    fn nonce(self) -> Nonce {
        let mut nonce = [0; 12];
        let (block, ord) = nonce.split_at_mut(8);
        block.copy_from_slice(&self.block.to_be_bytes());
        // An ordinal counts texts of one transaction: 32 bits hold it.
        ord.copy_from_slice(&u32::try_from(self.ord).unwrap_or(u32::MAX).to_be_bytes());
        Nonce::from(nonce)
    }

    pub(crate) fn from_columns(block: Option<i64>, ord: Option<i64>) -> Option<Self> {
        Some(Self {
            block: block?,
            ord: ord?,
        })
    }
}

/// What kind of text is sealed. The class is part of the unit, so that kinds can be shredded apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SealClass {
    /// Bytes as received from a source.
    Received,
    /// Bytes as sent to a target.
    Sent,
    /// The words of the other system in an answer.
    Answer,
    /// How an amount came about.
    Explanation,
    /// Words of a person.
    Narrative,
}

impl SealClass {
    fn name(self) -> &'static str {
        match self {
            Self::Received => "received",
            Self::Sent => "sent",
            Self::Answer => "answer",
            Self::Explanation => "explanation",
            Self::Narrative => "narrative",
        }
    }
}

/// A sealed text as read back.
#[derive(Clone, PartialEq, Eq)]
pub enum Sealed {
    /// The text.
    Text(Vec<u8>),
    /// Its unit was shredded; the text is gone for good.
    Shredded,
}

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Text(_) => "Sealed::Text(..)",
            Self::Shredded => "Sealed::Shredded",
        })
    }
}

/// The keys of an open ledger.
#[derive(Clone)]
pub(crate) struct Vault {
    wrapping: SealKey,
    ledger_digest: [u8; 32],
    pub(crate) digester: Digester,
}

/// A data key in use; never printed.
#[derive(Clone)]
pub(crate) struct DataKey([u8; 32]);

impl DataKey {
    pub(crate) fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

fn cipher(key: &[u8; 32]) -> Result<Aes256GcmSiv, StoreError> {
    Aes256GcmSiv::new_from_slice(key)
        .map_err(|_| StoreError::defect("a key of 32 bytes was refused"))
}

/// Wraps `key` under the key-encryption key, bound to ledger and name.
pub(crate) fn wrap(
    wrapping: &SealKey,
    ledger_digest: &[u8; 32],
    name: &str,
    key: &[u8; 32],
) -> Result<Vec<u8>, StoreError> {
    let aad = [ledger_digest.as_slice(), b"wrap\0", name.as_bytes()].concat();
    // One key per name and a misuse-resistant cipher: the fixed nonce costs nothing.
    cipher(wrapping.bytes())?
        .encrypt(
            &Nonce::from([0; 12]),
            Payload {
                msg: key,
                aad: &aad,
            },
        )
        .map_err(|_| StoreError::Seal("wrapping a data key failed".to_owned()))
}

/// The reverse of [`wrap`]; an error means another key or ledger, or a changed byte.
pub(crate) fn unwrap(
    wrapping: &SealKey,
    ledger_digest: &[u8; 32],
    name: &str,
    wrapped: &[u8],
) -> Result<[u8; 32], StoreError> {
    let aad = [ledger_digest.as_slice(), b"wrap\0", name.as_bytes()].concat();
    cipher(wrapping.bytes())?
        .decrypt(
            &Nonce::from([0; 12]),
            Payload {
                msg: wrapped,
                aad: &aad,
            },
        )
        .ok()
        .and_then(|plain| <[u8; 32]>::try_from(plain).ok())
        .ok_or_else(|| {
            StoreError::Seal(format!(
                "the seal key does not open {name}: give the key this ledger was created with, \
                 or restore the changed row"
            ))
        })
}

const PLAIN: u8 = 0;
const ZSTD: u8 = 1;
/// Below this size a frame costs more than it saves.
const COMPRESS_FROM_BYTES: usize = 64;
const ZSTD_LEVEL: i32 = 1;
/// The largest text that is read back.
pub(crate) const TEXT_BYTES_MAX: usize = 64 << 20;

impl Vault {
    pub(crate) fn new(
        wrapping: SealKey,
        ledger_digest: [u8; 32],
        ledger_key: &[u8; 32],
    ) -> Result<Self, StoreError> {
        Ok(Self {
            wrapping,
            ledger_digest,
            digester: Digester::new(ledger_key)?,
        })
    }

    pub(crate) fn wrap(&self, unit: &str, key: &DataKey) -> Result<Vec<u8>, StoreError> {
        wrap(&self.wrapping, &self.ledger_digest, unit, &key.0)
    }

    pub(crate) fn unwrap(&self, unit: &str, wrapped: &[u8]) -> Result<DataKey, StoreError> {
        unwrap(&self.wrapping, &self.ledger_digest, unit, wrapped).map(DataKey)
    }

    /// What all units of a subject start with. The subject itself stands nowhere.
    pub(crate) fn subject_prefix(&self, subject: &str) -> String {
        let digest = self.digester.bytes("subject", subject.as_bytes());
        HEXLOWER.encode(digest.get(..16).unwrap_or(&digest))
    }

    pub(crate) fn unit(&self, class: SealClass, subject: &str, now_us: i64) -> String {
        format!(
            "{}/{}/{}",
            self.subject_prefix(subject),
            class.name(),
            month_of(now_us)
        )
    }

    fn bound_to(&self, unit: &str, at: Pointer) -> Vec<u8> {
        let block = at.block.to_be_bytes();
        let ord = at.ord.to_be_bytes();
        [self.ledger_digest.as_slice(), &block, &ord, unit.as_bytes()].concat()
    }

    pub(crate) fn seal(
        &self,
        key: &DataKey,
        unit: &str,
        at: Pointer,
        text: &[u8],
        compressor: &mut Option<zstd::bulk::Compressor<'static>>,
    ) -> Result<Vec<u8>, StoreError> {
        self.seal_packed(key, unit, at, &pack(text, compressor))
    }

    /// Seals what is packed already.
    pub(crate) fn seal_packed(
        &self,
        key: &DataKey,
        unit: &str,
        at: Pointer,
        packed: &[u8],
    ) -> Result<Vec<u8>, StoreError> {
        cipher(&key.0)?
            .encrypt(
                &at.nonce(),
                Payload {
                    msg: packed,
                    aad: &self.bound_to(unit, at),
                },
            )
            .map_err(|_| StoreError::Seal(format!("sealing in unit {unit} failed")))
    }

    pub(crate) fn open(
        &self,
        key: &DataKey,
        unit: &str,
        at: Pointer,
        sealed: &[u8],
    ) -> Result<Vec<u8>, StoreError> {
        let broken = |what: &str| StoreError::inconsistent("block", unit, what);
        let packed = cipher(&key.0)?
            .decrypt(
                &at.nonce(),
                Payload {
                    msg: sealed,
                    aad: &self.bound_to(unit, at),
                },
            )
            .map_err(|_| broken("a sealed text does not open under the key of its unit"))?;
        match packed.split_first() {
            Some((&PLAIN, text)) => Ok(text.to_vec()),
            Some((&ZSTD, frame)) => {
                unpack(frame).ok_or_else(|| broken("a sealed text does not decompress"))
            }
            _ => Err(broken("a sealed text has an unknown form")),
        }
    }
}

thread_local! {
    /// Making one costs more than most texts do.
    static DECOMPRESSOR: RefCell<Option<zstd::bulk::Decompressor<'static>>> =
        const { RefCell::new(None) };
}

/// The text of a frame, which says how long it is; `None` when it is broken or too long.
fn unpack(frame: &[u8]) -> Option<Vec<u8>> {
    let bytes = zstd::zstd_safe::get_frame_content_size(frame).ok()??;
    let bytes = usize::try_from(bytes)
        .ok()
        .filter(|bytes| *bytes <= TEXT_BYTES_MAX)?;
    DECOMPRESSOR.with_borrow_mut(|tool| {
        if tool.is_none() {
            *tool = zstd::bulk::Decompressor::new().ok();
        }
        tool.as_mut()?.decompress(frame, bytes).ok()
    })
}

/// The first byte names the form; a shared dictionary will be form 2 and name its dictionary.
fn pack(text: &[u8], compressor: &mut Option<zstd::bulk::Compressor<'static>>) -> Vec<u8> {
    if text.len() >= COMPRESS_FROM_BYTES {
        if compressor.is_none() {
            *compressor = zstd::bulk::Compressor::new(ZSTD_LEVEL).ok();
        }
        if let Some(frame) = compressor
            .as_mut()
            .and_then(|tool| tool.compress(text).ok())
            && frame.len() < text.len()
        {
            return [&[ZSTD], frame.as_slice()].concat();
        }
    }
    [&[PLAIN], text].concat()
}

/// `2026-11` for a time in November 2026, UTC.
fn month_of(now_us: i64) -> String {
    const DAY_US: i64 = 86_400_000_000;
    // Days since 0000-03-01, in eras of 400 years: the civil calendar without a library.
    let days = now_us.div_euclid(DAY_US) + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let month = if shifted < 10 {
        shifted + 3
    } else {
        shifted - 9
    };
    let year = era * 400 + year_of_era + i64::from(month <= 2);
    format!("{year:04}-{month:02}")
}

/// A unit's name with its generation: after a shred, later texts of the same unit get a new key.
pub(crate) fn generation_of(unit: &str, generation: u32) -> Arc<str> {
    if generation == 0 {
        Arc::from(unit)
    } else {
        Arc::from(format!("{unit}#{generation}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_are_those_of_the_calendar() {
        let day = 86_400_000_000;
        assert_eq!(month_of(0), "1970-01");
        assert_eq!(month_of(-1), "1969-12");
        assert_eq!(month_of(59 * day - 1), "1970-02");
        assert_eq!(month_of(59 * day), "1970-03");
        assert_eq!(month_of(1_709_164_800_000_000), "2024-02"); // 29 February 2024
        assert_eq!(month_of(1_709_251_200_000_000), "2024-03");
    }

    #[test]
    fn a_pointer_gives_back_writer_and_seq() {
        let pointer = Pointer::new(5, 77, 3).unwrap();
        assert_eq!(
            (pointer.writer_no(), pointer.seq(), pointer.ord),
            (5, 77, 3)
        );
        assert!(Pointer::new(1 << 23, 0, 0).is_err());
    }
}

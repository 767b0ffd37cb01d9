//! Identifiers: 16 bytes each, one type per kind, so that the wrong id does not compile.
//!
//! Ids that must be the same after a restore are *derived* from what they identify: an item from
//! ledger, source and source reference, a document from its grouping. Posting keys too, see
//! [`crate::posting`]. Text form: a prefix and 26 letters of base32 without padding.

use data_encoding::BASE32_NOPAD;
use sha2::{Digest, Sha256};
use std::fmt;
use std::str::FromStr;
use thiserror::Error;

/// A text that is no id of the expected kind.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("'{text}' is no {kind} id (it starts with '{prefix}_')")]
pub struct BadId {
    text: String,
    kind: &'static str,
    prefix: &'static str,
}

macro_rules! id_type {
    ($(#[$doc:meta])* $name:ident, $prefix:literal, $kind:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub [u8; 16]);

        impl $name {
            /// The prefix of the text form.
            pub const PREFIX: &'static str = $prefix;

            /// The stored bytes.
            pub const fn bytes(self) -> [u8; 16] {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}_{}", $prefix, BASE32_NOPAD.encode(&self.0).to_lowercase())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{self}")
            }
        }

        impl FromStr for $name {
            type Err = BadId;

            fn from_str(text: &str) -> Result<Self, BadId> {
                let bad = || BadId {
                    text: text.chars().take(48).collect(),
                    kind: $kind,
                    prefix: $prefix,
                };
                let body = text.strip_prefix(concat!($prefix, "_")).ok_or_else(bad)?;
                let bytes =
                    BASE32_NOPAD.decode(body.to_uppercase().as_bytes()).map_err(|_| bad())?;
                Ok(Self(bytes.try_into().map_err(|_| bad())?))
            }
        }
    };
}

id_type!(
    /// A billable item.
    ItemId, "itm", "item"
);
id_type!(
    /// A document: one draft invoice or one stream of cost lines.
    DocumentId, "doc", "document"
);
id_type!(
    /// One call to a target.
    AttemptId, "att", "attempt"
);

/// SHA-256 over length-prefixed parts: no two lists of parts give the same input.
pub fn digest(label: &str, parts: &[&[u8]]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in std::iter::once(label.as_bytes()).chain(parts.iter().copied()) {
        hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}

/// The first 128 bits of [`digest`].
pub fn digest16(label: &str, parts: &[&[u8]]) -> [u8; 16] {
    let full = digest(label, parts);
    let mut short = [0_u8; 16];
    for (to, from) in short.iter_mut().zip(full) {
        *to = from;
    }
    short
}

impl ItemId {
    /// The id of what a source calls `source_ref`, in one ledger.
    pub fn derive(ledger: &str, source: &str, source_ref: &str) -> Self {
        Self(digest16(
            "item",
            &[ledger.as_bytes(), source.as_bytes(), source_ref.as_bytes()],
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_form_round_trips_and_keeps_kinds_apart() {
        let id = ItemId::derive("ledger", "redmine", "4711");
        assert_eq!(id.to_string().parse::<ItemId>().unwrap(), id);
        assert!(id.to_string().starts_with("itm_"));
        assert!(id.to_string().parse::<DocumentId>().is_err());
        for text in ["", "itm_", "itm_!", "itm_aaaa"] {
            assert!(text.parse::<ItemId>().is_err(), "{text}");
        }
    }

    #[test]
    fn parts_do_not_run_together() {
        assert_ne!(
            ItemId::derive("l", "ab", "c"),
            ItemId::derive("l", "a", "bc")
        );
        assert_ne!(ItemId::derive("l", "a", ""), ItemId::derive("", "l", "a"));
    }
}

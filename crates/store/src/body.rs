//! The body of a block: what one transaction had to say, framed compactly.
//!
//! Version byte, then strings (each once), audit leaves, events, counter deltas, sealed facts; each
//! list starts with its length. A body that ends early or late does not decode, and is a problem.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use crate::digest::{Cursor, put_bytes, put_int, put_uint};

const FORMAT: u8 = 1;

/// One change of one audited row, or a free note (kind 0).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leaf {
    /// The table's number, 0 for a note.
    pub kind: u8,
    /// Canonical bytes of the row's key; for a note, its subject.
    pub key: Vec<u8>,
    /// The row's version after the change, without gaps from 1; 0 for a note.
    pub version: i64,
    /// Who did it.
    pub actor: Arc<str>,
    /// What happened, in a few words.
    pub why: Cow<'static, str>,
    /// Keyed digest of the row after the change; for a note, of the sealed content it speaks of.
    pub digest: [u8; 32],
}

/// Something to publish. Its identity is (writer, seq, ordinal). Never holds personal text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// What kind of event, e.g. `posting.posted`.
    pub topic: Cow<'static, str>,
    /// What it is about, usually an id.
    pub subject: Vec<u8>,
    /// The body as it will be published.
    pub body: Vec<u8>,
}

/// One sealed text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fact {
    pub(crate) unit: Arc<str>,
    /// Keyed digest of the plain text: proves the content when somebody presents it after a shred.
    pub(crate) content: [u8; 32],
    pub(crate) sealed: Vec<u8>,
}

/// All of it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Body {
    pub(crate) leaves: Vec<Leaf>,
    pub(crate) events: Vec<Event>,
    pub(crate) counts: Vec<(String, i64)>,
    pub(crate) facts: Vec<Fact>,
}

#[derive(Default)]
struct Strings<'a> {
    order: Vec<&'a str>,
    known: BTreeMap<&'a str, u64>,
}

impl<'a> Strings<'a> {
    fn put(&mut self, out: &mut Vec<u8>, text: &'a str) {
        let next = u64::try_from(self.order.len()).unwrap_or(u64::MAX);
        let number = *self.known.entry(text).or_insert(next);
        if number == next {
            self.order.push(text);
        }
        put_uint(out, number);
    }
}

fn put_count(out: &mut Vec<u8>, count: usize) {
    put_uint(out, u64::try_from(count).unwrap_or(u64::MAX));
}

impl Body {
    pub(crate) fn is_empty(&self) -> bool {
        self.leaves.is_empty()
            && self.events.is_empty()
            && self.counts.is_empty()
            && self.facts.is_empty()
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut strings = Strings::default();
        let sealed: usize = self.facts.iter().map(|fact| fact.sealed.len() + 48).sum();
        let mut lists = Vec::with_capacity(sealed + self.leaves.len() * 72);
        put_count(&mut lists, self.leaves.len());
        for leaf in &self.leaves {
            lists.push(leaf.kind);
            put_bytes(&mut lists, &leaf.key);
            put_int(&mut lists, leaf.version);
            strings.put(&mut lists, &leaf.actor);
            strings.put(&mut lists, &leaf.why);
            lists.extend_from_slice(&leaf.digest);
        }
        put_count(&mut lists, self.events.len());
        for event in &self.events {
            strings.put(&mut lists, &event.topic);
            put_bytes(&mut lists, &event.subject);
            put_bytes(&mut lists, &event.body);
        }
        put_count(&mut lists, self.counts.len());
        for (name, delta) in &self.counts {
            strings.put(&mut lists, name);
            put_int(&mut lists, *delta);
        }
        put_count(&mut lists, self.facts.len());
        for fact in &self.facts {
            strings.put(&mut lists, &fact.unit);
            lists.extend_from_slice(&fact.content);
            put_bytes(&mut lists, &fact.sealed);
        }
        let mut out = Vec::with_capacity(lists.len() + 256);
        out.push(FORMAT);
        put_count(&mut out, strings.order.len());
        for text in &strings.order {
            put_bytes(&mut out, text.as_bytes());
        }
        out.extend_from_slice(&lists);
        out
    }

    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let mut cursor = Cursor::new(bytes);
        if cursor.byte()? != FORMAT {
            return None;
        }
        let strings = (0..cursor.count()?)
            .map(|_| Some(Arc::from(std::str::from_utf8(cursor.bytes()?).ok()?)))
            .collect::<Option<Vec<Arc<str>>>>()?;
        let text = |cursor: &mut Cursor<'_>| -> Option<Arc<str>> {
            strings.get(usize::try_from(cursor.uint()?).ok()?).cloned()
        };
        let mut body = Self::default();
        for _ in 0..cursor.count()? {
            body.leaves.push(Leaf {
                kind: cursor.byte()?,
                key: cursor.bytes()?.to_vec(),
                version: cursor.int()?,
                actor: text(&mut cursor)?,
                why: Cow::Owned(text(&mut cursor)?.to_string()),
                digest: cursor.array()?,
            });
        }
        for _ in 0..cursor.count()? {
            body.events.push(Event {
                topic: Cow::Owned(text(&mut cursor)?.to_string()),
                subject: cursor.bytes()?.to_vec(),
                body: cursor.bytes()?.to_vec(),
            });
        }
        for _ in 0..cursor.count()? {
            body.counts
                .push((text(&mut cursor)?.to_string(), cursor.int()?));
        }
        for _ in 0..cursor.count()? {
            body.facts.push(Fact {
                unit: text(&mut cursor)?,
                content: cursor.array()?,
                sealed: cursor.bytes()?.to_vec(),
            });
        }
        cursor.is_empty().then_some(body)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Body {
        let leaf = |version| Leaf {
            kind: 3,
            key: vec![7; 16],
            version,
            actor: Arc::from("system"),
            why: Cow::Borrowed("priced"),
            digest: [9; 32],
        };
        Body {
            leaves: vec![leaf(1), leaf(2)],
            events: vec![Event {
                topic: "t".into(),
                subject: vec![1],
                body: b"{}".to_vec(),
            }],
            counts: vec![("billed".to_owned(), -3)],
            facts: vec![Fact {
                unit: Arc::from("u"),
                content: [1; 32],
                sealed: vec![5; 40],
            }],
        }
    }

    #[test]
    fn a_body_survives_the_way_there_and_back() {
        let body = sample();
        assert_eq!(Body::decode(&body.encode()), Some(body));
    }

    #[test]
    fn a_cut_or_extended_body_does_not_decode() {
        let bytes = sample().encode();
        for end in 0..bytes.len() {
            assert_eq!(Body::decode(&bytes[..end]), None, "cut at {end}");
        }
        let mut longer = bytes;
        longer.push(0);
        assert_eq!(Body::decode(&longer), None);
    }
}

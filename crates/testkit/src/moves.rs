//! The moves of postings, put together from the rows of the ledger: the state that is stored, and
//! the attempt that holds the posting. Every move has to be one of the list in `domain`.
//!
//! A posting in flight is stored as ready or waiting and stands as sending or ambiguous by its
//! attempt; waking is stored nowhere, it is the first half of the next step.

use domain::exception::Code;
use domain::posting::{POSTING_TRANSITIONS, PostingEvent, PostingState};
use std::collections::BTreeMap;
use store::RowChange;

/// From, event, to.
pub type Move = (PostingState, PostingEvent, PostingState);

/// A posting by its document and number.
type Posting = (Vec<u8>, i64);

/// An attempt that is open.
#[derive(Debug, Clone)]
struct Open {
    id: Vec<u8>,
    doubtful: bool,
}

/// The postings of one ledger as they stand. A clone is what a backup of the ledger would hold.
#[derive(Debug, Clone, Default)]
pub struct Postings {
    stored: BTreeMap<Posting, PostingState>,
    open: BTreeMap<Posting, Open>,
}

/// What one row said.
#[derive(Debug, Default)]
pub struct Heard {
    /// The moves it stands for.
    pub moves: Vec<Move>,
    /// In words, if it is worth telling.
    pub words: Option<String>,
    /// A move that no list allows: a defect.
    pub forbidden: Option<String>,
}

/// The first letters of an id, as people read it.
fn short(id: &[u8]) -> String {
    let text = data_encoding::HEXLOWER.encode(id);
    text.chars().take(6).collect()
}

impl Postings {
    /// Take a row in.
    pub fn hear(&mut self, row: &RowChange) -> Heard {
        match row.table() {
            "posting" => self.posting(row),
            "attempt" => self.attempt(row),
            _ => Heard::default(),
        }
    }

    fn posting(&mut self, row: &RowChange) -> Heard {
        let (Some(document), Some(number), Some(to)) = (
            row.bytes("document_id"),
            row.int("posting_no"),
            row.text("state").and_then(PostingState::from_name),
        ) else {
            return Heard {
                forbidden: Some("a posting without document, number or state".to_owned()),
                ..Heard::default()
            };
        };
        let name = format!("line {number} of {}", short(document));
        let posting = (document.to_vec(), number);
        let before = self.stored.insert(posting.clone(), to);
        let Some(before) = before else {
            let (kind, amount) = (row.text("kind"), row.int("amount_minor"));
            let words = format!(
                "{name} planned: {} of {} for item {}",
                kind.unwrap_or_default(),
                amount.unwrap_or_default(),
                short(row.bytes("item_id").unwrap_or_default())
            );
            return Heard {
                words: Some(words),
                forbidden: (to != PostingState::Ready).then(|| format!("{name} began as {to}")),
                ..Heard::default()
            };
        };
        let from = self.open.get(&posting).map_or(before, |attempt| {
            if attempt.doubtful {
                PostingState::Ambiguous
            } else {
                PostingState::Sending
            }
        });
        if from == to {
            return Heard::default();
        }
        let mut heard = Heard::default();
        let held_by_other = row.text("code") == Some(Code::KeyHeldByOtherContent.text());
        let mut from_now = from;
        if from == PostingState::Waiting && step(from, to, held_by_other).is_none() {
            // Woken and moved on in one breath.
            heard.moves.push((
                PostingState::Waiting,
                PostingEvent::Wake,
                PostingState::Ready,
            ));
            from_now = PostingState::Ready;
        }
        match step(from_now, to, held_by_other) {
            Some(event) => heard.moves.push((from_now, event, to)),
            None => heard.forbidden = Some(format!("{name} went from {from} to {to}")),
        }
        let code = row.text("code").map(|code| format!(", {code}"));
        heard.words = Some(format!(
            "{name}: {from} to {to}, {}{}",
            row.why(),
            code.unwrap_or_default()
        ));
        heard
    }

    fn attempt(&mut self, row: &RowChange) -> Heard {
        let mut heard = Heard::default();
        let (Some(id), Some(document), Some(state), Some(members)) = (
            row.bytes("attempt_id"),
            row.bytes("document_id"),
            row.text("state"),
            row.bytes("members"),
        ) else {
            heard.forbidden = Some("an attempt without id, document, state or members".to_owned());
            return heard;
        };
        let numbers = members
            .as_chunks::<8>()
            .0
            .iter()
            .map(|bytes| i64::from_be_bytes(*bytes));
        let mut count = 0_u64;
        for number in numbers {
            count += 1;
            let posting = (document.to_vec(), number);
            match (state, self.open.get(&posting)) {
                ("sending", None) => self.claim(&posting, id, &mut heard),
                ("ambiguous", Some(open)) if open.id == id && !open.doubtful => {
                    let (from, to) = (PostingState::Sending, PostingState::Ambiguous);
                    heard.moves.push((from, PostingEvent::LoseAnswer, to));
                    let (id, doubtful) = (id.to_vec(), true);
                    self.open.insert(posting, Open { id, doubtful });
                }
                ("settled", Some(open)) if open.id == id => {
                    self.open.remove(&posting);
                }
                ("ambiguous", Some(open)) if open.id == id => {}
                (state, _) => {
                    heard.forbidden = Some(format!(
                        "line {number} of {} is in attempt {} that becomes {state}, and it is not \
                         that attempt which holds it",
                        short(document),
                        short(id)
                    ));
                }
            }
        }
        heard.words = Some(format!(
            "attempt {} to {} {count} lines of {}: {state}{}",
            short(id),
            row.text("verb").unwrap_or_default(),
            short(document),
            row.text("outcome")
                .map_or_else(String::new, |words| format!(" ({words})"))
        ));
        heard
    }

    fn claim(&mut self, posting: &Posting, id: &[u8], heard: &mut Heard) {
        let stored = self.stored.get(posting).copied();
        match stored {
            Some(PostingState::Ready) => {}
            Some(PostingState::Waiting) => {
                let (from, to) = (PostingState::Waiting, PostingState::Ready);
                heard.moves.push((from, PostingEvent::Wake, to));
            }
            other => {
                let was = other.map_or("unknown", PostingState::name);
                let (document, number) = (short(&posting.0), posting.1);
                heard.forbidden = Some(format!("line {number} of {document} is sent while {was}"));
            }
        }
        let (from, to) = (PostingState::Ready, PostingState::Sending);
        heard.moves.push((from, PostingEvent::Claim, to));
        let (id, doubtful) = (id.to_vec(), false);
        self.open.insert(posting.clone(), Open { id, doubtful });
    }

    /// Lines that an open attempt still holds.
    pub fn in_flight(&self) -> usize {
        self.open.len()
    }
}

/// The event between two states. Where two events join them, the code of the row tells: a key held
/// by other content was found, anything else was answered.
fn step(from: PostingState, to: PostingState, held_by_other: bool) -> Option<PostingEvent> {
    let mut events = POSTING_TRANSITIONS
        .iter()
        .filter(|(a, _, b)| *a == from && *b == to)
        .map(|(_, event, _)| *event);
    let (first, second) = (events.next()?, events.next());
    Some(match (from, to, second) {
        (_, _, None) => first,
        (_, PostingState::Rejected, _) if held_by_other => PostingEvent::FindOther,
        (_, PostingState::Rejected, _) => PostingEvent::Reject,
        // While a call is under way nobody looks up: the answer itself confirms.
        (PostingState::Sending, PostingState::Posted, _) => PostingEvent::Confirm,
        _ => first,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pair_of_states_is_told_apart_or_named_as_two() {
        for (from, event, to) in POSTING_TRANSITIONS {
            let found = [false, true].map(|code| step(*from, *to, code));
            let twins = POSTING_TRANSITIONS
                .iter()
                .filter(|(a, _, b)| a == from && b == to)
                .count();
            if twins == 1 {
                assert_eq!(found, [Some(*event); 2]);
            } else {
                assert!(*to == PostingState::Posted || *to == PostingState::Rejected);
            }
        }
        assert_eq!(
            step(PostingState::Cancelled, PostingState::Ready, false),
            None
        );
    }
}

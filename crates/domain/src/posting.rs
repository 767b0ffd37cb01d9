//! Postings: what is asked of the ERP, under which key, and in which states they can be.

use crate::ids::{ItemId, digest16};
use data_encoding::BASE32_NOPAD;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;

/// What a posting does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PostingKind {
    /// A new line.
    CreateLine,
    /// New content for a line that is still on a draft.
    ReplaceLine,
    /// A line taken off a draft.
    DeleteLine,
    /// A line that mirrors one of an issued document.
    Credit,
    /// A line by which an issued one is more or less: the same supply, taxed as that one.
    Difference,
    /// A whole document withdrawn.
    Void,
}

impl PostingKind {
    /// Every kind.
    pub const ALL: [Self; 6] = [
        Self::CreateLine,
        Self::ReplaceLine,
        Self::DeleteLine,
        Self::Credit,
        Self::Difference,
        Self::Void,
    ];

    /// The stored name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::CreateLine => "create_line",
            Self::ReplaceLine => "replace_line",
            Self::DeleteLine => "delete_line",
            Self::Credit => "credit",
            Self::Difference => "difference",
            Self::Void => "void",
        }
    }

    /// Whether it puts a line under a key of its own into the ERP.
    pub const fn makes_line(self) -> bool {
        match self {
            Self::CreateLine | Self::Credit | Self::Difference => true,
            Self::ReplaceLine | Self::DeleteLine | Self::Void => false,
        }
    }

    /// From the stored name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// The facts a posting key is made of.
#[derive(Debug, Clone, Copy)]
pub struct PostingKeyParts<'a> {
    /// The ledger's id, kept in the configuration, outside the database.
    pub ledger: &'a str,
    /// The flow's name.
    pub flow: &'a str,
    /// What the ERP itself reports as its company.
    pub target_identity: &'a str,
    /// The item.
    pub item: ItemId,
    /// The effect's number: a counter per item and flow. Never the revision: an entry edited back
    /// has an old content and a new effect.
    pub effect: i64,
    /// The kind.
    pub kind: PostingKind,
    /// The code of the part of the item, zero where it is one whole: parts share the counter of effects,
    /// and no two of their lines have one key.
    pub part: i64,
}

/// The key under which the ERP knows a line: 26 letters and digits, safe in any text field.
pub fn posting_key(parts: &PostingKeyParts<'_>) -> String {
    let bytes = digest16(
        "posting",
        &[
            parts.ledger.as_bytes(),
            parts.flow.as_bytes(),
            parts.target_identity.as_bytes(),
            &parts.item.bytes(),
            &parts.effect.to_be_bytes(),
            parts.kind.name().as_bytes(),
            &parts.part.to_be_bytes(),
        ],
    );
    BASE32_NOPAD.encode(&bytes)
}

/// The key under which the ERP knows a document.
pub fn document_key(ledger: &str, flow: &str, target_identity: &str, grouping: &[&str]) -> String {
    let mut parts: Vec<&[u8]> = vec![
        ledger.as_bytes(),
        flow.as_bytes(),
        target_identity.as_bytes(),
    ];
    parts.extend(grouping.iter().map(|part| part.as_bytes()));
    BASE32_NOPAD.encode(&digest16("document", &parts))
}

/// The states of a posting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PostingState {
    /// To be sent.
    Ready,
    /// Kept back before it was ever sent; the posting carries the code.
    Held,
    /// The intent is durable; the call may be under way.
    Sending,
    /// To be sent again at a known time.
    Waiting,
    /// Sent, and nobody knows whether it arrived.
    Ambiguous,
    /// In the ERP.
    Posted,
    /// Refused by the ERP.
    Rejected,
    /// Withdrawn before it reached the ERP.
    Cancelled,
    /// Posted, then deleted in the ERP by somebody else.
    Missing,
    /// Posted, then changed in the ERP by somebody else.
    Altered,
    /// Posted, then replaced, deleted or credited by a later posting of ours.
    Superseded,
}

/// What moves a posting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PostingEvent {
    /// The intent was written.
    Claim,
    /// The ERP confirmed the line.
    Confirm,
    /// The ERP refused the line.
    Reject,
    /// Surely not executed; again at a later time.
    Postpone,
    /// The call was cut short, or this process was.
    LoseAnswer,
    /// The time of a postponed posting has come.
    Wake,
    /// A look-up found the line with our content.
    Find,
    /// A look-up, made late enough, found nothing.
    ConfirmAbsent,
    /// A look-up found the key on other content.
    FindOther,
    /// A person mended the cause.
    Remedy,
    /// The posting is no longer wanted.
    Cancel,
    /// A person or rule keeps it back.
    Hold,
    /// The hold ended.
    Release,
    /// Feedback no longer finds the line.
    Vanish,
    /// Feedback finds other content.
    Alter,
    /// A later posting of ours took its place.
    Supersede,
}

/// Every allowed move: from, event, to. The one list that code, tests and documents share.
pub const POSTING_TRANSITIONS: &[(PostingState, PostingEvent, PostingState)] = {
    use PostingEvent as E;
    use PostingState as S;
    &[
        (S::Held, E::Release, S::Ready),
        (S::Held, E::Cancel, S::Cancelled),
        (S::Ready, E::Hold, S::Held),
        (S::Ready, E::Claim, S::Sending),
        (S::Ready, E::Find, S::Posted),
        (S::Ready, E::FindOther, S::Rejected),
        (S::Ready, E::Cancel, S::Cancelled),
        (S::Ready, E::Reject, S::Rejected),
        (S::Sending, E::Confirm, S::Posted),
        (S::Sending, E::Find, S::Posted),
        (S::Sending, E::FindOther, S::Rejected),
        (S::Sending, E::Reject, S::Rejected),
        (S::Sending, E::Postpone, S::Waiting),
        (S::Sending, E::LoseAnswer, S::Ambiguous),
        (S::Waiting, E::Wake, S::Ready),
        (S::Waiting, E::Cancel, S::Cancelled),
        (S::Ambiguous, E::Find, S::Posted),
        (S::Ambiguous, E::FindOther, S::Rejected),
        (S::Ambiguous, E::ConfirmAbsent, S::Ready),
        (S::Rejected, E::Remedy, S::Ready),
        (S::Rejected, E::Cancel, S::Cancelled),
        (S::Posted, E::Vanish, S::Missing),
        (S::Posted, E::Alter, S::Altered),
        (S::Posted, E::Supersede, S::Superseded),
        (S::Altered, E::Find, S::Posted),
        (S::Altered, E::Vanish, S::Missing),
        (S::Altered, E::Supersede, S::Superseded),
        (S::Missing, E::Find, S::Posted),
        (S::Missing, E::Supersede, S::Superseded),
    ]
};

/// A move that is not in [`POSTING_TRANSITIONS`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a posting in state {from:?} cannot take {event:?}")]
pub struct InvalidTransition {
    /// The state.
    pub from: PostingState,
    /// The event.
    pub event: PostingEvent,
}

impl PostingState {
    /// Every state.
    pub const ALL: [Self; 11] = [
        Self::Ready,
        Self::Held,
        Self::Sending,
        Self::Waiting,
        Self::Ambiguous,
        Self::Posted,
        Self::Rejected,
        Self::Cancelled,
        Self::Missing,
        Self::Altered,
        Self::Superseded,
    ];

    /// The stored name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Held => "held",
            Self::Sending => "sending",
            Self::Waiting => "waiting",
            Self::Ambiguous => "ambiguous",
            Self::Posted => "posted",
            Self::Rejected => "rejected",
            Self::Cancelled => "cancelled",
            Self::Missing => "missing",
            Self::Altered => "altered",
            Self::Superseded => "superseded",
        }
    }

    /// From the stored name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }

    /// The state after an event.
    pub fn after(self, event: PostingEvent) -> Result<Self, InvalidTransition> {
        POSTING_TRANSITIONS
            .iter()
            .find(|(from, on, _)| *from == self && *on == event)
            .map(|(_, _, to)| *to)
            .ok_or(InvalidTransition { from: self, event })
    }

    /// Whether the ERP may still be asked something for it: at most one such posting per part of an
    /// item.
    pub const fn unsettled(self) -> bool {
        match self {
            Self::Ready | Self::Sending | Self::Waiting | Self::Ambiguous => true,
            Self::Held
            | Self::Posted
            | Self::Rejected
            | Self::Cancelled
            | Self::Missing
            | Self::Altered
            | Self::Superseded => false,
        }
    }
}

impl fmt::Display for PostingState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The state of a document, as the ERP reports it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DocumentState {
    /// Not in the ERP yet.
    Open,
    /// A draft: lines can come and go.
    Draft,
    /// Issued: it has a number and is closed to us.
    Issued,
    /// Issued and paid.
    Paid,
    /// Issued and credited.
    Credited,
    /// Cancelled without a credit.
    Void,
    /// Deleted in the ERP.
    Missing,
}

impl DocumentState {
    /// Every state.
    pub const ALL: [Self; 7] = [
        Self::Open,
        Self::Draft,
        Self::Issued,
        Self::Paid,
        Self::Credited,
        Self::Void,
        Self::Missing,
    ];

    /// The stored name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Draft => "draft",
            Self::Issued => "issued",
            Self::Paid => "paid",
            Self::Credited => "credited",
            Self::Void => "void",
            Self::Missing => "missing",
        }
    }

    /// From the stored name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }

    /// Whether lines can still be added, changed and taken off.
    pub const fn takes_lines(self) -> bool {
        match self {
            Self::Open | Self::Draft => true,
            Self::Issued | Self::Paid | Self::Credited | Self::Void | Self::Missing => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(effect: i64, kind: PostingKind) -> PostingKeyParts<'static> {
        PostingKeyParts {
            ledger: "ledger",
            flow: "main",
            target_identity: "tryton:1:Kestrel",
            item: ItemId([1; 16]),
            effect,
            kind,
            part: 0,
        }
    }

    #[test]
    fn keys_differ_by_effect_kind_and_part_and_fit_any_field() {
        let key = posting_key(&parts(1, PostingKind::CreateLine));
        assert_eq!(key.len(), 26);
        assert!(key.bytes().all(|b| b.is_ascii_alphanumeric()));
        assert_ne!(key, posting_key(&parts(2, PostingKind::CreateLine)));
        assert_ne!(key, posting_key(&parts(1, PostingKind::Credit)));
        let other_part = PostingKeyParts {
            part: 1,
            ..parts(1, PostingKind::CreateLine)
        };
        assert_ne!(key, posting_key(&other_part));
        assert_eq!(key, posting_key(&parts(1, PostingKind::CreateLine)));
    }

    #[test]
    fn transitions_are_a_function_and_cover_every_state() {
        for (index, (from, event, _)) in POSTING_TRANSITIONS.iter().enumerate() {
            let again = &POSTING_TRANSITIONS[index + 1..];
            assert!(
                again.iter().all(|(f, e, _)| (f, e) != (from, event)),
                "{from:?} {event:?}"
            );
        }
        for state in PostingState::ALL {
            assert_eq!(PostingState::from_name(state.name()), Some(state));
            let moves = POSTING_TRANSITIONS
                .iter()
                .any(|(from, _, _)| *from == state);
            let last = matches!(state, PostingState::Cancelled | PostingState::Superseded);
            assert_eq!(moves, !last, "{state}");
            let reached = POSTING_TRANSITIONS.iter().any(|(_, _, to)| *to == state);
            assert!(reached, "{state} is never reached");
        }
    }

    #[test]
    fn nothing_leaves_doubt_but_by_look_up() {
        let exits: Vec<PostingEvent> = POSTING_TRANSITIONS
            .iter()
            .filter(|(from, _, _)| *from == PostingState::Ambiguous)
            .map(|(_, event, _)| *event)
            .collect();
        let look_ups = [
            PostingEvent::Find,
            PostingEvent::FindOther,
            PostingEvent::ConfirmAbsent,
        ];
        assert_eq!(exits, look_ups);
        assert!(PostingState::Ambiguous.after(PostingEvent::Claim).is_err());
    }
}

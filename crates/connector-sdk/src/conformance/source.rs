//! The laws that every source keeps, checked by one suite.
//!
//! A connector's test implements [`SourceHarness`] over the tracker's twin, a scripted tracker or a
//! real one, and asserts that [`check_source`] finds no violation. The suite stands between the
//! connector and its transport ([`Meddler`]): it inserts rows while a window is read, replaces
//! answers, and watches that reading writes nothing.
//!
//! It never looks into a connector: only what comes out counts.

mod failures;
mod laws;
mod meddler;
mod moving;

pub use meddler::{Meddler, Meddling};

use crate::source::{DateWindow, Feedback, TimeSource};
use async_trait::async_trait;
use jiff::civil::Date;
use std::fmt;
use std::sync::Arc;

/// A law, with its number in the connector specification.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Law {
    /// S1: a scan gives every entry of the window exactly once, over page boundaries too.
    EveryEntryOnce,
    /// S2: rows inserted while a window is read lose and repeat no other row.
    InsertsMoveNothing,
    /// S3: rows deleted while a window is read lose and repeat no other row.
    DeletesMoveNothing,
    /// S4: a deleted entry is absent from its window, and a fetch says that it is gone.
    DeletesAreSeen,
    /// S5: the same record gives the same id and the same fingerprint, in a scan and in a fetch.
    SameInputSameEntry,
    /// S6: an edit keeps the id and moves the fingerprint.
    EditsAreSeen,
    /// S7: nothing outside the window is given.
    WindowsAreKept,
    /// S8: a write-back makes no revision, can be repeated, shows what was written, and says when
    /// the entry is gone.
    WriteBackMakesNoRevision,
    /// S9: a record that cannot be read rejects itself and no other.
    OneBadRecord,
    /// S10: fields that the connector does not know change nothing.
    UnknownFields,
    /// S11: every failed call has the class that says what happened, and none looks like success.
    FailuresAreClassified,
    /// S12: secrets are in no debug output, no error and no line of the check.
    SecretsStaySecret,
    /// S13: text comes through as it was typed.
    TextSurvives,
    /// S14: checking and reading write nothing.
    ReadingWritesNothing,
    /// S15: an empty window is an empty scan, not an error.
    EmptyWindow,
}

impl Law {
    /// All laws, in order.
    pub const ALL: [Self; 15] = [
        Self::EveryEntryOnce,
        Self::InsertsMoveNothing,
        Self::DeletesMoveNothing,
        Self::DeletesAreSeen,
        Self::SameInputSameEntry,
        Self::EditsAreSeen,
        Self::WindowsAreKept,
        Self::WriteBackMakesNoRevision,
        Self::OneBadRecord,
        Self::UnknownFields,
        Self::FailuresAreClassified,
        Self::SecretsStaySecret,
        Self::TextSurvives,
        Self::ReadingWritesNothing,
        Self::EmptyWindow,
    ];

    /// Its number.
    pub const fn number(self) -> u8 {
        match self {
            Self::EveryEntryOnce => 1,
            Self::InsertsMoveNothing => 2,
            Self::DeletesMoveNothing => 3,
            Self::DeletesAreSeen => 4,
            Self::SameInputSameEntry => 5,
            Self::EditsAreSeen => 6,
            Self::WindowsAreKept => 7,
            Self::WriteBackMakesNoRevision => 8,
            Self::OneBadRecord => 9,
            Self::UnknownFields => 10,
            Self::FailuresAreClassified => 11,
            Self::SecretsStaySecret => 12,
            Self::TextSurvives => 13,
            Self::ReadingWritesNothing => 14,
            Self::EmptyWindow => 15,
        }
    }
}

/// A law that was not kept.
#[derive(Clone, PartialEq, Eq)]
pub struct Violation {
    /// The law.
    pub law: Law,
    /// What was seen.
    pub seen: String,
}

impl fmt::Debug for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "S{} {:?}: {}", self.law.number(), self.law, self.seen)
    }
}

/// An entry that the suite books in the tracker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Booking {
    /// The day of the work.
    pub work_date: Date,
    /// Whole quarters of an hour.
    pub quarter_hours: u8,
    /// What the person wrote.
    pub narrative: String,
    /// Whether it is approved.
    pub approved: bool,
}

/// What the suite needs of a connector's test.
///
/// The connector given by [`SourceHarness::source`] sends through a [`Meddler`] that the harness
/// has put around its transport.
#[async_trait]
pub trait SourceHarness: Send + Sync {
    /// The connector.
    fn source(&self) -> &dyn TimeSource;

    /// The same connector in its other role, if it has one.
    fn feedback(&self) -> Option<&dyn Feedback>;

    /// What stands between the connector and its transport.
    fn meddler(&self) -> &Arc<Meddler>;

    /// The connector as Debug shows it.
    fn debug(&self) -> String;

    /// Its secrets, in every form in which they are sent.
    fn secrets(&self) -> Vec<String>;

    /// A window of at least ten days in which the tracker holds nothing yet; the day after it is
    /// empty as well.
    fn window(&self) -> DateWindow;

    /// How many entries fill more than two pages of a list.
    fn entries_of_three_pages(&self) -> usize;

    /// Book an entry, not through the connector; answers its id.
    async fn book(&self, booking: &Booking) -> String;

    /// Change an entry, not through the connector.
    async fn edit(&self, source_ref: &str, booking: &Booking);

    /// Delete an entry, not through the connector.
    async fn delete(&self, source_ref: &str);

    /// Book an entry that cannot be read, if this tracker can hold one; answers its id. It lies in
    /// the window.
    async fn book_unreadable(&self) -> Option<String>;
}

/// Check all laws. An empty list means that they are kept.
pub async fn check_source(harness: Arc<dyn SourceHarness>) -> Vec<Violation> {
    laws::check(harness).await
}

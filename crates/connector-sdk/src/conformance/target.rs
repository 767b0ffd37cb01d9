//! The laws that every target keeps, checked by one suite.
//!
//! A connector's test implements [`TargetHarness`] over the ERP's twin or a real one, and asserts
//! that [`check_target`] finds no violation. The suite stands between the connector and its
//! transport ([`Interceptor`]): it lets writes happen and loses their answers, replaces answers,
//! and watches what is sent.
//!
//! It never looks into a connector: only what comes out, and what stands in the ERP afterwards,
//! counts.

mod content;
mod doubt;
mod interceptor;
mod laws;

pub use interceptor::{Interceptor, Interference, SeenWrite};

use crate::target::{Call, DocumentHead, PostLine, Shape, Target};
use async_trait::async_trait;
use std::fmt;
use std::sync::Arc;

/// A law, with its number in the connector specification.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Law {
    /// T1: the same key twice makes one line, whichever process sends it, with or without the
    /// ERP's id of the document.
    SameKeyOnce,
    /// T2: a write that happened and whose answer was lost is in doubt, the look-up finds it, and
    /// sending it again changes nothing.
    LostAnswerIsInDoubt,
    /// T3: one outcome per line, in order, and each names the line that carries its key.
    OutcomesMatchLines,
    /// T4: quantities, rates and amounts come back exactly as they were sent.
    DecimalsAreExact,
    /// T5: what is refused was not done, be it a line or a whole call.
    RefusedDidNothing,
    /// T6: a call that never left is said to be not executed, and was not.
    NotSentIsNotExecuted,
    /// T7: every failed call has the class that says what happened, and none looks like success.
    FailuresAreClassified,
    /// T8: secrets are in no debug output, no error and no line of the check.
    SecretsStaySecret,
    /// T9: keys and documents that do not exist are not found, and no error.
    AbsentIsAbsent,
    /// T10: checking, reading and looking up write nothing.
    ReadingWritesNothing,
    /// T11: every write carries the call's time-out and the instant after which it may not leave.
    WritesCarryTheirLimits,
    /// T12: a line can be replaced and deleted; doing it again changes nothing.
    ChangesAreIdempotent,
    /// T13: the target says who it is, and always the same.
    IdentityIsStable,
    /// T14: replacing a line that is gone is refused; it is never made again.
    GoneStaysGone,
    /// T15: where the target holds keys unique, parallel calls make each line once.
    ParallelCallsMakeOne,
    /// T16: a connection that works has nothing bad in its check.
    CheckTellsTheTruth,
}

impl Law {
    /// All laws, in order.
    pub const ALL: [Self; 16] = [
        Self::SameKeyOnce,
        Self::LostAnswerIsInDoubt,
        Self::OutcomesMatchLines,
        Self::DecimalsAreExact,
        Self::RefusedDidNothing,
        Self::NotSentIsNotExecuted,
        Self::FailuresAreClassified,
        Self::SecretsStaySecret,
        Self::AbsentIsAbsent,
        Self::ReadingWritesNothing,
        Self::WritesCarryTheirLimits,
        Self::ChangesAreIdempotent,
        Self::IdentityIsStable,
        Self::GoneStaysGone,
        Self::ParallelCallsMakeOne,
        Self::CheckTellsTheTruth,
    ];

    /// Its number.
    pub const fn number(self) -> u8 {
        match self {
            Self::SameKeyOnce => 1,
            Self::LostAnswerIsInDoubt => 2,
            Self::OutcomesMatchLines => 3,
            Self::DecimalsAreExact => 4,
            Self::RefusedDidNothing => 5,
            Self::NotSentIsNotExecuted => 6,
            Self::FailuresAreClassified => 7,
            Self::SecretsStaySecret => 8,
            Self::AbsentIsAbsent => 9,
            Self::ReadingWritesNothing => 10,
            Self::WritesCarryTheirLimits => 11,
            Self::ChangesAreIdempotent => 12,
            Self::IdentityIsStable => 13,
            Self::GoneStaysGone => 14,
            Self::ParallelCallsMakeOne => 15,
            Self::CheckTellsTheTruth => 16,
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
        write!(f, "T{} {:?}: {}", self.law.number(), self.law, self.seen)
    }
}

/// What the suite needs of a connector's test.
#[async_trait]
pub trait TargetHarness: Send + Sync {
    /// A new connector, as after a restart, that sends through the interceptor.
    fn target(&self) -> Arc<dyn Target>;

    /// What stands between the connector and its transport.
    fn interceptor(&self) -> &Arc<Interceptor>;

    /// The connector as Debug shows it.
    fn debug(&self) -> String;

    /// Its secrets, in every form in which they are sent.
    fn secrets(&self) -> Vec<String>;

    /// The shapes it is to be tried with.
    fn shapes(&self) -> Vec<Shape>;

    /// A call with room enough, made now.
    fn call(&self) -> Call;

    /// A document that does not exist yet, with a key of its own.
    fn head(&self, shape: Shape) -> DocumentHead;

    /// A line that the ERP takes, with a key of its own.
    fn line(&self, head: &DocumentHead) -> PostLine;

    /// A line that the ERP refuses, if there is one of that shape.
    fn refused_line(&self, head: &DocumentHead) -> Option<PostLine>;
}

/// Run every law and say which were not kept.
pub async fn check_target(harness: Arc<dyn TargetHarness>) -> Vec<Violation> {
    laws::check(harness).await
}

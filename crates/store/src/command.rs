//! Commands: the only way to change the ledger.

use std::panic::{AssertUnwindSafe, catch_unwind};

use tokio::sync::oneshot;

use crate::error::{Abort, StoreError, WriteError};
use crate::tx::Tx;

/// A decision and its changes, in one transaction.
///
/// `apply` is synchronous and may run more than once (after a lost race or an unclear commit), so
/// it must depend on nothing but the command and the transaction, and touch nothing else.
pub trait Command {
    /// What the caller gets when the command is kept.
    type Out: Send + 'static;
    /// Why the command itself may say no.
    type Rejection: Send + 'static;
    /// A short name for logs and errors.
    fn name(&self) -> &'static str;
    /// The rows to lock before anything is read.
    fn guards(&self) -> GuardSet;
    /// Reads, decides, changes.
    fn apply(&self, tx: &mut Tx<'_>) -> Result<Self::Out, Abort<Self::Rejection>>;
}

/// One thing to lock before a decision. On SQLite there is one writer, and nothing to lock.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Guard {
    /// A limit domain.
    Limit(String),
    /// A document, by its id.
    Document([u8; 16]),
    /// An item, by its id.
    Item([u8; 16]),
    /// Anything else by a name, also what does not exist yet.
    Name(String),
}

/// Guards in the one order in which everybody locks.
#[derive(Debug, Clone, Default)]
pub struct GuardSet(std::collections::BTreeSet<Guard>);

impl GuardSet {
    /// No guards: for commands that only insert what has its own key.
    pub fn none() -> Self {
        Self::default()
    }

    /// Adds a guard.
    #[must_use]
    pub fn and(mut self, guard: Guard) -> Self {
        self.0.insert(guard);
        self
    }

    /// Adds many.
    pub fn extend(&mut self, guards: impl IntoIterator<Item = Guard>) {
        self.0.extend(guards);
    }

    pub(crate) fn merge(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Guard> {
        self.0.iter()
    }
}

impl FromIterator<Guard> for GuardSet {
    fn from_iter<I: IntoIterator<Item = Guard>>(guards: I) -> Self {
        Self(guards.into_iter().collect())
    }
}

/// How one run of a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Keep its changes.
    Applied,
    /// Undo its changes; the answer stands.
    Refused,
    /// Undo its changes; another run may succeed.
    Again,
}

/// A command on its way through the writer, whatever its type.
pub(crate) trait Job: Send {
    fn guards(&self) -> GuardSet;
    fn run(&mut self, tx: &mut Tx<'_>) -> Verdict;
    /// Replaces the answer.
    fn fail(&mut self, error: StoreError);
    fn answer(self: Box<Self>);
}

type Answer<C> = Result<<C as Command>::Out, WriteError<<C as Command>::Rejection>>;

pub(crate) struct Pending<C: Command> {
    command: C,
    outcome: Option<Answer<C>>,
    reply: oneshot::Sender<Answer<C>>,
}

impl<C: Command> Pending<C> {
    pub(crate) fn new(command: C) -> (Box<Self>, oneshot::Receiver<Answer<C>>) {
        let (reply, answer) = oneshot::channel();
        (
            Box::new(Self {
                command,
                outcome: None,
                reply,
            }),
            answer,
        )
    }
}

impl<C: Command + Send> Job for Pending<C> {
    fn guards(&self) -> GuardSet {
        self.command.guards()
    }

    fn run(&mut self, tx: &mut Tx<'_>) -> Verdict {
        let (outcome, verdict) = match catch_unwind(AssertUnwindSafe(|| self.command.apply(tx))) {
            Ok(Ok(out)) => (Ok(out), Verdict::Applied),
            Ok(Err(Abort::Rejected(why))) => (Err(WriteError::Rejected(why)), Verdict::Refused),
            Ok(Err(Abort::Store(error))) => {
                let verdict = if error.again() {
                    Verdict::Again
                } else {
                    Verdict::Refused
                };
                (Err(WriteError::Store(error)), verdict)
            }
            Err(panic) => {
                let message = panic_text(panic.as_ref());
                let error = StoreError::Panicked {
                    name: self.command.name(),
                    message,
                };
                (Err(WriteError::Store(error)), Verdict::Refused)
            }
        };
        self.outcome = Some(outcome);
        verdict
    }

    fn fail(&mut self, error: StoreError) {
        self.outcome = Some(Err(WriteError::Store(error)));
    }

    fn answer(self: Box<Self>) {
        let answer = self
            .outcome
            .unwrap_or(Err(WriteError::Store(StoreError::Closed)));
        // A caller that went away does not want the answer; the command stays as it is.
        let _gone = self.reply.send(answer);
    }
}

/// The message of a panic.
pub(crate) fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    panic
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "no message".to_owned())
}

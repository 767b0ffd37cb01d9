//! Points before and after each effect at which a process may die. One list: the simulation, the
//! kill tests and the documentation read it.

use thiserror::Error;

/// A place where a test may end the process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum CrashPoint {
    /// The masters were read, the snapshot is not written.
    MastersRead,
    /// The snapshot is written.
    SnapshotWritten,
    /// A window of the source was read, nothing is admitted.
    ScanRead,
    /// A page of entries is admitted and priced.
    PageAdmitted,
    /// Lines are chosen for a call, the intent is not written.
    BatchChosen,
    /// The intent is durable, nothing was sent.
    IntentWritten,
    /// The ERP answered (or did not), the outcome is not written.
    CallReturned,
    /// The outcome is durable.
    OutcomeWritten,
    /// A look-up is about to be made.
    LookUpDue,
    /// The look-up answered, its result is not written.
    LookUpReturned,
    /// The look-up's result is durable.
    LookUpWritten,
    /// The ERP's document states were read, nothing is written.
    StatesRead,
    /// The document states are durable.
    StatesWritten,
    /// The source is about to be told.
    TellDue,
    /// The source was told, that is not written.
    Told,
    /// That the source was told is durable.
    ToldWritten,
}

impl CrashPoint {
    /// Every point, in the order of a pass.
    pub const ALL: &'static [Self] = &[
        Self::MastersRead,
        Self::SnapshotWritten,
        Self::ScanRead,
        Self::PageAdmitted,
        Self::BatchChosen,
        Self::IntentWritten,
        Self::CallReturned,
        Self::OutcomeWritten,
        Self::LookUpDue,
        Self::LookUpReturned,
        Self::LookUpWritten,
        Self::StatesRead,
        Self::StatesWritten,
        Self::TellDue,
        Self::Told,
        Self::ToldWritten,
    ];

    /// The name by which tests ask for it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::MastersRead => "masters-read",
            Self::SnapshotWritten => "snapshot-written",
            Self::ScanRead => "scan-read",
            Self::PageAdmitted => "page-admitted",
            Self::BatchChosen => "batch-chosen",
            Self::IntentWritten => "intent-written",
            Self::CallReturned => "call-returned",
            Self::OutcomeWritten => "outcome-written",
            Self::LookUpDue => "look-up-due",
            Self::LookUpReturned => "look-up-returned",
            Self::LookUpWritten => "look-up-written",
            Self::StatesRead => "states-read",
            Self::StatesWritten => "states-written",
            Self::TellDue => "tell-due",
            Self::Told => "told",
            Self::ToldWritten => "told-written",
        }
    }

    /// Whether work may end here of its own will. Not where an intent is durable and its outcome is
    /// not, since the next process would have to look it up; and not where the source was told and
    /// would be told again.
    pub const fn leaves_nothing_open(self) -> bool {
        match self {
            Self::IntentWritten | Self::CallReturned | Self::Told => false,
            Self::MastersRead
            | Self::SnapshotWritten
            | Self::ScanRead
            | Self::PageAdmitted
            | Self::BatchChosen
            | Self::OutcomeWritten
            | Self::LookUpDue
            | Self::LookUpReturned
            | Self::LookUpWritten
            | Self::StatesRead
            | Self::StatesWritten
            | Self::TellDue
            | Self::ToldWritten => true,
        }
    }

    /// From its name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|point| point.name() == name)
    }
}

/// The process was ended by a test.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("ended by a test at {}", .0.name())]
pub struct Crashed(pub CrashPoint);

/// Decides whether the process dies at a point.
pub trait Crashes: Send + Sync {
    /// Pass, or die: by ending the process, or (in a simulation) by an error that nobody handles.
    fn pass(&self, point: CrashPoint) -> Result<(), Crashed>;
}

/// The product: nobody dies.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoCrashes;

impl Crashes for NoCrashes {
    fn pass(&self, _: CrashPoint) -> Result<(), Crashed> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_read_back() {
        for (index, point) in CrashPoint::ALL.iter().enumerate() {
            assert_eq!(CrashPoint::from_name(point.name()), Some(*point));
            assert!(
                CrashPoint::ALL[index + 1..]
                    .iter()
                    .all(|p| p.name() != point.name())
            );
        }
    }
}

//! The handles of a running flow. Nothing else reaches the outside world.

use crate::crash::{CrashPoint, Crashes};
use crate::error::PassError;
use crate::lease::CallsUntil;
use crate::settings::Settings;
use crate::stop::Stop;
use connector_sdk::call::CallError;
use connector_sdk::clock::Clock;
use connector_sdk::manifest::Limit;
use connector_sdk::source::{Feedback, MasterWriter, TimeSource};
use connector_sdk::target::Target;
use domain::reference::Reference;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use store::{Store, StoreError, WriteError};

/// Something worth telling a person who watches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Note {
    /// A stage began, with the number of steps if it is known.
    Stage(&'static str, Option<u64>),
    /// So many steps of the stage are done.
    Step(u64),
    /// A sentence.
    Says(String),
}

/// Who listens.
pub trait Progress: Send + Sync {
    /// Hear it.
    fn hear(&self, note: Note);
}

/// Nobody listens.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Progress for Silent {
    fn hear(&self, _: Note) {}
}

/// The handles of a flow.
#[derive(Clone)]
pub struct Env {
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// The ledger.
    pub store: Store,
    /// The tracker.
    pub source: Arc<dyn TimeSource>,
    /// The tracker, as far as it can show billing status.
    pub feedback: Option<Arc<dyn Feedback>>,
    /// The tracker, as far as masters can be published into it.
    pub publisher: Option<Arc<dyn MasterWriter>>,
    /// The ERP.
    pub target: Arc<dyn Target>,
    /// Whether the process dies at a point.
    pub crashes: Arc<dyn Crashes>,
    /// Who watches.
    pub progress: Arc<dyn Progress>,
    /// Whether the work is to end at the next step.
    pub stop: Arc<dyn Stop>,
    /// Until when the other sides may be called.
    pub calls_until: Arc<CallsUntil>,
    /// What the configuration says.
    pub settings: Arc<Settings>,
}

impl Env {
    /// Pass a point between effects: a test may end the process here, and work that was asked to
    /// stop ends here if nothing is left open.
    pub fn pass(&self, point: CrashPoint) -> Result<(), PassError> {
        self.crashes.pass(point)?;
        if point.leaves_nothing_open() {
            self.go_on()?;
        }
        Ok(())
    }

    /// Go on, unless somebody asked to stop.
    pub fn go_on(&self) -> Result<(), PassError> {
        if self.stop.asked() {
            return Err(PassError::Stopped);
        }
        Ok(())
    }

    /// The limits of the tracker's account.
    pub fn source_limits(&self) -> &[Limit] {
        let known = &self.source.manifest().limits;
        self.settings.source_limits.as_ref().unwrap_or(known)
    }

    /// The limits of the ERP's account.
    pub fn target_limits(&self) -> &[Limit] {
        let known = &self.target.manifest().limits;
        self.settings.target_limits.as_ref().unwrap_or(known)
    }

    /// Tell whoever watches.
    pub fn say(&self, words: impl Into<String>) {
        self.progress.hear(Note::Says(words.into()));
    }

    /// Run a command that never says no by itself.
    pub async fn write<C>(&self, command: C) -> Result<C::Out, PassError>
    where
        C: store::Command<Rejection = std::convert::Infallible> + Send + 'static,
    {
        match self.store.write(command).await {
            Ok(out) => Ok(out),
            Err(WriteError::Store(error)) => Err(PassError::Store(error)),
            Err(WriteError::Rejected(never)) => match never {},
        }
    }

    /// Wait until an instant, or until somebody asks to stop.
    pub async fn wait_until(&self, at_us: i64) -> Result<(), PassError> {
        let mut stop = pin!(self.stop.wait());
        let mut sleep = pin!(self.clock.sleep_until_us(at_us));
        // The stop is looked at first, always: a simulation must not see chance here.
        poll_fn(|context| {
            if stop.as_mut().poll(context).is_ready() {
                return Poll::Ready(Err(PassError::Stopped));
            }
            sleep.as_mut().poll(context).map(Ok)
        })
        .await
    }
}

/// What a pass prices with, fixed for the pass.
#[derive(Clone)]
pub struct Terms {
    /// The configuration.
    pub settings: Arc<Settings>,
    /// The reference data.
    pub reference: Arc<Reference>,
    /// Its version in the ledger.
    pub snapshot_version: i64,
    /// What the ERP says it is.
    pub target_identity: Arc<str>,
}

/// Blame the tracker.
pub fn tracker(error: CallError) -> PassError {
    PassError::System {
        system: "tracker",
        error,
    }
}

/// Blame the ERP.
pub fn erp(error: CallError) -> PassError {
    PassError::System {
        system: "ERP",
        error,
    }
}

/// A row that cannot be: a defect, or damage to the database.
pub fn inconsistent(what: impl Into<String>) -> StoreError {
    StoreError::Defect(what.into())
}

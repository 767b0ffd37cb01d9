//! A process that works for a long time: it gives turns, and remembers what came of the last pass.
//!
//! Operations that call other systems run one at a time, in the order they came; a pass by the
//! timer waits like any other. Each begins with handles opened anew, so that a configuration that
//! was mended since counts, as it would for a command of its own.

use crate::INTERFACE;
use crate::failed::Failed;
use crate::halt::Halt;
use crate::operation::{self, Operation, Turn};
use crate::process::{LastPass, Process, UnderWay};
use connector_sdk::clock::Clock;
use pipeline::env::{Env, Note, Progress, Silent};
use pipeline::error::PassError;
use pipeline::stop::Stop as _;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// How long what a person asked for waits while another node works, in microseconds: longer than
/// the lease of a dead one stands.
pub const NODES_PATIENCE_US: i64 = 60_000_000;
/// The most operations that wait for their turn.
const WAITING_MAX: u32 = 16;

/// Opens the handles over the ledger that the process holds.
pub trait Opener: Send + Sync {
    /// Read the configuration as it is now, and connect.
    fn open(&self, progress: Arc<dyn Progress>) -> Result<Env, Failed>;
}

/// What a process says about itself and never changes.
#[derive(Debug, Clone)]
pub struct About {
    /// The version of the program.
    pub version: String,
    /// The configuration, by a path that is the same for everybody.
    pub config: String,
}

/// A running process.
pub struct Host {
    about: About,
    opener: Box<dyn Opener>,
    clock: Arc<dyn Clock>,
    halt: Arc<Halt>,
    started_at_us: i64,
    turn: tokio::sync::Mutex<()>,
    state: Mutex<State>,
}

struct State {
    /// The handles of the last turn, for what needs the ledger alone.
    env: Env,
    under_way: Option<UnderWay>,
    waiting: u32,
    closing: bool,
    last_pass: Option<LastPass>,
    next_pass_us: Option<i64>,
}

/// A place among those who wait; given up when dropped.
struct Place<'a>(&'a Host);

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.waiting = state.waiting.saturating_sub(1);
    }
}

/// What is under way; over when dropped, also by a panic.
struct Doing<'a>(&'a Host);

impl Drop for Doing<'_> {
    fn drop(&mut self) {
        self.0.state().under_way = None;
    }
}

impl Host {
    /// A process that starts now. Fails if the handles cannot be opened.
    pub fn new(
        about: About,
        opener: Box<dyn Opener>,
        clock: Arc<dyn Clock>,
        halt: Arc<Halt>,
    ) -> Result<Arc<Self>, Failed> {
        let env = opener.open(Arc::new(Silent))?;
        let started_at_us = clock.now_us();
        Ok(Arc::new(Self {
            about,
            opener,
            clock,
            halt,
            started_at_us,
            turn: tokio::sync::Mutex::new(()),
            state: Mutex::new(State {
                env,
                under_way: None,
                waiting: 0,
                closing: false,
                last_pass: None,
                next_pass_us: None,
            }),
        }))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Time, as the process sees it.
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }

    /// When the last complete look at the tracker began, if other nodes share the ledger.
    pub async fn looked_at_by_nodes_us(&self) -> Result<Option<i64>, Failed> {
        let env = self.state().env.clone();
        Ok(pipeline::nodes::looked_at_by_nodes_us(&env).await?)
    }

    /// When the next pass begins by itself.
    pub fn announce(&self, next_pass_us: Option<i64>) {
        self.state().next_pass_us = next_pass_us;
    }

    /// What the process says about itself.
    pub fn process(&self) -> Process {
        let state = self.state();
        Process {
            interface: INTERFACE,
            version: self.about.version.clone(),
            pid: std::process::id(),
            config: self.about.config.clone(),
            started_at_us: self.started_at_us,
            under_way: state.under_way.clone(),
            waiting: state.waiting,
            next_pass_us: state.next_pass_us,
            last_pass: state.last_pass.clone(),
        }
    }

    /// Carry out an operation. If `abandoned` comes while it still waits for its turn, it is left
    /// undone; once begun it goes to its end, since nothing may be dropped in the middle of a call.
    pub async fn carry_out<O: Operation>(
        &self,
        operation: &O,
        progress: Arc<dyn Progress>,
        abandoned: impl Future<Output = ()>,
    ) -> Result<O::Answer, Failed> {
        self.with_patience(operation, progress, abandoned, NODES_PATIENCE_US)
            .await
    }

    /// The same, waiting that long while another node works.
    pub async fn with_patience<O: Operation>(
        &self,
        operation: &O,
        progress: Arc<dyn Progress>,
        abandoned: impl Future<Output = ()>,
        patience_us: i64,
    ) -> Result<O::Answer, Failed> {
        if O::TURN == Turn::Beside {
            let env = self.state().env.clone();
            return operation::carry_out(operation, &Env { progress, ..env }, 0).await;
        }
        let place = self.queue()?;
        if let Some(under_way) = &self.state().under_way {
            let words = format!("{} is under way; this begins when it ends", under_way.what);
            progress.hear(Note::Says(words));
        }
        let turn = tokio::select! {
            turn = self.turn.lock() => turn,
            () = abandoned => {
                let hint = "ask again if it is still wanted";
                return Err(Failed::stopped("whoever asked is gone, so nothing was begun", hint));
            }
        };
        drop(place);
        if self.halt.asked() {
            return Err(PassError::Stopped.into());
        }
        let outcome = self.in_turn(operation, progress, patience_us).await;
        drop(turn);
        outcome
    }

    fn queue(&self) -> Result<Place<'_>, Failed> {
        let mut state = self.state();
        if state.closing || self.halt.asked() {
            return Err(PassError::Stopped.into());
        }
        if state.waiting >= WAITING_MAX {
            return Err(Failed::stopped(
                format!("{WAITING_MAX} operations wait for their turn already"),
                "look at `counterfoil status`, and ask again when some have ended",
            ));
        }
        state.waiting += 1;
        Ok(Place(self))
    }

    async fn in_turn<O: Operation>(
        &self,
        operation: &O,
        progress: Arc<dyn Progress>,
        patience_us: i64,
    ) -> Result<O::Answer, Failed> {
        let since_us = self.clock.now_us();
        self.state().under_way = Some(UnderWay {
            what: O::WORDS.to_owned(),
            since_us,
        });
        let doing = Doing(self);
        let outcome = match self.opener.open(progress) {
            Ok(env) => {
                self.state().env = Env {
                    progress: Arc::new(Silent),
                    ..env.clone()
                };
                operation::carry_out(operation, &env, patience_us).await
            }
            Err(failed) => Err(failed),
        };
        drop(doing);
        if let Some(pass) = O::as_pass(&outcome, since_us, self.clock.now_us()) {
            self.state().last_pass = Some(pass);
        }
        outcome
    }

    /// Give no more turns, and wait until whoever has one or waits for one is through.
    pub async fn close(&self) {
        self.state().closing = true;
        let _last = self.turn.lock().await;
    }
}

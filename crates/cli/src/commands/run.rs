//! `run`: pass after pass until stopped, with an ear for commands beside it.

use super::sync::show;
use crate::app;
use crate::args::Args;
use crate::beside::config_name;
use crate::config::Config;
use crate::failure::Failure;
use crate::ledger::{self, Access};
use crate::out;
use connector_sdk::clock::{Clock, SystemClock};
use pipeline::crash::Crashes;
use pipeline::env::{Env, Progress, Silent};
use pipeline::stop::Stop;
use server::failed::{Failed, Kind};
use server::halt::Halt;
use server::host::{About, Host, Opener};
use server::operations::pass::Pass;
use server::serve::serve;
use server::socket::Socket;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use store::Store;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// The least pause before a node looks again whether another one still works, in microseconds.
const LOOK_AGAIN_US: i64 = 200_000;

/// Opens the handles for each turn from the configuration as it is then.
struct FromFile {
    path: PathBuf,
    store: Store,
    identity: [u8; 32],
    crashes: Arc<dyn Crashes>,
    halt: Arc<Halt>,
}

impl FromFile {
    fn env(&self, progress: Arc<dyn Progress>) -> Result<Env, Failure> {
        // Its warnings were told when the process started, and `check` tells them at any time.
        let config = Config::load(&self.path)?;
        if ledger::identity(&config)? != self.identity {
            return Err(Failure::usage(
                format!(
                    "{} now names another ledger, data folder or seal key than when this process \
                     started",
                    self.path.display()
                ),
                "put it back, or restart `counterfoil run`",
            ));
        }
        let env = app::over(&config, self.store.clone(), Access::Write, progress)?;
        Ok(Env {
            crashes: Arc::clone(&self.crashes),
            stop: self.halt.clone(),
            ..env
        })
    }
}

impl Opener for FromFile {
    fn open(&self, progress: Arc<dyn Progress>) -> Result<Env, Failed> {
        Ok(self.env(progress)?)
    }
}

/// The signals that ask to end.
struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    fn listen() -> Result<Self, Failure> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }

    /// The first one asks for a soft end; this is over when a second one comes.
    async fn insist(&mut self, halt: &Halt) {
        self.next().await;
        halt.ask();
        out::complain("ending at the next step; a second signal ends at once");
        self.next().await;
    }
}

/// How the work over one session ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ended {
    /// It was asked to, or all passes are done.
    Done,
    /// Another node took over, since this one did not extend its lease in time.
    Fenced,
}

/// When passes begin.
struct Timetable {
    pause_us: i64,
    /// Passes still to be made; no end without it.
    left: Option<u64>,
}

pub(crate) async fn run(
    args: &Args,
    every_seconds: u64,
    passes: Option<u64>,
) -> Result<ExitCode, Failure> {
    let mut signals = Signals::listen()?;
    let halt = Arc::new(Halt::default());
    let mut timetable = Timetable {
        pause_us: i64::try_from(every_seconds)
            .unwrap_or(3600)
            .saturating_mul(1_000_000),
        left: passes,
    };
    let work = async {
        while one_session(args, &halt, &mut timetable).await? == Ended::Fenced {
            out::complain(
                "another node has taken over from this one, which did not extend its lease in \
                 time; opening a new session",
            );
        }
        Ok(())
    };
    tokio::select! {
        told = work => told.map(|()| ExitCode::SUCCESS),
        () = signals.insist(&halt) => Err(Failure::stopped(
            "ended at once, perhaps in the middle of a call",
            "the next start looks up what may have reached the ERP",
        )),
    }
}

/// Open the ledger and work over it until the end, or until this session is over.
async fn one_session(
    args: &Args,
    halt: &Arc<Halt>,
    timetable: &mut Timetable,
) -> Result<Ended, Failure> {
    let config = app::load_config(args)?;
    let store = ledger::open_store(&config, Access::Write)?;
    let socket = Socket::bind(&ledger::data_folder(&config))?;
    let opener = FromFile {
        path: args.config.clone(),
        store,
        identity: ledger::identity(&config)?,
        crashes: crate::crash::crashes(),
        halt: Arc::clone(halt),
    };
    let about = About {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        config: config_name(&args.config)?,
    };
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let host = Host::new(about, Box::new(opener), clock, Arc::clone(halt))?;
    let served = serve(Arc::clone(&host), socket);
    let ended = pass_after_pass(args, &host, halt, timetable).await;
    host.close().await;
    served.end().await;
    ended
}

async fn pass_after_pass(
    args: &Args,
    host: &Host,
    halt: &Halt,
    timetable: &mut Timetable,
) -> Result<Ended, Failure> {
    let clock = Arc::clone(host.clock());
    loop {
        let mut next_us = clock.now_us().saturating_add(timetable.pause_us);
        let due_us = match host.looked_at_by_nodes_us().await {
            Ok(looked) => looked.map_or(0, |at_us| at_us.saturating_add(timetable.pause_us)),
            // The pass will say what is wrong.
            Err(_) => 0,
        };
        if due_us > clock.now_us() {
            next_us = due_us;
        } else {
            host.announce(Some(next_us));
            let silent = Arc::new(Silent);
            let never = std::future::pending();
            match host.with_patience(&Pass::default(), silent, never, 0).await {
                Ok(pass) => {
                    show(args, &pass)?;
                }
                Err(_) if halt.asked() => return Ok(Ended::Done),
                Err(failed) => match failed.kind {
                    Kind::Fenced => return Ok(Ended::Fenced),
                    // It is at work, or dead: then its lease ends, and this node goes on.
                    Kind::Elsewhere { left_us } => {
                        let left_us =
                            left_us.clamp(LOOK_AGAIN_US, timetable.pause_us.max(LOOK_AGAIN_US));
                        next_us = clock.now_us().saturating_add(left_us);
                    }
                    // The next pass may find what this one lacked; nothing is lost meanwhile.
                    Kind::WrongUse | Kind::Stopped => Failure::from(failed).tell(),
                },
            }
            if let Some(left) = &mut timetable.left {
                *left = left.saturating_sub(1);
            }
        }
        if halt.asked() || timetable.left == Some(0) {
            return Ok(Ended::Done);
        }
        host.announce(Some(next_us));
        tokio::select! {
            () = halt.wait() => return Ok(Ended::Done),
            () = clock.sleep_until_us(next_us) => {}
        }
    }
}

//! `run`: pass after pass until stopped, with an ear for commands beside it.

use super::sync::show;
use crate::app::{self, Access};
use crate::args::Args;
use crate::beside::config_name;
use crate::config::Config;
use crate::failure::Failure;
use crate::out;
use connector_sdk::clock::{Clock, SystemClock};
use pipeline::crash::Crashes;
use pipeline::env::{Env, Progress, Silent};
use pipeline::stop::Stop;
use server::failed::Failed;
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
        if app::identity(&config)? != self.identity {
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

pub(crate) async fn run(
    args: &Args,
    every_seconds: u64,
    passes: Option<u64>,
) -> Result<ExitCode, Failure> {
    let mut signals = Signals::listen()?;
    let config = app::load_config(args)?;
    let store = app::open_store(&config, Access::Write)?;
    let socket = Socket::bind(&app::data_folder(&config))?;
    let halt = Arc::new(Halt::default());
    let opener = FromFile {
        path: args.config.clone(),
        store,
        identity: app::identity(&config)?,
        crashes: crate::crash::crashes(),
        halt: Arc::clone(&halt),
    };
    let about = About {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        config: config_name(&args.config)?,
    };
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let host = Host::new(about, Box::new(opener), clock, Arc::clone(&halt))?;
    let served = serve(Arc::clone(&host), socket);
    let work = async {
        let told = pass_after_pass(args, &host, &halt, every_seconds, passes).await;
        host.close().await;
        served.end().await;
        told
    };
    tokio::select! {
        told = work => told.map(|()| ExitCode::SUCCESS),
        () = signals.insist(&halt) => Err(Failure::stopped(
            "ended at once, perhaps in the middle of a call",
            "the next start looks up what may have reached the ERP",
        )),
    }
}

async fn pass_after_pass(
    args: &Args,
    host: &Host,
    halt: &Halt,
    every_seconds: u64,
    passes: Option<u64>,
) -> Result<(), Failure> {
    let clock = Arc::clone(host.clock());
    let pause_us = i64::try_from(every_seconds)
        .unwrap_or(3600)
        .saturating_mul(1_000_000);
    let mut done = 0;
    loop {
        let next_us = clock.now_us().saturating_add(pause_us);
        host.announce(Some(next_us));
        let silent = Arc::new(Silent);
        let never = std::future::pending();
        let outcome = host.carry_out(&Pass::default(), silent, never).await;
        match outcome {
            Ok(pass) => {
                show(args, &pass)?;
            }
            Err(_) if halt.asked() => return Ok(()),
            // The next pass may find what this one lacked; nothing is lost meanwhile.
            Err(failed) => Failure::from(failed).tell(),
        }
        done += 1;
        if halt.asked() || passes.is_some_and(|passes| done >= passes) {
            return Ok(());
        }
        tokio::select! {
            () = halt.wait() => return Ok(()),
            () = clock.sleep_until_us(next_us) => {}
        }
    }
}

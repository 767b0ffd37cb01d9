//! Carrying out an operation: by ourselves if the ledger is free, else through the process that
//! has it. What is printed afterwards is the same.

use crate::app;
use crate::args::Args;
use crate::config::Config;
use crate::failure::Failure;
use crate::ledger::{self, Access, Ledger, Place};
use crate::progress::Bar;
use connector_sdk::clock::{Clock, SystemClock};
use server::INTERFACE;
use server::client::Client;
use server::host::NODES_PATIENCE_US;
use server::operation::{self, Operation};
use server::process::Process;
use std::path::Path;
use std::sync::Arc;

/// How long a process that has the ledger may take to listen, or to end, in microseconds.
const PATIENCE_US: i64 = 3_000_000;
/// The pause between two looks, in microseconds.
const LOOK_AGAIN_US: i64 = 100_000;

/// The configuration's path, the same for everybody who names that file.
pub(crate) fn config_name(path: &Path) -> Result<String, Failure> {
    Ok(std::fs::canonicalize(path)?.to_string_lossy().into_owned())
}

/// The process that runs over this ledger, if one listens.
pub(crate) async fn process(config: &Config) -> Result<Option<Process>, Failure> {
    Ok(Client::of(&ledger::data_folder(config)).process().await?)
}

/// Carry it out, wherever that is possible.
pub(crate) async fn carry_out<O: Operation>(
    args: &Args,
    operation: &O,
) -> Result<O::Answer, Failure> {
    let config = app::load_config(args)?;
    let bar = Arc::new(Bar::new(args.quiet));
    let answer = anywhere(args, &config, operation, &bar).await;
    bar.clear();
    answer
}

async fn anywhere<O: Operation>(
    args: &Args,
    config: &Config,
    operation: &O,
    bar: &Arc<Bar>,
) -> Result<O::Answer, Failure> {
    let client = Client::of(&ledger::data_folder(config));
    let clock = SystemClock;
    let until_us = clock.now_us().saturating_add(PATIENCE_US);
    loop {
        let holder = match ledger::ledger_for_writing(config)? {
            Ledger::Ours(store) => {
                let env = app::over(config, store, Access::Write, bar.clone())?;
                return Ok(operation::carry_out(operation, &env, NODES_PATIENCE_US).await?);
            }
            Ledger::Theirs { holder } => holder,
        };
        if let Some(process) = client.process().await? {
            understand(&process)?;
            same_configuration(&process, &config_name(&args.config)?)?;
            return Ok(client.ask(operation, &|heard| bar.show(heard)).await?);
        }
        if clock.now_us() >= until_us {
            return Err(nobody_listens(&Place::of(config)?, &holder));
        }
        // It may be starting, or be a single command about to end.
        let at_us = clock.now_us().saturating_add(LOOK_AGAIN_US);
        clock.sleep_until_us(at_us).await;
    }
}

fn nobody_listens(place: &Place, holder: &str) -> Failure {
    Failure::stopped(
        format!(
            "process {holder} has the ledger {} and takes no commands",
            place.words()
        ),
        "a single command, such as `sync`, ends by itself: try again then; `counterfoil run` takes \
         commands as soon as it has started",
    )
}

fn understand(process: &Process) -> Result<(), Failure> {
    if process.interface == INTERFACE {
        return Ok(());
    }
    Err(Failure::stopped(
        format!(
            "process {} is counterfoil {} and speaks interface {}, this command speaks {INTERFACE}",
            process.pid, process.version, process.interface
        ),
        "restart `counterfoil run` with the version that is installed now",
    ))
}

/// A process works with its own file; an operation meant for another would be priced by the wrong
/// one.
fn same_configuration(process: &Process, ours: &str) -> Result<(), Failure> {
    if process.config == ours {
        return Ok(());
    }
    Err(Failure::usage(
        format!(
            "process {} works on this ledger with {}, not with {ours}",
            process.pid, process.config
        ),
        format!("name that file: --config {}", process.config),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn process() -> Process {
        Process {
            interface: INTERFACE,
            version: "9.9.9".to_owned(),
            pid: 17,
            config: "/etc/firm.toml".to_owned(),
            started_at_us: 0,
            under_way: None,
            waiting: 0,
            next_pass_us: None,
            last_pass: None,
        }
    }

    #[test]
    fn another_interface_is_refused() {
        assert!(understand(&process()).is_ok());
        let other = Process {
            interface: INTERFACE + 1,
            ..process()
        };
        let failure = format!("{:?}", understand(&other).unwrap_err());
        assert!(failure.contains("counterfoil 9.9.9"), "{failure}");
    }

    #[test]
    fn another_configuration_is_refused() {
        assert!(same_configuration(&process(), "/etc/firm.toml").is_ok());
        let failure = same_configuration(&process(), "/etc/other.toml").unwrap_err();
        let failure = format!("{failure:?}");
        assert!(failure.contains("--config /etc/firm.toml"), "{failure}");
    }
}

//! One file per command.

mod audit;
mod check;
pub(crate) mod contracts;
pub(crate) mod demo;
mod exceptions;
mod explain;
mod export;
pub(crate) mod init;
mod keep;
pub(crate) mod migrate;
mod price;
mod publish;
pub(crate) mod rates;
mod reconcile;
pub(crate) mod rehearse;
mod run;
mod schema;
mod status;
mod sync;
pub(crate) mod twin;

use crate::args::{Args, Command};
use crate::failure::Failure;
use std::process::ExitCode;

/// Carry out a command.
pub(crate) async fn run(args: Args) -> Result<ExitCode, Failure> {
    match &args.command {
        Command::Init {
            folder,
            source,
            target,
        } => init::run(folder, source, target),
        Command::Check => check::run(&args).await,
        Command::Sync {
            dry_run: true,
            today,
            ..
        } => sync::dry_run(&args, *today).await,
        Command::Sync {
            accept_deletions,
            today,
            ..
        } => sync::run(&args, *accept_deletions, *today).await,
        Command::Run {
            every_seconds,
            passes,
        } => run::run(&args, *every_seconds, *passes).await,
        Command::Status => status::run(&args).await,
        Command::Explain { id } => explain::run(&args, id).await,
        Command::Contracts { command } => contracts::run(&args, command).await,
        Command::Exceptions { command } => exceptions::run(&args, command).await,
        Command::Reconcile { from, to, all } => reconcile::run(&args, *from, *to, *all).await,
        Command::Export {
            command:
                crate::args::Export::Labor {
                    from,
                    to,
                    output_file,
                },
        } => export::labor(&args, *from, *to, output_file.as_deref()).await,
        Command::Pause { reason } => status::pause(&args, Some(reason.clone())).await,
        Command::Resume => status::pause(&args, None).await,
        Command::Audit {
            command: crate::args::Audit::Verify,
        } => audit::verify(&args).await,
        Command::Audit {
            command: crate::args::Audit::Reprice,
        } => audit::reprice(&args).await,
        Command::Backup { file } => keep::backup(&args, file).await,
        Command::Restore { file, replace, .. } => match file {
            Some(file) => keep::restore(&args, file, *replace).await,
            None => keep::restored_database(&args),
        },
        Command::Migrate { command } => migrate::run(&args, command),
        Command::Rates { command } => rates::run(&args, command).await,
        Command::Rehearse(asked) => rehearse::run(&args, asked).await,
        Command::Publish { dry_run } => publish::run(&args, *dry_run).await,
        Command::Twin(twin) => twin::run(twin).await,
        Command::Demo(demo) => demo::run(&args, demo).await,
        Command::Price { scenario, explain } => price::run(&args, scenario, *explain),
        Command::Schema { name } => schema::run(name),
    }
}

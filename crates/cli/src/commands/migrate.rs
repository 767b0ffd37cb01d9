//! `migrate`: the schema of the ledger, and the way from a file into a database.

use crate::app;
use crate::args::Args;
use crate::config::{Config, SecretRef};
use crate::failure::Failure;
use crate::ledger::{self, Access, Place, secret};
use crate::out::{self, Output};
use crate::progress::Bar;
use clap::Subcommand;
use connector_sdk::secrecy::ExposeSecret;
use pipeline::env::{Note, Progress};
use serde_json::json;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use store::{Step, Store};

#[derive(Debug, Subcommand)]
pub(crate) enum Migrate {
    /// Which steps of the schema the ledger has, and which wait.
    Status,
    /// Bring the schema up to date. Every command that writes does so by itself; here it is said what.
    Up {
        /// Say what would be done.
        #[arg(long)]
        dry_run: bool,
    },
    /// Move a ledger from a file into an empty PostgreSQL database. The file is not used any more.
    Copy {
        /// The environment variable that holds postgres://USER:PASSWORD@HOST:5432/DATABASE.
        #[arg(long, required_unless_present = "to_file", conflicts_with = "to_file")]
        to_env: Option<String>,
        /// The file that holds it, which only its owner can read.
        #[arg(long)]
        to_file: Option<PathBuf>,
        /// Take the file into use again, if a copy did not come to its end.
        #[arg(long)]
        give_up: bool,
    },
}

pub(crate) fn run(args: &Args, command: &Migrate) -> Result<ExitCode, Failure> {
    let config = app::load_config(args)?;
    match command {
        Migrate::Status => status(args, &config),
        Migrate::Up { dry_run } => up(&config, *dry_run),
        Migrate::Copy {
            to_env,
            to_file,
            give_up,
        } => {
            let reference = match (to_env, to_file) {
                (Some(name), _) => SecretRef::Env(name.clone()),
                (None, Some(path)) => SecretRef::File(std::path::absolute(path)?),
                (None, None) => {
                    return Err(Failure::usage(
                        "nothing says where to",
                        "name --to-env or --to-file",
                    ));
                }
            };
            copy(args, &config, &reference, *give_up)
        }
    }
}

fn steps(config: &Config) -> Result<(Place, Vec<Step>), Failure> {
    let place = Place::of(config)?;
    if !place.holds_one()? {
        return Err(Failure::usage(
            format!("there is no ledger at {} yet", place.words()),
            "the first `counterfoil sync` makes it, with the schema of this version",
        ));
    }
    let steps = match &place {
        Place::File(path) => Store::steps_of_sqlite(path)?,
        Place::Database { url, .. } => Store::steps_of_postgres(url.expose_secret())?,
    };
    Ok((place, steps))
}

fn status(args: &Args, config: &Config) -> Result<ExitCode, Failure> {
    let (place, steps) = steps(config)?;
    if args.output == Output::Json {
        let steps: Vec<_> = steps
            .iter()
            .map(|step| json!({"number": step.number, "name": step.name, "applied": step.is_applied}))
            .collect();
        out::json(&json!({"ledger": place.words(), "steps": steps}))?;
        return Ok(ExitCode::SUCCESS);
    }
    out::line(&format!("ledger at {}", place.words()));
    let rows = steps.iter().map(|step| {
        let state = if step.is_applied { "applied" } else { "waits" };
        vec![
            format!("{:04}", step.number),
            step.name.to_owned(),
            state.to_owned(),
        ]
    });
    out::table(&["step", "name", "state"], rows.collect());
    Ok(ExitCode::SUCCESS)
}

fn up(config: &Config, dry_run: bool) -> Result<ExitCode, Failure> {
    let (place, steps) = steps(config)?;
    let waiting: Vec<&Step> = steps.iter().filter(|step| !step.is_applied).collect();
    if waiting.is_empty() {
        out::line(&format!("{} is up to date", place.words()));
        return Ok(ExitCode::SUCCESS);
    }
    if !dry_run {
        // Opening for writing applies what waits; another process of this folder is in the way.
        drop(ledger::open_store(config, Access::Write)?);
    }
    let word = if dry_run { "would apply" } else { "applied" };
    for step in waiting {
        out::line(&format!("{word} {:04}_{}", step.number, step.name));
    }
    Ok(ExitCode::SUCCESS)
}

fn copy(
    args: &Args,
    config: &Config,
    reference: &SecretRef,
    give_up: bool,
) -> Result<ExitCode, Failure> {
    let path = ledger::file_of(
        config,
        "nothing is left to move: it is in a database already",
    )?;
    if !path.exists() {
        return Err(Failure::usage(
            format!("there is no ledger at {}", path.display()),
            "a new ledger needs no copy: write [store] postgres, and run `counterfoil sync`",
        ));
    }
    let url = secret(config, reference)?;
    let options = ledger::store_options(config)?;
    if give_up {
        store::copy::give_up(&path, url.expose_secret(), options)?;
        out::line(&format!("{} is in use again", path.display()));
        return Ok(ExitCode::SUCCESS);
    }
    let bar = Arc::new(Bar::new(args.quiet));
    let heard = Arc::clone(&bar);
    let copied =
        store::copy::sqlite_to_postgres(&path, url.expose_secret(), options, move |table, rows| {
            heard.hear(Note::Says(format!("{table}: {rows} rows")));
        });
    bar.clear();
    let copied = copied?;
    let rows: u64 = copied.tables.iter().map(|(_, rows)| rows).sum();
    out::line(&format!(
        "{rows} rows of {} tables are in the {}, counted and verified",
        copied.tables.len(),
        copied.to
    ));
    out::line(&format!(
        "{} is marked as moved: no command writes to it any more",
        path.display()
    ));
    out::complain(
        "hint: write [store] postgres into the configuration now, and keep the file as a backup",
    );
    Ok(ExitCode::SUCCESS)
}

//! `demo`: a month end of a simulated firm, told as it happens and judged at the end.
//!
//! Both systems are twins behind HTTP on loopback and misbehave; the product is the same that
//! talks to real systems. The judge reads the twins alone, never the ledger.

mod ending;
mod faults;
mod story;

use crate::args::Args;
use crate::commands::twin::Cheat;
use crate::failure::Failure;
use crate::out::{self, Output};
use std::path::PathBuf;
use std::process::ExitCode;

/// What is played.
#[derive(Debug, clap::Args)]
pub(crate) struct DemoArgs {
    /// Fail if the month does not end with everything explained.
    #[arg(long)]
    check: bool,
    /// The seed of the firm and of every fault.
    #[arg(long, default_value_t = 7)]
    seed: u64,
    /// How many ordinary entries the month has; the planted cases come on top.
    #[arg(long, default_value_t = 800)]
    entries: u32,
    /// How many people work.
    #[arg(long, default_value_t = 40)]
    consultants: u32,
    /// Let nothing go wrong.
    #[arg(long)]
    no_faults: bool,
    /// The ERP has no unique key: every repetition needs a look-up first.
    #[arg(long)]
    no_unique_key: bool,
    /// Let the ERP cheat, to see the judge notice.
    #[arg(long, value_enum)]
    tamper: Option<Cheat>,
    /// Keep the ledger in this folder.
    #[arg(long)]
    keep: Option<PathBuf>,
}

pub(crate) async fn run(args: &Args, demo: &DemoArgs) -> Result<ExitCode, Failure> {
    let told = args.output == Output::Table && !args.quiet;
    let ending = story::play(demo, told).await?;
    if args.output == Output::Json {
        out::json(&ending.json())?;
    } else {
        ending.print();
    }
    if demo.check && !ending.is_good() {
        out::complain("error: the month does not tie out\n\nhint: the problems are named above");
        return Ok(ExitCode::FAILURE);
    }
    Ok(ExitCode::SUCCESS)
}

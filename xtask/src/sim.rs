//! `sim`: forwards to the simulation of the testkit.

use std::process::ExitCode;

use anyhow::{Context, Result};

use crate::command::command;

const ARGS: &[&str] = &[
    "run",
    "--quiet",
    "--package",
    "counterfoil-testkit",
    "--bin",
    "sim",
    "--",
];

/// Plays the schedules that are asked for.
pub(crate) fn run(args: &[String]) -> Result<ExitCode> {
    let all = ARGS.iter().copied().chain(args.iter().map(String::as_str));
    let status = command("cargo", all)
        .status()
        .context("starting the simulation")?;
    Ok(if status.success() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

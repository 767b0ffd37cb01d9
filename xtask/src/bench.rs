//! `bench`: forwards to the measurements, built as the product is shipped.

use std::process::ExitCode;

use anyhow::{Context, Result};

use crate::command::command;

const ARGS: &[&str] = &[
    "run",
    "--quiet",
    "--profile",
    "bench",
    "--package",
    "counterfoil-bench",
    "--",
];

/// Measures the subjects that are asked for.
pub(crate) fn run(args: &[String]) -> Result<ExitCode> {
    let all = ARGS.iter().copied().chain(args.iter().map(String::as_str));
    let status = command("cargo", all)
        .status()
        .context("starting the measurements")?;
    Ok(if status.success() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

//! `chaos`: builds the product with its test switches, and kills it again and again.

use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use crate::command::{command, run_captured};

#[derive(Deserialize)]
struct Metadata {
    target_directory: String,
}

/// Kills as often as is asked for.
pub(crate) fn run(args: &[String]) -> Result<ExitCode> {
    let build = ["build", "--quiet", "--package", "counterfoil", "--package"];
    let built = command("cargo", build)
        .arg("counterfoil-chaos")
        .status()
        .context("building")?;
    if !built.success() {
        bail!("the product does not build");
    }
    let words = ["metadata", "--format-version", "1", "--no-deps"];
    let text = run_captured(&mut command("cargo", words))?;
    let metadata: Metadata = serde_json::from_str(&text).context("reading cargo's metadata")?;
    let binary = |name: &str| format!("{}/debug/{name}", metadata.target_directory);
    // Outside a checkout the evidence says that nobody knows what was tested.
    let commit = run_captured(&mut command("git", ["rev-parse", "HEAD"])).unwrap_or_default();
    let commit = commit.trim();
    let commit = if commit.is_empty() { "unknown" } else { commit };
    let status = command(binary("chaos"), ["--binary", &binary("counterfoil")])
        .args(["--commit", commit])
        .args(args)
        .status()
        .context("starting the chaos")?;
    Ok(if status.success() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

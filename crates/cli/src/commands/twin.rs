//! `twin`: a simulated tracker or ERP over HTTP.
use crate::failure::Failure;
use std::process::ExitCode;
/// Options.
#[derive(Debug, clap::Args)]
pub(crate) struct TwinArgs {}
pub(crate) async fn run(_: &TwinArgs) -> Result<ExitCode, Failure> {
    Err(Failure::usage("x", "y"))
}

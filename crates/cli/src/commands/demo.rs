//! `demo`.
use crate::args::Args;
use crate::failure::Failure;
use std::process::ExitCode;
/// Options.
#[derive(Debug, clap::Args)]
pub(crate) struct DemoArgs {}
pub(crate) async fn run(_: &Args, _: &DemoArgs) -> Result<ExitCode, Failure> {
    Err(Failure::usage("x", "y"))
}

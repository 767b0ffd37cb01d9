//! `counterfoil`: approved hours into the ERP, billed once, at a provable price.
//!
//! Data goes to standard output, everything else to standard error. Exit codes: 0 done, 1 stopped
//! by an error, 2 wrong use or configuration, 3 done, but something needs a person.

mod app;
mod args;
mod beside;
mod commands;
mod config;
mod crash;
mod failure;
mod ledger;
mod out;
mod progress;

use clap::Parser;
use failure::Failure;
use std::process::ExitCode;

fn main() -> ExitCode {
    let args = args::Args::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => {
            let hint = "check the limits of this user (ulimit -a)";
            let what = format!("the runtime could not be started: {error}");
            return Failure::stopped(what, hint).report();
        }
    };
    match runtime.block_on(commands::run(args)) {
        Ok(code) => code,
        Err(failure) => failure.report(),
    }
}

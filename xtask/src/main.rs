//! Development commands of this repository; `cargo xtask` without arguments lists them.

#![expect(clippy::print_stdout, reason = "a command-line tool talks to its user")]
#![expect(clippy::print_stderr, reason = "a command-line tool talks to its user")]

mod bench;
mod chaos;
mod clock;
mod command;
mod environment;
mod fuzz;
mod lab;
mod mutants;
mod service;
mod sim;
mod suite;
mod tidy;

use std::process::ExitCode;

use anyhow::{Result, bail};

const HELP: &str = "\
cargo xtask COMMAND
  test   provision the lab, then run every check and test; ends with a table
  sim    play simulated schedules: --schedules N --seed S --random N --verbose
         --require-coverage
  chaos  kill the real process again and again: --cycles N --store sqlite|postgres --nodes N
         --entries N --seed S --evidence FILE
  fuzz   damaged bytes for every parser: --seconds N --target NAME --seed S --replay FILE
  bench  what the product does against floors, in one run: SUBJECT --quick --output json
  mutants  disable one rule of pricing after the other: which golden case fails? WORD ...
  tidy   the rules about crates and files that no compiler checks
  lab    provision, start, stop and reset the real systems the tests run against
";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match dispatch(&args) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn dispatch(args: &[String]) -> Result<ExitCode> {
    match args.split_first() {
        Some((word, rest)) if word == "bench" => bench::run(rest),
        Some((word, rest)) if word == "chaos" => chaos::run(rest),
        Some((word, rest)) if word == "sim" => sim::run(rest),
        Some((word, rest)) if word == "fuzz" => fuzz::run(rest),
        Some((word, rest)) if word == "lab" => lab::run(rest).map(|()| ExitCode::SUCCESS),
        Some((word, rest)) if word == "mutants" => mutants::run(rest),
        Some((word, rest)) if word == "test" => suite::run(rest),
        Some((word, [])) if word == "tidy" => tidy::run().map(|()| ExitCode::SUCCESS),
        _ => bail!("{HELP}"),
    }
}

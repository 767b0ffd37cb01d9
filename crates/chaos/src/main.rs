//! The real binary between both twins, killed with `kill -9` again and again while people work, the
//! ERP acts and its answers are lost, the database restarts and the disk is full. In the end the
//! auditor reads the twins: each approved hour billed once, or an exception that says why.

#![expect(clippy::print_stdout, reason = "a command-line tool talks to its user")]
#![expect(clippy::print_stderr, reason = "a command-line tool talks to its user")]

mod asked;
mod cluster;
mod disk;
mod evidence;
mod node;
mod people;
mod play;
mod systems;

use std::process::ExitCode;

fn main() -> ExitCode {
    match run() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("chaos: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> anyhow::Result<bool> {
    let asked = asked::Asked::from_args()?;
    let runtime = tokio::runtime::Runtime::new()?;
    let evidence = runtime.block_on(play::play(&asked))?;
    println!("{}", evidence.in_words());
    if let Some(path) = &asked.evidence {
        evidence.keep(path)?;
        println!("evidence written to {}", path.display());
    }
    Ok(evidence.is_good())
}

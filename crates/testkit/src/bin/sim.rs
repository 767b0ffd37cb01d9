//! Plays many schedules on two threads and reports what they have been through.

#![expect(clippy::print_stdout, reason = "a command-line tool talks to its user")]
#![expect(clippy::disallowed_methods, reason = "measures how long the runs take")]

use counterfoil_testkit::coverage::Coverage;
use counterfoil_testkit::play::{Played, play};
use std::hash::{BuildHasher, RandomState};
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

const THREADS: u64 = 2;
/// Failures printed in full.
const REPORTS_MAX: usize = 3;

struct Asked {
    schedules: u64,
    seed: u64,
    /// Schedules beyond, from a base that is drawn and printed.
    random: u64,
    verbose: bool,
    /// Fail if anything that can be reached was not.
    require_coverage: bool,
}

fn asked() -> Result<Asked, String> {
    let mut asked = Asked {
        schedules: 1000,
        seed: 1,
        random: 0,
        verbose: false,
        require_coverage: false,
    };
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let mut number = || {
            let value = words
                .next()
                .ok_or_else(|| format!("{word} needs a number"))?;
            value
                .parse::<u64>()
                .map_err(|_| format!("'{value}' is no number"))
        };
        match word.as_str() {
            "--schedules" => asked.schedules = number()?,
            "--seed" => asked.seed = number()?,
            "--random" => asked.random = number()?,
            "--verbose" => asked.verbose = true,
            "--require-coverage" => asked.require_coverage = true,
            _ => {
                return Err(format!(
                    "'{word}' is not known; use --schedules N --seed S --random N --verbose \
                     --require-coverage"
                ));
            }
        }
    }
    Ok(asked)
}

fn main() -> ExitCode {
    let asked = match asked() {
        Ok(asked) => asked,
        Err(why) => {
            println!("{why}");
            return ExitCode::from(2);
        }
    };
    // A panic is caught and reported with its seed; its own words would only tear the output.
    std::panic::set_hook(Box::new(|_| {}));
    let base = RandomState::new().hash_one("sim") % 1_000_000_000;
    if asked.random > 0 {
        println!("{} random schedules begin with seed {base}", asked.random);
    }
    let all = asked.schedules.saturating_add(asked.random);
    let started = Instant::now();
    let (next, done) = (AtomicU64::new(0), AtomicU64::new(0));
    let failures: Mutex<Vec<Played>> = Mutex::default();
    let coverage: Mutex<Coverage> = Mutex::default();
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::SeqCst);
                    if number >= all {
                        return;
                    }
                    let mut played = play(match number.checked_sub(asked.schedules) {
                        None => asked.seed.wrapping_add(number),
                        Some(beyond) => base.wrapping_add(beyond),
                    });
                    if asked.verbose {
                        println!("{}", played.report());
                    }
                    let own = std::mem::take(&mut played.coverage);
                    coverage
                        .lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .merge(own);
                    if !played.is_good() {
                        failures
                            .lock()
                            .unwrap_or_else(PoisonError::into_inner)
                            .push(played);
                    }
                    let count = done.fetch_add(1, Ordering::SeqCst) + 1;
                    if count.is_multiple_of(250) {
                        println!("{count} of {all} schedules");
                    }
                }
            });
        }
    });
    let took = started.elapsed();
    let failures = failures
        .into_inner()
        .unwrap_or_else(PoisonError::into_inner);
    let coverage = coverage
        .into_inner()
        .unwrap_or_else(PoisonError::into_inner);
    println!("{}", coverage.report());
    let each_us = took.as_micros().checked_div(u128::from(all)).unwrap_or(0);
    println!(
        "{all} schedules from seed {} in {} s on {THREADS} threads ({}.{:03} ms each), {} failed",
        asked.seed,
        took.as_secs(),
        each_us / 1000,
        each_us % 1000,
        failures.len()
    );
    let gaps = coverage.gaps();
    if !gaps.is_empty() {
        println!("not covered: {}", gaps.join("; "));
    }
    if failures.is_empty() {
        return if asked.require_coverage && !gaps.is_empty() {
            println!(
                "extend the workload in crates/testkit/src until it gets there, or give the reason \
                 why nothing can in crates/testkit/src/expected.rs"
            );
            ExitCode::FAILURE
        } else {
            ExitCode::SUCCESS
        };
    }
    let seeds: Vec<String> = failures
        .iter()
        .map(|p| p.schedule.seed.to_string())
        .collect();
    for played in failures.iter().take(REPORTS_MAX) {
        println!("\n{}", played.report());
    }
    println!("\nfailed seeds: {}", seeds.join(" "));
    ExitCode::FAILURE
}

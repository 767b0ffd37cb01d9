//! `cargo xtask test`: everything that has to hold, in one command, with a table of what ran.
//!
//! The lab is provisioned while the compiler works. Services that this run started are stopped at
//! its end, also when it is interrupted; services that ran before are used and left alone.

mod count;
mod parts;
mod report;

use std::path::Path;
use std::process::{Child, ExitCode};
use std::thread;

use anyhow::{Result, anyhow, bail};

use crate::clock::Stopwatch;
use crate::environment::{repository, variable};
use crate::lab::{self, Outcome, Place};
use count::Count;
use parts::{EXTRAS, LAB_TESTS, Runner};
use report::{Report, State};

pub(crate) const HELP: &str = "\
cargo xtask test [--require-all] [--no-lab] [--dir DIR]
  Provisions the lab, then checks formatting and lints, runs all tests and the product's own
  checks, and ends with a table of what ran.
  --require-all  a part that could not run is a failure (as in CI)
  --no-lab       leave out what needs PostgreSQL, Tryton or Redmine
";

/// How long a fuzz target runs for one seed.
const FUZZ_SECONDS: u64 = 5;

/// The systems the lab provides, as they are named in the table.
const SYSTEMS: [&str; 3] = ["PostgreSQL", "Tryton", "Redmine"];

/// Runs `test ...` from the command line.
pub(crate) fn run(args: &[String]) -> Result<ExitCode> {
    let mut require_all = false;
    let mut use_lab = true;
    let mut dir = None;
    let mut rest = args.iter();
    while let Some(arg) = rest.next() {
        match arg.as_str() {
            "--require-all" => require_all = true,
            "--no-lab" => use_lab = false,
            "--dir" => dir = rest.next().map(Into::into),
            other => bail!("unknown option {other}\n{HELP}"),
        }
    }
    let place = if use_lab {
        Some(Place::open(dir)?)
    } else {
        None
    };
    let root = repository()?;
    let watch = Stopwatch::start();
    let mut report = Report::default();
    let guard = place.as_ref().map(guard).transpose()?;
    let outcome = match checks_beside_lab(&root, place.as_ref(), &mut report) {
        Some(Ok(outcome)) => {
            systems(&outcome, &mut report);
            Some(outcome)
        }
        Some(Err(error)) => {
            no_systems(&mut report, &format!("{error:#}"));
            None
        }
        None => {
            no_systems(&mut report, "--no-lab");
            None
        }
    };
    if let (Some(place), Some(outcome)) = (&place, &outcome) {
        // A lab still holds what earlier runs wrote into it. One that runs already may be in use
        // by a person, unless this is a machine where nobody works.
        let ours = outcome.started.contains(&"trytond") || variable("CI").is_some();
        if ours && outcome.missing.is_empty() {
            report.part("lab: reset", || lab::reset(place));
        }
    }
    let count = tests(&root, outcome.as_ref(), &mut report);
    if let (Some(place), Some(mut guard)) = (&place, guard) {
        guard.child.kill().and_then(|()| guard.child.wait())?;
        let names = guard.idle_before;
        if !report.part("lab: stop what this run started", || {
            lab::down(place, &names)
        }) {
            println!("xtask: stop the lab's services with: cargo xtask lab down");
        }
    }
    println!("\n{report}whole run: {}", watch.seconds());
    let verdict = report.verdict(require_all);
    if let Err(error) = &verdict {
        println!("xtask: {error}");
    }
    // The plain closing line, which says in any language how the run ended.
    println!("{count}");
    Ok(if verdict.is_ok() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Formatting, lints and the compilation of the tests, while the lab comes up in another thread.
fn checks_beside_lab(
    root: &Path,
    place: Option<&Place>,
    report: &mut Report,
) -> Option<Result<Outcome>> {
    thread::scope(|scope| {
        let lab = place.map(|place| {
            scope.spawn(move || {
                let watch = Stopwatch::start();
                let outcome = lab::up(place);
                println!("lab: provisioned after {}", watch.seconds());
                (outcome, watch.elapsed())
            })
        });
        let runner = Runner::new(root);
        for part in parts::CHECKS {
            report.part(part.name, || runner.run(part.args));
        }
        report.part("compile the tests", || runner.run(parts::compile()));
        lab.map(|handle| match handle.join() {
            Ok((outcome, time)) => {
                report.add("lab: provision and start", State::of(&outcome), time);
                outcome
            }
            Err(_) => Err(anyhow!("the lab's thread panicked")),
        })
    })
}

/// The watcher that stops this run's services should this process be killed.
struct Guard {
    child: Child,
    idle_before: Vec<&'static str>,
}

fn guard(place: &Place) -> Result<Guard> {
    let idle_before = lab::idle_services(place);
    Ok(Guard {
        child: lab::start_guard(place, &idle_before)?,
        idle_before,
    })
}

fn systems(outcome: &Outcome, report: &mut Report) {
    for system in SYSTEMS {
        match outcome.missing.iter().find(|(s, _)| *s == system) {
            Some((_, why)) => report.gap(&format!("real system: {system}"), why),
            None => report.note(&format!("real system: {system}")),
        }
    }
}

fn no_systems(report: &mut Report, why: &str) {
    for system in SYSTEMS {
        report.gap(&format!("real system: {system}"), why);
    }
}

fn tests(root: &Path, lab: Option<&Outcome>, report: &mut Report) -> Count {
    let mut runner = Runner::new(root);
    if let Some(outcome) = lab {
        runner.set("COUNTERFOIL_LAB_JSON", &outcome.facts.to_string_lossy());
        if let Some(url) = &outcome.postgres_url {
            runner.set("COUNTERFOIL_TEST_POSTGRES_URL", url);
        }
    }
    let mut count = Count::default();
    let (name, args) = parts::tests(root);
    report.part(name, || runner.run_counted(&args, &mut count));
    report.part("documentation tests", || {
        runner.run_counted(
            &["test", "--workspace", "--doc", "--no-fail-fast"],
            &mut count,
        )
    });
    if let Some(outcome) = lab {
        for (name, system, program, args) in LAB_TESTS {
            if outcome.missing.iter().all(|(s, _)| s != system) {
                report.part(name, || runner.run_program(program, args));
            }
        }
    }
    for extra in EXTRAS {
        let seeds = extra.seeds();
        let name = match seeds.last() {
            Some(Some(fresh)) => {
                format!(
                    "{}, {} fixed seeds and {fresh}",
                    extra.name,
                    seeds.len() - 1
                )
            }
            _ => extra.name.to_owned(),
        };
        report.part(&name, || runner.run_seeds(extra, &seeds));
    }
    fuzz(root, report);
    count
}

/// Half of a target's time begins at a fixed seed, half at a fresh one, which the table names.
fn fuzz(root: &Path, report: &mut Report) {
    for seed in [1, crate::fuzz::fresh_seed()] {
        let order = crate::fuzz::Order {
            seconds: FUZZ_SECONDS,
            seed,
            jobs: 2,
            target: None,
            replay: None,
        };
        let name = format!("fuzz targets, {FUZZ_SECONDS} s each, seed {seed}");
        report.part(&name, || crate::fuzz::play(root, &order).map(|_| ()));
    }
}

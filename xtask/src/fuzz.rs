//! `fuzz`: lets the fuzz targets of all crates run for longer than in an ordinary test run.
//!
//! A target is a test called `fuzz_<name>` in a crate whose tests use `counterfoil-fuzz`. Each one
//! runs in a process of its own with bounded memory, so that one that overflows its stack or asks
//! for all memory ends alone; the input it died of is then in a file, and named.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Output};
use std::thread;

use anyhow::{Context, Result, anyhow, bail};
use serde::Deserialize;

use crate::command::{command, run_captured};
use crate::environment::repository;

pub(crate) const HELP: &str = "\
cargo xtask fuzz [--seconds N] [--target NAME] [--seed S] [--jobs N] [--replay FILE] [--list]
  Throws damaged bytes at every parser of bytes from outside.
  --seconds N    how long each target runs (60)
  --target NAME  only this one
  --seed S       where the damage starts; without it a fresh one, which is printed
  --jobs N       targets at one time (2)
  --replay FILE  only this input, with --target
  --list         name the targets
";

const ENGINE: &str = "counterfoil-fuzz";
/// Address space of one target. A parser that needs more for a quarter of a megabyte is wrong.
const MEMORY_KIB_MAX: &str = "1500000";

/// What is asked for.
#[derive(Debug, Clone)]
pub(crate) struct Order {
    pub(crate) seconds: u64,
    pub(crate) seed: u64,
    pub(crate) jobs: usize,
    pub(crate) target: Option<String>,
    pub(crate) replay: Option<PathBuf>,
}

/// One target: a test of one program.
#[derive(Debug, Clone)]
struct Target {
    name: String,
    test: String,
    program: PathBuf,
    folder: PathBuf,
}

/// A seed that nobody chose.
pub(crate) fn fresh_seed() -> u64 {
    use std::hash::{BuildHasher, RandomState};
    RandomState::new().hash_one("fuzz") % 1_000_000_000
}

/// Runs `fuzz ...` from the command line.
pub(crate) fn run(args: &[String]) -> Result<ExitCode> {
    let mut order = Order {
        seconds: 60,
        seed: fresh_seed(),
        jobs: 2,
        target: None,
        replay: None,
    };
    let mut list = false;
    let mut rest = args.iter();
    while let Some(arg) = rest.next() {
        let mut value = || {
            rest.next()
                .ok_or_else(|| anyhow!("{arg} needs a value\n{HELP}"))
        };
        match arg.as_str() {
            "--seconds" => order.seconds = value()?.parse().context("--seconds")?,
            "--seed" => order.seed = value()?.parse().context("--seed")?,
            "--jobs" => order.jobs = value()?.parse().context("--jobs")?,
            "--target" => order.target = Some(value()?.clone()),
            "--replay" => order.replay = Some(fs::canonicalize(value()?).context("--replay")?),
            "--list" => list = true,
            other => bail!("unknown option {other}\n{HELP}"),
        }
    }
    if order.replay.is_some() && order.target.is_none() {
        bail!("--replay needs --target\n{HELP}");
    }
    let root = repository()?;
    if list {
        for target in targets(&root, &order)? {
            println!("{}", target.name);
        }
        return Ok(ExitCode::SUCCESS);
    }
    play(&root, &order)?;
    Ok(ExitCode::SUCCESS)
}

/// Runs what is asked for; a finding is an error. Says how many targets ran.
pub(crate) fn play(root: &Path, order: &Order) -> Result<usize> {
    let targets = targets(root, order)?;
    let findings = target_folder(root)?.join("fuzz");
    println!(
        "fuzz: {} targets, {} s each, seed {}",
        targets.len(),
        order.seconds,
        order.seed
    );
    let mut failed = Vec::new();
    for group in targets.chunks(order.jobs.max(1)) {
        let ends: Vec<Result<()>> = thread::scope(|scope| {
            let runs: Vec<_> = group
                .iter()
                .map(|target| scope.spawn(|| play_one(target, order, &findings)))
                .collect();
            runs.into_iter()
                .map(|run| run.join().unwrap_or_else(|_| bail!("the run panicked")))
                .collect()
        });
        for (target, end) in group.iter().zip(ends) {
            if let Err(error) = end {
                println!("{error:#}");
                failed.push(target.name.clone());
            }
        }
    }
    if failed.is_empty() {
        return Ok(targets.len());
    }
    bail!("targets with findings: {}", failed.join(", "))
}

/// Where cargo builds.
pub(crate) fn target_folder(root: &Path) -> Result<PathBuf> {
    let mut c = command("cargo", ["metadata", "--format-version", "1", "--no-deps"]);
    let text = run_captured(c.current_dir(root))?;
    let metadata: Metadata = serde_json::from_str(&text).context("reading cargo's metadata")?;
    Ok(metadata.target_directory)
}

fn play_one(target: &Target, order: &Order, findings: &Path) -> Result<()> {
    let mut c = Command::new("sh");
    c.args(["-c", "ulimit -v \"$0\" && exec \"$@\"", MEMORY_KIB_MAX])
        .arg(&target.program)
        .args([
            "--exact",
            &target.test,
            "--nocapture",
            "--test-threads",
            "1",
        ])
        .current_dir(&target.folder)
        .env("COUNTERFOIL_FUZZ_SECONDS", order.seconds.to_string())
        .env("COUNTERFOIL_FUZZ_SEED", order.seed.to_string())
        .env("COUNTERFOIL_FUZZ_DIR", findings);
    if let Some(file) = &order.replay {
        c.env("COUNTERFOIL_FUZZ_REPLAY", file);
    }
    let output = c
        .output()
        .with_context(|| format!("starting {}", target.program.display()))?;
    let text = String::from_utf8_lossy(&output.stdout);
    if output.status.success() {
        // The test program prints "test name ... " on the same line before.
        let said = text
            .lines()
            .find_map(|line| line.find("fuzz ").map(|at| line.split_at(at).1));
        match (said, &order.replay) {
            (Some(line), _) => println!("{line}"),
            (None, Some(file)) => {
                println!("{}: nothing is wrong with {}", target.name, file.display());
            }
            (None, None) => bail!("{} did not say that it ran", target.name),
        }
        return Ok(());
    }
    let died_of = after_death(target, order, findings)?;
    bail!("{}", report(target, &output, died_of.as_deref()))
}

/// The input at work when the process died, under a name of its own.
fn after_death(target: &Target, order: &Order, findings: &Path) -> Result<Option<PathBuf>> {
    let folder = findings.join(&target.name);
    let current = folder.join("current");
    if order.replay.is_some() || !current.exists() {
        return Ok(None);
    }
    let kept = folder.join(format!("died-{}", order.seed));
    fs::rename(&current, &kept).with_context(|| format!("keeping {}", kept.display()))?;
    Ok(Some(kept))
}

fn report(target: &Target, output: &Output, died_of: Option<&Path>) -> String {
    let mut text = format!(
        "\nfuzz {}: {}\n{}{}",
        target.name,
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    if let Some(file) = died_of {
        let again = format!(
            "the process died; again: cargo xtask fuzz --target {} --replay {}\n",
            target.name,
            file.display()
        );
        text.push_str(&again);
    }
    text
}

#[derive(Debug, Deserialize)]
struct Metadata {
    packages: Vec<Package>,
    target_directory: PathBuf,
}

#[derive(Debug, Deserialize)]
struct Package {
    name: String,
    dependencies: Vec<Dependency>,
}

#[derive(Debug, Deserialize)]
struct Dependency {
    name: String,
}

/// One line of cargo's messages; of other kinds only the absence of these parts is read.
#[derive(Debug, Deserialize)]
struct Message {
    executable: Option<PathBuf>,
    manifest_path: Option<PathBuf>,
    profile: Option<Profile>,
}

#[derive(Debug, Deserialize)]
struct Profile {
    test: bool,
}

/// Compiles the tests of the crates that have targets, and asks them which.
fn targets(root: &Path, order: &Order) -> Result<Vec<Target>> {
    let mut c = command("cargo", ["metadata", "--format-version", "1", "--no-deps"]);
    let text = run_captured(c.current_dir(root))?;
    let metadata: Metadata = serde_json::from_str(&text).context("reading cargo's metadata")?;
    let mut args = vec![
        "test".to_owned(),
        "--no-run".to_owned(),
        "--quiet".to_owned(),
        "--message-format=json-render-diagnostics".to_owned(),
    ];
    for package in metadata.packages {
        if package.dependencies.iter().any(|d| d.name == ENGINE) {
            args.extend(["--package".to_owned(), package.name]);
        }
    }
    let messages = run_captured(command("cargo", &args).current_dir(root))?;
    let mut found = BTreeMap::new();
    for line in messages.lines() {
        let message: Message = serde_json::from_str(line).context("reading cargo's messages")?;
        let (Some(program), Some(manifest), Some(Profile { test: true })) =
            (message.executable, message.manifest_path, message.profile)
        else {
            continue;
        };
        let folder = manifest
            .parent()
            .ok_or_else(|| anyhow!("{} has no folder", manifest.display()))?;
        let list =
            run_captured(command(&program, ["--list", "--format", "terse"]).current_dir(folder))?;
        for test in list.lines().filter_map(|line| line.strip_suffix(": test")) {
            let last = test.rsplit("::").next().unwrap_or(test);
            if let Some(name) = last.strip_prefix("fuzz_")
                && order.target.as_ref().is_none_or(|wanted| wanted == name)
            {
                let target = Target {
                    name: name.to_owned(),
                    test: test.to_owned(),
                    program: program.clone(),
                    folder: folder.to_path_buf(),
                };
                if found.insert(name.to_owned(), target).is_some() {
                    bail!("two fuzz targets are called {name}");
                }
            }
        }
    }
    if found.is_empty() {
        bail!("there is no such fuzz target; cargo xtask fuzz --list names them");
    }
    Ok(found.into_values().collect())
}

//! The commands of a test run, as data.

use std::hash::{BuildHasher, RandomState};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::thread;

use anyhow::{Context, Result, bail};

use super::count::Count;
use crate::command::describe;
use crate::environment::program;

/// One cargo command with a name for the table.
#[derive(Debug, Clone, Copy)]
pub(super) struct Part {
    pub(super) name: &'static str,
    pub(super) args: &'static [&'static str],
}

/// What needs no running system.
pub(super) const CHECKS: &[Part] = &[
    Part {
        name: "formatting",
        args: &["fmt", "--all", "--check"],
    },
    Part {
        name: "lints",
        args: &[
            "clippy",
            "--workspace",
            "--all-targets",
            "--quiet",
            "--",
            "-D",
            "warnings",
        ],
    },
];

/// A command of the product that has to end as it should, once or for many seeds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Extra {
    pub(super) name: &'static str,
    pub(super) args: &'static [&'static str],
    pub(super) seeded: bool,
    pub(super) ends: Ends,
}

/// How a command has to end.
#[derive(Debug, Clone, Copy)]
pub(super) enum Ends {
    /// With success.
    Well,
    /// With the exit code of a month that does not tie out, and in these words: the code alone is
    /// also that of a command that broke.
    NotTiedOut(&'static str),
}

/// The exit code of `demo --check` when the month does not tie out.
const NOT_TIED_OUT: i32 = 1;
/// What the demo says then.
const NOT_ACCOUNTED: &str = "NOT every approved hour is accounted for";

impl Ends {
    /// Nothing, or what should have been.
    fn judge(self, output: &Output) -> Result<(), String> {
        match self {
            Self::Well if output.status.success() => Ok(()),
            Self::Well => Err("it should have succeeded".to_owned()),
            Self::NotTiedOut(words) => {
                let said = String::from_utf8_lossy(&output.stdout);
                if output.status.code() == Some(NOT_TIED_OUT) && said.contains(words) {
                    return Ok(());
                }
                Err(format!(
                    "it should have ended with exit code {NOT_TIED_OUT} and '{words}'"
                ))
            }
        }
    }
}

/// A small month in which the ERP cheats once: the check has to fail, or it proves nothing.
const fn tampered(name: &'static str, args: &'static [&'static str]) -> Extra {
    Extra {
        name,
        args,
        seeded: false,
        ends: Ends::NotTiedOut(NOT_ACCOUNTED),
    }
}

/// Real processes, killed: never twice the same, so there is no seed to repeat.
const fn chaos(name: &'static str, args: &'static [&'static str]) -> Extra {
    Extra {
        name,
        args,
        seeded: false,
        ends: Ends::Well,
    }
}

/// The product's own checks. Add a line when a command exists; `seeded` ones get `--seed N`.
pub(super) const EXTRAS: &[Extra] = &[
    Extra {
        name: "demo",
        args: &[
            "run",
            "--quiet",
            "--",
            "demo",
            "--quiet",
            "--check",
            "--entries",
            "300",
            "--consultants",
            "12",
        ],
        seeded: true,
        ends: Ends::Well,
    },
    Extra {
        name: "simulation, 1000 fixed schedules",
        args: &[
            "run",
            "--quiet",
            "--package",
            "counterfoil-testkit",
            "--bin",
            "sim",
            "--",
            "--schedules",
            "1000",
            "--seed",
            "1",
            "--require-coverage",
        ],
        seeded: false,
        ends: Ends::Well,
    },
    chaos(
        "chaos on SQLite, 25 kills",
        &["xtask", "chaos", "--cycles", "25", "--entries", "60"],
    ),
    chaos(
        "chaos on PostgreSQL, three nodes, 25 kills",
        &[
            "xtask",
            "chaos",
            "--cycles",
            "25",
            "--entries",
            "60",
            "--store",
            "postgres",
            "--nodes",
            "3",
        ],
    ),
    tampered(
        "demo notices a dropped line",
        &[
            "run",
            "--quiet",
            "--",
            "demo",
            "--quiet",
            "--check",
            "--no-faults",
            "--entries",
            "60",
            "--consultants",
            "8",
            "--tamper",
            "drop",
        ],
    ),
    tampered(
        "demo notices a wrong cent",
        &[
            "run",
            "--quiet",
            "--",
            "demo",
            "--quiet",
            "--check",
            "--no-faults",
            "--entries",
            "60",
            "--consultants",
            "8",
            "--tamper",
            "cent",
        ],
    ),
    tampered(
        "demo notices a doubled line",
        &[
            "run",
            "--quiet",
            "--",
            "demo",
            "--quiet",
            "--check",
            "--no-faults",
            "--entries",
            "60",
            "--consultants",
            "8",
            "--tamper",
            "double",
        ],
    ),
];

const FIXED_SEEDS: u64 = 20;
/// Seeds played at one time: they mostly wait for simulated servers.
const SEEDS_AT_ONCE: usize = 4;

impl Extra {
    /// No seed, or the fixed ones and a new one each time, which the table names.
    pub(super) fn seeds(&self) -> Vec<Option<u64>> {
        if !self.seeded {
            return vec![None];
        }
        let fresh = RandomState::new().hash_one(self.name) % 1_000_000_000;
        (1..=FIXED_SEEDS).chain([fresh]).map(Some).collect()
    }

    pub(super) fn arguments(&self, seed: Option<u64>) -> Vec<String> {
        let mut all: Vec<String> = self.args.iter().map(|&a| a.to_owned()).collect();
        if let Some(seed) = seed {
            all.extend(["--seed".to_owned(), seed.to_string()]);
        }
        all
    }
}

fn has_nextest() -> bool {
    program("cargo-nextest").is_some()
}

/// Compiles the tests ahead of the lab.
pub(super) fn compile() -> &'static [&'static str] {
    &["test", "--workspace", "--no-run", "--quiet"]
}

/// The command that runs the tests, and its name in the table.
pub(super) fn tests(root: &Path) -> (&'static str, Vec<String>) {
    let owned = |words: &[&str]| words.iter().map(|&w| w.to_owned()).collect::<Vec<_>>();
    if has_nextest() {
        let mut args = owned(&["nextest", "run", "--workspace", "--no-fail-fast"]);
        let settings = root.join("xtask/nextest.toml");
        args.extend([
            "--tool-config-file".into(),
            format!("xtask:{}", settings.display()),
        ]);
        ("tests (nextest)", args)
    } else {
        (
            "tests (cargo test)",
            owned(&["test", "--workspace", "--no-fail-fast", "--all-targets"]),
        )
    }
}

/// Tests in other languages that need the lab: name, system, program, arguments.
pub(super) const LAB_TESTS: &[(&str, &str, &str, &[&str])] = &[(
    "tests of the Tryton module",
    "Tryton",
    "python3",
    &["erp-modules/tryton/test_counterfoil_key.py"],
)];

/// Runs commands in the repository with the lab's variables.
#[derive(Debug)]
pub(super) struct Runner {
    root: PathBuf,
    variables: Vec<(&'static str, String)>,
}

impl Runner {
    pub(super) fn new(root: &Path) -> Self {
        Self {
            root: root.to_path_buf(),
            variables: Vec::new(),
        }
    }

    pub(super) fn set(&mut self, name: &'static str, value: &str) {
        self.variables.push((name, value.to_owned()));
    }

    fn command<S: AsRef<str>>(&self, program: &str, args: &[S]) -> Command {
        let mut c = Command::new(program);
        c.args(args.iter().map(AsRef::as_ref))
            .current_dir(&self.root)
            .stdin(Stdio::null());
        c.envs(self.variables.iter().map(|(n, v)| (n, v)));
        println!("\nxtask: {}", describe(&c));
        c
    }

    /// Runs a cargo command.
    pub(super) fn run<S: AsRef<str>>(&self, args: &[S]) -> Result<()> {
        self.run_program("cargo", args)
    }

    pub(super) fn run_program<S: AsRef<str>>(&self, program: &str, args: &[S]) -> Result<()> {
        let mut c = self.command(program, args);
        let status = c.status().with_context(|| format!("starting {program}"))?;
        if !status.success() {
            bail!("{status}");
        }
        Ok(())
    }

    /// Runs a check for all of its seeds, several at a time. The output of one that fails is shown
    /// whole, with the command that plays it again.
    pub(super) fn run_seeds(&self, extra: &Extra, seeds: &[Option<u64>]) -> Result<()> {
        let mut failed = Vec::new();
        for group in seeds.chunks(SEEDS_AT_ONCE) {
            let ends: Vec<Result<()>> = thread::scope(|scope| {
                let runs: Vec<_> = group
                    .iter()
                    .map(|seed| {
                        scope.spawn(|| self.run_captured(&extra.arguments(*seed), extra.ends))
                    })
                    .collect();
                runs.into_iter()
                    .map(|run| run.join().unwrap_or_else(|_| bail!("the run panicked")))
                    .collect()
            });
            for (seed, end) in group.iter().zip(ends) {
                if let Err(error) = end {
                    println!("{error}");
                    failed.push(seed.map_or_else(|| "none".to_owned(), |s| s.to_string()));
                }
            }
        }
        if failed.is_empty() {
            return Ok(());
        }
        bail!("seeds that failed: {}", failed.join(", "))
    }

    fn run_captured(&self, args: &[String], ends: Ends) -> Result<()> {
        let output = self
            .command("cargo", args)
            .output()
            .context("starting cargo")?;
        let Err(should) = ends.judge(&output) else {
            return Ok(());
        };
        bail!(
            "cargo {}: {}; {should}\n{}{}",
            args.join(" "),
            output.status,
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        )
    }

    /// Runs a cargo command, shows its output and adds up the tests its closing lines report.
    pub(super) fn run_counted<S: AsRef<str>>(&self, args: &[S], count: &mut Count) -> Result<()> {
        let mut child = self
            .command("cargo", args)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .context("starting cargo")?;
        let out = child.stdout.take().context("reading cargo's output")?;
        let err = child.stderr.take().context("reading cargo's messages")?;
        let (from_out, from_err) = thread::scope(|scope| {
            let messages = scope.spawn(|| show(err));
            (show(out), messages.join().unwrap_or_default())
        });
        *count += from_out;
        *count += from_err;
        let status = child.wait().context("waiting for cargo")?;
        if !status.success() {
            bail!("{status}");
        }
        Ok(())
    }
}

/// Passes lines through as they come. Everything goes to one stream, to keep its order.
fn show(stream: impl std::io::Read) -> Count {
    let mut count = Count::default();
    for line in BufReader::new(stream).lines().map_while(Result::ok) {
        count += Count::of_line(&line);
        println!("{line}");
    }
    count
}

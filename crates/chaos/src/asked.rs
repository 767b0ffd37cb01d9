//! What the command line asks for.

use anyhow::{Context, Result, bail};
use std::path::PathBuf;

const USAGE: &str = "chaos --binary PATH [--cycles N] [--store sqlite|postgres] [--nodes N] \
                     [--entries N] [--burst N] [--seed S] [--evidence FILE] [--commit ID]";

/// Where the ledger is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A file.
    Sqlite,
    /// A cluster of its own.
    Postgres,
}

impl Kind {
    /// Its name.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgres",
        }
    }
}

/// What is asked for.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    /// The product.
    pub(crate) binary: PathBuf,
    /// How often a process is killed.
    pub(crate) cycles: u64,
    /// Where the ledger is.
    pub(crate) store: Kind,
    /// How many nodes share it.
    pub(crate) nodes: usize,
    /// Ordinary entries of the month, there from the start.
    pub(crate) entries: u32,
    /// The longest life of a process, in milliseconds.
    pub(crate) life_ms_max: u64,
    /// The seed of people, faults and kills. Times are real, so that no run is like another.
    pub(crate) seed: u64,
    /// Where the evidence is written.
    pub(crate) evidence: Option<PathBuf>,
    /// The commit that is tested, for the evidence.
    pub(crate) commit: String,
}

impl Asked {
    /// From the command line.
    pub(crate) fn from_args() -> Result<Self> {
        let mut asked = Self {
            binary: PathBuf::new(),
            cycles: 50,
            store: Kind::Sqlite,
            nodes: 1,
            entries: 120,
            life_ms_max: 2000,
            seed: 1,
            evidence: None,
            commit: String::new(),
        };
        let mut words = std::env::args().skip(1);
        while let Some(word) = words.next() {
            let value = words
                .next()
                .with_context(|| format!("{word} needs a value; {USAGE}"))?;
            match word.as_str() {
                "--binary" => asked.binary = PathBuf::from(value),
                "--cycles" => asked.cycles = value.parse()?,
                "--nodes" => asked.nodes = value.parse()?,
                "--entries" => asked.entries = value.parse()?,
                "--life-ms-max" => asked.life_ms_max = value.parse()?,
                "--seed" => asked.seed = value.parse()?,
                "--evidence" => asked.evidence = Some(PathBuf::from(value)),
                "--commit" => asked.commit = value,
                "--store" => {
                    asked.store = match value.as_str() {
                        "sqlite" => Kind::Sqlite,
                        "postgres" => Kind::Postgres,
                        _ => bail!("'{value}' is no store; {USAGE}"),
                    }
                }
                _ => bail!("'{word}' is not known; {USAGE}"),
            }
        }
        if asked.binary.as_os_str().is_empty() {
            bail!("--binary is missing; {USAGE}");
        }
        if asked.nodes == 0 || (asked.store == Kind::Sqlite && asked.nodes > 1) {
            bail!("one node works over a SQLite file; several need --store postgres");
        }
        Ok(asked)
    }
}

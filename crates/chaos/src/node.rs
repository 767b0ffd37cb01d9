//! One node: the binary in a folder of its own, started, killed, asked what it was doing.

use anyhow::{Context, Result};
use connector_sdk::clock::{Clock, SystemClock};
use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// Where a debug build writes the last point it passed.
const STEPS: &str = "steps";

/// What a process does before its first point: it opens the ledger, or waits for its turn.
const WAITING: &str = "(starting or waiting)";

/// A node.
pub(crate) struct Node {
    /// Its number.
    pub(crate) number: usize,
    binary: PathBuf,
    folder: PathBuf,
    child: Option<Child>,
    /// How often it ended by itself, by what it said last.
    pub(crate) ended_by_itself: BTreeMap<String, u64>,
}

/// How a command ended.
pub(crate) struct Said {
    /// The exit code.
    pub(crate) code: Option<i32>,
    /// What it wrote.
    pub(crate) out: String,
    /// What it complained.
    pub(crate) err: String,
}

impl Node {
    /// A node that has not been started.
    pub(crate) fn new(number: usize, binary: &Path, folder: PathBuf) -> Self {
        Self {
            number,
            binary: binary.to_owned(),
            folder,
            child: None,
            ended_by_itself: BTreeMap::new(),
        }
    }

    /// Its folder.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(&self.binary);
        command
            .current_dir(&self.folder)
            .env("COUNTERFOIL_STEPS", self.folder.join(STEPS))
            .arg("--quiet")
            .args(words)
            .stdin(Stdio::null());
        command
    }

    fn log(&self) -> PathBuf {
        self.folder.join("log")
    }

    /// Start it, unless it runs.
    pub(crate) fn start(&mut self) -> Result<()> {
        if self.runs()? {
            return Ok(());
        }
        let log = OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.log())
            .context("opening the log")?;
        let child = self
            .command(&["run", "--every-seconds", "0"])
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .context("starting the binary")?;
        self.child = Some(child);
        Ok(())
    }

    /// Whether it runs; one that ended by itself is noted with what it said last.
    pub(crate) fn runs(&mut self) -> Result<bool> {
        let Some(child) = &mut self.child else {
            return Ok(false);
        };
        if child.try_wait()?.is_none() {
            return Ok(true);
        }
        self.child = None;
        let said = fs::read_to_string(self.log()).unwrap_or_default();
        let last = said.lines().rev().find(|line| line.starts_with("error:"));
        let last = last.unwrap_or("(nothing)").chars().take(160).collect();
        *self.ended_by_itself.entry(last).or_default() += 1;
        Ok(false)
    }

    /// Whether it has passed a point in this life.
    pub(crate) fn is_at_work(&self) -> bool {
        fs::metadata(self.folder.join(STEPS)).is_ok_and(|file| file.len() > 0)
    }

    /// Kill it. The last point that it passed in this life, if it was alive.
    pub(crate) fn kill(&mut self) -> Result<Option<String>> {
        if !self.runs()? {
            return Ok(None);
        }
        if let Some(mut child) = self.child.take() {
            child.kill()?;
            child.wait()?;
        }
        let steps = self.folder.join(STEPS);
        let step = fs::read_to_string(&steps).unwrap_or_default();
        if steps.exists() {
            fs::remove_file(&steps)?;
        }
        let step = step.trim();
        Ok(Some(
            if step.is_empty() { WAITING } else { step }.to_owned(),
        ))
    }

    /// Run a command to its end, or kill it after a time.
    pub(crate) fn run(&self, words: &[&str], patience_us: i64) -> Result<Said> {
        let (out, err) = (self.folder.join("out"), self.folder.join("err"));
        let mut child = self
            .command(words)
            .stdout(File::create(&out)?)
            .stderr(File::create(&err)?)
            .spawn()?;
        let until_us = SystemClock.steady_us().saturating_add(patience_us);
        let code = loop {
            if let Some(status) = child.try_wait()? {
                break status.code();
            }
            if SystemClock.steady_us() > until_us {
                child.kill()?;
                child.wait()?;
                break None;
            }
            std::thread::sleep(Duration::from_millis(20));
        };
        Ok(Said {
            code,
            out: fs::read_to_string(&out)?,
            err: fs::read_to_string(&err)?,
        })
    }

    /// Panics that it wrote about: there must be none.
    pub(crate) fn panics(&self) -> Vec<String> {
        let said = fs::read_to_string(self.log()).unwrap_or_default();
        let lines = said.lines().filter(|line| line.contains("panicked"));
        lines.take(3).map(str::to_owned).collect()
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            // It may have ended by itself; nothing is left to do then.
            let _ended = child.kill();
            let _reaped = child.wait();
        }
    }
}

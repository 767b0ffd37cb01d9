//! Runs other programs: quietly into a log file, with the log's end shown when one fails.

use std::fs::{self, File, OpenOptions};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::environment::Account;

const TAIL_LINES: usize = 25;

/// A program with its arguments.
pub(crate) fn command<I, S>(program: impl AsRef<std::ffi::OsStr>, args: I) -> Command
where
    I: IntoIterator<Item = S>,
    S: AsRef<std::ffi::OsStr>,
{
    let mut c = Command::new(program);
    c.args(args);
    c
}

/// Makes the command run as another account (only root can).
pub(crate) fn run_as(command: &mut Command, account: Option<Account>) {
    if let Some(Account { uid, gid }) = account {
        command.uid(uid).gid(gid);
    }
}

/// Runs to the end, output appended to `log`; a failure carries the end of the log.
pub(crate) fn run_logged(command: &mut Command, log: &Path) -> Result<()> {
    let out = open_log(log)?;
    let start = out.metadata().map_or(0, |m| m.len());
    let line = describe(command);
    let status = command
        .stdin(Stdio::null())
        .stdout(out.try_clone().context("sharing the log file")?)
        .stderr(out)
        .status()
        .with_context(|| format!("starting {line}"))?;
    if !status.success() {
        bail!(
            "{line}\nfailed ({status}); the end of {}:\n{}",
            log.display(),
            tail(log, start)
        );
    }
    Ok(())
}

/// Runs to the end and returns what it printed; a failure carries its error output.
pub(crate) fn run_captured(command: &mut Command) -> Result<String> {
    let line = describe(command);
    let output = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("starting {line}"))?;
    if !output.status.success() {
        bail!(
            "{line}\nfailed ({}): {}",
            output.status,
            String::from_utf8_lossy(&output.stderr)
        );
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// Opens a log file for appending, with its folder.
pub(crate) fn open_log(log: &Path) -> Result<File> {
    if let Some(folder) = log.parent() {
        fs::create_dir_all(folder).with_context(|| format!("creating {}", folder.display()))?;
    }
    OpenOptions::new()
        .create(true)
        .append(true)
        .open(log)
        .with_context(|| format!("opening {}", log.display()))
}

/// The last lines that were written to the log after the byte `from`.
pub(crate) fn tail(log: &Path, from: u64) -> String {
    let text = fs::read(log).unwrap_or_default();
    let from = usize::try_from(from).unwrap_or(0).min(text.len());
    let text = String::from_utf8_lossy(text.get(from..).unwrap_or_default()).into_owned();
    let lines: Vec<&str> = text.lines().collect();
    let skipped = lines.len().saturating_sub(TAIL_LINES);
    lines.get(skipped..).unwrap_or_default().join("\n")
}

/// The command as a person would type it, for messages.
pub(crate) fn describe(command: &Command) -> String {
    let mut words = vec![command.get_program().to_string_lossy().into_owned()];
    words.extend(command.get_args().map(|a| a.to_string_lossy().into_owned()));
    words.join(" ")
}

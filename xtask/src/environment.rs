//! What this tool takes from the machine: environment variables, accounts, the repository's root.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow};

/// An environment variable, if it is set and not empty.
#[expect(
    clippy::disallowed_methods,
    reason = "a development command has no configuration file; this is its only reader"
)]
pub(crate) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|v| !v.is_empty())
}

/// The repository's root: the parent of this crate.
pub(crate) fn repository() -> Result<PathBuf> {
    let manifest = variable("CARGO_MANIFEST_DIR")
        .filter(|d| Path::new(d).ends_with("xtask"))
        .unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").to_owned());
    Path::new(&manifest)
        .parent()
        .map(Path::to_path_buf)
        .ok_or_else(|| anyhow!("{manifest} has no parent folder"))
}

/// The numeric ids of an account.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Account {
    pub(crate) uid: u32,
    pub(crate) gid: u32,
}

/// True where the process may install packages and act for other accounts.
pub(crate) fn is_root() -> bool {
    fs::read_to_string("/proc/self/status").is_ok_and(|text| {
        text.lines()
            .find_map(|l| l.strip_prefix("Uid:"))
            .and_then(|l| l.split_whitespace().nth(1))
            == Some("0")
    })
}

/// Looks an account up by name.
pub(crate) fn account(name: &str) -> Result<Account> {
    let text = fs::read_to_string("/etc/passwd").context("reading the list of accounts")?;
    text.lines()
        .map(|l| l.split(':').collect::<Vec<_>>())
        .find_map(|f| match f.as_slice() {
            [n, _, uid, gid, ..] if *n == name => Some(Account {
                uid: uid.parse().ok()?,
                gid: gid.parse().ok()?,
            }),
            _ => None,
        })
        .ok_or_else(|| anyhow!("this machine has no account {name}"))
}

/// The program's full path, if a folder of PATH has it.
pub(crate) fn program(name: &str) -> Option<PathBuf> {
    let path = variable("PATH")?;
    std::env::split_paths(&path)
        .map(|d| d.join(name))
        .find(|p| p.is_file())
}

//! A watcher that stops services when the command that started them is gone.
//!
//! A test run may end by Ctrl-C or a kill, where no code of ours runs any more. So it leaves a small
//! process of its own group behind, which outlives it by a second and cleans up by pid.

use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use anyhow::{Context, Result};

use super::Place;
use crate::command::open_log;
use crate::service::is_running;

/// Starts the watcher for this process and the named services; kill it before stopping them.
pub(crate) fn start_guard(place: &Place, services: &[&str]) -> Result<Child> {
    let log = open_log(&place.log("guard"))?;
    Command::new(std::env::current_exe().context("finding this program")?)
        .args(["lab", "guard", &std::process::id().to_string()])
        .args(services)
        .arg("--dir")
        .arg(place.root())
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(log.try_clone().context("sharing the log file")?)
        .stderr(log)
        .process_group(0)
        .spawn()
        .context("starting the watcher")
}

/// Waits for the parent's end, then stops the services.
pub(crate) fn guard(place: &Place, parent: &str, services: &[&str]) -> Result<()> {
    let parent = parent.parse().context("the parent's pid")?;
    while is_running(parent, "xtask") {
        sleep(Duration::from_secs(1));
    }
    super::down(place, services)
}

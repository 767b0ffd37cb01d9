//! Installs packages of the operating system, where this account may.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};

use super::place::Place;
use crate::command::{command, run_captured, run_logged};
use crate::environment::{is_root, program};

/// Installs the packages, refreshing the package lists first only where that is needed.
pub(crate) fn install(place: &Place, names: &[&str]) -> Result<()> {
    may_install(names)?;
    keep_default_cluster_away()?;
    let log = place.log("apt");
    let install = || {
        let mut c = command(
            "apt-get",
            ["-o", "DPkg::Lock::Timeout=600", "install", "-y"],
        );
        c.arg("--no-install-recommends")
            .args(names)
            .env("DEBIAN_FRONTEND", "noninteractive");
        run_logged(&mut c, &log)
    };
    if install().is_ok() {
        return Ok(());
    }
    update(place)?;
    install()
}

/// Fetches the package lists.
pub(crate) fn update(place: &Place) -> Result<()> {
    let mut c = command("apt-get", ["-o", "DPkg::Lock::Timeout=600", "update"]);
    run_logged(&mut c, &place.log("apt")).context("no package lists: is the network there?")
}

/// Says what to do where packages cannot be installed.
pub(crate) fn may_install(names: &[&str]) -> Result<()> {
    if program("apt-get").is_none() {
        bail!(
            "needs {}, and this system has no apt-get to install it with",
            names.join(", ")
        );
    }
    if !is_root() {
        let names = names.join(" ");
        bail!("needs packages only root can install; run: sudo apt-get install {names}");
    }
    Ok(())
}

/// True when the package is installed and configured.
pub(crate) fn is_installed(name: &str) -> bool {
    run_captured(&mut command("dpkg-query", ["-W", "-f", "${Status}", name]))
        .is_ok_and(|s| s == "install ok installed")
}

/// The server package would create and start a cluster of its own: nobody asked for that one.
fn keep_default_cluster_away() -> Result<()> {
    let folder = Path::new("/etc/postgresql-common/createcluster.d");
    if folder.exists() || program("pg_ctlcluster").is_some() {
        return Ok(()); // already installed, and not ours to configure
    }
    fs::create_dir_all(folder).context("preparing the PostgreSQL package")?;
    fs::write(
        folder.join("counterfoil-lab.conf"),
        "create_main_cluster = false\n",
    )
    .context("preparing the PostgreSQL package")
}

//! A small disk for the ledger that can be filled up. Only root can make one; without it the disk
//! is never full, and the evidence says so.

use anyhow::{Context, Result, bail};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Its size.
const SIZE: &str = "size=512m";
const PIECE_BYTES: usize = 1 << 16;

/// The disk.
pub(crate) struct Disk {
    at: PathBuf,
}

impl Disk {
    /// Put one at a folder.
    pub(crate) fn mount(at: &Path) -> Result<Option<Self>> {
        if !rustix::process::geteuid().is_root() {
            return Ok(None);
        }
        fs::create_dir_all(at)?;
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", SIZE, "tmpfs"])
            .arg(at)
            .output()
            .context("mounting a small disk")?;
        if !mounted.status.success() {
            // A container may not mount; that is a gap, not a failure.
            return Ok(None);
        }
        Ok(Some(Self { at: at.to_owned() }))
    }

    fn ballast(&self) -> PathBuf {
        self.at.join("ballast")
    }

    /// Fill it to the last byte.
    pub(crate) fn fill(&self) -> Result<()> {
        let mut file = fs::File::create(self.ballast())?;
        let piece = vec![7_u8; PIECE_BYTES];
        for _ in 0..100_000 {
            match file.write_all(&piece) {
                Ok(()) => {}
                Err(error) if error.kind() == std::io::ErrorKind::StorageFull => return Ok(()),
                Err(error) => return Err(error.into()),
            }
        }
        bail!("the disk does not get full");
    }

    /// Make room again.
    pub(crate) fn empty(&self) -> Result<()> {
        if self.ballast().exists() {
            fs::remove_file(self.ballast())?;
        }
        Ok(())
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // What stays mounted is memory until the machine restarts; there is nobody to tell here.
        let _gone = Command::new("umount").arg("-l").arg(&self.at).output();
    }
}

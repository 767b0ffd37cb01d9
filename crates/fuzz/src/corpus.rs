//! Files: the seeds of a target, the input at work, and findings.

use std::fs::{self, File};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// The files of a target's folder, by name; none where there is no folder.
pub(crate) fn read_folder(folder: &Path) -> io::Result<Vec<Vec<u8>>> {
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let mut files = fs::read_dir(folder)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<io::Result<Vec<PathBuf>>>()?;
    files.sort();
    files.iter().map(fs::read).collect()
}

/// Writes a finding under a name made of its content, and says where.
pub(crate) fn keep(folder: &Path, target: &str, input: &[u8]) -> io::Result<PathBuf> {
    let folder = folder.join(target);
    fs::create_dir_all(&folder)?;
    let path = folder.join(format!("found-{:016x}", fnv(input)));
    fs::write(&path, input)?;
    Ok(path)
}

/// A short stable name for bytes (FNV-1a).
pub(crate) fn fnv(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// The input at work, in a file that is still there when the process died of it.
pub(crate) struct Current {
    path: PathBuf,
    file: File,
}

impl Current {
    pub(crate) fn open(folder: &Path, target: &str) -> io::Result<Self> {
        let folder = folder.join(target);
        fs::create_dir_all(&folder)?;
        let path = folder.join("current");
        Ok(Self {
            file: File::create(&path)?,
            path,
        })
    }

    pub(crate) fn put(&mut self, input: &[u8]) -> io::Result<()> {
        self.file.seek(SeekFrom::Start(0))?;
        self.file.write_all(input)?;
        self.file
            .set_len(u64::try_from(input.len()).unwrap_or(u64::MAX))
    }

    pub(crate) fn remove(self) -> io::Result<()> {
        fs::remove_file(self.path)
    }
}

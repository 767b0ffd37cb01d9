//! One writing process per data folder: an exclusive lock on a file beside the database, which the
//! system frees when the process ends, however it ends.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use crate::error::StoreError;

/// Held as long as the store is open.
#[derive(Debug)]
pub(crate) struct DataLock {
    _file: File,
}

impl DataLock {
    /// Takes the lock beside `database`, or names the process that has it.
    pub(crate) fn take(database: &Path) -> Result<Self, StoreError> {
        let path = lock_path(database);
        let failed = |doing| {
            let path = path.clone();
            move |source| StoreError::File {
                doing,
                path,
                source,
            }
        };
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(failed("opening the lock file"))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                file.read_to_string(&mut holder)
                    .map_err(failed("reading the lock file"))?;
                let holder = holder.trim();
                let holder = if holder.is_empty() {
                    "(starting)"
                } else {
                    holder
                }
                .to_owned();
                return Err(StoreError::Locked { path, holder });
            }
            Err(TryLockError::Error(source)) => {
                return Err(StoreError::File {
                    doing: "locking",
                    path,
                    source,
                });
            }
        }
        file.set_len(0).map_err(failed("writing the lock file"))?;
        file.seek(SeekFrom::Start(0))
            .map_err(failed("writing the lock file"))?;
        writeln!(file, "{}", std::process::id()).map_err(failed("writing the lock file"))?;
        Ok(Self { _file: file })
    }
}

fn lock_path(database: &Path) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push(".lock");
    PathBuf::from(name)
}

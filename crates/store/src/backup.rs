//! Backup and restore of a SQLite ledger.
//!
//! A backup is one database file, taken beside running work, and a small manifest that says what it
//! is. Neither holds a secret: data keys are in it wrapped, and the key that opens them is not.
//! A restored ledger never posts by itself: what was posted after the backup is unknown to it.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use data_encoding::HEXLOWER;
use rusqlite::Connection;
use rusqlite::backup::Backup;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::audit;
use crate::backend::Backend;
use crate::error::StoreError;
use crate::lock::DataLock;
use crate::options::StoreOptions;
use crate::postgres::PgConnection;
use crate::session;
use crate::store::{Store, elsewhere};
use crate::tables::{settings, writers};
use crate::tx::ReadTx;

/// The name of the setting that keeps posting off.
pub const POSTING_OFF: &str = "posting_off";
/// Its value after a restore.
pub const RESTORED: &str = "restored";

const FORMAT: u32 = 1;
/// More than the heads of a hundred thousand sessions; a longer file reads as cut.
const MANIFEST_BYTES_MAX: u64 = 16 << 20;

/// What a backup is, kept beside it as JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Version of this manifest.
    pub format: u32,
    /// Digest of the ledger id.
    pub ledger_digest: String,
    /// When it was taken, microseconds since the epoch.
    pub taken_at_us: i64,
    /// SHA-256 of the database file.
    pub file_sha256: String,
    /// Where every chain stood.
    pub writers: Vec<ManifestHead>,
}

/// Where one chain stood.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ManifestHead {
    /// The session.
    pub writer_no: i64,
    /// The number of its last block.
    pub seq: i64,
    /// The digest of its last block.
    pub head: String,
}

/// Copies the ledger to `target`, which must not exist, and writes its manifest.
pub async fn backup(store: &Store, target: impl AsRef<Path>) -> Result<Manifest, StoreError> {
    let target = target.as_ref().to_owned();
    let options = store.options();
    let taken_at_us = (options.clock)();
    let ledger_digest = HEXLOWER.encode(&options.ledger_digest);
    store
        .read(move |tx| copy_out(tx, &target, taken_at_us, ledger_digest))
        .await
}

fn copy_out(
    tx: &mut ReadTx<'_>,
    target: &Path,
    taken_at_us: i64,
    ledger_digest: String,
) -> Result<Manifest, StoreError> {
    refuse_existing(target)?;
    let heads = writers::heads(tx)?;
    let Backend::Sqlite(source) = &tx.backend else {
        return Err(StoreError::Migration(
            "a ledger on PostgreSQL is backed up with the tools of PostgreSQL".to_owned(),
        ));
    };
    let partial = beside(target, ".partial");
    let failed = |error| StoreError::sqlite("copying the ledger", error);
    {
        let mut copy = Connection::open(&partial).map_err(failed)?;
        // The reader's transaction holds one view, so one step sees what `heads` saw.
        Backup::new(source, &mut copy)
            .and_then(|run| run.step(-1))
            .map_err(failed)?;
    }
    let manifest = Manifest {
        format: FORMAT,
        ledger_digest,
        taken_at_us,
        file_sha256: file_digest(&partial)?,
        writers: heads
            .into_iter()
            .map(|at| ManifestHead {
                writer_no: at.writer_no,
                seq: at.seq,
                head: HEXLOWER.encode(&at.head),
            })
            .collect(),
    };
    let text = serde_json::to_string_pretty(&manifest)
        .map_err(|error| StoreError::defect(error.to_string()))?;
    let path = manifest_path(target);
    fs::write(&path, text + "\n").map_err(at("writing", &path))?;
    sync(&path)?;
    sync(&partial)?;
    fs::rename(&partial, target).map_err(at("renaming", &partial))?;
    sync_folder(target)?;
    Ok(manifest)
}

/// Reads the manifest of a backup.
pub fn manifest(backup: impl AsRef<Path>) -> Result<Manifest, StoreError> {
    let path = manifest_path(backup.as_ref());
    let mut text = String::new();
    fs::File::open(&path)
        .and_then(|file| file.take(MANIFEST_BYTES_MAX).read_to_string(&mut text))
        .map_err(at("reading", &path))?;
    let manifest: Manifest = serde_json::from_str(&text).map_err(|error| {
        // The library's words repeat what stands in the file, at any length.
        let place = format!(
            "line {}, column {}: is not the manifest of a backup",
            error.line(),
            error.column()
        );
        StoreError::inconsistent("manifest", &path.display().to_string(), place)
    })?;
    if manifest.format == FORMAT {
        return Ok(manifest);
    }
    Err(StoreError::Migration(format!(
        "the backup has format {}, this program knows {FORMAT}: use a newer version",
        manifest.format
    )))
}

/// Puts a backup in place as the ledger at `target` and keeps posting off in it.
///
/// An existing database is refused unless `over`; then it is kept beside under a name that says so.
/// A backup that is damaged, of another ledger, or does not pass `audit verify` is refused.
pub async fn restore(
    backup: impl AsRef<Path>,
    target: impl AsRef<Path>,
    options: StoreOptions,
    over: bool,
) -> Result<Manifest, StoreError> {
    let (backup, target) = (backup.as_ref(), target.as_ref());
    let lock = DataLock::take(target)?;
    if !over {
        refuse_existing(target)?;
    }
    let manifest = manifest(backup)?;
    if manifest.ledger_digest != HEXLOWER.encode(&options.ledger_digest) {
        return Err(StoreError::Seal(
            "the backup is of another ledger than the configuration names".to_owned(),
        ));
    }
    let restoring = beside(target, ".restoring");
    remove(&restoring)?;
    fs::copy(backup, &restoring).map_err(at("copying to", &restoring))?;
    if file_digest(&restoring)? != manifest.file_sha256 {
        return Err(StoreError::inconsistent(
            "backup",
            &backup.display().to_string(),
            "the file is not the one the manifest was written for",
        ));
    }
    let report = audit::verify_file(&restoring, options.clone()).await;
    if let Some(problem) = report.problems.first() {
        let what = format!("the backup does not pass its audit: {}", problem.what);
        return Err(StoreError::inconsistent(&problem.table, &problem.key, what));
    }
    mark_restored_file(&restoring, &options)?;
    sync(&restoring)?;
    for end in ["-wal", "-shm"] {
        // What belongs to the replaced file must not meet the restored one.
        let (from, to) = (
            beside(target, end),
            beside(target, &format!(".replaced{end}")),
        );
        if from.exists() {
            fs::rename(&from, &to).map_err(at("renaming", &from))?;
        }
    }
    if target.exists() {
        fs::rename(target, beside(target, ".replaced")).map_err(at("renaming", target))?;
    }
    fs::rename(&restoring, target).map_err(at("renaming", &restoring))?;
    remove(&restoring)?;
    sync_folder(target)?;
    drop(lock);
    Ok(manifest)
}

fn mark_restored_file(path: &Path, options: &StoreOptions) -> Result<(), StoreError> {
    let connection = crate::sqlite::open_file(path)?;
    mark_restored(&mut Backend::Sqlite(&connection), options)?;
    connection
        .close()
        .map_err(|(_, error)| StoreError::sqlite("closing the copy", error))
}

/// The ledger in a PostgreSQL database was restored with that system's own tools: every session is
/// over, what they were sending is in doubt, and posting is off. No node may be running.
pub fn mark_restored_database(
    url: &str,
    folder: &Path,
    options: StoreOptions,
) -> Result<(), StoreError> {
    let lock = DataLock::take(&folder.join("node"))?;
    let url = url.to_owned();
    let marked = elsewhere(move || {
        let mut connection = PgConnection::connect(&url)?;
        mark_restored(&mut Backend::Postgres(&mut connection), &options)
    });
    drop(lock);
    marked
}

/// Opens a session in the copy, which ends all others and doubts what they were sending, and turns
/// posting off with an audit leaf.
pub(crate) fn mark_restored(
    backend: &mut Backend<'_>,
    options: &StoreOptions,
) -> Result<(), StoreError> {
    crate::migrate::migrate(backend)?;
    let wakes = std::sync::Arc::default();
    let mut writer = session::open_writer(backend, options, &wakes, session::Opening::Restored)?;
    writer.first_transaction(backend, |tx| {
        settings::put(tx, POSTING_OFF, RESTORED, "restored from a backup")
    })?;
    Ok(())
}

fn refuse_existing(path: &Path) -> Result<(), StoreError> {
    if !path.exists() {
        return Ok(());
    }
    let source = std::io::Error::new(
        std::io::ErrorKind::AlreadyExists,
        "it exists already; name another file, or say that it is to be replaced",
    );
    Err(StoreError::File {
        doing: "writing",
        path: path.to_owned(),
        source,
    })
}

fn remove(database: &Path) -> Result<(), StoreError> {
    for end in ["", "-wal", "-shm"] {
        let path = beside(database, end);
        if path.exists() {
            fs::remove_file(&path).map_err(at("removing", &path))?;
        }
    }
    Ok(())
}

fn sync(path: &Path) -> Result<(), StoreError> {
    fs::File::open(path)
        .and_then(|file| file.sync_all())
        .map_err(at("syncing", path))
}

/// A rename lasts when its folder is on disk.
fn sync_folder(path: &Path) -> Result<(), StoreError> {
    match path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
    {
        Some(folder) => sync(folder),
        None => sync(Path::new(".")),
    }
}

fn manifest_path(backup: &Path) -> PathBuf {
    beside(backup, ".manifest.json")
}

fn beside(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    PathBuf::from(name)
}

fn at(doing: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> StoreError {
    let path = path.to_owned();
    move |source| StoreError::File {
        doing,
        path,
        source,
    }
}

fn file_digest(path: &Path) -> Result<String, StoreError> {
    let mut file = fs::File::open(path).map_err(at("reading", path))?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 1 << 16];
    loop {
        let count = file.read(&mut buffer).map_err(at("reading", path))?;
        let Some(part) = buffer.get(..count).filter(|part| !part.is_empty()) else {
            return Ok(HEXLOWER.encode(&hash.finalize()));
        };
        hash.update(part);
    }
}

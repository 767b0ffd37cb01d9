//! The store: one way in for commands, one for readers, over SQLite or PostgreSQL.
//!
//! It never runs a command outside a transaction, never answers before the commit, and never lets
//! two processes write to one SQLite file.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::Connection;
use tokio::sync::{oneshot, watch};

use crate::backend::Backend;
use crate::command::{Command, Job, Pending, panic_text};
use crate::copy;
use crate::error::{StoreError, WriteError};
use crate::lock::DataLock;
use crate::migrate;
use crate::options::StoreOptions;
use crate::postgres::{self, PgConnection};
use crate::seal::Vault;
use crate::session::{self, Opening};
use crate::sqlite;
use crate::threads::{ReadJob, Threads};
use crate::tx::ReadTx;
use crate::wake::{Topic, Wakes};
use crate::writer::Writer;

const NO_LEDGER: &str = "this database holds no ledger; run `counterfoil sync` first";

/// How many writer sessions a process has on PostgreSQL.
const POSTGRES_WRITERS: usize = 2;

/// An open ledger. Clones share it; it closes when the last one is dropped.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

struct Inner {
    mode: Mode,
    wakes: Arc<Wakes>,
    options: StoreOptions,
    /// Freed last, after the threads have ended.
    _lock: Option<DataLock>,
}

enum Mode {
    /// Threads of its own, and connections of their own.
    Threads(Threads),
    /// Commands and readers run on the caller's thread: deterministic.
    Inline {
        connection: Arc<Mutex<Connection>>,
        vault: Arc<Vault>,
        writer: Box<Mutex<Writer>>,
    },
}

impl Store {
    /// Opens or creates the ledger at `path` for writing. Earlier sessions are fenced, and what
    /// they were sending is put in doubt.
    pub fn open_sqlite(path: impl AsRef<Path>, options: StoreOptions) -> Result<Self, StoreError> {
        let path = path.as_ref();
        let lock = DataLock::take(path)?;
        let connection = sqlite::open_file(path)?;
        let wakes = Arc::new(Wakes::default());
        let mut backend = Backend::Sqlite(&connection);
        migrate::migrate(&mut backend)?;
        copy::refuse_moved(&connection)?;
        let writer = session::open_writer(&mut backend, &options, &wakes, Opening::Alone)?;
        let vault = writer.vault();
        let readers = sqlite::open_readers(path, options.readers)?;
        let mut threads = Threads::default();
        threads.start_writers(vec![(sqlite::Any::Sqlite(connection), writer)], &options)?;
        threads.start_readers(readers, &vault, &options)?;
        Ok(Self::of(Mode::Threads(threads), wakes, options, Some(lock)))
    }

    /// Opens an existing ledger for reading only, also beside a running process.
    pub fn open_read_only(
        path: impl AsRef<Path>,
        options: StoreOptions,
    ) -> Result<Self, StoreError> {
        let mut readers = sqlite::open_readers(path.as_ref(), options.readers)?;
        let vault = match readers.first_mut() {
            Some(sqlite::Any::Sqlite(connection)) => {
                let mut backend = Backend::Sqlite(connection);
                let applied = migrate::applied(&mut backend)?;
                migrate::check(&applied, backend.dialect())?;
                session::open_vault(&mut backend, &options)?
            }
            _ => None,
        };
        let vault = vault.ok_or_else(|| StoreError::Migration(NO_LEDGER.into()))?;
        let mut threads = Threads::default();
        threads.start_readers(readers, &Arc::new(vault), &options)?;
        Ok(Self::of(
            Mode::Threads(threads),
            Arc::new(Wakes::default()),
            options,
            None,
        ))
    }

    /// A new ledger in memory, for tests and simulation: commands run on the caller's thread.
    pub fn open_in_memory(options: StoreOptions) -> Result<Self, StoreError> {
        let connection = Arc::new(Mutex::new(sqlite::open_memory()?));
        Self::inline(connection, Arc::new(Wakes::default()), options)
    }

    /// Another node (or the next life of the same node) over the same ledger in memory.
    pub fn join_in_memory(&self, options: StoreOptions) -> Result<Self, StoreError> {
        match &self.inner.mode {
            Mode::Inline { connection, .. } => Self::inline(
                Arc::clone(connection),
                Arc::clone(&self.inner.wakes),
                options,
            ),
            Mode::Threads(_) => Err(StoreError::defect("only a ledger in memory can be joined")),
        }
    }

    pub(crate) fn inline(
        connection: Arc<Mutex<Connection>>,
        wakes: Arc<Wakes>,
        options: StoreOptions,
    ) -> Result<Self, StoreError> {
        let writer = {
            let guard = connection.lock().unwrap_or_else(PoisonError::into_inner);
            session::open_writer(
                &mut Backend::Sqlite(&guard),
                &options,
                &wakes,
                Opening::AmongNodes,
            )?
        };
        let vault = writer.vault();
        let mode = Mode::Inline {
            connection,
            vault,
            writer: Box::new(Mutex::new(writer)),
        };
        Ok(Self::of(mode, wakes, options, None))
    }

    /// Opens or creates the ledger in a PostgreSQL database. `url` is a connection string; TLS is
    /// not spoken yet, so the way to the database must be private.
    ///
    /// Connects on threads of its own and waits for them: call it before serving.
    pub fn open_postgres(url: &str, options: StoreOptions) -> Result<Self, StoreError> {
        Self::on_postgres(url, options, None)
    }

    /// The same for a node that keeps a folder: a second process of that folder is refused, since
    /// opening a session ends the earlier ones of the same node.
    pub fn open_postgres_as_node(
        url: &str,
        folder: &Path,
        options: StoreOptions,
    ) -> Result<Self, StoreError> {
        let lock = DataLock::take(&folder.join("node"))?;
        Self::on_postgres(url, options, Some(lock))
    }

    /// Opens an existing ledger in a PostgreSQL database for reading only.
    pub fn open_postgres_read_only(url: &str, options: StoreOptions) -> Result<Self, StoreError> {
        let (url, for_thread) = (url.to_owned(), options.clone());
        let (readers, vault) = elsewhere(move || {
            let mut readers = postgres_readers(&url, &for_thread)?;
            let vault = match readers.first_mut() {
                Some(first) => {
                    let mut backend = first.backend();
                    let applied = migrate::applied(&mut backend).map_err(no_ledger)?;
                    migrate::check(&applied, backend.dialect())?;
                    session::open_vault(&mut backend, &for_thread)?
                }
                None => None,
            };
            Ok((readers, vault))
        })?;
        let vault = vault.ok_or_else(|| StoreError::Migration(NO_LEDGER.into()))?;
        let mut threads = Threads::default();
        threads.start_readers(readers, &Arc::new(vault), &options)?;
        let wakes = Arc::new(Wakes::default());
        Ok(Self::of(Mode::Threads(threads), wakes, options, None))
    }

    /// The steps of the schema of a ledger in a file, which has to exist.
    pub fn steps_of_sqlite(path: impl AsRef<Path>) -> Result<Vec<migrate::Step>, StoreError> {
        let mut readers = sqlite::open_readers(path.as_ref(), 1)?;
        let reader = readers.first_mut().ok_or(StoreError::Closed)?;
        migrate::steps(&mut reader.backend())
    }

    /// The steps of the schema of a ledger in a PostgreSQL database.
    pub fn steps_of_postgres(url: &str) -> Result<Vec<migrate::Step>, StoreError> {
        let url = url.to_owned();
        elsewhere(move || {
            let mut connection = PgConnection::connect(&url)?;
            migrate::steps(&mut Backend::Postgres(&mut connection))
        })
    }

    /// Whether a PostgreSQL database holds a ledger.
    pub fn is_on_postgres(url: &str) -> Result<bool, StoreError> {
        let url = url.to_owned();
        elsewhere(move || {
            let mut connection = PgConnection::connect(&url)?;
            match migrate::applied(&mut Backend::Postgres(&mut connection)) {
                Ok(applied) => Ok(!applied.is_empty()),
                Err(error) if postgres::is_no_table(&error) => Ok(false),
                Err(error) => Err(error),
            }
        })
    }

    fn on_postgres(
        url: &str,
        options: StoreOptions,
        lock: Option<DataLock>,
    ) -> Result<Self, StoreError> {
        let wakes = Arc::new(Wakes::default());
        let (url, for_threads) = (url.to_owned(), (Arc::clone(&wakes), options.clone()));
        let (writers, readers) = elsewhere(move || {
            let (wakes, options) = for_threads;
            let mut writers = Vec::new();
            for number in 0..POSTGRES_WRITERS {
                let mut connection = PgConnection::connect(&url)?;
                let mut backend = Backend::Postgres(&mut connection);
                if number == 0 {
                    among_others(|| migrate::migrate(&mut backend))?;
                }
                let opening = if number == 0 {
                    Opening::AmongNodes
                } else {
                    Opening::Further
                };
                let writer =
                    among_others(|| session::open_writer(&mut backend, &options, &wakes, opening))?;
                writers.push((sqlite::Any::Postgres(Box::new(connection)), writer));
            }
            Ok((writers, postgres_readers(&url, &options)?))
        })?;
        let vault = writers
            .first()
            .map(|(_, writer)| writer.vault())
            .ok_or(StoreError::Closed)?;
        let mut threads = Threads::default();
        threads.start_writers(writers, &options)?;
        threads.start_readers(readers, &vault, &options)?;
        Ok(Self::of(Mode::Threads(threads), wakes, options, lock))
    }

    fn of(mode: Mode, wakes: Arc<Wakes>, options: StoreOptions, lock: Option<DataLock>) -> Self {
        Self {
            inner: Arc::new(Inner {
                mode,
                wakes,
                options,
                _lock: lock,
            }),
        }
    }

    /// Runs a command in a transaction and answers when it is kept, or certainly not.
    pub async fn write<C>(&self, command: C) -> Result<C::Out, WriteError<C::Rejection>>
    where
        C: Command + Send + 'static,
    {
        let (job, mut answer) = Pending::new(command);
        match &self.inner.mode {
            Mode::Threads(threads) => {
                threads.write(job).await.map_err(WriteError::Store)?;
                answer
                    .await
                    .unwrap_or(Err(WriteError::Store(StoreError::Closed)))
            }
            Mode::Inline {
                connection, writer, ..
            } => {
                let guard = connection.lock().unwrap_or_else(PoisonError::into_inner);
                let mut writer = writer.lock().unwrap_or_else(PoisonError::into_inner);
                let jobs: Vec<Box<dyn Job>> = vec![job];
                writer.run(&mut Backend::Sqlite(&guard), jobs);
                answer
                    .try_recv()
                    .unwrap_or(Err(WriteError::Store(StoreError::Closed)))
            }
        }
    }

    /// Runs `reader` on a consistent view.
    pub async fn read<T, F>(&self, reader: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&mut ReadTx<'_>) -> Result<T, StoreError> + Send + 'static,
    {
        match &self.inner.mode {
            Mode::Threads(threads) => {
                let (reply, answer) = oneshot::channel();
                let job: ReadJob = Box::new(move |backend, vault| {
                    let _gone = reply.send(read_once(backend, vault, reader));
                });
                threads.read(job).await?;
                answer.await.unwrap_or(Err(StoreError::Closed))
            }
            Mode::Inline {
                connection, vault, ..
            } => {
                let guard = connection.lock().unwrap_or_else(PoisonError::into_inner);
                read_once(&mut Backend::Sqlite(&guard), vault, reader)
            }
        }
    }

    /// The connection of a ledger in memory.
    pub(crate) fn memory(&self) -> Option<&Arc<Mutex<Connection>>> {
        match &self.inner.mode {
            Mode::Inline { connection, .. } => Some(connection),
            Mode::Threads(_) => None,
        }
    }

    /// The connection of a ledger in memory, for tests that count.
    #[cfg(test)]
    pub(crate) fn with_memory<T>(&self, look: impl FnOnce(&Connection) -> T) -> T {
        match &self.inner.mode {
            Mode::Inline { connection, .. } => look(&connection.lock().unwrap()),
            Mode::Threads(_) => panic!("not a ledger in memory"),
        }
    }

    /// Runs jobs as one group, for tests of groups.
    #[cfg(test)]
    pub(crate) fn run_group(&self, jobs: Vec<Box<dyn Job>>) {
        match &self.inner.mode {
            Mode::Inline {
                connection, writer, ..
            } => {
                let connection = connection.lock().unwrap();
                writer
                    .lock()
                    .unwrap()
                    .run(&mut Backend::Sqlite(&connection), jobs);
            }
            Mode::Threads(_) => panic!("not a ledger in memory"),
        }
    }

    /// Watches a topic: `changed()` returns after each commit that woke it. Nothing is lost
    /// between two waits.
    pub fn watch(&self, topic: Topic) -> watch::Receiver<u64> {
        self.inner.wakes.watch(topic)
    }

    /// The options it was opened with.
    pub fn options(&self) -> &StoreOptions {
        &self.inner.options
    }
}

/// Runs first steps on a thread of their own: a runtime inside a runtime is refused by tokio.
pub(crate) fn elsewhere<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    let done = std::thread::spawn(work).join();
    done.map_err(|panic| StoreError::Panicked {
        name: "open_postgres",
        message: panic_text(panic.as_ref()),
    })?
}

/// How often an opening that met another node's is tried again.
const OPENING_TRIES: u32 = 50;

/// Opens among nodes that may be opening at the same moment: whoever loses a race asks again.
fn among_others<T>(mut open: impl FnMut() -> Result<T, StoreError>) -> Result<T, StoreError> {
    let mut tries = 0;
    loop {
        match open() {
            Err(error) if error.again() && tries < OPENING_TRIES => tries += 1,
            done => return done,
        }
    }
}

fn postgres_readers(url: &str, options: &StoreOptions) -> Result<Vec<sqlite::Any>, StoreError> {
    (0..options.readers.max(1))
        .map(|_| Ok(sqlite::Any::Postgres(Box::new(PgConnection::connect(url)?))))
        .collect()
}

fn no_ledger(error: StoreError) -> StoreError {
    if !postgres::is_no_table(&error) {
        return error;
    }
    StoreError::Migration(NO_LEDGER.into())
}

fn read_once<T>(
    backend: &mut Backend<'_>,
    vault: &Vault,
    reader: impl FnOnce(&mut ReadTx<'_>) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    backend.control(sqlite::begin_read(backend.dialect()))?;
    let read = catch_unwind(AssertUnwindSafe(|| {
        reader(&mut ReadTx::new(backend.reborrow(), vault))
    }));
    let ended = if backend.in_transaction() {
        backend.control("ROLLBACK")
    } else {
        Ok(())
    };
    match read {
        Ok(found) => ended.and(found),
        Err(panic) => Err(StoreError::Panicked {
            name: "a reader",
            message: panic_text(panic.as_ref()),
        }),
    }
}

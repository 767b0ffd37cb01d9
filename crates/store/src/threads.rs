//! The threads of an open store: writers that take all that waits, readers that take one each.

use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use tokio::sync::mpsc;

use crate::backend::Backend;
use crate::command::Job;
use crate::error::StoreError;
use crate::options::StoreOptions;
use crate::seal::Vault;
use crate::sqlite::Any;
use crate::writer::Writer;

/// A read on its way to a thread.
pub(crate) type ReadJob = Box<dyn FnOnce(&mut Backend<'_>, &Vault) + Send>;

/// Running threads and the ways to them.
#[derive(Default)]
pub(crate) struct Threads {
    writes: Option<mpsc::Sender<Box<dyn Job>>>,
    reads: Option<mpsc::Sender<ReadJob>>,
    readers: Vec<JoinHandle<()>>,
    writers: Vec<JoinHandle<()>>,
}

impl Threads {
    pub(crate) fn start_writers(
        &mut self,
        writers: Vec<(Any, Writer)>,
        options: &StoreOptions,
    ) -> Result<(), StoreError> {
        let (sender, receiver) = mpsc::channel(options.queue.max(1));
        let receiver = Arc::new(Mutex::new(receiver));
        for (connection, writer) in writers {
            let (receiver, group) = (Arc::clone(&receiver), options.group.max(1));
            self.writers.push(spawn("counterfoil-writer", move || {
                write_all(&receiver, connection, writer, group);
            })?);
        }
        self.writes = Some(sender);
        Ok(())
    }

    pub(crate) fn start_readers(
        &mut self,
        readers: Vec<Any>,
        vault: &Arc<Vault>,
        options: &StoreOptions,
    ) -> Result<(), StoreError> {
        let (sender, receiver) = mpsc::channel::<ReadJob>(options.queue.max(1));
        let receiver = Arc::new(Mutex::new(receiver));
        for mut connection in readers {
            let (receiver, vault) = (Arc::clone(&receiver), Arc::clone(vault));
            self.readers.push(spawn("counterfoil-reader", move || {
                loop {
                    let job = {
                        let mut receiver = receiver.lock().unwrap_or_else(PoisonError::into_inner);
                        receiver.blocking_recv()
                    };
                    let Some(job) = job else { return };
                    job(&mut connection.backend(), &vault);
                }
            })?);
        }
        self.reads = Some(sender);
        Ok(())
    }

    pub(crate) async fn write(&self, job: Box<dyn Job>) -> Result<(), StoreError> {
        let writes = self.writes.as_ref().ok_or(StoreError::ReadOnly)?;
        writes.send(job).await.map_err(|_| StoreError::Closed)
    }

    pub(crate) async fn read(&self, job: ReadJob) -> Result<(), StoreError> {
        let reads = self.reads.as_ref().ok_or(StoreError::Closed)?;
        reads.send(job).await.map_err(|_| StoreError::Closed)
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        // The writer goes last: only then does SQLite put everything into the one file.
        self.reads = None;
        join_all(&mut self.readers);
        self.writes = None;
        join_all(&mut self.writers);
    }
}

fn join_all(handles: &mut Vec<JoinHandle<()>>) {
    let own = std::thread::current().id();
    for handle in handles.drain(..) {
        // A store dropped inside its own command must not wait for itself.
        if handle.thread().id() != own && handle.join().is_err() {
            tracing::error!("a thread of the store panicked");
        }
    }
}

fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>, StoreError> {
    let thread = std::thread::Builder::new()
        .name(name.to_owned())
        .spawn(work);
    thread.map_err(|source| StoreError::Database {
        doing: format!("starting the thread {name}"),
        again: false,
        source: Box::new(source),
    })
}

/// Takes all that waits, runs it as one group, and again.
fn write_all(
    receiver: &Mutex<mpsc::Receiver<Box<dyn Job>>>,
    mut connection: Any,
    mut writer: Writer,
    group: usize,
) {
    loop {
        let mut jobs = Vec::new();
        {
            let mut receiver = receiver.lock().unwrap_or_else(PoisonError::into_inner);
            if receiver.blocking_recv_many(&mut jobs, group) == 0 {
                return;
            }
        }
        writer.run(&mut connection.backend(), jobs);
    }
}

//! The loop of a writer: groups of commands, one transaction each, one block each.
//!
//! A command that fails is undone alone. A group that fails as a whole (disk full, connection lost,
//! commit unclear) is taken apart and its commands run one by one. Whether an unclear commit was
//! kept is read from the writer's own row: its number moves with every block.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::backend::Backend;
use crate::buffers::Buffers;
use crate::command::{Guard, GuardSet, Job, Verdict};
use crate::digest;
use crate::error::StoreError;
use crate::observe::Observer;
use crate::options::{ClockHandle, EntropyHandle, StoreOptions};
use crate::seal::Vault;
use crate::sql::Dialect;
use crate::tx::{ReadTx, Tx};
use crate::wake::Wakes;

/// How often one command is run anew after lost races.
const RUNS_MAX: u32 = 8;

/// One writer session and what it needs.
pub(crate) struct Writer {
    number: i64,
    seq: i64,
    head: [u8; 32],
    fenced: bool,
    /// An unclear commit could not be looked up yet: `seq` and `head` may be behind.
    stale: bool,
    vault: Arc<Vault>,
    clock: ClockHandle,
    entropy: EntropyHandle,
    wakes: Arc<Wakes>,
    observer: Option<Observer>,
    buffers: Buffers,
    system: Arc<str>,
}

/// Why a transaction as a whole was not kept, or perhaps was.
enum Broken {
    Undone(StoreError),
    Unclear(StoreError, Vec<Verdict>),
}

impl From<StoreError> for Broken {
    fn from(error: StoreError) -> Self {
        Self::Undone(error)
    }
}

impl Writer {
    /// A writer whose row is about to be written by its first transaction.
    pub(crate) fn new(
        writer_no: i64,
        vault: Arc<Vault>,
        options: &StoreOptions,
        wakes: Arc<Wakes>,
    ) -> Self {
        Self {
            number: writer_no,
            seq: 0,
            head: [0; 32],
            fenced: false,
            stale: false,
            vault,
            clock: Arc::clone(&options.clock),
            entropy: Arc::clone(&options.entropy),
            wakes,
            observer: options.observer.clone(),
            buffers: Buffers {
                seen: options.observer.as_ref().map(|_| Vec::new()),
                ..Buffers::default()
            },
            system: Arc::from("system"),
        }
    }

    pub(crate) fn vault(&self) -> Arc<Vault> {
        Arc::clone(&self.vault)
    }

    /// Runs all jobs and answers them.
    pub(crate) fn run(&mut self, backend: &mut Backend<'_>, jobs: Vec<Box<dyn Job>>) {
        let left = if jobs.len() > 1 {
            self.group(backend, jobs)
        } else {
            jobs
        };
        for job in left {
            self.single(backend, job);
        }
    }

    /// Runs jobs in one transaction, answers what is settled, returns what must run alone.
    fn group(
        &mut self,
        backend: &mut Backend<'_>,
        mut jobs: Vec<Box<dyn Job>>,
    ) -> Vec<Box<dyn Job>> {
        let verdicts = match self.transaction(backend, &mut jobs) {
            Ok(verdicts) => verdicts,
            Err(error) => {
                tracing::debug!(%error, "a group of commands is taken apart");
                return jobs;
            }
        };
        let mut left = Vec::new();
        for (job, verdict) in jobs.into_iter().zip(verdicts) {
            if verdict == Verdict::Again {
                left.push(job);
            } else {
                job.answer();
            }
        }
        left
    }

    fn single(&mut self, backend: &mut Backend<'_>, mut job: Box<dyn Job>) {
        for _ in 0..RUNS_MAX {
            match self.transaction(backend, std::slice::from_mut(&mut job)) {
                Ok(verdicts) if verdicts.contains(&Verdict::Again) => {}
                Ok(_) => break,
                Err(error) => {
                    let again = error.again();
                    job.fail(error);
                    if !again {
                        break;
                    }
                }
            }
        }
        job.answer();
    }

    /// One transaction. Its end is always clear to the caller: kept, or undone.
    fn transaction(
        &mut self,
        backend: &mut Backend<'_>,
        jobs: &mut [Box<dyn Job>],
    ) -> Result<Vec<Verdict>, StoreError> {
        if self.fenced {
            return Err(StoreError::Fenced {
                writer_no: self.number,
            });
        }
        if self.stale {
            self.look_up(backend)?;
        }
        match self.attempt(backend, jobs) {
            Ok(verdicts) => {
                self.kept();
                Ok(verdicts)
            }
            Err(Broken::Undone(error)) => {
                self.undo(backend);
                Err(error)
            }
            Err(Broken::Unclear(error, verdicts)) => {
                let before = self.seq;
                if backend.in_transaction() {
                    // The end of a broken transaction may itself fail; what counts is the look-up.
                    let _ended = backend.control("ROLLBACK");
                }
                self.stale = true;
                let kept = self.look_up(backend).map(|()| self.seq > before);
                match kept {
                    Ok(true) => {
                        self.kept();
                        Ok(verdicts)
                    }
                    Ok(false) => {
                        self.buffers.clear();
                        Err(error)
                    }
                    Err(_) => {
                        self.buffers.clear();
                        Err(StoreError::Unclear(error.to_string()))
                    }
                }
            }
        }
    }

    /// The transaction is kept: tell whoever waits or listens.
    fn kept(&mut self) {
        self.wakes.deliver(&mut self.buffers.wakes);
        if let (Some(observer), Some(seen)) = (&self.observer, &mut self.buffers.seen) {
            for change in seen.drain(..) {
                observer(&change);
            }
        }
        self.buffers.clear();
    }

    fn undo(&mut self, backend: &mut Backend<'_>) {
        self.buffers.clear();
        if backend.in_transaction()
            && let Err(error) = backend.control("ROLLBACK")
        {
            tracing::warn!(%error, "rolling back failed");
        }
    }

    fn attempt(
        &mut self,
        backend: &mut Backend<'_>,
        jobs: &mut [Box<dyn Job>],
    ) -> Result<Vec<Verdict>, Broken> {
        let dialect = backend.dialect();
        begin(backend)?;
        if dialect == Dialect::Postgres {
            let mut guards = GuardSet::none();
            for job in jobs.iter() {
                guards.merge(job.guards());
            }
            lock(backend, &guards, &self.vault)?;
        }
        let several = jobs.len() > 1;
        let mut verdicts = Vec::with_capacity(jobs.len());
        for job in jobs.iter_mut() {
            if several {
                backend.control("SAVEPOINT command")?;
            }
            let mark = self.buffers.mark();
            let verdict = job.run(&mut self.tx(backend.reborrow()));
            if !backend.in_transaction() {
                return Err(StoreError::Database {
                    doing: "a command".to_owned(),
                    again: several,
                    source: "the database ended the transaction by itself".into(),
                }
                .into());
            }
            if verdict != Verdict::Applied {
                self.buffers.rewind(mark);
            }
            match (verdict, several) {
                (Verdict::Applied, true) => backend.control("RELEASE SAVEPOINT command")?,
                (Verdict::Applied, false) => {}
                (_, true) => {
                    backend.control("ROLLBACK TO SAVEPOINT command")?;
                    backend.control("RELEASE SAVEPOINT command")?;
                }
                (_, false) => backend.control("ROLLBACK")?,
            }
            // With one writer nobody can have won a race: the same run would end the same way.
            let settled = verdict == Verdict::Again && dialect == Dialect::Sqlite;
            verdicts.push(if settled { Verdict::Refused } else { verdict });
        }
        if !verdicts.contains(&Verdict::Applied) {
            if several {
                backend.control("ROLLBACK")?;
            }
            return Ok(verdicts);
        }
        let next = self.flush(backend)?;
        if let Err(error) = backend.control("COMMIT") {
            return Err(Broken::Unclear(error, verdicts));
        }
        if let Some((seq, head)) = next {
            self.seq = seq;
            self.head = head;
        }
        Ok(verdicts)
    }

    fn tx<'a>(&'a mut self, backend: Backend<'a>) -> Tx<'a> {
        Tx {
            read: ReadTx::new(backend, &self.vault),
            buffers: &mut self.buffers,
            writer_no: self.number,
            seq: self.seq + 1,
            now_us: (self.clock)(),
            actor: Arc::clone(&self.system),
            entropy: &self.entropy,
        }
    }

    /// The last statements of a transaction: counters, the writer's row, the block.
    fn flush(&mut self, backend: &mut Backend<'_>) -> Result<Option<(i64, [u8; 32])>, StoreError> {
        if self.buffers.body.is_empty() {
            return Ok(None);
        }
        let mut sums: BTreeMap<String, i64> = BTreeMap::new();
        for (name, delta) in std::mem::take(&mut self.buffers.body.counts) {
            let sum = sums.entry(name).or_default();
            *sum = sum
                .checked_add(delta)
                .ok_or_else(|| StoreError::defect("counter overflow"))?;
        }
        for (name, delta) in &sums {
            let params = [name.into(), self.number.into(), (*delta).into()];
            backend.execute("counter_add", &params)?;
        }
        self.buffers.body.counts = sums.into_iter().collect();
        let body = self.buffers.body.encode();
        let (seq, written_at_us) = (self.seq + 1, (self.clock)());
        let head = digest::chain(&self.head, self.number, seq, written_at_us, &body);
        let params = [self.number.into(), seq.into(), (&head).into()];
        if backend.execute("writer_advance", &params)? != 1 {
            self.fenced = true;
            return Err(StoreError::Fenced {
                writer_no: self.number,
            });
        }
        let params = [
            self.number.into(),
            seq.into(),
            written_at_us.into(),
            (&self.head).into(),
            (&head).into(),
            (&body).into(),
        ];
        backend.execute("block_insert", &params)?;
        Ok(Some((seq, head)))
    }

    /// Reads where the chain of this writer stands, after an unclear commit. Locking the row waits
    /// for a transaction of ours that the database may still be ending.
    fn look_up(&mut self, backend: &mut Backend<'_>) -> Result<(), StoreError> {
        begin(backend)?;
        let mut read = ReadTx::new(backend.reborrow(), &self.vault);
        let found = read.first("writer_lock", &[self.number.into()], |mut row| {
            Ok((row.int()?, row.array::<32>()?))
        });
        backend.control("ROLLBACK")?;
        let (seq, head) = found?.ok_or_else(|| {
            StoreError::inconsistent("writer", &self.number.to_string(), "the row is gone")
        })?;
        self.seq = seq;
        self.head = head;
        self.stale = false;
        Ok(())
    }

    /// Runs `work` as the whole of one transaction; for opening and closing sessions.
    pub(crate) fn first_transaction<T>(
        &mut self,
        backend: &mut Backend<'_>,
        work: impl FnOnce(&mut Tx<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        begin(backend)?;
        let worked = work(&mut self.tx(backend.reborrow()));
        let done = worked.and_then(|out| Ok((out, self.flush(backend)?)));
        let done = done.and_then(|done| backend.control("COMMIT").map(|()| done));
        match done {
            Ok((out, next)) => {
                self.kept();
                if let Some((seq, head)) = next {
                    self.seq = seq;
                    self.head = head;
                }
                Ok(out)
            }
            Err(error) => {
                self.undo(backend);
                Err(error)
            }
        }
    }
}

pub(crate) fn begin(backend: &mut Backend<'_>) -> Result<(), StoreError> {
    backend.control(match backend.dialect() {
        Dialect::Sqlite => "BEGIN IMMEDIATE",
        Dialect::Postgres => "BEGIN",
    })
}

/// Locks what the decisions of this transaction rest on. A limit is locked by name as well as by
/// row: its first spender finds no row to lock.
fn lock(backend: &mut Backend<'_>, guards: &GuardSet, vault: &Vault) -> Result<(), StoreError> {
    let name_lock = |backend: &mut Backend<'_>, kind: &str, name: &str| {
        let digest = vault.digester.bytes(kind, name.as_bytes());
        let number = digest
            .first_chunk()
            .map_or(0, |part| i64::from_be_bytes(*part));
        backend.stream("guard_name", &[number.into()], &mut |_| Ok(()))
    };
    for guard in guards.iter() {
        match guard {
            Guard::Limit(domain) => {
                name_lock(backend, "guard limit", domain)?;
                backend.stream("guard_limit", &[domain.into()], &mut |_| Ok(()))?;
            }
            Guard::Document(id) => {
                backend.stream("guard_document", &[id.into()], &mut |_| Ok(()))?;
            }
            Guard::Item(id) => backend.stream("guard_item", &[id.into()], &mut |_| Ok(()))?,
            Guard::Name(name) => name_lock(backend, "guard", name)?,
        }
    }
    Ok(())
}

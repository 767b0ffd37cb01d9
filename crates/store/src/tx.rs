//! What a command or a reader holds: the connection of its transaction, the time, and the buffers
//! that are written with the last statement.
//!
//! Table modules read through [`ReadTx`] and change through [`Tx`]; a [`Tx`] can be passed wherever
//! a [`ReadTx`] is asked for. Neither hands out SQL.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use crate::backend::Backend;
use crate::body::{Body, Event, Fact, Leaf};
use crate::buffers::Buffers;
use crate::digest::put_params;
use crate::error::StoreError;
use crate::observe::RowChange;
use crate::options::EntropyHandle;
use crate::seal::{DataKey, Pointer, SealClass, Sealed, Vault, generation_of};
use crate::sql::Table;
use crate::value::{Param, Row};
use crate::wake::Topic;

/// A consistent view of the ledger.
pub struct ReadTx<'a> {
    pub(crate) backend: Backend<'a>,
    pub(crate) vault: &'a Vault,
    pub(crate) opened: Opened,
}

/// What one transaction has read of sealed text already: pages of work read many texts of few
/// blocks, under few keys. It never outlives the view it was read from.
#[derive(Default)]
pub(crate) struct Opened {
    /// The block read last, which is never changed once written.
    block: Option<(i64, i64, Vec<Fact>)>,
    keys: BTreeMap<Arc<str>, DataKey>,
}

impl<'a> ReadTx<'a> {
    pub(crate) fn new(backend: Backend<'a>, vault: &'a Vault) -> Self {
        Self {
            backend,
            vault,
            opened: Opened::default(),
        }
    }
}

impl ReadTx<'_> {
    pub(crate) fn stream(
        &mut self,
        name: &'static str,
        params: &[Param<'_>],
        mut each: impl FnMut(Row) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        self.backend.stream(name, params, &mut each)
    }

    /// All rows, each made into a `T`.
    pub(crate) fn list<T>(
        &mut self,
        name: &'static str,
        params: &[Param<'_>],
        make: impl Fn(Row) -> Result<T, StoreError>,
    ) -> Result<Vec<T>, StoreError> {
        let mut found = Vec::new();
        self.stream(name, params, |row| {
            found.push(make(row)?);
            Ok(())
        })?;
        Ok(found)
    }

    /// The first row.
    pub(crate) fn first<T>(
        &mut self,
        name: &'static str,
        params: &[Param<'_>],
        make: impl Fn(Row) -> Result<T, StoreError>,
    ) -> Result<Option<T>, StoreError> {
        Ok(self.list(name, params, make)?.into_iter().next())
    }

    /// Opens the sealed text at `at`; `None` when there is none.
    pub fn unseal(&mut self, at: Pointer) -> Result<Option<Sealed>, StoreError> {
        let place = (at.writer_no(), at.seq());
        let facts = match self.opened.block.take() {
            Some((writer_no, seq, facts)) if (writer_no, seq) == place => facts,
            _ => match self.facts_of(place)? {
                Some(facts) => facts,
                None => return Ok(None),
            },
        };
        let fact = usize::try_from(at.ord).ok().and_then(|ord| facts.get(ord));
        let text = fact.map(|fact| self.open(at, fact)).transpose();
        self.opened.block = Some((place.0, place.1, facts));
        text
    }

    fn facts_of(&mut self, place: (i64, i64)) -> Result<Option<Vec<Fact>>, StoreError> {
        let params = [Param::Int(place.0), Param::Int(place.1)];
        let Some(bytes) = self.first("block_body", &params, |mut row| row.bytes())? else {
            return Ok(None);
        };
        let body = Body::decode(&bytes).ok_or_else(|| {
            let key = format!("{}/{}", place.0, place.1);
            StoreError::inconsistent("block", &key, "the body does not decode")
        })?;
        Ok(Some(body.facts))
    }

    fn open(&mut self, at: Pointer, fact: &Fact) -> Result<Sealed, StoreError> {
        if !self.opened.keys.contains_key(&fact.unit) {
            let Some(wrapped) = self.wrapped_key(&fact.unit)? else {
                return Err(StoreError::inconsistent(
                    "seal_key",
                    &fact.unit,
                    "the row is gone",
                ));
            };
            if wrapped.is_empty() {
                return Ok(Sealed::Shredded);
            }
            let key = self.vault.unwrap(&fact.unit, &wrapped)?;
            self.opened.keys.insert(Arc::clone(&fact.unit), key);
        }
        let Some(key) = self.opened.keys.get(&fact.unit) else {
            return Err(StoreError::defect("a key that was just read is gone"));
        };
        let text = self.vault.open(key, &fact.unit, at, &fact.sealed)?;
        Ok(Sealed::Text(text))
    }

    pub(crate) fn wrapped_key(&mut self, unit: &str) -> Result<Option<Vec<u8>>, StoreError> {
        self.first("seal_key_wrapped", &[unit.into()], |mut row| row.bytes())
    }
}

/// A command's transaction.
pub struct Tx<'a> {
    pub(crate) read: ReadTx<'a>,
    pub(crate) buffers: &'a mut Buffers,
    pub(crate) writer_no: i64,
    /// The number of the block this transaction will write.
    pub(crate) seq: i64,
    pub(crate) now_us: i64,
    pub(crate) actor: Arc<str>,
    pub(crate) entropy: &'a EntropyHandle,
}

impl<'a> Deref for Tx<'a> {
    type Target = ReadTx<'a>;
    fn deref(&self) -> &Self::Target {
        &self.read
    }
}

impl DerefMut for Tx<'_> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.read
    }
}

impl Tx<'_> {
    /// The time of this command, the same at every call.
    pub fn now_us(&self) -> i64 {
        self.now_us
    }

    /// The session that writes; attempts carry it.
    pub fn writer_no(&self) -> i64 {
        self.writer_no
    }

    /// Names who is behind the changes that follow in this command; `system` until told.
    pub fn act_as(&mut self, actor: &str) {
        self.actor = Arc::from(actor);
    }

    /// Adds a note to the audit chain that belongs to no row: who did what to `subject`, and the
    /// sealed words it speaks of. Changes of rows add their leaves by themselves.
    pub fn audit(
        &mut self,
        subject: &str,
        why: impl Into<Cow<'static, str>>,
        content: Option<Pointer>,
    ) -> Result<(), StoreError> {
        let digest = match content {
            None => [0; 32],
            Some(at) => {
                let here = (at.writer_no(), at.seq()) == (self.writer_no, self.seq);
                let ord = usize::try_from(at.ord).ok().filter(|_| here);
                let fact = ord.and_then(|ord| self.buffers.body.facts.get(ord));
                fact.map(|fact| fact.content).ok_or_else(|| {
                    StoreError::defect("a note may speak only of text sealed in its command")
                })?
            }
        };
        let leaf = Leaf {
            kind: 0,
            key: subject.as_bytes().to_vec(),
            version: 0,
            actor: Arc::clone(&self.actor),
            why: why.into(),
            digest,
        };
        self.buffers.body.leaves.push(leaf);
        Ok(())
    }

    /// Publishes an event after commit, in the order of this writer.
    pub fn event(&mut self, event: Event) {
        self.buffers.body.events.push(event);
    }

    /// Adds to a counter.
    pub fn count(&mut self, name: &str, delta: i64) {
        if delta != 0 {
            self.buffers.body.counts.push((name.to_owned(), delta));
        }
    }

    /// Wakes whoever waits for `topic`, once the transaction is kept.
    pub fn wake(&mut self, topic: Topic) {
        self.buffers.wakes.push(topic);
    }

    /// Seals `text` under the key of its unit and returns where it will lie.
    pub fn seal(
        &mut self,
        class: SealClass,
        subject: &str,
        text: &[u8],
    ) -> Result<Pointer, StoreError> {
        if text.len() > crate::seal::TEXT_BYTES_MAX {
            return Err(StoreError::Seal(format!(
                "a text of {} bytes is too large to seal",
                text.len()
            )));
        }
        let at = Pointer::new(self.writer_no, self.seq, self.buffers.body.facts.len())?;
        let (unit, key) = self.data_key(&self.vault.unit(class, subject, self.now_us))?;
        let vault = self.read.vault;
        let sealed = vault.seal(&key, &unit, at, text, &mut self.buffers.compressor)?;
        let content = vault.digester.bytes("content", text);
        self.buffers.body.facts.push(Fact {
            unit,
            content,
            sealed,
        });
        Ok(at)
    }

    /// The living data key of `unit`, made when there is none.
    fn data_key(&mut self, unit: &str) -> Result<(Arc<str>, DataKey), StoreError> {
        if let Some(known) = self.buffers.keys.get(unit) {
            return Ok(known.clone());
        }
        let mut generation = 0;
        let found = loop {
            let name = generation_of(unit, generation);
            match self.wrapped_key(&name)? {
                Some(wrapped) if wrapped.is_empty() => generation += 1,
                Some(wrapped) => break (Arc::clone(&name), self.vault.unwrap(&name, &wrapped)?),
                None => {
                    let mut bytes = [0; 32];
                    (self.entropy)(&mut bytes);
                    let key = DataKey::new(bytes);
                    let wrapped = self.vault.wrap(&name, &key)?;
                    crate::tables::seal_keys::insert(self, &name, &wrapped)?;
                    break (name, key);
                }
            }
        };
        self.buffers.keys.insert(unit.to_owned(), found.clone());
        Ok(found)
    }

    /// Forgets cached data keys, after a shred.
    pub(crate) fn forget_keys(&mut self) {
        self.buffers.keys.clear();
        self.read.opened.keys.clear();
    }

    pub(crate) fn execute(
        &mut self,
        name: &'static str,
        params: &[Param<'_>],
    ) -> Result<u64, StoreError> {
        self.read.backend.execute(name, params)
    }

    /// The leaf of one change of one audited row; `row` holds all its audited columns.
    pub(crate) fn leaf(
        &mut self,
        table: &'static Table,
        row: &[Param<'_>],
        why: Cow<'static, str>,
    ) -> Result<(), StoreError> {
        let keys = row.get(..table.keys);
        let version = match table.version_at() {
            None => Some(1),
            Some(at) => match row.get(at) {
                Some(Param::Int(version)) => Some(*version),
                _ => None,
            },
        };
        let (Some(keys), Some(version), true) = (keys, version, row.len() == table.columns.len())
        else {
            return Err(StoreError::defect(format!(
                "a row of {} has other columns",
                table.name
            )));
        };
        let mut key = Vec::with_capacity(20);
        put_params(&mut key, keys);
        let digest = self.vault.digester.row(table.name, row);
        let actor = Arc::clone(&self.actor);
        if let Some(seen) = &mut self.buffers.seen {
            seen.push(RowChange::new(table, row, &why));
        }
        self.buffers.body.leaves.push(Leaf {
            kind: table.kind,
            key,
            version,
            actor,
            why,
            digest,
        });
        Ok(())
    }

    /// Inserts one audited row and adds its leaf.
    pub(crate) fn insert_row(
        &mut self,
        table: &'static Table,
        statement: &'static str,
        row: &[Param<'_>],
        why: &'static str,
    ) -> Result<(), StoreError> {
        match self.execute(statement, row)? {
            1 => self.leaf(table, row, Cow::Borrowed(why)),
            _ => Err(StoreError::Duplicate {
                table: table.name,
                key: key_text(table, row),
            }),
        }
    }

    /// Inserts many audited rows and adds their leaves.
    pub(crate) fn insert_rows(
        &mut self,
        table: &'static Table,
        statement: &'static str,
        rows: &[Vec<Param<'_>>],
        why: &'static str,
    ) -> Result<(), StoreError> {
        let changed = self.read.backend.execute_many(statement, rows)?;
        for (row, changed) in rows.iter().zip(changed) {
            if changed != 1 {
                return Err(StoreError::Duplicate {
                    table: table.name,
                    key: key_text(table, row),
                });
            }
            self.leaf(table, row, Cow::Borrowed(why))?;
        }
        Ok(())
    }

    /// Runs the guarded updates of audited rows and adds their leaves.
    pub(crate) fn update_rows(
        &mut self,
        table: &'static Table,
        statement: &'static str,
        rows: &[Vec<Param<'_>>],
        why: &'static str,
    ) -> Result<(), StoreError> {
        let changed = self.read.backend.execute_many(statement, rows)?;
        for (row, changed) in rows.iter().zip(changed) {
            if changed != 1 {
                return Err(conflict(table, row));
            }
            self.leaf(table, row, Cow::Borrowed(why))?;
        }
        Ok(())
    }

    /// Runs the guarded update of one audited row; `false` when no row matched its guard.
    pub(crate) fn try_update_row(
        &mut self,
        table: &'static Table,
        statement: &'static str,
        row: &[Param<'_>],
        why: &'static str,
    ) -> Result<bool, StoreError> {
        if self.execute(statement, row)? != 1 {
            return Ok(false);
        }
        self.leaf(table, row, Cow::Borrowed(why))?;
        Ok(true)
    }

    /// The same, where no match is a conflict.
    pub(crate) fn update_row(
        &mut self,
        table: &'static Table,
        statement: &'static str,
        row: &[Param<'_>],
        why: &'static str,
    ) -> Result<(), StoreError> {
        if self.try_update_row(table, statement, row, why)? {
            return Ok(());
        }
        Err(conflict(table, row))
    }
}

fn conflict(table: &'static Table, row: &[Param<'_>]) -> StoreError {
    let after = table.version_at().and_then(|at| row.get(at));
    let expected = if let Some(Param::Int(version)) = after {
        version - 1
    } else {
        1
    };
    StoreError::Conflict {
        table: table.name,
        key: key_text(table, row),
        expected,
    }
}

/// A row's key as people read it.
pub(crate) fn key_text(table: &Table, row: &[Param<'_>]) -> String {
    let parts = row.iter().take(table.keys).map(|param| match param {
        Param::Null => "null".to_owned(),
        Param::Int(value) => value.to_string(),
        Param::Text(value) => (*value).to_owned(),
        Param::Bytes(value) => data_encoding::HEXLOWER.encode(value),
    });
    parts.collect::<Vec<_>>().join("/")
}

//! Opening a ledger: its key, its identity, a writer session, and what dead sessions left open.

use std::sync::Arc;

use data_encoding::HEXLOWER;

use crate::backend::Backend;
use crate::error::StoreError;
use crate::options::StoreOptions;
use crate::seal::{self, Vault};
use crate::tables::{attempts, settings, writers};
use crate::tx::Tx;
use crate::wake::Wakes;
use crate::writer::Writer;

const LEDGER_KEY: &str = "ledger_key";
const LEDGER_DIGEST: &str = "ledger_digest";

/// How a session opens: which earlier ones end, and which number it takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Opening {
    /// This process holds the only lock: all earlier sessions end.
    Alone,
    /// Other nodes live on: the earlier sessions of this node end.
    AmongNodes,
    /// One more writer of a process that has opened already.
    Further,
    /// In a restored copy. The lost time may have used the next numbers, in the names of events
    /// that others have seen, so they are left out.
    Restored,
}

/// Session numbers left out after a restore.
const RESTORE_GAP: i64 = 1_000;

/// Opens the keys of a ledger; `None` when the database is new.
pub(crate) fn open_vault(
    backend: &mut Backend<'_>,
    options: &StoreOptions,
) -> Result<Option<Vault>, StoreError> {
    // First: a session that is seen here was opened with the identity that is read next, also where
    // another node founds the ledger at this moment.
    let sessions = next_writer_no(backend)? - 1;
    let mut read = |name: &'static str| {
        let mut value = None;
        backend.stream("setting_get", &[name.into()], &mut |mut row| {
            row.text()?;
            value = Some(row.text()?);
            Ok(())
        })?;
        Ok::<_, StoreError>(value)
    };
    let digest = read(LEDGER_DIGEST)?;
    let wrapped = read(LEDGER_KEY)?;
    let (Some(digest), Some(wrapped)) = (digest, wrapped) else {
        // Sessions without an identity: making a new one would orphan all that is written.
        if sessions > 0 {
            let what = "the identity of this ledger is gone: restore a backup";
            return Err(StoreError::inconsistent("setting", LEDGER_KEY, what));
        }
        return Ok(None);
    };
    if digest != HEXLOWER.encode(&options.ledger_digest) {
        return Err(StoreError::Seal(
            "this database belongs to another ledger: the ledger id of the configuration and the \
             one it was created with differ"
                .to_owned(),
        ));
    }
    let wrapped = HEXLOWER.decode(wrapped.as_bytes()).map_err(|_| {
        StoreError::inconsistent("setting", LEDGER_KEY, "the value is not hexadecimal")
    })?;
    let key = seal::unwrap(
        &options.seal_key,
        &options.ledger_digest,
        LEDGER_KEY,
        &wrapped,
    )?;
    Vault::new(options.seal_key.clone(), options.ledger_digest, &key).map(Some)
}

/// Opens one writer session, making the ledger's identity when the database is new.
pub(crate) fn open_writer(
    backend: &mut Backend<'_>,
    options: &StoreOptions,
    wakes: &Arc<Wakes>,
    opening: Opening,
) -> Result<Writer, StoreError> {
    let mut created = None;
    let vault = if let Some(vault) = open_vault(backend, options)? {
        vault
    } else {
        let mut key = [0; 32];
        (options.entropy)(&mut key);
        let (seal_key, digest) = (options.seal_key.clone(), options.ledger_digest);
        let wrapped = seal::wrap(&seal_key, &digest, LEDGER_KEY, &key)?;
        created = Some(HEXLOWER.encode(&wrapped));
        Vault::new(seal_key, digest, &key)?
    };
    let vault = Arc::new(vault);
    let gap = if opening == Opening::Restored {
        RESTORE_GAP
    } else {
        0
    };
    let writer_no = next_writer_no(backend)? + gap;
    let mut writer = Writer::new(writer_no, vault, options, Arc::clone(wakes));
    writer.first_transaction(backend, |tx| {
        writers::insert(tx, &options.node)?;
        if let Some(wrapped) = &created {
            settings::put(tx, LEDGER_KEY, wrapped, "ledger created")?;
            let digest = HEXLOWER.encode(&options.ledger_digest);
            settings::put(tx, LEDGER_DIGEST, &digest, "ledger created")?;
        }
        end_earlier(tx, &options.node, opening)
    })?;
    Ok(writer)
}

fn next_writer_no(backend: &mut Backend<'_>) -> Result<i64, StoreError> {
    let mut next = 1;
    backend.stream("writer_last", &[], &mut |mut row| {
        next = row.int()? + 1;
        Ok(())
    })?;
    Ok(next)
}

/// Fences earlier sessions and puts what they were sending in doubt.
fn end_earlier(tx: &mut Tx<'_>, node: &str, opening: Opening) -> Result<(), StoreError> {
    if opening == Opening::Further {
        return Ok(());
    }
    let own = tx.writer_no();
    let earlier = writers::living(tx)?;
    for writer in earlier {
        let ends = opening != Opening::AmongNodes || writer.node == node;
        if ends && writer.writer_no != own {
            writers::fence(tx, writer)?;
        }
    }
    attempts::doubt_fenced(tx)?;
    Ok(())
}

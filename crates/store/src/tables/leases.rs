//! Leases: which node works for a limit domain, and until when, by the clock of the database.
//!
//! A lease that ran out is taken by fencing the node that had it, in the same transaction: its late
//! writes fail from here on, and what it was sending is in doubt. One that was given back, or whose
//! node has no living session, is simply free.

use crate::error::StoreError;
use crate::tables::writers;
use crate::tx::{ReadTx, Tx};
use crate::value::Row;

/// Until when a lease stands that nobody has any more.
const GIVEN_BACK_US: i64 = 0;

/// One row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeaseRow {
    /// What is leased: the name of a limit domain.
    pub name: String,
    /// The node that has it, or had it last.
    pub node: String,
    /// Counted up whenever it is taken.
    pub epoch: i64,
    /// When it ends, by the clock of the database; 0 = given back.
    pub until_us: i64,
}

impl LeaseRow {
    fn read(mut row: Row) -> Result<Self, StoreError> {
        Ok(Self {
            name: row.text()?,
            node: row.text()?,
            epoch: row.int()?,
            until_us: row.int()?,
        })
    }
}

/// What came of asking for a lease.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asked {
    /// It is ours.
    Taken {
        /// The lease.
        lease: LeaseRow,
        /// The node that was fenced for it, and how many of its calls are in doubt.
        fenced: Option<(String, usize)>,
    },
    /// Another node has it.
    Others {
        /// The lease.
        lease: LeaseRow,
        /// How long it stands if it is not extended, in microseconds.
        left_us: i64,
    },
}

/// The lease of a name.
pub fn get(tx: &mut ReadTx<'_>, name: &str) -> Result<Option<LeaseRow>, StoreError> {
    tx.first("lease_get", &[name.into()], LeaseRow::read)
}

/// All leases, by name.
pub fn list(tx: &mut ReadTx<'_>) -> Result<Vec<LeaseRow>, StoreError> {
    tx.list("lease_list", &[], LeaseRow::read)
}

/// The clock of the database. `own_us` is the process's own, which is the same on SQLite.
fn clock_us(tx: &mut ReadTx<'_>, own_us: i64) -> Result<i64, StoreError> {
    tx.first("lease_clock", &[own_us.into()], |mut row| row.int())?
        .ok_or_else(|| StoreError::defect("the database tells no time"))
}

fn put(tx: &mut Tx<'_>, lease: &LeaseRow) -> Result<(), StoreError> {
    let params = [
        (&lease.name).into(),
        (&lease.node).into(),
        lease.epoch.into(),
        lease.until_us.into(),
    ];
    tx.execute("lease_put", &params)?;
    Ok(())
}

/// Asks for a lease of `for_us`. The name must be guarded ([`Guard::Name`](crate::Guard::Name)).
pub fn take(tx: &mut Tx<'_>, name: &str, for_us: i64) -> Result<Asked, StoreError> {
    let own_us = tx.now_us();
    let now_us = clock_us(tx, own_us)?;
    let living = writers::living(tx)?;
    let own_no = tx.writer_no();
    let own = living.iter().find(|writer| writer.writer_no == own_no);
    let Some(node) = own.map(|writer| writer.node.clone()) else {
        return Err(StoreError::Fenced { writer_no: own_no });
    };
    let before = get(tx, name)?;
    let mut fenced = None;
    if let Some(lease) = &before
        && lease.node != node
        && living.iter().any(|writer| writer.node == lease.node)
    {
        if lease.until_us > now_us {
            let left_us = lease.until_us - now_us;
            let lease = lease.clone();
            return Ok(Asked::Others { lease, left_us });
        }
        if lease.until_us != GIVEN_BACK_US {
            let doubts = writers::fence_node(tx, &lease.node)?;
            fenced = Some((lease.node.clone(), doubts));
        }
    }
    let lease = LeaseRow {
        name: name.to_owned(),
        epoch: before.as_ref().map_or(1, |lease| lease.epoch + 1),
        until_us: now_us.saturating_add(for_us),
        node,
    };
    if before.is_none_or(|before| before.node != lease.node) {
        tx.audit(&format!("lease {name}"), "the lease changed hands", None)?;
    }
    put(tx, &lease)?;
    Ok(Asked::Taken { lease, fenced })
}

/// Extends a lease to `for_us` from now. False if it is ours no more.
pub fn extend(tx: &mut Tx<'_>, lease: &LeaseRow, for_us: i64) -> Result<bool, StoreError> {
    let own_us = tx.now_us();
    let until_us = clock_us(tx, own_us)?.saturating_add(for_us);
    until(tx, lease, until_us)
}

/// Gives a lease back. False if it was ours no more.
pub fn give_back(tx: &mut Tx<'_>, lease: &LeaseRow) -> Result<bool, StoreError> {
    until(tx, lease, GIVEN_BACK_US)
}

fn until(tx: &mut Tx<'_>, lease: &LeaseRow, until_us: i64) -> Result<bool, StoreError> {
    let params = [
        (&lease.name).into(),
        (&lease.node).into(),
        lease.epoch.into(),
        until_us.into(),
        tx.writer_no().into(),
    ];
    Ok(tx.execute("lease_extend", &params)? == 1)
}

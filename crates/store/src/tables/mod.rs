//! One module per table: typed rows and the few functions over them.
//!
//! Every insert and update adds its audit leaf by itself. No module deletes.

pub mod accounts;
pub mod attempts;
pub mod blocks;
pub mod charges;
pub mod counters;
pub mod documents;
pub mod exceptions;
pub mod feedback;
pub mod items;
pub mod leases;
pub mod limits;
pub mod line_members;
pub mod postings;
pub mod refusals;
pub mod scans;
pub mod seal_keys;
pub mod settings;
pub mod snapshots;
pub mod strays;
pub mod totals;
pub mod writers;

use crate::sql::Table;

/// All audited tables. Their numbers stand in audit leaves and are never reused.
pub(crate) const AUDITED: &[Table] = &[
    items::TABLE,
    charges::TABLE,
    documents::TABLE,
    postings::TABLE,
    attempts::TABLE,
    feedback::TABLE,
    snapshots::TABLE,
    scans::TABLE,
    settings::TABLE,
    limits::TABLE,
    seal_keys::TABLE,
    writers::TABLE,
    refusals::TABLE,
    accounts::TABLE,
    strays::TABLE,
    line_members::TABLE,
];

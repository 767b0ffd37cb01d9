//! Lines that several charges share. Where a contract groups its lines, a charge has no line of its
//! own: it is a member of one that is an item by itself, with postings like any other, and whose
//! charges book what rounding leaves between the line and its members.
//!
//! Who books or settles something only says which lines that touches ([`Books::touch`]); before the
//! command is written each of them is brought up to its members once ([`up`]). Three rules keep
//! every hour on one line of one document:
//!
//! - a charge is a member of one line, which the ledger's key on it enforces;
//! - a member joins its line once nothing else carries its part of the entry: no line of its own, and
//!   no other shared line, sent or on its way;
//! - what stands on a document that takes no changes is frozen. Members that missed it go to the next
//!   line of their group, and what leaves it is credited.

mod carried;
mod content;
mod key;
mod standing;
mod up;
mod waiting;
mod words;

pub(crate) use carried::carried_by;
pub use key::SharedKey;
pub(crate) use key::{is_line, item_id, join, joins, line_charge};
pub(crate) use standing::{Lines, documents_of, postings_with};
pub(crate) use up::{bring_up, carried_elsewhere};
pub(crate) use waiting::waiting;
pub(crate) use words::{closed_document, members_of, of_member, settled};

/// The source of shared lines: no tracker may be called that.
pub const SOURCE: &str = "line";

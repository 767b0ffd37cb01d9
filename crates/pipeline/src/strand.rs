//! Strands: each part of an item has its own charges, wanted line, held line and unsent posting. What
//! is in doubt or disturbed about one part does not stop another.
//!
//! A posting belongs to the part of the charge that it carries.

use crate::books::Books;
use crate::env::inconsistent;
use crate::plan::Wanted;
use crate::postings::wanted_of;
use rules::part::Part;
use std::collections::{BTreeMap, BTreeSet};
use store::charges::ChargeRow;
use store::postings::PostingRow;
use store::{ReadTx, StoreError};

/// The part of a stored charge.
pub fn part_of(charge: &ChargeRow) -> Result<Part, StoreError> {
    Part::from_code(charge.part).ok_or_else(|| inconsistent(format!("part {}", charge.part)))
}

/// Every part that an item has or had.
pub fn parts_of(charges: &[ChargeRow]) -> Result<BTreeSet<Part>, StoreError> {
    charges.iter().map(part_of).collect()
}

/// The charges that are not reversed, by part. Two of one part are damage.
pub fn active_by_part(charges: &[ChargeRow]) -> Result<BTreeMap<Part, &ChargeRow>, StoreError> {
    let reversed: BTreeSet<i64> = charges.iter().filter_map(|row| row.reverses).collect();
    let mut active = BTreeMap::new();
    for charge in charges {
        let stands = charge.reverses.is_none() && !reversed.contains(&charge.charge_no);
        if stands && active.insert(part_of(charge)?, charge).is_some() {
            return Err(inconsistent(format!(
                "two charges of part {} are not reversed",
                charge.part
            )));
        }
    }
    Ok(active)
}

/// The charge that a posting carries.
pub fn charge_of<'a>(
    charges: &'a [ChargeRow],
    posting: &PostingRow,
) -> Result<&'a ChargeRow, StoreError> {
    charges
        .iter()
        .find(|charge| charge.charge_no == posting.charge_no)
        .ok_or_else(|| inconsistent("a posting without its charge"))
}

/// The postings of one part, by effect.
pub fn postings_of_part(
    charges: &[ChargeRow],
    postings: &[PostingRow],
    part: Part,
) -> Result<Vec<PostingRow>, StoreError> {
    let mut own = Vec::new();
    for posting in postings {
        if part_of(charge_of(charges, posting)?)? == part {
            own.push(posting.clone());
        }
    }
    own.sort_by_key(|posting| posting.effect);
    Ok(own)
}

/// What an item's charges want now; a part that wants no line is in neither.
#[derive(Debug, Default)]
pub struct WantedLines {
    /// Lines of their own, by part.
    pub own: BTreeMap<Part, Wanted>,
    /// Parts that are billed by a line that they share.
    pub shared: BTreeSet<Part>,
}

impl WantedLines {
    /// Whether a part is to stand in the ERP, by whichever line.
    pub fn wants(&self, part: Part) -> bool {
        self.own.contains_key(&part) || self.shared.contains(&part)
    }
}

/// The lines that an item's charges want now.
pub fn wanted_now(
    tx: &mut ReadTx<'_>,
    books: &Books,
    charges: &[ChargeRow],
) -> Result<WantedLines, StoreError> {
    let mut wanted = WantedLines::default();
    for (part, charge) in active_by_part(charges)? {
        let facts = books.facts_of(tx, charge)?;
        if facts.is_member() {
            wanted.shared.insert(part);
        } else if let Some(line) = wanted_of(charge.charge_no, &facts) {
            wanted.own.insert(part, line);
        }
    }
    Ok(wanted)
}

//! How shared lines stand, as a reconciliation compares it.

use super::carried::{Carried, Member, behind, carried_by};
use super::key::is_line;
use super::words::line_of;
use crate::books::Books;
use crate::classes::{LineSum, OnLine};
use crate::env::inconsistent;
use crate::facts::Sharing;
use crate::postings::{kind_of, state_of};
use crate::strand::{active_by_part, charge_of};
use domain::posting::{PostingKind, PostingState};
use rules::part::Part;
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use store::charges::{self, ChargeRow};
use store::documents::DocumentRow;
use store::items::{self, ItemRow};
use store::postings::{self, PostingRow};
use store::{ReadTx, StoreError};

/// How an item stands towards shared lines.
#[derive(Debug, Default)]
pub(crate) struct Standing {
    /// The parts that a shared line bills.
    pub(crate) members: BTreeMap<Part, OnLine>,
    /// What the item comes to, where it is a line.
    pub(crate) line: Option<LineSum>,
}

/// Lines as they stand, each read once.
#[derive(Default)]
pub(crate) struct Lines {
    books: Books,
    carried: BTreeMap<[u8; 16], Carried>,
}

impl Lines {
    fn carried(&mut self, tx: &mut ReadTx<'_>, line_id: &[u8; 16]) -> Result<&Carried, StoreError> {
        match self.carried.entry(*line_id) {
            Entry::Occupied(known) => Ok(known.into_mut()),
            Entry::Vacant(free) => Ok(free.insert(carried_by(tx, &mut self.books, line_id)?)),
        }
    }

    /// How an item stands towards shared lines.
    pub(crate) fn standing(
        &mut self,
        tx: &mut ReadTx<'_>,
        item: &ItemRow,
        charges: &[ChargeRow],
    ) -> Result<Standing, StoreError> {
        let mut standing = Standing::default();
        if is_line(item) {
            standing.line = Some(self.sum_of(tx, item, charges)?);
            return Ok(standing);
        }
        for (part, charge) in active_by_part(charges)? {
            let Some(line_id) = line_of(tx, &self.books, charge)? else {
                continue;
            };
            let key = (charge.item_id, charge.charge_no);
            let stands = self.carried(tx, &line_id)?.stands.contains(&key);
            standing.members.insert(part, OnLine { line_id, stands });
        }
        Ok(standing)
    }

    fn sum_of(
        &mut self,
        tx: &mut ReadTx<'_>,
        item: &ItemRow,
        rows: &[ChargeRow],
    ) -> Result<LineSum, StoreError> {
        let mut sum = LineSum::default();
        if let Some(charge) = active_by_part(rows)?.into_values().next()
            && let Some(Sharing::Line(line)) = self.books.facts_of(tx, charge)?.sharing
        {
            (sum.quantity_micro, sum.amount_minor) =
                (line.quantity.micro(), line.amount.amount_minor);
        }
        for (item_id, charge_no) in self.carried(tx, &item.item_id)?.stands.clone() {
            let charge = charges::get(tx, &item_id, charge_no)?;
            sum.members_minor += charge.map_or(0, |charge| charge.amount_minor);
        }
        Ok(sum)
    }
}

/// The postings of shared lines that carry any of an item's charges, with their line and how many
/// charges they bill, in order of line and effect.
pub(crate) fn postings_with(
    tx: &mut ReadTx<'_>,
    charges: &[ChargeRow],
) -> Result<Vec<(ItemRow, PostingRow, usize)>, StoreError> {
    let Some(item_id) = charges.first().map(|row| row.item_id) else {
        return Ok(Vec::new());
    };
    let books = Books::default();
    let of_item = books.members_of(tx, &item_id)?;
    let lines: BTreeSet<[u8; 16]> = of_item.iter().map(|row| row.line_id).collect();
    let mut found = Vec::new();
    for line_id in lines {
        let line = items::get(tx, &line_id)?
            .ok_or_else(|| inconsistent("a member of a line that is not there"))?;
        let booked = charges::list_for_item(tx, &line_id)?;
        let mut rows = postings::list_for_item(tx, &line_id)?;
        rows.sort_by_key(|row| row.effect);
        let mut before = BTreeSet::new();
        for row in rows {
            let members = match kind_of(&row)? {
                PostingKind::DeleteLine | PostingKind::Void => BTreeSet::new(),
                PostingKind::CreateLine
                | PostingKind::ReplaceLine
                | PostingKind::Credit
                | PostingKind::Difference => behind(tx, &books, charge_of(&booked, &row)?)?,
            };
            let own = |set: &BTreeSet<Member>| set.iter().any(|(item, _)| *item == item_id);
            let lost: BTreeSet<Member> = before.difference(&members).copied().collect();
            // A credit is of what the line lost, everything else of what it bills or billed.
            let (concerns, of) = match kind_of(&row)? {
                PostingKind::Credit => (own(&lost), lost.len()),
                _ => (own(&members) || own(&lost), members.len()),
            };
            if state_of(&row)? != PostingState::Cancelled {
                before = members;
            }
            if concerns {
                found.push((line.clone(), row, of));
            }
        }
    }
    Ok(found)
}

/// The documents that charges of an item stand on by lines that they share.
pub(crate) fn documents_of(
    tx: &mut ReadTx<'_>,
    charges: &[ChargeRow],
) -> Result<Vec<DocumentRow>, StoreError> {
    let mut books = Books::default();
    let mut found = Vec::new();
    let Some(item_id) = charges.first().map(|row| row.item_id) else {
        return Ok(found);
    };
    for row in books.members_of(tx, &item_id)? {
        let carried = carried_by(tx, &mut books, &row.line_id)?;
        let stands = carried.stands.contains(&(item_id, row.charge_no));
        if let Some(held) = carried.view.held.filter(|_| stands) {
            found.push(books.document(tx, &held.document_id)?);
        }
    }
    Ok(found)
}

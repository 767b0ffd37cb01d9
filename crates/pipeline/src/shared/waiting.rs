//! What shared lines will say once everything that is planned is settled: members that wait for
//! another line to let go of their entry join then.

use super::carried::{Member, carried_by};
use super::content::content_of;
use super::key::key_of;
use super::words::line_of;
use crate::books::Books;
use crate::env::{Terms, inconsistent};
use crate::facts::Sharing;
use crate::plan::Wanted;
use crate::postings::wanted_of;
use crate::strand::active_by_part;
use std::collections::{BTreeMap, BTreeSet};
use store::charges;
use store::{ReadTx, StoreError};

/// A line that members wait to join.
#[derive(Debug)]
pub(crate) struct Waiting {
    /// What it says with them.
    pub(crate) wanted: Wanted,
    /// What it says before, in minor units; none if there is no line yet.
    pub(crate) was_minor: Option<i64>,
}

/// The lines that charges of some items wait to join.
pub(crate) fn waiting(
    tx: &mut ReadTx<'_>,
    terms: &Terms,
    items: &BTreeSet<[u8; 16]>,
) -> Result<Vec<Waiting>, StoreError> {
    let mut books = Books::default();
    let mut joining: BTreeMap<[u8; 16], BTreeSet<Member>> = BTreeMap::new();
    for item_id in items {
        let rows = charges::list_for_item(tx, item_id)?;
        for charge in active_by_part(&rows)?.into_values() {
            if let Some(line_id) = line_of(tx, &books, charge)? {
                let member = (charge.item_id, charge.charge_no);
                joining.entry(line_id).or_default().insert(member);
            }
        }
    }
    let mut found = Vec::new();
    for (line_id, members) in joining {
        let carried = carried_by(tx, &mut books, &line_id)?;
        if members.iter().all(|member| carried.may_carry(member)) {
            continue;
        }
        let line = books
            .line(tx, &line_id)?
            .ok_or_else(|| inconsistent("a member of a line that is not there"))?;
        let key = key_of(tx, &books, &line)?;
        let rows = charges::list_for_item(tx, &line_id)?;
        let booked = match active_by_part(&rows)?.into_values().next() {
            Some(charge) => books.facts_of(tx, charge)?.sharing,
            None => None,
        };
        let (mut wants, mut was_minor, mut rounding) = (members, None, None);
        if let Some(Sharing::Line(line)) = booked {
            for member in &line.members {
                wants.insert(member.key()?);
            }
            was_minor = Some(line.amount.amount_minor);
            rounding = Some(line.amount_rounding);
        }
        let content = content_of(tx, &books, terms, &key, &wants, rounding)?;
        let wanted = content.and_then(|content| wanted_of(0, &content.facts));
        found.extend(wanted.map(|wanted| Waiting { wanted, was_minor }));
    }
    Ok(found)
}

//! Bringing shared lines up to their members.

use super::carried::{Carried, Member, carried_by};
use super::content::{Content, charge, content_of};
use super::key::{SharedKey, all_of, key_of, next};
use crate::asking::plan_lines;
use crate::book::{charge_row, reverse};
use crate::books::Books;
use crate::env::{Terms, inconsistent};
use crate::facts::{self, Sharing};
use crate::plan::{Wanted, part_taken_back};
use crate::postings::{view_of, wanted_of};
use crate::strand::{WantedLines, active_by_part, part_of, postings_of_part};
use rules::part::Part;
use std::collections::{BTreeMap, BTreeSet};
use store::charges::ChargeRow;
use store::items::{self, ItemRow};
use store::line_members::{self, LineMemberRow};
use store::{ReadTx, SealClass, StoreError, Tx};

/// Bring every line that the command touches up to its members.
pub(crate) fn bring_up(
    tx: &mut Tx<'_>,
    books: &mut Books,
    terms: &Terms,
) -> Result<(), StoreError> {
    // Members that wait for another line to let go of their entry.
    let mut blocked = BTreeSet::new();
    loop {
        let round = std::mem::take(&mut books.touched);
        if round.is_empty() {
            return Ok(());
        }
        let mut let_go = false;
        for line_id in round {
            let done = bring_up_one(tx, books, terms, &line_id)?;
            let_go |= done.let_go;
            if done.blocked {
                blocked.insert(line_id);
            }
        }
        if let_go {
            books.touched.append(&mut blocked);
        }
    }
}

struct Done {
    /// It let go of something that was on its way.
    let_go: bool,
    /// A member has to wait.
    blocked: bool,
}

fn bring_up_one(
    tx: &mut Tx<'_>,
    books: &mut Books,
    terms: &Terms,
    line_id: &[u8; 16],
) -> Result<Done, StoreError> {
    let item = books
        .line(tx, line_id)?
        .ok_or_else(|| inconsistent("a member of a line that is not there"))?;
    let key = key_of(tx, books, &item)?;
    let carried = carried_by(tx, books, line_id)?;
    let members = members_standing(tx, books, line_id)?;
    let (mut wants, mut blocked) = (BTreeSet::new(), false);
    let mut leaving: Vec<LineMemberRow> = Vec::new();
    for row in members {
        let member = (row.item_id, row.charge_no);
        if carried.stands.contains(&member) {
            wants.insert(member);
        } else if carried.takes_nobody() {
            // It missed the line, unless a call that may have taken it is under way.
            if !(carried.view.in_flight && carried.pending.contains(&member)) {
                leaving.push(row);
            }
        } else if stands_otherwise(tx, books, terms, &row)? {
            blocked = true;
        } else {
            wants.insert(member);
        }
    }
    let mut line = Line {
        item,
        key,
        carried,
        content: None,
    };
    if line.carried.is_undone() {
        // What a person credited stays credited; nothing of it is left to change.
        wants.clear();
    } else {
        line.content = line.content_of(tx, books, terms, &wants)?;
        line.name_what_left(tx, books, terms, &wants)?;
        if !line.can_keep(tx, books)? {
            for row in members_standing(tx, books, line_id)? {
                if wants.remove(&(row.item_id, row.charge_no)) {
                    leaving.push(row);
                }
            }
            line.content = None;
        }
        line.write(tx, books, terms)?;
    }
    for mut row in leaving {
        let to = next(tx, books, terms, &line.key, line_id)?;
        move_member(tx, books, &mut row, to)?;
        books.touch(to);
    }
    let now = carried_by(tx, books, line_id)?;
    let let_go = !line.carried.pending.is_subset(&now.pending);
    Ok(Done { let_go, blocked })
}

/// The members of a line whose charges stand.
fn members_standing(
    tx: &mut ReadTx<'_>,
    books: &Books,
    line_id: &[u8; 16],
) -> Result<Vec<LineMemberRow>, StoreError> {
    let mut members = line_members::standing(tx, line_id)?;
    members.extend(
        books
            .members
            .iter()
            .filter(|row| row.line_id == *line_id)
            .cloned(),
    );
    let taken_back: BTreeSet<Member> = books
        .charges
        .iter()
        .filter_map(|row| row.reverses.map(|number| (row.item_id, number)))
        .collect();
    members.retain(|row| !taken_back.contains(&(row.item_id, row.charge_no)));
    Ok(members)
}

fn move_member(
    tx: &mut Tx<'_>,
    books: &mut Books,
    row: &mut LineMemberRow,
    to: [u8; 16],
) -> Result<(), StoreError> {
    let mut fresh = books.members.iter_mut();
    let own = |known: &&mut LineMemberRow| {
        known.item_id == row.item_id && known.charge_no == row.charge_no
    };
    match fresh.find(own) {
        Some(known) => known.line_id = to,
        None => line_members::move_to(tx, row, to, "its line is on a closed document")?,
    }
    Ok(())
}

/// Whether the part of the entry that a member bills stands in the ERP by another line, its own or
/// one that it shares, or is on its way there.
fn stands_otherwise(
    tx: &mut ReadTx<'_>,
    books: &mut Books,
    terms: &Terms,
    row: &LineMemberRow,
) -> Result<bool, StoreError> {
    let part = part_of(&charge(tx, books, &row.item_id, row.charge_no)?)?;
    let charges = books.charges_of(tx, &row.item_id)?;
    let own = books.postings_of(tx, &row.item_id)?;
    let own = postings_of_part(&charges, &own, part)?;
    if !own.is_empty() {
        let view = view_of(tx, &charges, own, |tx, id| books.document(tx, id))?;
        let stands = view.held.is_some_and(|held| !held.undone);
        if stands || view.unsent.is_some() || view.in_flight || view.disturbed {
            return Ok(true);
        }
    }
    carried_elsewhere(tx, books, terms, &charges, part, Some(&row.line_id))
}

/// Whether a shared line other than `except` carries any charge of a part of an item, or may soon.
pub(crate) fn carried_elsewhere(
    tx: &mut ReadTx<'_>,
    books: &mut Books,
    terms: &Terms,
    charges: &[ChargeRow],
    part: Part,
    except: Option<&[u8; 16]>,
) -> Result<bool, StoreError> {
    let Some(item_id) = charges.first().map(|row| row.item_id) else {
        return Ok(false);
    };
    for row in books.members_of(tx, &item_id)? {
        let own = charges.iter().find(|own| own.charge_no == row.charge_no);
        if own.map(part_of).transpose()? != Some(part) {
            continue;
        }
        let lines = if row.version > 1 {
            // It moved: the line before may carry it still.
            match books.line(tx, &row.line_id)? {
                Some(line) => {
                    let key = key_of(tx, books, &line)?;
                    all_of(tx, books, terms, &key)?
                }
                None => Vec::new(),
            }
        } else {
            vec![row.line_id]
        };
        for line_id in lines {
            if Some(&line_id) != except
                && carried_by(tx, books, &line_id)?.may_carry(&(item_id, row.charge_no))
            {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

struct Line {
    item: ItemRow,
    key: SharedKey,
    carried: Carried,
    content: Option<Content>,
}

impl Line {
    /// The charge that stands for the line, and what it says.
    fn booked(
        &self,
        tx: &mut ReadTx<'_>,
        books: &Books,
    ) -> Result<Option<(ChargeRow, facts::SharedLine)>, StoreError> {
        let rows = books.charges_of(tx, &self.item.item_id)?;
        let Some(row) = active_by_part(&rows)?.into_values().next() else {
            return Ok(None);
        };
        match books.facts_of(tx, row)?.sharing {
            Some(Sharing::Line(line)) => Ok(Some((row.clone(), *line))),
            Some(Sharing::Member) | None => Err(inconsistent("a charge of a line is no line's")),
        }
    }

    fn content_of(
        &self,
        tx: &mut ReadTx<'_>,
        books: &Books,
        terms: &Terms,
        wants: &BTreeSet<Member>,
    ) -> Result<Option<Content>, StoreError> {
        let before = self
            .booked(tx, books)?
            .map(|(_, line)| line.amount_rounding);
        content_of(tx, books, terms, &self.key, wants, before)
    }

    /// What leaves a document that takes no changes is credited, in its own words.
    fn name_what_left(
        &mut self,
        tx: &mut ReadTx<'_>,
        books: &Books,
        terms: &Terms,
        wants: &BTreeSet<Member>,
    ) -> Result<(), StoreError> {
        let left: BTreeSet<Member> = self.carried.stands.difference(wants).copied().collect();
        if left.is_empty() || !self.carried.is_frozen() {
            return Ok(());
        }
        let lost = self.content_of(tx, books, terms, &left)?;
        if let Some(content) = &mut self.content {
            content.credit_in_words_of(lost.as_ref());
        }
        Ok(())
    }

    fn wanted(&self, charge_no: i64) -> Option<Wanted> {
        let content = self.content.as_ref()?;
        wanted_of(charge_no, &content.facts)
    }

    /// Whether what is left of the line can stay where it is: on a draft, or beside a credit of the
    /// rest that multiplies out.
    fn can_keep(&self, tx: &mut ReadTx<'_>, books: &Books) -> Result<bool, StoreError> {
        let Some(held) = self
            .carried
            .view
            .held
            .as_ref()
            .filter(|held| !held.changeable)
        else {
            return Ok(true);
        };
        let charge_no = self.booked(tx, books)?.map_or(0, |(row, _)| row.charge_no);
        let Some(wanted) = self.wanted(charge_no) else {
            return Ok(true);
        };
        let same = wanted.numbers == held.numbers && wanted.refs == held.refs;
        Ok(same || part_taken_back(&wanted, held).is_some())
    }

    /// Book what the line says, and plan its next posting.
    fn write(
        &mut self,
        tx: &mut Tx<'_>,
        books: &mut Books,
        terms: &Terms,
    ) -> Result<(), StoreError> {
        let before = self.item.clone();
        let mut rows = books.charges_of(tx, &self.item.item_id)?;
        let booked = self.booked(tx, books)?;
        let same = match (&booked, self.content.as_ref().and_then(Content::line)) {
            (Some((_, was)), Some(is)) => was.says_the_same(is),
            (None, None) => true,
            _ => false,
        };
        if !same {
            if let Some((row, _)) = &booked {
                let number = self.number();
                let back = reverse(row, number, self.item.revision, tx.now_us());
                rows.push(back.clone());
                books.charges.push(back);
            }
            if let Some(content) = &self.content {
                let number = self.item.charge_next;
                self.item.charge_next += 1;
                let row = new_charge(tx, terms, &self.item, number, content)?;
                books
                    .facts
                    .insert((row.item_id, number), content.facts.clone());
                rows.push(row.clone());
                books.charges.push(row);
            }
        }
        let active = active_by_part(&rows)?.into_values().next();
        let charge_no = active.map(|row| row.charge_no);
        let mut wanted = WantedLines::default();
        if let Some(line) = charge_no.and_then(|number| self.wanted(number)) {
            wanted.own = BTreeMap::from([(Part::WHOLE, line)]);
        }
        plan_lines(tx, books, terms, &mut self.item, &mut rows, &wanted, false)?;
        if self.item != before {
            self.item.changed_at_us = tx.now_us();
            if !books.replace_line(&self.item) {
                items::update(tx, &mut self.item, "the line follows its members")?;
            }
        }
        Ok(())
    }

    fn number(&mut self) -> i64 {
        let number = self.item.charge_next;
        self.item.charge_next += 1;
        number
    }
}

fn new_charge(
    tx: &mut Tx<'_>,
    terms: &Terms,
    item: &ItemRow,
    charge_no: i64,
    content: &Content,
) -> Result<ChargeRow, StoreError> {
    let facts = &content.facts;
    let own = &facts.content;
    let explain = facts::seal(tx, SealClass::Explanation, &own.contract, facts)?;
    Ok(charge_row(
        tx,
        terms,
        item,
        (charge_no, explain),
        facts,
        content.inputs_digest,
    ))
}

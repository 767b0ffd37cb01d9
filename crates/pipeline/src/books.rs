//! The rows that a booking touches, read once and written once per command: documents with their
//! counts, and the charges and postings that are to be inserted.

use crate::env::{Terms, inconsistent};
use crate::facts::ChargeFacts;
use crate::plan::Home;
use crate::postings::{charge_facts, document_of, document_state};
use crate::shared::{self, SharedKey};
use domain::ids::digest16;
use domain::posting::{DocumentState, document_key};
use domain::status::BillingStatus;
use rules::part::Part;
use std::collections::{BTreeMap, BTreeSet};
use store::charges::{self, ChargeRow};
use store::documents::{self, DocumentRow, DocumentSeries};
use store::items::{self, ItemRow};
use store::line_members::{self, LineMemberRow};
use store::postings::{self, PostingChange, PostingRow};
use store::{Guard, StoreError, Tx};

/// The guard of everything that plans lines: a document is shared by many items, so one command of
/// a flow plans at a time.
pub(crate) fn admission(flow: &str) -> Guard {
    Guard::Name(format!("admission:{flow}"))
}

/// Documents touched by a command, read once and written once, with what is to be inserted.
#[derive(Default)]
pub struct Books {
    documents: BTreeMap<[u8; 16], Held>,
    pub(crate) charges: Vec<ChargeRow>,
    pub(crate) postings: Vec<PostingRow>,
    /// The facts of these charges: what this command sealed it cannot open before it is written.
    pub(crate) facts: BTreeMap<([u8; 16], i64), ChargeFacts>,
    /// What the ERP was seen to make of a part, where the ledger alone does not know: a line that
    /// somebody moved, time that the ERP invoiced.
    pub(crate) seen: BTreeMap<([u8; 16], Part), (BillingStatus, String)>,
    /// Memberships of shared lines that are to be inserted.
    pub(crate) members: Vec<LineMemberRow>,
    /// What people wrote about the items that this command takes in: as with facts.
    pub(crate) words: BTreeMap<[u8; 16], String>,
    /// Shared lines that this command opened.
    lines: BTreeMap<[u8; 16], (ItemRow, SharedKey)>,
    /// Shared lines to be brought up to their members before the command is written.
    pub(crate) touched: BTreeSet<[u8; 16]>,
}

struct Held {
    row: DocumentRow,
    fresh: bool,
    changed: bool,
}

impl Books {
    /// The charges of an item, with those that this command is about to insert.
    pub fn charges_of(
        &self,
        tx: &mut store::ReadTx<'_>,
        item_id: &[u8; 16],
    ) -> Result<Vec<ChargeRow>, StoreError> {
        let mut rows = charges::list_for_item(tx, item_id)?;
        let fresh = self.charges.iter().filter(|row| row.item_id == *item_id);
        rows.extend(fresh.cloned());
        Ok(rows)
    }

    /// The postings of an item, with those that this command is about to insert.
    pub fn postings_of(
        &self,
        tx: &mut store::ReadTx<'_>,
        item_id: &[u8; 16],
    ) -> Result<Vec<PostingRow>, StoreError> {
        let mut rows = postings::list_for_item(tx, item_id)?;
        rows.extend(self.fresh_postings(item_id));
        Ok(rows)
    }

    /// The postings of an item that this command is about to insert.
    pub(crate) fn fresh_postings(&self, item_id: &[u8; 16]) -> Vec<PostingRow> {
        let fresh = self.postings.iter().filter(|row| row.item_id == *item_id);
        fresh.cloned().collect()
    }

    /// The facts of a charge, stored or about to be.
    pub fn facts_of(
        &self,
        tx: &mut store::ReadTx<'_>,
        charge: &ChargeRow,
    ) -> Result<ChargeFacts, StoreError> {
        match self.facts.get(&(charge.item_id, charge.charge_no)) {
            Some(facts) => Ok(facts.clone()),
            None => charge_facts(tx, charge),
        }
    }

    /// A document as it stands in this command.
    pub fn document(
        &mut self,
        tx: &mut store::ReadTx<'_>,
        id: &[u8; 16],
    ) -> Result<DocumentRow, StoreError> {
        if let Some(held) = self.documents.get(id) {
            return Ok(held.row.clone());
        }
        let row = document_of(tx, id)?;
        self.documents.insert(
            *id,
            Held {
                row: row.clone(),
                fresh: false,
                changed: false,
            },
        );
        Ok(row)
    }

    /// Change a document.
    pub fn change(
        &mut self,
        tx: &mut store::ReadTx<'_>,
        id: &[u8; 16],
        change: impl FnOnce(&mut DocumentRow),
    ) -> Result<(), StoreError> {
        self.document(tx, id)?;
        if let Some(held) = self.documents.get_mut(id) {
            change(&mut held.row);
            held.changed = true;
        }
        Ok(())
    }

    /// Change postings of one document.
    pub fn settle(
        &mut self,
        tx: &mut Tx<'_>,
        id: &[u8; 16],
        changes: Vec<(&mut PostingRow, PostingChange)>,
        why: &'static str,
    ) -> Result<(), StoreError> {
        self.document(tx, id)?;
        if let Some(held) = self.documents.get_mut(id) {
            held.changed = true;
            postings::settle(tx, &mut held.row, changes, why)?;
        }
        Ok(())
    }

    /// Put a posting into a document at once, so that it can be settled in this command.
    pub(crate) fn put_in(
        &mut self,
        tx: &mut Tx<'_>,
        mut row: PostingRow,
        why: &'static str,
    ) -> Result<PostingRow, StoreError> {
        let id = row.document_id;
        self.document(tx, &id)?;
        if let Some(held) = self.documents.get_mut(&id) {
            row.posting_no = held.row.posting_next;
            held.row.posting_next += 1;
            held.changed = true;
            postings::insert(tx, &mut held.row, std::slice::from_ref(&row), why)?;
        }
        Ok(row)
    }

    /// The document that takes new lines of a home: the latest generation that is still open, or
    /// the next one.
    pub(crate) fn open_document(
        &mut self,
        tx: &mut Tx<'_>,
        terms: &Terms,
        home: &Home,
        entity: &str,
    ) -> Result<[u8; 16], StoreError> {
        let currency = home.currency.to_string();
        let mut generation = 0;
        let of_home = self.documents.values().filter(|held| {
            let row = &held.row;
            row.shape == home.shape.name()
                && row.entity == entity
                && row.bill_to == home.bill_to
                && row.currency == currency
                && row.group_key == home.group_key
                && row.period == home.period
        });
        let cached = of_home
            .max_by_key(|held| held.row.generation)
            .map(|held| held.row.clone());
        let series = series_of(&terms.settings.flow, entity, home, &currency);
        let stored = documents::find_by_key(tx, &series)?;
        let latest = match (cached, stored) {
            (Some(cached), Some(stored)) if cached.generation < stored.generation => Some(stored),
            (Some(cached), _) => Some(cached),
            (None, stored) => stored,
        };
        if let Some(row) = latest {
            if document_state(&row)?.takes_lines() {
                let id = row.document_id;
                self.document(tx, &id)?;
                return Ok(id);
            }
            generation = row.generation;
        }
        let row = new_document(terms, home, entity, generation + 1, tx.now_us());
        let id = row.document_id;
        self.documents.insert(
            id,
            Held {
                row,
                fresh: true,
                changed: true,
            },
        );
        Ok(id)
    }

    /// A shared line has to be brought up to its members.
    pub(crate) fn touch(&mut self, line_id: [u8; 16]) {
        self.touched.insert(line_id);
    }

    /// A shared line, stored or opened by this command.
    pub(crate) fn line(
        &self,
        tx: &mut store::ReadTx<'_>,
        line_id: &[u8; 16],
    ) -> Result<Option<ItemRow>, StoreError> {
        match self.lines.get(line_id) {
            Some((row, _)) => Ok(Some(row.clone())),
            None => items::get(tx, line_id),
        }
    }

    /// The key of a shared line that this command opened.
    pub(crate) fn key_of_line(&self, line_id: &[u8; 16]) -> Option<&SharedKey> {
        self.lines.get(line_id).map(|(_, key)| key)
    }

    /// Open a shared line; it is inserted with everything else.
    pub(crate) fn open_line(&mut self, row: ItemRow, key: SharedKey) {
        self.lines.insert(row.item_id, (row, key));
    }

    /// Change a shared line that this command opened; false if it is a stored one.
    pub(crate) fn replace_line(&mut self, row: &ItemRow) -> bool {
        match self.lines.get_mut(&row.item_id) {
            Some((own, _)) => {
                own.clone_from(row);
                true
            }
            None => false,
        }
    }

    /// The memberships of an item's charges, stored or about to be.
    pub(crate) fn members_of(
        &self,
        tx: &mut store::ReadTx<'_>,
        item_id: &[u8; 16],
    ) -> Result<Vec<LineMemberRow>, StoreError> {
        let mut rows = line_members::of_item(tx, item_id)?;
        let fresh = self.members.iter().filter(|row| row.item_id == *item_id);
        rows.extend(fresh.cloned());
        Ok(rows)
    }

    /// Write everything.
    pub fn flush(
        mut self,
        tx: &mut Tx<'_>,
        terms: &Terms,
        why: &'static str,
    ) -> Result<(), StoreError> {
        shared::bring_up(tx, &mut self, terms)?;
        let lines: Vec<ItemRow> = self.lines.values().map(|(row, _)| row.clone()).collect();
        items::insert(tx, &lines, why)?;
        for posting in &self.postings {
            if !self.documents.contains_key(&posting.document_id) {
                return Err(inconsistent("a posting without its document"));
            }
        }
        for (id, held) in &mut self.documents {
            if held.fresh {
                let mut empty = held.row.clone();
                empty.unsettled = 0;
                documents::insert(tx, &empty, why)?;
            }
            let own: Vec<PostingRow> = self
                .postings
                .iter()
                .filter(|p| p.document_id == *id)
                .cloned()
                .collect();
            if !own.is_empty() {
                postings::insert(tx, &mut held.row, &own, why)?;
                held.changed = true;
            }
            let only_fresh = held.fresh && own.is_empty() && held.row.unsettled == 0;
            if held.changed && !only_fresh {
                held.row.changed_at_us = tx.now_us();
                documents::update(tx, &mut held.row, why)?;
            }
        }
        charges::insert(tx, &self.charges, why)?;
        line_members::insert(tx, &self.members, why)?;
        tx.count(
            "charges booked",
            i64::try_from(self.charges.len()).unwrap_or(0),
        );
        tx.count(
            "postings planned",
            i64::try_from(self.postings.len()).unwrap_or(0),
        );
        Ok(())
    }
}

/// The documents of a home, all generations of them. `currency` is the home's, as it is stored.
pub(crate) fn series_of<'a>(
    flow: &'a str,
    entity: &'a str,
    home: &'a Home,
    currency: &'a str,
) -> DocumentSeries<'a> {
    DocumentSeries {
        flow,
        shape: home.shape.name(),
        entity,
        bill_to: &home.bill_to,
        currency,
        group_key: &home.group_key,
        period: &home.period,
    }
}

pub(crate) fn new_document(
    terms: &Terms,
    home: &Home,
    entity: &str,
    generation: i64,
    now_us: i64,
) -> DocumentRow {
    let currency = home.currency.to_string();
    let number = generation.to_string();
    let parts = [
        home.shape.name(),
        entity,
        &home.bill_to,
        &currency,
        &home.group_key,
        &home.period,
        &number,
    ];
    let settings = &terms.settings;
    let key = document_key(
        &settings.ledger,
        &settings.flow,
        &terms.target_identity,
        &parts,
    );
    DocumentRow {
        document_id: digest16("document id", &[key.as_bytes()]),
        flow: settings.flow.clone(),
        shape: home.shape.name().to_owned(),
        entity: entity.to_owned(),
        bill_to: home.bill_to.clone(),
        currency,
        group_key: home.group_key.clone(),
        period: home.period.clone(),
        generation,
        target_identity: terms.target_identity.to_string(),
        document_key: key,
        state: DocumentState::Open.name().to_owned(),
        erp_ref: None,
        erp_number: None,
        posting_next: 1,
        unsettled: 0,
        due_at_us: now_us,
        version: 1,
        changed_at_us: now_us,
    }
}

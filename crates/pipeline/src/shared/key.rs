//! Which line a charge belongs on: everything that separates documents, and what the contract's
//! charges have to agree in to share a line.

use super::SOURCE;
use crate::books::Books;
use crate::env::{Terms, inconsistent};
use crate::facts::{self, ChargeFacts, ItemFacts};
use crate::new_item::new_item;
use crate::settings::Settings;
use data_encoding::HEXLOWER;
use domain::contract::lines::{LineKey, LineTerms};
use domain::contract::{BillShape, Contract};
use domain::ids::{ItemId, digest, digest16};
use domain::item::ItemState;
use domain::quantity::Unit;
use jiff::civil::Date;
use rules::charge::{ChargeContent, Disposition};
use rules::documents::{LineCharge, line_group};
use serde::{Deserialize, Serialize};
use store::items::ItemRow;
use store::line_members::LineMemberRow;
use store::{ReadTx, SealClass, StoreError, Tx};

/// What the members of a line agree in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SharedKey {
    /// The contract's id.
    pub contract: String,
    /// The entity that bills.
    pub entity: String,
    /// The customer's code.
    pub bill_to: String,
    /// The currency.
    pub currency: String,
    /// The contract's grouping value.
    pub group_key: String,
    /// The accounting period.
    pub period: String,
    /// What the contract's charges agree in to share a line.
    pub group: String,
    /// The day that the line has: its own where days or weeks are kept apart, else the first of its
    /// period.
    pub work_date: Date,
    /// Whether the line is of one task.
    pub by_task: bool,
    /// Whether the line is of one person.
    pub by_worker: bool,
}

impl SharedKey {
    /// The key of a charge's line.
    fn of(terms: &Terms, lines: &LineTerms, facts: &ChargeFacts) -> Result<Self, StoreError> {
        let content = &facts.content;
        let group = line_group(lines, &line_charge("", facts, ""))
            .ok_or_else(|| inconsistent("a charge of a line of its own shares one"))?;
        let has = |key| lines.together.iter().flatten().any(|own| *own == key);
        let period = &content.placement.period;
        let first: Date = format!("{period}-01")
            .parse()
            .map_err(|_| inconsistent(format!("period '{period}'")))?;
        let work_date = if has(LineKey::Day) {
            content.work_date
        } else if has(LineKey::Week) {
            domain::calendar::Weekday::Monday.week_of(content.work_date)
        } else {
            first
        };
        Ok(Self {
            contract: content.contract.clone(),
            entity: terms.reference.entity.code.clone(),
            bill_to: content.placement.bill_to.clone(),
            currency: content.currency().to_string(),
            group_key: content.placement.group_key.clone(),
            period: period.clone(),
            group,
            work_date,
            by_task: has(LineKey::Task),
            by_worker: has(LineKey::Worker),
        })
    }

    /// The name of the line of a number: the first is 1, the next one is opened when it is frozen.
    pub(crate) fn name(&self, number: u32) -> String {
        let parts = [
            &self.entity,
            &self.bill_to,
            &self.currency,
            &self.group_key,
            &self.group,
        ];
        let parts: Vec<&[u8]> = parts.iter().map(|part| part.as_bytes()).collect();
        let key = digest("shared line", &parts);
        let short = HEXLOWER.encode(key.split_at(6).0);
        format!("{}/line/{}/{short}/{number}", self.contract, self.period)
    }
}

/// The item of a line by its name.
pub(crate) fn item_id(settings: &Settings, name: &str) -> [u8; 16] {
    ItemId::derive(&settings.ledger, SOURCE, name).bytes()
}

/// Whether an item is a shared line.
pub(crate) fn is_line(item: &ItemRow) -> bool {
    item.source == SOURCE
}

/// The terms of the line that a charge shares; none if it has a line of its own, or none.
pub(crate) fn joins<'a>(
    contract: Option<&'a Contract>,
    content: &ChargeContent,
) -> Option<&'a LineTerms> {
    let lines = &contract?.lines;
    let billed = content.disposition == Disposition::Bill
        && content.shape == BillShape::DraftLine
        && content.unit != Unit::Piece
        && !content.makes_no_line();
    (billed && lines.together.is_some()).then_some(lines)
}

/// A charge as documents take it.
pub(crate) fn line_charge(id: &str, facts: &ChargeFacts, narrative: &str) -> LineCharge {
    let (content, codes) = (&facts.content, &facts.codes);
    LineCharge {
        id: id.to_owned(),
        contract: content.contract.clone(),
        worker: codes.worker.clone(),
        worker_name: codes.worker_name.clone(),
        role: codes.role.clone(),
        project: codes.project.clone(),
        task: codes.task.clone(),
        task_name: codes.task_name.clone(),
        service_item: codes.service_item.clone(),
        sort: content.part.tier.words().to_owned(),
        work_date: content.work_date,
        quantity: content.quantity,
        unit: content.unit,
        rate: content.rate,
        amount: content.amount,
        narrative: narrative.to_owned(),
    }
}

/// The last line of a key and its number; none if there is none yet.
fn latest(
    tx: &mut ReadTx<'_>,
    books: &Books,
    terms: &Terms,
    key: &SharedKey,
) -> Result<(u32, Option<ItemRow>), StoreError> {
    let mut known = (0, None);
    for number in 1..=u32::MAX {
        let id = item_id(&terms.settings, &key.name(number));
        let Some(item) = books.line(tx, &id)? else {
            break;
        };
        known = (number, Some(item));
    }
    Ok(known)
}

/// Every line of a key, from the first.
pub(super) fn all_of(
    tx: &mut ReadTx<'_>,
    books: &Books,
    terms: &Terms,
    key: &SharedKey,
) -> Result<Vec<[u8; 16]>, StoreError> {
    let (last, _) = latest(tx, books, terms, key)?;
    let ids = (1..=last).map(|number| item_id(&terms.settings, &key.name(number)));
    Ok(ids.collect())
}

/// Open the line of a key that follows the one it has, or the first.
fn open(
    tx: &mut Tx<'_>,
    books: &mut Books,
    terms: &Terms,
    key: &SharedKey,
    number: u32,
) -> Result<[u8; 16], StoreError> {
    let name = key.name(number);
    let facts = ItemFacts {
        fields: None,
        raw: String::new(),
        fixed: None,
        shared: Some(key.clone()),
    };
    let text = serde_json::to_vec(key)
        .map_err(|error| StoreError::Defect(format!("a key could not be written: {error}")))?;
    let content = facts::seal(tx, SealClass::Received, &key.contract, &facts)?;
    // Its charges adjust what its members come to.
    let row = ItemRow {
        entity: key.entity.clone(),
        fingerprint: digest16("shared line", &[&text]),
        state: ItemState::Booked.name().to_owned(),
        project: key.contract.clone(),
        work_date: key.work_date.to_string(),
        approved: true,
        billable: true,
        ..new_item(terms, SOURCE, name, "adjustment", (content, tx.now_us()))
    };
    let id = row.item_id;
    books.open_line(row, key.clone());
    Ok(id)
}

/// Make a charge that is about to be booked a member of its line.
pub(crate) fn join(
    tx: &mut Tx<'_>,
    books: &mut Books,
    terms: &Terms,
    lines: &LineTerms,
    (item_id, charge_no): ([u8; 16], i64),
    facts: &ChargeFacts,
) -> Result<(), StoreError> {
    let key = SharedKey::of(terms, lines, facts)?;
    let line_id = match latest(tx, books, terms, &key)? {
        (_, Some(item)) => item.item_id,
        (_, None) => open(tx, books, terms, &key, 1)?,
    };
    books.members.push(LineMemberRow {
        item_id,
        charge_no,
        line_id,
        version: 1,
    });
    books.touch(line_id);
    Ok(())
}

/// The line of a key that takes members when `frozen` does not: the last one, or a new one.
pub(super) fn next(
    tx: &mut Tx<'_>,
    books: &mut Books,
    terms: &Terms,
    key: &SharedKey,
    frozen: &[u8; 16],
) -> Result<[u8; 16], StoreError> {
    match latest(tx, books, terms, key)? {
        (_, Some(item)) if item.item_id != *frozen => Ok(item.item_id),
        (number, _) => open(tx, books, terms, key, number.saturating_add(1)),
    }
}

/// The key of a line.
pub(crate) fn key_of(
    tx: &mut ReadTx<'_>,
    books: &Books,
    item: &ItemRow,
) -> Result<SharedKey, StoreError> {
    if let Some(key) = books.key_of_line(&item.item_id) {
        return Ok(key.clone());
    }
    let known: Option<ItemFacts> = facts::open(tx, item.content)?;
    known
        .and_then(|facts| facts.shared)
        .ok_or_else(|| inconsistent(format!("line {} has no key", item.source_ref)))
}

//! Pricing every booked charge again, as it was known then: from the version of the reference data that
//! the charge names, the version of the rules, and the inputs that were kept with it. What comes out is
//! compared bit for bit with what is booked: content, steps, digest of the inputs, and the row.
//!
//! Work that was priced with other work (tiers of a week, limits, hour banks) depends on what was there
//! at that moment: its act is carried out again on just that.

mod acts;

use crate::env::{Env, inconsistent};
use crate::error::PassError;
use crate::facts::{self, ChargeFacts, FixedFacts, Inputs, Sharing};
use domain::decimal::Micro;
use domain::entry::EntryFields;
use domain::exception::{Code, Problem};
use domain::ids::ItemId;
use domain::money::Money;
use domain::reference::Reference;
use rules::fixed::price_fixed;
use rules::price::{Priced, price};
use rules::resolve::resolve;
use serde::Serialize;
use std::collections::BTreeMap;
use store::charges::{self, ChargeRow};
use store::{ReadTx, StoreError, snapshots};

/// Charges read at a time.
const PAGE: i64 = 500;
/// Versions of the reference data that are held at a time.
const VERSIONS: usize = 16;

/// A charge that comes out otherwise than it is booked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Differs {
    /// Its item.
    pub item: String,
    /// Its number.
    pub charge: i64,
    /// What is another.
    pub what: String,
}

/// What pricing again came to. Reversals mirror what they take back and are not counted.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Repriced {
    /// Charges that came out bit for bit as booked.
    pub same: u64,
    /// Shared lines whose figures came out as booked.
    pub same_lines: u64,
    /// Charges that were priced with other work and came out bit for bit as booked.
    pub same_with_other_work: u64,
    /// Charges that were priced with other work before it was kept what there was.
    pub before_acts: u64,
    /// Charges whose text was shredded.
    pub shredded: u64,
    /// Charges that did not.
    pub differing: Vec<Differs>,
}

/// Price every booked charge again.
pub async fn reprice(env: &Env) -> Result<Repriced, PassError> {
    let mut repriced = Repriced::default();
    let mut acted = 0_u64;
    let mut known: BTreeMap<i64, Reference> = BTreeMap::new();
    let mut after = ([0_u8; 16], 0_i64);
    loop {
        env.go_on()?;
        let read = move |tx: &mut ReadTx<'_>| {
            let page = charges::page(tx, &after.0, after.1, PAGE)?;
            let mut last = None;
            for row in page {
                last = Some((row.item_id, row.charge_no));
                acted += u64::from(one(tx, &mut known, &row, &mut repriced)?);
            }
            Ok((known, repriced, last, acted))
        };
        let (versions, so_far, last, count) = env.store.read(read).await?;
        (known, repriced, acted) = (versions, so_far, count);
        match last {
            Some(last) => after = last,
            None => return acts::all(env, acted, repriced).await,
        }
    }
}

/// Price one charge again that was priced by itself; true if it names an act.
fn one(
    tx: &mut ReadTx<'_>,
    known: &mut BTreeMap<i64, Reference>,
    row: &ChargeRow,
    repriced: &mut Repriced,
) -> Result<bool, StoreError> {
    if row.reverses.is_some() {
        return Ok(false);
    }
    let booked: Option<ChargeFacts> = facts::open(tx, row.explain)?;
    let Some(booked) = booked else {
        repriced.shredded += 1;
        return Ok(false);
    };
    if let Some(Inputs::Act { .. }) = &booked.inputs {
        return Ok(true);
    }
    let differs = if let Some(Sharing::Line(_)) = &booked.sharing {
        let differs = line(tx, &booked)?;
        repriced.same_lines += u64::from(differs.is_none());
        differs
    } else if let Some(inputs) = &booked.inputs {
        let reference = version(tx, known, row.snapshot_version)?;
        let differs = compare(row, &booked, again(reference, &booked, inputs));
        repriced.same += u64::from(differs.is_none());
        differs
    } else {
        repriced.before_acts += 1;
        None
    };
    repriced.differing.extend(differs.map(|what| Differs {
        item: ItemId(row.item_id).to_string(),
        charge: row.charge_no,
        what,
    }));
    Ok(false)
}

/// A version of the reference data.
fn version<'k>(
    tx: &mut ReadTx<'_>,
    known: &'k mut BTreeMap<i64, Reference>,
    number: i64,
) -> Result<&'k Reference, StoreError> {
    if !known.contains_key(&number) {
        let snapshot = snapshots::get(tx, number)?.ok_or_else(|| {
            inconsistent(format!("version {number} of the reference data is gone"))
        })?;
        let reference = serde_json::from_slice(&snapshot.body).map_err(|error| {
            inconsistent(format!(
                "version {number} of the reference data does not read: {error}"
            ))
        })?;
        while known.len() >= VERSIONS {
            known.pop_first();
        }
        known.insert(number, reference);
    }
    known
        .get(&number)
        .ok_or_else(|| inconsistent("a version was read and is not there"))
}

/// Price it again; why it has no price, if it has none.
fn again(reference: &Reference, booked: &ChargeFacts, inputs: &Inputs) -> Result<Priced, String> {
    let version = booked.explanation.pricing_version;
    let priced = match inputs {
        Inputs::Entry { fields, looked_at } => entry(reference, version, fields, *looked_at),
        Inputs::Fixed(fixed) => amount(reference, fixed),
        Inputs::Act { .. } => return Err("it was priced with other work".to_owned()),
    };
    priced.map_err(|problem| problem.facts)
}

fn entry(
    reference: &Reference,
    version: i64,
    fields: &EntryFields,
    looked_at: bool,
) -> Result<Priced, Problem> {
    let resolved = resolve(reference, fields)?;
    price(version, reference, &resolved, fields, looked_at)
}

fn amount(reference: &Reference, fixed: &FixedFacts) -> Result<Priced, Problem> {
    let mut contracts = reference.contracts.iter();
    let contract = contracts.find(|contract| contract.id == fixed.contract);
    let contract = contract.ok_or_else(|| {
        let words = format!("there is no contract {}", fixed.contract);
        Problem::new(Code::ContractMissing, words)
    })?;
    price_fixed(reference, contract, &fixed.amount, fixed.day).map(|fixed| fixed.priced)
}

/// What of a charge is another than what came out; none if everything is the same.
fn compare(
    row: &ChargeRow,
    booked: &ChargeFacts,
    priced: Result<Priced, String>,
) -> Option<String> {
    let priced = match priced {
        Ok(priced) => priced,
        Err(why) => return Some(format!("it has no price any more: {why}")),
    };
    if priced.content != booked.content {
        let (was, is) = (&booked.content, &priced.content);
        return Some(format!(
            "booked {} x {} = {}, comes out as {} x {} = {}",
            was.quantity, was.rate, was.value, is.quantity, is.rate, is.value
        ));
    }
    if priced.explanation != booked.explanation {
        return Some("its steps are others".to_owned());
    }
    if priced.inputs_digest != row.inputs_digest {
        return Some("its inputs have another digest".to_owned());
    }
    (!is_row_of(row, booked)).then(|| "its row says something else than its text".to_owned())
}

/// Whether a row has the figures of its content.
fn is_row_of(row: &ChargeRow, booked: &ChargeFacts) -> bool {
    let content = &booked.content;
    row.part == content.part.code()
        && row.disposition == content.disposition.name()
        && row.contract == content.contract
        && row.quantity_micro == content.quantity.micro()
        && row.unit == content.unit.name()
        && row.rate_micro == content.rate.micro()
        && row.currency == content.currency().to_string()
        && row.amount_minor == content.amount.amount_minor
        && row.value_minor == content.value.amount_minor
        && row.cost_rate_micro == content.cost_rate.micro()
        && row.cost_currency == content.cost.currency.to_string()
        && row.cost_minor == content.cost.amount_minor
        && row.work_date == content.work_date.to_string()
        && row.posting_date == content.posting_date.to_string()
}

/// What of a shared line is another than its members come to.
fn line(tx: &mut ReadTx<'_>, booked: &ChargeFacts) -> Result<Option<String>, StoreError> {
    let Some(Sharing::Line(line)) = &booked.sharing else {
        return Ok(None);
    };
    let (mut quantity, mut members_minor) = (0_i64, 0_i64);
    for name in &line.members {
        let (item_id, charge_no) = name.key()?;
        let member = charges::get(tx, &item_id, charge_no)?
            .ok_or_else(|| inconsistent(format!("charge {name} is on a line and not booked")))?;
        if member.rate_micro != line.rate.micro() {
            return Ok(Some(format!("{name} is on it at another rate")));
        }
        quantity = quantity.saturating_add(member.quantity_micro);
        members_minor = members_minor.saturating_add(member.amount_minor);
    }
    let currency = booked.content.currency();
    let quantity = Micro::from_micro(quantity);
    let Ok(amount) = Money::times(quantity, line.rate, currency, line.amount_rounding) else {
        return Ok(Some("its amount does not fit".to_owned()));
    };
    let rounding = amount.amount_minor.saturating_sub(members_minor);
    let same = quantity == line.quantity
        && amount == line.amount
        && rounding == booked.content.amount.amount_minor;
    Ok((!same).then(|| {
        format!(
            "printed {} = {}, its members come to {quantity} = {amount}",
            line.quantity, line.amount
        )
    }))
}

//! Lines of documents over the API. A list is taken whole or not at all.

use super::api::{keys_asked, too_large};
use super::check::{self, Facts, refused};
use super::documents::{self, Head};
use super::state::{Erp, Line, Uniqueness};
use super::tamper;
use crate::wire::{WireReply, WireRequest, problem, reply};
use domain::currency::Currency;
use domain::decimal::Micro;
use domain::money::Money;
use domain::posting::DocumentState;
use domain::quantity::Unit;
use domain::rounding::Rounding;
use jiff::civil::Date;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeSet;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Create {
    document: Head,
    lines: Vec<Content>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Content {
    #[serde(default)]
    id: Option<String>,
    key: String,
    quantity: Micro,
    #[serde(default)]
    unit: Unit,
    rate: Micro,
    amount: String,
    work_date: Date,
    service_item_id: String,
    #[serde(default)]
    task_id: Option<String>,
    #[serde(default)]
    worker_id: Option<String>,
    description: String,
    #[serde(default)]
    credits_line_id: Option<String>,
    #[serde(default)]
    corrects_line_id: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Replace {
    lines: Vec<Content>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Delete {
    pub(super) lines: Vec<Named>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Named {
    pub(super) id: String,
    pub(super) key: String,
}

pub(super) fn line_json(erp: &Erp, id: u64, line: &Line) -> Value {
    let document = erp.documents.get(&line.document_id);
    json!({
        "id": id.to_string(),
        "key": line.key,
        "document_id": line.document_id.to_string(),
        "document_state": document.map_or(DocumentState::Missing, |document| document.state),
        "document_number": document.and_then(|document| document.number.as_deref()),
        "customer_id": document.map(|document| document.customer_id.as_str()),
        "quantity": line.quantity,
        "unit": line.unit,
        "rate": line.rate,
        "amount": line.amount.decimal().to_string(),
        "currency": line.amount.currency,
        "work_date": line.work_date,
        "service_item_id": line.service_item_id,
        "task_id": line.task_id,
        "worker_id": line.worker_id,
        "description": line.description,
        "credits_line_id": line.credits_line_id.map(|id| id.to_string()),
        "corrects_line_id": line.corrects_line_id.map(|id| id.to_string()),
        "time_line_id": line.time_line_id.map(|id| id.to_string()),
    })
}

pub(super) fn by_keys(erp: &Erp, request: &WireRequest) -> WireReply {
    let asked: BTreeSet<&str> = match keys_asked(erp, request) {
        Ok(keys) => keys.into_iter().collect(),
        Err(reply) => return reply,
    };
    let items: Vec<Value> = erp
        .lines
        .iter()
        .filter(|(_, line)| line.key.as_deref().is_some_and(|key| asked.contains(key)))
        .map(|(id, line)| line_json(erp, *id, line))
        .collect();
    reply(200, &json!({"items": items}))
}

/// Refuses a batch that is too large, holds a key twice, or holds one that is there already.
pub(super) fn fresh_keys<'a>(
    erp: &Erp,
    keys: impl Iterator<Item = &'a str>,
    held: &BTreeSet<&str>,
) -> Result<(), WireReply> {
    let unique = erp.settings.uniqueness == Uniqueness::UniqueKey;
    let mut seen = BTreeSet::new();
    let mut count = 0_usize;
    for key in keys {
        count = count.saturating_add(1);
        if key.is_empty() || key.len() > 64 {
            return Err(problem(400, "MALFORMED", "a key has 1 to 64 characters"));
        }
        if unique && (!seen.insert(key) || held.contains(key)) {
            return Err(problem(
                409,
                "KEY_EXISTS",
                "a line with a key of this list exists",
            ));
        }
    }
    if count > erp.settings.batch_lines_max {
        return Err(too_large(erp));
    }
    Ok(())
}

fn checked(erp: &Erp, content: &Content, currency: Currency) -> Result<Money, WireReply> {
    check::line(
        erp,
        &Facts {
            quantity: content.quantity,
            work_date: content.work_date,
            service_item_id: &content.service_item_id,
            task_id: content.task_id.as_deref(),
            worker_id: content.worker_id.as_deref(),
        },
    )?;
    check::decimals("rate", content.rate, erp.settings.rate_decimals)?;
    let mismatch = || refused("AMOUNT_MISMATCH", "the amount is not quantity times rate");
    let amount: Micro = content.amount.parse().map_err(|_| mismatch())?;
    let amount = Money::from_decimal(amount.decimal(), currency)
        .map_err(|_| refused("PRECISION", "the amount has more digits than its currency"))?;
    let product = Money::times(content.quantity, content.rate, currency, Rounding::HalfUp)
        .map_err(|_| mismatch())?;
    // Contracts round in different directions: one smallest coin either way is accepted.
    if amount.amount_minor.abs_diff(product.amount_minor) > 1 {
        return Err(mismatch());
    }
    Ok(amount)
}

/// The issued lines that a line is about.
#[derive(Clone, Copy, Default)]
struct About {
    credits: Option<u64>,
    corrects: Option<u64>,
}

fn about(erp: &Erp, content: &Content) -> Result<About, WireReply> {
    Ok(About {
        credits: issued(erp, content.credits_line_id.as_deref())?,
        corrects: issued(erp, content.corrects_line_id.as_deref())?,
    })
}

fn issued(erp: &Erp, named: Option<&str>) -> Result<Option<u64>, WireReply> {
    let Some(named) = named else {
        return Ok(None);
    };
    let found = named
        .parse::<u64>()
        .ok()
        .and_then(|id| erp.lines.get(&id).map(|line| (id, line)))
        .ok_or_else(|| {
            refused(
                "LINE_NOT_FOUND",
                "the line to credit or correct does not exist",
            )
        })?;
    let issued = erp
        .documents
        .get(&found.1.document_id)
        .is_some_and(|document| {
            matches!(
                document.state,
                DocumentState::Issued | DocumentState::Paid | DocumentState::Credited
            )
        });
    if !issued {
        return Err(refused(
            "NOT_ISSUED",
            "the line to credit or correct is on no issued document",
        ));
    }
    Ok(Some(found.0))
}

fn built(content: &Content, document_id: u64, amount: Money, about: About) -> Line {
    Line {
        key: Some(content.key.clone()),
        document_id,
        quantity: content.quantity,
        unit: content.unit,
        rate: content.rate,
        amount,
        work_date: content.work_date,
        service_item_id: content.service_item_id.clone(),
        task_id: content.task_id.clone(),
        worker_id: content.worker_id.clone(),
        description: content.description.clone(),
        credits_line_id: about.credits,
        corrects_line_id: about.corrects,
        time_line_id: None,
    }
}

pub(super) fn create(
    erp: &mut Erp,
    request: &WireRequest,
    now_us: i64,
) -> Result<WireReply, WireReply> {
    let Create { document, lines } = request.json()?;
    let held: BTreeSet<&str> = erp
        .lines
        .values()
        .filter_map(|line| line.key.as_deref())
        .collect();
    fresh_keys(erp, lines.iter().map(|line| line.key.as_str()), &held)?;
    let currency = document.currency;
    let place = documents::place(erp, &document)?;
    let mut checked_lines = Vec::with_capacity(lines.len());
    for line in &lines {
        checked_lines.push((checked(erp, line, currency)?, about(erp, line)?));
    }
    // Nothing was changed so far, and nothing can be refused from here on.
    let document_id = documents::make(erp, document, place, now_us);
    let mut items = Vec::with_capacity(lines.len());
    for (content, (amount, about)) in lines.iter().zip(checked_lines) {
        let line = built(content, document_id, amount, about);
        let id = erp.new_id();
        erp.record_line(now_us, "client", "create", id, &line);
        items.push(line_json(erp, id, &line));
        erp.lines.insert(id, line);
        tamper::after_commit(erp, id);
    }
    let document = documents::document_json(erp, document_id);
    Ok(reply(201, &json!({"document": document, "lines": items})))
}

/// The draft line that a client names by id and key.
fn own_draft_line<'a>(erp: &'a Erp, id: &str, key: &str) -> Result<(u64, &'a Line), WireReply> {
    let (number, line) = id
        .parse::<u64>()
        .ok()
        .and_then(|number| erp.lines.get(&number).map(|line| (number, line)))
        .filter(|(_, line)| line.key.as_deref() == Some(key))
        .ok_or_else(|| {
            refused(
                "LINE_NOT_FOUND",
                "a line with this id and key does not exist",
            )
        })?;
    let draft = erp
        .documents
        .get(&line.document_id)
        .is_some_and(|document| document.state == DocumentState::Draft);
    if !draft {
        return Err(refused(
            "DOCUMENT_NOT_DRAFT",
            "the document is no longer a draft",
        ));
    }
    Ok((number, line))
}

pub(super) fn replace(
    erp: &mut Erp,
    request: &WireRequest,
    now_us: i64,
) -> Result<WireReply, WireReply> {
    let Replace { lines } = request.json()?;
    if lines.len() > erp.settings.batch_lines_max {
        return Err(too_large(erp));
    }
    let mut ready = Vec::with_capacity(lines.len());
    for content in &lines {
        let id = content.id.as_deref().unwrap_or_default();
        let (number, old) = own_draft_line(erp, id, &content.key)?;
        if let Some(document) = erp.documents.get(&old.document_id) {
            check::customer(erp, &document.customer_id)?;
        }
        let amount = checked(erp, content, old.amount.currency)?;
        let about = About {
            credits: old.credits_line_id,
            corrects: old.corrects_line_id,
        };
        let mut line = built(content, old.document_id, amount, about);
        line.time_line_id = old.time_line_id;
        ready.push((number, line));
    }
    let mut items = Vec::with_capacity(ready.len());
    for (id, line) in ready {
        erp.record_line(now_us, "client", "replace", id, &line);
        items.push(line_json(erp, id, &line));
        erp.lines.insert(id, line);
    }
    Ok(reply(200, &json!({"lines": items})))
}

pub(super) fn delete(
    erp: &mut Erp,
    request: &WireRequest,
    now_us: i64,
) -> Result<WireReply, WireReply> {
    let Delete { lines } = request.json()?;
    if lines.len() > erp.settings.batch_lines_max {
        return Err(too_large(erp));
    }
    let mut ready = Vec::with_capacity(lines.len());
    for named in &lines {
        let (id, line) = own_draft_line(erp, &named.id, &named.key)?;
        ready.push((id, line.clone()));
    }
    let mut items = Vec::with_capacity(ready.len());
    for (id, line) in ready {
        items.push(line_json(erp, id, &line));
        erp.lines.remove(&id);
        erp.record_line(now_us, "client", "delete", id, &line);
    }
    Ok(reply(200, &json!({"lines": items})))
}

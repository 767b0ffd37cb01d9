//! Documents over the API, and the strict sequence of their numbers.

use super::check::{self, refused};
use super::state::{Document, Erp};
use crate::wire::{WireReply, WireRequest, problem, reply};
use domain::currency::Currency;
use domain::money::Money;
use domain::posting::DocumentState;
use jiff::civil::Date;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// The document that lines are to stand on.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Head {
    pub(super) key: String,
    pub(super) customer_id: String,
    pub(super) currency: Currency,
    pub(super) document_date: Date,
    pub(super) label: String,
}

pub(super) fn document_json(erp: &Erp, id: u64) -> Option<Value> {
    let document = erp.documents.get(&id)?;
    let untaxed = erp
        .document_lines(id)
        .try_fold(Money::zero(document.currency), |sum, (_, line)| {
            sum.checked_add(line.amount)
        })
        .ok();
    Some(json!({
        "id": id.to_string(),
        "key": document.key,
        "state": document.state,
        "number": document.number,
        "customer_id": document.customer_id,
        "currency": document.currency,
        "document_date": document.document_date,
        "label": document.label,
        "untaxed": untaxed.map(|sum| sum.decimal().to_string()),
        "lines": erp.document_lines(id).count(),
    }))
}

/// The existing draft of a head's key, or `None` for one to be made.
pub(super) fn place(erp: &Erp, head: &Head) -> Result<Option<u64>, WireReply> {
    check::customer(erp, &head.customer_id)?;
    let existing = erp
        .documents
        .iter()
        .find(|(_, document)| document.key.as_deref() == Some(head.key.as_str()));
    if let Some((_, document)) = existing {
        if document.state != DocumentState::Draft {
            return Err(refused(
                "DOCUMENT_NOT_DRAFT",
                "the document with this key is no longer a draft",
            ));
        }
        if document.customer_id != head.customer_id || document.currency != head.currency {
            return Err(refused(
                "CURRENCY_MISMATCH",
                "the document with this key is for another customer or currency",
            ));
        }
    }
    if erp.settings.closed_period_refuses_create {
        let day = existing.map_or(head.document_date, |(_, document)| document.document_date);
        check::period(erp, day)?;
    }
    Ok(existing.map(|(id, _)| *id))
}

/// Take the draft or make it.
pub(super) fn make(erp: &mut Erp, head: Head, place: Option<u64>, now_us: i64) -> u64 {
    if let Some(id) = place {
        return id;
    }
    let id = erp.new_id();
    erp.documents.insert(
        id,
        Document {
            key: Some(head.key),
            customer_id: head.customer_id,
            currency: head.currency,
            document_date: head.document_date,
            label: head.label,
            state: DocumentState::Draft,
            number: None,
        },
    );
    erp.record_document(now_us, "client", "create", id);
    id
}

pub(super) fn find(erp: &Erp, request: &WireRequest) -> WireReply {
    let items: Vec<Value> = match (request.param("key"), request.param("ids")) {
        (Some(key), None) => erp
            .documents
            .iter()
            .filter(|(_, document)| document.key.as_deref() == Some(key))
            .filter_map(|(id, _)| document_json(erp, *id))
            .collect(),
        (None, Some(ids)) => {
            let asked: BTreeSet<u64> = ids.split(',').filter_map(|id| id.parse().ok()).collect();
            if asked.len() > erp.settings.batch_lines_max {
                return super::api::too_large(erp);
            }
            asked
                .into_iter()
                .filter_map(|id| document_json(erp, id))
                .collect()
        }
        _ => return problem(400, "MALFORMED", "give key or ids"),
    };
    reply(200, &json!({"items": items}))
}

/// Withdraw a whole document: a draft or an issued one that was not paid.
pub(super) fn void(erp: &mut Erp, id: &str, now_us: i64) -> Result<WireReply, WireReply> {
    let not_found = || refused("DOCUMENT_NOT_FOUND", "there is no such document");
    let number: u64 = id.parse().map_err(|_| not_found())?;
    withdraw(erp, number, "client", now_us)?;
    document_json(erp, number)
        .map(|document| reply(200, &document))
        .ok_or_else(not_found)
}

pub(super) fn withdraw(
    erp: &mut Erp,
    id: u64,
    actor: &'static str,
    now_us: i64,
) -> Result<(), WireReply> {
    let document = erp
        .documents
        .get(&id)
        .ok_or_else(|| refused("DOCUMENT_NOT_FOUND", "there is no such document"))?;
    match document.state {
        DocumentState::Void => return Ok(()),
        DocumentState::Draft => {}
        DocumentState::Issued => check::period(erp, document.document_date)?,
        DocumentState::Open
        | DocumentState::Paid
        | DocumentState::Credited
        | DocumentState::Missing => {
            return Err(refused(
                "DOCUMENT_NOT_VOIDABLE",
                "a paid or credited document cannot be withdrawn",
            ));
        }
    }
    if let Some(document) = erp.documents.get_mut(&id) {
        document.state = DocumentState::Void;
    }
    erp.record_document(now_us, actor, "void", id);
    Ok(())
}

/// Issue a draft: it takes the next number, without gaps.
pub(super) fn issue(erp: &mut Erp, id: u64, now_us: i64) -> Result<String, WireReply> {
    let document = erp
        .documents
        .get(&id)
        .filter(|document| document.state == DocumentState::Draft)
        .ok_or_else(|| refused("DOCUMENT_NOT_DRAFT", "there is no such draft"))?;
    check::period(erp, document.document_date)?;
    if erp.document_lines(id).next().is_none() {
        return Err(refused(
            "DOCUMENT_EMPTY",
            "a document without lines cannot be issued",
        ));
    }
    let year = document.document_date.year();
    let number = format!("{year}-{:05}", erp.next_number);
    erp.next_number = erp.next_number.saturating_add(1);
    if let Some(document) = erp.documents.get_mut(&id) {
        document.state = DocumentState::Issued;
        document.number = Some(number.clone());
    }
    erp.record_document(now_us, "person", "issue", id);
    mark_credited(erp, id, now_us);
    Ok(number)
}

/// When a document with credits is issued, the documents it credits in full change their state.
fn mark_credited(erp: &mut Erp, credit_id: u64, now_us: i64) {
    let sources: BTreeSet<u64> = erp
        .document_lines(credit_id)
        .filter_map(|(_, line)| line.credits_line_id)
        .filter_map(|id| erp.lines.get(&id).map(|line| line.document_id))
        .collect();
    for source in sources {
        let issued_credits: BTreeSet<u64> = erp
            .lines
            .values()
            .filter(|line| {
                erp.documents
                    .get(&line.document_id)
                    .is_some_and(|document| document.number.is_some())
            })
            .filter_map(|line| line.credits_line_id)
            .collect();
        let whole = erp
            .document_lines(source)
            .all(|(id, _)| issued_credits.contains(&id));
        let issued = erp.documents.get_mut(&source).filter(|document| {
            whole && matches!(document.state, DocumentState::Issued | DocumentState::Paid)
        });
        if let Some(document) = issued {
            document.state = DocumentState::Credited;
            erp.record_document(now_us, "person", "credit", source);
        }
    }
}

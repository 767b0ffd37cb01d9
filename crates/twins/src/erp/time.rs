//! Booked time over the API: timesheet lines that the ERP prices itself, and cost.

use super::api::{keys_asked, too_large};
use super::check::{self, Facts, refused};
use super::lines::{Delete, fresh_keys};
use super::state::{Erp, TimeKind, TimeLine};
use crate::wire::{WireReply, WireRequest, reply};
use domain::posting::DocumentState;
use domain::quantity::{SECONDS_MAX_PER_ENTRY, hours_printed};
use domain::rounding::Rounding;
use jiff::civil::Date;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeSet;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct List {
    lines: Vec<Content>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Content {
    #[serde(default)]
    id: Option<String>,
    key: String,
    kind: TimeKind,
    recorded_seconds: i64,
    work_date: Date,
    posting_date: Date,
    service_item_id: String,
    task_id: String,
    worker_id: String,
    description: String,
}

pub(super) fn time_line_json(erp: &Erp, id: u64, line: &TimeLine) -> Value {
    let invoice = line.invoiced_by.and_then(|id| erp.lines.get(&id));
    let document = invoice.and_then(|line| erp.documents.get(&line.document_id));
    json!({
        "id": id.to_string(),
        "key": line.key,
        "kind": line.kind,
        "quantity": line.quantity,
        "recorded_seconds": line.recorded_seconds,
        "work_date": line.work_date,
        "posting_date": line.posting_date,
        "service_item_id": line.service_item_id,
        "task_id": line.task_id,
        "worker_id": line.worker_id,
        "description": line.description,
        "document_id": invoice.map(|line| line.document_id.to_string()),
        "document_state": document.map_or(DocumentState::Open, |document| document.state),
        "document_number": document.and_then(|document| document.number.as_deref()),
        "rate": invoice.map(|line| line.rate),
        "amount": invoice.map(|line| line.amount.decimal().to_string()),
        "currency": invoice.map(|line| line.amount.currency),
    })
}

pub(super) fn by_keys(erp: &Erp, request: &WireRequest) -> WireReply {
    let asked: BTreeSet<&str> = match keys_asked(erp, request) {
        Ok(keys) => keys.into_iter().collect(),
        Err(reply) => return reply,
    };
    let items: Vec<Value> = erp
        .time_lines
        .iter()
        .filter(|(_, line)| asked.contains(line.key.as_str()))
        .map(|(id, line)| time_line_json(erp, *id, line))
        .collect();
    reply(200, &json!({"items": items}))
}

fn checked(erp: &Erp, content: &Content) -> Result<TimeLine, WireReply> {
    let quantity = Some(content.recorded_seconds)
        .filter(|seconds| (1..=SECONDS_MAX_PER_ENTRY).contains(seconds))
        .and_then(|seconds| hours_printed(seconds, 2, Rounding::HalfUp))
        .ok_or_else(|| refused("TIME_INVALID", "time is more than 0 and at most a day"))?;
    check::line(
        erp,
        &Facts {
            quantity,
            work_date: content.work_date,
            service_item_id: &content.service_item_id,
            task_id: Some(&content.task_id),
            worker_id: Some(&content.worker_id),
        },
    )?;
    if erp.settings.closed_period_refuses_create {
        check::period(erp, content.posting_date)?;
    }
    Ok(TimeLine {
        key: content.key.clone(),
        kind: content.kind,
        quantity,
        recorded_seconds: content.recorded_seconds,
        work_date: content.work_date,
        posting_date: content.posting_date,
        service_item_id: content.service_item_id.clone(),
        task_id: content.task_id.clone(),
        worker_id: content.worker_id.clone(),
        description: content.description.clone(),
        invoiced_by: None,
    })
}

pub(super) fn create(
    erp: &mut Erp,
    request: &WireRequest,
    now_us: i64,
) -> Result<WireReply, WireReply> {
    let List { lines } = request.json()?;
    let held: BTreeSet<&str> = erp
        .time_lines
        .values()
        .map(|line| line.key.as_str())
        .collect();
    fresh_keys(erp, lines.iter().map(|line| line.key.as_str()), &held)?;
    let mut ready = Vec::with_capacity(lines.len());
    for content in &lines {
        ready.push(checked(erp, content)?);
    }
    let mut items = Vec::with_capacity(ready.len());
    for line in ready {
        let id = erp.new_id();
        erp.record_time(now_us, "client", "create", id, &line);
        items.push(time_line_json(erp, id, &line));
        erp.time_lines.insert(id, line);
    }
    Ok(reply(201, &json!({"lines": items})))
}

/// Booked time that a client names by id and key, and that was not invoiced.
fn own_line<'a>(erp: &'a Erp, id: &str, key: &str) -> Result<(u64, &'a TimeLine), WireReply> {
    let found = id
        .parse::<u64>()
        .ok()
        .and_then(|number| erp.time_lines.get(&number).map(|line| (number, line)))
        .filter(|(_, line)| line.key == key)
        .ok_or_else(|| {
            refused(
                "LINE_NOT_FOUND",
                "a line with this id and key does not exist",
            )
        })?;
    if found.1.invoiced_by.is_some() {
        return Err(refused("LINE_INVOICED", "the time was invoiced already"));
    }
    Ok(found)
}

pub(super) fn replace(
    erp: &mut Erp,
    request: &WireRequest,
    now_us: i64,
) -> Result<WireReply, WireReply> {
    let List { lines } = request.json()?;
    if lines.len() > erp.settings.batch_lines_max {
        return Err(too_large(erp));
    }
    let mut ready = Vec::with_capacity(lines.len());
    for content in &lines {
        let id = content.id.as_deref().unwrap_or_default();
        let (number, _) = own_line(erp, id, &content.key)?;
        ready.push((number, checked(erp, content)?));
    }
    let mut items = Vec::with_capacity(ready.len());
    for (id, line) in ready {
        erp.record_time(now_us, "client", "replace", id, &line);
        items.push(time_line_json(erp, id, &line));
        erp.time_lines.insert(id, line);
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
        let (id, line) = own_line(erp, &named.id, &named.key)?;
        ready.push((id, line.clone()));
    }
    let mut items = Vec::with_capacity(ready.len());
    for (id, line) in ready {
        items.push(time_line_json(erp, id, &line));
        erp.time_lines.remove(&id);
        erp.record_time(now_us, "client", "delete", id, &line);
    }
    Ok(reply(200, &json!({"lines": items})))
}

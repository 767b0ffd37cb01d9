//! The ERP's API, as `docs/reference-api/erp.openapi.json` describes it.

use super::state::{Erp, Uniqueness};
use super::{documents, lines, time};
use crate::page::{Cut, Quirk, page};
use crate::wire::{WireReply, WireRequest, no_such_address, problem, reply};
use serde_json::{Value, json};

pub(super) fn company_json(erp: &Erp) -> Value {
    json!({
        "id": erp.company_id,
        "name": erp.company_name,
        "api_version": "1",
        "uniqueness": match erp.settings.uniqueness {
            Uniqueness::UniqueKey => "unique_key",
            Uniqueness::LookUp => "look_up",
        },
        "quantity_decimals": erp.settings.quantity_decimals,
        "rate_decimals": erp.settings.rate_decimals,
        "batch_lines_max": erp.settings.batch_lines_max,
        "page_size_max": erp.settings.page_size_max,
        "may_write_lines": true,
        "may_write_time": true,
    })
}

pub(super) fn answer(erp: &mut Erp, request: &WireRequest, now_us: i64, quirk: Quirk) -> WireReply {
    let remembered = request
        .header("idempotency-key")
        .filter(|_| erp.settings.honours_idempotency_key && request.writes())
        .map(str::to_owned);
    let Some(key) = remembered else {
        return route(erp, request, now_us, quirk);
    };
    if let Some((body, reply)) = erp.replies.get(&key) {
        return if *body == request.body {
            reply.clone()
        } else {
            problem(
                422,
                "IDEMPOTENCY_KEY_REUSED",
                "this Idempotency-Key came with another body before",
            )
        };
    }
    let reply = route(erp, request, now_us, quirk);
    erp.replies
        .insert(key, (request.body.clone(), reply.clone()));
    reply
}

fn route(erp: &mut Erp, request: &WireRequest, now_us: i64, quirk: Quirk) -> WireReply {
    let segments = request.segments();
    let parts: Vec<&str> = segments.iter().skip(1).map(String::as_str).collect();
    let done = |result: Result<WireReply, WireReply>| result.unwrap_or_else(|refused| refused);
    match (request.method.as_str(), parts.as_slice()) {
        ("GET", ["company"]) => reply(200, &company_json(erp)),
        ("GET", ["lines" | "time-lines"]) if request.param("keyed").is_some() => {
            keyed(erp, parts.first().copied() == Some("lines"), request, quirk)
        }
        ("GET", ["lines"]) => lines::by_keys(erp, request),
        ("POST", ["lines"]) => done(lines::create(erp, request, now_us)),
        ("PUT", ["lines"]) => done(lines::replace(erp, request, now_us)),
        ("POST", ["lines", "delete"]) => done(lines::delete(erp, request, now_us)),
        ("GET", ["time-lines"]) => time::by_keys(erp, request),
        ("POST", ["time-lines"]) => done(time::create(erp, request, now_us)),
        ("PUT", ["time-lines"]) => done(time::replace(erp, request, now_us)),
        ("POST", ["time-lines", "delete"]) => done(time::delete(erp, request, now_us)),
        ("GET", ["documents"]) => documents::find(erp, request),
        ("POST", ["documents", id, "void"]) => done(documents::void(erp, id, now_us)),
        ("GET", [collection]) => masters(erp, collection, request, quirk),
        _ => no_such_address(),
    }
}

/// The record's own fields and its id.
fn with_id<T: serde::Serialize>(id: &str, record: &T) -> Value {
    let mut value = json!(record);
    if let Some(fields) = value.as_object_mut() {
        fields.insert("id".to_owned(), json!(id));
    }
    value
}

fn masters(erp: &Erp, collection: &str, request: &WireRequest, quirk: Quirk) -> WireReply {
    let rows: Vec<Value> = match collection {
        "customers" => erp.customers.iter().map(|(id, r)| with_id(id, r)).collect(),
        "projects" => erp.projects.iter().map(|(id, r)| with_id(id, r)).collect(),
        "tasks" => erp.tasks.iter().map(|(id, r)| with_id(id, r)).collect(),
        "workers" => erp.workers.iter().map(|(id, r)| with_id(id, r)).collect(),
        "service-items" => erp
            .service_items
            .iter()
            .map(|(id, r)| with_id(id, r))
            .collect(),
        "periods" => erp.periods.iter().map(|r| with_id(&r.name, r)).collect(),
        _ => return no_such_address(),
    };
    let cut = Cut {
        size_max: erp.settings.page_size_max,
        snapshot: "masters",
        quirk,
    };
    page(request, &rows, Value::clone, &cut)
}

/// Every line with a key, in pages.
fn keyed(erp: &Erp, of_documents: bool, request: &WireRequest, quirk: Quirk) -> WireReply {
    let rows: Vec<Value> = if of_documents {
        let keyed = erp.lines.iter().filter(|(_, line)| line.key.is_some());
        keyed
            .map(|(id, line)| lines::line_json(erp, *id, line))
            .collect()
    } else {
        let kind = request.param("kind").unwrap_or_default();
        let all = erp.time_lines.iter();
        all.map(|(id, line)| time::time_line_json(erp, *id, line))
            .filter(|row| row["kind"] == kind)
            .collect()
    };
    let cut = Cut {
        size_max: erp.settings.page_size_max,
        snapshot: "lines",
        quirk,
    };
    page(request, &rows, Value::clone, &cut)
}

/// The keys of a `keys` parameter, at most a batch of them.
pub(super) fn keys_asked<'a>(
    erp: &Erp,
    request: &'a WireRequest,
) -> Result<Vec<&'a str>, WireReply> {
    let keys: Vec<&str> = request
        .param("keys")
        .ok_or_else(|| problem(400, "MALFORMED", "keys is needed"))?
        .split(',')
        .filter(|key| !key.is_empty())
        .collect();
    if keys.len() > erp.settings.batch_lines_max {
        return Err(too_large(erp));
    }
    Ok(keys)
}

pub(super) fn too_large(erp: &Erp) -> WireReply {
    problem(
        413,
        "BATCH_TOO_LARGE",
        &format!("at most {} at a time", erp.settings.batch_lines_max),
    )
}

//! People at work on documents and lines in the ERP's own screens.

use super::documents;
use super::state::{Document, Erp, Line, TimeKind, TimeLine};
use crate::wire::WireReply;
use domain::currency::Currency;
use domain::decimal::Micro;
use domain::money::Money;
use domain::posting::DocumentState;
use domain::quantity::Unit;
use domain::rounding::Rounding;
use jiff::civil::Date;
use serde_json::{Value, json};
use std::collections::BTreeMap;

fn words(reply: &WireReply) -> String {
    serde_json::from_slice::<Value>(&reply.body)
        .ok()
        .and_then(|body| body.get("detail")?.as_str().map(str::to_owned))
        .unwrap_or_else(|| "refused".to_owned())
}

fn draft_line(erp: &Erp, named: &str) -> Result<(u64, Line), String> {
    let (id, line) = erp
        .lines
        .iter()
        .find(|(id, line)| id.to_string() == named || line.key.as_deref() == Some(named))
        .ok_or("there is no such line")?;
    let draft = erp
        .documents
        .get(&line.document_id)
        .is_some_and(|document| document.state == DocumentState::Draft);
    if draft {
        Ok((*id, line.clone()))
    } else {
        Err("the document is no longer a draft".to_owned())
    }
}

fn document(erp: &Erp, named: &str) -> Result<u64, String> {
    erp.documents
        .iter()
        .find(|(id, document)| {
            id.to_string() == named
                || document.key.as_deref() == Some(named)
                || document.number.as_deref() == Some(named)
        })
        .map(|(id, _)| *id)
        .ok_or_else(|| "there is no such document".to_owned())
}

pub(super) fn edit_line(
    erp: &mut Erp,
    named: &str,
    quantity: Option<Micro>,
    rate: Option<Micro>,
    description: Option<&str>,
    now_us: i64,
) -> Result<Value, String> {
    let (id, mut line) = draft_line(erp, named)?;
    line.quantity = quantity.unwrap_or(line.quantity);
    line.rate = rate.unwrap_or(line.rate);
    if let Some(description) = description {
        description.clone_into(&mut line.description);
    }
    line.amount = Money::times(
        line.quantity,
        line.rate,
        line.amount.currency,
        Rounding::HalfUp,
    )
    .map_err(|error| error.to_string())?;
    erp.record_line(now_us, "person", "edit", id, &line);
    erp.lines.insert(id, line);
    Ok(json!({"edited": id.to_string()}))
}

pub(super) fn delete_line(erp: &mut Erp, named: &str, now_us: i64) -> Result<Value, String> {
    let (id, line) = draft_line(erp, named)?;
    remove_line(erp, id, &line, now_us);
    Ok(json!({"deleted": id.to_string()}))
}

/// A line that goes frees the booked time it invoiced.
fn remove_line(erp: &mut Erp, id: u64, line: &Line, now_us: i64) {
    erp.lines.remove(&id);
    let time = line
        .time_line_id
        .and_then(|time| erp.time_lines.get_mut(&time));
    if let Some(time) = time {
        time.invoiced_by = None;
    }
    erp.record_line(now_us, "person", "delete", id, line);
}

fn new_draft(erp: &mut Erp, draft: Document, now_us: i64) -> u64 {
    let id = erp.new_id();
    erp.documents.insert(id, draft);
    erp.record_document(now_us, "person", "create", id);
    id
}

pub(super) fn move_line(
    erp: &mut Erp,
    named: &str,
    to: Option<&str>,
    now_us: i64,
) -> Result<Value, String> {
    let (id, mut line) = draft_line(erp, named)?;
    let from = erp
        .documents
        .get(&line.document_id)
        .cloned()
        .ok_or("there is no such document")?;
    let to = match to {
        Some(named) => {
            let to = document(erp, named)?;
            let fits = erp.documents.get(&to).is_some_and(|document| {
                document.state == DocumentState::Draft
                    && document.customer_id == from.customer_id
                    && document.currency == from.currency
            });
            if !fits {
                return Err("lines move between drafts of one customer and currency".to_owned());
            }
            to
        }
        None => new_draft(
            erp,
            Document {
                key: None,
                label: format!("{} (split)", from.label),
                ..from
            },
            now_us,
        ),
    };
    line.document_id = to;
    erp.record_line(now_us, "person", "move", id, &line);
    erp.lines.insert(id, line);
    Ok(json!({"moved": id.to_string(), "document": to.to_string()}))
}

pub(super) fn delete_draft(erp: &mut Erp, named: &str, now_us: i64) -> Result<Value, String> {
    let id = document(erp, named)?;
    let draft = erp
        .documents
        .get(&id)
        .is_some_and(|document| document.state == DocumentState::Draft);
    if !draft {
        return Err("the document is no longer a draft".to_owned());
    }
    let lines: Vec<(u64, Line)> = erp
        .document_lines(id)
        .map(|(id, line)| (id, line.clone()))
        .collect();
    for (line_id, line) in lines {
        remove_line(erp, line_id, &line, now_us);
    }
    erp.record_document(now_us, "person", "delete", id);
    erp.documents.remove(&id);
    Ok(json!({"deleted": id.to_string()}))
}

pub(super) fn issue(erp: &mut Erp, named: &str, now_us: i64) -> Result<Value, String> {
    let id = document(erp, named)?;
    documents::issue(erp, id, now_us)
        .map(|number| json!({"number": number}))
        .map_err(|reply| words(&reply))
}

pub(super) fn issue_all(erp: &mut Erp, now_us: i64) -> Value {
    let drafts: Vec<u64> = erp
        .documents
        .iter()
        .filter(|(_, document)| document.state == DocumentState::Draft)
        .map(|(id, _)| *id)
        .collect();
    let numbers: Vec<String> = drafts
        .into_iter()
        .filter_map(|id| documents::issue(erp, id, now_us).ok())
        .collect();
    json!({"numbers": numbers})
}

pub(super) fn pay(erp: &mut Erp, named: &str, now_us: i64) -> Result<Value, String> {
    let id = document(erp, named)?;
    let issued = erp
        .documents
        .get_mut(&id)
        .filter(|document| document.state == DocumentState::Issued)
        .ok_or("only an issued document can be paid")?;
    issued.state = DocumentState::Paid;
    erp.record_document(now_us, "person", "pay", id);
    Ok(json!({"paid": id.to_string()}))
}

pub(super) fn void(erp: &mut Erp, named: &str, now_us: i64) -> Result<Value, String> {
    let id = document(erp, named)?;
    documents::withdraw(erp, id, "person", now_us).map_err(|reply| words(&reply))?;
    Ok(json!({"void": id.to_string()}))
}

/// A credit note that mirrors every line, issued at once.
pub(super) fn credit(erp: &mut Erp, named: &str, now_us: i64) -> Result<Value, String> {
    let id = document(erp, named)?;
    let source = erp
        .documents
        .get(&id)
        .filter(|document| matches!(document.state, DocumentState::Issued | DocumentState::Paid))
        .cloned()
        .ok_or("only an issued document can be credited")?;
    let mut mirrored = Vec::new();
    for (line_id, line) in erp.document_lines(id) {
        let amount = line.amount.negated().map_err(|error| error.to_string())?;
        let quantity = line.quantity.micro().checked_neg().ok_or("too large")?;
        mirrored.push(Line {
            key: None,
            quantity: Micro::from_micro(quantity),
            amount,
            credits_line_id: Some(line_id),
            corrects_line_id: None,
            time_line_id: None,
            ..line.clone()
        });
    }
    let note = new_draft(
        erp,
        Document {
            key: None,
            label: format!("Credit of {}", source.number.as_deref().unwrap_or("?")),
            state: DocumentState::Draft,
            number: None,
            ..source
        },
        now_us,
    );
    for mut line in mirrored {
        line.document_id = note;
        let line_id = erp.new_id();
        erp.record_line(now_us, "person", "create", line_id, &line);
        erp.lines.insert(line_id, line);
    }
    // The period may be closed: then the note stays a draft and the document what it was.
    documents::issue(erp, note, now_us)
        .map(|number| json!({"credit_note": note.to_string(), "number": number}))
        .map_err(|reply| words(&reply))
}

fn list_price(erp: &Erp, time: &TimeLine) -> Option<(Micro, Currency)> {
    let project_id = &erp.tasks.get(&time.task_id)?.project_id;
    let role = erp
        .workers
        .get(&time.worker_id)
        .map(|worker| worker.role.as_str())?;
    erp.list_prices
        .iter()
        .filter(|price| {
            &price.project_id == project_id
                && price.from <= time.work_date
                && price.to.is_none_or(|to| time.work_date < to)
                && price
                    .worker_id
                    .as_ref()
                    .is_none_or(|id| *id == time.worker_id)
                && price.role.as_deref().is_none_or(|named| named == role)
        })
        .max_by_key(|price| (price.worker_id.is_some(), price.role.is_some()))
        .map(|price| (price.rate, price.currency))
}

/// The ERP invoices a project's booked time with its own prices: one draft per currency.
pub(super) fn invoice_time(
    erp: &mut Erp,
    project: &str,
    document_date: Date,
    now_us: i64,
) -> Result<Value, String> {
    let (project_id, customer_id) = erp
        .projects
        .iter()
        .find(|(id, record)| id.as_str() == project || record.code == project)
        .and_then(|(id, record)| Some((id.clone(), record.customer_id.clone()?)))
        .ok_or("there is no such project with a customer")?;
    let open: Vec<(u64, TimeLine)> = erp
        .time_lines
        .iter()
        .filter(|(_, time)| {
            time.kind == TimeKind::Timesheet
                && time.invoiced_by.is_none()
                && erp
                    .tasks
                    .get(&time.task_id)
                    .is_some_and(|task| task.project_id == project_id)
        })
        .map(|(id, time)| (*id, time.clone()))
        .collect();
    let mut drafts: BTreeMap<Currency, u64> = BTreeMap::new();
    let mut invoiced = 0_usize;
    for (time_id, time) in open {
        let Some((rate, currency)) = list_price(erp, &time) else {
            continue;
        };
        let amount = Money::times(time.quantity, rate, currency, Rounding::HalfUp)
            .map_err(|error| error.to_string())?;
        let document_id = *drafts.entry(currency).or_insert_with(|| {
            let draft = Document {
                key: None,
                customer_id: customer_id.clone(),
                currency,
                document_date,
                label: format!("Time of {project}"),
                state: DocumentState::Draft,
                number: None,
            };
            new_draft(erp, draft, now_us)
        });
        let line = Line {
            key: None,
            document_id,
            quantity: time.quantity,
            unit: Unit::Hour,
            rate,
            amount,
            work_date: time.work_date,
            service_item_id: time.service_item_id.clone(),
            task_id: Some(time.task_id.clone()),
            worker_id: Some(time.worker_id.clone()),
            description: time.description.clone(),
            credits_line_id: None,
            corrects_line_id: None,
            time_line_id: Some(time_id),
        };
        let line_id = erp.new_id();
        erp.record_line(now_us, "person", "invoice", line_id, &line);
        erp.lines.insert(line_id, line);
        if let Some(time) = erp.time_lines.get_mut(&time_id) {
            time.invoiced_by = Some(line_id);
        }
        invoiced = invoiced.saturating_add(1);
    }
    let documents: Vec<String> = drafts.values().map(ToString::to_string).collect();
    Ok(json!({"documents": documents, "lines": invoiced}))
}

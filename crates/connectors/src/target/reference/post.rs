//! Writing lines: one call for a batch, whole or not at all.

use super::ReferenceErp;
use super::states::collection;
use super::wire::{Line, Written};
use crate::reference_rest::errors::Fault;
use crate::reference_rest::{encoded, read_json};
use connector_sdk::call::CallError;
use connector_sdk::target::{
    Call, DocumentHead, FoundLine, LineOutcome, PostBatch, PostLine, Shape,
};
use connector_sdk::transport::{Effect, Method, Reply};
use domain::exception::{Code, Problem};
use domain::posting::PostingKind;
use serde_json::{Value, json};
use std::collections::BTreeMap;

fn refused(code: Code, facts: &str) -> CallError {
    CallError::Refused {
        problem: Problem::new(code, facts),
    }
}

/// A line's content on a document.
fn document_line(kind: PostingKind, line: &PostLine) -> Value {
    let mut content = json!({
        "key": line.line_key,
        "quantity": line.quantity,
        "rate": line.rate,
        "amount": line.amount.decimal().to_string(),
        "work_date": line.work_date,
        "service_item_id": line.service_item_ref,
        "task_id": line.task_ref,
        "worker_id": line.worker_ref,
        "description": line.description,
    });
    let named = match kind {
        PostingKind::ReplaceLine => Some("id"),
        PostingKind::Credit => Some("credits_line_id"),
        PostingKind::CreateLine | PostingKind::DeleteLine | PostingKind::Void => None,
    };
    if let (Some(name), Some(fields)) = (named, content.as_object_mut()) {
        fields.insert(name.to_owned(), json!(line.erp_line_ref));
    }
    content
}

/// A line's content as booked time.
fn time_line(batch: &PostBatch, line: &PostLine) -> Value {
    let mut content = json!({
        "key": line.line_key,
        "kind": match batch.document.shape {
            Shape::Cost => "cost",
            Shape::Timesheet | Shape::DraftLine => "timesheet",
        },
        "quantity": line.quantity,
        "recorded_seconds": line.recorded_seconds,
        "work_date": line.work_date,
        "posting_date": batch.document.document_date,
        "service_item_id": line.service_item_ref,
        "task_id": line.task_ref,
        "worker_id": line.worker_ref,
        "description": line.description,
    });
    if let (PostingKind::ReplaceLine, Some(fields)) = (batch.kind, content.as_object_mut()) {
        fields.insert("id".to_owned(), json!(line.erp_line_ref));
    }
    content
}

fn head(document: &DocumentHead) -> Result<Value, CallError> {
    let customer = document.customer_ref.as_deref().ok_or_else(|| {
        refused(
            Code::CustomerUnmapped,
            "a document with lines needs a customer",
        )
    })?;
    Ok(json!({
        "key": document.document_key,
        "customer_id": customer,
        "currency": document.currency,
        "document_date": document.document_date,
        "label": document.label,
    }))
}

/// Method, path and body of a batch of lines.
fn request(batch: &PostBatch, lines: &[&PostLine]) -> Result<(Method, String, Value), CallError> {
    let shape = batch.document.shape;
    let place = collection(shape);
    let contents = || -> Vec<Value> {
        lines
            .iter()
            .map(|line| match shape {
                Shape::DraftLine => document_line(batch.kind, line),
                Shape::Timesheet | Shape::Cost => time_line(batch, line),
            })
            .collect()
    };
    match (batch.kind, shape) {
        (PostingKind::CreateLine | PostingKind::Credit, Shape::DraftLine) => Ok((
            Method::Post,
            place.to_owned(),
            json!({"document": head(&batch.document)?, "lines": contents()}),
        )),
        (PostingKind::CreateLine, Shape::Timesheet | Shape::Cost) => {
            Ok((Method::Post, place.to_owned(), json!({"lines": contents()})))
        }
        (PostingKind::ReplaceLine, _) => {
            Ok((Method::Put, place.to_owned(), json!({"lines": contents()})))
        }
        (PostingKind::DeleteLine, _) => {
            let named: Vec<Value> = lines
                .iter()
                .map(|line| json!({"id": line.erp_line_ref, "key": line.line_key}))
                .collect();
            Ok((
                Method::Post,
                format!("{place}/delete"),
                json!({"lines": named}),
            ))
        }
        (PostingKind::Credit, Shape::Timesheet | Shape::Cost) => Err(refused(
            Code::ErpRejected,
            "booked time is corrected by replacing or deleting it; the ERP credits what it \
             invoiced itself",
        )),
        (PostingKind::Void, _) => Err(refused(Code::ErpRejected, "only a document can be voided")),
    }
}

impl ReferenceErp {
    pub(super) async fn post_batch(
        &self,
        call: &Call,
        batch: &PostBatch,
    ) -> Result<Vec<LineOutcome>, CallError> {
        if batch.kind == PostingKind::Void {
            return self.void(call, batch).await;
        }
        let names_line = matches!(
            batch.kind,
            PostingKind::ReplaceLine | PostingKind::DeleteLine | PostingKind::Credit
        );
        if names_line && batch.lines.iter().any(|line| line.erp_line_ref.is_none()) {
            return Err(refused(
                Code::LineMissing,
                "the line to change has no id in the ERP",
            ));
        }
        let all: Vec<&PostLine> = batch.lines.iter().collect();
        if all.is_empty() {
            return Ok(Vec::new());
        }
        match self.send(call, batch, &all).await {
            Ok(outcomes) => Ok(outcomes),
            Err(Fault::KeyExists { words }) => self.around_held(call, batch, &words).await,
            Err(fault) => Err(fault.into_call_error()),
        }
    }

    async fn send(
        &self,
        call: &Call,
        batch: &PostBatch,
        lines: &[&PostLine],
    ) -> Result<Vec<LineOutcome>, Fault> {
        let (method, path, body) = request(batch, lines)?;
        let reply = self
            .rest
            .write(method, &path, body.to_string().into_bytes(), call)
            .await?;
        Ok(outcomes(batch.kind, lines, &reply)?)
    }

    /// Some keys are on lines already. Nothing of the call was executed: the lines that are there
    /// are reported, and the others are sent once more without them.
    async fn around_held(
        &self,
        call: &Call,
        batch: &PostBatch,
        words: &str,
    ) -> Result<Vec<LineOutcome>, CallError> {
        let keys: Vec<String> = batch.lines.iter().map(|l| l.line_key.clone()).collect();
        // Up to here nothing was executed: what the look-up meets is no doubt about the call.
        let found = self
            .lines_by_keys(batch.document.shape, &keys)
            .await
            .map_err(not_yet)?;
        let mut held: BTreeMap<String, FoundLine> = BTreeMap::new();
        for line in found {
            held.entry(line.line_key.clone()).or_insert(line);
        }
        if held.is_empty() {
            return Err(CallError::NotExecuted {
                words: format!("{words}, but a look-up finds none; it may be in the making"),
                retry_after_ms: Some(1000),
            });
        }
        let rest: Vec<&PostLine> = batch
            .lines
            .iter()
            .filter(|line| !held.contains_key(&line.line_key))
            .collect();
        let mut sent = if rest.is_empty() {
            Vec::new()
        } else {
            let second = Call {
                // Another body needs another attempt key.
                attempt_key: format!("{}-rest", call.attempt_key),
                ..call.clone()
            };
            self.send(&second, batch, &rest)
                .await
                .map_err(Fault::into_call_error)?
        }
        .into_iter();
        batch
            .lines
            .iter()
            .map(|line| match held.remove(&line.line_key) {
                Some(found) => Ok(LineOutcome::AlreadyThere(Box::new(found))),
                None => sent.next().ok_or_else(unmatched),
            })
            .collect()
    }

    async fn void(&self, call: &Call, batch: &PostBatch) -> Result<Vec<LineOutcome>, CallError> {
        let Some(erp_ref) = batch.document.erp_ref.as_deref() else {
            return Err(refused(
                Code::LineMissing,
                "the document to void has no id in the ERP",
            ));
        };
        let path = format!("documents/{}/void", encoded(erp_ref));
        match self.rest.write(Method::Post, &path, Vec::new(), call).await {
            Ok(_) => Ok(batch
                .lines
                .iter()
                .map(|line| LineOutcome::Done {
                    line_ref: line
                        .erp_line_ref
                        .clone()
                        .unwrap_or_else(|| erp_ref.to_owned()),
                    document_ref: Some(erp_ref.to_owned()),
                })
                .collect()),
            Err(Fault::Gone { words }) => Err(CallError::Refused {
                problem: Problem::new(Code::LineMissing, "the document to void does not exist")
                    .with_words(words),
            }),
            Err(fault) => Err(fault.into_call_error()),
        }
    }
}

/// A look-up between two sends executed nothing, whatever became of it.
fn not_yet(error: CallError) -> CallError {
    match error {
        CallError::Ambiguous { words } => CallError::NotExecuted {
            words,
            retry_after_ms: None,
        },
        other => other,
    }
}

fn unmatched() -> CallError {
    CallError::Ambiguous {
        words: "the ERP's answer does not match the lines that were sent".to_owned(),
    }
}

/// One outcome per line, if the answer names exactly the lines that were sent.
fn outcomes(
    kind: PostingKind,
    lines: &[&PostLine],
    reply: &Reply,
) -> Result<Vec<LineOutcome>, CallError> {
    let written: Written = read_json(Effect::Write, reply)?;
    if written.lines.len() != lines.len() {
        return Err(unmatched());
    }
    lines
        .iter()
        .zip(written.lines)
        .map(|(sent, theirs)| {
            if answers(kind, sent, &theirs) {
                Ok(LineOutcome::Done {
                    line_ref: theirs.id,
                    document_ref: theirs.document_id,
                })
            } else {
                Err(unmatched())
            }
        })
        .collect()
}

fn answers(kind: PostingKind, sent: &PostLine, theirs: &Line) -> bool {
    let same_key = theirs.key.as_deref() == Some(sent.line_key.as_str());
    let amount = theirs
        .amount
        .zip(theirs.currency)
        .map(|(amount, currency)| (amount.decimal(), currency));
    let same_content = theirs.quantity == sent.quantity
        && amount
            .is_none_or(|own| own == (sent.amount.decimal().normalize(), sent.amount.currency));
    same_key && (kind == PostingKind::DeleteLine || same_content)
}

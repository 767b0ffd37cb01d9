//! Writing lines: one call for a batch, whole or not at all.

use super::states::collection;
use super::wire::{Line, Written};
use super::{KeyMode, ReferenceErp};
use crate::reference_rest::errors::Fault;
use crate::reference_rest::{encoded, read_json};
use connector_sdk::call::CallError;
use connector_sdk::target::{
    Call, DocumentHead, FoundLine, LineOutcome, PostBatch, PostLine, Shape,
};
use connector_sdk::transport::{Effect, Method, Reply};
use domain::exception::{Code, Problem};
use domain::posting::PostingKind;
use domain::quantity::hours_printed;
use domain::rounding::Rounding;
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
        "unit": line.unit,
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
        PostingKind::Difference => Some("corrects_line_id"),
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
        (
            PostingKind::CreateLine | PostingKind::Credit | PostingKind::Difference,
            Shape::DraftLine,
        ) => Ok((
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
        (PostingKind::Credit | PostingKind::Difference, Shape::Timesheet | Shape::Cost) => {
            Err(refused(
                Code::ErpRejected,
                "booked time is corrected by replacing or deleting it; the ERP credits what it \
             invoiced itself",
            ))
        }
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
        let creates = matches!(batch.kind, PostingKind::CreateLine | PostingKind::Credit);
        if creates && self.config.uniqueness == KeyMode::LookUp {
            // The ERP would take a second line of a key: look before anything is sent.
            let held = self.standing(batch).await?;
            return self.around(call, batch, held).await;
        }
        match self.send(call, batch, &all).await {
            Ok(outcomes) => Ok(outcomes),
            Err(Fault::KeyExists { words }) => {
                let held = self.standing(batch).await?;
                if held.is_empty() {
                    return Err(CallError::NotExecuted {
                        words: format!(
                            "{words}, but a look-up finds none; it may be in the making"
                        ),
                        retry_after_ms: Some(1000),
                    });
                }
                self.around(call, batch, held).await
            }
            Err(Fault::Call(CallError::Refused { problem }))
                if batch.kind == PostingKind::DeleteLine && problem.code == Code::LineMissing =>
            {
                self.delete_the_rest(call, batch, problem).await
            }
            Err(fault) => Err(fault.into_call_error()),
        }
    }

    /// The lines of a batch that stand in the ERP. Nothing of the call was executed so far: what
    /// the look-up meets is no doubt about it.
    async fn standing(&self, batch: &PostBatch) -> Result<BTreeMap<String, FoundLine>, CallError> {
        let keys: Vec<String> = batch.lines.iter().map(|l| l.line_key.clone()).collect();
        let found = self
            .lines_by_keys(batch.document.shape, &keys)
            .await
            .map_err(not_yet)?;
        let mut held = BTreeMap::new();
        for line in found {
            held.entry(line.line_key.clone()).or_insert(line);
        }
        Ok(held)
    }

    /// A deletion was refused because a line is gone. Gone is what was wanted: the others are
    /// deleted without it.
    async fn delete_the_rest(
        &self,
        call: &Call,
        batch: &PostBatch,
        problem: Problem,
    ) -> Result<Vec<LineOutcome>, CallError> {
        let held = self.standing(batch).await?;
        let rest: Vec<&PostLine> = batch
            .lines
            .iter()
            .filter(|line| held.contains_key(&line.line_key))
            .collect();
        if rest.len() == batch.lines.len() {
            return Err(CallError::Refused { problem });
        }
        let mut sent = self.send_rest(call, batch, &rest).await?.into_iter();
        batch
            .lines
            .iter()
            .map(|line| {
                if held.contains_key(&line.line_key) {
                    sent.next().ok_or_else(unmatched)
                } else {
                    Ok(LineOutcome::Done {
                        line_ref: line.erp_line_ref.clone().unwrap_or_default(),
                        document_ref: batch.document.erp_ref.clone(),
                    })
                }
            })
            .collect()
    }

    /// Send the part of a batch that is left.
    async fn send_rest(
        &self,
        call: &Call,
        batch: &PostBatch,
        rest: &[&PostLine],
    ) -> Result<Vec<LineOutcome>, CallError> {
        if rest.is_empty() {
            return Ok(Vec::new());
        }
        // Another body needs another attempt key.
        let part = if rest.len() == batch.lines.len() {
            call.clone()
        } else {
            Call {
                attempt_key: format!("{}-rest", call.attempt_key),
                ..call.clone()
            }
        };
        self.send(&part, batch, rest)
            .await
            .map_err(Fault::into_call_error)
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
        Ok(outcomes(batch, lines, &reply)?)
    }

    /// Report the lines that are there and send the others.
    async fn around(
        &self,
        call: &Call,
        batch: &PostBatch,
        mut held: BTreeMap<String, FoundLine>,
    ) -> Result<Vec<LineOutcome>, CallError> {
        let rest: Vec<&PostLine> = batch
            .lines
            .iter()
            .filter(|line| !held.contains_key(&line.line_key))
            .collect();
        let mut sent = self.send_rest(call, batch, &rest).await?.into_iter();
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
    batch: &PostBatch,
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
            if answers(batch, sent, &theirs) {
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

/// Whether the ERP's line is the one that was sent. Booked time is compared by its time: what the
/// ERP makes of it is the ERP's price.
fn answers(batch: &PostBatch, sent: &PostLine, theirs: &Line) -> bool {
    let same_key = theirs.key.as_deref() == Some(sent.line_key.as_str());
    let same_content = match batch.document.shape {
        Shape::DraftLine => {
            let own = (sent.amount.decimal().normalize(), sent.amount.currency);
            let amount = theirs.amount.zip(theirs.currency);
            theirs.quantity == sent.quantity
                && amount.is_some_and(|(amount, currency)| (amount.decimal(), currency) == own)
        }
        Shape::Timesheet | Shape::Cost => {
            let recorded = hours_printed(sent.recorded_seconds, 2, Rounding::HalfUp);
            let booked = Rounding::HalfUp.to_digits(theirs.quantity.decimal(), 2);
            recorded.is_some_and(|recorded| recorded.decimal() == booked.normalize())
        }
    };
    same_key && (batch.kind == PostingKind::DeleteLine || same_content)
}

//! Looking lines and documents up.

use super::config::KeyMode;
use super::wire::{Line, parse_documents, parse_lines};
use super::{LOOK_UP_MAX, ReferenceErp};
use crate::reference_rest::encoded;
use crate::reference_rest::errors::{Fault, of_body};
use crate::reference_rest::wire::{BodyError, parsed};
use connector_sdk::call::CallError;
use connector_sdk::target::{DocumentReport, FoundLine, Shape};
use connector_sdk::transport::Effect;
use domain::posting::DocumentState;
use std::collections::BTreeSet;

/// The collection that holds lines of a shape.
pub(super) const fn collection(shape: Shape) -> &'static str {
    match shape {
        Shape::DraftLine => "lines",
        Shape::Timesheet | Shape::Cost => "time-lines",
    }
}

fn listed(values: &[String]) -> String {
    let parts: Vec<String> = values.iter().map(|value| encoded(value)).collect();
    parts.join(",")
}

fn not_asked() -> CallError {
    CallError::Contract {
        words: "the ERP gave a record that was not asked for: it does not filter".to_owned(),
    }
}

impl ReferenceErp {
    pub(super) async fn lines_by_keys(
        &self,
        shape: Shape,
        keys: &[String],
    ) -> Result<Vec<FoundLine>, CallError> {
        let mut found = Vec::new();
        for part in keys.chunks(LOOK_UP_MAX.min(self.config.batch_lines_max)) {
            let path = format!("{}?keys={}", collection(shape), listed(part));
            let reply = self.rest.get(&path).await.map_err(Fault::into_call_error)?;
            let lines = parse_lines(&reply.body).map_err(|error| of_body(error, Effect::Read))?;
            if lines.iter().any(|line| !part.contains(&line.line_key)) {
                return Err(not_asked());
            }
            found.extend(lines);
        }
        Ok(found)
    }

    /// Every line of a shape that carries a key. Without keys of its own the ERP has no list of them.
    pub(super) async fn lines_with_keys(
        &self,
        shape: Shape,
    ) -> Result<Option<Vec<FoundLine>>, CallError> {
        if self.config.uniqueness == KeyMode::LookUp {
            return Ok(None);
        }
        let path = match shape {
            Shape::DraftLine => "lines?keyed=true",
            Shape::Timesheet => "time-lines?keyed=true&kind=timesheet",
            Shape::Cost => "time-lines?keyed=true&kind=cost",
        };
        let mut lines = Vec::new();
        for row in self.rest.list(path).await? {
            let line: Line =
                parsed(row.text.as_bytes()).map_err(|error| of_body(error, Effect::Read))?;
            let found = line
                .found()
                .ok_or_else(|| of_body(BodyError::Shape, Effect::Read))?;
            lines.push(found);
        }
        Ok(Some(lines))
    }

    /// Booked time stands on no document of ours, so that there is none to find.
    pub(super) async fn document_by_key(
        &self,
        shape: Shape,
        key: &str,
    ) -> Result<Option<DocumentReport>, CallError> {
        if shape != Shape::DraftLine {
            return Ok(None);
        }
        let path = format!("documents?key={}", encoded(key));
        let reply = self.rest.get(&path).await.map_err(Fault::into_call_error)?;
        let mut documents =
            parse_documents(&reply.body).map_err(|error| of_body(error, Effect::Read))?;
        match documents.len() {
            0 | 1 => Ok(documents.pop()),
            several => Err(CallError::Contract {
                words: format!("the ERP has {several} documents of one key"),
            }),
        }
    }

    pub(super) async fn documents_by_ids(
        &self,
        ids: &[String],
    ) -> Result<Vec<DocumentReport>, CallError> {
        let mut reports = Vec::new();
        for part in ids.chunks(LOOK_UP_MAX.min(self.config.batch_lines_max)) {
            let path = format!("documents?ids={}", listed(part));
            let reply = self.rest.get(&path).await.map_err(Fault::into_call_error)?;
            let found =
                parse_documents(&reply.body).map_err(|error| of_body(error, Effect::Read))?;
            if found.iter().any(|report| !part.contains(&report.erp_ref)) {
                return Err(not_asked());
            }
            let there: BTreeSet<String> = found.iter().map(|r| r.erp_ref.clone()).collect();
            reports.extend(found);
            let missing: BTreeSet<&String> =
                part.iter().filter(|id| !there.contains(*id)).collect();
            reports.extend(missing.into_iter().map(|id| DocumentReport {
                erp_ref: id.clone(),
                state: DocumentState::Missing,
                number: None,
                untaxed: None,
            }));
        }
        Ok(reports)
    }
}

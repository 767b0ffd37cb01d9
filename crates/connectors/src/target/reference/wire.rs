//! Lines and documents as the ERP sends them, and their canonical form.

use crate::reference_rest::wire::{BodyError, parsed};
use connector_sdk::target::{DocumentReport, FoundLine, Shape};
use domain::currency::Currency;
use domain::decimal::Micro;
use domain::money::Money;
use domain::posting::DocumentState;
use jiff::civil::Date;
use serde::Deserialize;

/// A line of a document, or booked time.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Line {
    pub(super) id: String,
    pub(super) key: Option<String>,
    pub(super) document_id: Option<String>,
    pub(super) document_state: DocumentState,
    pub(super) document_number: Option<String>,
    pub(super) quantity: Micro,
    pub(super) rate: Option<Micro>,
    pub(super) amount: Option<Micro>,
    pub(super) currency: Option<Currency>,
    pub(super) work_date: Date,
    /// What booked time is; lines of documents have none.
    pub(super) kind: Option<Kind>,
}

/// What booked time is.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Kind {
    /// The ERP prices and invoices it.
    Timesheet,
    /// Cost.
    Cost,
}

impl Line {
    /// The canonical form; `None` where the amount is none of its currency.
    pub(super) fn found(self) -> Option<FoundLine> {
        let amount = match (self.amount, self.currency) {
            (Some(amount), Some(currency)) => {
                Some(Money::from_decimal(amount.decimal(), currency).ok()?)
            }
            (None, _) => None,
            (Some(_), None) => return None,
        };
        Some(FoundLine {
            line_key: self.key.unwrap_or_default(),
            shape: Some(match self.kind {
                None => Shape::DraftLine,
                Some(Kind::Timesheet) => Shape::Timesheet,
                Some(Kind::Cost) => Shape::Cost,
            }),
            line_ref: self.id,
            document_ref: self.document_id,
            document_state: self.document_state,
            document_number: self.document_number,
            quantity: self.quantity,
            rate: self.rate,
            amount,
            work_date: Some(self.work_date),
        })
    }
}

/// The answer to a look-up.
#[derive(Debug, Deserialize)]
struct Items<T> {
    items: Vec<T>,
}

/// The answer to a write of lines.
#[derive(Debug, Deserialize)]
pub(super) struct Written {
    pub(super) lines: Vec<Line>,
}

/// A document.
#[derive(Debug, Clone, Deserialize)]
struct Document {
    id: String,
    state: DocumentState,
    number: Option<String>,
    currency: Currency,
    untaxed: Option<Micro>,
}

/// Read the answer to a look-up of lines.
pub fn parse_lines(body: &[u8]) -> Result<Vec<FoundLine>, BodyError> {
    let answer: Items<Line> = parsed(body)?;
    answer
        .items
        .into_iter()
        .map(|line| line.found().ok_or(BodyError::Shape))
        .collect()
}

/// Read the answer to a look-up of documents.
pub fn parse_documents(body: &[u8]) -> Result<Vec<DocumentReport>, BodyError> {
    let answer: Items<Document> = parsed(body)?;
    answer
        .items
        .into_iter()
        .map(|document| {
            let untaxed = document
                .untaxed
                .map(|sum| Money::from_decimal(sum.decimal(), document.currency))
                .transpose()
                .map_err(|_| BodyError::Shape)?;
            Ok(DocumentReport {
                erp_ref: document.id,
                state: document.state,
                number: document.number,
                untaxed,
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const LINE: &str = r#"{"items":[{"id":"9","key":"K","document_id":"3","document_state":"draft",
        "document_number":null,"quantity":"1.33","rate":"187.1234","amount":"248.87",
        "currency":"EUR","work_date":"2026-10-05","more":true}]}"#;

    #[test]
    fn a_line_is_read_exactly_or_not_at_all() {
        let lines = parse_lines(LINE.as_bytes()).unwrap();
        assert_eq!(lines[0].amount.unwrap().to_string(), "EUR 248.87");
        for (from, to) in [
            ("\"248.87\"", "248.87"),
            ("\"248.87\"", "\"248.875\""),
            ("\"EUR\"", "null"),
            ("\"draft\"", "\"maybe\""),
            ("\"1.33\"", "\"1,33\""),
        ] {
            let changed = LINE.replace(from, to);
            assert_eq!(
                parse_lines(changed.as_bytes()),
                Err(BodyError::Shape),
                "{to}"
            );
        }
        let cut = LINE.get(..LINE.len() / 2).unwrap();
        assert_eq!(parse_lines(cut.as_bytes()), Err(BodyError::Truncated));
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _lines = parse_lines(&bytes);
            let _documents = parse_documents(&bytes);
        }
    }
}

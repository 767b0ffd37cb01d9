//! Booked time as it stands: by key, with the invoice that Tryton made of it, if any.

use super::errors::Fault;
use super::json::Json;
use super::states::parse_ref;
use super::wire::Record;
use super::{KeyPlace, Tryton};
use connector_sdk::call::CallError;
use connector_sdk::target::{Call, FoundLine, LineOutcome, PostBatch, PostLine};
use domain::exception::{Code, Problem};
use domain::posting::DocumentState;
use domain::quantity::hours_printed;
use domain::rounding::Rounding;
use std::collections::BTreeMap;

const FIELDS: [&str; 6] = [
    "employee",
    "work",
    "date",
    "duration",
    "invoice_line.invoice",
    "invoice_line.unit_price",
];

/// One booked entry as it stands.
#[derive(Debug, Clone)]
pub(super) struct Booked {
    pub(super) id: i64,
    pub(super) found: FoundLine,
    pub(super) invoiced: bool,
}

impl Tryton {
    const fn time_key_field(&self) -> &'static str {
        match self.config.uniqueness {
            KeyPlace::Module => "external_key",
            KeyPlace::LookUp => "description",
        }
    }

    pub(super) async fn booked_of(
        &self,
        batch: &PostBatch,
    ) -> Result<BTreeMap<String, Booked>, CallError> {
        let keys: Vec<String> = batch
            .lines
            .iter()
            .map(|line| line.line_key.clone())
            .collect();
        self.booked(&keys).await
    }

    pub(super) async fn booked(
        &self,
        keys: &[String],
    ) -> Result<BTreeMap<String, Booked>, CallError> {
        let place = self.time_key_field();
        let rows = self.by_key("timesheet.line", place, keys, &FIELDS).await?;
        let mut ids = Vec::new();
        for row in rows.values() {
            ids.extend(Record(row).id_or_none("invoice_line.invoice")?);
        }
        ids.sort_unstable();
        ids.dedup();
        let invoices = self.invoices(&ids, false).await?;
        let mut booked = BTreeMap::new();
        for (key, row) in &rows {
            let record = Record(row);
            let invoice = record.id_or_none("invoice_line.invoice")?;
            let known = invoice.and_then(|id| invoices.get(&id));
            let seconds = record.seconds("duration")?.unwrap_or_default();
            let found = FoundLine {
                line_key: key.clone(),
                // Which of the two it is depends on how its project is invoiced.
                shape: None,
                line_ref: record.id("id")?.to_string(),
                document_ref: invoice.map(|id| id.to_string()),
                document_state: known.map_or(DocumentState::Open, |invoice| invoice.state),
                document_number: known.and_then(|invoice| invoice.number.clone()),
                quantity: hours_printed(seconds, 6, Rounding::HalfUp).unwrap_or_default(),
                rate: record.micro("invoice_line.unit_price")?,
                // One line of Tryton's invoice covers many entries: none has an amount.
                amount: None,
                work_date: record.date("date")?,
            };
            let invoiced = record.value("invoice_line.id").is_some();
            booked.insert(
                key.clone(),
                Booked {
                    id: record.id("id")?,
                    found,
                    invoiced,
                },
            );
        }
        Ok(booked)
    }

    /// [`connector_sdk::target::Target::look_up`] for booked time.
    pub(super) async fn find_times(&self, keys: &[String]) -> Result<Vec<FoundLine>, CallError> {
        Ok(self
            .booked(keys)
            .await?
            .into_values()
            .map(|booked| booked.found)
            .collect())
    }

    /// Let Tryton invoice what is booked on a project. It answers no id: the invoice is found
    /// through the entries. "Nothing to invoice" comes as a refusal.
    pub async fn invoice_project(&self, call: &Call, project_ref: &str) -> Result<(), CallError> {
        let context = self.facts().await?.context();
        let Some(id) = parse_ref(project_ref) else {
            return Err(CallError::Contract {
                words: "that is no id of a project".to_owned(),
            });
        };
        let params = vec![Json::ints(&[id])];
        let method = "model.project.work.invoice";
        self.rpc
            .write(call, method, params, &context)
            .await
            .map_err(Fault::into_call_error)?;
        Ok(())
    }
}

pub(super) fn done(booked: &Booked) -> LineOutcome {
    LineOutcome::Done {
        line_ref: booked.found.line_ref.clone(),
        document_ref: booked.found.document_ref.clone(),
    }
}

pub(super) fn changeable<'a>(
    line: &PostLine,
    found: &'a BTreeMap<String, Booked>,
) -> Result<Option<&'a Booked>, Problem> {
    let Some(booked) = found.get(&line.line_key) else {
        return Ok(None);
    };
    if line
        .erp_line_ref
        .as_ref()
        .is_some_and(|erp_ref| *erp_ref != booked.found.line_ref)
    {
        let facts = "the key is on another entry than the one to change";
        return Err(Problem::new(Code::KeyHeldByOtherContent, facts));
    }
    if booked.invoiced {
        let facts = "Tryton has invoiced the entry: it can no longer be changed";
        return Err(Problem::new(Code::ErpRejected, facts));
    }
    Ok(Some(booked))
}

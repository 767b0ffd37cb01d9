//! Changes to lines that are there: replaced, taken off, or voided with their draft.
//!
//! Lines are found by their keys, wherever people moved them, and changed through the invoice
//! they stand in. The call names the version of that invoice that was read: if anybody changed
//! it in between, Tryton refuses and nothing is done.

use super::Tryton;
use super::defaults::{Buyer, LineDefaults, precheck};
use super::errors::Fault;
use super::invoices::refuse_all;
use super::json::Json;
use super::lookup::Line;
use super::states::{Invoice, parse_ref};
use super::wire::{decimal, quantity};
use connector_sdk::call::CallError;
use connector_sdk::target::{Call, LineOutcome, PostBatch, PostLine};
use domain::exception::{Code, Problem};
use domain::posting::DocumentState;
use std::collections::BTreeMap;

fn done(line: &Line) -> LineOutcome {
    LineOutcome::Done {
        line_ref: line.id.to_string(),
        document_ref: line.invoice.map(|id| id.to_string()),
    }
}

/// The draft that a line may be changed on.
fn draft_of<'a>(line: &Line, invoices: &'a BTreeMap<i64, Invoice>) -> Result<&'a Invoice, Problem> {
    let refuse = |facts: String| Problem::new(Code::ErpRejected, facts);
    let invoice = line
        .invoice
        .and_then(|id| invoices.get(&id))
        .ok_or_else(|| refuse("the line stands in no invoice".to_owned()))?;
    if invoice.takes_lines {
        Ok(invoice)
    } else {
        let (name, state) = (invoice.name(), &invoice.state_name);
        Err(Problem::new(
            Code::DocumentClosed,
            format!("the line's invoice {name} is {state} and can no longer be changed"),
        ))
    }
}

/// The line to change: found by its key, and the very line that the posting means.
fn meant<'a>(
    line: &PostLine,
    found: &'a BTreeMap<String, Line>,
) -> Result<Option<&'a Line>, Problem> {
    let Some(there) = found.get(&line.line_key) else {
        return Ok(None);
    };
    match line.erp_line_ref.as_deref() {
        Some(erp_ref) if parse_ref(erp_ref) != Some(there.id) => Err(Problem::new(
            Code::KeyHeldByOtherContent,
            format!("the key is on line {}, not on {erp_ref}", there.id),
        )),
        _ => Ok(Some(there)),
    }
}

/// Changes to the lines of several drafts: one write, one transaction.
#[derive(Default)]
struct Changes {
    by_invoice: BTreeMap<i64, (String, Vec<Json>)>,
}

impl Changes {
    fn add(&mut self, invoice: &Invoice, action: Json) {
        let entry = self.by_invoice.entry(invoice.id);
        entry
            .or_insert_with(|| (invoice.timestamp.clone(), Vec::new()))
            .1
            .push(action);
    }
}

impl Tryton {
    async fn send_changes(&self, call: &Call, changes: Changes) -> Result<(), CallError> {
        if changes.by_invoice.is_empty() {
            return Ok(());
        }
        let mut context = self.facts().await?.context();
        let versions = changes
            .by_invoice
            .iter()
            .map(|(id, (version, _))| (format!("account.invoice,{id}"), Json::text(version)))
            .collect();
        context.push(("_timestamp".to_owned(), Json::Object(versions)));
        let params = changes
            .by_invoice
            .into_iter()
            .flat_map(|(id, (_, actions))| {
                [
                    Json::ints(&[id]),
                    Json::object([("lines", Json::List(actions))]),
                ]
            })
            .collect();
        let method = "model.account.invoice.write";
        self.rpc
            .write(call, method, params, &context)
            .await
            .map_err(Fault::into_call_error)?;
        Ok(())
    }

    async fn found(
        &self,
        batch: &PostBatch,
    ) -> Result<(BTreeMap<String, Line>, BTreeMap<i64, Invoice>), CallError> {
        let keys: Vec<String> = batch
            .lines
            .iter()
            .map(|line| line.line_key.clone())
            .collect();
        let found = self.lines_by_key(&keys).await?;
        let invoices = self.invoices_of(found.values()).await?;
        Ok((found, invoices))
    }

    /// [`domain::posting::PostingKind::ReplaceLine`].
    pub(super) async fn replace_lines(
        &self,
        call: &Call,
        batch: &PostBatch,
    ) -> Result<Vec<LineOutcome>, CallError> {
        let facts = self.facts().await?;
        let (found, invoices) = self.found(batch).await?;
        let mut changes = Changes::default();
        let mut outcomes = Vec::new();
        for line in &batch.lines {
            let target = precheck(line, &facts).and_then(|product| {
                let there = meant(line, &found)?.ok_or_else(|| {
                    Problem::new(Code::LineMissing, "the line to replace is not in Tryton")
                })?;
                let invoice = draft_of(there, &invoices)?;
                if invoice.currency != batch.document.currency {
                    let facts = format!("the line's invoice is in {}", invoice.currency);
                    return Err(Problem::new(Code::CurrencyMismatch, facts));
                }
                let (unit, _) = facts.unit(line.unit)?;
                Ok(((product, unit), there, invoice))
            });
            let outcome = match target {
                Ok((product, there, invoice)) => {
                    let buyer = Buyer {
                        company: facts.company,
                        party: invoice.party,
                        currency: self.currency(invoice.currency).await?,
                        date: invoice.date.unwrap_or(batch.document.document_date),
                    };
                    let mut defaults = self.line_defaults(buyer, std::iter::once(product)).await?;
                    match defaults.remove(&product) {
                        Some(Ok(filled)) => {
                            let values = new_content(line, there, product, &filled);
                            let write = vec![Json::text("write"), Json::ints(&[there.id]), values];
                            changes.add(invoice, Json::List(write));
                            done(there)
                        }
                        Some(Err(problem)) => LineOutcome::Refused(problem),
                        None => LineOutcome::Refused(Problem::new(
                            Code::ServiceItemUnmapped,
                            "the service item is not known",
                        )),
                    }
                }
                Err(problem) => LineOutcome::Refused(problem),
            };
            outcomes.push(outcome);
        }
        self.send_changes(call, changes).await?;
        Ok(outcomes)
    }

    /// [`domain::posting::PostingKind::DeleteLine`]. A line that is not there is deleted.
    pub(super) async fn delete_lines(
        &self,
        call: &Call,
        batch: &PostBatch,
    ) -> Result<Vec<LineOutcome>, CallError> {
        let (found, invoices) = self.found(batch).await?;
        let mut changes = Changes::default();
        let mut outcomes = Vec::new();
        for line in &batch.lines {
            outcomes.push(match meant(line, &found) {
                Ok(None) => LineOutcome::Done {
                    line_ref: line.erp_line_ref.clone().unwrap_or_default(),
                    document_ref: batch.document.erp_ref.clone(),
                },
                Ok(Some(there)) => match draft_of(there, &invoices) {
                    Ok(invoice) => {
                        let delete = vec![Json::text("delete"), Json::ints(&[there.id])];
                        changes.add(invoice, Json::List(delete));
                        done(there)
                    }
                    Err(problem) => LineOutcome::Refused(problem),
                },
                Err(problem) => LineOutcome::Refused(problem),
            });
        }
        self.send_changes(call, changes).await?;
        Ok(outcomes)
    }

    /// [`domain::posting::PostingKind::Void`]: cancel the draft. It keeps its lines and keys.
    pub(super) async fn void(
        &self,
        call: &Call,
        batch: &PostBatch,
    ) -> Result<Vec<LineOutcome>, CallError> {
        let head = &batch.document;
        let known = match head.erp_ref.as_deref().and_then(parse_ref) {
            Some(id) => self.invoices(&[id], false).await?.remove(&id),
            None => self.invoice_of_key(&head.document_key, false).await?,
        };
        let document_ref = known.as_ref().map(|invoice| invoice.id.to_string());
        match known {
            // Gone or cancelled already: what was asked for is so.
            None => {}
            Some(invoice) if invoice.state == DocumentState::Void => {}
            Some(invoice) if invoice.state == DocumentState::Draft => {
                let facts = self.facts().await?;
                let mut context = facts.context();
                let version = (
                    format!("account.invoice,{}", invoice.id),
                    Json::text(&invoice.timestamp),
                );
                context.push(("_timestamp".to_owned(), Json::Object(vec![version])));
                let params = vec![Json::ints(&[invoice.id])];
                let method = "model.account.invoice.cancel";
                let sent = self.rpc.write(call, method, params, &context).await;
                sent.map_err(Fault::into_call_error)?;
            }
            Some(invoice) => {
                let facts = format!("the invoice {} is {}", invoice.name(), invoice.state_name);
                return Ok(refuse_all(batch, &Problem::new(Code::ErpRejected, facts)));
            }
        }
        let outcome = |line: &PostLine| LineOutcome::Done {
            line_ref: line.erp_line_ref.clone().unwrap_or_default(),
            document_ref: document_ref.clone().or_else(|| head.erp_ref.clone()),
        };
        Ok(batch.lines.iter().map(outcome).collect())
    }
}

/// The whole new content. Taxes are named as a difference: Tryton applies removals last, so a
/// tax removed and added in one call is gone.
fn new_content(
    line: &PostLine,
    there: &Line,
    (product, unit): (i64, i64),
    filled: &LineDefaults,
) -> Json {
    let of = |ids: Vec<i64>, action: &str| {
        (!ids.is_empty()).then(|| Json::List(vec![Json::text(action), Json::ints(&ids)]))
    };
    let surplus = there
        .taxes
        .iter()
        .filter(|tax| !filled.taxes.contains(tax))
        .copied()
        .collect();
    let absent = filled
        .taxes
        .iter()
        .filter(|tax| !there.taxes.contains(tax))
        .copied()
        .collect();
    let taxes: Vec<Json> = [of(surplus, "remove"), of(absent, "add")]
        .into_iter()
        .flatten()
        .collect();
    let mut members: Vec<(String, Json)> = [
        ("product", Json::int(product)),
        ("unit", Json::int(unit)),
        ("account", Json::int(filled.account)),
        ("quantity", quantity(line.quantity)),
        ("unit_price", decimal(line.rate.decimal())),
        ("description", Json::text(&line.description)),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into();
    if !taxes.is_empty() {
        members.push(("taxes".to_owned(), Json::List(taxes)));
    }
    Json::Object(members)
}

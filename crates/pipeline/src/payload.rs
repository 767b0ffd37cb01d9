//! What is sent: the lines of one call, put together from the ledger, the same at every reading.

use crate::description::{description, difference_to};
use crate::env::{Terms, inconsistent};
use crate::facts::{self, ItemFacts};
use crate::postings::{
    amended_by, charge_facts, document_of, document_shape, first_of, is_difference, kind_of,
};
use connector_sdk::target::{DocumentHead, PostBatch, PostLine};
use domain::decimal::Micro;
use domain::money::Money;
use domain::posting::PostingKind;
use jiff::civil::Date;
use store::documents::DocumentRow;
use store::postings::PostingRow;
use store::{ReadTx, StoreError, charges, items, postings};

/// The head of a document as the ERP is to know it.
pub fn head_of(
    terms: &Terms,
    document: &DocumentRow,
    customer_ref: Option<String>,
) -> Result<DocumentHead, StoreError> {
    let first: Date = format!("{}-01", document.period)
        .parse()
        .map_err(|_| inconsistent(format!("period '{}'", document.period)))?;
    let what = document
        .group_key
        .split_once(':')
        .map_or(document.group_key.as_str(), |(_, v)| v);
    let again = if document.generation > 1 {
        format!(" ({})", document.generation)
    } else {
        String::new()
    };
    Ok(DocumentHead {
        document_key: document.document_key.clone(),
        shape: document_shape(document)?,
        erp_ref: document.erp_ref.clone(),
        customer_ref,
        currency: document
            .currency
            .parse()
            .map_err(|error| inconsistent(format!("currency: {error}")))?,
        document_date: first.last_of_month(),
        label: format!(
            "{what} {}{again} [{}]",
            document.period, terms.settings.flow
        ),
    })
}

/// The batch of one call.
pub fn batch_of(
    tx: &mut ReadTx<'_>,
    terms: &Terms,
    document: &DocumentRow,
    rows: &[PostingRow],
) -> Result<PostBatch, StoreError> {
    let mut lines = Vec::with_capacity(rows.len());
    let mut customer_ref = None;
    let mut kind = None;
    for row in rows {
        let (line, customer) = line_of(tx, terms, document, row)?;
        customer_ref = customer_ref.or(customer);
        kind = kind.or(Some(kind_of(row)?));
        lines.push(line);
    }
    Ok(PostBatch {
        kind: kind.ok_or_else(|| inconsistent("a call without lines"))?,
        document: head_of(terms, document, customer_ref)?,
        lines,
    })
}

fn line_of(
    tx: &mut ReadTx<'_>,
    terms: &Terms,
    document: &DocumentRow,
    row: &PostingRow,
) -> Result<(PostLine, Option<String>), StoreError> {
    let item =
        items::get(tx, &row.item_id)?.ok_or_else(|| inconsistent("a posting without its item"))?;
    let charge = charges::get(tx, &row.item_id, row.charge_no)?
        .ok_or_else(|| inconsistent("a posting without its charge"))?;
    let facts = charge_facts(tx, &charge)?;
    let content: Option<ItemFacts> = facts::open(tx, item.content)?;
    let (fields, fixed) = content.map_or((None, None), |content| (content.fields, content.fixed));
    let narrative = match (&fields, &fixed) {
        (Some(fields), _) => fields.narrative.as_str(),
        (None, Some(fixed)) => fixed.amount.text.as_str(),
        (None, None) => "",
    };
    let kind = kind_of(row)?;
    let amended = match amended_by(row) {
        Some((document_id, number)) => postings::get(tx, &document_id, number)?,
        None => None,
    };
    let erp_line_ref = match &amended {
        Some(amended) => amended.erp_line_ref.clone(),
        None => row.erp_line_ref.clone(),
    };
    let currency = document
        .currency
        .parse()
        .map_err(|error| inconsistent(format!("currency: {error}")))?;
    let shape = document_shape(document)?;
    let mut description = description(terms, shape, &charge, &facts, (kind, narrative));
    if let Some(amended) = &amended {
        let own = postings::list_for_item(tx, &row.item_id)?;
        let taken_back = kind == PostingKind::Credit && is_difference(amended, &own)?;
        if taken_back || is_difference(row, &own)? {
            let number = match first_of(row, &own) {
                Some(first) => document_of(tx, &first.document_id)?.erp_number,
                None => None,
            };
            let now = (!taken_back).then_some(&facts.content);
            description = difference_to(&description, number.as_deref(), now);
        }
    }
    let line = PostLine {
        posting_key: row.posting_key.clone(),
        line_key: row.line_key.clone(),
        erp_line_ref,
        quantity: Micro::from_micro(row.quantity_micro),
        unit: facts.content.unit,
        rate: Micro::from_micro(row.rate_micro),
        amount: Money {
            amount_minor: row.amount_minor,
            currency,
        },
        recorded_seconds: facts.content.recorded_seconds,
        work_date: facts.content.work_date,
        service_item_ref: facts.refs.service_item.clone(),
        task_ref: facts.refs.task.clone(),
        worker_ref: facts.refs.worker.clone(),
        description,
    };
    Ok((line, facts.refs.customer))
}

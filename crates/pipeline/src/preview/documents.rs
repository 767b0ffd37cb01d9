//! What a change would send, by document: what is planned, and what follows once that is settled.

use crate::books::{Books, series_of};
use crate::env::{Env, Terms, inconsistent};
use crate::error::PassError;
use crate::plan::Wanted;
use crate::postings::{document_state, kind_of, state_of};
use crate::shared;
use crate::states;
use crate::strand::{postings_of_part, wanted_now};
use domain::posting::{PostingKind, PostingState};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use store::documents::DocumentRow;
use store::postings::PostingRow;
use store::{ReadTx, StoreError, charges, documents, postings};

/// What would be sent to one document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ByDocument {
    /// The ERP's number or id of it; none = it would be made.
    pub document: Option<String>,
    /// The shape of its lines.
    pub shape: String,
    /// The customer's code.
    pub customer: String,
    /// The grouping value.
    pub group_key: String,
    /// The accounting period.
    pub period: String,
    /// The currency.
    pub currency: String,
    /// New lines.
    pub new_lines: u64,
    /// Lines of a draft with other content.
    pub replaced_lines: u64,
    /// Lines taken off a draft.
    pub deleted_lines: u64,
    /// Lines that credit lines of issued documents.
    pub credited_lines: u64,
    /// By how much the document's total changes, in minor units.
    pub change_minor: i64,
}

impl ByDocument {
    fn home(&self) -> (&str, &str, &str, &str, &str) {
        (
            &self.shape,
            &self.customer,
            &self.currency,
            &self.group_key,
            &self.period,
        )
    }
}

/// The number of the next posting of each document.
pub(super) async fn next_numbers(env: &Env) -> Result<BTreeMap<[u8; 16], i64>, PassError> {
    let all = states::all_documents(env).await?;
    let numbers = all.into_iter();
    Ok(numbers
        .map(|document| (document.document_id, document.posting_next))
        .collect())
}

/// What was planned since, and what follows from it, by document.
pub(super) async fn planned(
    env: &Env,
    terms: &Terms,
    before: &BTreeMap<[u8; 16], i64>,
    items: BTreeSet<[u8; 16]>,
) -> Result<Vec<ByDocument>, PassError> {
    let mut all: Vec<ByDocument> = Vec::new();
    for document in states::all_documents(env).await? {
        let from = before.get(&document.document_id).copied().unwrap_or(1);
        if document.posting_next <= from {
            continue;
        }
        let row = env
            .store
            .read(move |tx| of_document(tx, &document, from))
            .await?;
        all.extend(row);
    }
    let flow = terms.settings.flow.clone();
    let entity = terms.reference.entity.code.clone();
    let of_lines = terms.clone();
    let following = env
        .store
        .read(move |tx| {
            let mut rows = Vec::new();
            for id in &items {
                for wanted in followed_by(tx, id)? {
                    rows.push(new_line(tx, &flow, &entity, &wanted)?);
                }
            }
            for waiting in shared::waiting(tx, &of_lines, &items)? {
                let mut row = new_line(tx, &flow, &entity, &waiting.wanted)?;
                if let Some(was_minor) = waiting.was_minor {
                    (row.new_lines, row.replaced_lines) = (0, 1);
                    row.change_minor -= was_minor;
                }
                rows.push(row);
            }
            Ok(rows)
        })
        .await?;
    for row in following {
        let same = |known: &&mut ByDocument| known.home() == row.home();
        match all.iter_mut().find(same) {
            Some(known) => {
                known.new_lines += row.new_lines;
                known.replaced_lines += row.replaced_lines;
                known.change_minor += row.change_minor;
            }
            None => all.push(row),
        }
    }
    all.sort_by(|a, b| {
        let key = |row: &ByDocument| {
            (
                row.customer.clone(),
                row.period.clone(),
                row.group_key.clone(),
            )
        };
        key(a).cmp(&key(b))
    });
    Ok(all)
}

/// The lines that are planned once what was planned is settled: what is taken off one document is
/// billed anew on another.
fn followed_by(tx: &mut ReadTx<'_>, id: &[u8; 16]) -> Result<Vec<Wanted>, StoreError> {
    let rows = charges::list_for_item(tx, id)?;
    let own = postings::list_for_item(tx, id)?;
    let wanted = wanted_now(tx, &Books::default(), &rows)?;
    let mut lines = Vec::new();
    for (part, wanted) in wanted.own {
        let own = postings_of_part(&rows, &own, part)?;
        let Some(last) = own.last() else {
            continue;
        };
        let takes_off = matches!(
            kind_of(last)?,
            PostingKind::Credit | PostingKind::DeleteLine
        );
        if is_unsent(last)? && takes_off {
            lines.push(wanted);
        }
    }
    Ok(lines)
}

/// A new line where it belongs: on the draft that is open there, or on a new one.
fn new_line(
    tx: &mut ReadTx<'_>,
    flow: &str,
    entity: &str,
    wanted: &Wanted,
) -> Result<ByDocument, StoreError> {
    let home = &wanted.home;
    let currency = home.currency.to_string();
    let series = series_of(flow, entity, home, &currency);
    let latest = documents::find_by_key(tx, &series)?;
    let open = match latest {
        Some(document) if document_state(&document)?.takes_lines() => Some(document),
        Some(_) | None => None,
    };
    Ok(ByDocument {
        document: open.and_then(|document| document.erp_number.or(document.erp_ref)),
        shape: home.shape.name().to_owned(),
        customer: home.bill_to.clone(),
        group_key: home.group_key.clone(),
        period: home.period.clone(),
        currency,
        new_lines: 1,
        replaced_lines: 0,
        deleted_lines: 0,
        credited_lines: 0,
        change_minor: wanted.numbers.amount_minor,
    })
}

fn of_document(
    tx: &mut ReadTx<'_>,
    document: &DocumentRow,
    from: i64,
) -> Result<Option<ByDocument>, StoreError> {
    let mut row = ByDocument {
        document: document
            .erp_number
            .clone()
            .or_else(|| document.erp_ref.clone()),
        shape: document.shape.clone(),
        customer: document.bill_to.clone(),
        group_key: document.group_key.clone(),
        period: document.period.clone(),
        currency: document.currency.clone(),
        new_lines: 0,
        replaced_lines: 0,
        deleted_lines: 0,
        credited_lines: 0,
        change_minor: 0,
    };
    for posting in postings::list(tx, &document.document_id)? {
        if posting.posting_no < from || !is_unsent(&posting)? {
            continue;
        }
        let amended = match posting.amends {
            Some(number) => {
                let id = posting.amends_document.unwrap_or(posting.document_id);
                let amended = postings::get(tx, &id, number)?;
                amended
                    .ok_or_else(|| inconsistent("a posting amends none"))?
                    .amount_minor
            }
            None => 0,
        };
        row.change_minor += match kind_of(&posting)? {
            PostingKind::CreateLine => {
                row.new_lines += 1;
                posting.amount_minor
            }
            PostingKind::ReplaceLine => {
                row.replaced_lines += 1;
                posting.amount_minor - amended
            }
            PostingKind::DeleteLine => {
                row.deleted_lines += 1;
                -amended
            }
            PostingKind::Credit => {
                row.credited_lines += 1;
                posting.amount_minor
            }
            PostingKind::Void => 0,
        };
    }
    let lines = row.new_lines + row.replaced_lines + row.deleted_lines + row.credited_lines;
    Ok((lines > 0).then_some(row))
}

fn is_unsent(posting: &PostingRow) -> Result<bool, StoreError> {
    Ok(matches!(
        state_of(posting)?,
        PostingState::Ready | PostingState::Waiting | PostingState::Held
    ))
}

//! What a change would send, by document: what is planned, and what follows once that is settled.

use crate::asking::open_period;
use crate::books::{Books, series_of};
use crate::env::{Env, Terms, inconsistent};
use crate::error::PassError;
use crate::plan::{Home, Next, Wanted, next_step};
use crate::postings::{document_of, document_state, kind_of, state_of, view_of};
use crate::shared;
use crate::states;
use crate::strand::{parts_of, postings_of_part, wanted_now};
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
    fn add(&mut self, kind: PostingKind, change_minor: i64) {
        match kind {
            PostingKind::CreateLine | PostingKind::Difference => self.new_lines += 1,
            PostingKind::ReplaceLine => self.replaced_lines += 1,
            PostingKind::DeleteLine => self.deleted_lines += 1,
            PostingKind::Credit => self.credited_lines += 1,
            PostingKind::Void => {}
        }
        self.change_minor += change_minor;
    }

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
                for following in followed_by(tx, &of_lines, id)? {
                    rows.push(line_on(tx, &flow, &entity, &following)?);
                }
            }
            for waiting in shared::waiting(tx, &of_lines, &items)? {
                let wanted = &waiting.wanted;
                let following = Following {
                    kind: match waiting.was_minor {
                        Some(_) => PostingKind::ReplaceLine,
                        None => PostingKind::CreateLine,
                    },
                    home: wanted.home.clone(),
                    amount_minor: wanted.numbers.amount_minor - waiting.was_minor.unwrap_or(0),
                };
                rows.push(line_on(tx, &flow, &entity, &following)?);
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
                known.deleted_lines += row.deleted_lines;
                known.credited_lines += row.credited_lines;
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

/// A line that is planned once what was planned is settled.
struct Following {
    kind: PostingKind,
    home: Home,
    amount_minor: i64,
}

/// What is planned once what was planned is settled: what is taken off one document is billed anew on
/// another, after everything that was billed with it is taken back.
fn followed_by(
    tx: &mut ReadTx<'_>,
    terms: &Terms,
    id: &[u8; 16],
) -> Result<Vec<Following>, StoreError> {
    let rows = charges::list_for_item(tx, id)?;
    let all = postings::list_for_item(tx, id)?;
    let wanted = wanted_now(tx, &Books::default(), &rows)?;
    let mut following = Vec::new();
    for part in parts_of(&rows)? {
        let own = postings_of_part(&rows, &all, part)?;
        let planned = match own.last() {
            Some(last) => is_unsent(last)?,
            None => false,
        };
        if !planned {
            continue;
        }
        let wanted = wanted.own.get(&part);
        let mut view = view_of(tx, &rows, own, document_of)?;
        view.unsent = None;
        // Each step takes a line off, or is the last.
        for at in 0..=view.below.len().saturating_add(2) {
            let step = next_step(wanted, &view);
            if at > 0 {
                following.extend(following_step(terms, wanted, &step));
            }
            match view.after(&step) {
                Some(next) => view = next,
                None => break,
            }
        }
    }
    Ok(following)
}

fn following_step(terms: &Terms, wanted: Option<&Wanted>, step: &Next) -> Option<Following> {
    match step {
        Next::Create => wanted.map(|wanted| Following {
            kind: PostingKind::CreateLine,
            home: wanted.home.clone(),
            amount_minor: wanted.numbers.amount_minor,
        }),
        Next::Differ { numbers, .. } => wanted.map(|wanted| Following {
            kind: PostingKind::Difference,
            home: wanted.home.clone(),
            amount_minor: numbers.amount_minor,
        }),
        Next::Credit { held, taken_back } => Some(Following {
            kind: PostingKind::Credit,
            home: Home {
                period: open_period(terms, &held.home),
                ..held.home.clone()
            },
            amount_minor: -taken_back.amount_minor,
        }),
        Next::Delete(held) => Some(Following {
            kind: PostingKind::DeleteLine,
            home: held.home.clone(),
            amount_minor: -held.numbers.amount_minor,
        }),
        Next::Replace { held, numbers } => Some(Following {
            kind: PostingKind::ReplaceLine,
            home: held.home.clone(),
            amount_minor: numbers.amount_minor - held.numbers.amount_minor,
        }),
        Next::Nothing | Next::Wait | Next::Withdraw(_) => None,
    }
}

/// A line where it belongs: on the draft that is open there, or on a new one.
fn line_on(
    tx: &mut ReadTx<'_>,
    flow: &str,
    entity: &str,
    following: &Following,
) -> Result<ByDocument, StoreError> {
    let home = &following.home;
    let currency = home.currency.to_string();
    let series = series_of(flow, entity, home, &currency);
    let latest = documents::find_by_key(tx, &series)?;
    let open = match latest {
        Some(document) if document_state(&document)?.takes_lines() => Some(document),
        Some(_) | None => None,
    };
    let mut row = ByDocument {
        document: open.and_then(|document| document.erp_number.or(document.erp_ref)),
        shape: home.shape.name().to_owned(),
        customer: home.bill_to.clone(),
        group_key: home.group_key.clone(),
        period: home.period.clone(),
        currency,
        new_lines: 0,
        replaced_lines: 0,
        deleted_lines: 0,
        credited_lines: 0,
        change_minor: 0,
    };
    row.add(following.kind, following.amount_minor);
    Ok(row)
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
        let kind = kind_of(&posting)?;
        let change_minor = match kind {
            PostingKind::CreateLine | PostingKind::Difference | PostingKind::Credit => {
                posting.amount_minor
            }
            PostingKind::ReplaceLine => posting.amount_minor - amended,
            PostingKind::DeleteLine => -amended,
            PostingKind::Void => 0,
        };
        row.add(kind, change_minor);
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

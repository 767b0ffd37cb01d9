//! How far booked work has come in the ERP.

use crate::env::{Env, Terms};
use crate::error::PassError;
use crate::postings::{document_of, document_shape, document_state, view_of};
use crate::shared;
use crate::strand::{active_by_part, parts_of, postings_of_part};
use connector_sdk::target::Shape;
use domain::posting::DocumentState;
use jiff::civil::Date;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use store::{ReadTx, StoreError, charges, postings};

/// How far booked work has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Stands {
    /// Booked, and not in the ERP yet.
    Unposted,
    /// Booked as time that the ERP prices and invoices itself.
    WorkInProgress,
    /// Booked as cost.
    Cost,
    /// On a draft.
    Draft,
    /// On an invoice that was issued.
    Issued,
    /// On an invoice that was paid.
    Paid,
    /// On an invoice that was credited or withdrawn as a whole.
    Undone,
}

impl Stands {
    /// The words people read.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Unposted => "not posted yet",
            Self::WorkInProgress => "work in progress",
            Self::Cost => "cost",
            Self::Draft => "on drafts",
            Self::Issued => "on issued invoices",
            Self::Paid => "on paid invoices",
            Self::Undone => "on credited invoices",
        }
    }

    const fn of(shape: Shape, state: DocumentState) -> Self {
        match (shape, state) {
            (Shape::Timesheet, _) => Self::WorkInProgress,
            (Shape::Cost, _) => Self::Cost,
            (Shape::DraftLine, DocumentState::Open | DocumentState::Draft) => Self::Draft,
            (Shape::DraftLine, DocumentState::Issued) => Self::Issued,
            (Shape::DraftLine, DocumentState::Paid) => Self::Paid,
            (
                Shape::DraftLine,
                DocumentState::Credited | DocumentState::Void | DocumentState::Missing,
            ) => Self::Undone,
        }
    }
}

/// How an item stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Standing {
    pub(super) contract: String,
    pub(super) customer: String,
    pub(super) currency: String,
    pub(super) stands: Stands,
    pub(super) period_closed: bool,
    pub(super) amount_minor: i64,
}

pub(super) async fn standings(
    env: &Env,
    terms: &Terms,
    items: BTreeSet<[u8; 16]>,
) -> Result<BTreeMap<[u8; 16], Standing>, PassError> {
    let mut all = BTreeMap::new();
    let items: Vec<[u8; 16]> = items.into_iter().collect();
    for page in items.chunks(500) {
        env.go_on()?;
        let (page, terms) = (page.to_vec(), terms.clone());
        let found = env
            .store
            .read(move |tx| {
                let mut found = Vec::new();
                for id in page {
                    found.extend(standing(tx, &terms, &id)?.map(|standing| (id, standing)));
                }
                Ok(found)
            })
            .await?;
        all.extend(found);
    }
    Ok(all)
}

/// How an item stands; none if nothing of it is booked.
fn standing(
    tx: &mut ReadTx<'_>,
    terms: &Terms,
    id: &[u8; 16],
) -> Result<Option<Standing>, StoreError> {
    let rows = charges::list_for_item(tx, id)?;
    let own = postings::list_for_item(tx, id)?;
    let active = active_by_part(&rows)?;
    let Some(first) = rows.last() else {
        return Ok(None);
    };
    let mut furthest: Option<(Stands, bool)> = None;
    for document in shared::documents_of(tx, &rows)? {
        let stands = Stands::of(document_shape(&document)?, document_state(&document)?);
        furthest = furthest.max(Some((stands, is_closed(terms, &document.period))));
    }
    for part in parts_of(&rows)? {
        let own = postings_of_part(&rows, &own, part)?;
        let view = view_of(tx, &rows, own, document_of)?;
        if let Some(held) = view.held {
            let document = document_of(tx, &held.document_id)?;
            let stands = Stands::of(document_shape(&document)?, document_state(&document)?);
            let at = (stands, is_closed(terms, &document.period));
            furthest = furthest.max(Some(at));
        }
    }
    let (stands, period_closed) = furthest.unwrap_or((Stands::Unposted, false));
    let contracts = &terms.reference.contracts;
    let customer = contracts
        .iter()
        .find(|contract| contract.id == first.contract)
        .and_then(|contract| contract.customer.clone());
    Ok(Some(Standing {
        contract: first.contract.clone(),
        customer: customer.unwrap_or_default(),
        currency: first.currency.clone(),
        stands,
        period_closed,
        amount_minor: active.values().map(|charge| charge.amount_minor).sum(),
    }))
}

fn is_closed(terms: &Terms, period: &str) -> bool {
    let periods = &terms.reference.masters.periods;
    let own = format!("{period}-01")
        .parse::<Date>()
        .ok()
        .and_then(|first| {
            periods
                .iter()
                .find(|known| known.first <= first && first <= known.last)
        });
    own.is_some_and(|period| !period.open)
}

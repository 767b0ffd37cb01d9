//! What stands in the ERP beyond the lines that the ledger put there: lines that people added to its
//! documents, and lines under keys of ours that a restored ledger does not know.

use crate::classes::Line;
use crate::env::Env;
use crate::error::PassError;
use crate::reconcile::{Class, Entry};
use crate::survey::find_anywhere;
use connector_sdk::target::{DocumentReport, FoundLine, Shape};
use domain::ids::ItemId;
use domain::money::Money;
use domain::posting::DocumentState;
use std::collections::{BTreeMap, BTreeSet};
use store::{ReadTx, items, strays};

/// A stray with its line as it stands.
pub(crate) struct Stray {
    /// Its row, while somebody has to deal with it.
    pub(crate) entry: Option<Entry>,
    found: FoundLine,
}

/// The strays whose lines still stand.
pub(crate) async fn strays(env: &Env) -> Result<Vec<Stray>, PassError> {
    let read = |tx: &mut ReadTx<'_>| {
        let mut all = Vec::new();
        for row in strays::all(tx)? {
            let item = match &row.item_id {
                Some(id) => items::get(tx, id)?,
                None => None,
            };
            all.push((row, item));
        }
        Ok(all)
    };
    let rows = env.store.read(read).await?;
    let keys = rows.iter().map(|(row, _)| row.line_key.clone()).collect();
    let mut found = find_anywhere(env, keys).await?;
    let mut all = Vec::new();
    for (row, item) in rows {
        let Some((_, found)) = found.remove(&row.line_key) else {
            continue;
        };
        let entry = row.open.then(|| Entry {
            source_ref: item.map_or_else(String::new, |item| item.source_ref),
            item: row.item_id.map(|id| ItemId(id).to_string()),
            class: Class::NotInLedger,
            words: format!(
                "line {} carries a key of ours that this ledger does not know; see the exception \
                 queue",
                found.line_ref
            ),
            source_seconds: None,
            ledger_minor: 0,
            erp_minor: found.amount.map_or(0, |amount| amount.amount_minor),
            currency: found.amount.map(|amount| amount.currency),
        });
        all.push(Stray { entry, found });
    }
    Ok(all)
}

/// Documents whose untaxed total is not the sum of the lines that stand on them.
pub(crate) fn lines(
    lines: &[Line],
    strays: &[Stray],
    reports: &BTreeMap<String, DocumentReport>,
) -> Vec<Entry> {
    // A stray that was taken over is a line of the ledger by now.
    let taken: BTreeSet<&str> = lines.iter().map(|l| l.posting.line_key.as_str()).collect();
    let strays = strays.iter().map(|stray| &stray.found);
    let strays = strays.filter(|found| !taken.contains(found.line_key.as_str()));
    let ours = lines
        .iter()
        .filter(|line| line.document.shape == Shape::DraftLine.name())
        .filter_map(|line| line.found.as_ref());
    let mut sums: BTreeMap<&str, i64> = BTreeMap::new();
    for found in ours.chain(strays) {
        if let (Some(erp_ref), Some(amount)) = (&found.document_ref, found.amount) {
            let sum = sums.entry(erp_ref).or_default();
            *sum = sum.saturating_add(amount.amount_minor);
        }
    }
    let mut entries = Vec::new();
    for report in reports.values() {
        let Some(untaxed) = report.untaxed else {
            continue;
        };
        let ours = sums.get(report.erp_ref.as_str()).copied().unwrap_or(0);
        if untaxed.amount_minor == ours || report.state == DocumentState::Missing {
            continue;
        }
        let extra = untaxed.amount_minor.saturating_sub(ours);
        let extra = Money {
            amount_minor: extra,
            currency: untaxed.currency,
        };
        entries.push(Entry {
            source_ref: String::new(),
            item: None,
            class: Class::ForeignLines,
            words: format!("document {} holds {extra} that is not ours", report.erp_ref),
            source_seconds: None,
            ledger_minor: 0,
            erp_minor: extra.amount_minor,
            currency: Some(untaxed.currency),
        });
    }
    entries
}

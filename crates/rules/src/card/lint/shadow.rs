//! Rows that can never win, since on all their days every contract or project they could serve has
//! rates of its own, known as early.

use super::against::{days, servable};
use super::{Findings, KnownContract, LintCode, LintInput, Placed, lawful};
use domain::rate::{RateKey, RateRow};
use jiff::civil::Date;
use std::collections::{BTreeMap, BTreeSet};

type Places<'a> = BTreeMap<&'a str, Vec<usize>>;

/// Rows by the contract and by the project they name.
struct Index<'a> {
    rows: &'a [Placed],
    by_contract: Places<'a>,
    by_project: Places<'a>,
}

pub(super) fn look(input: &LintInput<'_>, found: &mut Findings<'_>) {
    let Some(contracts) = &input.known.contracts else {
        return;
    };
    let mut index = Index {
        rows: input.rows,
        by_contract: Places::new(),
        by_project: Places::new(),
    };
    for (at, placed) in input.rows.iter().enumerate() {
        let key = &placed.row.key;
        if !lawful(&placed.row) || key.task.is_some() {
            continue;
        }
        if let Some(project) = &key.project {
            index.by_project.entry(project).or_default().push(at);
        } else if let Some(contract) = &key.contract {
            index.by_contract.entry(contract).or_default().push(at);
        }
    }
    for (at, placed) in input.rows.iter().enumerate() {
        if found.full() {
            return;
        }
        if let Some(winners) = index.winners(&placed.row, contracts) {
            let mut rows = vec![at];
            rows.extend(winners);
            let sentence = format!(
                "The rate for {} can never apply: more specific rates cover all work it could.",
                placed.row.words()
            );
            found.add(LintCode::Shadowed, rows, sentence);
        }
    }
}

impl Index<'_> {
    /// The rows that always win over a row; none if it can win.
    fn winners(&self, row: &RateRow, contracts: &[KnownContract]) -> Option<BTreeSet<usize>> {
        let key = &row.key;
        if key.project.is_some() || key.task.is_some() || !lawful(row) {
            return None;
        }
        let mut winners = BTreeSet::new();
        for contract in servable(key, contracts) {
            let Some(days) = days(row, contract) else {
                continue;
            };
            let mut own = key.clone();
            own.customer.clone_from(&contract.customer);
            if key.contract.is_some() {
                for project in &contract.projects {
                    own.project = Some(project.clone());
                    winners.extend(covering(
                        self,
                        self.by_project.get(project.as_str())?,
                        &own,
                        row,
                        days,
                    )?);
                }
            } else {
                own.contract = Some(contract.id.clone());
                let rows = self.by_contract.get(contract.id.as_str())?;
                winners.extend(covering(self, rows, &own, row, days)?);
            }
        }
        (!winners.is_empty()).then_some(winners)
    }
}

/// Of some rows, those that apply to all work of a key and are known as early as a row; none unless
/// they cover all of the days.
fn covering(
    index: &Index<'_>,
    rows: &[usize],
    work: &RateKey,
    row: &RateRow,
    (from, to): (Date, Option<Date>),
) -> Option<Vec<usize>> {
    let mut better: Vec<(usize, &RateRow)> = rows
        .iter()
        .filter_map(|at| index.rows.get(*at).map(|placed| (*at, &placed.row)))
        .filter(|(_, other)| {
            (work == &other.key || work.refines(&other.key))
                && other.origin == row.origin
                && other.recorded <= row.recorded
                && to.is_none_or(|to| other.from < to)
                && other.to.is_none_or(|end| from < end)
        })
        .collect();
    better.sort_by_key(|(_, other)| other.from);
    let mut reached = Some(from);
    for (_, other) in &better {
        match reached {
            Some(day) if other.from > day => return None,
            Some(day) => reached = other.to.map(|end| end.max(day)),
            None => break,
        }
    }
    let done = match (reached, to) {
        (None, _) => true,
        (Some(day), Some(to)) => day >= to,
        (Some(_), None) => false,
    };
    done.then(|| better.into_iter().map(|(at, _)| at).collect())
}

//! What a pass would book, in lines and money, without booking it: nothing is written anywhere.

use crate::book::{Desired, Judgement, before_price, judge};
use crate::books::Books;
use crate::env::{Env, Terms, inconsistent, tracker};
use crate::error::PassError;
use crate::facts::ChargeFacts;
use crate::group::{self, Judged, News};
use crate::postings::wanted_of;
use crate::shared;
use crate::sync::refuse_unguarded_first_run;
use connector_sdk::target::Shape;
use domain::contract::lines::LineTerms;
use domain::entry::SourceEntry;
use domain::rounding::Rounding;
use jiff::civil::Date;
use rules::documents::{LineCharge, line_group, shared_line};
use rules::explanation::Explanation;
use std::collections::BTreeMap;
use store::items::{self, ItemRow};

/// What new entries come to in their groups, without keeping anything.
async fn judged_in_groups(
    env: &Env,
    terms: &Terms,
    entries: &[SourceEntry],
    known: &BTreeMap<[u8; 16], ItemRow>,
) -> Result<Judged, PassError> {
    let mut news = Vec::new();
    for entry in entries {
        let id = crate::intake::item_ids(terms, std::slice::from_ref(&entry.source_ref));
        let row = id.first().and_then(|id| known.get(id));
        let print = entry.fields.fingerprint(&terms.settings.fingerprint_key.0);
        let old = row.is_some_and(|row| row.fingerprint == print);
        if old || before_price(terms, &entry.source_ref, &entry.fields, None).is_some() {
            continue;
        }
        news.push(News {
            source_ref: entry.source_ref.clone(),
            fields: Some(entry.fields.clone()),
            row: row.cloned(),
            looked_at: false,
        });
    }
    let terms = terms.clone();
    let read = env.store.read(move |tx| {
        let mut books = Books::default();
        group::judge_group(tx, &mut books, &terms, &news)
    });
    Ok(read.await?)
}

/// What a pass would do, without doing it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Plan {
    /// Lines and money by document, in words: period, customer, shape.
    pub lines: Vec<PlannedLine>,
    /// Exceptions that would be raised, by code.
    pub exceptions: BTreeMap<String, u64>,
    /// Entries that wait for approval.
    pub waiting: u64,
    /// Entries of which the contract's rounding leaves nothing.
    pub nothing_to_bill: u64,
    /// Entries billed elsewhere.
    pub elsewhere: u64,
    /// Entries the ledger knows already and that did not change.
    pub unchanged: u64,
}

/// Lines of one document to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedLine {
    /// The shape.
    pub shape: &'static str,
    /// The customer.
    pub bill_to: String,
    /// The grouping value.
    pub group_key: String,
    /// The period.
    pub period: String,
    /// The currency.
    pub currency: String,
    /// How many lines.
    pub lines: u64,
    /// Hours, in millionths.
    pub quantity_micro: i64,
    /// Money, in minor units.
    pub amount_minor: i64,
}

/// Read both systems and say what a pass would book; nothing is written anywhere.
pub async fn dry_run(env: &Env, today: Date) -> Result<Plan, PassError> {
    refuse_unguarded_first_run(env)?;
    let terms = crate::reference::read_only(env).await?;
    let scan = env
        .source
        .scan(env.settings.window(today))
        .await
        .map_err(tracker)?;
    let refs: Vec<String> = scan.entries.iter().map(|e| e.source_ref.clone()).collect();
    let ids = crate::intake::item_ids(&terms, &refs);
    let known: BTreeMap<[u8; 16], ItemRow> = env
        .store
        .read(move |tx| items::get_many(tx, &ids))
        .await?
        .into_iter()
        .map(|row| (row.item_id, row))
        .collect();
    let mut plan = Plan::default();
    for unreadable in &scan.unreadable {
        *plan
            .exceptions
            .entry(unreadable.problem.code.text().to_owned())
            .or_default() += 1;
    }
    let ids = crate::intake::item_ids(&terms, &refs);
    let (mut lines, mut shared) = (Lines::new(), SharedLines::new());
    let grouped = judged_in_groups(env, &terms, &scan.entries, &known).await?;
    for (entry, id) in scan.entries.iter().zip(ids) {
        let print = entry.fields.fingerprint(&terms.settings.fingerprint_key.0);
        if known.get(&id).is_some_and(|row| row.fingerprint == print) {
            plan.unchanged += 1;
            continue;
        }
        let judgement = match grouped.of(&entry.source_ref) {
            Some(judgement) => judgement.clone(),
            None => judge(&terms, &entry.source_ref, &entry.fields, None, false),
        };
        match judgement {
            Judgement::Elsewhere => plan.elsewhere += 1,
            Judgement::Waiting | Judgement::Withdrawn => plan.waiting += 1,
            Judgement::Exception(problem, _) => {
                *plan
                    .exceptions
                    .entry(problem.code.text().to_owned())
                    .or_default() += 1;
            }
            Judgement::Priced(desired) => {
                plan.add(&terms, &mut lines, &mut shared, &desired);
            }
        }
    }
    Plan::add_shared(&mut lines, shared)?;
    plan.lines = lines.into_values().collect();
    Ok(plan)
}
type Lines = BTreeMap<(String, String, &'static str), PlannedLine>;
/// The charges of lines that charges share, by what they agree in, with the contract's rounding.
type SharedLines = BTreeMap<(String, String, String), (Rounding, Vec<LineCharge>)>;

impl Plan {
    /// Add the lines of an entry, one for each of its parts that has any.
    fn add(
        &mut self,
        terms: &Terms,
        lines: &mut Lines,
        shared: &mut SharedLines,
        desired: &Desired,
    ) {
        let mut has_line = false;
        for priced in &desired.parts {
            let facts = ChargeFacts {
                content: priced.content.clone(),
                explanation: Explanation::default(),
                refs: desired.refs_of(priced.content.part).clone(),
                codes: desired.codes_of(priced.content.part).clone(),
                sharing: None,
                by_difference: None,
                before: None,
                inputs: None,
            };
            let Some(wanted) = wanted_of(0, &facts) else {
                continue;
            };
            has_line = true;
            let content = &facts.content;
            let shape = wanted.home.shape.name();
            let place = &content.placement;
            let line = lines
                .entry((place.period.clone(), place.group_key.clone(), shape))
                .or_insert_with(|| PlannedLine {
                    shape,
                    bill_to: place.bill_to.clone(),
                    group_key: place.group_key.clone(),
                    period: place.period.clone(),
                    currency: content.currency().to_string(),
                    lines: 0,
                    quantity_micro: 0,
                    amount_minor: 0,
                });
            line.quantity_micro += content.quantity.micro();
            line.amount_minor += content.amount.amount_minor;
            let mut contracts = terms.reference.contracts.iter();
            let contract = contracts.find(|contract| contract.id == content.contract);
            let group = contract.zip(shared::joins(contract, content));
            let Some((contract, together)) = group else {
                line.lines += 1;
                continue;
            };
            let charge = shared::line_charge("", &facts, "");
            let key = (
                place.period.clone(),
                place.group_key.clone(),
                line_group(together, &charge).unwrap_or_default(),
            );
            let rounding = contract.amount_rounding;
            let own = shared.entry(key).or_insert_with(|| (rounding, Vec::new()));
            own.1.push(LineCharge {
                id: own.1.len().to_string(),
                ..charge
            });
        }
        self.nothing_to_bill += u64::from(!has_line);
    }

    /// Add the lines that charges share: each once, with what rounding leaves.
    fn add_shared(lines: &mut Lines, shared: SharedLines) -> Result<(), PassError> {
        let every = LineTerms {
            together: Some(Vec::new()),
            ..LineTerms::default()
        };
        for ((period, group_key, _), (rounding, charges)) in shared {
            let Some(currency) = charges.first().map(|charge| charge.amount.currency) else {
                continue;
            };
            let made = shared_line(&charges, &every, currency, rounding);
            let made = made.map_err(|error| inconsistent(error.to_string()))?;
            let home = (period, group_key, Shape::DraftLine.name());
            if let (Some(made), Some(line)) = (made, lines.get_mut(&home)) {
                line.lines += 1;
                line.amount_minor += made.rounding.amount_minor;
            }
        }
        Ok(())
    }
}

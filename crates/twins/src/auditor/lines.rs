//! The lines that stand in the ERP: what is still worth something, and what people did to it.

use super::Lost;
use super::price::{Content, Form, Money};
use super::truth::{DocumentLine, Erp, Happened, TimeLine};
use super::verdict::Verdict;
use crate::erp::TimeKind;
use domain::decimal::Micro;
use domain::money;
use domain::posting::DocumentState;
use std::collections::{BTreeMap, BTreeSet};

/// Where a line is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Life {
    /// It counts.
    Live,
    /// A credit takes it back; with `true` a person's.
    Credited(bool),
    /// Its document was withdrawn.
    Void,
}

/// One line of ours or of somebody.
#[derive(Debug, Clone)]
pub(super) struct Standing {
    pub(super) id: String,
    /// What it is now.
    pub(super) content: Content,
    /// What it was when the product last wrote it, if a person changed it since.
    pub(super) written: Option<Content>,
    pub(super) life: Life,
    pub(super) state: DocumentState,
    pub(super) number: Option<String>,
}

impl Standing {
    /// What the product says the line is.
    pub(super) fn ours(&self) -> &Content {
        self.written.as_ref().unwrap_or(&self.content)
    }

    /// Its worth, where it has one.
    pub(super) fn worth(&self) -> Option<&Money> {
        self.content.money.as_ref()
    }
}

/// What people did to a line.
#[derive(Debug, Clone, Default)]
pub(super) struct Touched {
    pub(super) edited: bool,
    pub(super) deleted: bool,
    /// What the product did to it that its ledger has forgotten.
    pub(super) forgotten: Vec<String>,
    /// Quantity, without its sign, and rate of the line at any time.
    pub(super) numbers: Vec<(i64, Micro)>,
    /// Hours of booked time at any time.
    pub(super) hours: Vec<Micro>,
}

/// Everything that stands, and the traces of people.
pub(super) struct Standings {
    pub(super) lines: Vec<Standing>,
    /// Lines that people touched.
    pub(super) touched: BTreeMap<String, Touched>,
}

fn minor(amount: &str, line: &DocumentLine) -> i64 {
    amount
        .parse::<Micro>()
        .ok()
        .and_then(|amount| money::Money::from_decimal(amount.decimal(), line.currency).ok())
        .map_or(i64::MIN, |amount| amount.amount_minor)
}

fn billed(line: &DocumentLine) -> Content {
    Content {
        form: Form::Bill,
        day: line.work_date,
        worker_id: line.worker_id.clone(),
        task_id: line.task_id.clone(),
        service_item_id: line.service_item_id.clone(),
        seconds: None,
        money: Some(Money {
            customer_id: line.customer_id.clone().unwrap_or_default(),
            currency: line.currency,
            quantity: line.quantity,
            rate: line.rate,
            amount_minor: minor(&line.amount, line),
        }),
    }
}

fn booked(line: &TimeLine) -> Standing {
    Standing {
        id: line.id.clone(),
        content: Content {
            form: match line.kind {
                TimeKind::Timesheet => Form::Timesheet,
                TimeKind::Cost => Form::Cost,
            },
            day: line.work_date,
            worker_id: Some(line.worker_id.clone()),
            task_id: Some(line.task_id.clone()),
            service_item_id: line.service_item_id.clone(),
            seconds: Some(line.recorded_seconds),
            money: None,
        },
        written: None,
        life: Life::Live,
        state: line.document_state,
        number: line.document_number.clone(),
    }
}

/// The content as the product wrote it, if a person wrote after it.
fn written(line: &DocumentLine, history: &[&Happened]) -> Option<Content> {
    let of_content = |h: &&&Happened| matches!(h.what.as_str(), "create" | "replace" | "edit");
    let last = history.iter().rev().find(of_content)?;
    if last.actor == "client" {
        return None;
    }
    let ours = history
        .iter()
        .rev()
        .filter(of_content)
        .find(|h| h.actor == "client")?;
    let mut content = billed(line);
    let money = content.money.as_mut()?;
    money.quantity = ours.quantity?;
    money.rate = ours.rate?;
    money.amount_minor = minor(ours.amount.as_deref()?, line);
    Some(content)
}

/// Read what stands, and say what no entry is needed to see: credits that take back too much,
/// lines written twice under one key.
pub(super) fn standings(erp: &Erp, lost: Option<&Lost>, verdict: &mut Verdict) -> Standings {
    let mut history: BTreeMap<&str, Vec<&Happened>> = BTreeMap::new();
    for happened in erp.effects.iter().filter(|h| h.of == "line") {
        history
            .entry(happened.id.as_str())
            .or_default()
            .push(happened);
    }
    let by_id: BTreeMap<&str, &DocumentLine> = erp
        .lines
        .iter()
        .map(|line| (line.id.as_str(), line))
        .collect();
    let mut credits: BTreeMap<&str, Vec<&DocumentLine>> = BTreeMap::new();
    for line in &erp.lines {
        if let Some(of) = line.credits_line_id.as_deref()
            && line.document_state != DocumentState::Void
        {
            credits.entry(of).or_default().push(line);
        }
    }
    for (id, credits) in &credits {
        check_credits(id, by_id.get(id).copied(), credits, &history, verdict);
    }
    let mut lines = Vec::new();
    for line in &erp.lines {
        if line.credits_line_id.is_some() || line.time_line_id.is_some() {
            continue;
        }
        let credit = credits
            .get(line.id.as_str())
            .and_then(|credits| credits.first());
        let life = match credit {
            Some(credit) => Life::Credited(credit.key.is_none()),
            None if line.document_state == DocumentState::Void => Life::Void,
            None => Life::Live,
        };
        let own = history.get(line.id.as_str()).map_or(&[][..], Vec::as_slice);
        lines.push(Standing {
            id: line.id.clone(),
            content: billed(line),
            written: written(line, own),
            life,
            state: line.document_state,
            number: line.document_number.clone(),
        });
    }
    lines.extend(erp.time_lines.iter().map(booked));
    twice(erp, verdict);
    vanished(erp, &by_id, verdict);
    Standings {
        lines,
        touched: touched(erp, lost),
    }
}

fn touched(erp: &Erp, lost: Option<&Lost>) -> BTreeMap<String, Touched> {
    let mut history: BTreeMap<&str, Vec<&Happened>> = BTreeMap::new();
    for h in &erp.effects {
        if matches!(h.of.as_str(), "line" | "time_line") {
            history.entry(h.id.as_str()).or_default().push(h);
        }
    }
    let mut all = BTreeMap::new();
    for (id, own) in &history {
        let person = |what: &str| own.iter().any(|h| h.actor == "person" && h.what == what);
        let forgotten = || {
            own.iter().filter(|h| {
                h.actor == "client"
                    && lost.is_some_and(|lost| (lost.from_us..=lost.to_us).contains(&h.at_us))
            })
        };
        let touched = Touched {
            edited: person("edit"),
            deleted: person("delete"),
            forgotten: forgotten().map(|h| h.what.clone()).collect(),
            numbers: own
                .iter()
                .filter_map(|h| Some((h.quantity?.micro().saturating_abs(), h.rate?)))
                .collect(),
            hours: own.iter().filter_map(|h| h.quantity).collect(),
        };
        if touched.edited || touched.deleted || !touched.forgotten.is_empty() || person("move") {
            all.insert((*id).to_owned(), touched);
        }
    }
    all
}

fn check_credits(
    id: &str,
    source: Option<&DocumentLine>,
    credits: &[&DocumentLine],
    history: &BTreeMap<&str, Vec<&Happened>>,
    verdict: &mut Verdict,
) {
    let Some(source) = source else {
        verdict.wrong += 1;
        verdict.problem(format!(
            "a credit takes back line {id}, which does not exist"
        ));
        return;
    };
    let full = minor(&source.amount, source);
    let number = |line: &DocumentLine| line.id.parse::<u64>().unwrap_or(u64::MAX);
    let ours = || credits.iter().filter(|credit| credit.key.is_some());
    let persons = credits
        .iter()
        .filter(|credit| credit.key.is_none())
        .map(|line| number(line))
        .min();
    // A person who credits what we credited already does as persons do; we must not do it to them.
    let late = ours().any(|line| persons.is_some_and(|person| person < number(line)));
    let judged: Vec<&&DocumentLine> = match (ours().next(), late) {
        (Some(_), false) => ours().collect(),
        _ => credits.iter().collect(),
    };
    let mut taken = 0_i64;
    for credit in &judged {
        // What a person made of our credit is theirs.
        let own = history
            .get(credit.id.as_str())
            .map_or(&[][..], Vec::as_slice);
        let ours = credit
            .key
            .as_ref()
            .and_then(|_| written(credit, own)?.money);
        let amount = ours.map_or_else(|| minor(&credit.amount, credit), |money| money.amount_minor);
        taken = taken.saturating_add(amount);
    }
    if taken != full.saturating_neg() {
        let words = format!(
            "line {id} of {} is credited with {taken} in {} lines",
            source.amount,
            credits.len()
        );
        verdict.problem(words);
        verdict.unexplained(&source.currency.to_string(), full.saturating_add(taken));
        if judged.len() > 1 {
            verdict.duplicates += 1;
        } else {
            verdict.wrong += 1;
        }
    }
}

/// A line that nobody deleted and that is not there.
fn vanished(erp: &Erp, by_id: &BTreeMap<&str, &DocumentLine>, verdict: &mut Verdict) {
    let of_line = || erp.effects.iter().filter(|h| h.of == "line");
    let deleted: BTreeSet<&str> = of_line()
        .filter(|h| h.what == "delete")
        .map(|h| h.id.as_str())
        .collect();
    let ever: BTreeSet<&str> = of_line().map(|h| h.id.as_str()).collect();
    for id in ever {
        if !deleted.contains(id) && !by_id.contains_key(id) {
            verdict.problem(format!("line {id} vanished from the ERP without a trace"));
        }
    }
}

/// A key that was created while a line of it stood was posted twice, even if somebody cleaned up
/// since. A restored ledger may ask for the key of a line that was taken off again.
fn twice(erp: &Erp, verdict: &mut Verdict) {
    let live: BTreeSet<&str> = erp
        .lines
        .iter()
        .filter_map(|line| line.key.as_deref())
        .chain(erp.time_lines.iter().map(|line| line.key.as_str()))
        .collect();
    let mut standing: BTreeMap<(&str, &str), BTreeSet<&str>> = BTreeMap::new();
    let mut keys: BTreeMap<&str, (&str, &str)> = BTreeMap::new();
    let mut again = BTreeSet::new();
    // A draft that a person deleted is made again for lines that never stood on it.
    for h in erp.effects.iter().filter(|h| h.of != "document") {
        match (h.key.as_deref(), h.what.as_str(), h.actor.as_str()) {
            (Some(key), "create", "client") => {
                let of = (h.of.as_str(), key);
                let ids = standing.entry(of).or_default();
                if !ids.is_empty() && !ids.contains(h.id.as_str()) {
                    again.insert(of);
                }
                ids.insert(&h.id);
                keys.insert(&h.id, of);
            }
            (_, "delete", _) => {
                let ids = keys.get(h.id.as_str()).and_then(|of| standing.get_mut(of));
                if let Some(ids) = ids {
                    ids.remove(h.id.as_str());
                }
            }
            _ => {}
        }
    }
    for (of, key) in again {
        // Two that still stand are found line by line.
        if !live.contains(key) {
            verdict.duplicates += 1;
            verdict.problem(format!(
                "{of} key {key} was created while a line of it stood"
            ));
        }
    }
}

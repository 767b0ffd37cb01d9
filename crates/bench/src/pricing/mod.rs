//! Pricing: from the bytes of entries to charges with their explanations.
//!
//! Every contender reads the same bytes. The floor does what no biller can do without: it reads hours
//! and a rate, multiplies, rounds, and adds tax. The product resolves names, finds the rate in
//! the card, tiers weeks, rounds groups, asks accounts, and says why.

mod firm;
mod wire;

use crate::measure::{Contender, Did, Effort, Subject};
use anyhow::{Context, Result, anyhow};
use domain::currency::Currency;
use domain::entry::EntryFields;
use domain::money::Money;
use domain::quantity::{SourceResolution, recorded_seconds};
use domain::reference::Reference;
use rules::account::Event;
use rules::account::retainer::FundingStage;
use rules::engine::{Answer, Book, Change, Work};
use rust_decimal::{Decimal, RoundingStrategy};
use std::hint::black_box;
use std::rc::Rc;
use wire::{Week, Wire};

/// The share of the floor that pricing with explanations should reach, in thousandths.
const GOAL_PERMILLE: u128 = 350;

/// The subject.
pub(crate) fn subject(effort: Effort) -> Result<Subject> {
    let (weeks_count, floor_passes, own_passes) = match effort {
        Effort::Full => (20, 10, 1),
        Effort::Quick => (2, 10, 1),
    };
    let weeks = Rc::new(wire::weeks(weeks_count)?);
    let bytes: usize = weeks.iter().flatten().map(String::len).sum();
    let count: usize = weeks.iter().map(Vec::len).sum();
    // Five people on a contract, 46.65 h a week of each, at about 200 an hour: the half of it.
    let half = (5 * 4_665 * weeks_count).to_string();
    let reference = Rc::new(firm::reference(&half)?);
    let mix = format!("{}; {} bytes each", firm::MIX, bytes / count.max(1));
    let (for_text, for_floor, for_price) = (weeks.clone(), weeks.clone(), weeks.clone());
    let funded: Decimal = half.parse()?;
    Ok(Subject {
        name: "pricing",
        mix,
        floor: Contender {
            name: "parse and multiply",
            does: "reads the entry's fields, hours x rate rounded to the cent, tax on it",
            goal_permille: None,
            passes: floor_passes,
            pass: Box::new(move || floor(&for_floor)),
        },
        others: vec![
            Contender {
                name: "counterfoil",
                does: "reads the same, prices it by its contract in weekly deliveries, with \
                       explanations; a new book each pass",
                goal_permille: Some(GOAL_PERMILLE),
                passes: own_passes,
                pass: Box::new(move || price(&for_price, &reference, funded)),
            },
            Contender {
                name: "read only",
                does: "reads the entry's fields into the product's own form: what of both is reading",
                goal_permille: None,
                passes: floor_passes,
                pass: Box::new(move || read(&for_text)),
            },
        ],
    })
}

fn floor(weeks: &[Week]) -> Result<Did> {
    let tax: Decimal = Decimal::new(19, 2);
    let mut did = Did {
        entries: 0,
        digest: 0,
    };
    for text in weeks.iter().flatten() {
        let wire: Wire<'_> = serde_json::from_str(text)?;
        let hours: Decimal = wire.hours.parse()?;
        let rate: Decimal = wire.rate.parse()?;
        let cents = RoundingStrategy::MidpointAwayFromZero;
        let amount = (hours * rate).round_dp_with_strategy(2, cents);
        let taxed = (amount * tax).round_dp_with_strategy(2, cents);
        did.digest += amount.mantissa() + taxed.mantissa();
        did.entries += 1;
        black_box((&wire, amount, taxed));
    }
    Ok(did)
}

fn work(text: &str) -> Result<Work> {
    let wire: Wire<'_> = serde_json::from_str(text)?;
    let seconds = recorded_seconds(wire.hours, SourceResolution::HundredthHour)?;
    Ok(Work {
        id: wire.id.to_owned(),
        fields: EntryFields {
            worker_ref: wire.worker.to_owned(),
            project_ref: wire.project.to_owned(),
            task_ref: Some(wire.task.to_owned()),
            activity_ref: wire.activity.to_owned(),
            work_date: wire.date,
            recorded_seconds: seconds,
            narrative: wire.narrative.to_owned(),
            approved: wire.approved,
            billable: wire.billable,
        },
        started_us: None,
        approved_us: None,
        preauthorised: true,
        looked_at: false,
    })
}

fn read(weeks: &[Week]) -> Result<Did> {
    let mut did = Did {
        entries: 0,
        digest: 0,
    };
    for text in weeks.iter().flatten() {
        let work = black_box(work(text)?);
        did.digest += i128::from(work.fields.recorded_seconds);
        did.entries += 1;
    }
    Ok(did)
}

fn price(weeks: &[Week], reference: &Reference, funded: Decimal) -> Result<Did> {
    let mut book = Book::default();
    let currency: Currency = "EUR".parse()?;
    for contract in firm::on_retainer() {
        let event = Event::Fund {
            id: "F1".to_owned(),
            stage: FundingStage::Paid,
            amount: Money::from_decimal(funded, currency)?,
        };
        book.tell(reference, &contract, &event)?;
    }
    let mut did = Did {
        entries: 0,
        digest: 0,
    };
    for week in weeks {
        let mut changes = Vec::with_capacity(week.len());
        for text in week {
            changes.push(Change::Put(Box::new(work(text)?)));
        }
        let put = changes.len();
        let answer = book.admit(reference, changes)?;
        did.entries += u128::try_from(put)?;
        did.digest += consume(&answer)?;
    }
    Ok(did)
}

/// Look at every charge and every step of its explanation. Work without a price is a mistake of the
/// bench and not a fast answer.
fn consume(answer: &Answer) -> Result<i128> {
    let mut digest = 0;
    for outcome in &answer.outcomes {
        let parts = outcome.parts.as_ref();
        let parts = parts.map_err(|problem| anyhow!("{}: {problem:?}", outcome.item))?;
        parts.first().context("work that comes to nothing")?;
        for part in parts {
            digest += i128::from(part.content.amount.amount_minor);
            digest += i128::from(part.content.value.amount_minor);
            for step in &part.explanation.steps {
                black_box(step);
                digest += 1;
            }
        }
    }
    Ok(digest)
}

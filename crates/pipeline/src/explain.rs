//! Why an entry is where it is and costs what it costs: its whole life, in words.

use crate::env::{Env, inconsistent};
use crate::error::PassError;
use crate::facts::{self, ChargeFacts, ExceptionFacts, ItemFacts, SharedLine, Sharing};
use crate::postings::{charge_facts, document_of};
use crate::shared;
use crate::stake::{Stake, stake_of, stake_of_line};
use crate::strand::part_of;
use domain::decimal::Micro;
use domain::exception::{Code, OwnerRole, Problem};
use domain::ids::{DocumentId, ItemId};
use domain::money::Money;
use domain::time::instant_text;
use rules::part::Part;
use serde::Serialize;
use store::charges::ChargeRow;
use store::items::{self, ItemRow};
use store::postings::PostingRow;
use store::{ReadTx, StoreError, charges, feedback, postings, refusals};

/// The life of one item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Story {
    /// The item.
    pub item: String,
    /// The source and its id.
    pub source: String,
    /// Revision and state.
    pub state: String,
    /// What the source holds.
    pub entry: Option<domain::entry::EntryFields>,
    /// The bytes as received.
    pub raw: Option<String>,
    /// What is wrong, if anything is.
    pub exception: Option<StoryException>,
    /// Its charges, in order.
    pub charges: Vec<StoryCharge>,
    /// Its postings, in order of effect.
    pub postings: Vec<StoryPosting>,
    /// What the source was told.
    pub told: Option<String>,
}

/// What is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StoryException {
    /// The code.
    pub code: String,
    /// What happened.
    pub sentence: String,
    /// The facts.
    pub facts: String,
    /// The ERP's own words.
    pub erp_words: Option<String>,
    /// What to do.
    pub remedy: String,
    /// Who does it.
    pub owner: OwnerRole,
    /// The money at stake.
    #[serde(flatten)]
    pub stake: Stake,
}

/// A charge.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StoryCharge {
    /// Its number.
    pub number: i64,
    /// The part of the item that it is.
    pub part: &'static str,
    /// The charge it reverses.
    pub reverses: Option<i64>,
    /// The revision it prices.
    pub revision: i64,
    /// In words: quantity, rate, amount.
    pub words: String,
    /// The steps to the number.
    pub steps: Vec<rules::explanation::Step>,
    /// The version of the reference data.
    pub snapshot_version: i64,
    /// When it was booked.
    pub booked_at: String,
}

/// A posting.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StoryPosting {
    /// Effect number.
    pub effect: i64,
    /// What it does.
    pub kind: String,
    /// Its state.
    pub state: String,
    /// The key in the ERP.
    pub line_key: String,
    /// The charge it carries.
    pub charge: i64,
    /// The ERP's line.
    pub erp_line: Option<String>,
    /// The line that the entry shares with others, by name, and how many charges it bills; none for
    /// a line of the item's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shared_line: Option<String>,
    /// The document: our id, the ERP's id, number and state.
    pub document: String,
}

/// The item of a name: its id, the source's id of the entry, or the name of a fixed amount or of a
/// shared line. A name that nothing has is taken for the source's.
pub async fn item_of(env: &Env, name: &str) -> Result<ItemId, PassError> {
    if let Ok(id) = name.parse::<ItemId>() {
        return Ok(id);
    }
    let entry = ItemId::derive(&env.settings.ledger, &env.settings.source, name);
    let others = [
        crate::fixed::item_id(&env.settings, name),
        shared::item_id(&env.settings, name),
    ];
    let known = env
        .store
        .read(move |tx| items::get_many(tx, &others))
        .await?;
    Ok(known.first().map_or(entry, |item| ItemId(item.item_id)))
}

/// Tell the story of an item by its name.
pub async fn explain(env: &Env, name: String) -> Result<Option<Story>, PassError> {
    let id = item_of(env, &name).await?.bytes();
    Ok(env
        .store
        .read(move |tx| {
            let item = items::get(tx, &id)?;
            item.map(|item| story(tx, &item)).transpose()
        })
        .await?)
}

fn story_charge(tx: &mut ReadTx<'_>, charge: &ChargeRow) -> Result<StoryCharge, StoreError> {
    let facts = charge_facts(tx, charge)?;
    let currency = charge
        .currency
        .parse()
        .map_err(|error| inconsistent(format!("currency: {error}")))?;
    let part = part_of(charge)?;
    if let Some(Sharing::Line(line)) = &facts.sharing {
        return Ok(story_line(charge, line, &facts));
    }
    // What is not billed is told by what it is worth.
    let amount = Money {
        amount_minor: charge.value_minor,
        currency,
    };
    let quantity = Micro::from_micro(charge.quantity_micro);
    let sign = facts.content.unit.sign();
    let rate = Micro::from_micro(charge.rate_micro);
    let (words, steps) = match charge.reverses {
        Some(number) => (
            format!("reverses charge {number}: {quantity} {sign}, {amount}"),
            Vec::new(),
        ),
        None => (
            format!(
                "{}: {quantity} {sign} x {rate} = {amount}",
                charge.disposition
            ),
            facts.explanation.steps,
        ),
    };
    let words = if part == Part::WHOLE {
        words
    } else {
        format!("{part}: {words}")
    };
    Ok(StoryCharge {
        number: charge.charge_no,
        part: part.name(),
        reverses: charge.reverses,
        revision: charge.revision,
        words,
        steps,
        snapshot_version: charge.snapshot_version,
        booked_at: instant_text(charge.created_at_us),
    })
}

/// The charge of a shared line: what the line bills, and what rounding leaves to it.
fn story_line(charge: &ChargeRow, line: &SharedLine, facts: &ChargeFacts) -> StoryCharge {
    let rounding = Money {
        amount_minor: charge.amount_minor,
        currency: line.amount.currency,
    };
    let words = match charge.reverses {
        Some(number) => format!("reverses charge {number}: rounding {rounding}"),
        None => format!(
            "line of {} charges: {} {} x {} = {}, of which rounding {rounding}",
            line.members.len(),
            line.quantity,
            facts.content.unit.sign(),
            line.rate,
            line.amount
        ),
    };
    let mut steps = Vec::new();
    if charge.reverses.is_none() {
        steps.clone_from(&facts.explanation.steps);
    }
    StoryCharge {
        number: charge.charge_no,
        part: Part::WHOLE.name(),
        reverses: charge.reverses,
        revision: charge.revision,
        words,
        steps,
        snapshot_version: charge.snapshot_version,
        booked_at: instant_text(charge.created_at_us),
    }
}

fn story(tx: &mut ReadTx<'_>, item: &ItemRow) -> Result<Story, StoreError> {
    let content: Option<ItemFacts> = facts::open(tx, item.content)?;
    let booked = charges::list_for_item(tx, &item.item_id)?;
    let exception = match (&item.code, item.fact) {
        (Some(code), Some(at)) => {
            let known: Option<ExceptionFacts> = facts::open(tx, at)?;
            let known = known.or_else(|| {
                Code::from_text(code).map(|code| ExceptionFacts {
                    problem: Problem::new(code, "shredded"),
                    estimate: None,
                })
            });
            known
                .map(|known| in_words(known, &booked, None))
                .transpose()?
        }
        _ => None,
    };
    let mut story = Story {
        item: ItemId(item.item_id).to_string(),
        source: format!("{} {}", item.source, item.source_ref),
        state: format!("{}, revision {}", item.state, item.revision),
        entry: content.as_ref().and_then(|content| content.fields.clone()),
        raw: content.map(|content| content.raw),
        exception,
        charges: Vec::new(),
        postings: Vec::new(),
        told: feedback::get(tx, &item.item_id)?.map(|row| {
            let told = if row.told { "told" } else { "to be told" };
            format!("{} {} ({told})", row.status, row.reference)
        }),
    };
    if story.exception.is_none()
        && let Some(refusal) = refusals::get(tx, &item.item_id)?.filter(|row| row.open)
    {
        let known: Option<ExceptionFacts> = facts::open(tx, refusal.fact)?;
        story.exception = known
            .map(|known| in_words(known, &booked, None))
            .transpose()?;
    }
    for charge in &booked {
        story.charges.push(story_charge(tx, charge)?);
    }
    let mut rows = postings::list_for_item(tx, &item.item_id)?;
    rows.sort_by_key(|row| row.effect);
    let is_line = shared::is_line(item);
    for row in rows {
        if story.exception.is_none()
            && let (Some(_), Some(at)) = (&row.code, row.fact)
        {
            let known: Option<ExceptionFacts> = facts::open(tx, at)?;
            let moved = Some(row.amount_minor);
            story.exception = known
                .map(|known| in_words(known, &booked, moved))
                .transpose()?;
            if let Some(exception) = story.exception.as_mut().filter(|_| is_line) {
                exception.stake = stake_of_line(&booked, moved);
            }
        }
        story.postings.push(story_posting(tx, row, None)?);
    }
    for (line, row, of) in shared::postings_with(tx, &booked)? {
        let name = format!("{}, {of} charges", line.source_ref);
        story.postings.push(story_posting(tx, row, Some(name))?);
    }
    Ok(story)
}

fn story_posting(
    tx: &mut ReadTx<'_>,
    row: PostingRow,
    shared_line: Option<String>,
) -> Result<StoryPosting, StoreError> {
    let document = document_of(tx, &row.document_id)?;
    let name = document
        .erp_number
        .as_deref()
        .or(document.erp_ref.as_deref());
    Ok(StoryPosting {
        effect: row.effect,
        kind: row.kind,
        state: row.state,
        line_key: row.line_key,
        charge: row.charge_no,
        erp_line: row.erp_line_ref,
        shared_line,
        document: format!(
            "{} {} ({} {} {})",
            document.shape,
            name.unwrap_or("-"),
            document.state,
            document.period,
            DocumentId(document.document_id)
        ),
    })
}

fn in_words(
    known: ExceptionFacts,
    booked: &[ChargeRow],
    posting_minor: Option<i64>,
) -> Result<StoryException, StoreError> {
    let problem = known.problem;
    Ok(StoryException {
        code: problem.code.text().to_owned(),
        sentence: problem.code.sentence().to_owned(),
        facts: problem.facts,
        erp_words: problem.erp_words,
        remedy: problem.code.remedy().to_owned(),
        owner: problem.code.owner(),
        stake: stake_of(booked, posting_minor, known.estimate)?,
    })
}

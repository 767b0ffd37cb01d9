//! Lines: charges that agree share one, and every line multiplies out.
//!
//! A line with the quantity and the amount of nothing is not printed. It is there only where the
//! charges behind it leave a cent of rounding, which is booked.

use super::text::{TEXT_CHARS_MAX, TextError, TextTemplate};
use crate::explanation::{Explanation, Step};
use domain::calendar::Weekday;
use domain::contract::lines::{LineKey, LineTerms};
use domain::currency::Currency;
use domain::decimal::Micro;
use domain::money::{Money, MoneyError};
use domain::quantity::Unit;
use domain::rounding::Rounding;
use jiff::civil::Date;
use std::collections::{BTreeMap, BTreeSet};
use thiserror::Error;

/// A charge on its way to a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineCharge {
    /// Which charge this is; unique among those of a document.
    pub id: String,
    /// The contract.
    pub contract: String,
    /// The person, by code: two people stay two, whatever they are called.
    pub worker: String,
    /// The person's name, for the text.
    pub worker_name: String,
    /// The role.
    pub role: String,
    /// The project.
    pub project: String,
    /// The task, by code.
    pub task: String,
    /// The task's name, for the text.
    pub task_name: String,
    /// What was sold.
    pub service_item: String,
    /// The sort of time, for example straight or overtime: never mixed on a line.
    pub sort: String,
    /// The day of the work.
    pub work_date: Date,
    /// Printed quantity.
    pub quantity: Micro,
    /// Its unit.
    pub unit: Unit,
    /// Rate per unit.
    pub rate: Micro,
    /// What the charge is booked with.
    pub amount: Money,
    /// What the person wrote.
    pub narrative: String,
}

/// What a person wrote about a charge, as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OriginalWords {
    /// The charge.
    pub charge: String,
    /// The words.
    pub words: String,
}

/// A line of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocumentLine {
    /// The charges behind it, in order of day and id.
    pub charges: Vec<String>,
    /// Printed quantity: the sum of the charges' printed quantities.
    pub quantity: Micro,
    /// Its unit.
    pub unit: Unit,
    /// Printed rate.
    pub rate: Micro,
    /// Printed quantity times printed rate.
    pub amount: Money,
    /// The amount less the sum of the charges' amounts: booked as a rounding charge.
    pub rounding: Money,
    /// What the client reads.
    pub text: String,
    /// Whether the text is cut: more was to be said than fits.
    pub text_cut: bool,
    /// What people wrote, charge by charge, whatever the client reads.
    pub original_words: Vec<OriginalWords>,
    /// How quantity and amount come about.
    pub steps: Vec<Step>,
}

impl DocumentLine {
    /// Whether the client sees it: a line of nothing only carries a rounding charge.
    pub const fn is_printed(&self) -> bool {
        self.quantity.micro() != 0 || self.amount.amount_minor != 0
    }
}

/// Why charges make no lines.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum LineError {
    /// A sum or product does not fit.
    #[error("a line of {contract} is too large to be represented")]
    TooLarge {
        /// The contract.
        contract: String,
    },
    /// The charges of a document are of more than one currency.
    #[error("charge {charge} is in {is}, its document in {document}")]
    Currency {
        /// The charge.
        charge: String,
        /// Its currency.
        is: Currency,
        /// The document's.
        document: Currency,
    },
    /// A charge is there twice: it would be billed twice.
    #[error("charge {charge} is there twice; a charge stands on one line of one document")]
    Twice {
        /// The charge.
        charge: String,
    },
    /// Charges of one line do not agree in what a line's charges have to agree in.
    #[error("charges {one} and {other} cannot share a line: they differ in what a line has once")]
    Apart {
        /// One of them.
        one: String,
        /// Another.
        other: String,
    },
    /// Nothing is known about a contract's lines.
    #[error("nothing is known about the lines of contract {contract}, which has charges")]
    Contract {
        /// The contract.
        contract: String,
    },
    /// The text cannot be made.
    #[error(transparent)]
    Text(#[from] TextError),
}

/// What the charges of one line agree in; the order of the fields is the order of the lines.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Together {
    /// Where every charge has a line of its own: its day and id, which sort first.
    alone: Option<(Date, String)>,
    keys: Vec<(LineKey, String)>,
    service_item: String,
    sort: String,
    unit: &'static str,
    rate: Micro,
    contract: String,
}

fn value_of(key: LineKey, charge: &LineCharge) -> String {
    match key {
        LineKey::Worker => charge.worker.clone(),
        LineKey::Role => charge.role.clone(),
        LineKey::Project => charge.project.clone(),
        LineKey::Task => charge.task.clone(),
        LineKey::Day => charge.work_date.to_string(),
        LineKey::Week => Weekday::Monday.week_of(charge.work_date).to_string(),
        LineKey::Month => format!(
            "{:04}-{:02}",
            charge.work_date.year(),
            charge.work_date.month()
        ),
    }
}

fn together_of(terms: &LineTerms, charge: &LineCharge) -> Together {
    let keys = terms.together.as_deref().unwrap_or_default();
    Together {
        alone: terms
            .together
            .is_none()
            .then(|| (charge.work_date, charge.id.clone())),
        keys: keys
            .iter()
            .map(|key| (*key, value_of(*key, charge)))
            .collect(),
        service_item: charge.service_item.clone(),
        sort: charge.sort.clone(),
        unit: charge.unit.name(),
        rate: charge.rate,
        contract: charge.contract.clone(),
    }
}

/// What the charges of one line agree in, as a text: two charges of a document share a line if theirs
/// are the same. None where every charge has a line of its own.
pub fn line_group(terms: &LineTerms, charge: &LineCharge) -> Option<String> {
    terms.together.as_ref()?;
    let key = together_of(terms, charge);
    let keys: Vec<String> = key
        .keys
        .into_iter()
        .map(|(name, value)| format!("{} {value}", name.name()))
        .collect();
    let rate = key.rate.to_string();
    let parts = [&key.contract, &key.service_item, &key.sort, &rate];
    let parts = parts.into_iter().map(String::as_str).chain([key.unit]);
    let all: Vec<&str> = parts.chain(keys.iter().map(String::as_str)).collect();
    // Quoted: no value can look like two.
    Some(format!("{all:?}"))
}

/// The one line of charges that share it.
pub fn shared_line(
    charges: &[LineCharge],
    terms: &LineTerms,
    currency: Currency,
    rounding: Rounding,
) -> Result<Option<DocumentLine>, LineError> {
    let mut made = lines(charges, terms, currency, rounding)?.into_iter();
    let line = made.next();
    if let (Some(line), Some(other)) = (&line, made.next()) {
        let id = |line: &DocumentLine| line.charges.first().cloned().unwrap_or_default();
        return Err(LineError::Apart {
            one: id(line),
            other: id(&other),
        });
    }
    Ok(line)
}

/// The lines of one document. Charges whose quantities cancel out leave no line unless money is
/// left over.
pub fn lines(
    charges: &[LineCharge],
    terms: &LineTerms,
    currency: Currency,
    rounding: Rounding,
) -> Result<Vec<DocumentLine>, LineError> {
    let template = TextTemplate::of(terms)?;
    let mut groups: BTreeMap<Together, Vec<&LineCharge>> = BTreeMap::new();
    let mut seen = BTreeSet::new();
    for charge in charges {
        if !seen.insert(charge.id.as_str()) {
            return Err(LineError::Twice {
                charge: charge.id.clone(),
            });
        }
        if charge.amount.currency != currency {
            return Err(LineError::Currency {
                charge: charge.id.clone(),
                is: charge.amount.currency,
                document: currency,
            });
        }
        groups
            .entry(together_of(terms, charge))
            .or_default()
            .push(charge);
    }
    let mut lines = Vec::with_capacity(groups.len());
    for (key, mut members) in groups {
        members.sort_by(|a, b| (a.work_date, &a.id).cmp(&(b.work_date, &b.id)));
        let line = line(&key, &members, terms, &template, currency, rounding)?;
        let empty = line.quantity == Micro::ZERO
            && line.amount.amount_minor == 0
            && line.rounding.amount_minor == 0;
        if !empty {
            lines.push(line);
        }
    }
    Ok(lines)
}

fn line(
    key: &Together,
    members: &[&LineCharge],
    terms: &LineTerms,
    template: &TextTemplate,
    currency: Currency,
    rounding: Rounding,
) -> Result<DocumentLine, LineError> {
    let too_large = |_: MoneyError| LineError::TooLarge {
        contract: key.contract.clone(),
    };
    let mut quantity = 0_i64;
    let mut booked = Money::zero(currency);
    for charge in members {
        quantity = quantity
            .checked_add(charge.quantity.micro())
            .ok_or_else(|| too_large(MoneyError::TooLarge))?;
        booked = booked.checked_add(charge.amount).map_err(too_large)?;
    }
    let quantity = Micro::from_micro(quantity);
    let amount = Money::times(quantity, key.rate, currency, rounding).map_err(too_large)?;
    let left = amount
        .checked_add(booked.negated().map_err(too_large)?)
        .map_err(too_large)?;
    let unit = members.first().map_or(Unit::Hour, |charge| charge.unit);
    let text = template.render(terms, members, quantity, unit, amount)?;
    let mut line = DocumentLine {
        charges: members.iter().map(|charge| charge.id.clone()).collect(),
        quantity,
        unit,
        rate: key.rate,
        amount,
        rounding: left,
        text: text.text,
        text_cut: text.cut,
        original_words: members.iter().map(|charge| words_of(charge)).collect(),
        steps: Vec::new(),
    };
    line.steps = steps(&line, members, booked, rounding);
    Ok(line)
}

fn words_of(charge: &LineCharge) -> OriginalWords {
    OriginalWords {
        charge: charge.id.clone(),
        words: charge.narrative.clone(),
    }
}

/// How the figures of a line come about, in words.
fn steps(
    line: &DocumentLine,
    members: &[&LineCharge],
    booked: Money,
    rounding: Rounding,
) -> Vec<Step> {
    let mut why = Explanation::default();
    let parts: Vec<String> = members.iter().map(|c| c.quantity.to_string()).collect();
    why.step(
        "line amount",
        format_args!(
            "{} = {} {}, x {} {}, {}",
            parts.join(" + "),
            line.quantity,
            line.unit.name(),
            line.amount.currency,
            line.rate,
            rounding.name()
        ),
        line.amount,
    );
    if line.rounding.amount_minor != 0 {
        why.step(
            "rounding charge",
            format_args!("{} printed, {booked} booked as charges", line.amount),
            line.rounding,
        );
    }
    if line.text_cut {
        why.step(
            "text",
            format_args!("more than {TEXT_CHARS_MAX} characters, cut; the original words are kept"),
            line.text.clone(),
        );
    }
    why.steps
}

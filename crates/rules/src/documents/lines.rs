//! Lines: charges that agree share one, and every line multiplies out.

use super::text::{TextError, TextTemplate};
use crate::explanation::Step;
use domain::contract::lines::{LineKey, LineTerms};
use domain::currency::Currency;
use domain::decimal::Micro;
use domain::money::{Money, MoneyError};
use domain::quantity::Unit;
use domain::rounding::Rounding;
use jiff::civil::{Date, Weekday};
use std::collections::BTreeMap;
use thiserror::Error;

/// A charge on its way to a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineCharge {
    /// Which charge this is; unique among those of a document.
    pub id: String,
    /// The contract.
    pub contract: String,
    /// The person's name.
    pub worker: String,
    /// The role.
    pub role: String,
    /// The project.
    pub project: String,
    /// The task.
    pub task: String,
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
    /// How quantity and amount come about.
    pub steps: Vec<Step>,
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
    /// The text cannot be made.
    #[error(transparent)]
    Text(#[from] TextError),
}

/// What the charges of one line agree in; the order of the fields is the order of the lines.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Together {
    keys: Vec<(LineKey, String)>,
    service_item: String,
    sort: String,
    unit: &'static str,
    rate: Micro,
    contract: String,
    /// Where every charge has a line of its own.
    alone: Option<(Date, String)>,
}

fn week_of(day: Date) -> Date {
    let back = day.weekday().since(Weekday::Monday);
    day.checked_sub(jiff::Span::new().days(i64::from(back)))
        .unwrap_or(day)
}

fn value_of(key: LineKey, charge: &LineCharge) -> String {
    match key {
        LineKey::Worker => charge.worker.clone(),
        LineKey::Role => charge.role.clone(),
        LineKey::Project => charge.project.clone(),
        LineKey::Task => charge.task.clone(),
        LineKey::Day => charge.work_date.to_string(),
        LineKey::Week => week_of(charge.work_date).to_string(),
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
        keys: keys
            .iter()
            .map(|key| (*key, value_of(*key, charge)))
            .collect(),
        service_item: charge.service_item.clone(),
        sort: charge.sort.clone(),
        unit: charge.unit.name(),
        rate: charge.rate,
        contract: charge.contract.clone(),
        alone: terms
            .together
            .is_none()
            .then(|| (charge.work_date, charge.id.clone())),
    }
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
    for charge in charges {
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
    let parts: Vec<String> = members.iter().map(|c| c.quantity.to_string()).collect();
    let mut steps = vec![Step {
        rule: "line amount".to_owned(),
        inputs: format!(
            "{} = {quantity} {}, x {currency} {}, {}",
            parts.join(" + "),
            unit.name(),
            key.rate,
            rounding.name()
        ),
        result: amount.to_string(),
    }];
    if left.amount_minor != 0 {
        steps.push(Step {
            rule: "rounding charge".to_owned(),
            inputs: format!("{amount} printed, {booked} booked as charges"),
            result: left.to_string(),
        });
    }
    let text = template.render(terms, members, quantity, unit, amount)?;
    Ok(DocumentLine {
        charges: members.iter().map(|charge| charge.id.clone()).collect(),
        quantity,
        unit,
        rate: key.rate,
        amount,
        rounding: left,
        text,
        steps,
    })
}

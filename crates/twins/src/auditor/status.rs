//! What an entry shows in the tracker, and whether the ERP says the same.

use super::lines::{Life, Standing};
use super::price::Form;
use super::truth::Work;
use domain::posting::DocumentState;
use domain::status::BillingStatus;

/// The billing status of an entry.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Shown<'a> {
    Nothing,
    Unbilled,
    Exception(&'a str),
    Cost(&'a str),
    Posted(&'a str),
    Invoiced(&'a str),
    Paid(&'a str),
    Credited(&'a str),
    Unknown(&'a str),
}

pub(super) fn shown(work: &Work) -> Shown<'_> {
    let Some(name) = work.billing_status.as_deref() else {
        return Shown::Nothing;
    };
    let reference = work.erp_reference.as_deref().unwrap_or_default();
    match BillingStatus::from_name(name) {
        Some(BillingStatus::Unbilled) => Shown::Unbilled,
        Some(BillingStatus::Exception) => Shown::Exception(reference),
        Some(BillingStatus::CostOnly) => Shown::Cost(reference),
        Some(BillingStatus::Posted) => Shown::Posted(reference),
        Some(BillingStatus::Invoiced) => Shown::Invoiced(reference),
        Some(BillingStatus::Paid) => Shown::Paid(reference),
        Some(BillingStatus::Credited) => Shown::Credited(reference),
        None => Shown::Unknown(name),
    }
}

/// The line that a reference names: `draft 4 line 7`, `cost 8`, `time 9`.
pub(super) fn line_named(reference: &str) -> Option<&str> {
    let mut words = reference.split_whitespace();
    while let Some(word) = words.next() {
        if matches!(word, "line" | "cost" | "time") {
            return words.next();
        }
    }
    None
}

/// Whether the entry shows what became of its line.
pub(super) fn agrees(shown: &Shown<'_>, line: &Standing) -> Result<(), String> {
    let number = line.number.as_deref().unwrap_or_default();
    let named = |reference: &str| line_named(reference) == Some(line.id.as_str());
    let good = match (line.content.form, line.life, line.state) {
        (Form::Cost, ..) => matches!(shown, Shown::Cost(reference) if named(reference)),
        (_, Life::Credited(_) | Life::Void, _) => matches!(shown, Shown::Credited(_)),
        (Form::Timesheet, _, DocumentState::Draft) => matches!(shown, Shown::Posted(_)),
        (_, _, DocumentState::Open | DocumentState::Draft) => {
            matches!(shown, Shown::Posted(reference) if named(reference))
        }
        (_, _, DocumentState::Issued) => *shown == Shown::Invoiced(number),
        (_, _, DocumentState::Paid) => *shown == Shown::Paid(number),
        (_, _, DocumentState::Credited | DocumentState::Void) => {
            matches!(shown, Shown::Credited(_))
        }
        (_, _, DocumentState::Missing) => false,
    };
    if good {
        return Ok(());
    }
    Err(format!(
        "the tracker shows {shown:?}, the ERP has line {} as {:?} on a document {} {number}",
        line.id,
        line.content.form,
        line.state.name(),
    ))
}

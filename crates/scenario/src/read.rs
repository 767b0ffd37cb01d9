//! From text to a scenario that makes sense on its own, or the place and the reason why not.

use crate::event::Event;
use crate::file::{PeriodTable, SCENARIO_VERSION, Scenario};
use domain::contract::Contract;
use domain::contract::check::{ContractFault, check_parents};
use domain::told::brief;
use rules::engine::{Accounts, Whole};
use rules::wording::check_words;
use serde::Deserialize;
use serde::de::IgnoredAny;
use std::collections::BTreeSet;
use std::ops::Range;
use thiserror::Error;
use toml::Spanned;

/// The largest scenario that is read, in bytes.
pub const SCENARIO_BYTES_MAX: usize = 8 * 1024 * 1024;
/// The most events of a scenario.
pub const EVENTS_MAX: usize = 100_000;

const FORM_EXPECTED: &str = "the form that `counterfoil schema scenario` prints";

/// A scenario that cannot be played.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub struct ReadError {
    /// Line in the file, from 1, where it is known.
    pub line: Option<usize>,
    /// What is wrong.
    pub what: String,
    /// What was expected.
    pub expected: String,
}

impl std::fmt::Display for ReadError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let Some(line) = self.line {
            write!(f, "line {line}: ")?;
        }
        f.write_str(&self.what)
    }
}

impl ReadError {
    pub(crate) fn new(what: impl AsRef<str>, expected: impl AsRef<str>) -> Self {
        Self::at(None, what, expected)
    }

    /// Both texts may repeat what stands in the file.
    pub(crate) fn at(
        line: Option<usize>,
        what: impl AsRef<str>,
        expected: impl AsRef<str>,
    ) -> Self {
        Self {
            line,
            what: brief(what.as_ref()),
            expected: brief(expected.as_ref()),
        }
    }
}

/// Where tables begin.
#[derive(Debug, Default, Deserialize)]
struct Places {
    #[serde(default)]
    contract: Vec<Spanned<IgnoredAny>>,
    #[serde(default)]
    event: Vec<Spanned<IgnoredAny>>,
}

/// A scenario, with the lines its tables begin on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadScenario {
    /// The scenario.
    pub scenario: Scenario,
    contract_lines: Vec<usize>,
    event_lines: Vec<usize>,
}

impl ReadScenario {
    /// The line an event begins on.
    pub fn event_line(&self, index: usize) -> Option<usize> {
        self.event_lines.get(index).copied()
    }

    /// The line a contract begins on.
    pub fn contract_line(&self, index: usize) -> Option<usize> {
        self.contract_lines.get(index).copied()
    }
}

fn line_at(text: &str, at: usize) -> usize {
    text.get(..at).unwrap_or(text).matches('\n').count() + 1
}

/// Read a scenario: TOML, or JSON where the text begins with a brace.
pub fn read(text: &str) -> Result<ReadScenario, ReadError> {
    if text.len() > SCENARIO_BYTES_MAX {
        return Err(ReadError::new(
            format!(
                "the scenario has {} bytes, at most {SCENARIO_BYTES_MAX} are read",
                text.len()
            ),
            "a scenario of one question; price a whole month with `rehearse`",
        ));
    }
    let read = if text.trim_start().starts_with('{') {
        ReadScenario {
            scenario: of_json(text)?,
            contract_lines: Vec::new(),
            event_lines: Vec::new(),
        }
    } else {
        of_toml(text)?
    };
    check(&read)?;
    Ok(read)
}

fn of_json(text: &str) -> Result<Scenario, ReadError> {
    serde_json::from_str(text)
        .map_err(|error| ReadError::at(Some(error.line()), error.to_string(), FORM_EXPECTED))
}

fn of_toml(text: &str) -> Result<ReadScenario, ReadError> {
    let scenario: Scenario = toml::from_str(text).map_err(|error| {
        let line = error.span().map(|span| line_at(text, span.start));
        ReadError::at(line, error.message(), FORM_EXPECTED)
    })?;
    let places: Places = toml::from_str(text).unwrap_or_default();
    // Counted once: a file has as many tables as lines.
    let ends: Vec<usize> = text.match_indices('\n').map(|(at, _)| at).collect();
    let lines = |tables: Vec<Spanned<IgnoredAny>>| {
        tables
            .iter()
            .map(Spanned::span)
            .map(|Range { start, .. }| ends.partition_point(|end| *end < start) + 1)
            .collect()
    };
    Ok(ReadScenario {
        scenario,
        contract_lines: lines(places.contract),
        event_lines: lines(places.event),
    })
}

fn check(read: &ReadScenario) -> Result<(), ReadError> {
    let scenario = &read.scenario;
    if scenario.version != SCENARIO_VERSION {
        return Err(ReadError::new(
            format!("version {} is not known", scenario.version),
            format!("version = {SCENARIO_VERSION}"),
        ));
    }
    if jiff::tz::TimeZone::get(&scenario.entity.zone).is_err() {
        return Err(ReadError::new(
            format!("'{}' is no time zone", scenario.entity.zone),
            "an IANA name like Europe/Berlin",
        ));
    }
    if scenario.event.len() > EVENTS_MAX {
        return Err(ReadError::new(
            format!("{} events are too many", scenario.event.len()),
            format!("at most {EVENTS_MAX}"),
        ));
    }
    check_names(scenario)?;
    for (index, contract) in scenario.contract.iter().enumerate() {
        check_contract(contract).map_err(|error| ReadError {
            line: read.contract_line(index),
            ..error
        })?;
    }
    let mut contracts = scenario.contract.clone();
    check_whole(&contracts).map_err(|(index, error)| ReadError {
        line: read.contract_line(index),
        ..error
    })?;
    for (index, event) in scenario.event.iter().enumerate() {
        let changed = event.contract.as_deref();
        check_event(event)
            .and_then(|()| changed.map_or(Ok(()), check_contract))
            .and_then(|()| match changed {
                Some(changed) => check_changed(&mut contracts, changed),
                None => Ok(()),
            })
            .map_err(|error| ReadError {
                line: read.event_line(index),
                ..error
            })?;
    }
    Ok(())
}

/// Two of one name are never told apart by the order in the file.
fn check_names(scenario: &Scenario) -> Result<(), ReadError> {
    let once = |what: &str, names: &mut dyn Iterator<Item = &str>| {
        let mut seen = BTreeSet::new();
        for name in names {
            if name.trim().is_empty() {
                return Err(ReadError::new(
                    format!("a {what} has no name"),
                    "a code of its own",
                ));
            }
            if !seen.insert(name) {
                return Err(ReadError::new(
                    format!("two {what}s are called {name}"),
                    "a name of its own for each",
                ));
            }
        }
        Ok(())
    };
    once(
        "contract",
        &mut scenario.contract.iter().map(|c| c.id.as_str()),
    )?;
    once(
        "worker",
        &mut scenario.worker.iter().map(|w| w.code.as_str()),
    )?;
    once(
        "customer",
        &mut scenario.customer.iter().map(|c| c.code.as_str()),
    )?;
    once(
        "project",
        &mut scenario.project.iter().map(|p| p.code.as_str()),
    )?;
    once(
        "period",
        &mut scenario.period.iter().map(|p| p.name.as_str()),
    )?;
    let mut periods: Vec<&PeriodTable> = scenario.period.iter().collect();
    periods.sort_by_key(|period| period.first);
    for period in &periods {
        if period.last < period.first {
            return Err(ReadError::new(
                format!("period {} ends before it begins", period.name),
                "the last day on or after the first",
            ));
        }
    }
    for (one, next) in periods.iter().zip(periods.iter().skip(1)) {
        if next.first <= one.last {
            return Err(ReadError::new(
                format!("periods {} and {} share a day", one.name, next.name),
                "periods beside each other",
            ));
        }
    }
    Ok(())
}

/// Contracts that cannot be part of each other, with the place of the one that says so.
fn check_whole(contracts: &[Contract]) -> Result<(), (usize, ReadError)> {
    check_parents(contracts).map_err(|found| {
        (
            found.index,
            ReadError::new(found.fault.what, found.fault.expected),
        )
    })?;
    Ok(())
}

/// The same after a change order.
fn check_changed(contracts: &mut [Contract], changed: &Contract) -> Result<(), ReadError> {
    for known in contracts.iter_mut().filter(|known| known.id == changed.id) {
        known.clone_from(changed);
    }
    check_whole(contracts).map_err(|(_, error)| error)
}

/// A contract that cannot work is named before anything is priced by it.
fn check_contract(contract: &Contract) -> Result<(), ReadError> {
    let id = &contract.id;
    let refused = |error: &dyn std::fmt::Display| {
        ReadError::new(
            format!("contract {id}: {error}"),
            "terms as the message says",
        )
    };
    if let (Some(from), Some(to)) = (contract.from, contract.to)
        && to <= from
    {
        return Err(ReadError::new(
            format!("contract {id} covers no day: it begins {from} and ends before {to}"),
            "`to` is the first day that it no longer covers, later than `from`",
        ));
    }
    let fault = |fault: ContractFault| ReadError::new(fault.what, fault.expected);
    contract.check().map_err(fault)?;
    check_words(contract).map_err(fault)?;
    let terms = contract.quantity_terms();
    terms.check().map_err(|error| refused(&error))?;
    if let Some(overtime) = &contract.overtime {
        overtime.check().map_err(|error| refused(&error))?;
    }
    Accounts::of(&Whole::alone(contract)).map_err(|error| refused(&error))?;
    if let Some(schedule) = &contract.schedule {
        let checked = schedule.check(&contract.printing());
        checked.map_err(|error| refused(&error))?;
    }
    Ok(())
}

fn check_event(event: &Event) -> Result<(), ReadError> {
    let names = [
        ("entry", event.entry.is_some()),
        ("edit", event.edit.is_some()),
        ("delete", event.delete.is_some()),
        ("confirm", event.confirm.is_some()),
        ("rate", event.rate.is_some()),
        ("contract", event.contract.is_some()),
        ("issue", event.issue.is_some()),
        ("pay", event.pay.is_some()),
        ("credit", event.credit.is_some()),
        ("release_held", event.release_held.is_some()),
        ("accept", event.accept.is_some()),
        ("fees_due", event.fees_due.is_some()),
        ("fund", event.fund.is_some()),
        ("bank", event.bank.is_some()),
        ("release_retention", event.release_retention.is_some()),
        ("period", event.period.is_some()),
    ];
    let there: Vec<&str> = names
        .iter()
        .filter(|(_, there)| *there)
        .map(|(name, _)| *name)
        .collect();
    if there.len() != 1 {
        let all: Vec<&str> = names.iter().map(|(name, _)| *name).collect();
        let found = if there.is_empty() {
            "nothing".to_owned()
        } else {
            there.join(" and ")
        };
        return Err(ReadError::new(
            format!("an event says {found}"),
            format!("exactly one of {}", all.join(", ")),
        ));
    }
    if let Some(entry) = &event.entry
        && entry.hours.is_some() == entry.minutes.is_some()
    {
        return Err(ReadError::new(
            format!("entry {} gives no time, or gives it twice", entry.id),
            "either hours = \"1.25\" or minutes = 75",
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> (Option<usize>, String) {
        let error = read(text).unwrap_err();
        (error.line, error.to_string())
    }

    #[test]
    fn a_mistake_is_named_with_its_line() {
        let (line, what) = refused("version = 1\n\n[[event]]\nentry = { id = \"e\" }\n");
        assert_eq!(line, Some(4), "{what}");
        let (line, what) = refused("version = 1\nwindow = 3\n");
        assert_eq!(line, Some(2), "{what}");
        let (line, what) = refused("version = 1\n[[event]]\non = \"2026-03-02\"\n");
        assert_eq!(line, Some(2), "{what}");
        assert!(what.contains("says nothing"), "{what}");
        assert!(refused("version = 2\n").1.contains("version 2"));
        assert!(
            refused("{\"version\": 1, \"x\": 2}")
                .1
                .contains("unknown field")
        );
    }

    #[test]
    fn a_scenario_that_is_too_large_is_not_read() {
        let text = format!("version = 1\n#{}", "x".repeat(SCENARIO_BYTES_MAX));
        assert!(refused(&text).1.contains("at most"));
    }
}

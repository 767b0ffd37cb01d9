//! Conditions of a contract: does it cover the work, does the client pay, has a person to look, which
//! document.
//!
//! They are written in the Common Expression Language and held on a short rein, so that nothing is
//! left to go wrong once they are compiled: only known names and functions, every type checked, whole
//! numbers that cannot overflow, no division by what may be zero, no loops, no numbers with a decimal
//! point. Money is an opaque value that can be compared with money of the contract's currency and
//! nothing else. What still goes wrong is a [`ConditionProblem`], never a default.
//!
//! Compile once, evaluate often: [`Conditions::of`] takes as long as some hundred evaluations.
//! [`compiled`] keeps its result for as long as the terms of the contract are the same. It can be
//! shared between threads.
//!
//! This is the only module that knows the library behind it.

mod cel;
mod kept;
mod numbers;
mod types;

use crate::explanation::Step;
use domain::contract::Contract;
use domain::currency::Currency;
use domain::money::Money;
use jiff::civil::Date;
use thiserror::Error;

use cel::Compiled;
use numbers::MINUTES_MAX;

pub use kept::compiled;

/// The longest condition, in bytes.
pub const CONDITION_BYTES_MAX: usize = 1_000;
/// The longest text that `group_by` may come to, in characters.
pub const GROUP_CHARS_MAX: usize = 200;

/// A condition that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{term}, {place}: {what}")]
pub struct ConditionFault {
    /// The term.
    pub term: &'static str,
    /// Where in its text.
    pub place: ConditionPlace,
    /// What is wrong.
    pub what: String,
    /// What was expected.
    pub expected: String,
}

/// A place in a condition, both from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConditionPlace {
    /// The line.
    pub line: usize,
    /// The character in the line.
    pub column: usize,
}

impl std::fmt::Display for ConditionPlace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.line > 1 {
            write!(f, "line {}, ", self.line)?;
        }
        write!(f, "column {}", self.column)
    }
}

/// A condition that has no answer for a piece of work.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{term}` of contract {contract} has no answer for this work: {reason}")]
pub struct ConditionProblem {
    /// The contract.
    pub contract: String,
    /// The term.
    pub term: &'static str,
    /// Why not, and what to do.
    pub reason: String,
}

/// What conditions see of a piece of work. A text that the work does not have is empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Work<'a> {
    /// The person, by code.
    pub worker: &'a str,
    /// The role.
    pub role: &'a str,
    /// The practice.
    pub practice: &'a str,
    /// The project, by code.
    pub project: &'a str,
    /// The task, by code.
    pub task: &'a str,
    /// The service item.
    pub service_item: &'a str,
    /// The customer, by code.
    pub customer: &'a str,
    /// The day of the work.
    pub date: Date,
    /// Recorded time in whole minutes.
    pub minutes: i64,
    /// What the tracker says.
    pub billable: bool,
}

/// An answer, and why; no step where the contract has no such condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer<T> {
    /// The answer.
    pub value: T,
    /// Why.
    pub step: Option<Step>,
}

/// The compiled conditions of a contract.
#[derive(Debug)]
pub struct Conditions {
    contract: String,
    currency: Currency,
    when: Option<Compiled>,
    billable_when: Option<Compiled>,
    hold_when: Option<Compiled>,
    group_by: Option<Compiled>,
}

impl Conditions {
    /// Compile the conditions of a contract, or name the first mistake.
    pub fn of(contract: &Contract) -> Result<Self, ConditionFault> {
        let terms = &contract.conditions;
        let compile = |term, source: &Option<String>, sees_amount, answer| {
            source
                .as_ref()
                .map(|source| Compiled::of(term, source, contract.currency, sees_amount, answer))
                .transpose()
        };
        Ok(Self {
            contract: contract.id.clone(),
            currency: contract.currency,
            when: compile("when", &terms.when, false, types::Answers::YesNo)?,
            billable_when: compile(
                "billable_when",
                &terms.billable_when,
                false,
                types::Answers::YesNo,
            )?,
            hold_when: compile("hold_when", &terms.hold_when, true, types::Answers::YesNo)?,
            group_by: compile("group_by", &terms.group_by, false, types::Answers::Text)?,
        })
    }

    /// The condition of what the contract covers, as it is written, if there is one.
    pub fn when(&self) -> Option<&str> {
        self.when.as_ref().map(Compiled::source)
    }

    /// Whether the contract covers the work, as far as conditions go.
    pub fn covers(&self, work: &Work<'_>) -> Result<Answer<bool>, ConditionProblem> {
        self.yes_or_no(self.when.as_ref(), work, None, true)
    }

    /// Whether the client pays. What the tracker calls not billable stays so.
    pub fn billable(&self, work: &Work<'_>) -> Result<Answer<bool>, ConditionProblem> {
        let said = self.yes_or_no(self.billable_when.as_ref(), work, None, true)?;
        Ok(Answer {
            value: said.value && work.billable,
            step: said.step,
        })
    }

    /// Whether a person has to look at the work before it is billed.
    pub fn held(&self, work: &Work<'_>, amount: Money) -> Result<Answer<bool>, ConditionProblem> {
        self.yes_or_no(self.hold_when.as_ref(), work, Some(amount), false)
    }

    /// The text that keeps documents apart; none where the contract's grouping decides.
    pub fn group(&self, work: &Work<'_>) -> Result<Answer<Option<String>>, ConditionProblem> {
        let Some(compiled) = &self.group_by else {
            return Ok(Answer {
                value: None,
                step: None,
            });
        };
        self.check_work(compiled, work, None)?;
        let text = compiled
            .text(&self.contract, work)
            .map_err(|reason| self.problem(compiled, reason))?;
        if text.chars().count() > GROUP_CHARS_MAX || text.chars().any(char::is_control) {
            let reason = format!(
                "it comes to a text of more than {GROUP_CHARS_MAX} characters or with a line \
                 break; group by codes"
            );
            return Err(self.problem(compiled, reason));
        }
        let step = compiled.step(&self.contract, work, None, &text);
        Ok(Answer {
            value: Some(text),
            step: Some(step),
        })
    }

    fn yes_or_no(
        &self,
        compiled: Option<&Compiled>,
        work: &Work<'_>,
        amount: Option<Money>,
        otherwise: bool,
    ) -> Result<Answer<bool>, ConditionProblem> {
        let Some(compiled) = compiled else {
            return Ok(Answer {
                value: otherwise,
                step: None,
            });
        };
        self.check_work(compiled, work, amount)?;
        let value = compiled
            .yes_or_no(&self.contract, work, amount)
            .map_err(|reason| self.problem(compiled, reason))?;
        Ok(Answer {
            value,
            step: Some(compiled.step(
                &self.contract,
                work,
                amount,
                if value { "yes" } else { "no" },
            )),
        })
    }

    /// What a condition was compiled for has to be what it gets.
    fn check_work(
        &self,
        compiled: &Compiled,
        work: &Work<'_>,
        amount: Option<Money>,
    ) -> Result<(), ConditionProblem> {
        if !(0..=MINUTES_MAX).contains(&work.minutes) {
            let reason = format!(
                "it has {} minutes, and a condition takes 0 to {MINUTES_MAX}",
                work.minutes
            );
            return Err(self.problem(compiled, reason));
        }
        match amount {
            Some(amount) if amount.currency != self.currency => {
                let reason = format!(
                    "its amount is in {}, and the contract is in {}; amounts of two currencies \
                     cannot be compared",
                    amount.currency, self.currency
                );
                Err(self.problem(compiled, reason))
            }
            _ => Ok(()),
        }
    }

    fn problem(&self, compiled: &Compiled, reason: String) -> ConditionProblem {
        ConditionProblem {
            contract: self.contract.clone(),
            term: compiled.term(),
            reason,
        }
    }
}

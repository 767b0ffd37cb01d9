//! What is wrong with a rate card before anything is priced with it.
//!
//! Every finding names the rows with their place in the file, says what is wrong in a sentence and
//! what to do about it. A card without errors never leaves a choice: no work ties.

mod against;
mod finding;
mod keys;
mod shadow;

pub use finding::{Finding, LintCode, Severity};

use crate::card::RateUse;
use domain::contract::Contract;
use domain::currency::Currency;
use domain::rate::RateRow;
use jiff::civil::Date;
use std::collections::BTreeSet;
use std::fmt;

/// Where a row stands.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Place {
    /// The file.
    pub file: String,
    /// The sheet of a workbook.
    pub sheet: Option<String>,
    /// The line or row, counted from 1.
    pub line: Option<u64>,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file)?;
        match (&self.sheet, self.line) {
            (Some(sheet), Some(line)) => write!(f, ", sheet {sheet}, row {line}"),
            (Some(sheet), None) => write!(f, ", sheet {sheet}"),
            (None, Some(line)) => write!(f, ", line {line}"),
            (None, None) => Ok(()),
        }
    }
}

/// A row and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placed {
    /// The row.
    pub row: RateRow,
    /// Where it stands.
    pub place: Place,
}

/// What the linter has to know of a contract.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownContract {
    /// Its id.
    pub id: String,
    /// The customer; none for internal work.
    pub customer: Option<String>,
    /// Its projects.
    pub projects: Vec<String>,
    /// Its currency.
    pub currency: Currency,
    /// First day; none = always.
    pub from: Option<Date>,
    /// First day after; none = open end.
    pub to: Option<Date>,
}

impl From<&Contract> for KnownContract {
    fn from(contract: &Contract) -> Self {
        Self {
            id: contract.id.clone(),
            customer: contract.customer.clone(),
            projects: contract.projects.clone(),
            currency: contract.currency,
            from: contract.from,
            to: contract.to,
        }
    }
}

/// What exists. A list that is not given is not compared with.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Known {
    /// Contracts.
    pub contracts: Option<Vec<KnownContract>>,
    /// Customers' codes.
    pub customers: Option<BTreeSet<String>>,
    /// Projects' codes.
    pub projects: Option<BTreeSet<String>>,
    /// Tasks as (project, code).
    pub tasks: Option<BTreeSet<(String, String)>>,
    /// Practices.
    pub practices: Option<BTreeSet<String>>,
    /// Workers' codes.
    pub workers: Option<BTreeSet<String>>,
    /// Roles.
    pub roles: Option<BTreeSet<String>>,
    /// Service items' codes.
    pub service_items: Option<BTreeSet<String>>,
}

/// What is looked at.
#[derive(Debug, Clone, Copy)]
pub struct LintInput<'a> {
    /// The rows.
    pub rows: &'a [Placed],
    /// What they are for.
    pub used_for: RateUse,
    /// Today, where known: nothing can have been recorded later.
    pub today: Option<Date>,
    /// Digits after the point that a rate may have.
    pub decimals_max: u32,
    /// What exists.
    pub known: &'a Known,
}

/// The most findings that one look gives; the rest would say the same.
pub const FINDINGS_MAX: usize = 1000;

/// All findings, in the order of the rows they are about.
pub fn lint(input: &LintInput<'_>) -> Vec<Finding> {
    let mut found = Findings {
        rows: input.rows,
        all: Vec::new(),
    };
    for (at, placed) in input.rows.iter().enumerate() {
        alone(input, at, &placed.row, &mut found);
        against::look(input, at, &placed.row, &mut found);
    }
    keys::look(input.rows, &mut found);
    if input.used_for == RateUse::Bill {
        shadow::look(input, &mut found);
    }
    let mut all = found.all;
    all.sort_by(|one, two| {
        let order = one.rows.cmp(&two.rows);
        order.then_with(|| one.code.text().cmp(two.code.text()))
    });
    all
}

/// Whether a finding is an error.
pub fn has_errors(findings: &[Finding]) -> bool {
    findings.iter().any(|f| f.severity == Severity::Error)
}

/// The findings so far.
pub(super) struct Findings<'a> {
    rows: &'a [Placed],
    all: Vec<Finding>,
}

impl Findings<'_> {
    /// Whether there is room for more.
    pub(super) fn full(&self) -> bool {
        self.all.len() >= FINDINGS_MAX
    }

    pub(super) fn add(&mut self, code: LintCode, rows: Vec<usize>, sentence: String) {
        self.add_as(code.severity(), code, rows, sentence);
    }

    pub(super) fn add_as(
        &mut self,
        severity: Severity,
        code: LintCode,
        rows: Vec<usize>,
        sentence: String,
    ) {
        if !self.full() {
            self.all.push(Finding {
                code,
                severity,
                rows,
                sentence,
            });
        }
    }

    /// A row in words.
    pub(super) fn words(&self, at: usize) -> String {
        self.rows
            .get(at)
            .map_or_else(String::new, |placed| placed.row.words())
    }

    /// Rows in words.
    pub(super) fn all_words(&self, rows: &[usize]) -> String {
        let words: Vec<String> = rows.iter().map(|at| self.words(*at)).collect();
        words.join("; ")
    }
}

/// Whether a row covers any day at all.
pub(super) fn lawful(row: &RateRow) -> bool {
    row.to.is_none_or(|to| row.from < to)
}

/// What is wrong with a row whatever else there is.
fn alone(input: &LintInput<'_>, at: usize, row: &RateRow, found: &mut Findings<'_>) {
    let words = row.words();
    if row.rate.is_negative() {
        let sentence = format!("The rate for {words} is below zero.");
        found.add(LintCode::Negative, vec![at], sentence);
    }
    if row.rate.decimal().scale() > input.decimals_max {
        let sentence = format!(
            "The rate for {words} has more than {} decimals.",
            input.decimals_max
        );
        found.add(LintCode::TooFine, vec![at], sentence);
    }
    if !lawful(row) {
        let sentence = format!("The rate for {words} ends before it begins: it covers no day.");
        found.add(LintCode::Dates, vec![at], sentence);
    }
    if row.key.task.is_some() && row.key.project.is_none() {
        let sentence = format!("The rate for {words} names a task without its project.");
        found.add(LintCode::TaskWithoutProject, vec![at], sentence);
    }
    if let (Some(recorded), Some(today)) = (row.recorded, input.today)
        && recorded > today
    {
        let sentence = format!("The rate for {words} says it was recorded after today, {today}.");
        found.add(LintCode::RecordedLater, vec![at], sentence);
    }
}

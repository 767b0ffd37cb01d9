//! What was found in rate cards, for people and for programs.

use crate::args::Args;
use crate::failure::Failure;
use crate::out::{self, Output};
use cards::CardProblem;
use rules::card::lint::{FINDINGS_MAX, Finding, Place, Placed, Severity};
use serde_json::{Value, json};
use std::path::Path;

/// A finding with the places of its rows.
struct Told {
    finding: Finding,
    places: Vec<Place>,
}

/// What came of an import.
struct Imported {
    read: usize,
    added: usize,
    to: Option<String>,
}

/// All that was found.
#[derive(Default)]
pub(super) struct Report {
    rows: usize,
    told: Vec<Told>,
    unreadable: Option<CardProblem>,
    imported: Option<Imported>,
}

impl Report {
    /// Findings about rows.
    pub(super) fn add(&mut self, rows: &[Placed], found: Vec<Finding>) {
        self.rows += rows.len();
        if found.len() >= FINDINGS_MAX {
            out::complain(&format!(
                "warning: only the first {FINDINGS_MAX} findings are told; mend them and look again"
            ));
        }
        for finding in found {
            let at = finding.rows.iter().filter_map(|at| rows.get(*at));
            let places = at.map(|placed| placed.place.clone()).collect();
            self.told.push(Told { finding, places });
        }
    }

    /// A file that could not be read.
    pub(super) fn unreadable(&mut self, problem: CardProblem) {
        self.unreadable = Some(problem);
    }

    /// What an import did.
    pub(super) fn imported(&mut self, read: usize, added: usize, to: Option<&Path>) {
        self.imported = Some(Imported {
            read,
            added,
            to: to.map(|to| to.display().to_string()),
        });
    }

    /// Whether anything is an error.
    pub(super) fn has_errors(&self) -> bool {
        self.unreadable.is_some() || self.count(Severity::Error) > 0
    }

    fn count(&self, severity: Severity) -> usize {
        let of = |told: &&Told| told.finding.severity == severity;
        self.told.iter().filter(of).count()
    }

    /// Tell it.
    pub(super) fn show(&self, args: &Args) -> Result<(), Failure> {
        if args.output == Output::Json {
            return out::json(&self.json());
        }
        if let Some(problem) = &self.unreadable {
            for error in &problem.errors {
                out::line(&format!("error    {error}"));
            }
        }
        for Told { finding, places } in &self.told {
            let (severity, code) = (finding.severity.name(), finding.code.text());
            let places: Vec<String> = places.iter().map(Place::to_string).collect();
            out::line(&format!("{severity:<8} {code}: {}", places.join("; ")));
            out::line(&format!("         {}", finding.sentence));
            out::line(&format!("         hint: {}", finding.code.remedy()));
        }
        if self.unreadable.is_some() {
            out::line("the file was not taken: every cell above has to be mended first");
            out::line(
                "where cells can mean two things, --decimal-mark and --date-order say which is meant",
            );
            return Ok(());
        }
        out::line(&format!(
            "{} rates, {} errors, {} warnings, {} notes",
            self.rows,
            self.count(Severity::Error),
            self.count(Severity::Warning),
            self.count(Severity::Note)
        ));
        if let Some(imported) = &self.imported {
            let Imported { read, added, to } = imported;
            let there = read - added;
            out::line(&match to {
                Some(to) => format!("{added} rates added to {to}, {there} were there already"),
                None => {
                    format!("{added} rates to add, {there} are there already; nothing was written")
                }
            });
        }
        Ok(())
    }

    fn json(&self) -> Value {
        let findings: Vec<Value> = self
            .told
            .iter()
            .map(|Told { finding, places }| {
                json!({
                    "code": finding.code.text(), "severity": finding.severity.name(),
                    "rows": places.iter().map(place).collect::<Vec<_>>(),
                    "sentence": finding.sentence, "remedy": finding.code.remedy(),
                })
            })
            .collect();
        let unreadable: Vec<Value> = self
            .unreadable
            .iter()
            .flat_map(|problem| &problem.errors)
            .map(|error| {
                let mut value = place(&error.place);
                if let Some(map) = value.as_object_mut() {
                    map.insert("column".to_owned(), json!(error.column));
                    map.insert("what".to_owned(), json!(error.what));
                }
                value
            })
            .collect();
        let imported = self.imported.as_ref().map(
            |imported| json!({"read": imported.read, "added": imported.added, "to": imported.to}),
        );
        json!({
            "rates": self.rows,
            "errors": self.count(Severity::Error),
            "warnings": self.count(Severity::Warning),
            "notes": self.count(Severity::Note),
            "findings": findings,
            "unreadable": unreadable,
            "imported": imported,
        })
    }
}

fn place(place: &Place) -> Value {
    json!({"file": place.file, "sheet": place.sheet, "row": place.line})
}

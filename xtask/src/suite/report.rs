//! The table at the end: each part, whether it ran, and how long it took.

use std::fmt;
use std::time::Duration;

use anyhow::{Result, bail};

use crate::clock::Stopwatch;

/// How a part ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum State {
    Passed,
    Failed(String),
    /// It could not run, and why.
    NotRun(String),
}

impl State {
    pub(super) fn of<T>(result: &Result<T>) -> Self {
        match result {
            Ok(_) => Self::Passed,
            Err(error) => Self::Failed(format!("{error:#}")),
        }
    }
}

#[derive(Debug)]
struct Row {
    name: String,
    state: State,
    time: Option<Duration>,
}

/// All parts so far.
#[derive(Debug, Default)]
pub(super) struct Report {
    rows: Vec<Row>,
}

impl Report {
    /// Runs a part and records it; the other parts run whatever comes of it.
    pub(super) fn part(&mut self, name: &str, work: impl FnOnce() -> Result<()>) -> bool {
        let watch = Stopwatch::start();
        let result = work();
        if let Err(error) = &result {
            println!("xtask: {name} FAILED: {error:#}");
        }
        self.add(name, State::of(&result), watch.elapsed());
        result.is_ok()
    }

    pub(super) fn add(&mut self, name: &str, state: State, time: Duration) {
        self.rows.push(Row {
            name: name.to_owned(),
            state,
            time: Some(time),
        });
    }

    /// Something that was there and needed no time of its own.
    pub(super) fn note(&mut self, name: &str) {
        self.rows.push(Row {
            name: name.to_owned(),
            state: State::Passed,
            time: None,
        });
    }

    /// Something that was not there, so that tests which need it did nothing.
    pub(super) fn gap(&mut self, name: &str, why: &str) {
        let state = State::NotRun(why.to_owned());
        self.rows.push(Row {
            name: name.to_owned(),
            state,
            time: None,
        });
    }

    /// An error when a part failed or, where all are required, when one did not run.
    pub(super) fn verdict(&self, require_all: bool) -> Result<()> {
        let named = |wanted: fn(&State) -> bool| {
            let names: Vec<&str> = self
                .rows
                .iter()
                .filter(|r| wanted(&r.state))
                .map(|r| r.name.as_str())
                .collect();
            names.join(", ")
        };
        let failed = named(|s| matches!(s, State::Failed(_)));
        let gaps = named(|s| matches!(s, State::NotRun(_)));
        if !failed.is_empty() {
            bail!("failed: {failed}");
        }
        if require_all && !gaps.is_empty() {
            bail!("all parts are required, and these did not run: {gaps}");
        }
        Ok(())
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self
            .rows
            .iter()
            .map(|r| r.name.chars().count())
            .max()
            .unwrap_or(0)
            .max(4);
        writeln!(f, "{:<width$}  {:>8}  result", "part", "seconds")?;
        for row in &self.rows {
            let time = row
                .time
                .map_or_else(|| "-".into(), |t| format!("{:.1}", t.as_secs_f64()));
            let state = match &row.state {
                State::Passed => "ran".to_owned(),
                State::Failed(why) => format!("FAILED: {}", first_line(why)),
                State::NotRun(why) => format!("not run: {}", first_line(why)),
            };
            writeln!(f, "{:<width$}  {time:>8}  {state}", row.name)?;
        }
        Ok(())
    }
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::Report;

    #[test]
    fn a_gap_fails_the_run_only_where_all_parts_are_required() {
        let mut report = Report::default();
        report.note("real system: PostgreSQL");
        report.gap("real system: Tryton", "no network\nand more");
        assert!(report.verdict(false).is_ok());
        assert!(
            report
                .verdict(true)
                .is_err_and(|e| e.to_string().contains("Tryton"))
        );
        assert!(report.to_string().contains("not run: no network\n"));
    }

    #[test]
    fn a_failed_part_fails_the_run() {
        let mut report = Report::default();
        assert!(!report.part("lints", || anyhow::bail!("exit 1")));
        assert!(
            report
                .verdict(false)
                .is_err_and(|e| e.to_string() == "failed: lints")
        );
    }
}

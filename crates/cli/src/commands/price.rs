//! `price`: what a scenario comes to. Reads one file, touches no ledger and no other system.

use crate::args::Args;
use crate::failure::{Failure, NEEDS_A_PERSON};
use crate::out::{self, Output};
use scenario::outcome::{ChargeLine, ScenarioOutcome};
use scenario::read::{ReadError, SCENARIO_BYTES_MAX};
use std::path::Path;
use std::process::ExitCode;

pub(crate) fn run(args: &Args, path: &Path, explain: bool) -> Result<ExitCode, Failure> {
    let text = read_text(path)?;
    let wrong = |error: ReadError| {
        let expected = format!("expected: {}", error.expected);
        Failure::usage(format!("{}: {error}", path.display()), expected)
    };
    let read = scenario::read::read(&text).map_err(wrong)?;
    let outcome = scenario::play(&read).map_err(wrong)?;
    if args.output == Output::Json {
        out::json(&outcome)?;
    } else {
        print(&outcome, explain);
    }
    Ok(if outcome.exceptions.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(NEEDS_A_PERSON)
    })
}

fn read_text(path: &Path) -> Result<String, Failure> {
    let unreadable = |error: std::io::Error| {
        Failure::usage(
            format!("{} cannot be read: {error}", path.display()),
            "name a scenario file; docs/scenarios has examples",
        )
    };
    let bytes = std::fs::metadata(path).map_err(unreadable)?.len();
    if usize::try_from(bytes).map_or(true, |bytes| bytes > SCENARIO_BYTES_MAX) {
        return Err(Failure::usage(
            format!(
                "{} has {bytes} bytes, at most {SCENARIO_BYTES_MAX} are read",
                path.display()
            ),
            "a scenario asks one question; leave out what does not matter to it",
        ));
    }
    std::fs::read_to_string(path).map_err(unreadable)
}

fn print(outcome: &ScenarioOutcome, explain: bool) {
    if !outcome.title.is_empty() {
        out::line(&outcome.title);
    }
    let rows = outcome.charges.iter().map(|charge| {
        vec![
            charge.event.to_string(),
            out::visible(&charge.item),
            charge.act.to_owned(),
            charge.part.clone(),
            format!("{} {}", charge.quantity, charge.unit),
            charge.rate.to_string(),
            charge.amount.to_string(),
            charge.value.to_string(),
            charge.posting_date.to_string(),
        ]
    });
    let headers = [
        ">event",
        "item",
        "act",
        "part",
        ">quantity",
        ">rate",
        ">billed",
        ">worth",
        "posted on",
    ];
    out::table(&headers, rows.collect());
    if explain {
        outcome.charges.iter().for_each(print_steps);
    }
    for document in &outcome.documents {
        out::line(&format!(
            "\n{} for {}, {:?}: {}",
            document.name, document.bill_to, document.state, document.total
        ));
        let rows = document.lines.iter().map(|line| {
            vec![
                out::visible(&line.text),
                format!("{} {}", line.quantity, line.unit),
                line.rate.to_string(),
                line.amount.to_string(),
                line.allowance.to_string(),
                line.rounding.to_string(),
            ]
        });
        let headers = [
            "line",
            ">quantity",
            ">rate",
            ">amount",
            ">allowance",
            ">rounding",
        ];
        out::table(&headers, rows.collect());
    }
    for account in &outcome.accounts {
        out::line(&format!(
            "{} {}: {} {}",
            account.contract, account.account, account.figure, account.value
        ));
    }
    for total in &outcome.totals {
        out::line(&format!(
            "{}: billed {}, worth {}",
            total.contract, total.billed, total.value
        ));
    }
    for exception in &outcome.exceptions {
        out::line(&format!(
            "{} {}: {}. {}",
            exception.item, exception.code, exception.facts, exception.remedy
        ));
    }
}

fn print_steps(charge: &ChargeLine) {
    out::line(&format!(
        "\n{} {} {}: {}",
        charge.act, charge.item, charge.part, charge.amount
    ));
    for (number, step) in (1_usize..).zip(&charge.explanation) {
        out::line(&format!(
            "  {number}. {}: {} -> {}",
            step.rule(),
            step.inputs(),
            step.result()
        ));
    }
}

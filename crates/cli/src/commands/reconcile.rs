//! `reconcile`: tracker, ledger and ERP side by side.

use crate::args::Args;
use crate::beside::carry_out;
use crate::failure::{Failure, NEEDS_A_PERSON};
use crate::out::{self, Output};
use domain::money::Money;
use jiff::civil::Date;
use pipeline::reconcile::Reconciliation;
use server::operations::reconcile::Reconcile;
use std::process::ExitCode;

pub(crate) async fn run(
    args: &Args,
    from: Option<Date>,
    to: Option<Date>,
    all: bool,
) -> Result<ExitCode, Failure> {
    let report = carry_out(args, &Reconcile { from, to }).await?;
    if args.output == Output::Json {
        out::json(&report)?;
    } else {
        print(&report, all);
    }
    let fine = report.ties_out() && report.differences().next().is_none();
    Ok(if fine {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(NEEDS_A_PERSON)
    })
}

/// The report for people.
pub(crate) fn print(report: &Reconciliation, all: bool) {
    out::line(&format!("work from {} to {}", report.from, report.to));
    let rows = report
        .classes
        .iter()
        .map(|(class, count)| {
            let name = class_name(*class);
            let mark = if class.is_difference() {
                "look at it"
            } else {
                ""
            };
            vec![name, count.to_string(), mark.to_owned()]
        })
        .collect();
    out::table(&["entries", ">count", ""], rows);
    let rows = report
        .money
        .iter()
        .map(|total| {
            let money = |amount_minor| Money {
                amount_minor,
                currency: total.currency,
            };
            vec![
                total.currency.to_string(),
                money(total.ledger_minor).decimal().to_string(),
                money(total.erp_minor).decimal().to_string(),
                money(total.explained_minor).decimal().to_string(),
                money(total.unexplained_minor).decimal().to_string(),
            ]
        })
        .collect();
    out::table(
        &["currency", ">ledger", ">ERP", ">explained", ">unexplained"],
        rows,
    );
    let rows: Vec<Vec<String>> = report
        .entries
        .iter()
        .filter(|entry| all || entry.class.is_difference())
        .map(|entry| {
            vec![
                entry.source_ref.clone(),
                class_name(entry.class),
                entry.words.clone(),
                entry.source_seconds.map(out::hours).unwrap_or_default(),
                amount(entry.ledger_minor, entry.currency),
                amount(entry.erp_minor, entry.currency),
            ]
        })
        .collect();
    if !rows.is_empty() {
        out::table(
            &["entry", "class", "what", ">hours", ">ledger", ">ERP"],
            rows,
        );
    }
    out::line(if report.ties_out() {
        "ties out: nothing is unexplained"
    } else {
        "does NOT tie out: something is unexplained"
    });
}

fn amount(minor: i64, currency: Option<domain::currency::Currency>) -> String {
    currency.map_or_else(String::new, |currency| {
        Money {
            amount_minor: minor,
            currency,
        }
        .to_string()
    })
}

fn class_name(class: pipeline::reconcile::Class) -> String {
    serde_json::to_value(class)
        .ok()
        .and_then(|value| value.as_str().map(|name| name.replace('_', " ")))
        .unwrap_or_default()
}

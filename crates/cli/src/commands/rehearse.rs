//! `rehearse`: a proposed contract over the work of the ledger.

use crate::app;
use crate::args::Args;
use crate::config::read_proposal;
use crate::failure::Failure;
use crate::out::{self, Output};
use crate::progress::Bar;
use domain::currency::Currency;
use domain::decimal::Micro;
use domain::money::Money;
use jiff::civil::Date;
use pipeline::rehearse::{Proposal, Rehearsal, RehearsedEntry, rehearse};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

#[derive(Debug, clap::Args)]
pub(crate) struct RehearseArgs {
    /// The proposal: one [[contract]] and its [[rate]]s, as in a configuration.
    contract: PathBuf,
    /// The first day of work.
    #[arg(long)]
    from: Date,
    /// The last day of work.
    #[arg(long)]
    to: Date,
    /// Money in the contract's retainer from the beginning, in its currency.
    #[arg(long, default_value = "0")]
    paid_ahead: Micro,
    /// Show each entry and how its amount would come about.
    #[arg(long)]
    explain: bool,
}

pub(crate) async fn run(args: &Args, asked: &RehearseArgs) -> Result<ExitCode, Failure> {
    if asked.to < asked.from {
        return Err(Failure::usage(
            format!("{} is before {}", asked.to, asked.from),
            "name the first day with --from and the last one with --to",
        ));
    }
    let (contract, rates) = read_proposal(&asked.contract)?;
    let config = app::load_config(args)?;
    let env = app::open_for_reading(&config, Arc::new(Bar::new(args.quiet)))?;
    let proposal = Proposal {
        contract,
        rates,
        paid_ahead: asked.paid_ahead,
        from: asked.from,
        to: asked.to,
    };
    let seen = rehearse(&env, &proposal)
        .await
        .map_err(server::failed::Failed::from)?;
    if args.output == Output::Json {
        out::json(&seen)?;
        return Ok(ExitCode::SUCCESS);
    }
    print(&seen, proposal.contract.currency, asked.explain);
    Ok(ExitCode::SUCCESS)
}

fn print(seen: &Rehearsal, currency: Currency, explain: bool) {
    let money = |amount_minor: i64| {
        Money {
            amount_minor,
            currency,
        }
        .to_string()
    };
    if seen.entries.is_empty() {
        out::line("no approved work of these days is covered by the proposal");
    }
    if explain {
        for entry in &seen.entries {
            print_entry(entry, &money);
        }
    }
    let mut sums = [0_i64; 4];
    let mut rows = Vec::new();
    for (month, row) in &seen.months {
        let proposed = row.hours_minor + row.fixed_minor;
        let figures = [row.before_minor, row.hours_minor, row.fixed_minor, proposed];
        for (sum, figure) in sums.iter_mut().zip(figures) {
            *sum += figure;
        }
        let mut cells = vec![
            month.clone(),
            row.entries.to_string(),
            row.exceptions.to_string(),
            out::hours(row.recorded_seconds),
        ];
        cells.extend(figures.map(money));
        cells.push(money(proposed - row.before_minor));
        cells.push(money(row.not_billed_minor));
        rows.push(cells);
    }
    let mut cells = vec![
        "all".to_owned(),
        String::new(),
        String::new(),
        String::new(),
    ];
    cells.extend(sums.map(money));
    cells.push(money(sums[3] - sums[0]));
    cells.push(String::new());
    rows.push(cells);
    out::table(
        &[
            "month",
            ">entries",
            ">no price",
            ">hours",
            ">billed",
            ">hours would be",
            ">fees",
            ">proposed",
            ">difference",
            ">not billed by hours",
        ],
        rows,
    );
    if seen.other_currency > 0 {
        out::line(&format!(
            "{} entries were billed in another currency than {}; what they billed is not counted",
            seen.other_currency, seen.currency
        ));
    }
    out::complain(
        "hint: milestones and top-ups wait for the client's word and are not rehearsed; nothing was changed",
    );
}

fn print_entry(entry: &RehearsedEntry, money: &impl Fn(i64) -> String) {
    let now = match entry.exception {
        Some(code) => code.text().to_owned(),
        None => money(entry.after_minor),
    };
    let before = money(entry.before_minor);
    out::line(&format!(
        "entry {} of {}: {before}, would be {now}",
        entry.source_ref, entry.work_date
    ));
    for step in &entry.steps {
        out::line(&format!(
            "   {}: {} -> {}",
            step.rule(),
            step.inputs(),
            step.result()
        ));
    }
}

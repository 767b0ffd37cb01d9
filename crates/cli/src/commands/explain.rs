//! `explain`: the life of one entry.

use crate::app;
use crate::args::Args;
use crate::failure::Failure;
use crate::out::{self, Output};
use crate::progress::Bar;
use pipeline::explain::Story;
use pipeline::stake::Stake;
use std::process::ExitCode;
use std::sync::Arc;

/// The story of an item or a failure that says how to name it.
pub(crate) async fn story(args: &Args, id: &str) -> Result<Story, Failure> {
    let config = app::load_config(args)?;
    let env = app::open_for_reading(&config, Arc::new(Bar::new(true)))?;
    pipeline::explain::explain(&env, id.to_owned()).await?.ok_or_else(|| {
        Failure::usage(
            format!("the ledger knows no entry '{id}'"),
            "name it by the item's id (itm_…) or by the tracker's id; unknown entries are taken in \
             by `counterfoil sync`",
        )
    })
}

pub(crate) async fn run(args: &Args, id: &str) -> Result<ExitCode, Failure> {
    let story = story(args, id).await?;
    if args.output == Output::Json {
        out::json(&story)?;
    } else {
        print(&story, false);
    }
    Ok(ExitCode::SUCCESS)
}

/// The money at stake, in words.
pub(crate) fn stake_words(stake: &Stake) -> String {
    match (&stake.booked, &stake.estimate) {
        (Some(money), _) => money.to_string(),
        (None, Some(money)) => format!("{money} (estimate)"),
        (None, None) => {
            let why = stake.no_amount_because.as_deref().unwrap_or("not priced");
            format!("unknown: {why}")
        }
    }
}

pub(crate) fn print(story: &Story, raw: bool) {
    out::line(&format!("{}  ({})", story.item, story.source));
    out::line(&format!("  {}", story.state));
    if let Some(entry) = &story.entry {
        out::line(&format!(
            "  {}: {} h by worker {}, project {}, task {}, {}, {}",
            entry.work_date,
            out::hours(entry.recorded_seconds),
            entry.worker_ref,
            entry.project_ref,
            entry.task_ref.as_deref().unwrap_or("-"),
            if entry.approved {
                "approved"
            } else {
                "not approved"
            },
            if entry.billable {
                "billable"
            } else {
                "not billable"
            },
        ));
        if !entry.narrative.is_empty() {
            out::line(&format!("  \"{}\"", entry.narrative.escape_debug()));
        }
    }
    if let Some(problem) = &story.exception {
        out::line(&format!(
            "\nexception {}: {}",
            problem.code, problem.sentence
        ));
        out::line(&format!("  {}", problem.facts));
        if let Some(words) = &problem.erp_words {
            out::line(&format!("  the ERP said: {words}"));
        }
        out::line(&format!("  at stake: {}", stake_words(&problem.stake)));
        out::line(&format!(
            "  what to do ({}): {}",
            problem.owner.words(),
            problem.remedy
        ));
    }
    for charge in &story.charges {
        out::line(&format!(
            "\ncharge {} (revision {}, {}): {}",
            charge.number, charge.revision, charge.booked_at, charge.words
        ));
        for (number, step) in (1..).zip(&charge.steps) {
            out::line(&format!(
                "  {number}. {}: {} -> {}",
                step.rule(),
                step.inputs(),
                step.result()
            ));
        }
    }
    for posting in &story.postings {
        if let Some(shared) = &posting.shared_line {
            out::line(&format!("\non the line {shared}:"));
        }
        out::line(&format!(
            "\nposting {}: {} for charge {}, {}, line {} of {}, key {}",
            posting.effect,
            posting.kind,
            posting.charge,
            posting.state,
            posting.erp_line.as_deref().unwrap_or("-"),
            posting.document,
            posting.line_key,
        ));
    }
    if let Some(told) = &story.told {
        out::line(&format!("\nthe tracker shows: {told}"));
    }
    if raw && let Some(raw) = &story.raw {
        out::line(&format!("\nas received:\n{}", out::visible(raw)));
    }
}

//! `exceptions list|show|replay`.

use crate::app;
use crate::args::{Args, Exceptions};
use crate::beside::carry_out;
use crate::failure::{Failure, NEEDS_A_PERSON};
use crate::out::{self, Output};
use crate::progress::Bar;
use pipeline::exceptions::Exception;
use server::operations::replay::{Replay, ReplayDone, code_of};
use std::process::ExitCode;
use std::sync::Arc;

pub(crate) async fn run(args: &Args, command: &Exceptions) -> Result<ExitCode, Failure> {
    match command {
        Exceptions::List { code } => list(args, code.clone()).await,
        Exceptions::Show { id } => {
            let story = super::explain::story(args, id).await?;
            if args.output == Output::Json {
                out::json(&story)?;
            } else {
                super::explain::print(&story, true);
            }
            Ok(ExitCode::SUCCESS)
        }
        Exceptions::Replay {
            ids,
            code,
            all,
            actor,
        } => {
            let wish = Replay {
                ids: ids.clone(),
                code: code.clone(),
                all: *all,
                actor: actor.clone(),
            };
            replay(args, &wish).await
        }
    }
}

async fn list(args: &Args, code: Option<String>) -> Result<ExitCode, Failure> {
    if let Some(code) = &code {
        code_of(code)?;
    }
    let config = app::load_config(args)?;
    let env = app::open_for_reading(&config, Arc::new(Bar::new(true)))?;
    let all = pipeline::exceptions::list(&env, code).await?;
    if args.output == Output::Json {
        out::json(&all)?;
        return Ok(ExitCode::SUCCESS);
    }
    let now_us = env.clock.now_us();
    let rows = all
        .iter()
        .map(|e| {
            let age_hours = (now_us - e.since_us) / 3_600_000_000;
            vec![
                e.source_ref.clone(),
                e.work_date.clone(),
                out::hours(e.recorded_seconds),
                super::explain::stake_words(&e.stake),
                e.code.clone(),
                e.owner.words().to_owned(),
                format!("{} d {} h", age_hours / 24, age_hours % 24),
                e.facts.clone(),
            ]
        })
        .collect();
    out::table(
        &[
            "entry",
            "work date",
            ">hours",
            ">amount",
            "code",
            "owner",
            ">age",
            "facts",
        ],
        rows,
    );
    print_sums(&all);
    let mut remedies: Vec<(&str, &str)> = all
        .iter()
        .map(|e| (e.code.as_str(), e.remedy.as_str()))
        .collect();
    remedies.sort_unstable();
    remedies.dedup();
    for (code, remedy) in remedies {
        out::line(&format!("{code}: {remedy}"));
    }
    Ok(ExitCode::SUCCESS)
}

/// The money of the list, by currency.
fn print_sums(all: &[Exception]) {
    let (sums, unknown) = pipeline::stake::sums(all);
    for sum in sums {
        out::line(&format!(
            "at stake: {} booked, {} more by estimate",
            sum.booked, sum.estimated
        ));
    }
    if unknown > 0 {
        out::line(&format!(
            "{unknown} entries whose amount nobody can know yet; the column says why"
        ));
    }
}

async fn replay(args: &Args, wish: &Replay) -> Result<ExitCode, Failure> {
    let done = carry_out(args, wish).await?;
    let ReplayDone { replayed, pass } = done;
    if args.output == Output::Json {
        out::json(&serde_json::json!({
            "taken_up": replayed.taken_up, "solved": replayed.solved,
            "still_open": replayed.still_open, "posted": pass.post.posted,
            "adopted": pass.post.adopted, "rejected": pass.post.rejected,
        }))?;
    } else {
        out::line(&format!(
            "{} exceptions taken up: {} solved, {} still open",
            replayed.taken_up, replayed.solved, replayed.still_open
        ));
        out::line(&format!(
            "posted: {} lines ({} found there already, {} refused)",
            pass.post.posted, pass.post.adopted, pass.post.rejected
        ));
    }
    Ok(if done.needs_a_person() {
        ExitCode::from(NEEDS_A_PERSON)
    } else {
        ExitCode::SUCCESS
    })
}

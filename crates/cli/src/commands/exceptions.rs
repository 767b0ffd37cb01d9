//! `exceptions list|show|replay`.

use crate::app::{self, Access};
use crate::args::{Args, Exceptions};
use crate::failure::{Failure, NEEDS_A_PERSON};
use crate::out::{self, Output};
use crate::progress::Bar;
use domain::exception::Code;
use domain::ids::ItemId;
use pipeline::env::Env;
use pipeline::exceptions::{Choice, Exception};
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
        } => replay(args, ids, code.as_deref(), *all, actor).await,
    }
}

fn code_of(text: &str) -> Result<Code, Failure> {
    Code::from_text(text).ok_or_else(|| {
        Failure::usage(
            format!("'{text}' is no exception code"),
            "`counterfoil schema exceptions` lists them all",
        )
    })
}

async fn list(args: &Args, code: Option<String>) -> Result<ExitCode, Failure> {
    if let Some(code) = &code {
        code_of(code)?;
    }
    let config = app::load_config(args)?;
    let env = app::open(&config, Access::Read, Arc::new(Bar::new(true)))?;
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

fn choice(env: &Env, ids: &[String], code: Option<&str>, all: bool) -> Result<Choice, Failure> {
    match (ids.is_empty(), code, all) {
        (true, None, true) => Ok(Choice::All),
        (true, Some(code), false) => Ok(Choice::Code(code_of(code)?)),
        (false, None, false) => Ok(Choice::Items(
            ids.iter()
                .map(|id| {
                    id.parse().unwrap_or_else(|_| {
                        ItemId::derive(&env.settings.ledger, &env.settings.source, id)
                    })
                })
                .collect(),
        )),
        _ => Err(Failure::usage(
            "say which exceptions to replay",
            "name entries, or one --code, or --all",
        )),
    }
}

async fn replay(
    args: &Args,
    ids: &[String],
    code: Option<&str>,
    all: bool,
    actor: &str,
) -> Result<ExitCode, Failure> {
    let config = app::load_config(args)?;
    let bar = Arc::new(Bar::new(args.quiet));
    let env = app::open(&config, Access::Write, bar.clone())?;
    let choice = choice(&env, ids, code, all)?;
    let result = pipeline::sync::replay(&env, &choice, actor).await;
    bar.clear();
    let (replayed, pass) = result?;
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
    let open = replayed.still_open + pass.post.rejected > 0;
    Ok(if open {
        ExitCode::from(NEEDS_A_PERSON)
    } else {
        ExitCode::SUCCESS
    })
}

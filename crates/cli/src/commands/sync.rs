//! `sync`: one pass, or what it would do.

use crate::app;
use crate::args::Args;
use crate::beside::carry_out;
use crate::failure::{Failure, NEEDS_A_PERSON};
use crate::ledger::{self, Access};
use crate::out::{self, Output};
use crate::progress::Bar;
use domain::currency::Currency;
use domain::decimal::Micro;
use domain::money::Money;
use jiff::civil::Date;
use pipeline::sync::SyncResult;
use serde_json::json;
use server::operations::pass::{Pass, PassDone};
use std::process::ExitCode;
use std::sync::Arc;

pub(crate) async fn run(
    args: &Args,
    accept_deletions: bool,
    today: Option<Date>,
) -> Result<ExitCode, Failure> {
    let wish = Pass {
        accept_deletions,
        today,
    };
    let done = carry_out(args, &wish).await?;
    show(args, &done)
}

/// What a pass came to.
pub(crate) fn show(args: &Args, done: &PassDone) -> Result<ExitCode, Failure> {
    let PassDone { result, exceptions } = done;
    let open_total: i64 = exceptions.values().sum();
    if args.output == Output::Json {
        let SyncResult {
            intake,
            fixed,
            post,
            states,
            ..
        } = result;
        out::json(&json!({
            "fixed_new": fixed.new_items, "fixed_revisions": fixed.revisions,
            "new": intake.new_items, "revisions": intake.revisions,
            "unchanged": intake.unchanged, "withdrawn": intake.withdrawn,
            "posted": post.posted, "adopted": post.adopted, "rejected": post.rejected,
            "calls": post.calls, "answers_lost": post.doubts, "left": post.left,
            "documents_changed": states.documents_changed,
            "lines_missing": states.lines_missing, "lines_altered": states.lines_altered,
            "rate_changes": result.rate_changes,
            "told": result.told, "not_told": result.not_told,
            "posting_off": result.posting_off, "exceptions": exceptions,
        }))?;
    } else {
        print(result);
        if open_total > 0 {
            out::line(&format!("{open_total} exceptions are open:"));
            for (code, count) in exceptions {
                out::line(&format!("  {count:>5}  {code}"));
            }
            out::complain("hint: `counterfoil exceptions list` says what to do about each");
        }
    }
    Ok(if done.needs_a_person() {
        ExitCode::from(NEEDS_A_PERSON)
    } else {
        ExitCode::SUCCESS
    })
}

fn print(result: &SyncResult) {
    let SyncResult {
        intake,
        fixed,
        post,
        states,
        ..
    } = result;
    out::line(&format!(
        "taken in: {} new, {} changed, {} withdrawn",
        intake.new_items, intake.revisions, intake.withdrawn
    ));
    if fixed.new_items + fixed.revisions > 0 {
        out::line(&format!(
            "fixed amounts: {} new, {} changed",
            fixed.new_items, fixed.revisions
        ));
    }
    out::line(&format!(
        "posted: {} lines in {} calls ({} found there already, {} refused, {} answers lost)",
        post.posted, post.calls, post.adopted, post.rejected, post.doubts
    ));
    if post.left > 0 {
        out::line(&format!(
            "{} lines still wait; the next pass goes on",
            post.left
        ));
    }
    if result.posting_off {
        out::line("posting is paused; `counterfoil resume` goes on");
    }
    if states.documents_changed + states.lines_missing + states.lines_altered > 0 {
        out::line(&format!(
            "the ERP: {} documents changed state, {} lines deleted there, {} changed there",
            states.documents_changed, states.lines_missing, states.lines_altered
        ));
    }
    if result.rate_changes > 0 {
        out::line(&format!(
            "{} booked entries are held: a rate changed back in time",
            result.rate_changes
        ));
    }
    out::line(&format!("told the tracker: {} entries", result.told));
    if result.not_told > 0 {
        out::line(&format!(
            "{} entries could not be told; the next pass tries again",
            result.not_told
        ));
    }
}

pub(crate) async fn dry_run(args: &Args, today: Option<Date>) -> Result<ExitCode, Failure> {
    let config = app::load_config(args)?;
    let bar = Arc::new(Bar::new(args.quiet));
    let access = if ledger::Place::of(&config)?.holds_one()? {
        Access::Read
    } else {
        Access::Write
    };
    let store = ledger::open_store(&config, access)?;
    let env = app::over(&config, store, access, bar.clone())?;
    let today = today.unwrap_or_else(|| server::operations::pass::today(&env));
    let plan = pipeline::dry_run::dry_run(&env, today).await;
    bar.clear();
    let plan = plan?;
    let money = |minor: i64, currency: &str| {
        currency
            .parse::<Currency>()
            .map(|currency| {
                Money {
                    amount_minor: minor,
                    currency,
                }
                .to_string()
            })
            .unwrap_or_default()
    };
    if args.output == Output::Json {
        let lines: Vec<_> = plan
            .lines
            .iter()
            .map(|line| {
                json!({
                    "shape": line.shape, "bill_to": line.bill_to, "group": line.group_key,
                    "period": line.period, "lines": line.lines,
                    "hours": Micro::from_micro(line.quantity_micro).to_string(),
                    "amount": money(line.amount_minor, &line.currency),
                })
            })
            .collect();
        out::json(&json!({
            "lines": lines, "exceptions": plan.exceptions, "waiting": plan.waiting,
            "nothing_to_bill": plan.nothing_to_bill,
            "elsewhere": plan.elsewhere, "unchanged": plan.unchanged,
        }))?;
        return Ok(ExitCode::SUCCESS);
    }
    let rows = plan
        .lines
        .iter()
        .map(|line| {
            vec![
                line.period.clone(),
                line.bill_to.clone(),
                line.group_key.clone(),
                line.shape.to_owned(),
                line.lines.to_string(),
                Micro::from_micro(line.quantity_micro).to_string(),
                money(line.amount_minor, &line.currency),
            ]
        })
        .collect();
    out::table(
        &[
            "period", "customer", "document", "shape", ">lines", ">hours", ">amount",
        ],
        rows,
    );
    out::line(&format!(
        "{} entries wait for approval, {} were billed elsewhere, {} are known and unchanged",
        plan.waiting, plan.elsewhere, plan.unchanged
    ));
    if plan.nothing_to_bill > 0 {
        out::line(&format!(
            "{} entries come to nothing under their contract: booked, no line",
            plan.nothing_to_bill
        ));
    }
    for (code, count) in &plan.exceptions {
        out::line(&format!("{count:>5} would become exceptions: {code}"));
    }
    out::complain("hint: nothing was written; `counterfoil sync` does it");
    Ok(ExitCode::SUCCESS)
}

//! `status`, `pause` and `resume`.

use crate::app;
use crate::args::Args;
use crate::beside::{self, carry_out};
use crate::failure::Failure;
use crate::out::{self, Output};
use crate::progress::Bar;
use domain::time::instant_text;
use pipeline::limit::Used;
use pipeline::nodes::Node;
use pipeline::status::Status;
use serde::Serialize;
use server::operations::posting::SwitchPosting;
use server::process::{Outcome, Process, UnderWay};
use std::process::ExitCode;
use std::sync::Arc;

/// The ledger's status, and the process that runs over it.
#[derive(Debug, Serialize)]
struct Shown<'a> {
    #[serde(flatten)]
    status: &'a Status,
    nodes: &'a [Node],
    process: Option<Process>,
    process_problem: Option<String>,
}

pub(crate) async fn run(args: &Args) -> Result<ExitCode, Failure> {
    let config = app::load_config(args)?;
    let env = app::open_for_reading(&config, Arc::new(Bar::new(true)))?;
    let status = pipeline::status::status(&env).await?;
    let nodes = pipeline::nodes::nodes(&env).await?;
    // What the ledger says is shown whatever the process says of itself.
    let process = beside::process(&config).await;
    if args.output == Output::Json {
        let (process, problem) = match process {
            Ok(process) => (process, None),
            Err(failure) => (None, Some(failure.what().to_owned())),
        };
        out::json(&Shown {
            status: &status,
            nodes: &nodes,
            process,
            process_problem: problem,
        })?;
        return Ok(ExitCode::SUCCESS);
    }
    match process {
        Ok(Some(process)) => print_process(&process),
        Ok(None) => out::line("`counterfoil run` is not running"),
        Err(failure) => failure.tell(),
    }
    for node in nodes.iter().filter(|node| !node.leases.is_empty()) {
        let names: Vec<&str> = node.leases.keys().map(String::as_str).collect();
        out::line(&format!(
            "node {} works for {}",
            node.name,
            names.join(", ")
        ));
    }
    match (&status.last_scan_us, status.last_scan_rows) {
        (Some(at_us), Some(rows)) => {
            out::line(&format!(
                "last complete look at the tracker: {} ({rows} entries)",
                instant_text(*at_us)
            ));
        }
        _ => out::line("the tracker was never looked at completely"),
    }
    match &status.posting_off {
        Some(reason) => out::line(&format!("posting is off: {reason}")),
        None => out::line("posting is on"),
    }
    out::line(&format!(
        "{} lines wait to be sent, {} calls are open",
        status.lines_waiting, status.calls_open
    ));
    for account in &status.limits {
        if let Some(until_us) = account.paused_until_us {
            let until = instant_text(until_us);
            out::line(&format!(
                "{} asked for a pause until {until}",
                account.domain
            ));
        }
    }
    let rows = status.limits.iter().flat_map(|account| {
        let row = |used: &Used| {
            let of = format!("{} of {}", used.used, used.most);
            vec![account.domain.clone(), used.limit.clone(), of]
        };
        account.used.iter().map(row).collect::<Vec<_>>()
    });
    out::table(&["account", "limit", ">used"], rows.collect());
    let rows = status
        .exceptions
        .iter()
        .map(|(code, n)| vec![code.clone(), n.to_string()])
        .collect();
    out::table(&["open exceptions", ">count"], rows);
    let rows = status
        .counters
        .iter()
        .map(|(name, n)| vec![name.clone(), n.to_string()])
        .collect();
    out::table(&["since the ledger began", ">count"], rows);
    Ok(ExitCode::SUCCESS)
}

/// The process that runs, in words.
fn print_process(process: &Process) {
    out::line(&format!(
        "`counterfoil run` {} runs since {} as process {}",
        process.version,
        instant_text(process.started_at_us),
        process.pid
    ));
    if let Some(UnderWay { what, since_us }) = &process.under_way {
        let waiting = match process.waiting {
            0 => String::new(),
            n => format!(", and {n} wait for their turn"),
        };
        out::line(&format!(
            "{what} is under way since {}{waiting}",
            instant_text(*since_us)
        ));
    }
    match &process.last_pass {
        None => out::line("it has ended no pass yet"),
        Some(last) => {
            let how = match &last.outcome {
                Outcome::Done(done) => {
                    let post = &done.result.post;
                    format!("{} lines posted, {} still wait", post.posted, post.left)
                }
                Outcome::Failed(failed) => format!("stopped: {}", failed.what),
            };
            out::line(&format!(
                "its last pass ended {}: {how}",
                instant_text(last.ended_at_us)
            ));
        }
    }
    if let Some(next_us) = process.next_pass_us {
        out::line(&format!("its next pass is due {}", instant_text(next_us)));
    }
}

pub(crate) async fn pause(args: &Args, reason: Option<String>) -> Result<ExitCode, Failure> {
    let switched = carry_out(args, &SwitchPosting { off: reason }).await?;
    match switched.off {
        Some(reason) => out::line(&format!("posting is off: {reason}")),
        None => out::line("posting is on"),
    }
    Ok(ExitCode::SUCCESS)
}

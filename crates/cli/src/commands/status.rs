//! `status`, `pause` and `resume`.

use crate::app::{self, Access};
use crate::args::Args;
use crate::failure::Failure;
use crate::out::{self, Output};
use crate::progress::Bar;
use domain::time::instant_text;
use pipeline::sync::SetPosting;
use std::process::ExitCode;
use std::sync::Arc;

pub(crate) async fn run(args: &Args) -> Result<ExitCode, Failure> {
    let config = app::load_config(args)?;
    let env = app::open(&config, Access::Read, Arc::new(Bar::new(true)))?;
    let status = pipeline::status::status(&env).await?;
    if args.output == Output::Json {
        out::json(&status)?;
        return Ok(ExitCode::SUCCESS);
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

pub(crate) async fn pause(args: &Args, reason: Option<String>) -> Result<ExitCode, Failure> {
    let config = app::load_config(args)?;
    let env = app::open(&config, Access::Write, Arc::new(Bar::new(true)))?;
    let before = pipeline::status::status(&env).await?.posting_off;
    let restored = before.as_deref() == Some(pipeline::restored::RESTORED);
    if restored {
        return Err(Failure::usage(
            "posting is off because this ledger was restored from a backup",
            "run `counterfoil sync`: it looks up what the backup does not know and then goes on",
        ));
    }
    let words = reason.as_ref().map_or("posting is on".to_owned(), |r| {
        format!("posting is off: {r}")
    });
    env.write(SetPosting { off: reason }).await?;
    out::line(&words);
    Ok(ExitCode::SUCCESS)
}

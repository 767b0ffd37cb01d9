//! `publish`: the ERP's masters into the tracker.

use crate::app::{self, Access};
use crate::args::Args;
use crate::failure::Failure;
use crate::out::{self, Output};
use crate::progress::Bar;
use pipeline::env::{erp, tracker};
use std::process::ExitCode;
use std::sync::Arc;

pub(crate) async fn run(args: &Args, dry_run: bool) -> Result<ExitCode, Failure> {
    let config = app::load_config(args)?;
    let env = app::open(&config, Access::Write, Arc::new(Bar::new(true)))?;
    let Some(publisher) = &env.publisher else {
        return Err(Failure::usage(
            "this tracker takes no masters",
            "keep its projects and tasks by hand, or use a connector that publishes",
        ));
    };
    let masters = env.target.masters().await.map_err(erp)?;
    let published = publisher
        .publish(&masters, dry_run)
        .await
        .map_err(tracker)?;
    if args.output == Output::Json {
        out::json(&serde_json::json!({
            "created": published.created, "changed": published.changed,
            "closed": published.closed, "refused": published.refused,
            "not_enforced": published.not_enforced,
        }))?;
        return Ok(ExitCode::SUCCESS);
    }
    let lists = [
        ("created", &published.created),
        ("changed", &published.changed),
        ("closed", &published.closed),
        ("refused", &published.refused),
        (
            "not enforced by the tracker, detected instead",
            &published.not_enforced,
        ),
    ];
    for (what, list) in lists {
        out::line(&format!("{what}: {}", list.len()));
        for words in list {
            out::line(&format!("  {words}"));
        }
    }
    if dry_run {
        out::complain("hint: nothing was changed; `counterfoil publish` does it");
    }
    Ok(ExitCode::SUCCESS)
}

//! `publish`: the ERP's masters into the tracker.

use crate::args::Args;
use crate::beside::carry_out;
use crate::failure::Failure;
use crate::out::{self, Output};
use server::operations::publish::Publish;
use std::process::ExitCode;

pub(crate) async fn run(args: &Args, dry_run: bool) -> Result<ExitCode, Failure> {
    let published = carry_out(args, &Publish { dry_run }).await?;
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

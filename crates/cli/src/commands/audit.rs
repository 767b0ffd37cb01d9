//! `audit verify`: names what was not written by this program.

use crate::app;
use crate::args::Args;
use crate::failure::{Failure, NEEDS_A_PERSON};
use crate::out::{self, Output};
use std::process::ExitCode;

pub(crate) async fn verify(args: &Args) -> Result<ExitCode, Failure> {
    let config = app::load_config(args)?;
    let path = app::ledger_path(&config);
    if !path.exists() {
        return Err(Failure::usage(
            format!("there is no ledger at {}", path.display()),
            "run `counterfoil sync` first, or name another configuration",
        ));
    }
    let report = store::audit::verify_file(&path, app::store_options(&config)?).await;
    let checked = report.checked;
    if args.output == Output::Json {
        let problems: Vec<_> = report
            .problems
            .iter()
            .map(|p| serde_json::json!({"table": p.table, "key": p.key, "what": p.what}))
            .collect();
        out::json(&serde_json::json!({
            "blocks": checked.blocks, "leaves": checked.leaves, "rows": checked.rows,
            "texts": checked.texts, "problems": problems,
        }))?;
    } else {
        out::line(&format!(
            "looked at {} rows, {} audit leaves in {} blocks, {} sealed texts",
            checked.rows, checked.leaves, checked.blocks, checked.texts
        ));
        for problem in &report.problems {
            out::line(&format!(
                "{} {}: {}",
                problem.table, problem.key, problem.what
            ));
        }
        out::line(if report.problems.is_empty() {
            "everything is as it was written"
        } else {
            "the ledger was changed by something else, or damaged"
        });
    }
    if report.problems.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    out::complain("hint: keep this file as evidence and restore the latest backup that verifies");
    Ok(ExitCode::from(NEEDS_A_PERSON))
}

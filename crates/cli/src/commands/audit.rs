//! `audit verify` names what was not written by this program; `audit reprice` what it would not price
//! so again.

use crate::app;
use crate::args::Args;
use crate::failure::{Failure, NEEDS_A_PERSON};
use crate::ledger::{self, Access, Place};
use crate::out::{self, Output};
use crate::progress::Bar;
use std::process::ExitCode;
use std::sync::Arc;

pub(crate) async fn verify(args: &Args) -> Result<ExitCode, Failure> {
    let config = app::load_config(args)?;
    let report = match Place::of(&config)? {
        Place::File(path) if path.exists() => {
            store::audit::verify_file(&path, ledger::store_options(&config)?).await
        }
        // A file that is not there is told like a database without a ledger.
        _ => store::audit::verify(&ledger::open_store(&config, Access::Read)?).await?,
    };
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

pub(crate) async fn reprice(args: &Args) -> Result<ExitCode, Failure> {
    let config = app::load_config(args)?;
    let bar = Arc::new(Bar::new(args.quiet));
    let env = app::open_for_reading(&config, bar.clone())?;
    let repriced = pipeline::reprice::reprice(&env).await;
    bar.clear();
    let repriced = repriced?;
    if args.output == Output::Json {
        out::json(&serde_json::json!({
            "same": repriced.same, "same_lines": repriced.same_lines,
            "same_with_other_work": repriced.same_with_other_work,
            "before_acts": repriced.before_acts, "shredded": repriced.shredded,
            "differing": repriced.differing,
        }))?;
    } else {
        out::line(&format!(
            "{} charges and {} shared lines come out bit for bit as booked, {} of the charges with the other \
             work that decided about them",
            repriced.same + repriced.same_with_other_work,
            repriced.same_lines,
            repriced.same_with_other_work
        ));
        if repriced.before_acts > 0 {
            out::line(&format!(
                "{} charges were priced with other work before that was kept: not priced again",
                repriced.before_acts
            ));
        }
        if repriced.shredded > 0 {
            out::line(&format!("{} charges are shredded", repriced.shredded));
        }
        for differs in &repriced.differing {
            out::line(&format!(
                "{} charge {}: {}",
                differs.item, differs.charge, differs.what
            ));
        }
    }
    if repriced.differing.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    out::complain(
        "hint: run `counterfoil audit verify`; if it finds nothing, this program prices otherwise than the one that booked: report it with the versions of both",
    );
    Ok(ExitCode::from(NEEDS_A_PERSON))
}

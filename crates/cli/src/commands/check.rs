//! `check`: the doctor. It looks the way real work looks, and changes nothing.

use crate::app;
use crate::args::Args;
use crate::failure::{Failure, NEEDS_A_PERSON};
use crate::ledger::{self, Access, Place};
use crate::out::{self, Output};
use connector_sdk::check::{CheckLine, Verdict};
use std::process::ExitCode;

pub(crate) async fn run(args: &Args) -> Result<ExitCode, Failure> {
    let config = app::load_config(args)?;
    let mut lines = vec![CheckLine::good("configuration", "reads and makes sense")];
    for warning in &config.warnings {
        lines.push(CheckLine {
            subject: "configuration".to_owned(),
            verdict: Verdict::Warning,
            found: warning.clone(),
            hint: None,
        });
    }
    let file = &config.file;
    if file.flow.billed_before.is_none() && file.flow.billed_before_file.is_none() {
        lines.push(CheckLine::with_hint(
            Verdict::Bad,
            "configuration",
            "it does not say what was billed before this ledger began",
            "write billed_before under [flow]; the first sync refuses without it",
        ));
    }
    lines.push(ledger(&config));
    let (clock, transport) = app::handles()?;
    let source = app::source(&config, &transport, &clock)?;
    lines.extend(named("tracker", source.time.check().await));
    let target = app::target(&config, &transport, &clock)?;
    lines.extend(named("ERP", target.check().await));
    let manifest = target.manifest();
    for contract in &file.contract {
        if contract.quantity_decimals > manifest.quantity_decimals_max {
            lines.push(CheckLine::with_hint(
                Verdict::Bad,
                "contracts",
                format!(
                    "contract {} prints {} decimals of an hour, the ERP stores {}",
                    contract.id, contract.quantity_decimals, manifest.quantity_decimals_max
                ),
                "lower quantity_decimals of the contract",
            ));
        }
    }
    for contract in &file.contract {
        if let Some(own) = manifest.amount_rounding
            && contract.amount_rounding != own
            && contract.kind == domain::contract::ContractKind::TimeAndMaterials
            && contract.shape == domain::contract::BillShape::DraftLine
        {
            lines.push(CheckLine::with_hint(
                Verdict::Bad,
                "contracts",
                format!(
                    "contract {} rounds amounts {}, the ERP rounds {}",
                    contract.id,
                    contract.amount_rounding.name(),
                    own.name()
                ),
                format!("write amount_rounding = \"{}\" in the contract", own.name()),
            ));
        }
    }
    let bad = lines.iter().any(|line| line.verdict == Verdict::Bad);
    show(args, &lines)?;
    Ok(if bad {
        ExitCode::from(NEEDS_A_PERSON)
    } else {
        ExitCode::SUCCESS
    })
}

fn named(system: &str, lines: Vec<CheckLine>) -> Vec<CheckLine> {
    lines
        .into_iter()
        .map(|line| CheckLine {
            subject: format!("{system}: {}", line.subject),
            ..line
        })
        .collect()
}

fn ledger(config: &crate::config::Config) -> CheckLine {
    let bad = |found: String, failure: &Failure| {
        let hint = format!("{}; restore a backup if it is damaged", failure.what());
        CheckLine::with_hint(Verdict::Bad, "ledger", found, hint)
    };
    let place = match Place::of(config) {
        Ok(place) => place,
        Err(failure) => return bad("cannot be looked for".to_owned(), &failure),
    };
    let words = place.words();
    match place.holds_one() {
        Ok(true) => {}
        Ok(false) => {
            return CheckLine::with_hint(
                Verdict::Warning,
                "ledger",
                format!("there is none at {words} yet"),
                "the first sync creates it",
            );
        }
        Err(failure) => return bad(format!("is not reached at {words}"), &failure),
    }
    // Also while another process works with it.
    match ledger::open_store(config, Access::Read) {
        Ok(_) => CheckLine::good("ledger", format!("opens at {words}")),
        Err(failure) => bad(format!("does not open at {words}"), &failure),
    }
}

fn show(args: &Args, lines: &[CheckLine]) -> Result<(), Failure> {
    let word = |verdict: Verdict| match verdict {
        Verdict::Good => "good",
        Verdict::Warning => "warning",
        Verdict::Bad => "bad",
    };
    if args.output == Output::Json {
        let lines: Vec<_> = lines
            .iter()
            .map(|line| {
                serde_json::json!({
                    "subject": line.subject, "verdict": word(line.verdict),
                    "found": line.found, "hint": line.hint,
                })
            })
            .collect();
        return out::json(&lines);
    }
    for line in lines {
        out::line(&format!(
            "{:<8} {}: {}",
            word(line.verdict),
            line.subject,
            line.found
        ));
        if let Some(hint) = &line.hint {
            out::line(&format!("         hint: {hint}"));
        }
    }
    Ok(())
}

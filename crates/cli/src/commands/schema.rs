//! `schema`: what is published for others to rely on.

use crate::failure::Failure;
use crate::out;
use domain::exception::Code;
use std::process::ExitCode;

pub(crate) fn run(name: &str) -> Result<ExitCode, Failure> {
    match name {
        "labor-transaction" => out::json(&domain::labor::labor_transaction_schema())?,
        "contract" => out::json(&domain::contract::contract_schema())?,
        "scenario" => out::json(&scenario::file::scenario_schema())?,
        "exceptions" => {
            let all: Vec<_> = Code::ALL
                .iter()
                .map(|code| {
                    serde_json::json!({
                        "code": code.text(), "sentence": code.sentence(),
                        "remedy": code.remedy(), "owner": code.owner(),
                    })
                })
                .collect();
            out::json(&all)?;
        }
        other => {
            return Err(Failure::usage(
                format!("there is no schema '{other}'"),
                "ask for labor-transaction, contract, scenario or exceptions",
            ));
        }
    }
    Ok(ExitCode::SUCCESS)
}

//! `contracts show|accept|release-retention|fund`.

use crate::app;
use crate::args::Args;
use crate::beside::carry_out;
use crate::failure::Failure;
use crate::out::{self, Output};
use crate::progress::Bar;
use clap::Subcommand;
use domain::decimal::Micro;
use jiff::civil::Date;
use pipeline::contracts::{Figure, Word, figures};
use rules::account::milestone::Evidence;
use rules::account::retainer::FundingStage;
use server::operations::contract::TellContract;
use std::process::ExitCode;
use std::sync::Arc;

#[derive(Debug, Subcommand)]
pub(crate) enum Contracts {
    /// What the accounts of contracts hold.
    Show {
        /// Only this contract.
        contract: Option<String>,
    },
    /// The client accepted a milestone: the next pass bills it.
    Accept {
        /// The contract.
        contract: String,
        /// The milestone.
        milestone: String,
        #[command(flatten)]
        evidence: EvidenceArgs,
        /// Another amount than the contract's, in its currency.
        #[arg(long)]
        amount: Option<Micro>,
        /// The revision of the acceptance; a later one replaces the one before.
        #[arg(long, default_value_t = 1)]
        revision: u32,
        /// Who says so, for the audit chain.
        #[arg(long, default_value = "operator")]
        actor: String,
    },
    /// Everything is accepted and the end has come: what was withheld is billed.
    ReleaseRetention {
        /// The contract.
        contract: String,
        #[command(flatten)]
        evidence: EvidenceArgs,
        /// Who says so, for the audit chain.
        #[arg(long, default_value = "operator")]
        actor: String,
    },
    /// Money was invoiced or paid for the contract's retainer.
    Fund {
        /// The contract.
        contract: String,
        /// The top-up it answers, or an id of your own.
        id: String,
        /// How much of it so far, in the contract's currency.
        #[arg(long)]
        amount: Micro,
        /// How far the money has come.
        #[arg(long, value_enum)]
        stage: Stage,
        /// Who says so, for the audit chain.
        #[arg(long, default_value = "operator")]
        actor: String,
    },
}

#[derive(Debug, clap::Args)]
pub(crate) struct EvidenceArgs {
    /// Who accepted it.
    #[arg(long)]
    accepted_by: String,
    /// When.
    #[arg(long, value_name = "DATE")]
    on: Date,
    /// The document that shows it.
    #[arg(long)]
    document: String,
}

impl EvidenceArgs {
    fn evidence(&self) -> Evidence {
        Evidence {
            accepted_by: self.accepted_by.clone(),
            accepted_on: self.on,
            document: self.document.clone(),
        }
    }
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
pub(crate) enum Stage {
    /// An invoice asks for it.
    Invoiced,
    /// It was paid.
    Paid,
}

pub(crate) async fn run(args: &Args, command: &Contracts) -> Result<ExitCode, Failure> {
    let (contract, word, actor) = match command {
        Contracts::Show { contract } => return show(args, contract.as_deref()).await,
        Contracts::Accept {
            contract,
            milestone,
            evidence,
            amount,
            revision,
            actor,
        } => {
            let word = Word::Accept {
                milestone: milestone.clone(),
                revision: *revision,
                amount: *amount,
                evidence: evidence.evidence(),
            };
            (contract, word, actor)
        }
        Contracts::ReleaseRetention {
            contract,
            evidence,
            actor,
        } => {
            let evidence = evidence.evidence();
            (contract, Word::ReleaseRetention { evidence }, actor)
        }
        Contracts::Fund {
            contract,
            id,
            amount,
            stage,
            actor,
        } => {
            let word = Word::Fund {
                id: id.clone(),
                stage: match stage {
                    Stage::Invoiced => FundingStage::Invoiced,
                    Stage::Paid => FundingStage::Paid,
                },
                amount: *amount,
            };
            (contract, word, actor)
        }
    };
    let told = TellContract {
        contract: contract.clone(),
        word,
        actor: actor.clone(),
    };
    let answer = carry_out(args, &told).await?;
    if args.output == Output::Json {
        out::json(&answer)?;
        return Ok(ExitCode::SUCCESS);
    }
    if !answer.new {
        out::line(&format!(
            "contract {contract} knows that already; nothing changed"
        ));
        return Ok(ExitCode::SUCCESS);
    }
    out::line(&format!("contract {contract} was told"));
    for asked in &answer.asked_for {
        out::line(&format!(
            "  {}: {} at the next pass",
            asked.text, asked.amount
        ));
    }
    Ok(ExitCode::SUCCESS)
}

async fn show(args: &Args, only: Option<&str>) -> Result<ExitCode, Failure> {
    let config = app::load_config(args)?;
    let env = app::open_for_reading(&config, Arc::new(Bar::new(true)))?;
    if let Some(only) = only
        && !env.settings.contracts.iter().any(|known| known.id == only)
    {
        return Err(Failure::usage(
            format!("the configuration has no contract {only}"),
            "leave it out to see all of them",
        ));
    }
    let rows = figures(&env, only).await?;
    if args.output == Output::Json {
        out::json(&rows)?;
        return Ok(ExitCode::SUCCESS);
    }
    if rows.is_empty() {
        out::line("no account: nothing is counted across the work of these contracts");
        return Ok(ExitCode::SUCCESS);
    }
    print(rows);
    Ok(ExitCode::SUCCESS)
}

/// The figures as a table.
pub(crate) fn print(figures: Vec<Figure>) {
    let rows = figures
        .into_iter()
        .map(|row| vec![row.contract, row.account, row.what, row.figure])
        .collect();
    out::table(&["contract", "account", "what", ">figure"], rows);
}

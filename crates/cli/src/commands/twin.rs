//! `twin`: a simulated tracker or ERP over HTTP, for acceptance tests and for trying things out.

use crate::failure::Failure;
use crate::out;
use clap::ValueEnum;
use connector_sdk::clock::{Clock, SystemClock};
use std::process::ExitCode;
use std::sync::Arc;
use twins::erp::{Tamper, TamperMode, TamperWhen, Uniqueness};
use twins::fault::FaultPlan;
use twins::firm::{FirmSpec, generate};
use twins::frame::{RequestLimit, State};
use twins::serve::serve;
use twins::transport::Twin;

/// Which side.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Side {
    /// The tracker.
    Tracker,
    /// The ERP.
    Erp,
}

/// How the ERP cheats, so that an auditor can show that it would notice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Cheat {
    /// A committed line is gone.
    Drop,
    /// An amount is a cent off.
    Cent,
    /// A line is there twice.
    Double,
}

impl Cheat {
    /// As the ERP twin takes it: once, just before the auditor looks.
    pub(crate) const fn tamper(self) -> Tamper {
        let mode = match self {
            Self::Drop => TamperMode::Drop,
            Self::Cent => TamperMode::Cent,
            Self::Double => TamperMode::DoubleOtherKey,
        };
        Tamper {
            mode,
            when: TamperWhen::End,
        }
    }
}

/// The firm and its faults; both sides started with the same seed fit together.
#[derive(Debug, clap::Args)]
pub(crate) struct TwinArgs {
    /// The tracker or the ERP.
    #[arg(value_enum)]
    side: Side,
    /// The port on loopback; 0 takes a free one.
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// The seed of the firm and of every fault.
    #[arg(long, default_value_t = 7)]
    seed: u64,
    /// How many ordinary entries the month has.
    #[arg(long, default_value_t = 800)]
    entries: u32,
    /// How many people work.
    #[arg(long, default_value_t = 40)]
    consultants: u32,
    /// What goes wrong: none, month_end or nasty.
    #[arg(long, default_value = "month_end")]
    faults: String,
    /// The ERP takes a second line of one key, as one without a unique key does.
    #[arg(long)]
    no_unique_key: bool,
    /// Requests that the ERP allows a minute.
    #[arg(long, default_value_t = 600)]
    requests_a_minute: u32,
    /// The token that requests must carry.
    #[arg(long, env = "COUNTERFOIL_TWIN_TOKEN", hide_env_values = true)]
    token: Option<String>,
    /// How the ERP cheats.
    #[arg(long, value_enum)]
    tamper: Option<Cheat>,
    /// Print the business part of the configuration that fits this firm, and end.
    #[arg(long)]
    print_config: bool,
}

pub(crate) async fn run(args: &TwinArgs) -> Result<ExitCode, Failure> {
    let spec = FirmSpec {
        consultants: args.consultants,
        entries: args.entries,
        ..FirmSpec::default()
    };
    let firm = generate(args.seed, &spec)
        .map_err(|error| Failure::usage(error.to_string(), "choose other numbers"))?;
    if args.print_config {
        let text = firm
            .config
            .to_toml()
            .map_err(|error| Failure::stopped(error.to_string(), "report this"))?;
        out::line(&text);
        return Ok(ExitCode::SUCCESS);
    }
    let plan = FaultPlan::preset(&args.faults, args.seed).ok_or_else(|| {
        let names = FaultPlan::PRESETS.join(", ");
        Failure::usage(
            format!("there are no faults '{}'", args.faults),
            format!("use {names}"),
        )
    })?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let served = match args.side {
        Side::Tracker => {
            let mut state = State::new(firm.tracker);
            state.plan = plan;
            state.token.clone_from(&args.token);
            serve(Twin::new(state), clock, args.port).await?
        }
        Side::Erp => {
            let mut erp = firm.erp;
            if args.no_unique_key {
                erp.settings.uniqueness = Uniqueness::LookUp;
            }
            erp.settings.tamper = args.tamper.map(Cheat::tamper);
            let mut state = State::new(erp);
            state.plan = plan;
            state.token.clone_from(&args.token);
            state.limit = Some(RequestLimit {
                requests: args.requests_a_minute,
                window_ms: 60_000,
            });
            serve(Twin::new(state), clock, args.port).await?
        }
    };
    out::line(&served.url());
    out::complain(
        "hint: the API is under /v1, what the twin really holds under /truth; stop with Ctrl-C",
    );
    tokio::signal::ctrl_c().await?;
    Ok(ExitCode::SUCCESS)
}

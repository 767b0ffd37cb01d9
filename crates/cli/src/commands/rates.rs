//! `rates`: look at a rate card, take one in, give one out, see what a change would do. Nothing is sent.

mod preview;
mod report;

use crate::app;
use crate::args::Args;
use crate::config::{Config, ConfigFile, rates, read_card};
use crate::failure::Failure;
use crate::out::{self, Output};
use cards::{CardProblem, Format, ReadOptions};
use clap::{Subcommand, ValueEnum};
use connector_sdk::clock::{Clock, SystemClock};
use domain::masters::Masters;
use domain::rate::RateRow;
use jiff::civil::Date;
use report::Report;
use rules::card::RateUse;
use rules::card::cell::{DateOrder, DecimalMark};
use rules::card::lint::{Known, Placed, has_errors};
use std::collections::BTreeSet;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

#[derive(Debug, Subcommand)]
pub(crate) enum Rates {
    /// What is wrong with a rate card: overlaps, gaps, ties, jumps, unknown codes.
    Lint {
        /// A CSV or XLSX file; without it, the rates of the configuration.
        file: Option<PathBuf>,
        /// The file holds cost rates.
        #[arg(long, requires = "file")]
        cost: bool,
        /// Compare codes with the masters of the ERP, read now.
        #[arg(long)]
        masters: bool,
        #[command(flatten)]
        reading: Reading,
    },
    /// Add the rates of a file to a card that the configuration names in rates_files.
    Import {
        /// The CSV or XLSX file to read.
        file: PathBuf,
        /// Only say what would be added and what is wrong.
        #[arg(long, required_unless_present = "to")]
        dry_run: bool,
        /// The card to add them to, CSV or XLSX. It is made if it is not there.
        #[arg(long)]
        to: Option<PathBuf>,
        /// The day the rates became known, for rows that do not say it: earlier rows of their keys
        /// are then replaced on the days they cover, and stand for work that was priced before.
        #[arg(long)]
        recorded: Option<Date>,
        /// The rates are cost rates.
        #[arg(long)]
        cost: bool,
        #[command(flatten)]
        reading: Reading,
    },
    /// What a change would do to work that is booked: entries by state, money per client, lines to be
    /// sent, limits. Nothing is changed and nothing is sent.
    Preview {
        /// Rates to add, as a CSV or XLSX file, or a changed copy of the configuration (.toml).
        change: PathBuf,
        /// The file holds cost rates.
        #[arg(long)]
        cost: bool,
        /// The day the rates became known, for rows that do not say it.
        #[arg(long)]
        recorded: Option<Date>,
        /// The day of the change, for tests.
        #[arg(long)]
        today: Option<Date>,
        #[command(flatten)]
        reading: Reading,
    },
    /// Write the rates of the configuration into a file.
    Export {
        /// The CSV or XLSX file to write.
        file: PathBuf,
        /// Cost rates, not bill rates.
        #[arg(long)]
        cost: bool,
        /// Replace a file that is there.
        #[arg(long)]
        replace: bool,
    },
}

/// What is said for the whole file, for cells that could mean two things.
#[derive(Debug, Clone, Copy, clap::Args)]
pub(crate) struct Reading {
    /// The sign before decimals, where a number could mean two things.
    #[arg(long, value_enum)]
    decimal_mark: Option<Mark>,
    /// What stands first in dates with slashes or hyphens.
    #[arg(long, value_enum)]
    date_order: Option<Order>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Mark {
    /// 1,234.50
    Point,
    /// 1.234,50
    Comma,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Order {
    /// 31/12/2026
    DayFirst,
    /// 12/31/2026
    MonthFirst,
}

impl Reading {
    fn options(self) -> ReadOptions {
        ReadOptions {
            decimal_mark: self.decimal_mark.map(|mark| match mark {
                Mark::Point => DecimalMark::Point,
                Mark::Comma => DecimalMark::Comma,
            }),
            date_order: self.date_order.map(|order| match order {
                Order::DayFirst => DateOrder::DayFirst,
                Order::MonthFirst => DateOrder::MonthFirst,
            }),
        }
    }
}

const fn used_for(cost: bool) -> RateUse {
    if cost { RateUse::Cost } else { RateUse::Bill }
}

pub(crate) async fn run(args: &Args, command: &Rates) -> Result<ExitCode, Failure> {
    match command {
        Rates::Lint {
            file: None,
            masters,
            ..
        } => lint_configuration(args, *masters).await,
        Rates::Lint {
            file: Some(file),
            cost,
            masters,
            reading,
        } => lint_file(args, file, used_for(*cost), *masters, *reading).await,
        Rates::Import {
            file,
            to,
            recorded,
            cost,
            reading,
            dry_run,
        } => {
            let import = Import {
                file,
                to: to.as_deref(),
                write: !*dry_run,
                recorded: *recorded,
                used_for: used_for(*cost),
                options: reading.options(),
            };
            import.run(args)
        }
        Rates::Preview {
            change,
            cost,
            recorded,
            today,
            reading,
        } => {
            let asked = preview::Asked {
                change,
                used_for: used_for(*cost),
                recorded: *recorded,
                today: *today,
                reading: *reading,
            };
            asked.run(args).await
        }
        Rates::Export {
            file,
            cost,
            replace,
        } => export(args, file, used_for(*cost), *replace),
    }
}

/// Errors were found.
fn code(report: &Report) -> ExitCode {
    ExitCode::from(u8::from(report.has_errors()))
}

async fn lint_configuration(args: &Args, masters: bool) -> Result<ExitCode, Failure> {
    let config = Config::load_to_lint(&args.config)?;
    let known = known(&config, masters).await?;
    let today = today(Some(&config.file));
    let mut report = Report::default();
    for used_for in [RateUse::Bill, RateUse::Cost] {
        let rows = config.rates.of(used_for);
        report.add(rows, rates::look(rows, used_for, today, &known));
    }
    report.show(args)?;
    Ok(code(&report))
}

async fn lint_file(
    args: &Args,
    file: &Path,
    used_for: RateUse,
    masters: bool,
    reading: Reading,
) -> Result<ExitCode, Failure> {
    let config = configuration(args)?;
    let known = match &config {
        Some(config) => known(config, masters).await?,
        None if masters => {
            return Err(Failure::usage(
                format!("there is no configuration at {}", args.config.display()),
                "name one with --config: it says which ERP to ask",
            ));
        }
        None => Known::default(),
    };
    let mut report = Report::default();
    match rows_of(file, reading.options())? {
        Ok(rows) => {
            let today = today(config.as_ref().map(|config| &config.file));
            report.add(&rows, rates::look(&rows, used_for, today, &known));
        }
        Err(problem) => report.unreadable(problem),
    }
    report.show(args)?;
    Ok(code(&report))
}

/// The configuration, if there is one: a card can be looked at without.
fn configuration(args: &Args) -> Result<Option<Config>, Failure> {
    if args.config.exists() {
        return Ok(Some(Config::load_to_lint(&args.config)?));
    }
    out::complain(&format!(
        "warning: there is no configuration at {}: contracts are not compared with",
        args.config.display()
    ));
    Ok(None)
}

/// What exists: the contracts, and the ERP's masters if it is to be asked.
async fn known(config: &Config, masters: bool) -> Result<Known, Failure> {
    let known = rates::known(&config.file);
    if !masters {
        return Ok(known);
    }
    let (clock, transport) = app::handles()?;
    let target = app::target(config, &transport, &clock)?;
    let masters = target.masters().await.map_err(pipeline::env::erp)?;
    Ok(with_masters(known, &masters, config))
}

fn with_masters(known: Known, masters: &Masters, config: &Config) -> Known {
    let own_roles = config.file.crosswalk.roles.values().cloned();
    let roles = masters.workers.values().map(|worker| worker.role.clone());
    let tasks = masters.tasks.iter();
    Known {
        customers: Some(masters.customers.keys().cloned().collect()),
        projects: Some(masters.projects.keys().cloned().collect()),
        tasks: Some(
            tasks
                .map(|task| (task.project.clone(), task.code.clone()))
                .collect(),
        ),
        workers: Some(masters.workers.keys().cloned().collect()),
        roles: Some(roles.chain(own_roles).collect::<BTreeSet<_>>()),
        service_items: Some(masters.service_items.keys().cloned().collect()),
        ..known
    }
}

/// Today, in the zone of the entity.
fn today(file: Option<&ConfigFile>) -> Option<Date> {
    let zone = file.and_then(|file| jiff::tz::TimeZone::get(&file.entity.zone).ok());
    let now = jiff::Timestamp::from_microsecond(SystemClock.now_us()).ok()?;
    Some(now.to_zoned(zone.unwrap_or(jiff::tz::TimeZone::UTC)).date())
}

/// The rows of a file, or everything that cannot be read in it.
fn rows_of(file: &Path, options: ReadOptions) -> Result<Result<Vec<Placed>, CardProblem>, Failure> {
    let name = file.display().to_string();
    let (format, bytes) =
        read_card(file).map_err(|(what, hint)| Failure::usage(format!("{name} {what}"), hint))?;
    Ok(cards::read(&name, format, &bytes, options))
}

/// An import, as asked for.
struct Import<'a> {
    file: &'a Path,
    to: Option<&'a Path>,
    write: bool,
    recorded: Option<Date>,
    used_for: RateUse,
    options: ReadOptions,
}

impl Import<'_> {
    fn run(&self, args: &Args) -> Result<ExitCode, Failure> {
        let config = configuration(args)?;
        let mut report = Report::default();
        let read = rows_of(self.file, self.options)?;
        let there = match self.to {
            Some(to) if to.exists() => rows_of(to, ReadOptions::default())?,
            Some(_) | None => Ok(Vec::new()),
        };
        let (mut rows, there) = match (read, there) {
            (Ok(rows), Ok(there)) => (rows, there),
            (Err(problem), _) | (_, Err(problem)) => {
                report.unreadable(problem);
                report.show(args)?;
                return Ok(code(&report));
            }
        };
        for placed in &mut rows {
            placed.row.recorded = placed.row.recorded.or(self.recorded);
        }
        let known_rows = there.len();
        let read_rows = rows.len();
        let mut all = there;
        for placed in rows {
            if !all
                .iter()
                .take(known_rows)
                .any(|other| other.row == placed.row)
            {
                all.push(placed);
            }
        }
        let added = all.len() - known_rows;
        let known = config
            .as_ref()
            .map_or_else(Known::default, |config| rates::known(&config.file));
        let today = today(config.as_ref().map(|config| &config.file));
        let found = rates::look(&all, self.used_for, today, &known);
        let good = !has_errors(&found);
        report.add(&all, found);
        let written = match self.to {
            Some(to) if self.write && good => {
                write_file(to, &all)?;
                true
            }
            Some(_) | None => false,
        };
        report.imported(read_rows, added, written.then_some(self.to).flatten());
        report.show(args)?;
        Ok(code(&report))
    }
}

fn export(args: &Args, file: &Path, used_for: RateUse, replace: bool) -> Result<ExitCode, Failure> {
    let config = app::load_config(args)?;
    if file.exists() && !replace {
        return Err(Failure::usage(
            format!("{} is there already", file.display()),
            "name another file, or say --replace",
        ));
    }
    let rows = config.rates.of(used_for);
    write_file(file, rows)?;
    if args.output == Output::Json {
        let said = serde_json::json!({"file": file.display().to_string(), "rows": rows.len()});
        out::json(&said)?;
    } else {
        let (rows, what) = (rows.len(), used_for.name());
        out::line(&format!(
            "{rows} {what} rates written to {}",
            file.display()
        ));
    }
    Ok(ExitCode::SUCCESS)
}

/// Write a card beside its place and put it there when it is whole.
fn write_file(file: &Path, rows: &[Placed]) -> Result<(), Failure> {
    let name = file.display().to_string();
    let format = Format::of(&name).ok_or_else(|| {
        Failure::usage(
            format!("{name} is neither .csv nor .xlsx"),
            "give the file one of these endings",
        )
    })?;
    let rows: Vec<&RateRow> = rows.iter().map(|placed| &placed.row).collect();
    let bytes = cards::write(format, &rows).map_err(|problem| {
        Failure::stopped(
            problem.to_string(),
            "export to the other form, and report this",
        )
    })?;
    let mut beside = file.as_os_str().to_owned();
    beside.push(".new");
    let beside = PathBuf::from(beside);
    let mut new = std::fs::File::create(&beside)?;
    new.write_all(&bytes)?;
    if let Ok(old) = std::fs::metadata(file) {
        new.set_permissions(old.permissions())?;
    }
    new.sync_all()?;
    std::fs::rename(&beside, file)?;
    Ok(())
}

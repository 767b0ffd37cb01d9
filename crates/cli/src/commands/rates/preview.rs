//! `rates preview`: what a change would do, carried out on a copy of the ledger that is thrown away.

use super::{Reading, rows_of};
use crate::app;
use crate::args::Args;
use crate::config::{Config, rates};
use crate::failure::Failure;
use crate::ledger::{self, Access};
use crate::out::{self, Output};
use crate::progress::Bar;
use domain::currency::Currency;
use domain::money::Money;
use jiff::civil::Date;
use pipeline::env::Env;
use pipeline::preview::{ByDocument, Preview, Sums, preview};
use rules::card::RateUse;
use rules::card::lint::has_errors;
use server::operations::pass::today;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use store::Store;

/// A preview, as asked for.
pub(super) struct Asked<'a> {
    pub(super) change: &'a Path,
    pub(super) used_for: RateUse,
    pub(super) recorded: Option<Date>,
    pub(super) today: Option<Date>,
    pub(super) reading: Reading,
}

impl Asked<'_> {
    pub(super) async fn run(&self, args: &Args) -> Result<ExitCode, Failure> {
        let config = app::load_config(args)?;
        let now = app::open_for_reading(&config, Arc::new(Bar::new(true)))?;
        let folder = tempfile::tempdir()?;
        let bar = Arc::new(Bar::new(args.quiet));
        let then = self.on_a_copy(&config, &now, folder.path(), &bar).await?;
        let day = self.today.unwrap_or_else(|| today(&now));
        let seen = preview(&now, &then, day).await;
        bar.clear();
        let seen = seen.map_err(server::failed::Failed::from)?;
        if args.output == Output::Json {
            out::json(&seen)?;
        } else {
            print(&seen);
        }
        Ok(ExitCode::SUCCESS)
    }

    /// The handles of a copy, with the settings as they would be.
    async fn on_a_copy(
        &self,
        config: &Config,
        now: &Env,
        folder: &Path,
        bar: &Arc<Bar>,
    ) -> Result<Env, Failure> {
        ledger::file_of(
            config,
            "previews of a ledger in a database are not there yet",
        )?;
        let (taken, copy) = (folder.join("taken"), folder.join("copy.sqlite"));
        store::backup::backup(&now.store, &taken).await?;
        store::backup::restore(&taken, &copy, ledger::store_options(config)?, false).await?;
        let store = Store::open_sqlite(&copy, ledger::store_options(config)?)?;
        let is_configuration = self.change.extension().is_some_and(|end| end == "toml");
        if is_configuration {
            let changed = Config::load(self.change)?;
            if changed.file.ledger != config.file.ledger {
                return Err(Failure::usage(
                    format!(
                        "{} is for the ledger {}, not for {}",
                        self.change.display(),
                        changed.file.ledger,
                        config.file.ledger
                    ),
                    "change a copy of the configuration that this ledger works with",
                ));
            }
            return app::over(&changed, store, Access::Write, bar.clone());
        }
        let mut rows = rows_of(self.change, self.reading.options())?.map_err(|problem| {
            Failure::usage(
                problem.to_string(),
                "`counterfoil rates lint FILE` tells everything that is wrong with it",
            )
        })?;
        for placed in &mut rows {
            placed.row.recorded = placed.row.recorded.or(self.recorded);
        }
        let mut all = config.rates.of(self.used_for).to_vec();
        all.extend(rows.iter().cloned());
        let known = rates::known(&config.file);
        let found = rates::look(&all, self.used_for, None, &known);
        if has_errors(&found) {
            let first = found.first().map(|finding| finding.sentence.clone());
            return Err(Failure::usage(
                format!(
                    "{} cannot be added to the rates there are: {}",
                    self.change.display(),
                    first.unwrap_or_default()
                ),
                "`counterfoil rates import FILE --dry-run` tells all of it; --recorded DATE says since \
                 when the new rates are known, so that they replace others",
            ));
        }
        let mut env = app::over(config, store, Access::Write, bar.clone())?;
        let mut settings = (*env.settings).clone();
        let added = rows.into_iter().map(|placed| placed.row);
        match self.used_for {
            RateUse::Bill => settings.bill_rates.extend(added),
            RateUse::Cost => settings.cost_rates.extend(added),
        }
        env.settings = Arc::new(settings);
        Ok(env)
    }
}

fn money(minor: i64, currency: &str) -> String {
    currency.parse::<Currency>().map_or_else(
        |_| format!("{minor} {currency}"),
        |currency| {
            Money {
                amount_minor: minor,
                currency,
            }
            .to_string()
        },
    )
}

/// A row of a table: what it is about, and what changes of that.
fn with_sums(about: [&str; 2], sums: &Sums, currency: &str) -> Vec<String> {
    let mut cells: Vec<String> = about.map(str::to_owned).into();
    cells.push(sums.entries.to_string());
    let difference = sums.after_minor - sums.before_minor;
    let figures = [sums.before_minor, sums.after_minor, difference];
    cells.extend(figures.map(|minor| money(minor, currency)));
    cells
}

fn print(seen: &Preview) {
    if seen.entries() == 0 {
        out::line("no booked entry would change");
        return;
    }
    out::line(&format!("{} booked entries would change:", seen.entries()));
    let rows = seen.states.iter().map(|row| {
        let period = if row.period_closed { "closed" } else { "open" };
        with_sums([row.stands.words(), period], &row.sums, &row.currency)
    });
    out::table(
        &[
            "state",
            "period",
            ">entries",
            ">booked",
            ">after",
            ">difference",
        ],
        rows.collect(),
    );
    out::line("");
    let rows = seen
        .contracts
        .iter()
        .map(|row| with_sums([&row.customer, &row.contract], &row.sums, &row.currency));
    out::table(
        &[
            "client",
            "contract",
            ">entries",
            ">booked",
            ">after",
            ">difference",
        ],
        rows.collect(),
    );
    if !seen.documents.is_empty() {
        out::line("\nwhat would be sent, by document:");
        out::table(
            &[
                "client",
                "period",
                "document",
                "lines",
                ">its total changes by",
            ],
            seen.documents.iter().map(document).collect(),
        );
    }
    if !seen.accounts.is_empty() {
        out::line("\nlimits, retainers and hour banks:");
        let rows = seen.accounts.iter().map(|row| {
            let figure = |figure: &Option<String>| figure.clone().unwrap_or_else(|| "-".to_owned());
            vec![
                row.contract.clone(),
                row.account.clone(),
                row.what.clone(),
                figure(&row.before),
                figure(&row.after),
            ]
        });
        out::table(
            &["contract", "account", "what", ">now", ">after"],
            rows.collect(),
        );
    }
    for (code, count) in &seen.exceptions {
        out::line(&format!("  {count:>5}  could not go on: {code}"));
    }
    out::complain(
        "hint: nothing was changed. Once the change is in the configuration, `counterfoil sync` holds these \
         entries and `counterfoil exceptions replay --code RETRO_RATE_CHANGE` does what is shown here",
    );
}

fn document(row: &ByDocument) -> Vec<String> {
    let lines = [
        (row.new_lines, "new"),
        (row.replaced_lines, "replaced"),
        (row.deleted_lines, "deleted"),
        (row.credited_lines, "credited"),
    ];
    let lines: Vec<String> = lines
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| format!("{count} {what}"))
        .collect();
    let name = match (&row.document, row.shape.as_str()) {
        (Some(document), _) => document.clone(),
        (None, "draft_line") => "a new draft".to_owned(),
        (None, shape) => shape.replace('_', " "),
    };
    vec![
        row.customer.clone(),
        row.period.clone(),
        format!("{name} ({})", row.group_key),
        lines.join(", "),
        money(row.change_minor, &row.currency),
    ]
}

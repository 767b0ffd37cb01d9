//! The rates of a configuration: its own tables and the files it names, each row with its place.

use super::{ConfigError, ConfigFile};
use cards::{Format, ReadOptions};
use domain::contract::rates::RateTerms;
use domain::currency::Currency;
use domain::decimal::Micro;
use domain::rate::{RateKey, RateRow, RateSource};
use jiff::civil::Date;
use rules::card::RateUse;
use rules::card::lint::{
    Finding, Known, KnownContract, LintCode, LintInput, Place, Placed, has_errors, lint,
};
use serde::Deserialize;
use std::path::{Path, PathBuf};
use toml::Spanned;

/// One dated rate.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RateEntry {
    customer: Option<String>,
    contract: Option<String>,
    project: Option<String>,
    task: Option<String>,
    practice: Option<String>,
    worker: Option<String>,
    role: Option<String>,
    service_item: Option<String>,
    rate: Micro,
    currency: Currency,
    from: Date,
    to: Option<Date>,
    /// The day the row became known; none = it was always known.
    recorded: Option<Date>,
}

impl RateEntry {
    /// As the domain has it.
    pub(super) fn row(self) -> RateRow {
        RateRow {
            key: RateKey {
                customer: self.customer,
                contract: self.contract,
                project: self.project,
                task: self.task,
                practice: self.practice,
                worker: self.worker,
                role: self.role,
                service_item: self.service_item,
            },
            rate: self.rate,
            currency: self.currency,
            from: self.from,
            to: self.to,
            recorded: self.recorded,
            origin: RateSource::Card,
        }
    }
}

/// All rates of a configuration.
#[derive(Debug, Default)]
pub(crate) struct RateTables {
    /// Bill rates.
    pub(crate) bill: Vec<Placed>,
    /// Cost rates.
    pub(crate) cost: Vec<Placed>,
}

impl RateTables {
    /// The rates of a configuration and of the files it names.
    pub(super) fn read(
        path: &Path,
        text: &str,
        file: &ConfigFile,
        folder: &Path,
    ) -> Result<Self, ConfigError> {
        let of = |entries: &[Spanned<RateEntry>], files: &[PathBuf]| {
            let mut rows: Vec<Placed> = entries
                .iter()
                .map(|entry| placed(path, text, entry))
                .collect();
            for named in files {
                rows.extend(rows_of_file(&folder.join(named), named)?);
            }
            Ok::<_, ConfigError>(rows)
        };
        Ok(Self {
            bill: of(&file.rate, &file.rates_files)?,
            cost: of(&file.cost_rate, &file.cost_rates_files)?,
        })
    }

    /// The rows of one use.
    pub(crate) fn of(&self, used_for: RateUse) -> &[Placed] {
        match used_for {
            RateUse::Bill => &self.bill,
            RateUse::Cost => &self.cost,
        }
    }

    /// Refuse what is wrong with a row by itself. What is wrong between rows is a warning here: the
    /// work it concerns becomes exceptions, and other work goes on.
    pub(super) fn check(&self, path: &Path, file: &ConfigFile) -> Result<Vec<String>, ConfigError> {
        let known = known(file);
        let mut warnings = Vec::new();
        for used_for in [RateUse::Bill, RateUse::Cost] {
            let rows = self.of(used_for);
            let found = look(rows, used_for, None, &known);
            let unusable = |f: &&Finding| f.code.malformed() || f.code == LintCode::UnknownCode;
            if let Some(finding) = found.iter().find(unusable) {
                let place = finding.rows.first().and_then(|at| rows.get(*at));
                let place = place.map(|placed| placed.place.to_string());
                return Err(ConfigError::new(
                    path,
                    format!("{} ({})", finding.sentence, place.unwrap_or_default()),
                    finding.code.remedy(),
                ));
            }
            if has_errors(&found) {
                warnings.push(format!(
                    "the {} rates contradict each other or the contracts: run `counterfoil rates lint`",
                    used_for.name()
                ));
            }
        }
        Ok(warnings)
    }
}

/// What a configuration says exists.
pub(crate) fn known(file: &ConfigFile) -> Known {
    Known {
        contracts: Some(file.contract.iter().map(KnownContract::from).collect()),
        ..Known::default()
    }
}

/// Everything that is wrong with rows.
pub(crate) fn look(
    rows: &[Placed],
    used_for: RateUse,
    today: Option<Date>,
    known: &Known,
) -> Vec<Finding> {
    lint(&LintInput {
        rows,
        used_for,
        today,
        decimals_max: RateTerms::default().decimals,
        known,
    })
}

fn placed(path: &Path, text: &str, entry: &Spanned<RateEntry>) -> Placed {
    let before = text.get(..entry.span().start).unwrap_or_default();
    let line = before.matches('\n').count() + 1;
    Placed {
        row: entry.get_ref().clone().row(),
        place: Place {
            file: path.display().to_string(),
            sheet: None,
            line: u64::try_from(line).ok(),
        },
    }
}

fn rows_of_file(path: &Path, named: &Path) -> Result<Vec<Placed>, ConfigError> {
    let (format, bytes) =
        read_card(path).map_err(|(what, hint)| ConfigError::new(path, what, hint))?;
    cards::read(
        &named.display().to_string(),
        format,
        &bytes,
        ReadOptions::default(),
    )
    .map_err(|problem| {
        ConfigError::new(
            path,
            format!("cannot be taken:\n{problem}"),
            "mend the cells; `counterfoil rates lint FILE` looks at the file alone",
        )
    })
}

/// The bytes of a card's file and its form, or what is wrong and what to do.
pub(crate) fn read_card(path: &Path) -> Result<(Format, Vec<u8>), (String, String)> {
    let name = path.display().to_string();
    let format = Format::of(&name).ok_or_else(|| {
        (
            "is neither .csv nor .xlsx".to_owned(),
            "save the card as CSV UTF-8 or as an Excel workbook (.xlsx)".to_owned(),
        )
    })?;
    let unreadable = |error: std::io::Error| {
        (
            format!("cannot be read: {error}"),
            "check the name of the file and its permissions".to_owned(),
        )
    };
    let file = std::fs::File::open(path).map_err(unreadable)?;
    let mut bytes = Vec::new();
    // One byte more than is allowed, so that a file that is too large is told by its size.
    let most = u64::try_from(cards::FILE_BYTES_MAX).unwrap_or(u64::MAX);
    std::io::Read::read_to_end(
        &mut std::io::Read::take(file, most.saturating_add(1)),
        &mut bytes,
    )
    .map_err(unreadable)?;
    Ok((format, bytes))
}

//! From the configuration file to what the pipeline is told.

use super::{Config, ConfigError};
use domain::rate::RateRow;
use pipeline::settings::{BilledBefore, FingerprintKey, Settings};
use std::collections::BTreeSet;

/// The settings of the flow.
pub(crate) fn settings_of(
    config: &Config,
    fingerprint_key: FingerprintKey,
) -> Result<Settings, ConfigError> {
    let file = &config.file;
    let billed_before = match (&file.flow.billed_before, &file.flow.billed_before_file) {
        (Some(day), _) => Some(BilledBefore::Day(*day)),
        (None, Some(path)) => {
            let path = config.path_of(path);
            let text = std::fs::read_to_string(&path).map_err(|error| {
                ConfigError::new(
                    &path,
                    format!("cannot be read: {error}"),
                    "write one source id a line, or use billed_before with a date",
                )
            })?;
            let refs: BTreeSet<String> = text
                .lines()
                .map(str::trim)
                .filter(|l| !l.is_empty())
                .map(str::to_owned)
                .collect();
            Some(BilledBefore::Entries(refs))
        }
        (None, None) => None,
    };
    let rows = |rows: &[super::file::RateEntry]| -> Vec<RateRow> {
        rows.iter().map(super::file::RateEntry::row).collect()
    };
    Ok(Settings {
        ledger: file.ledger.clone(),
        fingerprint_key,
        flow: file.flow.name.clone(),
        source: file.source.name().to_owned(),
        billed_before,
        look_back_days: file.flow.look_back_days,
        look_ahead_days: file.flow.look_ahead_days,
        first_day: file.flow.first_day,
        entity: file.entity.clone(),
        crosswalk: file.crosswalk.clone(),
        contracts: file.contract.clone(),
        bill_rates: rows(&file.rate),
        cost_rates: rows(&file.cost_rate),
        customers_on_hold: file.customers_on_hold.clone(),
        hold_duplicates: file.flow.hold_duplicates,
        send_within_ms: file.flow.send_within_ms,
        settle_ms: file.flow.settle_ms,
        tries_max: file.flow.tries_max,
        patience_ms: file.flow.patience_ms,
    })
}

//! From the configuration file to what the pipeline is told.

use super::{Config, ConfigError};
use domain::rate::RateRow;
use pipeline::settings::{BilledBefore, FingerprintKey, Settings};
use rules::card::lint::Placed;
use std::collections::BTreeSet;
use std::path::Path;

/// The largest list of entries that is read, in bytes: some ten million ids.
const BILLED_LIMIT_BYTES: u64 = 128 * 1024 * 1024;

/// The source's ids in a file, one a line.
pub(super) fn billed_entries(path: &Path) -> Result<BTreeSet<String>, ConfigError> {
    let hint = "write one source id a line, or use billed_before with a date";
    let unreadable =
        |error: std::io::Error| ConfigError::new(path, format!("cannot be read: {error}"), hint);
    let size = std::fs::metadata(path).map_err(unreadable)?.len();
    if size > BILLED_LIMIT_BYTES {
        let what = format!("is larger than {BILLED_LIMIT_BYTES} bytes");
        return Err(ConfigError::new(path, what, hint));
    }
    let text = std::fs::read_to_string(path).map_err(unreadable)?;
    Ok(text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .map(str::to_owned)
        .collect())
}

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
            Some(BilledBefore::Entries(billed_entries(&path)?))
        }
        (None, None) => None,
    };
    let rows = |rows: &[Placed]| -> Vec<RateRow> {
        rows.iter().map(|placed| placed.row.clone()).collect()
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
        bill_rates: rows(&config.rates.bill),
        cost_rates: rows(&config.rates.cost),
        customers_on_hold: file.customers_on_hold.clone(),
        hold_duplicates: file.flow.hold_duplicates,
        send_within_ms: file.flow.send_within_ms,
        settle_ms: file.flow.settle_ms,
        tries_max: file.flow.tries_max,
        patience_ms: file.flow.patience_ms,
        source_limits: file.source.limits.clone(),
        target_limits: file.target.limits.clone(),
    })
}

//! Counters: deltas per writer, summed when read. Screens read these and never count rows.

use std::collections::BTreeMap;

use crate::error::StoreError;
use crate::tx::ReadTx;

/// The value of one counter.
pub fn get(tx: &mut ReadTx<'_>, name: &str) -> Result<i64, StoreError> {
    let mut sum = 0_i64;
    tx.stream("counter_get", &[name.into()], |mut row| {
        sum = sum.saturating_add(row.int()?);
        Ok(())
    })?;
    Ok(sum)
}

/// All counters whose name starts with `prefix`.
pub fn list(tx: &mut ReadTx<'_>, prefix: &str) -> Result<BTreeMap<String, i64>, StoreError> {
    let mut sums = BTreeMap::new();
    tx.stream("counter_from", &[prefix.into()], |mut row| {
        let (name, value) = (row.text()?, row.int()?);
        if name.starts_with(prefix) {
            let sum: &mut i64 = sums.entry(name).or_default();
            *sum = sum.saturating_add(value);
        }
        Ok(())
    })?;
    Ok(sums)
}

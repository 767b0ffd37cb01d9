//! What a flow is told by its configuration.

use connector_sdk::manifest::Limit;
use connector_sdk::source::DateWindow;
use domain::contract::Contract;
use domain::rate::RateRow;
use domain::reference::{Crosswalk, Entity};
use jiff::civil::Date;
use std::collections::BTreeSet;

/// What was billed before this ledger began.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BilledBefore {
    /// All work before this day was billed by other means.
    Day(Date),
    /// The entries with these source ids were billed by other means.
    Entries(BTreeSet<String>),
}

impl BilledBefore {
    /// Whether an entry was billed by other means.
    pub fn covers(&self, source_ref: &str, work_date: Date) -> bool {
        match self {
            Self::Day(day) => work_date < *day,
            Self::Entries(refs) => refs.contains(source_ref),
        }
    }
}

/// The key of entry fingerprints; Debug shows nothing of it.
#[derive(Clone, PartialEq, Eq)]
pub struct FingerprintKey(pub [u8; 32]);

impl std::fmt::Debug for FingerprintKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("FingerprintKey(secret)")
    }
}

/// A flow: one source, one target, and the terms between them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The ledger's id. It lives in the configuration, outside the database.
    pub ledger: String,
    /// The key of entry fingerprints.
    pub fingerprint_key: FingerprintKey,
    /// The flow's name.
    pub flow: String,
    /// The source's name.
    pub source: String,
    /// What was billed before. A first run without it refuses.
    pub billed_before: Option<BilledBefore>,
    /// How far back each pass looks, in days.
    pub look_back_days: i32,
    /// How far ahead each pass looks, in days: work is sometimes booked before it is done.
    pub look_ahead_days: i32,
    /// The first day that is ever looked at.
    pub first_day: Date,
    /// The billing entity.
    pub entity: Entity,
    /// People's mapping.
    pub crosswalk: Crosswalk,
    /// Contracts.
    pub contracts: Vec<Contract>,
    /// Bill rates.
    pub bill_rates: Vec<RateRow>,
    /// Cost rates.
    pub cost_rates: Vec<RateRow>,
    /// Customers that finance holds back.
    pub customers_on_hold: Vec<String>,
    /// Whether entries with the same worker, day, task and hours are held.
    pub hold_duplicates: bool,
    /// How long an intent may wait before its first byte, in milliseconds.
    pub send_within_ms: u64,
    /// Added to the longest call before a look-up that finds nothing proves absence, in
    /// milliseconds.
    pub settle_ms: u64,
    /// The most tries of a call that was surely not executed.
    pub tries_max: i64,
    /// The most that one pass waits for limits and doubts to clear, in milliseconds.
    pub patience_ms: u64,
    /// The limits of the source's account, where they differ from what its connector knows.
    pub source_limits: Option<Vec<Limit>>,
    /// The same for the target.
    pub target_limits: Option<Vec<Limit>>,
}

impl Settings {
    /// The window of a pass made on a day.
    pub fn window(&self, today: Date) -> DateWindow {
        let back = jiff::Span::new().days(self.look_back_days);
        let from = today
            .checked_sub(back)
            .unwrap_or(self.first_day)
            .max(self.first_day);
        let ahead = jiff::Span::new().days(self.look_ahead_days);
        let to = today.checked_add(ahead).unwrap_or(today);
        DateWindow { from, to }
    }
}

//! The entries of the limits' account, by item, by arrival, and those that wait.
//!
//! An account of a busy contract holds many thousand entries, and every one that comes asks who is
//! last and who waits. Both are kept beside the entries and follow from them, so they are not stored.

use super::Record;
use crate::shared::{SharedMap, SharedSet};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A place in the order of arrival.
type Arrival = (u64, String);

/// The entries.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(from = "BTreeMap<String, Record>", into = "BTreeMap<String, Record>")]
pub(super) struct Records {
    by_item: SharedMap<String, Record>,
    /// How many have each arrival: one, unless what was stored says otherwise.
    arrivals: SharedMap<u64, u32>,
    waiting: SharedSet<Arrival>,
}

impl Records {
    pub(super) fn get(&self, item: &str) -> Option<&Record> {
        self.by_item.get(item)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&String, &Record)> {
        self.by_item.iter()
    }

    pub(super) fn values(&self) -> impl Iterator<Item = &Record> {
        self.by_item.values()
    }

    /// The entries of which a part waits, in the order of arrival.
    pub(super) fn waiting(&self) -> impl Iterator<Item = &Record> {
        let places = self.waiting.iter();
        places.filter_map(|(_, item)| self.by_item.get(item))
    }

    pub(super) fn waiting_count(&self) -> usize {
        self.waiting.size()
    }

    /// The items of these entries, as they are now.
    pub(super) fn waiting_items(&self) -> SharedSet<Arrival> {
        self.waiting.clone()
    }

    /// One after the last arrival that is there.
    pub(super) fn next_arrival(&self) -> u64 {
        let last = self.arrivals.last();
        last.map_or(0, |(arrival, _)| arrival.saturating_add(1))
    }

    pub(super) fn insert(&mut self, record: Record) {
        let item = record.ask.item.clone();
        self.remove(&item);
        if record.held_by.is_some() {
            self.waiting.insert_mut((record.arrival, item.clone()));
        }
        let others = self.arrivals.get(&record.arrival).copied();
        let with_it = others.unwrap_or_default().saturating_add(1);
        self.arrivals.insert_mut(record.arrival, with_it);
        self.by_item.insert_mut(item, record);
    }

    pub(super) fn remove(&mut self, item: &str) -> Option<Record> {
        let record = self.by_item.get(item).cloned()?;
        self.by_item.remove_mut(item);
        let others = self.arrivals.get(&record.arrival).copied();
        match others.unwrap_or_default().saturating_sub(1) {
            0 => {
                self.arrivals.remove_mut(&record.arrival);
            }
            others => self.arrivals.insert_mut(record.arrival, others),
        }
        if record.held_by.is_some() {
            let place = (record.arrival, item.to_owned());
            self.waiting.remove_mut(&place);
        }
        Some(record)
    }
}

impl From<BTreeMap<String, Record>> for Records {
    fn from(stored: BTreeMap<String, Record>) -> Self {
        let mut records = Self::default();
        for record in stored.into_values() {
            records.insert(record);
        }
        records
    }
}

impl From<Records> for BTreeMap<String, Record> {
    fn from(records: Records) -> Self {
        let all = records.by_item.iter();
        all.map(|(item, record)| (item.clone(), record.clone()))
            .collect()
    }
}

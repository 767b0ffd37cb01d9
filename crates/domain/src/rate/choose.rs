//! Which row of a card holds: keys stand in levels, most specific first, and the rows of one key lie
//! over each other by the day they were recorded.
//!
//! The most specific key that has any known row decides. A gap of it is a missing rate and never
//! zero, and two rows of equal right on one day are a mistake and never a choice.

use super::{RateFacts, RateKey, RateQuery, RateRow, RateSource};
use jiff::civil::Date;

/// The known rows of one key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyRows<'a> {
    /// The key.
    pub key: &'a RateKey,
    /// Its rows, in the order of the card.
    pub rows: Vec<&'a RateRow>,
}

/// Keys of equal right: none of them is more specific than another one of the level.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Level<'a> {
    /// The keys, in the order of the card.
    pub keys: Vec<KeyRows<'a>>,
}

/// What a level says about a day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OnDay<'a> {
    /// One row holds.
    Row(&'a RateRow),
    /// No row covers the day.
    Gap,
    /// Several rows hold with equal right.
    Tie(Vec<&'a RateRow>),
}

/// Of the rows of one key, those that stand on a day: the ones recorded last of those that cover it.
/// More than one is an overlap inside one version.
pub fn standing<'a>(rows: &[&'a RateRow], day: Date) -> Vec<&'a RateRow> {
    let covering = || rows.iter().copied().filter(|row| row.covers(day));
    // A row without a date was always known, which is before every date.
    let Some(latest) = covering().map(|row| row.recorded).max() else {
        return Vec::new();
    };
    covering().filter(|row| row.recorded == latest).collect()
}

impl<'a> Level<'a> {
    /// What the level says about a day.
    pub fn on(&self, day: Date) -> OnDay<'a> {
        let mut rows: Vec<&'a RateRow> = Vec::new();
        for key in &self.keys {
            rows.extend(standing(&key.rows, day));
        }
        match (rows.first(), rows.get(1)) {
            (None, _) => OnDay::Gap,
            (Some(row), None) => OnDay::Row(row),
            (Some(_), Some(_)) => OnDay::Tie(rows),
        }
    }

    /// Its keys in words.
    pub fn words(&self) -> String {
        let keys: Vec<String> = self.keys.iter().map(|key| key.key.words()).collect();
        keys.join(" / ")
    }
}

/// Keys that apply to one piece of work, as levels, most specific first.
pub fn levels(mut keys: Vec<KeyRows<'_>>) -> Vec<Level<'_>> {
    let mut levels = Vec::new();
    while let Some(best) = keys.iter().map(|key| key.key.specificity()).max() {
        let of_best: Vec<&RateKey> = keys
            .iter()
            .map(|key| key.key)
            .filter(|key| key.specificity() == best)
            .collect();
        let top = |key: &RateKey| {
            key.specificity() == best && !of_best.iter().any(|other| other.refines(key))
        };
        let (level, rest): (Vec<_>, Vec<_>) = keys.into_iter().partition(|key| top(key.key));
        levels.push(Level { keys: level });
        keys = rest;
    }
    levels
}

/// Why no single rate applies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoRate {
    /// No row of any matching key exists.
    NoRow,
    /// The most specific key has rows, but none on this day.
    Gap {
        /// That key, in words.
        key: String,
    },
    /// Two rows apply with equal right.
    Tie {
        /// Their keys, in words.
        keys: String,
    },
}

/// The row of the card that applies when everything is known, or why none does.
pub fn choose_rate<'a>(rows: &'a [RateRow], query: &RateQuery<'_>) -> Result<&'a RateRow, NoRate> {
    let levels = levels(fitting(rows, &query.facts()));
    let Some(level) = levels.first() else {
        return Err(NoRate::NoRow);
    };
    match level.on(query.day) {
        OnDay::Row(row) => Ok(row),
        OnDay::Gap => Err(NoRate::Gap { key: level.words() }),
        OnDay::Tie(rows) => {
            let keys: Vec<String> = rows.iter().map(|row| row.key.words()).collect();
            Err(NoRate::Tie {
                keys: keys.join(" / "),
            })
        }
    }
}

/// The card's own rows that apply to a piece of work, by key.
fn fitting<'a>(rows: &'a [RateRow], facts: &RateFacts<'_>) -> Vec<KeyRows<'a>> {
    let mut keys: Vec<KeyRows<'a>> = Vec::new();
    for row in rows {
        if row.origin != RateSource::Card || !row.key.fits(facts) {
            continue;
        }
        match keys.iter_mut().find(|key| *key.key == row.key) {
            Some(key) => key.rows.push(row),
            None => keys.push(KeyRows {
                key: &row.key,
                rows: vec![row],
            }),
        }
    }
    keys
}

#[cfg(test)]
mod tests;

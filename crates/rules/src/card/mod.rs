//! The rate card: which row prices a piece of work on its day, as the card was known on another.
//!
//! A card answers for two days, the day of the work and the day of knowledge, so that a rate that
//! was entered late changes nothing that was priced before, until somebody prices it anew. It never
//! takes a rate of zero for a missing one, never chooses between rows of equal right, and never
//! converts a currency.

pub mod cell;
pub mod derived;
pub mod lint;
pub mod timeline;

use crate::explanation::Explanation;
use domain::contract::rates::{RateGap, RateTerms};
use domain::currency::Currency;
use domain::exception::{Code, Problem};
use domain::rate::{KeyRows, Level, OnDay, Parts, RateFacts, RateRow, RateSource, levels};
use jiff::civil::Date;
use std::collections::BTreeMap;

/// What a rate is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RateUse {
    /// What the client pays.
    Bill,
    /// What the work costs the firm.
    Cost,
}

impl RateUse {
    /// The word people read.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bill => "bill",
            Self::Cost => "cost",
        }
    }
}

/// Which parts a key names; keys of one shape differ in their values alone.
type Shape = [bool; 8];

type Keys<'a> = BTreeMap<Parts<'a>, KeyRows<'a>>;

/// Rows by source, shape and key, so that a look-up asks for a few keys and not for every row.
#[derive(Debug, Clone, Default)]
pub struct Card<'a> {
    sources: BTreeMap<RateSource, BTreeMap<Shape, Keys<'a>>>,
    /// Which parts any of its keys names.
    names: Shape,
}

/// What is asked of a card.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// What the rate is for.
    pub used_for: RateUse,
    /// The piece of work.
    pub facts: RateFacts<'a>,
    /// The day of the work.
    pub day: Date,
    /// The day of knowledge: rows recorded later do not exist yet. None = everything is known.
    pub known_at: Option<Date>,
    /// The contract's currency; none where any currency will do, as for cost.
    pub currency: Option<Currency>,
}

/// The row that applies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chosen<'a> {
    /// The row.
    pub row: &'a RateRow,
    /// Whose rate won.
    pub source: RateSource,
    /// The known rows of that source that apply to the work on that day and did not win.
    pub beaten: Vec<&'a RateRow>,
}

/// Why no rate applies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal<'a> {
    /// Nobody who was asked has a known row for the work.
    NoRow,
    /// The keys that decide have rows, but none on the day.
    Gap {
        /// Whose rates left the gap.
        source: RateSource,
        /// The keys, in words.
        keys: String,
    },
    /// Several rows apply with equal right.
    Tie {
        /// Whose rates they are.
        source: RateSource,
        /// The rows.
        rows: Vec<&'a RateRow>,
    },
    /// The row that applies is in another currency than the contract.
    Currency {
        /// The row, and what it beat.
        chosen: Chosen<'a>,
        /// The contract's currency.
        contract: Currency,
    },
}

impl<'a> Card<'a> {
    /// A card of rows. Their order has no meaning.
    pub fn new(rows: impl IntoIterator<Item = &'a RateRow>) -> Self {
        let mut card = Self::default();
        for row in rows {
            let parts = row.key.parts();
            let shape = parts.map(|part| part.is_some());
            for (any, named) in card.names.iter_mut().zip(shape) {
                *any |= named;
            }
            let keys = card.sources.entry(row.origin).or_default();
            keys.entry(shape)
                .or_default()
                .entry(parts)
                .or_insert_with(|| KeyRows {
                    key: &row.key,
                    rows: Vec::new(),
                })
                .rows
                .push(row);
        }
        card
    }

    /// What the card looks at of a piece of work: two pieces that differ in nothing of it have the same
    /// rate on one day.
    pub(crate) fn seen<'f>(&self, facts: &RateFacts<'f>) -> Parts<'f> {
        let mut seen: Parts<'f> = [None; 8];
        for ((slot, fact), named) in seen.iter_mut().zip(facts.parts()).zip(self.names) {
            *slot = named.then_some(fact);
        }
        seen
    }

    /// The rate of a piece of work, or why there is none. The steps say key, row, when it was
    /// recorded, whose it is and what it beat.
    pub fn choose(
        &self,
        asked: &Asked<'_>,
        terms: &RateTerms,
        why: &mut Explanation,
    ) -> Result<Chosen<'a>, Refusal<'a>> {
        let Some((source, levels)) = self.source(asked, *terms, why) else {
            return Err(Refusal::NoRow);
        };
        let deciding = deciding(&levels, asked.day, terms.gap);
        tell_key(&levels, deciding.as_ref(), asked, terms.gap, why);
        let Some((_, answer)) = deciding else {
            let first = levels.first().map(Level::words).unwrap_or_default();
            return Err(Refusal::Gap {
                source,
                keys: first,
            });
        };
        match answer {
            OnDay::Row(row) => priced(row, source, &levels, asked, why),
            OnDay::Tie(rows) => Err(Refusal::Tie { source, rows }),
            OnDay::Gap => Err(Refusal::Gap {
                source,
                keys: levels.first().map(Level::words).unwrap_or_default(),
            }),
        }
    }

    /// The known rows of a source that apply to a piece of work, by key.
    fn fitting(&self, source: RateSource, asked: &Asked<'_>) -> Vec<KeyRows<'a>> {
        let facts = asked.facts.parts();
        let shapes = self.sources.get(&source).into_iter().flatten();
        shapes
            .filter_map(|(shape, keys)| {
                let mut wanted: Parts<'_> = [None; 8];
                for ((slot, fact), named) in wanted.iter_mut().zip(facts).zip(shape) {
                    *slot = named.then_some(fact);
                }
                let found = found(keys, &wanted)?;
                let known = found.rows.iter().copied();
                let rows: Vec<_> = known.filter(|row| row.known(asked.known_at)).collect();
                (!rows.is_empty()).then_some(KeyRows {
                    key: found.key,
                    rows,
                })
            })
            .collect()
    }

    /// Who decides, and the levels of what they have.
    fn source(
        &self,
        asked: &Asked<'_>,
        terms: RateTerms,
        why: &mut Explanation,
    ) -> Option<(RateSource, Vec<Level<'a>>)> {
        let own = self.fitting(terms.owner, asked);
        let mut inputs = format!(
            "{} owns the rates and has {} for the work",
            terms.owner.words(),
            rows_words(&own)
        );
        let (source, keys) = match terms.second {
            Some(second) if own.is_empty() => {
                let keys = self.fitting(second, asked);
                inputs = format!(
                    "{inputs}; {} is asked second and has {}",
                    second.words(),
                    rows_words(&keys)
                );
                (second, keys)
            }
            Some(_) | None => (terms.owner, own),
        };
        let none = keys.is_empty();
        let result = if none { "no rate" } else { source.words() };
        why.step("whose rate", inputs, result);
        (!none).then(|| (source, levels(keys)))
    }
}

/// A look-up whose key may live shorter than the map's rows.
fn found<'m, 'k, V>(keys: &'m BTreeMap<Parts<'k>, V>, wanted: &Parts<'k>) -> Option<&'m V> {
    keys.get(wanted)
}

/// The number of a level, counted from 0, and what it says about the day.
type Deciding<'a> = (usize, OnDay<'a>);

fn deciding<'a>(levels: &[Level<'a>], day: Date, gap: RateGap) -> Option<Deciding<'a>> {
    let asked = match gap {
        RateGap::Refuse => 1,
        RateGap::FallThrough => levels.len(),
    };
    levels
        .iter()
        .take(asked)
        .map(|level| level.on(day))
        .enumerate()
        .find(|(_, answer)| *answer != OnDay::Gap)
}

fn rows_words(keys: &[KeyRows<'_>]) -> String {
    match keys.iter().map(|key| key.rows.len()).sum::<usize>() {
        0 => "no known row".to_owned(),
        1 => "1 known row".to_owned(),
        rows => format!("{rows} known rows"),
    }
}

fn tell_key(
    levels: &[Level<'_>],
    deciding: Option<&Deciding<'_>>,
    asked: &Asked<'_>,
    gap: RateGap,
    why: &mut Explanation,
) {
    let known = asked.known_at.map_or_else(
        || "everything known".to_owned(),
        |at| format!("as known on {at}"),
    );
    let keys: Vec<String> = levels.iter().map(Level::words).collect();
    let result = match deciding {
        None => "no row covers the day".to_owned(),
        Some((number, answer)) => {
            let key = keys.get(*number).cloned().unwrap_or_default();
            match (answer, number) {
                (OnDay::Tie(rows), _) => format!("{key}: {} rows with equal right", rows.len()),
                (OnDay::Row(_) | OnDay::Gap, 0) => key,
                (OnDay::Row(_) | OnDay::Gap, _) => {
                    format!("{key}, since the keys before it leave a gap")
                }
            }
        }
    };
    why.step(
        "rate key",
        format_args!(
            "work date {}, {known}, {}; most specific first: {}",
            asked.day,
            gap.words(),
            keys.join("; ")
        ),
        result,
    );
}

fn priced<'a>(
    row: &'a RateRow,
    source: RateSource,
    levels: &[Level<'a>],
    asked: &Asked<'_>,
    why: &mut Explanation,
) -> Result<Chosen<'a>, Refusal<'a>> {
    let all = levels.iter().flat_map(|level| &level.keys);
    let beaten: Vec<&RateRow> = all
        .flat_map(|key| key.rows.iter().copied())
        .filter(|other| other.covers(asked.day) && !std::ptr::eq(*other, row))
        .collect();
    let told: Vec<String> = beaten
        .iter()
        .map(|other| {
            let reason = if other.key == row.key {
                "recorded earlier"
            } else {
                "less specific"
            };
            format!("{}, {reason}", other.words())
        })
        .collect();
    let beat = if told.is_empty() {
        "no other row covers the day".to_owned()
    } else {
        format!("it beat {}", told.join("; "))
    };
    let rule = format!("{} rate", asked.used_for.name());
    let inputs = format!("{} of {}; {beat}", row.words(), source.words());
    let chosen = Chosen {
        row,
        source,
        beaten,
    };
    match asked.currency {
        Some(contract) if contract != row.currency => {
            why.step(
                rule,
                inputs,
                format_args!("refused, the contract is in {contract}"),
            );
            Err(Refusal::Currency { chosen, contract })
        }
        Some(_) | None => {
            why.step(
                rule,
                inputs,
                format_args!("{} {} per hour", row.currency, row.rate),
            );
            Ok(chosen)
        }
    }
}

impl Refusal<'_> {
    /// The exception that the work becomes.
    pub fn problem(&self, asked: &Asked<'_>) -> Problem {
        let (missing, ambiguous) = match asked.used_for {
            RateUse::Bill => (Code::RateMissing, Code::RateAmbiguous),
            RateUse::Cost => (Code::CostRateMissing, Code::CostRateMissing),
        };
        let what = asked.used_for.name();
        let (day, work) = (asked.day, asked.facts.words());
        match self {
            Self::NoRow => Problem::new(missing, format!("no {what} rate for {work} on {day}")),
            Self::Gap { source, keys } => Problem::new(
                missing,
                format!(
                    "the {what} rates of {} for {keys} leave a gap on {day} ({work})",
                    source.words()
                ),
            ),
            Self::Tie { source, rows } => {
                let rows: Vec<String> = rows.iter().map(|row| row.words()).collect();
                Problem::new(
                    ambiguous,
                    format!(
                        "{} {what} rates of {} cover {day} with equal right: {}",
                        rows.len(),
                        source.words(),
                        rows.join(" / ")
                    ),
                )
            }
            Self::Currency { chosen, contract } => Problem::new(
                Code::CurrencyMismatch,
                format!(
                    "the {what} rate {} is in {}, contract {} in {contract}",
                    chosen.row.words(),
                    chosen.row.currency,
                    asked.facts.contract
                ),
            ),
        }
    }
}

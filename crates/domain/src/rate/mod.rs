//! Dated bill and cost rates, and which of them applies.
//!
//! Precedence is explicit: the scope of the work first (task, project, contract, customer,
//! everything), then the person (worker, role, anybody), then the service item. Among rows of
//! the most specific key, the work date decides; a gap is a missing rate and never zero, and two
//! rows of one key on one day are a mistake and never a choice.

use crate::currency::Currency;
use crate::decimal::Micro;
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a rate row applies to. An absent field applies to anything.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, Default)]
#[serde(deny_unknown_fields)]
pub struct RateKey {
    /// A customer's code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer: Option<String>,
    /// A contract's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contract: Option<String>,
    /// A project's code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
    /// A task's code inside the project.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task: Option<String>,
    /// A worker's code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub worker: Option<String>,
    /// A role.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// A service item's code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_item: Option<String>,
}

/// The facts of one piece of work that a rate is looked up by.
#[derive(Debug, Clone, Copy)]
pub struct RateQuery<'a> {
    /// The customer's code.
    pub customer: &'a str,
    /// The contract's id.
    pub contract: &'a str,
    /// The project's code.
    pub project: &'a str,
    /// The task's code.
    pub task: &'a str,
    /// The worker's code.
    pub worker: &'a str,
    /// The worker's role.
    pub role: &'a str,
    /// The service item's code.
    pub service_item: &'a str,
    /// The day of the work.
    pub day: Date,
}

impl RateKey {
    /// Whether the key applies to a piece of work, the day aside.
    pub fn matches(&self, query: &RateQuery<'_>) -> bool {
        let fits = |own: &Option<String>, asked: &str| own.as_deref().is_none_or(|v| v == asked);
        fits(&self.customer, query.customer)
            && fits(&self.contract, query.contract)
            && fits(&self.project, query.project)
            && fits(&self.task, query.task)
            && fits(&self.worker, query.worker)
            && fits(&self.role, query.role)
            && fits(&self.service_item, query.service_item)
    }

    /// The rank: a greater one is more specific. Scope of work, then person, then service item.
    pub const fn specificity(&self) -> (u8, u8, u8) {
        let scope = if self.task.is_some() {
            4
        } else if self.project.is_some() {
            3
        } else if self.contract.is_some() {
            2
        } else if self.customer.is_some() {
            1
        } else {
            0
        };
        let person = if self.worker.is_some() {
            2
        } else if self.role.is_some() {
            1
        } else {
            0
        };
        let item = if self.service_item.is_some() { 1 } else { 0 };
        (scope, person, item)
    }

    /// The key in words, for explanations.
    pub fn words(&self) -> String {
        let parts: Vec<String> = [
            ("task", &self.task),
            ("project", &self.project),
            ("contract", &self.contract),
            ("customer", &self.customer),
            ("worker", &self.worker),
            ("role", &self.role),
            ("service item", &self.service_item),
        ]
        .into_iter()
        .filter_map(|(name, value)| value.as_ref().map(|v| format!("{name} {v}")))
        .collect();
        if parts.is_empty() {
            "standard".to_owned()
        } else {
            parts.join(", ")
        }
    }
}

/// One dated rate: valid on `[from, to)`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RateRow {
    /// What it applies to.
    #[serde(flatten)]
    pub key: RateKey,
    /// The rate per hour.
    pub rate: Micro,
    /// Its currency.
    #[schemars(with = "Currency")]
    pub currency: Currency,
    /// First day.
    #[schemars(with = "String")]
    pub from: Date,
    /// First day it no longer holds; none = open end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub to: Option<Date>,
}

impl RateRow {
    /// Whether the row holds on a day.
    pub fn covers(&self, day: Date) -> bool {
        self.from <= day && self.to.is_none_or(|to| day < to)
    }
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

/// The row that applies, or why none does.
pub fn choose_rate<'a>(rows: &'a [RateRow], query: &RateQuery<'_>) -> Result<&'a RateRow, NoRate> {
    let matching = || rows.iter().filter(|row| row.key.matches(query));
    let Some(best) = matching().map(|row| row.key.specificity()).max() else {
        return Err(NoRate::NoRow);
    };
    let of_best = || matching().filter(|row| row.key.specificity() == best);
    let mut on_day = of_best().filter(|row| row.covers(query.day));
    match (on_day.next(), on_day.next()) {
        (Some(row), None) => Ok(row),
        (Some(one), Some(two)) => Err(NoRate::Tie {
            keys: format!("{} / {}", one.key.words(), two.key.words()),
        }),
        (None, _) => Err(NoRate::Gap {
            key: of_best()
                .next()
                .map(|row| row.key.words())
                .unwrap_or_default(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    fn row(key: RateKey, rate: &str, from: Date, to: Option<Date>) -> RateRow {
        RateRow {
            key,
            rate: rate.parse().unwrap(),
            currency: "EUR".parse().unwrap(),
            from,
            to,
        }
    }

    fn query(day: Date) -> RateQuery<'static> {
        RateQuery {
            customer: "C1",
            contract: "K1",
            project: "P1",
            task: "T1",
            worker: "W1",
            role: "senior",
            service_item: "CONS",
            day,
        }
    }

    fn key(set: impl FnOnce(&mut RateKey)) -> RateKey {
        let mut key = RateKey::default();
        set(&mut key);
        key
    }

    #[test]
    fn the_most_specific_key_wins() {
        let start = date(2026, 1, 1);
        let day = date(2026, 3, 5);
        let mut rows = Vec::new();
        let ladder: [(&str, RateKey); 6] = [
            ("100", RateKey::default()),
            ("110", key(|k| k.role = Some("senior".into()))),
            ("120", key(|k| k.customer = Some("C1".into()))),
            ("130", key(|k| k.contract = Some("K1".into()))),
            (
                "140",
                key(|k| {
                    k.project = Some("P1".into());
                    k.role = Some("senior".into());
                }),
            ),
            (
                "150",
                key(|k| {
                    k.project = Some("P1".into());
                    k.worker = Some("W1".into());
                }),
            ),
        ];
        for (rate, key) in ladder {
            rows.insert(0, row(key, rate, start, None));
            assert_eq!(
                choose_rate(&rows, &query(day)).unwrap().rate.to_string(),
                rate
            );
        }
        rows.push(row(
            key(|k| k.worker = Some("W2".into())),
            "999",
            start,
            None,
        ));
        assert_eq!(
            choose_rate(&rows, &query(day)).unwrap().rate.to_string(),
            "150"
        );
    }

    #[test]
    fn a_gap_of_the_most_specific_key_is_missing_and_never_falls_through() {
        let rows = [
            row(RateKey::default(), "100", date(2026, 1, 1), None),
            row(
                key(|k| k.project = Some("P1".into())),
                "150",
                date(2026, 1, 1),
                Some(date(2026, 3, 1)),
            ),
        ];
        assert_eq!(
            choose_rate(&rows, &query(date(2026, 2, 28)))
                .unwrap()
                .rate
                .to_string(),
            "150"
        );
        let gap = choose_rate(&rows, &query(date(2026, 3, 1)));
        assert_eq!(
            gap,
            Err(NoRate::Gap {
                key: "project P1".into()
            })
        );
        assert_eq!(
            choose_rate(&[], &query(date(2026, 3, 1))),
            Err(NoRate::NoRow)
        );
    }

    #[test]
    fn two_rows_of_one_key_on_one_day_are_a_mistake() {
        let rows = [
            row(RateKey::default(), "100", date(2026, 1, 1), None),
            row(RateKey::default(), "110", date(2026, 3, 1), None),
        ];
        assert_eq!(
            choose_rate(&rows, &query(date(2026, 2, 1)))
                .unwrap()
                .rate
                .to_string(),
            "100"
        );
        assert!(matches!(
            choose_rate(&rows, &query(date(2026, 3, 1))),
            Err(NoRate::Tie { .. })
        ));
    }
}

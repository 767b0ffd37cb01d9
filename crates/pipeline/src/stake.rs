//! The money at stake in the exception queue: booked, estimated, or unknown and why.

use crate::exceptions::Exception;
use crate::strand::active_by_part;
use domain::currency::Currency;
use domain::exception::Code;
use domain::money::Money;
use rules::estimate::Estimate;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use store::StoreError;
use store::charges::ChargeRow;

/// What an exception is about in money. One of the three is given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Default)]
pub struct Stake {
    /// What is booked, with its currency.
    #[serde(rename = "amount", serialize_with = "in_words")]
    pub booked: Option<Money>,
    /// What would be billed if nothing stood in the way; nothing of it is booked.
    #[serde(serialize_with = "in_words")]
    pub estimate: Option<Money>,
    /// Why neither can be known.
    pub no_amount_because: Option<String>,
}

#[expect(clippy::ref_option, reason = "serde passes the field by reference")]
fn in_words<S: serde::Serializer>(money: &Option<Money>, to: S) -> Result<S::Ok, S::Error> {
    match money {
        Some(money) => to.collect_str(money),
        None => to.serialize_none(),
    }
}

/// What is at stake for an item: what its charges bill, else what a posting of it moves, else the
/// estimate.
pub(crate) fn stake_of(
    charges: &[ChargeRow],
    posting_minor: Option<i64>,
    estimate: Option<Estimate>,
) -> Result<Stake, StoreError> {
    let money = |row: &ChargeRow, amount_minor: i64| {
        let currency = row.currency.parse().ok()?;
        Some(Money {
            amount_minor,
            currency,
        })
    };
    let active = active_by_part(charges)?;
    let billed = active
        .values()
        .fold(0_i64, |sum, row| sum.saturating_add(row.amount_minor));
    let charge = active.values().next().and_then(|row| money(row, billed));
    let moved = || money(charges.last()?, posting_minor?);
    let booked = charge.or_else(moved);
    Ok(match (booked, estimate) {
        (Some(_), _) => Stake {
            booked,
            ..Stake::default()
        },
        (None, Some(Estimate::Amount(money))) => Stake {
            estimate: Some(money),
            ..Stake::default()
        },
        (None, Some(Estimate::Unknown(why))) => Stake {
            no_amount_because: Some(why),
            ..Stake::default()
        },
        (None, None) => Stake {
            no_amount_because: Some("nothing is booked".to_owned()),
            ..Stake::default()
        },
    })
}

/// What is at stake for a shared line: what a posting of it moves. Its charge only books what rounding
/// leaves.
pub(crate) fn stake_of_line(charges: &[ChargeRow], posting_minor: Option<i64>) -> Stake {
    let currency = charges.last().and_then(|row| row.currency.parse().ok());
    let booked = posting_minor
        .zip(currency)
        .map(|(amount_minor, currency)| Money {
            amount_minor,
            currency,
        });
    Stake {
        booked,
        no_amount_because: booked
            .is_none()
            .then(|| "nothing of the line is sent".to_owned()),
        ..Stake::default()
    }
}

/// The money of one currency in the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StakeSum {
    /// What is booked.
    pub booked: Money,
    /// What is estimated.
    pub estimated: Money,
}

/// The money in a list, by currency, and how many entries have none that is known. An entry counts
/// once, whatever is wrong with it; one that the tracker only fails to show is not at stake.
pub fn sums(exceptions: &[Exception]) -> (Vec<StakeSum>, u64) {
    let mut by_currency: BTreeMap<String, StakeSum> = BTreeMap::new();
    let (mut unknown, mut seen) = (0, BTreeSet::new());
    for exception in exceptions {
        if exception.code == Code::TrackerRefused.text() || !seen.insert(&exception.id) {
            continue;
        }
        let mut add = |money: Money, pick: fn(&mut StakeSum) -> &mut Money| {
            let zero = Money::zero(money.currency);
            let sum = by_currency
                .entry(Currency::to_string(&money.currency))
                .or_insert(StakeSum {
                    booked: zero,
                    estimated: zero,
                });
            let part = pick(sum);
            part.amount_minor = part.amount_minor.saturating_add(money.amount_minor);
        };
        match (exception.stake.booked, exception.stake.estimate) {
            (Some(money), _) => add(money, |sum| &mut sum.booked),
            (None, Some(money)) => add(money, |sum| &mut sum.estimated),
            (None, None) => unknown += 1,
        }
    }
    (by_currency.into_values().collect(), unknown)
}

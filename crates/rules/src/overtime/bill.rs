//! What a client is billed for the tiers of an entry.
//!
//! The rate of a tier is rate times multiple, rounded half up to the contract's digits before it
//! multiplies anything, so that the printed line multiplies out. Premium at cost is the plain
//! rate for the hour, and on top the premium's part of the worker's pay rate: half of it for an
//! hour at one and a half. The authorisation is looked at before the form: what the client did
//! not authorise is billed plainly or not at all, whatever the form.

use crate::explanation::{Explanation, Step};
use crate::overtime::pay::RegularRate;
use crate::overtime::{OvertimeError, Tier};
use crate::quantity::time_words;
use domain::decimal::{MICRO_SCALE, Micro};
use domain::overtime::{OvertimeAuthorisation, OvertimeBillForm, OvertimeBilling};
use domain::rounding::Rounding;

/// What a part of an entry costs the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TierPrice {
    /// An hour at this bill rate.
    Rate(Micro),
    /// The premium of an hour at this cost rate, on top of the hour itself.
    PremiumCost(Micro),
    /// Nothing: the client did not authorise it.
    NotBilled,
}

/// A part of an entry on the bill.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BilledTier {
    /// The tier.
    pub tier: Tier,
    /// The billable time.
    pub seconds: i64,
    /// Its price.
    pub price: TierPrice,
}

/// The bill of an entry's tiers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BilledTiers {
    /// The parts; a tier without time has none.
    pub parts: Vec<BilledTier>,
    /// Why.
    pub steps: Vec<Step>,
}

/// Rate times multiple, half up to so many decimals.
pub fn derived_rate(rate: Micro, multiple: Micro, decimals: u32) -> Result<Micro, OvertimeError> {
    let product = i128::from(rate.micro()) * i128::from(multiple.micro());
    let cut = 2 * MICRO_SCALE - decimals.min(MICRO_SCALE);
    let scale = MICRO_SCALE - decimals.min(MICRO_SCALE);
    10_i128
        .checked_pow(cut)
        .and_then(|unit| Rounding::HalfUp.whole(product, unit))
        .zip(10_i128.checked_pow(scale))
        .and_then(|(whole, unit)| whole.checked_mul(unit))
        .and_then(|micro| i64::try_from(micro).ok())
        .map(Micro::from_micro)
        .ok_or(OvertimeError::TooLarge)
}

/// The bill of the billable seconds of an entry, in the order of [`Tier::ALL`], at the contract's
/// rate for the work. `pay` is the worker's regular rate; only premium at cost looks at it.
pub fn bill_tiers(
    terms: &OvertimeBilling,
    authorised: bool,
    parts_seconds: [i64; 3],
    rate: Micro,
    pay: &RegularRate,
) -> Result<BilledTiers, OvertimeError> {
    terms.check()?;
    let mut parts = Vec::new();
    let mut why = Explanation::default();
    for (tier, seconds) in Tier::ALL.into_iter().zip(parts_seconds) {
        if seconds == 0 {
            continue;
        }
        let multiple = match tier {
            Tier::Straight => Micro::from_micro(1_000_000),
            Tier::Premium => terms.terms.premium_multiple,
            Tier::Double => terms.terms.double_multiple,
        };
        let (how, prices) = prices(terms, authorised, tier, multiple, rate, pay)?;
        for price in prices {
            let (rule, time) = (format_args!("{} time", tier.words()), time_words(seconds));
            match price {
                TierPrice::Rate(at) => why.step(
                    rule,
                    format_args!("{time}, rate {rate}, {how}"),
                    format_args!("at {at}"),
                ),
                TierPrice::PremiumCost(at) => why.step(
                    rule,
                    format_args!(
                        "{time}, pay rate {} x ({multiple} - 1), {how}",
                        pay.shown()?
                    ),
                    format_args!("at cost {at} on top"),
                ),
                TierPrice::NotBilled => {
                    why.step(rule, format_args!("{time}, {how}"), "not billed");
                }
            }
            parts.push(BilledTier {
                tier,
                seconds,
                price,
            });
        }
    }
    Ok(BilledTiers {
        parts,
        steps: why.steps,
    })
}

fn prices(
    terms: &OvertimeBilling,
    authorised: bool,
    tier: Tier,
    multiple: Micro,
    rate: Micro,
    pay: &RegularRate,
) -> Result<(&'static str, Vec<TierPrice>), OvertimeError> {
    if tier == Tier::Straight {
        return Ok(("straight time", vec![TierPrice::Rate(rate)]));
    }
    match (authorised, terms.authorisation) {
        (false, OvertimeAuthorisation::ElseStraight) => {
            return Ok((
                "not authorised by the client, billed plainly",
                vec![TierPrice::Rate(rate)],
            ));
        }
        (false, OvertimeAuthorisation::ElseNothing) => {
            return Ok(("not authorised by the client", vec![TierPrice::NotBilled]));
        }
        (true, _) | (false, OvertimeAuthorisation::NotNeeded) => {}
    }
    let decimals = terms.rate_decimals;
    Ok(match terms.form {
        OvertimeBillForm::FullMultiplier => (
            "times its multiple, half up to the contract's decimals",
            vec![TierPrice::Rate(derived_rate(rate, multiple, decimals)?)],
        ),
        OvertimeBillForm::Straight => (
            "the contract pays every hour alike",
            vec![TierPrice::Rate(rate)],
        ),
        OvertimeBillForm::PremiumAtCost => {
            let cost = pay.premium_rate(multiple, decimals)?;
            (
                "the contract passes the premium on at its cost",
                vec![TierPrice::Rate(rate), TierPrice::PremiumCost(cost)],
            )
        }
    })
}

//! The firm's dated rates.

use super::layout::{Engagement, Person, currency};
use super::words::ROLES;
use super::{Days, FirmError};
use domain::currency::Currency;
use domain::decimal::Micro;
use domain::rate::{RateKey, RateRow, RateSource};
use jiff::civil::Date;

#[derive(Debug, Clone)]
pub(super) struct Priced {
    pub(super) worker: Option<String>,
    pub(super) role: Option<&'static str>,
    pub(super) from: Date,
    pub(super) to: Option<Date>,
    pub(super) rate: Micro,
}

fn year_start(days: Days) -> Result<Date, FirmError> {
    Date::new(days.before_first.year(), 1, 1).map_err(|_| FirmError::Range("year"))
}

/// What an hour of each role costs the firm.
pub(super) fn cost_rates(days: Days) -> Result<Vec<RateRow>, FirmError> {
    let start = year_start(days)?;
    let eur: Currency = currency("EUR")?;
    Ok(ROLES
        .iter()
        .zip([480_000_i64, 615_000, 842_500, 1_200_000])
        .map(|(role, rate_e4)| RateRow {
            key: RateKey {
                role: Some((*role).to_owned()),
                ..RateKey::default()
            },
            rate: Micro::from_micro(rate_e4 * 100),
            currency: eur,
            from: start,
            to: None,
            recorded: None,
            origin: RateSource::Card,
        })
        .collect())
}

/// The rates of a client: by role, new ones from the middle of the month, one person dearer.
pub(super) fn rates(
    days: Days,
    index: u32,
    code: &str,
    special: Option<&Person>,
) -> Result<Vec<Priced>, FirmError> {
    // In units of 0.0001.
    let yen = code == "JPY";
    let base: [i64; 4] = if yen {
        [120_000_000, 155_000_000, 198_000_000, 260_000_000]
    } else {
        [950_000, 1_254_500, 1_871_234, 2_500_000]
    };
    let more = i64::from(index) * if yen { 1_000_000 } else { 12_345 };
    let start = year_start(days)?;
    let mut rates = Vec::new();
    for (role, base) in ROLES.iter().zip(base) {
        let early = base + more;
        let later = if yen {
            early / 1_000_000 * 103 * 10_000
        } else {
            early * 103 / 100
        };
        for (from, to, rate_e4) in [
            (start, Some(days.middle), early),
            (days.middle, None, later),
        ] {
            rates.push(Priced {
                worker: None,
                role: Some(role),
                from,
                to,
                rate: Micro::from_micro(rate_e4 * 100),
            });
        }
    }
    if let Some(person) = special {
        rates.push(Priced {
            worker: Some(person.code.clone()),
            role: None,
            from: start,
            to: None,
            rate: Micro::from_micro((base.iter().sum::<i64>() / 2 + more) * 100),
        });
    }
    Ok(rates)
}

pub(super) fn rate_rows(engagement: &Engagement) -> Vec<RateRow> {
    engagement
        .rates
        .iter()
        .map(|price| RateRow {
            key: RateKey {
                contract: Some(engagement.contract.id.clone()),
                worker: price.worker.clone(),
                role: price.role.map(str::to_owned),
                ..RateKey::default()
            },
            rate: price.rate,
            currency: engagement.contract.currency,
            from: price.from,
            to: price.to,
            recorded: None,
            origin: RateSource::Card,
        })
        .collect()
}

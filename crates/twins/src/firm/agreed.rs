//! Clients whose contracts bill something beside hours: a monthly fee, milestones, a retainer, an hour
//! bank, a cap, a frame with an order under it, days. And what has to be billed of that, with arithmetic of its own.

use super::layout::{Engagement, Purpose, contract, currency, projects};
use super::rates::rates;
use super::{Days, FirmConfig, FirmError, FirmSpec};
use domain::contract::accounts::hour_bank::HourBankTerms;
use domain::contract::accounts::limit::LimitTerms;
use domain::contract::accounts::milestone::MilestoneTerms;
use domain::contract::accounts::retainer::RetainerTerms;
use domain::contract::accounts::schedule::ScheduleTerms;
use domain::contract::{Contract, ContractKind};
use domain::currency::Currency;
use domain::decimal::Micro;
use domain::quantity::Unit;
use jiff::ToSpan;
use jiff::civil::Date;
use serde::de::DeserializeOwned;
use serde_json::json;

/// The contract whose milestones are accepted.
pub const MILESTONES: &str = "K-BUILD";
/// What its first milestone comes to: 30 % of 24000.00, of which a tenth is withheld.
pub const FIRST_MILESTONE_MINOR: i64 = 648_000;
/// The contract whose retainer is paid into.
pub const RETAINER: &str = "K-RETAIN";

/// What the fixed amounts of these clients are sold as.
const SOLD_AS: &str = "CONS";

/// Something that has to be billed once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Agreed {
    /// The customer's code.
    pub customer: String,
    /// The currency.
    pub currency: Currency,
    /// How much, in minor units.
    pub amount_minor: i64,
}

fn terms<T: DeserializeOwned>(value: serde_json::Value) -> Result<T, FirmError> {
    serde_json::from_value(value).map_err(|_| FirmError::Range("terms"))
}

/// What a client pays ahead, and at most: more than the month's work of one client comes to, in whole
/// units of the currency.
pub fn more_than_a_month(spec: &FirmSpec) -> i64 {
    i64::from(spec.entries).saturating_mul(1_000).max(250_000)
}

pub(super) fn agreements(
    spec: &FirmSpec,
    days: Days,
    first_index: u32,
) -> Result<Vec<Engagement>, FirmError> {
    let from = days.before_first;
    let hours = i64::from(spec.entries).saturating_mul(2).max(1_000);
    let schedule: ScheduleTerms = terms(json!({
        "monthly_fees": [{"id": "CARE", "amount": "1250.40", "from": from}]
    }))?;
    let milestones: MilestoneTerms = terms(json!({
        "price": "24000", "retention_percent": "10",
        "milestones": [{"id": "DESIGN", "percent": "30"}, {"id": "LAUNCH", "percent": "70"}]
    }))?;
    let retainer: RetainerTerms = terms(json!({"id": "RETAINER"}))?;
    let bank: HourBankTerms = terms(json!({
        "id": "BANK", "allowance_hours": hours.to_string(), "fee": "9000.25", "overage_rate": "180"
    }))?;
    let cap: LimitTerms =
        terms(json!({"id": "NTE", "amount": more_than_a_month(spec).to_string()}))?;
    let plans: [(&str, &str, ContractKind); 7] = [
        ("CARE", "Carefree Clinics", ContractKind::TimeAndMaterials),
        ("BUILD", "Builders United", ContractKind::FixedFee),
        (
            "RETAIN",
            "Retained & Partners",
            ContractKind::TimeAndMaterials,
        ),
        ("BANK", "Bank of Hours", ContractKind::TimeAndMaterials),
        ("CAP", "Capstone Ltd", ContractKind::TimeAndMaterials),
        // An order under the frame of the one before.
        ("ORDER", "Capstone Ltd", ContractKind::TimeAndMaterials),
        ("DAYS", "Per Diem Partners", ContractKind::TimeAndMaterials),
    ];
    let mut all = Vec::new();
    for ((tag, name, kind), index) in plans.into_iter().zip(first_index..) {
        let whole = (tag == "ORDER").then_some("CAP");
        let of = index.saturating_sub(u32::from(whole.is_some()));
        let customer = format!("C-{}", whole.unwrap_or(tag));
        let projects = projects(index, 1, name);
        let own = contract(
            format!("K-{tag}"),
            Some(&customer),
            &projects,
            kind,
            currency("EUR")?,
        );
        let own = Contract {
            fixed_service_item: Some(SOLD_AS.to_owned()),
            parent: whole.map(|whole| format!("K-{whole}")),
            ..own
        };
        let own = match tag {
            "CARE" => Contract {
                schedule: Some(schedule.clone()),
                ..own
            },
            "BUILD" => Contract {
                milestones: Some(milestones.clone()),
                ..own
            },
            "RETAIN" => Contract {
                retainer: Some(retainer.clone()),
                ..own
            },
            "BANK" => Contract {
                hour_bank: Some(bank.clone()),
                from: Some(from),
                ..own
            },
            "DAYS" => per_diem(own)?,
            _ => Contract {
                limit: vec![cap.clone()],
                ..own
            },
        };
        all.push(Engagement {
            purpose: Purpose::Ordinary,
            rates: match kind {
                ContractKind::TimeAndMaterials => rates(days, index, "EUR", None)?,
                ContractKind::FixedFee | ContractKind::Internal => Vec::new(),
            },
            contract: own,
            customer: Some((customer, format!("cu{}", 900 + of), name.to_owned())),
            projects,
            closed_task: None,
        });
    }
    Ok(all)
}

/// By the day, in quarters: each begun quarter of each entry, so that no entry hangs on another of its
/// day. The cap is above any day.
fn per_diem(own: Contract) -> Result<Contract, FirmError> {
    Ok(Contract {
        unit: Unit::WorkingDay,
        increment: terms(json!({"step_minutes": 120, "rounding": "up"}))?,
        days: terms(json!({"hours": "8", "step": "0.25", "cap": "12"}))?,
        ..own
    })
}

/// Whether a client pays for an hour under a contract: not where it was paid ahead. Retainers and
/// hour banks of this firm hold more than a month can use.
pub(crate) fn pays_hours(contract: &Contract) -> bool {
    contract.kind == ContractKind::TimeAndMaterials
        && contract.retainer.is_none()
        && contract.hour_bank.is_none()
}

/// The fees that the firm's contracts ask for until a day, without what a client has to accept.
pub fn fees(config: &FirmConfig, until: Date) -> Result<Vec<Agreed>, FirmError> {
    let mut all = Vec::new();
    for contract in &config.contracts {
        let mut monthly: Vec<(Date, Micro)> = Vec::new();
        if let Some(schedule) = &contract.schedule {
            monthly.extend(
                schedule
                    .monthly_fees
                    .iter()
                    .map(|fee| (fee.from, fee.amount)),
            );
        }
        if let (Some(bank), Some(from)) = (&contract.hour_bank, contract.from) {
            monthly.push((from, bank.fee));
        }
        for (from, fee) in monthly {
            let unit = 10_i64
                .checked_pow(6 - contract.currency.minor_digits())
                .ok_or(FirmError::Arithmetic("a fee"))?;
            let mut day = from;
            while day <= until {
                all.push(Agreed {
                    customer: contract.customer.clone().unwrap_or_default(),
                    currency: contract.currency,
                    amount_minor: fee.micro() / unit,
                });
                day = day
                    .first_of_month()
                    .checked_add(1.month())
                    .map_err(|_| FirmError::Arithmetic("a month"))?;
            }
        }
    }
    Ok(all)
}

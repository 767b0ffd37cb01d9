//! Fixed amounts: what a contract bills beside work. Fees and instalments fall due by the calendar;
//! milestones, top-ups and the fees of hour banks by what the accounts were told.
//!
//! The list is worked out from terms and accounts as they stand, each time in full: the same terms
//! and accounts give the same items, and the difference to what is booked is what changes.

use crate::account::{Account, schedule};
use crate::charge::{ChargeContent, Disposition, Placement};
use crate::engine::Accounts;
use crate::explanation::Explanation;
use crate::part::Part;
use crate::price::Priced;
use crate::resolve;
use domain::contract::{BillShape, Contract, Grouping};
use domain::decimal::Micro;
use domain::exception::{Code, Problem};
use domain::ids::digest;
use domain::masters::{Customer, ServiceItem};
use domain::money::Money;
use domain::period::posting_date;
use domain::quantity::Unit;
use domain::reference::Reference;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// What a fixed amount is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FixedKind {
    /// A fee or an instalment that is due on a day.
    Schedule,
    /// The fee of a period of an hour bank.
    BankFee,
    /// A part of an agreed price that the client accepted, or what was withheld of it.
    Milestone,
    /// Money that a retainer asks for.
    TopUp,
}

impl FixedKind {
    /// The name in the ids of items.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Schedule => "schedule",
            Self::BankFee => "bank_fee",
            Self::Milestone => "milestone",
            Self::TopUp => "top_up",
        }
    }

    /// Whether the configuration alone says how much it is. What an account was told is somebody's
    /// word, and a change of it somebody's decision.
    pub const fn is_by_terms(self) -> bool {
        matches!(self, Self::Schedule)
    }
}

/// A fixed amount of a contract.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FixedAmount {
    /// What it is for.
    pub kind: FixedKind,
    /// Its id inside the contract and kind. It does not change.
    pub item: String,
    /// What the client reads.
    pub text: String,
    /// How much. Less than nothing is given back.
    pub amount: Money,
    /// The day it belongs to; none = the day on which it is first seen.
    pub day: Option<Date>,
}

/// All fixed amounts of a contract that are due before a day.
pub fn fixed_amounts(
    contract: &Contract,
    accounts: Option<&Accounts>,
    before: Date,
) -> Result<Vec<FixedAmount>, Problem> {
    let refused = |error: &dyn std::fmt::Display| {
        let facts = format!("contract {}: {error}", contract.id);
        Problem::new(Code::ContractAmbiguous, facts)
    };
    let mut all = Vec::new();
    if let Some(terms) = &contract.schedule {
        let from = contract.from.unwrap_or(Date::MIN);
        let due = schedule::due(terms, &contract.printing(), from, before);
        for one in due.map_err(|error| refused(&error))?.due {
            all.push(FixedAmount {
                kind: FixedKind::Schedule,
                text: format!("Fee {}", one.item.replace('/', ", ")),
                item: one.item,
                amount: one.amount,
                day: Some(one.date),
            });
        }
    }
    let Some(accounts) = accounts else {
        return Ok(all);
    };
    if let Some(Account::HourBank(bank)) = &accounts.hour_bank {
        // A month that is open for work to come is not due yet.
        let fees = bank.fees().map_err(|error| refused(&error))?.into_iter();
        for fee in fees.filter(|fee| fee.first < before) {
            all.push(FixedAmount {
                kind: FixedKind::BankFee,
                text: format!("Fee {}, from {}", bank.terms().id, fee.first),
                item: fee.item,
                amount: fee.amount,
                day: Some(fee.first),
            });
        }
    }
    if let Some(Account::Milestones(milestones)) = &accounts.milestones {
        for (item, day, amount) in milestones.billed() {
            all.push(FixedAmount {
                kind: FixedKind::Milestone,
                text: match item.rsplit_once('/') {
                    Some((milestone, "1")) => format!("Milestone {milestone}"),
                    Some((milestone, revision)) => {
                        format!("Milestone {milestone}, revision {revision}")
                    }
                    None => "Retention".to_owned(),
                },
                item,
                amount,
                day: Some(day),
            });
        }
    }
    if let Some(Account::Retainer(retainer)) = &accounts.retainer {
        for (id, amount) in retainer.asked() {
            all.push(FixedAmount {
                kind: FixedKind::TopUp,
                text: format!("Retainer {}, {id}", retainer.terms().id),
                item: id.to_owned(),
                amount,
                day: None,
            });
        }
    }
    Ok(all)
}

/// A fixed amount with the records behind it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PricedFixed<'a> {
    /// What is to be booked, and why.
    pub priced: Priced,
    /// Who pays.
    pub customer: &'a Customer,
    /// What it is sold as.
    pub service_item: &'a ServiceItem,
}

/// What is to be booked for a fixed amount of a day, or what is wrong first.
pub fn price_fixed<'a>(
    reference: &'a Reference,
    contract: &Contract,
    fixed: &FixedAmount,
    day: Date,
) -> Result<PricedFixed<'a>, Problem> {
    let customer = resolve::customer(reference, contract)?.ok_or_else(|| {
        let facts = format!("contract {} names no customer", contract.id);
        Problem::new(Code::CustomerUnmapped, facts)
    })?;
    let service_item = sold_as(reference, contract)?;
    let posting = posting_date(day, &reference.masters.periods, contract.late_work);
    let posting_date = posting.map(domain::period::PostingDate::date);
    let posting_date = posting_date.ok_or_else(|| {
        let facts = format!("the period of {day} is closed and no later one takes it");
        Problem::new(Code::PeriodClosed, facts)
    })?;
    // A client is given back pieces, never asked for less than nothing a piece.
    let pieces = Micro::from_micro(1_000_000 * fixed.amount.amount_minor.signum());
    let size = fixed.amount.decimal().abs();
    let rate = Micro::from_decimal(size)
        .map_err(|_| Problem::new(Code::AmountTooLarge, "an amount cannot be represented"))?;
    let content = ChargeContent {
        part: Part::WHOLE,
        disposition: Disposition::Bill,
        contract: contract.id.clone(),
        contract_kind: contract.kind,
        // The ERP prices time itself, never an agreed amount.
        shape: BillShape::DraftLine,
        placement: Arc::new(Placement {
            bill_to: customer.code.clone(),
            group_key: match contract.grouping {
                Grouping::Customer => format!("customer:{}", customer.code),
                // An amount of the contract belongs to none of its projects.
                Grouping::Contract | Grouping::Project => format!("contract:{}", contract.id),
            },
            period: format!("{:04}-{:02}", posting_date.year(), posting_date.month()),
        }),
        quantity: pieces,
        unit: Unit::Piece,
        rate,
        amount: fixed.amount,
        value: fixed.amount,
        recorded_seconds: 0,
        cost_rate: Micro::ZERO,
        cost: Money::zero(contract.currency),
        work_date: day,
        posting_date,
    };
    let inputs_digest = inputs_digest(contract, fixed, &content, &service_item.code);
    Ok(PricedFixed {
        priced: Priced {
            explanation: explained(contract, fixed, &content),
            content,
            before: None,
            inputs_digest,
        },
        customer,
        service_item,
    })
}

/// What a contract sells its fixed amounts as, and what is taken off a line.
pub fn sold_as<'a>(
    reference: &'a Reference,
    contract: &Contract,
) -> Result<&'a ServiceItem, Problem> {
    let unmapped = |facts: String| Problem::new(Code::ServiceItemUnmapped, facts);
    let code = contract.fixed_service_item.as_ref().ok_or_else(|| {
        unmapped(format!(
            "contract {} has no fixed_service_item",
            contract.id
        ))
    })?;
    let found = reference.masters.service_items.get(code);
    let found = found.ok_or_else(|| unmapped(format!("the ERP sells no '{code}'")))?;
    if !found.active {
        let facts = format!("service item {code} is inactive in the ERP");
        return Err(unmapped(facts));
    }
    Ok(found)
}

fn explained(contract: &Contract, fixed: &FixedAmount, content: &ChargeContent) -> Explanation {
    let mut why = Explanation {
        pricing_version: crate::PRICING_VERSION,
        steps: Vec::new(),
    };
    let (rule, inputs) = match fixed.kind {
        FixedKind::Schedule => ("due by the calendar", "the schedule of contract"),
        FixedKind::BankFee => ("fee of an hour bank's period", "the hour bank of contract"),
        FixedKind::Milestone => ("accepted by the client", "the milestones of contract"),
        FixedKind::TopUp => ("a retainer is filled up", "the retainer of contract"),
    };
    why.step(
        rule,
        format_args!("{inputs} {}, {}", contract.id, fixed.item),
        fixed.amount,
    );
    why.step(
        "amount",
        format_args!(
            "{} piece x {} {}",
            content.quantity, contract.currency, content.rate
        ),
        content.amount,
    );
    why.step(
        "posting date",
        format_args!("due {}", content.work_date),
        if content.posting_date == content.work_date {
            format!("{}, its period is open", content.posting_date)
        } else {
            format!(
                "{}, the first day of the next open period",
                content.posting_date
            )
        },
    );
    why
}

fn inputs_digest(
    contract: &Contract,
    fixed: &FixedAmount,
    content: &ChargeContent,
    service_item: &str,
) -> [u8; 32] {
    let numbers = format!(
        "{}|{}|{}|{}|{}",
        content.quantity, content.rate, content.amount, content.work_date, content.posting_date
    );
    let placement = &content.placement;
    digest(
        "fixed amount inputs",
        &[
            contract.id.as_bytes(),
            fixed.kind.name().as_bytes(),
            fixed.item.as_bytes(),
            service_item.as_bytes(),
            placement.bill_to.as_bytes(),
            placement.group_key.as_bytes(),
            placement.period.as_bytes(),
            numbers.as_bytes(),
        ],
    )
}

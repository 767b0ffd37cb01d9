//! The price of one item under its contract.
//!
//! Recorded time becomes billable time by the contract's increment, billable time becomes the
//! printed quantity, and printed quantity times rate is rounded once to the amount. What the
//! client can multiply on the invoice is what is charged.

use crate::charge::{ChargeContent, Disposition, Placement};
use crate::engine::BeforeOthers;
use crate::explanation::{Explanation, Step};
use crate::part::Part;
use crate::quantity::time_words;
use crate::resolve::Resolved;
use domain::contract::{Contract, ContractKind, Grouping};
use domain::currency::Currency;
use domain::decimal::Micro;
use domain::entry::EntryFields;
use domain::exception::{Code, Problem};
use domain::ids::digest;
use domain::money::Money;
use domain::quantity::{Unit, hours_printed};
use domain::rate::{NoRate, RateQuery, RateRow, choose_rate};
use domain::reference::Reference;
use domain::rounding::Rounding;
use std::sync::Arc;

/// A priced item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Priced {
    /// What is to be booked.
    pub content: ChargeContent,
    /// Why.
    pub explanation: Explanation,
    /// Digest of everything that went in, personal text aside.
    pub inputs_digest: [u8; 32],
    /// What it was before other work was looked at; none where none was.
    pub before: Option<BeforeOthers>,
}

/// Price an item with a version of the rules. `looked_at` says that a person looked at the work as it
/// is, or that it stands booked: then no condition holds it.
pub fn price(
    pricing_version: i64,
    reference: &Reference,
    resolved: &Resolved<'_>,
    fields: &EntryFields,
    looked_at: bool,
) -> Result<Priced, Problem> {
    match pricing_version {
        crate::PRICING_VERSION => price_v1(reference, resolved, fields, looked_at),
        unknown => Err(Problem::new(
            Code::RecordUnreadable,
            format!("pricing version {unknown} is not known to this program"),
        )),
    }
}

/// Whether a client pays.
pub(crate) const fn disposition(kind: ContractKind, billable: bool) -> Disposition {
    match kind {
        ContractKind::TimeAndMaterials if billable => Disposition::Bill,
        ContractKind::TimeAndMaterials | ContractKind::FixedFee | ContractKind::Internal => {
            Disposition::Cost
        }
    }
}

/// Who pays, in words.
pub(crate) fn who_pays(
    resolved: &Resolved<'_>,
    fields: &EntryFields,
    disposition: Disposition,
) -> Step {
    let contract = resolved.contract;
    Step::new(
        "who pays",
        format_args!(
            "contract {} is {}, the entry is {}",
            contract.id,
            contract.kind.words(),
            match (fields.billable, resolved.billable) {
                (true, true) => "billable",
                (true, false) =>
                    "billable, and by the contract's condition the client does not pay",
                (false, _) => "not billable",
            }
        ),
        if disposition == Disposition::Cost {
            "cost only, never invoiced"
        } else {
            "the client is billed"
        },
    )
}

/// Refuse work that a condition of its contract wants a person to look at, unless somebody did.
/// `amount` is what it comes to before any account is asked.
pub(crate) fn look(
    resolved: &Resolved<'_>,
    fields: &EntryFields,
    amount: Money,
    looked_at: bool,
    why: &mut Explanation,
) -> Result<(), Problem> {
    let Some(conditions) = &resolved.conditions else {
        return Ok(());
    };
    let said = conditions.held(&resolved.seen(fields), amount)?;
    let Some(step) = said.step else {
        return Ok(());
    };
    if !said.value {
        why.steps.push(step);
        return Ok(());
    }
    if looked_at {
        why.step(
            step.rule(),
            step.inputs(),
            "yes; somebody looked at it, or it stands booked",
        );
        return Ok(());
    }
    Err(Problem::new(
        Code::ConditionHolds,
        format!(
            "contract {} holds work when {}, and this comes to {amount}",
            resolved.contract.id,
            step.inputs()
        ),
    ))
}

fn price_v1(
    reference: &Reference,
    resolved: &Resolved<'_>,
    fields: &EntryFields,
    looked_at: bool,
) -> Result<Priced, Problem> {
    let contract = resolved.contract;
    let disposition = disposition(contract.kind, resolved.billable);
    let mut why = Explanation {
        pricing_version: 1,
        steps: Vec::new(),
    };
    why.steps.extend(resolved.steps.iter().cloned());
    why.steps.push(who_pays(resolved, fields, disposition));
    let quantity = quantity(contract, disposition, fields, &mut why)?;
    let query = query(resolved, fields);
    let (rate, amount) = bill(reference, contract, disposition, &query, quantity, &mut why)?;
    if disposition == Disposition::Bill {
        look(resolved, fields, amount, looked_at, &mut why)?;
    }
    let (cost_rate, cost) = cost(reference, contract, &query, fields, &mut why)?;
    let posting_date = resolved.posting.date();
    why.step(
        "posting date",
        format_args!("work date {}", fields.work_date),
        if posting_date == fields.work_date {
            format!("{posting_date}, its period is open")
        } else {
            format!("{posting_date}, the first day of the next open period")
        },
    );
    let content = ChargeContent {
        part: Part::WHOLE,
        disposition,
        contract: contract.id.clone(),
        contract_kind: contract.kind,
        shape: contract.shape,
        placement: Arc::new(placement(resolved, posting_date)),
        quantity,
        unit: Unit::Hour,
        rate,
        amount,
        value: amount,
        recorded_seconds: fields.recorded_seconds,
        cost_rate,
        cost,
        work_date: fields.work_date,
        posting_date,
    };
    let inputs_digest = inputs_digest(resolved, fields, &content);
    Ok(Priced {
        content,
        explanation: why,
        before: None,
        inputs_digest,
    })
}

fn query<'a>(resolved: &Resolved<'a>, fields: &EntryFields) -> RateQuery<'a> {
    RateQuery {
        customer: resolved.customer.map_or("", |c| c.code.as_str()),
        contract: &resolved.contract.id,
        project: &resolved.project.code,
        task: &resolved.task.code,
        worker: &resolved.worker.code,
        role: resolved.role,
        service_item: &resolved.service_item.code,
        day: fields.work_date,
    }
}

/// The printed quantity: recorded time by the contract's increment, as hours.
pub(crate) fn quantity(
    contract: &Contract,
    disposition: Disposition,
    fields: &EntryFields,
    why: &mut Explanation,
) -> Result<Micro, Problem> {
    let recorded = fields.recorded_seconds;
    let increment = contract
        .increment
        .filter(|_| disposition != Disposition::Cost);
    let billable_seconds = match increment {
        Some(rule) => {
            let seconds = rule.apply(recorded).map_err(|error| {
                Problem::new(
                    Code::ContractAmbiguous,
                    format!("contract {}: {error}", contract.id),
                )
            })?;
            let minimum = if rule.minimum_minutes > 0 {
                format!(", at least {} min", rule.minimum_minutes)
            } else {
                String::new()
            };
            why.step(
                "increment",
                format_args!(
                    "{} recorded, {} to {} min{minimum}",
                    time_words(recorded),
                    rule.rounding.name(),
                    rule.step_minutes
                ),
                time_words(seconds),
            );
            seconds
        }
        None => recorded,
    };
    let quantity = hours_printed(
        billable_seconds,
        contract.quantity_decimals,
        contract.quantity_rounding,
    )
    .ok_or_else(|| too_large("the quantity"))?;
    why.step(
        "printed quantity",
        format_args!(
            "{} as hours, {} to {} decimals",
            time_words(billable_seconds),
            contract.quantity_rounding.name(),
            contract.quantity_decimals
        ),
        format_args!("{quantity} h"),
    );
    Ok(quantity)
}

fn too_large(what: &str) -> Problem {
    Problem::new(
        Code::AmountTooLarge,
        format!("{what} cannot be represented"),
    )
}

fn no_rate(
    missing: Code,
    ambiguous: Code,
    what: &str,
    error: NoRate,
    query: &RateQuery<'_>,
) -> Problem {
    let day = query.day;
    let asked = format!(
        "worker {} ({}), project {}, {}",
        query.worker, query.role, query.project, query.service_item
    );
    match error {
        NoRate::NoRow => Problem::new(missing, format!("no {what} rate for {asked} on {day}")),
        NoRate::Gap { key } => Problem::new(
            missing,
            format!("the {what} rates for {key} leave a gap on {day} ({asked})"),
        ),
        NoRate::Tie { keys } => {
            Problem::new(ambiguous, format!("two {what} rates cover {day}: {keys}"))
        }
    }
}

fn row_words(row: &RateRow) -> String {
    let until = row
        .to
        .map_or_else(|| "open end".to_owned(), |to| format!("before {to}"));
    format!("{} (from {}, {until})", row.key.words(), row.from)
}

/// The bill rate and the amount; both zero where nobody pays.
pub(crate) fn bill(
    reference: &Reference,
    contract: &Contract,
    disposition: Disposition,
    query: &RateQuery<'_>,
    quantity: Micro,
    why: &mut Explanation,
) -> Result<(Micro, Money), Problem> {
    if disposition == Disposition::Cost {
        return Ok((Micro::ZERO, Money::zero(contract.currency)));
    }
    let row = choose_rate(&reference.bill_rates, query)
        .map_err(|error| no_rate(Code::RateMissing, Code::RateAmbiguous, "bill", error, query))?;
    if row.currency != contract.currency {
        return Err(Problem::new(
            Code::CurrencyMismatch,
            format!(
                "the rate is in {}, contract {} in {}",
                row.currency, contract.id, contract.currency
            ),
        ));
    }
    why.step(
        "bill rate",
        format_args!("work date {}, {}", query.day, row_words(row)),
        format_args!("{} {} per hour", row.currency, row.rate),
    );
    let amount = Money::times(
        quantity,
        row.rate,
        contract.currency,
        contract.amount_rounding,
    )
    .map_err(|_| too_large("the amount"))?;
    why.step(
        "amount",
        format_args!(
            "{quantity} h x {} {}, {} to the smallest coin",
            contract.currency,
            row.rate,
            contract.amount_rounding.name()
        ),
        amount,
    );
    Ok((row.rate, amount))
}

fn cost(
    reference: &Reference,
    contract: &Contract,
    query: &RateQuery<'_>,
    fields: &EntryFields,
    why: &mut Explanation,
) -> Result<(Micro, Money), Problem> {
    if reference.cost_rates.is_empty() {
        why.step(
            "cost rate",
            "no cost rates in the configuration",
            "the ERP owns cost",
        );
        return Ok((Micro::ZERO, Money::zero(contract.currency)));
    }
    let row = choose_rate(&reference.cost_rates, query).map_err(|error| {
        no_rate(
            Code::CostRateMissing,
            Code::CostRateMissing,
            "cost",
            error,
            query,
        )
    })?;
    let currency: Currency = row.currency;
    // Cost follows recorded time, whatever the client is billed.
    let seconds = fields.recorded_seconds;
    let cost = Money::of_time(seconds, row.rate, currency, Rounding::HalfUp)
        .map_err(|_| too_large("the cost"))?;
    why.step(
        "cost",
        format_args!(
            "{} recorded x {currency} {} per hour ({})",
            time_words(seconds),
            row.rate,
            row_words(row)
        ),
        cost,
    );
    Ok((row.rate, cost))
}

pub(crate) fn placement(resolved: &Resolved<'_>, posting_date: jiff::civil::Date) -> Placement {
    let contract = resolved.contract;
    let bill_to = contract.customer.clone().unwrap_or_default();
    let group_key = match (&resolved.group, contract.grouping) {
        (Some(text), _) => format!("text:{text}"),
        (None, Grouping::Contract) => format!("contract:{}", contract.id),
        (None, Grouping::Customer) => format!("customer:{bill_to}"),
        (None, Grouping::Project) => format!("project:{}", resolved.project.code),
    };
    let period = format!("{:04}-{:02}", posting_date.year(), posting_date.month());
    Placement {
        bill_to,
        group_key,
        period,
    }
}

fn inputs_digest(
    resolved: &Resolved<'_>,
    fields: &EntryFields,
    content: &ChargeContent,
) -> [u8; 32] {
    let seconds = fields.recorded_seconds.to_string();
    let contract = resolved.contract;
    let increment = contract.increment.map_or_else(String::new, |rule| {
        let direction = rule.rounding.name();
        format!("{}/{}/{direction}", rule.step_minutes, rule.minimum_minutes)
    });
    let conditions = if contract.conditions.is_empty() {
        String::new()
    } else {
        format!("|{:?}", contract.conditions)
    };
    let terms = format!(
        "{}|{}|{increment}|{}|{}|{}{conditions}",
        contract.kind.words(),
        contract.currency,
        contract.quantity_decimals,
        contract.quantity_rounding.name(),
        contract.amount_rounding.name(),
    );
    let placement = &content.placement;
    let numbers = format!(
        "{}|{}|{}|{}|{}|{}|{}|{}",
        content.quantity,
        content.rate,
        content.amount,
        content.cost_rate,
        content.cost,
        content.work_date,
        content.posting_date,
        content.disposition.name(),
    );
    digest(
        "charge inputs",
        &[
            resolved.worker.code.as_bytes(),
            resolved.project.code.as_bytes(),
            resolved.task.code.as_bytes(),
            contract.id.as_bytes(),
            resolved.service_item.code.as_bytes(),
            resolved.role.as_bytes(),
            seconds.as_bytes(),
            if fields.billable { b"1" } else { b"0" },
            numbers.as_bytes(),
            terms.as_bytes(),
            placement.bill_to.as_bytes(),
            placement.group_key.as_bytes(),
        ],
    )
}

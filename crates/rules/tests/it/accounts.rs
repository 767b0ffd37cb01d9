//! What the tests of accounts share: reading terms from tables, and effects as cells.

use crate::table::Row;
use counterfoil_rules::account::ask::{Ask, AskKind, Effect, Outcome};
use counterfoil_rules::account::{Account, Applied, Event, apply};
use domain::contract::accounts::Printing;
use domain::decimal::Micro;
use domain::rounding::Rounding;
use jiff::civil::{Date, date};
use serde_json::{Value, from_value};
use std::collections::BTreeMap;

pub(crate) fn named<T: serde::de::DeserializeOwned>(name: &str) -> T {
    from_value(Value::from(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

pub(crate) fn micro(text: &str) -> Micro {
    text.parse().unwrap()
}

pub(crate) fn printing(row: &Row) -> Printing {
    Printing {
        currency: row.get("currency").parse().unwrap(),
        step_minutes: row.some("increment").map(|text| text.parse().unwrap()),
        quantity_decimals: row.get("decimals").parse().unwrap(),
        quantity_rounding: named(row.get("quantity rounding")),
        amount_rounding: named(row.get("amount rounding")),
    }
}

/// Two decimals of an hour, no increment.
pub(crate) fn plain_printing() -> Printing {
    Printing {
        currency: "EUR".parse().unwrap(),
        step_minutes: None,
        quantity_decimals: 2,
        quantity_rounding: Rounding::HalfUp,
        amount_rounding: Rounding::HalfUp,
    }
}

pub(crate) const DAY: Date = date(2026, 3, 2);

pub(crate) fn ask(item: &str, quantity: &str, rate: &str) -> Ask {
    Ask {
        item: item.to_owned(),
        contract: None,
        kind: AskKind::Fees,
        quantity: micro(quantity),
        rate: micro(rate),
        work_date: DAY,
        approved_at_micros: 0,
        source_id: item.to_owned(),
        line: None,
        purchase_order: None,
        task: None,
    }
}

/// Play an event. A refusal leaves the account as it was; its message comes back.
pub(crate) fn play(account: &mut Account, event: &Event) -> Result<Applied, String> {
    let applied = apply(account, event).map_err(|refusal| refusal.to_string())?;
    let again = apply(account, event).unwrap();
    assert_eq!(applied, again, "the same event gives the same");
    // What is stored and read again is the same account.
    let text = serde_json::to_string(&applied.account).unwrap();
    let back: Account = serde_json::from_str(&text).unwrap();
    assert_eq!(back, applied.account);
    *account = applied.account.clone();
    Ok(applied)
}

/// Changes of one outcome as a cell: `e1 800.00, e2 -40.00`.
pub(crate) fn cell(effects: &[Effect], wanted: Outcome) -> String {
    let mut sums: BTreeMap<&str, i64> = BTreeMap::new();
    let mut digits = 2;
    for effect in effects {
        if let Effect::Change {
            item,
            outcome,
            amount,
            ..
        } = effect
            && *outcome == wanted
        {
            *sums.entry(item).or_default() += amount.amount_minor;
            digits = amount.currency.minor_digits();
        }
    }
    cells(sums, digits)
}

/// Changes of the allowances on lines, as a cell.
pub(crate) fn allowances(effects: &[Effect]) -> String {
    let mut sums: BTreeMap<&str, i64> = BTreeMap::new();
    for effect in effects {
        if let Effect::Change {
            item,
            line_allowance,
            ..
        } = effect
        {
            *sums.entry(item).or_default() += line_allowance.amount_minor;
        }
    }
    cells(sums, 2)
}

pub(crate) fn cells(sums: BTreeMap<&str, i64>, digits: u32) -> String {
    let parts: Vec<String> = sums
        .into_iter()
        .filter(|(_, minor)| *minor != 0)
        .map(|(item, minor)| format!("{item} {}", rust_decimal(minor, digits)))
        .collect();
    if parts.is_empty() {
        return "none".to_owned();
    }
    parts.join(", ")
}

fn rust_decimal(minor: i64, digits: u32) -> String {
    if digits == 0 {
        return minor.to_string();
    }
    let coin = 10_i64.pow(digits);
    let sign = if minor < 0 { "-" } else { "" };
    let width = digits.try_into().unwrap();
    let (whole, rest) = (minor.abs() / coin, minor.abs() % coin);
    format!("{sign}{whole}.{rest:0width$}")
}

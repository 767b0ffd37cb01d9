//! Estimates of what is at stake: the same money as the price where there is one, and no guess
//! where a rate hangs on something unknown.

use crate::world;
use counterfoil_rules::estimate::{Estimate, estimate};
use domain::contract::ContractKind;
use domain::entry::EntryFields;
use domain::rate::RateKey;
use domain::reference::Reference;
use proptest::prelude::*;

fn unknown(reference: &Reference, fields: &EntryFields) -> String {
    match estimate(reference, fields) {
        Estimate::Unknown(why) => why,
        Estimate::Amount(money) => format!("known: {money}"),
    }
}

/// The reference with one more rate of a key.
fn with_rate(reference: &Reference, rate: &str, set: impl FnOnce(&mut RateKey)) -> Reference {
    let mut row = world::rate(rate, "EUR");
    set(&mut row.key);
    let mut reference = reference.clone();
    reference.bill_rates.push(row);
    reference
}

#[test]
fn a_rate_that_hangs_on_something_unknown_is_not_guessed() {
    let fields = world::fields();
    let mut no_worker = world::reference();
    no_worker.source.worker_codes.clear();
    let by_role = with_rate(&no_worker, "200", |key| key.role = Some("senior".into()));
    assert_eq!(unknown(&by_role, &fields), "the rate depends on the worker");
    let by_name = with_rate(&no_worker, "200", |key| key.worker = Some("W7".into()));
    assert_eq!(unknown(&by_name, &fields), "the rate depends on the worker");
    // A rate of another project can never be the one.
    let elsewhere = with_rate(&no_worker, "200", |key| {
        (key.role, key.project) = (Some("senior".into()), Some("P9".into()));
    });
    assert_eq!(unknown(&elsewhere, &fields), "known: EUR 187.50");
    // Nor one of less weight than a rate that surely applies.
    let weaker = with_rate(&by_role, "160", |key| key.project = Some("P1".into()));
    assert_eq!(unknown(&weaker, &fields), "known: EUR 200.00");

    let no_task = EntryFields {
        task_ref: None,
        ..world::fields()
    };
    let by_task = with_rate(&world::reference(), "200", |key| {
        key.task = Some("T1".into());
    });
    assert_eq!(unknown(&by_task, &no_task), "the rate depends on the task");
    assert_eq!(unknown(&by_task, &fields), "known: EUR 250.00");
    let mut no_item = with_rate(&world::reference(), "200", |key| {
        key.service_item = Some("CONS".into());
    });
    no_item.crosswalk.service_items.clear();
    let why = "the rate depends on the service item";
    assert_eq!(unknown(&no_item, &fields), why);
}

#[test]
fn where_nobody_pays_nothing_is_at_stake() {
    let mut reference = world::reference();
    reference.masters.workers.clear();
    reference.bill_rates.clear();
    let not_billable = EntryFields {
        billable: false,
        ..world::fields()
    };
    assert_eq!(unknown(&reference, &not_billable), "known: EUR 0.00");
    reference.contracts = vec![world::contract("K1", ContractKind::FixedFee)];
    assert_eq!(unknown(&reference, &world::fields()), "known: EUR 0.00");
}

proptest! {
    /// What can be priced is estimated at its price.
    #[test]
    fn an_estimate_is_the_price(minutes in 1_i64..1440, rate in 0_i64..500_000_000, billable: bool) {
        let mut reference = world::reference();
        let rate = domain::decimal::Micro::from_micro(rate).to_string();
        reference.bill_rates = vec![world::rate(&rate, "EUR")];
        let fields = EntryFields { recorded_seconds: minutes * 60, billable, ..world::fields() };
        let priced = world::price(&reference, &fields).unwrap().content;
        prop_assert_eq!(estimate(&reference, &fields), Estimate::Amount(priced.amount));
        // Whatever keeps it from being booked does not change what is at stake.
        reference.masters.workers.get_mut("W1").unwrap().active = false;
        reference.masters.tasks[0].active = false;
        reference.masters.periods.clear();
        reference.masters.customers.clear();
        prop_assert_eq!(estimate(&reference, &fields), Estimate::Amount(priced.amount));
    }
}

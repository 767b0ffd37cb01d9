//! Whole entries: who pays, how much, and what stops an entry.

use crate::table::{Row, table};
use crate::world;
use counterfoil_rules::estimate::{Estimate, estimate};
use counterfoil_rules::part::Part;
use domain::contract::Contract;
use domain::entry::EntryFields;
use domain::masters::Task;
use domain::period::LateWork;
use domain::rate::RateRow;
use domain::reference::Reference;
use domain::rounding::Increment;
use jiff::civil::date;
use serde_json::{Value, from_value};

fn contract_of(terms: &Row) -> Contract {
    let kind = from_value(Value::from(terms.get("kind"))).unwrap();
    let mut contract = world::contract(terms.get("contract"), kind);
    contract.currency = terms.get("currency").parse().unwrap();
    contract.quantity_decimals = terms.get("decimals").parse().unwrap();
    contract.quantity_rounding = from_value(Value::from(terms.get("quantity rounding"))).unwrap();
    contract.amount_rounding = from_value(Value::from(terms.get("amount rounding"))).unwrap();
    contract.increment = terms.some("step").map(|step| Increment {
        step_minutes: step.parse().unwrap(),
        minimum_minutes: terms.get("minimum").parse().unwrap(),
        rounding: from_value(Value::from(terms.get("direction"))).unwrap(),
    });
    contract
}

#[test]
fn who_pays_and_how_much() {
    let terms = table("pricing.md", "Terms");
    for row in table("pricing.md", "Work") {
        let case = row.get("case");
        let own = |terms: &&Row| terms.get("contract") == row.get("contract");
        let mut reference = world::reference();
        let contract = contract_of(terms.iter().find(own).unwrap());
        let bill = |rate: String| world::rate(&rate, contract.currency.code());
        reference.bill_rates = row.some("bill rate").into_iter().map(bill).collect();
        let cost = |rate: String| world::rate(&rate, row.get("cost currency"));
        reference.cost_rates = row.some("cost rate").into_iter().map(cost).collect();
        reference.contracts = vec![contract];
        let fields = EntryFields {
            recorded_seconds: row.number("seconds"),
            billable: row.get("billable") == "yes",
            ..world::fields()
        };
        let content = world::price(&reference, &fields).unwrap().content;
        let pays = content.disposition.name();
        assert_eq!(pays, row.get("= pays"), "{case}");
        let one_part = (content.part, content.fault(), content.recorded_seconds);
        assert_eq!(
            one_part,
            (Part::WHOLE, None, fields.recorded_seconds),
            "{case}"
        );
        assert_eq!(content.value, content.amount, "{case}");
        assert_eq!(
            content.quantity.to_string(),
            row.get("= quantity"),
            "{case}"
        );
        let amount = content.amount.decimal().to_string();
        assert_eq!(amount, row.get("= amount"), "{case}");
        assert_eq!(
            content.cost.decimal().to_string(),
            row.get("= cost"),
            "{case}"
        );
    }
}

fn ended(row: &mut RateRow) {
    row.to = Some(world::DAY);
}

/// Put one thing out of order.
fn spoil(what: &str, reference: &mut Reference, fields: &mut EntryFields) {
    let first_contract = reference.contracts.first_mut();
    let customer = reference.masters.customers.get_mut("C1");
    let worker = reference.masters.workers.get_mut("W1");
    let task = reference.masters.tasks.first_mut();
    let yesterday = world::DAY.yesterday().unwrap();
    match what {
        "project without code" => reference.source.project_codes.clear(),
        "project unknown to the ERP" => reference.masters.projects.clear(),
        "project closed" => reference.masters.projects.get_mut("P1").unwrap().active = false,
        "no contract" => reference.contracts.clear(),
        "contract ended before the day" => first_contract.unwrap().to = Some(world::DAY),
        "two contracts" => {
            let other = world::contract("K2", domain::contract::ContractKind::FixedFee);
            reference.contracts.push(other);
        }
        "contract without customer" => first_contract.unwrap().customer = None,
        "customer unknown to the ERP" => reference.masters.customers.clear(),
        "customer on hold in the ERP" => customer.unwrap().on_hold = true,
        "customer on hold by finance" => reference.customers_on_hold.push("C1".into()),
        "customer inactive" => customer.unwrap().active = false,
        "worker without code" => reference.source.worker_codes.clear(),
        "worker unknown to the ERP" => reference.masters.workers.clear(),
        "worker not yet employed" => worker.unwrap().from = Some(date(2026, 3, 6)),
        "worker left the day before" => worker.unwrap().until = Some(yesterday),
        "worker inactive" => worker.unwrap().active = false,
        "no task" => fields.task_ref = None,
        "task without code" => reference.source.task_codes.clear(),
        "task of another project" => {
            let task: &mut Task = task.unwrap();
            task.project = "P2".into();
        }
        "task closed the day before" => task.unwrap().closed_after = Some(yesterday),
        "task inactive" => task.unwrap().active = false,
        "activity without service item" => reference.crosswalk.service_items.clear(),
        "service item unknown to the ERP" => reference.masters.service_items.clear(),
        "service item inactive" => {
            let items = &mut reference.masters.service_items;
            items.get_mut("CONS").unwrap().active = false;
        }
        "period closed, contract holds" => {
            reference.masters.periods[0].open = false;
            first_contract.unwrap().late_work = LateWork::Hold;
        }
        "no period open" => reference.masters.periods.clear(),
        "no bill rate" => reference.bill_rates.clear(),
        "bill rate ended the day before" => reference.bill_rates.iter_mut().for_each(ended),
        "two bill rates" => reference.bill_rates.push(world::rate("160", "EUR")),
        "bill rate in another currency" => reference.bill_rates = vec![world::rate("150", "USD")],
        "amount beyond any ledger" => {
            reference.bill_rates = vec![world::rate("9223372036854.775807", "EUR")];
            first_contract.unwrap().currency = "EUR".parse().unwrap();
            fields.recorded_seconds = i64::MAX / 4_000_000;
        }
        "no cost rate for the worker" => {
            reference.cost_rates[0].key.worker = Some("W9".into());
        }
        "two cost rates" => reference.cost_rates.push(world::rate("81", "EUR")),
        other => panic!("'{other}' is not known to this test"),
    }
}

#[test]
fn the_first_thing_that_is_wrong_is_the_exception() {
    assert!(world::price(&world::reference(), &world::fields()).is_ok());
    for row in table("refusals.md", "Cases") {
        let wrong = row.get("wrong");
        let (mut reference, mut fields) = (world::reference(), world::fields());
        for what in wrong.split(';') {
            spoil(what.trim(), &mut reference, &mut fields);
        }
        let problem = world::price(&reference, &fields).unwrap_err();
        assert_eq!(
            problem.code.text(),
            row.get("= code"),
            "{wrong}: {problem:?}"
        );
        assert!(!problem.facts.is_empty(), "{wrong}");
        let at_stake = match estimate(&reference, &fields) {
            Estimate::Amount(money) => money.decimal().to_string(),
            Estimate::Unknown(why) => why,
        };
        assert_eq!(at_stake, row.get("= estimate"), "{wrong}");
    }
}

/// Somebody may work on the first and on the last day, and a task takes time on its last day.
#[test]
fn limits_of_days_are_inclusive() {
    let mut reference = world::reference();
    let worker = reference.masters.workers.get_mut("W1").unwrap();
    worker.from = Some(world::DAY);
    worker.until = Some(world::DAY);
    reference.masters.tasks[0].closed_after = Some(world::DAY);
    reference.contracts[0].from = Some(world::DAY);
    assert!(world::price(&reference, &world::fields()).is_ok());
}

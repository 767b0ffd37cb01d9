//! The transactions of played ledgers.

use super::schema::findings;
use counterfoil_testkit::bugs::Bug;
use counterfoil_testkit::schedule::Schedule;
use counterfoil_testkit::world::World;
use domain::labor::LaborTransaction;
use domain::money::Money;
use domain::rounding::Rounding;
use domain::time::{WORK_DATE_MAX, WORK_DATE_MIN};
use jiff::civil::Date;
use pipeline::env::Env;
use pipeline::labor::{Exported, export};
use pipeline::sync::{SyncOptions, sync};
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex};
use store::{charges, items};

async fn exported(env: &Env, from: Date, to: Date) -> (Vec<LaborTransaction>, Exported) {
    let all = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&all);
    let source = env.settings.source.clone();
    let end = export(&env.store, source, from, to, move |transaction| {
        kept.lock().unwrap().push(transaction);
        ControlFlow::Continue(())
    })
    .await
    .unwrap();
    let all = all.lock().unwrap().clone();
    (all, end)
}

/// A firm whose month was booked without trouble.
async fn booked(seed: u64) -> (World, Env) {
    let world = World::new(&Schedule::from_seed(seed), Bug::None).unwrap();
    world.calm();
    let env = world.session().unwrap();
    for _ in 0..3 {
        world.clock.pass_ms(600_000);
        sync(&env, world.today, SyncOptions::default())
            .await
            .unwrap();
    }
    (world, env)
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap()
        .block_on(future)
}

#[test]
fn every_transaction_is_of_the_published_form() {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../docs/schema/labor-transaction.schema.json"
    );
    let schema: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let broken = serde_json::json!({"version": 1, "source": "x"});
    assert!(!findings(&schema, &broken).is_empty());
    for seed in 1..4 {
        let (_, env) = block_on(booked(seed));
        let (all, _) = block_on(exported(&env, WORK_DATE_MIN, WORK_DATE_MAX));
        assert!(all.len() > 10, "{}", all.len());
        for transaction in &all {
            let mut value = serde_json::to_value(transaction).unwrap();
            let found = findings(&schema, &value);
            assert!(found.is_empty(), "{found:?}\n{value}");
            let read: LaborTransaction = serde_json::from_value(value.clone()).unwrap();
            assert_eq!(read, *transaction);
            for (name, bad) in [
                ("quantity", serde_json::json!(1.5)),
                ("quantity", serde_json::json!("1.1234567")),
                ("currency", serde_json::json!("euro")),
                ("contract_kind", serde_json::json!("barter")),
                ("worker_kind", serde_json::json!("robot")),
                ("more", serde_json::json!(1)),
            ] {
                let good = std::mem::replace(&mut value[name], bad);
                assert!(!findings(&schema, &value).is_empty(), "{name}");
                match good {
                    serde_json::Value::Null => drop(value.as_object_mut().unwrap().remove(name)),
                    good => value[name] = good,
                }
            }
        }
    }
}

#[test]
fn the_transactions_are_the_charges_of_the_ledger() {
    let (_, env) = block_on(booked(2));
    let (all, end) = block_on(exported(&env, WORK_DATE_MIN, WORK_DATE_MAX));
    let mut by_entry: BTreeMap<String, LaborTransaction> = all
        .iter()
        .map(|t| (t.source_transaction_id.clone(), t.clone()))
        .collect();
    assert_eq!(by_entry.len(), all.len(), "an entry came twice");
    assert!(all.is_sorted_by_key(|t| t.work_date));
    let rows = block_on(env.store.read(|tx| {
        let mut rows = Vec::new();
        for item in items::page(tx, &[0; 16], 100_000)? {
            let charges = charges::list_for_item(tx, &item.item_id)?;
            rows.push((item, charges));
        }
        Ok(rows)
    }))
    .unwrap();
    let omitted: u64 = end.omitted.values().sum();
    assert_eq!(
        end.transactions + omitted,
        u64::try_from(rows.len()).unwrap()
    );
    assert!(omitted > 0, "the firm has exceptions");
    for (item, charges) in rows {
        let found = by_entry.remove(&item.source_ref);
        let [charge] = charges.as_slice() else {
            assert!(found.is_none() && charges.is_empty(), "{}", item.source_ref);
            continue;
        };
        let found = found.unwrap();
        assert_eq!(found.quantity.micro(), charge.quantity_micro);
        assert_eq!(found.bill_rate.micro(), charge.rate_micro);
        assert_eq!(found.cost_rate.micro(), charge.cost_rate_micro);
        assert_eq!(found.cost_currency.code(), charge.cost_currency);
        assert_eq!(found.currency.code(), charge.currency);
        assert_eq!(found.contract, charge.contract);
        assert_eq!(found.work_date.to_string(), charge.work_date);
        assert_eq!(found.recorded_seconds, item.recorded_seconds);
        assert_eq!(found.billable, charge.disposition == "bill");
        assert_eq!(
            found.customer.is_none(),
            found.contract_kind == domain::contract::ContractKind::Internal
        );
        // Quantity times rate is the amount, so a reader needs no amount.
        let amount = Money::times(
            found.quantity,
            found.bill_rate,
            found.currency,
            Rounding::HalfEven,
        );
        if found.billable {
            let amount = amount.unwrap().amount_minor;
            assert!((amount - charge.amount_minor).abs() <= 1, "{amount}");
        }
    }
    assert!(by_entry.is_empty(), "{by_entry:?}");
}

#[test]
fn a_window_is_of_both_its_days_and_a_reader_may_stop() {
    let (_, env) = block_on(booked(3));
    let (all, _) = block_on(exported(&env, WORK_DATE_MIN, WORK_DATE_MAX));
    let day = all[all.len() / 2].work_date;
    let (one, _) = block_on(exported(&env, day, day));
    let expected: Vec<_> = all.iter().filter(|t| t.work_date == day).cloned().collect();
    assert_eq!(one, expected);
    let source = env.settings.source.clone();
    let end = block_on(export(
        &env.store,
        source,
        WORK_DATE_MIN,
        WORK_DATE_MAX,
        |_| ControlFlow::Break(()),
    ));
    assert_eq!(end.unwrap().transactions, 0);
}

/// The names and rates of then, although masters and configuration say otherwise now.
#[test]
fn what_was_booked_is_not_worked_out_again() {
    let (world, mut env) = block_on(booked(4));
    let (before, _) = block_on(exported(&env, WORK_DATE_MIN, WORK_DATE_MAX));
    let mut settings = (*env.settings).clone();
    settings.bill_rates.clear();
    settings.contracts.clear();
    env.settings = Arc::new(settings);
    world.erp.with(|state| state.machine.workers.clear());
    let (after, _) = block_on(exported(&env, WORK_DATE_MIN, WORK_DATE_MAX));
    assert_eq!(before, after);
}

//! Work that is priced with other work, whatever happened meanwhile: every charge comes out again bit
//! for bit, from what there was when it was booked.

use crate::fixed::service_item;
use crate::shared::{add_named, issue_all, with_work};
use crate::stage::{Stage, play, walks};
use counterfoil_testkit::rng::Dice;
use domain::contract::Contract;
use pipeline::exceptions::Choice;
use pipeline::reprice::reprice;
use serde_json::{Value, json};
use std::convert::Infallible;
use std::sync::Arc;
use store::{Abort, Command, GuardSet, Tx, settings};
use twins::tracker::TrackerAct;

/// Terms over several entries. A cap is never below what it granted.
fn terms(kind: u64, step: u64) -> Value {
    let cap = format!("{}", 900 + 400 * step);
    match kind {
        0 => json!({"limit": [{"id": "NTE", "amount": cap}]}),
        1 => json!({"limit": [{"id": "NTE", "amount": cap, "policy": "bill_to_cap"}]}),
        2 => json!({"overtime": {"form": "full_multiplier", "terms": {
            "rule": {"form": "daily_and_weekly", "daily_minutes": 240, "weekly_minutes": 600},
            "zone": "Europe/Berlin"}}}),
        3 => json!({"increment": {"step_minutes": 15, "rounding": "up"},
            "increment_scope": "worker_day_customer"}),
        4 => json!({"residual": "carry", "quantity_decimals": 1}),
        5 if step % 2 == 1 => json!({"from": "2026-08-01", "hour_bank": {
            "id": "B", "allowance_hours": "3", "fee": "500", "overage_rate": "190"}}),
        5 => json!({"unit": "working_day"}),
        6 => json!({"retainer": {"id": "R"}, "limit": [{"id": "NTE", "amount": cap}]}),
        _ => json!({"limit": [{"id": "NTE", "amount": cap, "policy": "write_off"}]}),
    }
}

fn with_terms(stage: &mut Stage, kind: u64, step: u64) {
    let item = service_item(stage);
    stage.with_contract(|contract| {
        let mut plain = Contract::plain(contract.id.clone(), contract.kind, contract.currency);
        plain.customer.clone_from(&contract.customer);
        plain.projects.clone_from(&contract.projects);
        plain.fixed_service_item = Some(item);
        let mut all = serde_json::to_value(&plain).unwrap();
        if let (Value::Object(all), Value::Object(more)) = (&mut all, terms(kind, step)) {
            all.extend(more);
        }
        *contract = serde_json::from_value(all).unwrap();
    });
}

async fn walk(seed: u64) -> u64 {
    let mut dice = Dice::new(seed);
    let (mut stage, mut ids) = with_work(21, &["1.10", "2.35", "0.60"]).await;
    with_terms(&mut stage, seed % 8, 0);
    let mut rate = "251.2345".to_owned();
    let mut story = Vec::new();
    for step in 0..10_u64 {
        let id = dice.one_of(&ids).unwrap().clone();
        let hours = format!("{}.{:02}", step % 4, (step * 35 + seed * 15) % 95 + 5);
        match dice.below(9) {
            0..=2 => {
                let like = stage.entry(&id);
                ids.push(add_named(&stage, &like, &hours, &format!("more {step}")));
                story.push(format!("add {hours}"));
            }
            3..=4 => {
                stage.set_hours(&id, &hours);
                story.push(format!("edit {id} {hours}"));
            }
            5 if ids.len() > 2 => {
                ids.retain(|own| *own != id);
                story.push(format!("delete {id}"));
                stage.tracker_act(&TrackerAct::DeleteEntry { id });
            }
            6 => {
                let kind = dice.below(8);
                story.push(format!("terms {kind}"));
                with_terms(&mut stage, kind, step);
            }
            7 => {
                let mut settings = (*stage.env.settings).clone();
                let to = format!("{}.5", 200 + step);
                let old = rate.parse().unwrap();
                for row in settings.bill_rates.iter_mut().filter(|row| row.rate == old) {
                    row.rate = to.parse().unwrap();
                }
                story.push(format!("rate {to}"));
                rate = to;
                stage.env.settings = Arc::new(settings);
            }
            _ => {
                story.push("issue".to_owned());
                issue_all(&stage);
            }
        }
        stage.pass().await;
        if dice.percent(40) {
            stage.replay(Choice::All).await;
        }
    }
    let again = reprice(&stage.env).await.unwrap();
    assert_eq!(again.differing, [], "seed {seed}: {story:?}");
    assert_eq!(again.before_acts, 0, "seed {seed}: {story:?}");
    again.same_with_other_work
}

/// One walk: `ACTS_SEED=17`; more of them: `ACTS_WALKS=500`.
#[test]
fn any_walk_is_priced_again_as_it_was() {
    let mut same = 0;
    for seed in walks("ACTS", 16) {
        same += play(walk(seed));
    }
    assert!(same > 20, "{same}");
}

/// Forget the last act.
struct Forget;

impl Command for Forget {
    type Out = ();
    type Rejection = Infallible;

    fn name(&self) -> &'static str {
        "forget an act"
    }

    fn guards(&self) -> GuardSet {
        GuardSet::none()
    }

    fn apply(&self, tx: &mut Tx<'_>) -> Result<(), Abort<Infallible>> {
        tx.act_as("test");
        let name = "last act of pricing";
        let last = settings::get(tx, name)?.unwrap();
        let last: (i64, i64) = serde_json::from_str(&last).unwrap();
        let at = store::Pointer {
            block: last.0,
            ord: last.1,
        };
        let Some(store::Sealed::Text(text)) = tx.unseal(at)? else {
            panic!("an act");
        };
        let act: Value = serde_json::from_slice(&text).unwrap();
        settings::put(tx, name, &act["previous"].to_string(), "test")?;
        Ok(())
    }
}

#[test]
fn charges_whose_act_is_gone_are_counted() {
    play(async {
        let (mut stage, ids) = with_work(21, &["1.10", "2.35"]).await;
        with_terms(&mut stage, 3, 0);
        stage.pass().await;
        stage.set_hours(&ids[0], "1.50");
        stage.pass().await;
        let whole = reprice(&stage.env).await.unwrap();
        assert_eq!(whole.differing, []);
        assert!(whole.same_with_other_work >= 3, "{whole:?}");
        stage.env.store.write(Forget).await.unwrap();
        let found = reprice(&stage.env).await.unwrap().differing;
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(
            found[0].what.contains("acts that are there priced"),
            "{found:?}"
        );
    });
}

/// Bytes of the last act and of the last state of the account, as they are before they are sealed.
async fn last_bytes(stage: &Stage) -> (usize, usize) {
    let read = |tx: &mut store::ReadTx<'_>| {
        let length = |tx: &mut store::ReadTx<'_>, at: &Value| {
            let (block, ord): (i64, i64) = serde_json::from_value(at.clone()).unwrap();
            match tx.unseal(store::Pointer { block, ord })? {
                Some(store::Sealed::Text(text)) => Ok(text.len()),
                _ => panic!("no text"),
            }
        };
        let last = settings::get(tx, "last act of pricing")?.unwrap();
        let act = length(tx, &serde_json::from_str(&last).unwrap())?;
        let row = store::accounts::list(tx)?.remove(0);
        let body: Value = serde_json::from_str(&row.body).unwrap();
        let state = length(tx, &body["chain"]["at"])?;
        Ok::<_, store::StoreError>((act, state))
    };
    stage.env.store.read(read).await.unwrap()
}

/// What an edit adds to the ledger does not grow with the account: acts name what there was, and a state
/// is the difference to the one before.
#[test]
fn an_edit_adds_as_little_to_a_large_account() {
    let after = |entries: u64| {
        play(async move {
            let (mut stage, ids) = with_work(21, &["1.10"]).await;
            with_terms(&mut stage, 0, 900);
            let like = stage.entry(&ids[0]);
            for number in 0..entries {
                let hours = format!("{}.{:02}", number / 60 % 8, number % 60 * 5 / 3 % 100 + 1);
                let id = add_named(&stage, &like, &hours, &format!("one of {number}"));
                let date = Some(format!("{}-{:02}", &like.date[..7], number % 11 + 1));
                stage.tracker_act(&TrackerAct::EditEntry {
                    id,
                    hours: None,
                    date,
                    narrative: None,
                    project_id: None,
                    task_id: None,
                    billable: None,
                });
            }
            stage.pass().await;
            // The whole state was written with the page; an edit is a difference to it.
            stage.set_hours(&ids[0], "1.45");
            stage.pass().await;
            last_bytes(&stage).await
        })
    };
    let (few, many) = (after(40), after(400));
    assert!(many.0 < few.0 * 2 && many.1 < few.1 * 2, "{few:?} {many:?}");
}

/// Work waits at a cap, and the contract becomes one with an hour bank: its months open before anything
/// is priced by it.
#[test]
fn work_that_waits_at_a_cap_goes_on_under_an_hour_bank() {
    play(async {
        let (mut stage, ids) = with_work(21, &["4.00", "2.35"]).await;
        with_terms(&mut stage, 0, 0);
        stage.pass().await;
        let held = stage.shown(&ids[1]);
        assert!(held.1.contains("held"), "{held:?}");
        with_terms(&mut stage, 5, 1);
        for _ in 0..3 {
            stage.pass().await;
        }
        let now = stage.shown(&ids[1]);
        assert!(!now.1.contains("held"), "{now:?}");
        stage.reconcile().await;
    });
}

//! Contracts with conditions: work that a person looks at first, work that one of two contracts
//! covers, work that the client does not pay, documents that are kept apart.

use crate::grouped::{billed, limit};
use crate::stage::{Stage, play};
use domain::exception::Code;
use pipeline::exceptions::Choice;
use std::collections::BTreeSet;
use std::sync::Arc;
use twins::erp::Uniqueness;
use twins::tracker::TrackerAct;

const SEED: u64 = 21;

fn of_code(all: Vec<pipeline::exceptions::Exception>, code: Code) -> Vec<String> {
    let own = all.into_iter().filter(|e| e.code == code.text());
    own.map(|e| e.source_ref).collect()
}

async fn held(stage: &Stage) -> Vec<String> {
    of_code(stage.exceptions().await, Code::ConditionHolds)
}

async fn is_quiet(stage: &Stage) {
    let quiet = stage.pass().await;
    assert_eq!((quiet.post.calls, quiet.intake.revisions), (0, 0));
    assert_eq!((quiet.rate_changes, quiet.intake.exceptions), (0, 0));
    stage.reconcile().await;
}

/// The rules that stand behind an entry's charges, with inputs and results.
async fn steps(stage: &Stage, id: &str) -> Vec<(String, String, String)> {
    let story = pipeline::explain::explain(&stage.env, id.to_owned()).await;
    let charges = story.unwrap().unwrap().charges;
    let steps = charges.into_iter().flat_map(|charge| charge.steps);
    let texts = steps.map(|s| [s.rule(), s.inputs(), s.result()].map(str::to_owned));
    texts.map(Into::into).collect()
}

#[test]
fn work_that_a_condition_holds_is_billed_once_somebody_looked() {
    play(async {
        let free = Stage::new(SEED, Uniqueness::UniqueKey);
        free.pass().await;
        let all = billed(&free, "C02");
        // By itself, and in a group.
        for in_group in [false, true] {
            let mut stage = Stage::new(SEED, Uniqueness::UniqueKey);
            stage.with_contract(|contract| {
                let hold = format!("amount.at_least(money(\"500 {}\"))", contract.currency);
                contract.conditions.hold_when = Some(hold);
                if in_group {
                    contract.limit = limit("1000000");
                }
            });
            stage.pass().await;
            let waiting = held(&stage).await;
            let first = billed(&stage, "C02");
            assert!(!waiting.is_empty() && 0 < first && first < all, "{first}");
            let open = stage.exceptions().await;
            let open = open.iter().find(|e| e.source_ref == waiting[0]).unwrap();
            assert!(open.facts.contains("at_least"), "{}", open.facts);
            assert_eq!(stage.shown(&waiting[0]).0, "exception");
            is_quiet(&stage).await;

            let replayed = stage.replay(Choice::Code(Code::ConditionHolds)).await;
            assert_eq!(replayed.still_open, 0, "{replayed:?}");
            assert_eq!(usize::try_from(replayed.solved).unwrap(), waiting.len());
            assert_eq!(billed(&stage, "C02"), all, "{in_group}");
            let why = steps(&stage, &waiting[0]).await;
            let (_, inputs, result) = why.iter().find(|s| s.0 == "condition hold_when").unwrap();
            assert!(inputs.contains("; amount "), "{inputs}");
            assert!(result.starts_with("yes; somebody looked"), "{result}");
            is_quiet(&stage).await;

            // Changed, it has to be looked at again, and what is billed stays until then.
            stage.set_hours(&waiting[0], "9.00");
            stage.pass().await;
            assert_eq!(held(&stage).await, waiting[..1]);
            assert_eq!(billed(&stage, "C02"), all);
            is_quiet(&stage).await;
            stage.replay(Choice::Code(Code::ConditionHolds)).await;
            assert_ne!(billed(&stage, "C02"), all);
            assert_eq!(held(&stage).await, Vec::<String>::new());
            is_quiet(&stage).await;
        }
    });
}

/// A limit counts what is billed, also while somebody has to look at a change of it and other work of
/// the day is priced.
#[test]
fn what_is_billed_of_held_work_stays_counted_as_it_is() {
    play(async {
        let mut stage = Stage::new(SEED, Uniqueness::UniqueKey);
        stage.with_contract(|contract| {
            let hold = format!("amount.at_least(money(\"500 {}\"))", contract.currency);
            contract.conditions.hold_when = Some(hold);
            contract.limit = limit("1000000");
        });
        stage.pass().await;
        let waiting = held(&stage).await;
        stage.replay(Choice::Code(Code::ConditionHolds)).await;
        let before = billed(&stage, "C02");
        stage.set_hours(&waiting[0], "9.00");
        stage.pass().await;
        let like = stage.entry(&waiting[0]);
        stage.tracker_act(&TrackerAct::AddEntry {
            user_id: like.user_id,
            project_id: like.project_id,
            task_id: like.task_id,
            activity_id: like.activity_id.clone(),
            date: like.date,
            hours: "0.50".to_owned(),
            narrative: "one more thing".to_owned(),
            approved_by: Some("u1".to_owned()),
        });
        stage.pass().await;
        assert_eq!(held(&stage).await, waiting[..1]);
        let now = billed(&stage, "C02");
        assert!(before < now, "{before} {now}");
        let figures = pipeline::contracts::figures(&stage.env, None)
            .await
            .unwrap();
        let used = figures.iter().find(|f| f.what == "used").unwrap();
        let digits: String = used.figure.chars().filter(char::is_ascii_digit).collect();
        assert_eq!(digits.parse::<i64>().unwrap(), now, "{}", used.figure);
        is_quiet(&stage).await;
    });
}

#[test]
fn what_waits_for_a_person_reserves_nothing() {
    play(async {
        let mut stage = Stage::new(SEED, Uniqueness::LookUp);
        stage.with_contract(|contract| {
            contract.conditions.hold_when = Some("minutes > 0".to_owned());
            contract.limit = limit("1000");
        });
        stage.pass().await;
        assert_eq!(billed(&stage, "C02"), 0);
        let rows = stage.env.store.read(store::accounts::list).await.unwrap();
        assert!(rows.iter().all(|row| !row.body.contains("\"arrival\"")));
        stage.replay(Choice::Code(Code::ConditionHolds)).await;
        let now = billed(&stage, "C02");
        assert!((90_000..=100_000).contains(&now), "{now}");
        is_quiet(&stage).await;
    });
}

#[test]
fn one_of_two_contracts_covers_the_work() {
    play(async {
        let free = Stage::new(SEED, Uniqueness::UniqueKey);
        free.pass().await;
        for in_group in [false, true] {
            let mut stage = Stage::new(SEED, Uniqueness::UniqueKey);
            let items = stage.env.settings.crosswalk.service_items.values();
            let one = items.clone().next().unwrap().clone();
            let mut other = None;
            stage.with_contract(|contract| {
                contract.conditions.when = Some(format!("service_item == \"{one}\""));
                if in_group {
                    contract.limit = limit("1000000");
                }
                let mut copy = contract.clone();
                copy.id = "THE-REST".to_owned();
                copy.conditions.when = Some(format!("service_item != \"{one}\""));
                other = Some(copy);
            });
            stage.pass().await;
            let missing = of_code(stage.exceptions().await, Code::ContractMissing);
            assert!(!missing.is_empty());
            let some = billed(&stage, "C02");
            assert!(0 < some && some < billed(&free, "C02"), "{some}");

            let mut settings = (*stage.env.settings).clone();
            let first = other.as_ref().map(|c| c.customer.clone()).unwrap();
            let of = |id: &str| {
                settings
                    .contracts
                    .iter()
                    .any(|c| c.id == id && c.customer == first)
            };
            let mut rates = settings.bill_rates.clone();
            rates.retain(|row| row.key.contract.as_deref().is_some_and(of));
            for row in &mut rates {
                row.key.contract = Some("THE-REST".to_owned());
            }
            settings.bill_rates.extend(rates);
            settings.contracts.extend(other);
            stage.env.settings = Arc::new(settings);
            stage.replay(Choice::Code(Code::ContractMissing)).await;
            assert_eq!(billed(&stage, "C02"), billed(&free, "C02"));
            let why = steps(&stage, &missing[0]).await;
            let said = why
                .iter()
                .filter(|s| s.0.starts_with("condition when of contract"));
            let said: BTreeSet<&str> = said.map(|s| s.2.as_str()).collect();
            assert_eq!(said, BTreeSet::from(["no", "yes"]), "{why:?}");
            is_quiet(&stage).await;
        }
    });
}

#[test]
fn what_the_client_does_not_pay_is_cost_and_documents_are_kept_apart() {
    play(async {
        let mut stage = Stage::new(SEED, Uniqueness::UniqueKey);
        stage.with_contract(|contract| {
            contract.conditions.group_by = Some("worker".to_owned());
        });
        stage.pass().await;
        let free = Stage::new(SEED, Uniqueness::UniqueKey);
        free.pass().await;
        assert_eq!(billed(&stage, "C02"), billed(&free, "C02"));
        assert!(documents(&stage) > documents(&free));
        is_quiet(&stage).await;

        // Nobody pays from now on: every booked hour asks a person.
        stage.with_contract(|contract| {
            contract.conditions.billable_when = Some("minutes > 100000".to_owned());
        });
        let changed = stage.pass().await.rate_changes;
        assert!(changed > 0);
        stage.replay(Choice::Code(Code::RetroRateChange)).await;
        assert_eq!(billed(&stage, "C02"), 0);
        is_quiet(&stage).await;
    });
}

/// How many documents of customer C02 have lines.
fn documents(stage: &Stage) -> usize {
    stage.world.erp.with(|state| {
        let erp = &state.machine;
        let of = erp.lines.values().filter(|line| {
            let document = erp.documents.get(&line.document_id).unwrap();
            let customer = erp.customers.get(&document.customer_id);
            customer.is_some_and(|c| c.code == "C02")
        });
        let ids: BTreeSet<_> = of.map(|line| line.document_id).collect();
        ids.len()
    })
}

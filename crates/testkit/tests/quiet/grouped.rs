//! Work that is priced in groups: a cap that binds and is raised, overtime of a week that a late entry
//! tiers anew, a day that is rounded as one.

use crate::stage::{Stage, play};
use domain::contract::quantity::IncrementScope;
use rules::explanation::Step;
use twins::erp::Uniqueness;
use twins::tracker::TrackerAct;

/// What stands on lines of documents billed to a customer, in minor units.
pub(crate) fn billed(stage: &Stage, customer: &str) -> i64 {
    stage.world.erp.with(|state| {
        let erp = &state.machine;
        let own = erp.lines.values().filter(|line| {
            let document = erp.documents.get(&line.document_id).unwrap();
            let customer_of = erp.customers.get(&document.customer_id);
            customer_of.is_some_and(|c| c.code == customer)
        });
        own.map(|line| line.amount.amount_minor).sum()
    })
}

/// A cap of 500 is not exceeded, and what waits is less than a step of the contract would cost.
async fn used_up(stage: &Stage, billed: i64) {
    let rows = stage.env.store.read(store::accounts::list).await.unwrap();
    let waits = rows[0].body.contains("\"outcome\":\"held\"");
    assert!(billed <= 50_000, "{billed}");
    assert!(
        !waits || billed > 50_000 - 8_300,
        "{billed} {}",
        rows[0].body
    );
}

pub(crate) fn limit(amount: &str) -> Vec<domain::contract::accounts::limit::LimitTerms> {
    let text = format!("{{\"id\": \"NTE\", \"amount\": \"{amount}\"}}");
    vec![serde_json::from_str(&text).unwrap()]
}

#[test]
fn a_cap_is_never_exceeded_and_what_waited_is_billed_once_it_is_raised() {
    play(async {
        let free = Stage::new(21, Uniqueness::UniqueKey);
        free.pass().await;
        let all = billed(&free, "C02");
        assert!(all > 200_000, "{all}");

        let mut stage = Stage::new(21, Uniqueness::UniqueKey);
        stage.with_contract(|contract| contract.limit = limit("1000"));
        stage.pass().await;
        let first = billed(&stage, "C02");
        assert!((90_000..=100_000).contains(&first), "{first}");
        stage.reconcile().await;
        let quiet = stage.pass().await;
        assert_eq!((quiet.post.calls, quiet.intake.revisions), (0, 0));

        // A cap below what is billed is refused, and nothing changes.
        stage.with_contract(|contract| contract.limit = limit("500"));
        let refused = pipeline::sync::sync(
            &stage.env,
            stage.world.today,
            pipeline::sync::SyncOptions::default(),
        );
        let error = refused.await.unwrap_err().to_string();
        assert!(error.contains("limit NTE"), "{error}");
        assert_eq!(billed(&stage, "C02"), first);

        // Raised a little, then for good.
        stage.with_contract(|contract| contract.limit = limit("1500"));
        stage.pass().await;
        let second = billed(&stage, "C02");
        assert!(first < second && second <= 150_000, "{second}");
        stage.with_contract(|contract| contract.limit = limit("1000000"));
        stage.pass().await;
        assert_eq!(billed(&stage, "C02"), all);
        stage.judged().await;
        stage.reconcile().await;
    });
}

#[test]
fn a_cap_that_is_taken_out_holds_nothing_back() {
    play(async {
        let free = Stage::new(21, Uniqueness::LookUp);
        free.pass().await;
        for others in [true, false] {
            let mut stage = Stage::new(21, Uniqueness::LookUp);
            stage.with_contract(|contract| contract.limit = limit("1000"));
            stage.pass().await;
            assert!(billed(&stage, "C02") <= 100_000);
            stage.with_contract(|contract| {
                contract.limit.clear();
                // Whether or not any contract still prices in groups.
                if others {
                    contract.increment_scope = IncrementScope::WorkerDayTask;
                }
            });
            stage.pass().await;
            assert_eq!(billed(&stage, "C02"), billed(&free, "C02"), "{others}");
            let quiet = stage.pass().await;
            assert_eq!((quiet.post.calls, quiet.rate_changes), (0, 0));
            stage.reconcile().await;
        }
    });
}

#[test]
fn an_edit_and_a_deletion_under_a_cap_free_what_they_had() {
    play(async {
        let mut stage = Stage::new(21, Uniqueness::LookUp);
        let contract = stage.with_contract(|contract| contract.limit = limit("500"));
        stage.pass().await;
        let own = stage.posted(|code| contract.projects.iter().any(|p| p == code));
        let before = billed(&stage, "C02");
        stage.set_hours(&own[0], "0.50");
        stage.pass().await;
        // What the edit freed is given to what waited, in the next pass at the latest.
        stage.pass().await;
        let after = billed(&stage, "C02");
        used_up(&stage, after).await;
        assert!(before <= 50_000, "{before}");
        stage.tracker_act(&TrackerAct::DeleteEntry { id: own[1].clone() });
        stage.pass().await;
        stage.pass().await;
        let last = billed(&stage, "C02");
        used_up(&stage, last).await;
        stage.reconcile().await;
    });
}

#[test]
fn a_late_entry_tiers_its_week_anew() {
    play(async {
        let mut stage = Stage::new(23, Uniqueness::UniqueKey);
        let billing = serde_json::json!({
            "form": "full_multiplier",
            "terms": {
                "rule": { "form": "daily", "daily_minutes": 480 },
                "zone": "Europe/Berlin",
            },
        });
        let billing = serde_json::from_value(billing).unwrap();
        let contract = stage.with_contract(|contract| {
            contract.overtime = Some(billing);
            contract.increment = None;
        });
        stage.pass().await;
        let own = stage.posted(|code| contract.projects.iter().any(|p| p == code));
        let like = stage.entry(&own[0]);
        let lines = stage.lines();
        stage.tracker_act(&TrackerAct::AddEntry {
            user_id: like.user_id,
            project_id: like.project_id,
            task_id: like.task_id,
            activity_id: like.activity_id.clone(),
            date: like.date,
            hours: "10.00".to_owned(),
            narrative: "a long day".to_owned(),
            approved_by: Some("u1".to_owned()),
        });
        let result = stage.pass().await;
        assert_eq!(
            result.intake.exceptions,
            0,
            "{:?}",
            stage.exceptions().await
        );
        // The day has more than eight hours now: its last hours are premium time.
        assert!(stage.lines() > lines, "{} {lines}", stage.lines());
        let late = stage.world.tracker.with(|state| {
            let (id, _) = state.machine.entries.last_key_value().unwrap();
            id.to_string()
        });
        let story = pipeline::explain::explain(&stage.env, late).await.unwrap();
        let charges = story.unwrap().charges;
        let premium = charges.iter().filter(|charge| {
            let steps = charge.steps.iter();
            steps.map(Step::rule).any(|rule| rule == "premium time")
        });
        assert!(premium.count() > 0, "{charges:?}");
        stage.reconcile().await;
        let quiet = stage.pass().await;
        assert_eq!((quiet.post.calls, quiet.intake.revisions), (0, 0));
    });
}

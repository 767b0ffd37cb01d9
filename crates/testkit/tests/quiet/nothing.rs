//! Work of which the contract's rounding leaves nothing is booked with its explanation, shown for
//! what it is, and makes no line.

use crate::stage::{Stage, play};
use pipeline::reconcile::Class;
use twins::erp::{ErpAct, Uniqueness};

/// Projects of the client whose contract rounds to six minutes.
fn six_minutes(code: &str) -> bool {
    code.starts_with("P02")
}

#[test]
fn two_minutes_under_a_six_minute_contract_make_no_line() {
    play(async {
        let stage = Stage::new(11, Uniqueness::UniqueKey);
        stage.pass().await;
        let posted = stage.posted(six_minutes);
        let (id, other) = (&posted[0], &posted[1]);
        let lines = stage.lines();

        // On a draft the line is taken off.
        stage.set_hours(id, "0.03");
        stage.pass().await;
        assert_eq!(stage.lines(), lines - 1);
        let nothing = (
            "unbilled".to_owned(),
            "nothing to bill: 0 h by the contract".to_owned(),
        );
        assert_eq!(stage.shown(id), nothing);
        assert_eq!(stage.class(id).await, Class::NothingToBill);
        assert_eq!(stage.judged().await.nothing_to_bill, 1);
        let told = pipeline::explain::explain(&stage.env, id.clone()).await;
        let story = told.unwrap().unwrap();
        let charge = story.charges.last().unwrap();
        assert!(charge.words.starts_with("bill: 0 h x "), "{charge:?}");
        assert!(charge.steps.iter().any(|step| step.rule() == "increment"));
        let quiet = stage.pass().await;
        assert_eq!((quiet.post.calls, quiet.told), (0, 0));

        // More time brings the line back.
        stage.set_hours(id, "2.50");
        stage.pass().await;
        assert_eq!(stage.lines(), lines);
        assert_eq!(stage.shown(id).0, "posted");

        // On an issued invoice it is credited.
        stage.erp_act(&ErpAct::IssueAll);
        stage.pass().await;
        stage.set_hours(other, "0.03");
        stage.pass().await;
        stage.pass().await;
        assert_eq!(stage.lines(), lines + 1, "the credit");
        assert_eq!(stage.shown(other), nothing);
        assert_eq!(stage.class(other).await, Class::NothingToBill);
        assert_eq!(stage.judged().await.nothing_to_bill, 1);
    });
}

#[test]
fn an_entry_that_comes_to_nothing_from_the_start_is_no_line_and_no_exception() {
    play(async {
        let stage = Stage::new(12, Uniqueness::LookUp);
        stage.pass().await;
        let like = stage.entry(&stage.posted(six_minutes)[0]);
        let lines = stage.lines();
        stage.tracker_act(&twins::tracker::TrackerAct::AddEntry {
            user_id: like.user_id,
            project_id: like.project_id,
            task_id: like.task_id,
            activity_id: like.activity_id,
            date: like.date,
            hours: "0.03".to_owned(),
            narrative: "a short call".to_owned(),
            approved_by: Some("u1".to_owned()),
        });
        let result = stage.pass().await;
        assert_eq!((result.intake.new_items, result.post.calls), (1, 0));
        assert_eq!(stage.lines(), lines);
        assert_eq!(stage.judged().await.nothing_to_bill, 1);
        let report = stage.reconcile().await;
        assert_eq!(report.classes.get(&Class::NothingToBill), Some(&1));
    });
}

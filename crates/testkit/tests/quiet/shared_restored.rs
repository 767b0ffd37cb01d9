//! Lines that charges share, after a ledger was set back to a backup: what the lost ledger put on them
//! is found by its keys and taken over; where it cannot be told what it did, a person decides and
//! nothing is sent beside it.

use crate::shared::{Printed, add_named, issue_all, printed, tied, together, with_work};
use crate::stage::{Stage, play};
use std::sync::Arc;

/// The ledger is lost and set back; the new process goes on.
async fn set_back(stage: &mut Stage) {
    let settings = Arc::clone(&stage.env.settings);
    assert!(stage.world.restore().unwrap());
    let mut env = stage.world.session().unwrap();
    env.settings = settings;
    stage.env = env;
    for _ in 0..4 {
        stage.pass().await;
    }
}

/// A stage with a shared line, on a draft or issued.
async fn with_line(issued: bool) -> (Stage, Vec<String>) {
    let (mut stage, ids) = with_work(21, &["1.10", "0.33", "2.35", "0.57"]).await;
    stage.with_contract(together(&[]));
    stage.pass().await;
    if issued {
        issue_all(&stage);
        stage.pass().await;
    }
    (stage, ids)
}

/// What the lost ledger did is taken over: the ERP's lines stay as they are.
async fn taken_over(mut stage: Stage) -> Vec<Printed> {
    let before = printed(&stage, "C02");
    set_back(&mut stage).await;
    let open = stage.exceptions().await;
    assert!(open.is_empty(), "{open:?}");
    assert_eq!(printed(&stage, "C02"), before);
    tied(&stage).await;
    let quiet = stage.pass().await;
    assert_eq!(quiet.post.calls, 0);
    before
}

#[test]
fn a_line_that_the_restored_ledger_never_had_is_taken_over() {
    for issued in [false, true] {
        play(async {
            let (mut stage, _) = with_work(21, &["1.10", "0.33"]).await;
            stage.with_contract(together(&[]));
            stage.world.back_up().unwrap();
            stage.pass().await;
            if issued {
                issue_all(&stage);
                stage.pass().await;
            }
            taken_over(stage).await;
        });
    }
}

#[test]
fn arrivals_and_edits_on_a_draft_are_taken_over() {
    play(async {
        let (stage, ids) = with_line(false).await;
        stage.world.back_up().unwrap();
        let like = stage.entry(&ids[0]);
        add_named(&stage, &like, "0.60", "one more");
        stage.pass().await;
        add_named(&stage, &like, "0.40", "and one");
        stage.pass().await;
        stage.set_hours(&ids[1], "0.50");
        stage.pass().await;
        taken_over(stage).await;
    });
}

#[test]
fn the_next_line_of_a_group_is_taken_over() {
    play(async {
        let (stage, ids) = with_line(true).await;
        stage.world.back_up().unwrap();
        let like = stage.entry(&ids[0]);
        add_named(&stage, &like, "0.60", "one more");
        stage.pass().await;
        issue_all(&stage);
        stage.pass().await;
        taken_over(stage).await;
    });
}

#[test]
fn a_credit_in_part_is_not_made_twice() {
    for issued in [false, true] {
        play(async {
            let (stage, ids) = with_line(true).await;
            stage.world.back_up().unwrap();
            stage.set_hours(&ids[1], "0.50");
            stage.pass().await;
            if issued {
                issue_all(&stage);
                stage.pass().await;
            }
            let before = taken_over(stage).await;
            assert!(
                before.iter().any(|line| line.amount_minor < 0),
                "{before:?}"
            );
        });
    }
}

/// Two credits in a row come out as one when both changes are there at once: the ledger cannot know
/// which entries each of them was for.
#[test]
fn credits_that_came_out_in_another_way_wait_for_a_person() {
    play(async {
        let (mut stage, ids) = with_line(true).await;
        stage.world.back_up().unwrap();
        stage.set_hours(&ids[1], "0.50");
        stage.pass().await;
        stage.set_hours(&ids[2], "2.50");
        stage.pass().await;
        let before = printed(&stage, "C02");
        let credits = before.iter().filter(|line| line.amount_minor < 0);
        assert_eq!(credits.count(), 2, "{before:?}");
        set_back(&mut stage).await;
        assert_eq!(printed(&stage, "C02"), before);
        let open = stage.exceptions().await;
        assert!(!open.is_empty());
        for exception in &open {
            println!(
                "{} {} {}",
                exception.code, exception.source_ref, exception.facts
            );
        }
        stage.reconcile().await;
    });
}

//! Contracts whose quantities are worked out with the rest of the document: what rounding leaves is
//! carried to the next entry, or the increment looks at the whole line.

use crate::shared::{Printed, add_named, issue_all, printed, settled, with_work};
use crate::stage::{Stage, play};
use counterfoil_testkit::rng::Dice;
use domain::contract::Contract;
use domain::contract::quantity::{IncrementScope, Residual};
use twins::tracker::TrackerAct;

fn carried(contract: &mut Contract) {
    contract.increment = None;
    contract.residual = Residual::Carry;
    contract.quantity_decimals = 1;
}

/// The minutes of an entry: hours of two digits stand for the nearest.
fn minutes(stage: &Stage, id: &str) -> i64 {
    let hours: domain::decimal::Micro = stage.entry(id).hours.parse().unwrap();
    (hours.micro() / 10_000 * 60 + 50) / 100
}

/// What is printed of the person whose rate is 251.2345, in tenths of an hour.
fn printed_of(stage: &Stage) -> i64 {
    let lines = printed(stage, "C02");
    let own = lines
        .iter()
        .filter(|line| line.to_string().contains(" x 251.2345"));
    own.map(|line| Printed::quantity_micro(line) / 100_000)
        .sum()
}

/// The tenths of an hour that the 6 h of the stage and these are together, rounded once.
fn worked(stage: &Stage, ids: &[String]) -> i64 {
    let minutes: i64 = 360 + ids.iter().map(|id| minutes(stage, id)).sum::<i64>();
    (minutes + 3) / 6
}

#[test]
fn what_is_printed_is_the_rounded_sum() {
    play(async {
        let (mut stage, mut ids) = with_work(21, &["0.33", "0.35", "1.12"]).await;
        stage.with_contract(carried);
        stage.pass().await;
        assert_eq!(printed_of(&stage), worked(&stage, &ids));
        settled(&stage).await;
        // Another day, another pass: nothing of the first is read but what it needs.
        let like = stage.entry(&ids[0]);
        for hours in ["0.27", "0.44"] {
            ids.push(add_named(&stage, &like, hours, &format!("late {hours}")));
            stage.pass().await;
            assert_eq!(printed_of(&stage), worked(&stage, &ids));
            settled(&stage).await;
        }
        // Where an explanation is written anew, it says all of it.
        let story = pipeline::explain::explain(&stage.env, ids[0].clone())
            .await
            .unwrap();
        let text = format!("{story:?}");
        for rule in ["bill rate", "printed quantity", "amount"] {
            assert!(text.contains(rule), "{rule}: {text}");
        }
        let gone = ids.remove(1);
        stage.tracker_act(&TrackerAct::DeleteEntry { id: gone });
        stage.pass().await;
        assert_eq!(printed_of(&stage), worked(&stage, &ids));
        settled(&stage).await;
    });
}

/// Work of several days of one rate, in any order of edits: the sum of a month's document is rounded
/// once. What is issued stays; what it leaves is taken by what is not.
#[test]
fn any_walk_prints_the_rounded_sum() {
    for seed in 1..=8 {
        play(async {
            let mut dice = Dice::new(seed);
            let (mut stage, mut ids) = with_work(21, &["0.33", "0.35", "1.12"]).await;
            stage.with_contract(carried);
            let mut story = Vec::new();
            for step in 0..8_u64 {
                let id = dice.one_of(&ids).unwrap().clone();
                let hours = format!("{}.{:02}", step % 3, (step * 37 + seed * 13) % 97 + 2);
                match dice.below(6) {
                    0..=2 => {
                        let like = stage.entry(&id);
                        let date = format!("{}-{:02}", &like.date[..7], dice.between(12, 15));
                        let id = add_named(&stage, &like, &hours, &format!("more {step}"));
                        stage.tracker_act(&TrackerAct::EditEntry {
                            id: id.clone(),
                            hours: None,
                            date: Some(date),
                            narrative: None,
                            project_id: None,
                            task_id: None,
                            billable: None,
                        });
                        story.push(format!("add {id} {hours}"));
                        ids.push(id);
                    }
                    3 => {
                        stage.set_hours(&id, &hours);
                        story.push(format!("edit {id} {hours}"));
                    }
                    4 if ids.len() > 2 => {
                        ids.retain(|own| *own != id);
                        story.push(format!("delete {id}"));
                        stage.tracker_act(&TrackerAct::DeleteEntry { id });
                    }
                    _ => {
                        issue_all(&stage);
                        story.push("issue".to_owned());
                    }
                }
                for _ in 0..3 {
                    stage.pass().await;
                }
            }
            // One more takes what waited.
            let like = stage.entry(&ids[0]);
            ids.push(add_named(&stage, &like, "1.01", "the last"));
            for _ in 0..3 {
                stage.pass().await;
            }
            let open = stage.exceptions().await;
            assert!(open.is_empty(), "{open:?}");
            let (printed, worked) = (printed_of(&stage), worked(&stage, &ids));
            assert_eq!(printed, worked, "seed {seed}: {story:?}");
            settled(&stage).await;
        });
    }
}

/// An hour begun is an hour, of the whole line and not of each entry.
#[test]
fn an_increment_over_the_line_rounds_the_line() {
    play(async {
        let (mut stage, mut ids) = with_work(21, &["0.33", "0.35", "1.12"]).await;
        stage.with_contract(|contract| {
            contract.increment =
                serde_json::from_str("{\"step_minutes\": 60, \"rounding\": \"up\"}").ok();
            contract.increment_scope = IncrementScope::Line;
        });
        stage.pass().await;
        // The line has others of other rates: hours of all of them are rounded up together.
        let all = |stage: &Stage| -> i64 {
            printed(stage, "C02")
                .iter()
                .map(Printed::quantity_micro)
                .sum()
        };
        let first = all(&stage);
        assert_eq!(first % 1_000_000, 0, "{first}");
        settled(&stage).await;
        let like = stage.entry(&ids[0]);
        ids.push(add_named(&stage, &like, "0.90", "nearly an hour"));
        for _ in 0..2 {
            stage.pass().await;
        }
        let second = all(&stage);
        assert_eq!(second % 1_000_000, 0, "{second}");
        assert!(
            (0..=1_000_000).contains(&(second - first)),
            "{first} {second}"
        );
        settled(&stage).await;
        stage.tracker_act(&TrackerAct::DeleteEntry { id: ids[2].clone() });
        for _ in 0..2 {
            stage.pass().await;
        }
        assert_eq!(all(&stage) % 1_000_000, 0);
        settled(&stage).await;
    });
}

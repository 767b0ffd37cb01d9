//! Contracts that bill differences: what a pass puts on the next document when work changes that a
//! client was invoiced.

use crate::shared::{Printed, add_named, issue_all, printed, settled, sum, with_work};
use crate::stage::{Stage, play, walks};
use counterfoil_testkit::crashes::{Death, Deaths};
use counterfoil_testkit::rng::Dice;
use domain::contract::Contract;
use domain::contract::corrections::IssuedCorrection;
use domain::decimal::Micro;
use pipeline::crash::CrashPoint;
use pipeline::exceptions::Choice;
use pipeline::preview::preview;
use pipeline::reconcile::Class;
use pipeline::sync::{SyncOptions, sync};
use std::sync::Arc;
use twins::erp::ErpAct;
use twins::tracker::TrackerAct;

const RATE: &str = "251.2345";

fn by_difference(contract: &mut Contract) {
    contract.increment = None;
    contract.corrections = IssuedCorrection::Delta;
}

/// Bill the rate of `with_work`'s people at another.
fn set_rate(stage: &mut Stage, from: &str, to: &str) {
    let mut settings = (*stage.env.settings).clone();
    let old: Micro = from.parse().unwrap();
    let mut changed = 0;
    for row in settings.bill_rates.iter_mut().filter(|row| row.rate == old) {
        row.rate = to.parse().unwrap();
        changed += 1;
    }
    assert!(changed > 0);
    stage.env.settings = Arc::new(settings);
}

/// The lines of one person's work that `before` had not.
fn fresh(stage: &Stage, before: &[Printed]) -> Vec<String> {
    let mut before = before.to_vec();
    let all = printed(stage, "C02");
    let new = all.into_iter().filter(|line| {
        let known = before.iter().position(|known| known == line);
        known.map(|at| before.remove(at)).is_none()
    });
    new.map(|line| line.to_string()).collect()
}

async fn invoiced(hours: &str) -> (Stage, String) {
    let (mut stage, ids) = with_work(21, &[hours]).await;
    stage.with_contract(by_difference);
    stage.pass().await;
    issue_all(&stage);
    stage.pass().await;
    assert_eq!(stage.shown(&ids[0]).0, "invoiced");
    (stage, ids[0].clone())
}

#[test]
fn hours_more_are_a_further_line_and_hours_less_a_credit_in_part() {
    play(async {
        let (stage, id) = invoiced("4.00").await;
        let before = printed(&stage, "C02");
        stage.set_hours(&id, "7.00");
        stage.pass().await;
        let lines = fresh(&stage, &before);
        assert_eq!(lines.len(), 1, "{lines:?}");
        assert!(lines[0].starts_with("3 x 251.2345 = 753.70: "), "{lines:?}");
        assert!(lines[0].contains("(difference to "), "{lines:?}");
        assert!(
            lines[0].ends_with(": now 7 x 251.2345 = USD 1758.64)"),
            "{lines:?}"
        );
        assert_eq!(stage.shown(&id).0, "posted");
        settled(&stage).await;

        // On its draft the difference follows, and is gone with what made it.
        stage.set_hours(&id, "8.00");
        stage.pass().await;
        let lines = fresh(&stage, &before);
        assert_eq!(lines.len(), 1, "{lines:?}");
        assert!(lines[0].starts_with("4 x 251.2345"), "{lines:?}");
        settled(&stage).await;
        stage.set_hours(&id, "4.00");
        stage.pass().await;
        assert_eq!(fresh(&stage, &before), Vec::<String>::new());
        settled(&stage).await;
        assert_eq!(stage.shown(&id).0, "invoiced");

        // Less: a credit of what is too much.
        stage.set_hours(&id, "2.00");
        stage.pass().await;
        let lines = fresh(&stage, &before);
        assert_eq!(lines.len(), 1, "{lines:?}");
        assert!(lines[0].starts_with("-2 x 251.2345 = -502.47"), "{lines:?}");
        settled(&stage).await;
        assert_eq!(stage.shown(&id).0, "invoiced");
    });
}

#[test]
fn a_rate_is_corrected_by_what_it_differs_and_hours_count_once() {
    play(async {
        let (mut stage, id) = invoiced("4.00").await;
        let before = printed(&stage, "C02");
        for (from, to, says) in [
            (RATE, "261.2345", "4 x 10 = 40.00"),
            ("261.2345", "256.2345", "-4 x 5 = -20.00"),
        ] {
            let there = printed(&stage, "C02");
            set_rate(&mut stage, from, to);
            stage.pass().await;
            stage.replay(Choice::All).await;
            stage.pass().await;
            let own = |line: &&String| line.starts_with(says);
            let lines = fresh(&stage, &there);
            assert_eq!(lines.iter().filter(own).count(), 1, "{lines:?}");
            settled(&stage).await;
            assert_eq!(stage.class(&id).await, Class::Posted);
            issue_all(&stage);
            stage.pass().await;
            settled(&stage).await;
        }
        // Hours and rate were corrected one after the other; both at once are billed anew, after each
        // line of before is taken back.
        stage.set_hours(&id, "5.00");
        set_rate(&mut stage, "256.2345", "240");
        stage.pass().await;
        stage.replay(Choice::All).await;
        for _ in 0..4 {
            stage.pass().await;
        }
        settled(&stage).await;
        let lines = fresh(&stage, &before);
        let anew = lines.iter().any(|l| l.starts_with("5 x 240 = 1200.00"));
        assert!(anew, "{lines:#?}");
    });
}

#[test]
fn what_is_deleted_is_taken_back_line_by_line() {
    play(async {
        let (stage, id) = invoiced("4.00").await;
        let before = printed(&stage, "C02");
        stage.set_hours(&id, "6.00");
        stage.pass().await;
        issue_all(&stage);
        stage.pass().await;
        stage.set_hours(&id, "7.00");
        stage.pass().await;
        // The last difference is on a draft, the others are not: a person decides.
        stage.tracker_act(&TrackerAct::Unapprove { id: id.clone() });
        stage.pass().await;
        let open = stage.exceptions().await;
        assert!(open.iter().any(|row| row.source_ref == id), "{open:?}");
        stage.replay(Choice::All).await;
        for _ in 0..4 {
            stage.pass().await;
        }
        settled(&stage).await;
        let (micro, minor) = sum(&printed(&stage, "C02"));
        let (micro_before, minor_before) = sum(&before);
        assert_eq!(minor_before - minor, 100_494);
        assert_eq!(micro_before - micro, 4_000_000);
    });
}

/// What a preview says of differences is what then happens.
#[test]
fn a_preview_knows_differences() {
    play(async {
        let prepared = || async {
            let (mut stage, _) = invoiced("4.00").await;
            set_rate(&mut stage, RATE, "263.7");
            stage
        };
        let stage = prepared().await;
        let said = preview(&stage.env, &stage.env, stage.world.today)
            .await
            .unwrap();
        let own = said.documents.iter().filter(|row| row.customer == "C02");
        let (mut lines, mut gone, mut minor) = (0, 0, 0);
        for row in own {
            lines += row.new_lines + row.credited_lines;
            gone += row.deleted_lines;
            minor += row.change_minor;
        }
        let stage = prepared().await;
        let before = printed(&stage, "C02");
        stage.pass().await;
        stage.replay(Choice::All).await;
        for _ in 0..4 {
            stage.pass().await;
        }
        settled(&stage).await;
        let after = printed(&stage, "C02");
        assert_eq!(
            sum(&after).1 - sum(&before).1,
            minor,
            "{:?}",
            said.documents
        );
        let count = |lines: &[_]| u64::try_from(lines.len()).unwrap();
        assert_eq!(count(&after) + gone, count(&before) + lines);
    });
}

/// People edit, delete, correct rates and issue, processes die: in the end ledger and ERP agree to the
/// cent and to the hour.
async fn walk(seed: u64) {
    let mut dice = Dice::new(seed);
    let (mut stage, mut ids) = with_work(21, &["4.00", "1.10", "2.35"]).await;
    stage.with_contract(by_difference);
    let rates = [RATE, "261.2345", "240", "251.7345"];
    let mut rate = RATE;
    let mut story: Vec<String> = Vec::new();
    let mut hours = 100_u64;
    for _ in 0..8 {
        for _ in 0..dice.between(1, 2) {
            let id = dice.one_of(&ids).unwrap().clone();
            hours += 37;
            let text = format!("{}.{:02}", hours / 100 % 9 + 1, hours % 100);
            match dice.below(10) {
                0..=3 => {
                    story.push(format!("edit {id} {text}"));
                    stage.set_hours(&id, &text);
                }
                4 => {
                    let like = stage.entry(&id);
                    story.push(format!("add {text}"));
                    ids.push(add_named(&stage, &like, &text, &format!("new {hours}")));
                }
                5 if ids.len() > 2 => {
                    story.push(format!("delete {id}"));
                    ids.retain(|own| *own != id);
                    stage.tracker_act(&TrackerAct::DeleteEntry { id });
                }
                6 => {
                    let to = *dice.one_of(&rates).unwrap();
                    if to != rate {
                        story.push(format!("rate {to}"));
                        set_rate(&mut stage, rate, to);
                        rate = to;
                    }
                }
                7 => {
                    let policy = *dice
                        .one_of(&[IssuedCorrection::Delta, IssuedCorrection::CreditAndRebill])
                        .unwrap();
                    story.push(format!("{policy:?}"));
                    stage.with_contract(|contract| contract.corrections = policy);
                }
                _ => {
                    story.push("issue".to_owned());
                    stage.erp_act(&ErpAct::IssueAll);
                }
            }
        }
        let settings = Arc::clone(&stage.env.settings);
        if dice.percent(60) {
            let point = *dice.one_of(CrashPoint::ALL).unwrap();
            let nth = dice.between(1, 6);
            story.push(format!("die at {} {nth}", point.name()));
            stage.env.crashes = Arc::new(Deaths::new(vec![Death { point, nth }]));
        }
        stage.world.clock.pass_ms(900_000);
        let today = stage.world.today;
        let _ = sync(&stage.env, today, SyncOptions::default()).await;
        let mut env = stage.world.session().unwrap();
        env.settings = settings;
        stage.env = env;
        if dice.percent(50) {
            stage.replay(Choice::All).await;
        }
    }
    println!("seed {seed}: {}", story.join(", "));
    for _ in 0..4 {
        stage.pass().await;
        stage.replay(Choice::All).await;
    }
    for _ in 0..6 {
        stage.pass().await;
    }
    settled(&stage).await;
}

/// One walk: `DIFFERENCES_SEED=17`; more of them: `DIFFERENCES_WALKS=500`.
#[test]
fn any_walk_of_people_and_deaths_bills_what_is_worked() {
    for seed in walks("DIFFERENCES", 12) {
        play(walk(seed));
    }
}

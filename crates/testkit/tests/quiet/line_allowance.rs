//! A limit that takes what is above it off the line: the line has its whole quantity, a second one is
//! less than nothing.

use crate::fixed::service_item;
use crate::shared::{Printed, issue_all, printed, sum, tied, with_work};
use crate::stage::{Stage, play};
use domain::contract::Contract;
use twins::tracker::TrackerAct;

fn capped(item: String, amount: &str) -> impl FnOnce(&mut Contract) {
    let text =
        format!("[{{\"id\": \"NTE\", \"amount\": \"{amount}\", \"policy\": \"bill_to_cap\"}}]");
    move |contract| {
        contract.increment = None;
        contract.fixed_service_item = Some(item);
        contract.limit = serde_json::from_str(&text).unwrap();
    }
}

fn off(stage: &Stage) -> Vec<String> {
    let lines = printed(stage, "C02");
    let own = lines.iter().map(Printed::to_string);
    own.filter(|line| line.contains("Limit reached")).collect()
}

async fn settled(stage: &Stage, billed_minor: i64) {
    let quiet = stage.pass().await;
    assert_eq!((quiet.post.calls, quiet.intake.revisions), (0, 0));
    let open = stage.exceptions().await;
    assert!(open.is_empty(), "{open:?}");
    tied(stage).await;
    assert_eq!(sum(&printed(stage, "C02")).1, billed_minor);
}

#[test]
fn what_is_above_the_cap_is_a_line_of_its_own() {
    play(async {
        let (free, _) = with_work(21, &["4.00", "2.35"]).await;
        free.pass().await;
        let all = sum(&printed(&free, "C02")).1;
        let (mut stage, ids) = with_work(21, &["4.00", "2.35"]).await;
        // The cap leaves 490.40 of the work unbilled, all of it of the last entry.
        let item = service_item(&stage);
        let cap = all - 49_040;
        let amount = format!("{}.{:02}", cap / 100, cap % 100);
        stage.with_contract(capped(item, &amount));
        stage.pass().await;
        let lines = off(&stage);
        assert_eq!(lines.len(), 1, "{lines:?}");
        assert!(
            lines[0].starts_with("-1 x 490.4 = -490.40: Limit reached: "),
            "{lines:?}"
        );
        settled(&stage, cap).await;

        // What was granted first stays granted: room that an edit leaves is for whoever comes next.
        stage.set_hours(&ids[0], "3.00");
        stage.pass().await;
        assert_eq!(off(&stage), lines);
        settled(&stage, cap - 25_124).await;

        // Invoiced, and then deleted: both lines are credited.
        issue_all(&stage);
        stage.pass().await;
        let id = stage.world.tracker.with(|state| {
            let mut entries = state.machine.entries.iter();
            let own = entries.find(|(_, entry)| {
                lines[0].ends_with(&entry.narrative) && lines[0].contains(&entry.date)
            });
            own.map(|(id, _)| id.to_string()).unwrap()
        });
        stage.tracker_act(&TrackerAct::DeleteEntry { id });
        for _ in 0..3 {
            stage.pass().await;
        }
        let signs: Vec<bool> = off(&stage)
            .iter()
            .map(|line| line.starts_with('-'))
            .collect();
        assert_eq!(
            signs.iter().filter(|minus| **minus).count() * 2,
            signs.len()
        );
        let left = sum(&printed(&stage, "C02")).1;
        assert!(left < cap - 25_124);
        settled(&stage, left).await;
    });
}

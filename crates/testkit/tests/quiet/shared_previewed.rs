//! A rate that changes back in time over lines that entries share: what the preview says of documents
//! is what the change then does.

use crate::shared::{add_named, issue_all, printed, sum, tied, together, with_work};
use crate::stage::{Stage, play};
use pipeline::exceptions::Choice;
use pipeline::preview::{ByDocument, Preview, preview};
use std::sync::Arc;

/// Entries of one rate on an issued line and on a draft one.
async fn prepared() -> Stage {
    let (mut stage, ids) = with_work(21, &["1.10", "0.33", "2.35", "0.57"]).await;
    stage.with_contract(together(&[]));
    stage.pass().await;
    issue_all(&stage);
    stage.pass().await;
    let like = stage.entry(&ids[0]);
    add_named(&stage, &like, "0.60", "one more");
    add_named(&stage, &like, "1.25", "and one");
    stage.pass().await;
    stage
}

fn raise(stage: &mut Stage) {
    let mut settings = (*stage.env.settings).clone();
    let old = "251.2345".parse().unwrap();
    let own = settings.bill_rates.iter_mut().filter(|row| row.rate == old);
    let mut raised = 0;
    for row in own {
        row.rate = "263.7".parse().unwrap();
        raised += 1;
    }
    assert!(raised > 0);
    stage.env.settings = Arc::new(settings);
}

async fn seen() -> Preview {
    let mut stage = prepared().await;
    raise(&mut stage);
    // No account of this firm has figures that could change: one session does for both.
    let today = stage.world.today;
    preview(&stage.env, &stage.env, today).await.unwrap()
}

#[test]
fn what_a_preview_says_of_shared_lines_then_happens() {
    play(async {
        let said = seen().await;
        let of_customer = |row: &&ByDocument| row.customer == "C02";
        let own: Vec<&ByDocument> = said.documents.iter().filter(of_customer).collect();
        let lines: u64 = own
            .iter()
            .map(|row| row.new_lines + row.credited_lines)
            .sum();
        let gone: u64 = own.iter().map(|row| row.deleted_lines).sum();
        let change_minor: i64 = own.iter().map(|row| row.change_minor).sum();
        assert!(change_minor > 0 && lines > 0, "{own:?}");

        let mut stage = prepared().await;
        let before = printed(&stage, "C02");
        raise(&mut stage);
        stage.pass().await;
        assert_eq!(printed(&stage, "C02"), before);
        stage.replay(Choice::All).await;
        for _ in 0..3 {
            stage.pass().await;
        }
        tied(&stage).await;
        let after = printed(&stage, "C02");
        assert_eq!(
            sum(&after).1 - sum(&before).1,
            change_minor,
            "{own:?} {after:#?}"
        );
        let count = |lines: &[_]| u64::try_from(lines.len()).unwrap();
        assert_eq!(
            count(&after) + gone,
            count(&before) + lines,
            "{own:?} {after:#?}"
        );
    });
}

//! Contracts that print days, months or minutes: what a pass puts on documents, and how the work of a
//! day or a month follows when a piece of it changes.

use crate::shared::{Printed, issue_all, printed, settled, with_work};
use crate::stage::{Stage, play};
use domain::contract::Contract;
use domain::quantity::Unit;
use twins::tracker::TrackerAct;

/// A stage with work of one person and day, priced at 251.2345 for a unit.
async fn counted(
    unit: Unit,
    hours: &[&str],
    more: impl FnOnce(&mut Contract),
) -> (Stage, Vec<String>) {
    let (mut stage, ids) = with_work(21, hours).await;
    stage.with_contract(|contract| {
        contract.increment = None;
        contract.unit = unit;
        more(contract);
    });
    stage.pass().await;
    (stage, ids)
}

/// Quantity and amount of the lines of some entries, by what people wrote.
fn of(stage: &Stage, words: &str) -> Vec<String> {
    let lines = printed(stage, "C02");
    let own = lines
        .iter()
        .filter(|line| line.to_string().ends_with(words));
    own.map(|line| {
        let text = line.to_string();
        text.split(':').next().unwrap_or_default().to_owned()
    })
    .collect()
}

/// A day of 8 h in quarters, at most one: the person's entries of the day share it in their order.
#[test]
fn a_day_is_shared_by_the_entries_of_the_day() {
    play(async {
        let (stage, ids) = counted(Unit::WorkingDay, &["3.00", "2.00", "2.50"], |_| {}).await;
        // The stage has 6 h of that person on that day already, 0.75 of a day; 9 h are a day and an
        // eighth, held to one.
        assert_eq!(
            of(&stage, "work of 3.00 hours"),
            ["0.25 x 251.2345 = 62.81"]
        );
        assert_eq!(of(&stage, "work of 2.00 hours"), Vec::<String>::new());
        settled(&stage).await;

        // An entry that is gone leaves its share to the next.
        stage.tracker_act(&TrackerAct::DeleteEntry { id: ids[0].clone() });
        stage.pass().await;
        stage.pass().await;
        assert_eq!(
            of(&stage, "work of 2.00 hours"),
            ["0.25 x 251.2345 = 62.81"]
        );
        settled(&stage).await;

        // And what was invoiced is credited when an edit moves a share.
        issue_all(&stage);
        stage.pass().await;
        stage.set_hours(&ids[1], "0.40");
        for _ in 0..3 {
            stage.pass().await;
        }
        settled(&stage).await;
        assert_eq!(
            of(&stage, "work of 2.50 hours"),
            ["0.25 x 251.2345 = 62.81"]
        );
    });
}

#[test]
fn minutes_and_months_are_printed_in_their_unit() {
    play(async {
        let (stage, _) = counted(Unit::Minute, &["1.25"], |_| {}).await;
        assert_eq!(
            of(&stage, "work of 1.25 hours"),
            ["75 x 251.2345 = 18842.59"]
        );
        settled(&stage).await;
        let unit = stage.world.erp.with(|state| {
            let mut lines = state.machine.lines.values();
            let own = lines.find(|line| line.description.ends_with("work of 1.25 hours"));
            own.map(|line| line.unit)
        });
        assert_eq!(unit, Some(Unit::Minute));

        // August 2026 has 21 working days: the work of any day is a 21st of a month, of a second entry of
        // the day nothing; by the running sum that is 0.05 or 0.04.
        let (stage, ids) = counted(Unit::Month, &["8.00"], |_| {}).await;
        let lines = printed(&stage, "C02");
        let hundredths: i64 = lines.iter().map(Printed::quantity_micro).sum();
        assert!(lines.iter().all(|line| {
            let micro = line.quantity_micro();
            micro == 40_000 || micro == 50_000
        }));
        assert!(hundredths > 0, "{lines:#?}");
        settled(&stage).await;
        stage.set_hours(&ids[0], "4.00");
        stage.pass().await;
        settled(&stage).await;
    });
}

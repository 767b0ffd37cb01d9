//! A ledger that was restored and went on in another way than the one that was lost, with an entry in
//! parts: their lines have other numbers than the restored ledger would give them.

use crate::parted::{Beside, DRAWN, PREMIUM, Parted};
use crate::stage::{Stage, play};
use domain::ids::ItemId;
use pipeline::exceptions::{Choice, Exception};
use twins::erp::{ErpAct, Uniqueness};

const BOTH: [Uniqueness; 2] = [Uniqueness::LookUp, Uniqueness::UniqueKey];

/// Back to the backup, and a new process.
fn restore(parted: &mut Parted) {
    assert!(parted.stage.world.restore().unwrap());
    parted.stage.env = parted.stage.world.session().unwrap();
}

async fn passes(parted: &Parted) {
    for _ in 0..3 {
        parted.stage.pass().await;
    }
}

/// What the queue says of the entry.
async fn own(parted: &Parted) -> Vec<Exception> {
    let mut listed = parted.stage.exceptions().await;
    listed.retain(|one| one.id == parted.name());
    listed
}

async fn replay(parted: &Parted) -> (u64, u64) {
    let id: ItemId = parted.name().parse().unwrap();
    let result = parted.stage.replay(Choice::Items(vec![id])).await;
    (result.solved, result.still_open)
}

/// The lost ledger changed its mind before it sent: its lines have later numbers.
async fn sent_with_later_numbers(uniqueness: Uniqueness) -> (Parted, usize) {
    let mut parted = Parted::new(Stage::new(34, uniqueness), true).await;
    parted.stage.world.back_up().unwrap();
    parted.book(&[(PREMIUM, 1_800, 2)]).await;
    parted.book(&[(PREMIUM, 3_600, 2)]).await;
    passes(&parted).await;
    parted.holds(&[(PREMIUM, 3_600, 2)]).await;
    let lines = parted.stage.lines();
    restore(&mut parted);
    (parted, lines)
}

#[test]
fn a_part_that_stands_under_a_later_number_is_taken_over() {
    for uniqueness in BOTH {
        play(async {
            let (parted, lines) = sent_with_later_numbers(uniqueness).await;
            parted.book(&[(PREMIUM, 3_600, 2)]).await;
            passes(&parted).await;
            assert_eq!(parted.stage.lines(), lines);
            let left = own(&parted).await;
            assert!(left.is_empty(), "{left:?}");
            parted.holds(&[(PREMIUM, 3_600, 2)]).await;
            assert_eq!(parted.stage.pass().await.post.calls, 0);
        });
    }
}

#[test]
fn no_part_is_billed_beside_a_line_that_is_not_what_is_wanted() {
    for uniqueness in BOTH {
        play(async {
            let (parted, lines) = sent_with_later_numbers(uniqueness).await;
            // The whole has the hours that it had; only the price of the other part is another.
            parted.book(&[(PREMIUM, 3_600, 3)]).await;
            passes(&parted).await;
            assert_eq!(parted.stage.lines(), lines);
            let named = own(&parted).await;
            assert!(
                named.len() == 1 && named[0].code == "LINE_NOT_IN_LEDGER",
                "{named:?}"
            );
            let (status, code) = parted.stage.shown(&parted.id);
            assert_eq!(
                (status.as_str(), code.as_str()),
                ("exception", "LINE_NOT_IN_LEDGER")
            );

            // Asked again with nothing mended, it stays; once the work is as it stands, it is ours.
            assert_eq!(replay(&parted).await, (0, 1));
            passes(&parted).await;
            assert_eq!(parted.stage.lines(), lines);
            parted.book(&[(PREMIUM, 3_600, 2)]).await;
            assert_eq!(replay(&parted).await, (1, 0));
            passes(&parted).await;
            assert_eq!(parted.stage.lines(), lines);
            parted.holds(&[(PREMIUM, 3_600, 2)]).await;
        });
    }
}

#[test]
fn a_part_that_was_credited_and_billed_anew_is_not_credited_twice() {
    const THEN: &[Beside] = &[(PREMIUM, 3_600, 2), (DRAWN, 1_800, 1)];
    const BETWEEN: &[Beside] = &[(PREMIUM, 1_800, 4), (DRAWN, 3_600, 1)];
    const NOW: &[Beside] = &[(PREMIUM, 1_800, 3), (DRAWN, 900, 1)];
    for uniqueness in BOTH {
        play(async {
            let mut parted = Parted::new(Stage::new(35, uniqueness), true).await;
            parted.book(THEN).await;
            passes(&parted).await;
            parted.stage.erp_act(&ErpAct::IssueAll);
            passes(&parted).await;
            parted.stage.world.back_up().unwrap();
            // The lost ledger went by a way that the restored one never hears of.
            for beside in [BETWEEN, NOW] {
                parted.book(beside).await;
                passes(&parted).await;
                parted.stage.erp_act(&ErpAct::IssueAll);
                passes(&parted).await;
            }
            parted.holds(NOW).await;
            let lines = parted.stage.lines();

            restore(&mut parted);
            parted.book(NOW).await;
            passes(&parted).await;
            assert_eq!(parted.stage.lines(), lines);
            let left = own(&parted).await;
            assert!(left.is_empty(), "{left:?}");
            assert_eq!(parted.stage.pass().await.post.calls, 0);
        });
    }
}

#[test]
fn a_part_that_the_restored_ledger_never_had_is_named_and_nothing_is_billed_beside_it() {
    play(async {
        let mut parted = Parted::new(Stage::new(36, Uniqueness::UniqueKey), false).await;
        parted.stage.world.back_up().unwrap();
        let cut = [(PREMIUM, 3_600, 2)];
        parted.book(&cut).await;
        parted.go_on().await;
        passes(&parted).await;
        parted.holds(&cut).await;
        let lines = parted.stage.lines();

        // The entry is one part to the restored ledger, whose line would bill the hour twice.
        restore(&mut parted);
        passes(&parted).await;
        assert_eq!(parted.stage.lines(), lines);
        let named = own(&parted).await;
        let codes: Vec<&str> = named.iter().map(|one| one.code.as_str()).collect();
        assert_eq!(codes, ["LINE_NOT_IN_LEDGER"; 2], "the hour and the rest");

        parted.book(&cut).await;
        replay(&parted).await;
        passes(&parted).await;
        assert_eq!(parted.stage.lines(), lines);
        let left = own(&parted).await;
        assert!(left.is_empty(), "{left:?}");
        parted.holds(&cut).await;
    });
}

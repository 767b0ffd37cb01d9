//! A process that dies at any point while an entry in parts is posted or changed: the next one brings
//! each part there once.

use crate::parted::{Beside, DRAWN, PREMIUM, Parted};
use crate::stage::{Stage, play};
use counterfoil_testkit::crashes::{Death, Deaths};
use pipeline::crash::CrashPoint;
use pipeline::sync::{SyncOptions, sync};
use std::sync::Arc;
use twins::erp::{ErpAct, Uniqueness};

const FIRST: &[Beside] = &[(PREMIUM, 3_600, 2), (DRAWN, 1_800, 1)];
const SECOND: &[Beside] = &[(PREMIUM, 1_800, 3), (DRAWN, 3_600, 1)];

/// Pass until the process dies; false if it never comes by.
async fn dies(parted: &mut Parted, point: CrashPoint, nth: u64) -> bool {
    let stage = &mut parted.stage;
    stage.env.crashes = Arc::new(Deaths::new(vec![Death { point, nth }]));
    stage.world.clock.pass_ms(900_000);
    let died = sync(&stage.env, stage.world.today, SyncOptions::default())
        .await
        .is_err();
    // A new process over the same ledger: what was sending is in doubt.
    stage.env = stage.world.session().unwrap();
    died
}

/// The same; a look-up is due only where an answer was lost before.
async fn dies_somehow(parted: &mut Parted, point: CrashPoint, nth: u64) -> bool {
    match point {
        CrashPoint::LookUpDue | CrashPoint::LookUpReturned | CrashPoint::LookUpWritten => {
            assert!(dies(parted, CrashPoint::CallReturned, 1).await);
            dies(parted, point, nth).await
        }
        _ => dies(parted, point, nth).await,
    }
}

async fn brought_there(parted: &Parted, beside: &[Beside]) {
    for _ in 0..3 {
        parted.stage.pass().await;
    }
    parted.holds(beside).await;
}

fn killed(point: CrashPoint, uniqueness: Uniqueness, issued: bool) -> u32 {
    play(async {
        let mut deaths = 0;
        let mut parted = Parted::new(Stage::new(31, uniqueness), true).await;
        for nth in 1..=2 {
            for beside in [FIRST, SECOND] {
                parted.book(beside).await;
                deaths += u32::from(dies_somehow(&mut parted, point, nth).await);
                brought_there(&parted, beside).await;
                if issued {
                    parted.stage.erp_act(&ErpAct::IssueAll);
                    parted.stage.pass().await;
                }
            }
        }
        deaths
    })
}

fn killed_everywhere(uniqueness: Uniqueness, issued: bool) {
    for point in CrashPoint::ALL {
        let deaths = killed(*point, uniqueness, issued);
        // A snapshot is written only where masters changed, a page only where an entry did.
        let by_entries = matches!(
            point,
            CrashPoint::SnapshotWritten | CrashPoint::PageAdmitted
        );
        assert!(by_entries || deaths > 0, "nobody died at {}", point.name());
    }
}

#[test]
fn at_every_point_each_part_is_on_its_draft_once() {
    killed_everywhere(Uniqueness::UniqueKey, false);
}

#[test]
fn at_every_point_each_issued_part_is_credited_and_billed_once() {
    killed_everywhere(Uniqueness::LookUp, true);
}

#[test]
fn a_restored_ledger_adopts_the_lines_of_each_part() {
    for issued in [false, true] {
        play(async {
            let mut parted = Parted::new(Stage::new(32, Uniqueness::LookUp), true).await;
            parted.book(FIRST).await;
            parted.stage.pass().await;
            if issued {
                parted.stage.erp_act(&ErpAct::IssueAll);
                parted.stage.pass().await;
            }
            parted.stage.world.back_up().unwrap();
            parted.book(SECOND).await;
            brought_there(&parted, SECOND).await;
            let (before, lines) = (parted.in_erp().await, parted.stage.lines());

            assert!(parted.stage.world.restore().unwrap());
            parted.stage.env = parted.stage.world.session().unwrap();
            parted.book(SECOND).await;
            brought_there(&parted, SECOND).await;
            assert_eq!(
                (parted.in_erp().await, parted.stage.lines()),
                (before, lines)
            );
        });
    }
}

#[test]
fn a_part_edited_while_its_answer_is_out_is_changed_once_it_is_known() {
    play(async {
        let mut parted = Parted::new(Stage::new(33, Uniqueness::UniqueKey), false).await;
        parted.book(&[(PREMIUM, 3_600, 2)]).await;
        parted.go_on().await;
        // Many calls are made; one of them has both parts in it.
        let mut calls = 0;
        while parted.in_erp().await.len() < 2 {
            calls += 1;
            assert!(dies(&mut parted, CrashPoint::CallReturned, 1).await);
            assert!(calls < 20);
        }
        parted.book(&[(PREMIUM, 3_600, 3)]).await;
        brought_there(&parted, &[(PREMIUM, 3_600, 3)]).await;
    });
}

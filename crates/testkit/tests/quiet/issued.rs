//! A draft that a person issues after lines for it were planned: the lines go to the next document,
//! and nobody is asked.

use crate::stage::{Stage, play};
use connector_sdk::clock::Clock;
use counterfoil_testkit::acts::{Kind, perform};
use counterfoil_testkit::clock::SimClock;
use pipeline::crash::{CrashPoint, Crashed, Crashes};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use twins::erp::{Erp, ErpAct, Uniqueness};
use twins::frame::Machine as _;
use twins::transport::Twin;

/// Somebody who issues all drafts at one moment of a pass.
struct Issuer {
    erp: Arc<Twin<Erp>>,
    clock: Arc<SimClock>,
    at: CrashPoint,
    done: AtomicBool,
}

impl Crashes for Issuer {
    fn pass(&self, point: CrashPoint) -> Result<(), Crashed> {
        if point == self.at && !self.done.swap(true, Ordering::SeqCst) {
            let now_us = self.clock.now_us();
            let issue = |state: &mut twins::frame::State<Erp>| {
                state.machine.act(&ErpAct::IssueAll, now_us).unwrap();
            };
            self.erp.with(issue);
        }
        Ok(())
    }
}

fn issued_at(at: CrashPoint, uniqueness: Uniqueness) {
    play(async {
        let mut stage = Stage::new(13, uniqueness);
        stage.pass().await;
        let documents = |stage: &Stage| stage.world.erp.with(|s| s.machine.documents.len());
        let (before, lines) = (documents(&stage), stage.lines());
        for pick in 0..12 {
            perform(&stage.world, Kind::Add, pick);
        }
        stage.env.crashes = Arc::new(Issuer {
            erp: stage.world.erp.clone(),
            clock: stage.world.clock.clone(),
            at,
            done: AtomicBool::new(false),
        });
        let result = stage.pass().await;
        assert_eq!(
            (result.post.rejected, result.post.left),
            (0, 0),
            "{result:?}"
        );
        assert!(stage.lines() > lines, "{at:?}");
        assert!(documents(&stage) > before, "{at:?}");
        stage.pass().await;
        let refused = stage.exceptions().await;
        let refused: Vec<_> = refused
            .iter()
            .filter(|e| e.code == "DOCUMENT_CLOSED")
            .collect();
        assert!(refused.is_empty(), "{refused:?}");
        stage.judged().await;
        stage.reconcile().await;
    });
}

#[test]
fn lines_planned_for_an_issued_draft_open_the_next_document() {
    for uniqueness in [Uniqueness::UniqueKey, Uniqueness::LookUp] {
        for at in [
            CrashPoint::PageAdmitted,
            CrashPoint::BatchChosen,
            CrashPoint::IntentWritten,
        ] {
            issued_at(at, uniqueness);
        }
    }
}

//! A draft that a person issues after lines for it were planned: the lines go to the next document,
//! and nobody is asked.

use crate::stage::{Stage, play};
use connector_sdk::async_trait;
use connector_sdk::call::CallError;
use connector_sdk::check::CheckLine;
use connector_sdk::clock::Clock;
use connector_sdk::manifest::Manifest;
use connector_sdk::target::{
    Call, DocumentReport, FoundLine, LineOutcome, PostBatch, Shape, Target,
};
use counterfoil_testkit::acts::{Kind, perform};
use counterfoil_testkit::clock::SimClock;
use domain::masters::Masters;
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

/// An ERP that refuses line by line, as Tryton's connector does, where the inner one refuses a call.
struct LineByLine(Arc<dyn Target>);

#[async_trait]
impl Target for LineByLine {
    fn manifest(&self) -> &Manifest {
        self.0.manifest()
    }

    async fn check(&self) -> Vec<CheckLine> {
        self.0.check().await
    }

    async fn identity(&self) -> Result<String, CallError> {
        self.0.identity().await
    }

    async fn masters(&self) -> Result<Masters, CallError> {
        self.0.masters().await
    }

    async fn post(&self, call: &Call, batch: &PostBatch) -> Result<Vec<LineOutcome>, CallError> {
        match self.0.post(call, batch).await {
            Err(CallError::Refused { problem }) => Ok(batch
                .lines
                .iter()
                .map(|_| LineOutcome::Refused(problem.clone()))
                .collect()),
            other => other,
        }
    }

    async fn look_up(&self, shape: Shape, keys: &[String]) -> Result<Vec<FoundLine>, CallError> {
        self.0.look_up(shape, keys).await
    }

    async fn look_up_document(
        &self,
        shape: Shape,
        key: &str,
    ) -> Result<Option<DocumentReport>, CallError> {
        self.0.look_up_document(shape, key).await
    }

    async fn document_states(
        &self,
        shape: Shape,
        refs: &[String],
    ) -> Result<Vec<DocumentReport>, CallError> {
        self.0.document_states(shape, refs).await
    }
}

fn issued_at(at: CrashPoint, uniqueness: Uniqueness, line_by_line: bool) {
    play(async {
        let mut stage = Stage::new(13, uniqueness);
        if line_by_line {
            stage.env.target = Arc::new(LineByLine(stage.env.target.clone()));
        }
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
    for (at, uniqueness) in [
        (CrashPoint::PageAdmitted, Uniqueness::UniqueKey),
        (CrashPoint::BatchChosen, Uniqueness::LookUp),
        (CrashPoint::IntentWritten, Uniqueness::UniqueKey),
    ] {
        issued_at(at, uniqueness, false);
    }
}

#[test]
fn so_do_lines_that_the_erp_refuses_one_by_one() {
    for at in [CrashPoint::BatchChosen, CrashPoint::IntentWritten] {
        issued_at(at, Uniqueness::UniqueKey, true);
    }
}

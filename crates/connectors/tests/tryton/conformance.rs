//! The laws of targets, on the running Tryton.

use crate::batch;
use crate::lab::{Kind, Lab, call};
use connector_sdk::conformance::target::{Interceptor, TargetHarness, check_target};
use connector_sdk::target::{Call, DocumentHead, PostLine, Shape, Target};
use connector_sdk::transport::Transport;
use std::sync::Arc;

struct Bench {
    lab: Lab,
    interceptor: Arc<Interceptor>,
}

impl TargetHarness for Bench {
    fn target(&self) -> Arc<dyn Target> {
        let interceptor = Arc::clone(&self.interceptor);
        let transport: Arc<dyn Transport> = interceptor;
        Arc::new(self.lab.target_with(self.lab.config.clone(), transport))
    }

    fn interceptor(&self) -> &Arc<Interceptor> {
        &self.interceptor
    }

    fn debug(&self) -> String {
        format!("{:?} {:?}", self.lab.target(), self.lab.config)
    }

    fn secrets(&self) -> Vec<String> {
        vec![self.lab.password().to_owned(), "Session ".to_owned()]
    }

    fn shapes(&self) -> Vec<Shape> {
        Shape::ALL.to_vec()
    }

    fn call(&self) -> Call {
        call()
    }

    fn head(&self, shape: Shape) -> DocumentHead {
        let mut head = batch::head(&self.lab, "C-ACME");
        head.shape = shape;
        head
    }

    fn line(&self, head: &DocumentHead) -> PostLine {
        batch::line(&self.lab, head, "CONS", "1.33", "187.1234")
    }

    fn refused_line(&self, head: &DocumentHead) -> Option<PostLine> {
        let mut line = self.line(head);
        if head.shape == Shape::DraftLine {
            line.service_item_ref = self.lab.id(&["products", "NOACC", "id"]);
        } else {
            let path = [
                "projects",
                "P-BORE-TM",
                "tasks",
                "T-BORE-PHASE1",
                "timesheet_work",
            ];
            line.task_ref = Some(self.lab.id(&path));
        }
        Some(line)
    }
}

async fn keeps_the_laws(kind: Kind) {
    let Some(lab) = Lab::open(kind) else { return };
    let interceptor = Interceptor::new(Arc::clone(&lab.transport));
    let violations = check_target(Arc::new(Bench { lab, interceptor })).await;
    // Without the module the check rightly warns; a warning is no violation.
    assert!(violations.is_empty(), "{violations:#?}");
}

#[tokio::test]
async fn tryton_with_the_companion_module_keeps_the_laws() {
    keeps_the_laws(Kind::Key).await;
}

#[tokio::test]
async fn tryton_as_it_comes_keeps_the_laws() {
    keeps_the_laws(Kind::Plain).await;
}

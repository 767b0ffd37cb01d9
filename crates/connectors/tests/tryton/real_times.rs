//! Booked time on the running Tryton.

use crate::batch::{all_done, batch, head, line};
use crate::lab::{Kind, Lab, call};
use connector_sdk::call::CallError;
use connector_sdk::target::{DocumentHead, LineOutcome, PostLine, Shape, Target};
use domain::exception::Code;
use domain::posting::{DocumentState, PostingKind};

/// A head for time of a shape, and a line booked on a task.
fn time(lab: &Lab, shape: Shape, project: &str, task: &str) -> (DocumentHead, PostLine) {
    let mut head = head(lab, "C-ACME");
    head.shape = shape;
    head.customer_ref = None;
    let mut line = line(lab, &head, "CONS", "1.33", "187.1234");
    line.task_ref = Some(lab.id(&["projects", project, "tasks", task, "timesheet_work"]));
    (head, line)
}

#[tokio::test]
async fn cost_is_booked_once_and_exact_to_the_second() {
    for kind in [Kind::Key, Kind::Plain] {
        let Some(lab) = Lab::open(kind) else { return };
        let target = lab.target();
        let (head, line) = time(&lab, Shape::Cost, "P-ACME-FX", "T-ACME-MIGRATE");
        let create = batch(PostingKind::CreateLine, &head, std::slice::from_ref(&line));
        let done = all_done(&target.post(&call(), &create).await.unwrap());
        let again = target.post(&call(), &create).await.unwrap();
        let LineOutcome::AlreadyThere(found) = &again[0] else {
            panic!("{again:?}")
        };
        assert_eq!(found.line_ref, done[0].0);
        assert_eq!(found.quantity.to_string(), "1.333333");
        assert_eq!(found.work_date, Some(line.work_date));
        assert_eq!(found.document_state, DocumentState::Open);
        assert_eq!((found.rate, found.amount), (None, None));
    }
}

#[tokio::test]
async fn a_closed_task_and_a_worker_who_left_are_refused_by_name() {
    let Some(lab) = Lab::open(Kind::Key) else {
        return;
    };
    let target = lab.target();
    let (head, good) = time(&lab, Shape::Timesheet, "P-ACME-TM", "T-ACME-BUILD");
    let (_, closed) = time(&lab, Shape::Timesheet, "P-BORE-TM", "T-BORE-PHASE1");
    let (_, mut left) = time(&lab, Shape::Timesheet, "P-ACME-TM", "T-ACME-BUILD");
    left.worker_ref = Some(lab.id(&["employees", "E-MARSH", "id"]));
    for (bad, code) in [(closed, Code::TaskClosed), (left, Code::WorkerTerminated)] {
        let lines = [good.clone(), bad.clone()];
        let create = batch(PostingKind::CreateLine, &head, &lines);
        let Err(CallError::Refused { problem }) = target.post(&call(), &create).await else {
            panic!("not refused")
        };
        assert_eq!(problem.code, code);
        assert!(
            problem
                .erp_words
                .unwrap()
                .contains("is not valid according to its domain")
        );
        // The good line of the refused call was not booked either.
        let keys = [good.line_key.clone(), bad.line_key.clone()];
        assert_eq!(target.look_up(Shape::Timesheet, &keys).await.unwrap(), []);
    }
}

#[tokio::test]
async fn tryton_invoices_booked_time_and_the_look_up_reads_it_back() {
    for kind in [Kind::Key, Kind::Plain] {
        let Some(lab) = Lab::open(kind) else { return };
        let target = lab.target();
        let (head, first) = time(&lab, Shape::Timesheet, "P-ELMW-TM", "T-ELMW-REVIEW");
        let (_, mut second) = time(&lab, Shape::Timesheet, "P-ELMW-TM", "T-ELMW-REVIEW");
        let (_, mut third) = time(&lab, Shape::Timesheet, "P-ELMW-TM", "T-ELMW-REVIEW");
        second.recorded_seconds = 3600;
        third.recorded_seconds = 1800;
        let lines = [first.clone(), second.clone(), third.clone()];
        let create = batch(PostingKind::CreateLine, &head, &lines);
        let done = all_done(&target.post(&call(), &create).await.unwrap());

        // Before it is invoiced, time can be replaced and taken out.
        second.recorded_seconds = 2400;
        second.erp_line_ref = Some(done[1].0.clone());
        let replace = batch(
            PostingKind::ReplaceLine,
            &head,
            std::slice::from_ref(&second),
        );
        all_done(&target.post(&call(), &replace).await.unwrap());
        let delete = batch(PostingKind::DeleteLine, &head, std::slice::from_ref(&third));
        all_done(&target.post(&call(), &delete).await.unwrap());

        target
            .invoice_project(&call(), &lab.id(&["projects", "P-ELMW-TM", "id"]))
            .await
            .unwrap();
        let keys: Vec<String> = lines.iter().map(|line| line.line_key.clone()).collect();
        let found = target.look_up(Shape::Timesheet, &keys).await.unwrap();
        assert_eq!(found.len(), 2);
        let document = found[0].document_ref.clone().unwrap();
        for found in &found {
            assert_eq!(found.document_ref.as_deref(), Some(document.as_str()));
            assert_eq!(found.document_state, DocumentState::Draft);
            assert_eq!(found.rate.unwrap().to_string(), "152.5");
        }
        let hours: Vec<String> = found
            .iter()
            .map(|found| found.quantity.to_string())
            .collect();
        assert!(hours.contains(&"1.333333".to_owned()) && hours.contains(&"0.666667".to_owned()));
        // 4,800 s and 2,400 s are 2.00 h at 152.50 on one line of Tryton's invoice.
        let report = target
            .document_states(Shape::Timesheet, &[document])
            .await
            .unwrap();
        assert_eq!(report[0].untaxed.unwrap().to_string(), "EUR 305.00");

        // Invoiced time is closed to us.
        let replace = batch(
            PostingKind::ReplaceLine,
            &head,
            std::slice::from_ref(&second),
        );
        let delete = batch(
            PostingKind::DeleteLine,
            &head,
            std::slice::from_ref(&second),
        );
        let credit = batch(PostingKind::Credit, &head, std::slice::from_ref(&second));
        for change in [replace, delete, credit] {
            let outcomes = target.post(&call(), &change).await.unwrap();
            assert!(
                matches!(outcomes[0], LineOutcome::Refused(_)),
                "{outcomes:?}"
            );
        }
        // Nothing to invoice is a refusal, not a second invoice.
        let again = target
            .invoice_project(&call(), &lab.id(&["projects", "P-ELMW-TM", "id"]))
            .await;
        assert!(matches!(again, Err(CallError::Refused { .. })), "{again:?}");
    }
}

#[tokio::test]
async fn a_fixed_fee_project_is_never_invoiced() {
    let Some(lab) = Lab::open(Kind::Key) else {
        return;
    };
    let target = lab.target();
    let (head, line) = time(&lab, Shape::Cost, "P-ACME-FX", "T-ACME-ACCEPT");
    let create = batch(PostingKind::CreateLine, &head, std::slice::from_ref(&line));
    all_done(&target.post(&call(), &create).await.unwrap());
    let refused = target
        .invoice_project(&call(), &lab.id(&["projects", "P-ACME-FX", "id"]))
        .await;
    assert!(
        matches!(refused, Err(CallError::Refused { .. })),
        "{refused:?}"
    );
    let found = target
        .look_up(Shape::Cost, std::slice::from_ref(&line.line_key))
        .await
        .unwrap();
    assert_eq!(
        (found[0].document_ref.as_deref(), found[0].rate),
        (None, None)
    );
}

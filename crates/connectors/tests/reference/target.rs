//! Writing to the ERP where nothing fails on the way.

use crate::support::{Bench, batch, call, line, small_erp, small_tracker};
use connector_sdk::call::CallError;
use connector_sdk::check::Verdict;
use connector_sdk::target::{FoundLine, LineOutcome, PostLine, Shape, Target};
use counterfoil_connectors::target::reference::{KeyMode, ReferenceErp, ReferenceErpConfig};
use domain::exception::Code;
use domain::money::Money;
use domain::posting::{DocumentState, PostingKind};
use twins::erp::{ErpAct, Uniqueness};
use twins::frame::Machine as _;

/// Something to spoil a line with.
type Edit = fn(&mut PostLine);

fn done(outcome: &LineOutcome) -> (String, Option<String>) {
    match outcome {
        LineOutcome::Done {
            line_ref,
            document_ref,
        } => (line_ref.clone(), document_ref.clone()),
        other => panic!("{other:?}"),
    }
}

/// The line that was found, to be named in a change.
fn found_line(found: &FoundLine) -> PostLine {
    let mut line = line(&found.line_key);
    line.erp_line_ref = Some(found.line_ref.clone());
    line
}

async fn create(erp: &ReferenceErp, keys: &[&str]) -> Vec<LineOutcome> {
    let lines = keys.iter().map(|key| line(key)).collect();
    erp.post(&call(), &batch(PostingKind::CreateLine, lines))
        .await
        .unwrap()
}

async fn refusal(erp: &ReferenceErp, kind: PostingKind, line: PostLine) -> Code {
    match erp.post(&call(), &batch(kind, vec![line])).await {
        Err(CallError::Refused { problem }) => problem.code,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_line_is_created_replaced_deleted_and_found() {
    let bench = Bench::new();
    let erp = bench.erp();
    assert_eq!(erp.identity().await.unwrap(), "reference:kestrel");
    let outcomes = create(&erp, &["K1", "K2"]).await;
    let (first, document) = done(&outcomes[0]);
    assert_eq!(done(&outcomes[1]).1, document);
    let report = erp
        .look_up_document(Shape::DraftLine, "DOC1")
        .await
        .unwrap()
        .unwrap();
    assert_eq!(Some(report.erp_ref.clone()), document);
    assert_eq!(report.untaxed.unwrap().to_string(), "EUR 497.74");
    let mut changed = line("K1");
    changed.erp_line_ref = Some(first.clone());
    changed.quantity = "0.50".parse().unwrap();
    changed.amount.amount_minor = 9356;
    erp.post(
        &call(),
        &batch(PostingKind::ReplaceLine, vec![changed.clone()]),
    )
    .await
    .unwrap();
    let keys = ["K1".to_owned(), "K2".to_owned(), "K9".to_owned()];
    let found = erp.look_up(Shape::DraftLine, &keys).await.unwrap();
    assert_eq!(found.len(), 2);
    assert_eq!(found[0].amount.unwrap().to_string(), "EUR 93.56");
    assert_eq!(found[0].work_date, Some(jiff::civil::date(2026, 10, 5)));
    erp.post(
        &call(),
        &batch(PostingKind::DeleteLine, vec![changed.clone()]),
    )
    .await
    .unwrap();
    let found = erp.look_up(Shape::DraftLine, &keys).await.unwrap();
    assert_eq!(found.len(), 1);
    let both = vec![changed.clone(), found_line(&found[0])];
    let outcomes = erp
        .post(&call(), &batch(PostingKind::DeleteLine, both))
        .await
        .unwrap();
    assert_eq!(done(&outcomes[0]).0, first);
    assert!(bench.erp_twin.with(|state| state.machine.lines.is_empty()));
    let code = refusal(&erp, PostingKind::ReplaceLine, changed).await;
    assert_eq!(code, Code::LineMissing);
    assert_eq!(
        erp.look_up_document(Shape::DraftLine, "DOC9").await,
        Ok(None)
    );
}

#[tokio::test]
async fn time_is_booked_priced_by_the_erp_and_never_credited_by_us() {
    let bench = Bench::new();
    let erp = bench.erp();
    for (shape, key) in [(Shape::Timesheet, "T1"), (Shape::Cost, "T2")] {
        let mut batch = batch(PostingKind::CreateLine, vec![line(key)]);
        batch.document.shape = shape;
        if shape == Shape::Cost {
            batch.document.customer_ref = None;
        }
        let outcomes = erp.post(&call(), &batch).await.unwrap();
        assert_eq!(done(&outcomes[0]).1, None);
        let found = erp.look_up(shape, &[key.to_owned()]).await.unwrap();
        assert_eq!(found[0].document_state, DocumentState::Open);
        assert_eq!((found[0].rate, found[0].amount), (None, None));
        batch.kind = PostingKind::Credit;
        assert!(erp.post(&call(), &batch).await.is_err());
    }
    bench.erp_twin.with(|state| {
        let act = ErpAct::InvoiceTime {
            project: "BRIDGE".to_owned(),
            document_date: jiff::civil::date(2026, 10, 31),
        };
        state.machine.act(&act, 1).unwrap();
        state.machine.act(&ErpAct::IssueAll, 2).unwrap()
    });
    let keys = ["T1".to_owned(), "T2".to_owned()];
    let found = erp.look_up(Shape::Timesheet, &keys).await.unwrap();
    assert_eq!(found[0].document_state, DocumentState::Issued);
    assert_eq!(found[0].amount.unwrap().to_string(), "EUR 248.87");
    assert_eq!(found[1].document_state, DocumentState::Open);
}

#[tokio::test]
async fn issued_lines_are_credited_and_documents_voided() {
    let bench = Bench::new();
    let erp = bench.erp();
    let outcomes = create(&erp, &["K1"]).await;
    let (line_ref, document) = done(&outcomes[0]);
    let mut credit = line("C1");
    credit.erp_line_ref = Some(line_ref);
    credit.quantity = "-1.33".parse().unwrap();
    credit.amount.amount_minor = -24_887;
    let mut credits = batch(PostingKind::Credit, vec![credit.clone()]);
    credits.document.document_key = "DOC2".to_owned();
    let early = erp.post(&call(), &credits).await;
    assert!(matches!(early, Err(CallError::Refused { .. })), "{early:?}");
    bench.erp_twin.with(|state| {
        state.machine.act(&ErpAct::IssueAll, 2).unwrap();
    });
    let code = refusal(&erp, PostingKind::CreateLine, line("K7")).await;
    assert_eq!(code, Code::DocumentClosed);
    erp.post(&call(), &credits).await.unwrap();
    bench.erp_twin.with(|state| {
        state.machine.act(&ErpAct::IssueAll, 3).unwrap();
    });
    let refs = [document.unwrap(), "999".to_owned()];
    let states = erp.document_states(Shape::DraftLine, &refs).await.unwrap();
    assert_eq!(states[0].state, DocumentState::Credited);
    assert_eq!(states[0].number.as_deref(), Some("2026-00001"));
    assert_eq!(states[1].state, DocumentState::Missing);
    let mut void = batch(PostingKind::CreateLine, vec![line("K3")]);
    void.document.document_key = "DOC3".to_owned();
    let made = erp.post(&call(), &void).await.unwrap();
    void.kind = PostingKind::Void;
    void.document.erp_ref = done(&made[0]).1;
    erp.post(&call(), &void).await.unwrap();
    let found = erp
        .look_up(Shape::DraftLine, &["K3".to_owned()])
        .await
        .unwrap();
    assert_eq!(found[0].document_state, DocumentState::Void);
}

#[tokio::test]
async fn with_unique_keys_a_second_line_is_reported_and_the_others_are_made() {
    let bench = Bench::new();
    let erp = bench.erp();
    create(&erp, &["K2"]).await;
    let outcomes = create(&erp, &["K1", "K2", "K3"]).await;
    assert!(matches!(outcomes[0], LineOutcome::Done { .. }));
    match &outcomes[1] {
        LineOutcome::AlreadyThere(found) => assert_eq!(found.line_key, "K2"),
        other => panic!("{other:?}"),
    }
    assert!(matches!(outcomes[2], LineOutcome::Done { .. }));
    let all = create(&erp, &["K1", "K2", "K3"]).await;
    assert!(
        all.iter()
            .all(|outcome| matches!(outcome, LineOutcome::AlreadyThere(_)))
    );
    assert_eq!(bench.erp_twin.with(|state| state.machine.lines.len()), 3);
}

#[tokio::test]
async fn without_unique_keys_the_erp_takes_two_and_both_are_found() {
    let mut state = small_erp();
    state.machine.settings.uniqueness = Uniqueness::LookUp;
    let bench = Bench::of(small_tracker(), state);
    // A connector that trusts in unique keys where there are none.
    let careless = bench.erp();
    create(&careless, &["K1"]).await;
    create(&careless, &["K1"]).await;
    let erp = bench.erp_with(&ReferenceErpConfig::at("http://erp.twin", KeyMode::LookUp));
    let third = create(&erp, &["K1", "K2"]).await;
    assert!(matches!(third[0], LineOutcome::AlreadyThere(_)));
    assert!(matches!(third[1], LineOutcome::Done { .. }));
    let found = erp
        .look_up(Shape::DraftLine, &["K1".to_owned()])
        .await
        .unwrap();
    assert_eq!(found.len(), 2);
    assert!(erp.check().await.iter().all(|l| l.verdict == Verdict::Good));
    let wrong = bench.erp().check().await;
    assert!(wrong.iter().any(|line| line.verdict == Verdict::Bad));
}

#[tokio::test]
async fn every_refusal_has_its_code_and_nothing_is_made() {
    let bench = Bench::new();
    let erp = bench.erp();
    let with = |edit: fn(&mut PostLine)| {
        let mut line = line("K1");
        edit(&mut line);
        line
    };
    let cases: [(Code, Edit); 6] = [
        (Code::TaskUnmapped, |l| l.task_ref = Some("zzz".to_owned())),
        (Code::WorkerUnmapped, |l| {
            l.worker_ref = Some("zzz".to_owned());
        }),
        (Code::ServiceItemUnmapped, |l| {
            l.service_item_ref = "zzz".to_owned();
        }),
        (Code::ErpRejected, |l| l.quantity = "1.333".parse().unwrap()),
        (Code::ErpRejected, |l| l.rate = "1.00001".parse().unwrap()),
        (Code::ErpRejected, |l| l.amount.amount_minor += 2),
    ];
    for (code, edit) in cases {
        let got = refusal(&erp, PostingKind::CreateLine, with(edit)).await;
        assert_eq!(got, code);
    }
    let acts: [(Code, ErpAct); 5] = [
        (Code::TaskClosed, ErpAct::CloseTask { task: "t1".into() }),
        (
            Code::ProjectClosed,
            ErpAct::CloseProject {
                project: "BRIDGE".into(),
            },
        ),
        (
            Code::CustomerOnHold,
            ErpAct::HoldCustomer {
                customer: "C1".into(),
            },
        ),
        (
            Code::PeriodClosed,
            ErpAct::ClosePeriod {
                period: "2026-10".into(),
            },
        ),
        (
            Code::WorkerTerminated,
            ErpAct::TerminateWorker {
                worker: "W1".into(),
                last_day: jiff::civil::date(2026, 10, 1),
            },
        ),
    ];
    for (code, act) in acts {
        let bench = Bench::new();
        bench
            .erp_twin
            .with(|state| state.machine.act(&act, 1).unwrap());
        let lines = vec![line("K1"), line("K2")];
        let result = bench
            .erp()
            .post(&call(), &batch(PostingKind::CreateLine, lines))
            .await;
        match result {
            Err(CallError::Refused { problem }) => {
                assert_eq!(problem.code, code);
                assert!(problem.erp_words.is_some());
            }
            other => panic!("{other:?}"),
        }
        assert!(
            bench
                .erp_twin
                .with(|state| state.machine.lines.is_empty() && state.machine.documents.is_empty())
        );
    }
}

#[tokio::test]
async fn one_bad_line_refuses_the_whole_list() {
    let bench = Bench::new();
    let mut bad = line("K2");
    bad.task_ref = Some("zzz".to_owned());
    let result = bench
        .erp()
        .post(
            &call(),
            &batch(PostingKind::CreateLine, vec![line("K1"), bad]),
        )
        .await;
    assert!(matches!(result, Err(CallError::Refused { .. })));
    assert!(bench.erp_twin.with(|state| state.machine.lines.is_empty()));
}

#[tokio::test]
async fn an_answer_that_does_not_match_is_doubt() {
    let bench = Bench::new();
    let line_json = |key: &str, quantity: &str| {
        format!(
            r#"{{"lines":[{{"id":"1","key":"{key}","document_id":"3","document_state":"draft",
            "document_number":null,"quantity":"{quantity}","rate":"187.1234","amount":"248.87",
            "currency":"EUR","work_date":"2026-10-05"}}]}}"#
        )
    };
    let bodies = [
        line_json("K2", "1.33"),
        line_json("K1", "1.34"),
        "{\"lines\":[]}".to_owned(),
        "<html>".to_owned(),
        String::new(),
        "{}".to_owned(),
    ];
    for body in bodies {
        let erp = bench.erp_over(crate::support::Scripted::new(201, &body));
        let result = erp
            .post(&call(), &batch(PostingKind::CreateLine, vec![line("K1")]))
            .await;
        assert!(matches!(result, Err(CallError::Ambiguous { .. })), "{body}");
    }
    let body = line_json("K1", "1.33");
    let erp = bench.erp_over(crate::support::Scripted::new(201, &body));
    let result = erp
        .post(&call(), &batch(PostingKind::CreateLine, vec![line("K1")]))
        .await;
    assert!(result.is_ok());
    // Yen have no cents: the same text is another amount.
    let mut yen = line("K1");
    yen.amount = Money {
        amount_minor: 24_887,
        currency: "JPY".parse().unwrap(),
    };
    let result = erp
        .post(&call(), &batch(PostingKind::CreateLine, vec![yen]))
        .await;
    assert!(matches!(result, Err(CallError::Ambiguous { .. })));
}

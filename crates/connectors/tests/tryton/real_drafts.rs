//! Draft invoice lines on the running Tryton.

use crate::batch::{all_done, already, batch, fresh_key, head, keys, line, refused, same_content};
use crate::lab::{BOTH, Kind, Lab, call};
use connector_sdk::call::CallError;
use connector_sdk::target::{LineOutcome, PostLine, Shape, Target};
use counterfoil_connectors::target::tryton::wire::read_decimal;
use domain::exception::Code;
use domain::posting::{DocumentState, PostingKind};
use std::sync::Arc;

/// The invoice's total of taxes, as text.
async fn taxes(lab: &Lab, invoice: &str) -> String {
    let read = lab
        .does(
            "account.invoice.read",
            &format!(r#"[{invoice}],["tax_amount"]"#),
        )
        .await;
    let amount = read.items().unwrap()[0].get("tax_amount").map(read_decimal);
    amount.flatten().unwrap().to_string()
}

#[tokio::test]
async fn the_same_keys_twice_make_each_line_once() {
    for kind in BOTH {
        let Some(lab) = Lab::open(kind) else { return };
        let target = lab.target();
        let mut head = head(&lab, "C-ACME");
        let lines = [
            line(&lab, &head, "CONS", "1.33", "187.1234"),
            line(&lab, &head, "DEV", "0.25", "152.5"),
            line(&lab, &head, "TRAIN", "7.99", "98.75"),
        ];
        let create = batch(PostingKind::CreateLine, &head, &lines);
        let done = all_done(&target.post(&call(), &create).await.unwrap());
        let document = done[0].1.clone().unwrap();
        assert!(
            done.iter()
                .all(|(_, of)| of.as_deref() == Some(document.as_str()))
        );

        // Again without knowing the draft, then with it, and from a fresh process.
        head.erp_ref = Some(document.clone());
        let known = batch(PostingKind::CreateLine, &head, &lines);
        for again in [&create, &known] {
            let outcomes = lab.target().post(&call(), again).await.unwrap();
            for ((outcome, line), (line_ref, _)) in outcomes.iter().zip(&lines).zip(&done) {
                let found = already(outcome);
                same_content(found, line);
                assert_eq!(&found.line_ref, line_ref);
                assert_eq!(found.document_state, DocumentState::Draft);
            }
        }
        assert_eq!(
            lab.count(
                "account.invoice.line",
                &format!(r#"[["invoice","=",{document}]]"#)
            )
            .await,
            3
        );

        // One known and one new line in one call: one is found, one is added to the draft.
        let more = [lines[1].clone(), line(&lab, &head, "CONS", "2", "187.1234")];
        let outcomes = target
            .post(&call(), &batch(PostingKind::CreateLine, &head, &more))
            .await
            .unwrap();
        already(&outcomes[0]);
        assert_eq!(all_done(&outcomes[1..])[0].1, Some(document.clone()));
        let report = target
            .look_up_document(Shape::DraftLine, &head.document_key)
            .await
            .unwrap();
        let report = report.unwrap();
        assert_eq!(report.erp_ref, document);
        assert_eq!(report.untaxed.unwrap().to_string(), "EUR 1450.25");
        let absent = target
            .look_up_document(Shape::DraftLine, &fresh_key("NONE"))
            .await;
        assert_eq!(absent.unwrap(), None);
        let found = target
            .look_up(Shape::DraftLine, &keys(&lines))
            .await
            .unwrap();
        assert_eq!(found.len(), 3);
        let none = target
            .look_up(Shape::DraftLine, &[fresh_key("NONE")])
            .await
            .unwrap();
        assert_eq!(none, []);
    }
}

#[tokio::test]
async fn parallel_calls_with_the_same_keys_make_each_line_once() {
    let Some(lab) = Lab::open(Kind::Key) else {
        return;
    };
    let head = head(&lab, "C-BORE");
    let lines: Vec<PostLine> = (0..3)
        .map(|_| line(&lab, &head, "DEV", "2.5", "152.5"))
        .collect();
    let create = Arc::new(batch(PostingKind::CreateLine, &head, &lines));
    let mut calls = Vec::new();
    for _ in 0..6 {
        let (target, create) = (lab.target(), Arc::clone(&create));
        calls.push(tokio::spawn(
            async move { target.post(&call(), &create).await },
        ));
    }
    let mut made = 0;
    for one in calls {
        match one.await.unwrap() {
            Ok(outcomes) => {
                for (outcome, line) in outcomes.iter().zip(&lines) {
                    match outcome {
                        LineOutcome::Done { .. } => made += 1,
                        LineOutcome::AlreadyThere(found) => same_content(found, line),
                        LineOutcome::Refused(problem) => panic!("{problem:?}"),
                    }
                }
            }
            Err(error) => assert!(matches!(error, CallError::NotExecuted { .. }), "{error}"),
        }
    }
    assert_eq!(made, 3, "each line is made by one call only");
    let count = |model: &str, keys: &str| {
        let (model, domain) = (
            model.to_owned(),
            format!(r#"[["external_key","in",[{keys}]]]"#),
        );
        let lab = &lab;
        async move { lab.count(&model, &domain).await }
    };
    let quoted: Vec<String> = keys(&lines).iter().map(|key| format!("{key:?}")).collect();
    assert_eq!(count("account.invoice.line", &quoted.join(",")).await, 3);
    assert_eq!(
        count("account.invoice", &format!("{:?}", head.document_key)).await,
        1
    );
}

#[tokio::test]
async fn taxes_follow_product_and_customer_through_every_change() {
    for kind in BOTH {
        let Some(lab) = Lab::open(kind) else { return };
        let target = lab.target();
        // customer, tax of 100.00 consulting + 100.00 training, and after another 100.00 of each
        for (customer, first, second) in [
            ("C-ACME", "26.00", "52.00"),
            ("C-COBA", "0.00", "0.00"),
            ("C-BORE", "26.00", "52.00"),
        ] {
            let mut head = head(&lab, customer);
            let lines = [
                line(&lab, &head, "CONS", "1", "100"),
                line(&lab, &head, "TRAIN", "1", "100"),
            ];
            let create = batch(PostingKind::CreateLine, &head, &lines);
            let done = all_done(&target.post(&call(), &create).await.unwrap());
            let document = done[0].1.clone().unwrap();
            assert_eq!(taxes(&lab, &document).await, first, "{customer} created");

            head.erp_ref = Some(document.clone());
            let mut more = [
                line(&lab, &head, "CONS", "1", "100"),
                line(&lab, &head, "TRAIN", "1", "100"),
            ];
            let create = batch(PostingKind::CreateLine, &head, &more);
            let added = all_done(&target.post(&call(), &create).await.unwrap());
            assert_eq!(taxes(&lab, &document).await, second, "{customer} added");

            // The added consulting becomes training at 200.00, then the training is taken off.
            more[0].service_item_ref = lab.id(&["products", "TRAIN", "id"]);
            more[0].rate = "200".parse().unwrap();
            more[0].amount = domain::money::Money::times(
                more[0].quantity,
                more[0].rate,
                head.currency,
                domain::rounding::Rounding::HalfEven,
            )
            .unwrap();
            more[0].erp_line_ref = Some(added[0].0.clone());
            let replace = batch(PostingKind::ReplaceLine, &head, &more[..1]);
            // Twice: what is there already changes nothing.
            for _ in 0..2 {
                all_done(&target.post(&call(), &replace).await.unwrap());
                let expected = if customer == "C-COBA" {
                    "0.00"
                } else {
                    "47.00"
                };
                assert_eq!(
                    taxes(&lab, &document).await,
                    expected,
                    "{customer} replaced"
                );
            }
            let delete = batch(PostingKind::DeleteLine, &head, &more[1..]);
            for _ in 0..2 {
                all_done(&target.post(&call(), &delete).await.unwrap());
                let expected = if customer == "C-COBA" {
                    "0.00"
                } else {
                    "40.00"
                };
                assert_eq!(taxes(&lab, &document).await, expected, "{customer} deleted");
            }
            let found = target
                .look_up(Shape::DraftLine, &keys(&more))
                .await
                .unwrap();
            assert_eq!(found.len(), 1);
            same_content(&found[0], &more[0]);
            // The draft can be issued: Tryton recomputes the taxes and finds them right.
            lab.does("account.invoice.post", &format!("[{document}]"))
                .await;
        }
    }
}

#[tokio::test]
async fn yen_have_no_cents() {
    let Some(lab) = Lab::open(Kind::Key) else {
        return;
    };
    let head = head(&lab, "C-DAIK");
    let lines = [
        line(&lab, &head, "CONS", "0.17", "15000"),
        line(&lab, &head, "DEV", "0.33", "187.1234"),
    ];
    let target = lab.target();
    all_done(
        &target
            .post(&call(), &batch(PostingKind::CreateLine, &head, &lines))
            .await
            .unwrap(),
    );
    let found = target
        .look_up(Shape::DraftLine, &keys(&lines))
        .await
        .unwrap();
    let amounts: Vec<String> = found
        .iter()
        .map(|found| found.amount.unwrap().to_string())
        .collect();
    assert!(amounts.contains(&"JPY 2550".to_owned()), "{amounts:?}");
    assert!(amounts.contains(&"JPY 62".to_owned()), "{amounts:?}");
}

#[tokio::test]
async fn what_tryton_could_not_hold_exactly_is_refused_before_it_is_sent() {
    let Some(lab) = Lab::open(Kind::Key) else {
        return;
    };
    let head = head(&lab, "C-ACME");
    let good = line(&lab, &head, "CONS", "1", "100");
    let fine_hours = line(&lab, &head, "CONS", "1.333", "100");
    let fine_rate = line(&lab, &head, "CONS", "1", "100.00001");
    // 0.3 h at 98.75 is 29.625: Tryton makes 29.62 of it.
    let mut other_amount = line(&lab, &head, "TRAIN", "0.3", "98.75");
    other_amount.amount.amount_minor += 1;
    let no_account = line(&lab, &head, "NOACC", "1", "99");
    let not_by_the_hour = line(&lab, &head, "FIX", "1", "12500");
    let lines = [
        fine_hours,
        good,
        fine_rate,
        other_amount,
        no_account,
        not_by_the_hour,
    ];
    let outcomes = lab
        .target()
        .post(&call(), &batch(PostingKind::CreateLine, &head, &lines))
        .await
        .unwrap();
    all_done(&outcomes[1..2]);
    for index in [0, 2, 3, 5] {
        assert_eq!(refused(&outcomes[index]), Code::ErpRejected, "{index}");
    }
    assert_eq!(refused(&outcomes[4]), Code::ErpAccountMissing);
    let found = lab
        .target()
        .look_up(Shape::DraftLine, &keys(&lines))
        .await
        .unwrap();
    assert_eq!(found.len(), 1);
}

#[tokio::test]
async fn an_unknown_product_refuses_its_own_line_only() {
    let Some(lab) = Lab::open(Kind::Key) else {
        return;
    };
    let head = head(&lab, "C-ACME");
    let mut bad = line(&lab, &head, "CONS", "1", "100");
    bad.service_item_ref = "99999".to_owned();
    let lines = [line(&lab, &head, "CONS", "1", "100"), bad];
    let create = batch(PostingKind::CreateLine, &head, &lines);
    let outcomes = lab.target().post(&call(), &create).await.unwrap();
    all_done(&outcomes[..1]);
    assert_eq!(refused(&outcomes[1]), Code::ErpRejected);
}

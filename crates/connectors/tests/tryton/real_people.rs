//! What people do to our lines in the running Tryton, and what we see of it.

use crate::batch::{all_done, already, batch, head, keys, line, refused, same_content};
use crate::lab::{BOTH, Kind, Lab, call};
use connector_sdk::target::{PostLine, Shape, Target};
use counterfoil_connectors::target::tryton::json::Json;
use domain::exception::Code;
use domain::posting::{DocumentState, PostingKind};

#[tokio::test]
async fn people_move_edit_and_delete_lines_and_the_look_up_sees_it() {
    for kind in BOTH {
        let Some(lab) = Lab::open(kind) else { return };
        let target = lab.target();
        let mut first = head(&lab, "C-ACME");
        let second = head(&lab, "C-ACME");
        let lines: Vec<PostLine> = (0..4)
            .map(|_| line(&lab, &first, "CONS", "1.5", "100"))
            .collect();
        let create = batch(PostingKind::CreateLine, &first, &lines);
        let done = all_done(&target.post(&call(), &create).await.unwrap());
        let other = [line(&lab, &second, "CONS", "1", "100")];
        let create = batch(PostingKind::CreateLine, &second, &other);
        let other_done = all_done(&target.post(&call(), &create).await.unwrap());
        let (here, there) = (done[0].1.clone().unwrap(), other_done[0].1.clone().unwrap());

        let edit = |id: &str, values: &str| format!("[{id}],{values}");
        let write = "account.invoice.line.write";
        lab.does(
            write,
            &edit(&done[0].0, &format!(r#"{{"invoice":{there}}}"#)),
        )
        .await;
        lab.does(write, &edit(&done[1].0, r#"{"quantity":2.25}"#))
            .await;
        if kind == Kind::Plain {
            let note = format!(
                r#"{{"note":"agreed with Ms Fox / {} / see mail"}}"#,
                lines[2].line_key
            );
            lab.does(write, &edit(&done[2].0, &note)).await;
        }
        lab.does("account.invoice.line.delete", &format!("[{}]", done[3].0))
            .await;

        let found = target
            .look_up(Shape::DraftLine, &keys(&lines))
            .await
            .unwrap();
        assert_eq!(found.len(), 3);
        let of = |index: usize| {
            let found = found
                .iter()
                .find(|found| found.line_key == lines[index].line_key);
            found.unwrap_or_else(|| panic!("line {index} is not found"))
        };
        assert_eq!(of(0).document_ref.as_deref(), Some(there.as_str()));
        assert_eq!(of(1).quantity.to_string(), "2.25");
        assert_eq!(of(1).amount.unwrap().to_string(), "EUR 225.00");
        same_content(of(2), &lines[2]);

        // Our change of the moved line goes to where it stands.
        first.erp_ref = Some(here.clone());
        let mut moved = lines[0].clone();
        moved.erp_line_ref = Some(done[0].0.clone());
        moved.quantity = "3".parse().unwrap();
        moved.amount.amount_minor = 30_000;
        let replace = batch(PostingKind::ReplaceLine, &first, &[moved]);
        let replaced = all_done(&target.post(&call(), &replace).await.unwrap());
        assert_eq!(replaced[0].1.as_deref(), Some(there.as_str()));
        // The deleted line cannot be replaced; deleting it again is no news.
        let mut gone = lines[3].clone();
        gone.erp_line_ref = Some(done[3].0.clone());
        let replace = batch(
            PostingKind::ReplaceLine,
            &first,
            std::slice::from_ref(&gone),
        );
        let outcomes = target.post(&call(), &replace).await.unwrap();
        assert_eq!(refused(&outcomes[0]), Code::LineMissing);
        let delete = batch(PostingKind::DeleteLine, &first, &[gone]);
        all_done(&target.post(&call(), &delete).await.unwrap());

        // Issued by a person: the line is closed to us, and the look-up says so.
        let taxed = format!(r#"[{here}],{{"description":"checked"}}"#);
        lab.does("account.invoice.write", &taxed).await;
        lab.does("account.invoice.post", &format!("[{here}]")).await;
        let found = target
            .look_up(Shape::DraftLine, &keys(&lines[1..2]))
            .await
            .unwrap();
        assert_eq!(found[0].document_state, DocumentState::Issued);
        assert!(
            found[0]
                .document_number
                .as_deref()
                .is_some_and(|n| n.starts_with("I2026-"))
        );
        let mut issued = lines[1].clone();
        issued.erp_line_ref = Some(done[1].0.clone());
        for kind in [PostingKind::ReplaceLine, PostingKind::DeleteLine] {
            let change = batch(kind, &first, std::slice::from_ref(&issued));
            let outcomes = target.post(&call(), &change).await.unwrap();
            assert_eq!(refused(&outcomes[0]), Code::DocumentClosed);
        }
        let late = [line(&lab, &first, "CONS", "1", "100")];
        let late = batch(PostingKind::CreateLine, &first, &late);
        let outcomes = target.post(&call(), &late).await.unwrap();
        assert_eq!(refused(&outcomes[0]), Code::DocumentClosed);
    }
}

#[tokio::test]
async fn a_copy_that_a_person_makes_is_not_taken_for_the_line() {
    for kind in BOTH {
        let Some(lab) = Lab::open(kind) else {
            return;
        };
        let target = lab.target();
        let head = head(&lab, "C-ACME");
        let lines = [line(&lab, &head, "CONS", "1.5", "100")];
        let create = batch(PostingKind::CreateLine, &head, &lines);
        let done = all_done(&target.post(&call(), &create).await.unwrap());
        let document = done[0].1.clone().unwrap();
        lab.does("account.invoice.copy", &format!("[{document}]"))
            .await;
        let found = target
            .look_up(Shape::DraftLine, &keys(&lines))
            .await
            .unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].line_ref, done[0].0);
        let report = target
            .look_up_document(Shape::DraftLine, &head.document_key)
            .await
            .unwrap();
        assert_eq!(report.unwrap().erp_ref, document);
    }
}

#[tokio::test]
async fn a_credit_mirrors_the_issued_line_and_names_it() {
    for kind in BOTH {
        let Some(lab) = Lab::open(kind) else { return };
        let target = lab.target();
        let issued = head(&lab, "C-COBA");
        let lines = [line(&lab, &issued, "TRAIN", "1.33", "98.75")];
        let create = batch(PostingKind::CreateLine, &issued, &lines);
        let done = all_done(&target.post(&call(), &create).await.unwrap());
        let document = done[0].1.clone().unwrap();
        lab.does("account.invoice.post", &format!("[{document}]"))
            .await;

        let correction = head(&lab, "C-COBA");
        let mut credit = line(&lab, &correction, "TRAIN", "-1.33", "98.75");
        credit.erp_line_ref = Some(done[0].0.clone());
        let credit = batch(PostingKind::Credit, &correction, &[credit]);
        let credited = all_done(&target.post(&call(), &credit).await.unwrap());
        already(&target.post(&call(), &credit).await.unwrap()[0]);
        let read = lab
            .does(
                "account.invoice.line.read",
                &format!(r#"[{}],["origin","taxes"]"#, credited[0].0),
            )
            .await;
        let read = &read.items().unwrap()[0];
        let origin = format!("account.invoice.line,{}", done[0].0);
        assert_eq!(
            read.get("origin").and_then(Json::as_text),
            Some(origin.as_str())
        );
        let reverse = lab.id(&["taxes", "reverse", "id"]).parse().unwrap();
        assert_eq!(read.get("taxes"), Some(&Json::ints(&[reverse])));

        // Once the credit is issued, the invoice is credited as a whole.
        let states = |refs: Vec<String>| {
            let target = &target;
            async move {
                target
                    .document_states(Shape::DraftLine, &refs)
                    .await
                    .unwrap()
            }
        };
        assert_eq!(
            states(vec![document.clone()]).await[0].state,
            DocumentState::Issued
        );
        let note = credited[0].1.clone().unwrap();
        lab.does("account.invoice.post", &format!("[{note}]")).await;
        let reports = states(vec![document.clone(), "999999".into(), note.clone()]).await;
        let seen: Vec<DocumentState> = reports.iter().map(|report| report.state).collect();
        let expected = [
            DocumentState::Credited,
            DocumentState::Missing,
            DocumentState::Issued,
        ];
        assert_eq!(seen, expected);
        assert!(
            reports[2]
                .number
                .as_deref()
                .is_some_and(|n| n.starts_with("C2026-"))
        );
        assert_eq!(reports[2].untaxed.unwrap().to_string(), "EUR -131.34");
    }
}

#[tokio::test]
async fn the_states_of_invoices_are_told_apart() {
    let Some(lab) = Lab::open(Kind::Key) else {
        return;
    };
    let target = lab.target();
    let mut documents = Vec::new();
    let mut heads = Vec::new();
    for _ in 0..4 {
        let head = head(&lab, "C-BORE");
        let lines = [line(&lab, &head, "CONS", "1", "100")];
        let create = batch(PostingKind::CreateLine, &head, &lines);
        let done = all_done(&target.post(&call(), &create).await.unwrap());
        documents.push(done[0].1.clone().unwrap());
        heads.push((head, lines));
    }
    // 0 stays a draft; 1 is voided by us, twice; 2 and 3 are issued and credited by a person.
    heads[1].0.erp_ref = Some(documents[1].clone());
    let void = batch(PostingKind::Void, &heads[1].0, &heads[1].1);
    for _ in 0..2 {
        all_done(&target.post(&call(), &void).await.unwrap());
    }
    for (document, refund) in [(&documents[2], true), (&documents[3], false)] {
        lab.does("account.invoice.post", &format!("[{document}]"))
            .await;
        lab.credits(document, refund).await;
    }
    let reports = target
        .document_states(Shape::DraftLine, &documents)
        .await
        .unwrap();
    let seen: Vec<DocumentState> = reports.iter().map(|report| report.state).collect();
    // Without a refund the credit note is a draft that nobody has issued yet.
    let expected = [
        DocumentState::Draft,
        DocumentState::Void,
        DocumentState::Credited,
        DocumentState::Issued,
    ];
    assert_eq!(seen, expected);
    let lines = keys(&heads[2].1);
    let found = target.look_up(Shape::DraftLine, &lines).await.unwrap();
    assert_eq!(found[0].document_state, DocumentState::Credited);
    // An issued document is not voided, and a void one takes no lines.
    heads[3].0.erp_ref = Some(documents[3].clone());
    let void = batch(PostingKind::Void, &heads[3].0, &heads[3].1);
    assert_eq!(
        refused(&target.post(&call(), &void).await.unwrap()[0]),
        Code::ErpRejected
    );
    let late = [line(&lab, &heads[1].0, "CONS", "1", "100")];
    let late = batch(PostingKind::CreateLine, &heads[1].0, &late);
    assert_eq!(
        refused(&target.post(&call(), &late).await.unwrap()[0]),
        Code::DocumentClosed
    );
}

//! An entry in several parts: each goes its own way, and together they are the entry.

use crate::parted::{DRAWN, HELD, PREMIUM, Parted};
use crate::stage::{Stage, play};
use domain::status::BillingStatus;
use domain::time::{WORK_DATE_MAX, WORK_DATE_MIN};
use pipeline::exceptions::Choice;
use pipeline::reconcile::Class;
use rules::part::Part;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex};
use twins::erp::{ErpAct, Uniqueness};

/// The lines that a part has on documents.
async fn lines(parted: &Parted, part: Part) -> Vec<u64> {
    let held = parted.in_erp().await;
    held.get(&part)
        .map(|held| held.lines.clone())
        .unwrap_or_default()
}

fn shown(parted: &Parted) -> (Option<BillingStatus>, String) {
    let (status, reference) = parted.stage.shown(&parted.id);
    (BillingStatus::from_name(&status), reference)
}

#[test]
fn the_first_posting_is_of_all_parts() {
    play(async {
        let stage = Stage::new(21, Uniqueness::UniqueKey);
        let parted = Parted::new(stage, false).await;
        let parts = [(PREMIUM, 3_600, 2), (DRAWN, 1_800, 1), (HELD, 900, 1)];
        parted.book(&parts).await;
        parted.go_on().await;
        let result = parted.stage.pass().await;
        assert_eq!((result.post.rejected, result.post.left), (0, 0));
        parted.holds(&parts).await;
        assert_eq!(parted.stage.class(&parted.id).await, Class::Posted);
        assert_eq!(parted.asked(DRAWN).await, [(0, 0)], "cost has no price");
        assert_eq!(parted.asked(HELD).await, []);

        let (status, reference) = shown(&parted);
        assert_eq!(status, Some(BillingStatus::Posted));
        let words: Vec<&str> = reference.split(", ").collect();
        assert_eq!(words.len(), 3, "{reference}");
        assert!(words[0].starts_with("draft ") && words[1].starts_with("draft "));
        assert_eq!(words[2], "0.25 h held");
        let quiet = parted.stage.pass().await;
        assert_eq!((quiet.post.calls, quiet.told), (0, 0), "{quiet:?}");
        told_and_exported(&parted).await;
    });
}

/// The story names the parts, and the export has a transaction for each; together they are the entry.
async fn told_and_exported(parted: &Parted) {
    let story = pipeline::explain::explain(&parted.stage.env, parted.id.clone()).await;
    let story = story.unwrap().unwrap();
    let last: Vec<&str> = story.charges.iter().rev().take(4).map(|c| c.part).collect();
    assert_eq!(
        last,
        [
            "straight_held",
            "straight_drawn",
            "premium_billed",
            "straight_billed"
        ]
    );
    let drawn = story
        .charges
        .iter()
        .find(|charge| charge.part == DRAWN.name())
        .unwrap();
    let start = "straight time, drawn from the retainer: drawn: 0.5 h x ";
    assert!(
        drawn.words.starts_with(start) && !drawn.words.ends_with(" 0.00"),
        "{drawn:?}"
    );

    let all = Arc::new(Mutex::new(Vec::new()));
    let sink = Arc::clone(&all);
    let (store, source) = (&parted.stage.env.store, "reference".to_owned());
    let exported =
        pipeline::labor::export(store, source, WORK_DATE_MIN, WORK_DATE_MAX, move |one| {
            sink.lock().unwrap().push(one);
            ControlFlow::Continue(())
        });
    exported.await.unwrap();
    let all = all.lock().unwrap();
    let own: Vec<_> = all
        .iter()
        .filter(|t| t.source_transaction_id == parted.id)
        .collect();
    let seconds: i64 = own.iter().map(|t| t.recorded_seconds).sum();
    assert_eq!(seconds, parted.recorded_seconds);
    let parts: Vec<_> = own.iter().map(|t| t.part.as_deref()).collect();
    let named = [PREMIUM, DRAWN, HELD].map(|part| Some(part.name()));
    assert_eq!(parts, [&[None], named.as_slice()].concat());
}

#[test]
fn an_edit_of_one_part_touches_no_other() {
    play(async {
        let stage = Stage::new(22, Uniqueness::LookUp);
        let parted = Parted::new(stage, true).await;
        let whole = lines(&parted, Part::WHOLE).await;
        parted.book(&[(PREMIUM, 3_600, 2)]).await;
        parted.stage.pass().await;
        parted.holds(&[(PREMIUM, 3_600, 2)]).await;
        let premium = lines(&parted, PREMIUM).await;
        assert_eq!(
            lines(&parted, Part::WHOLE).await,
            whole,
            "replaced where it stood"
        );

        let before = parted.item().await;
        parted.book(&[(PREMIUM, 3_600, 3)]).await;
        let after = parted.item().await;
        let asked = (
            after.charge_next - before.charge_next,
            after.effect_next - before.effect_next,
        );
        assert_eq!(asked, (2, 1), "one reversal, one charge, one posting");
        let result = parted.stage.pass().await;
        assert_eq!((result.post.calls, result.post.posted), (1, 1));
        parted.holds(&[(PREMIUM, 3_600, 3)]).await;
        assert_eq!(lines(&parted, PREMIUM).await, premium);

        // The same parts again ask for nothing.
        parted.book(&[(PREMIUM, 3_600, 3)]).await;
        assert_eq!(parted.item().await.charge_next, after.charge_next);
        assert_eq!(parted.stage.pass().await.post.calls, 0);
    });
}

#[test]
fn a_part_that_disappears_takes_its_line_along_and_comes_back() {
    play(async {
        let stage = Stage::new(23, Uniqueness::UniqueKey);
        let parted = Parted::new(stage, true).await;
        parted.book(&[(PREMIUM, 3_600, 2), (DRAWN, 1_800, 1)]).await;
        parted.stage.pass().await;
        parted
            .holds(&[(PREMIUM, 3_600, 2), (DRAWN, 1_800, 1)])
            .await;
        parted.book(&[]).await;
        parted.stage.pass().await;
        parted.holds(&[]).await;
        assert!(lines(&parted, PREMIUM).await.is_empty());
        let (status, reference) = shown(&parted);
        assert_eq!(status, Some(BillingStatus::Posted));
        assert!(!reference.contains(','), "{reference}");
        // Billed becomes drawn, drawn becomes held, and back.
        let all = parted.recorded_seconds;
        parted
            .book(&[(DRAWN, all - 3_600, 1), (HELD, 3_600, 1)])
            .await;
        parted.stage.pass().await;
        // Nothing is left of the whole but a charge of nothing, which makes no line.
        parted
            .holds(&[(DRAWN, all - 3_600, 1), (HELD, 3_600, 1)])
            .await;
        assert_eq!(parted.stage.class(&parted.id).await, Class::CostOnly);
        let (status, reference) = shown(&parted);
        assert_eq!(status, Some(BillingStatus::CostOnly));
        assert!(
            reference.starts_with("cost ") && reference.ends_with(", 1 h held"),
            "{reference}"
        );
        parted.book(&[(HELD, all, 1)]).await;
        parted.stage.pass().await;
        parted.holds(&[(HELD, all, 1)]).await;
        assert_eq!(parted.stage.class(&parted.id).await, Class::Held);
        assert_eq!(shown(&parted).0, Some(BillingStatus::Unbilled));
        assert!(
            shown(&parted).1.ends_with(" h held"),
            "{:?}",
            shown(&parted)
        );
        parted.book(&[(PREMIUM, 3_600, 2)]).await;
        parted.stage.pass().await;
        parted.holds(&[(PREMIUM, 3_600, 2)]).await;
    });
}

#[test]
fn a_line_that_a_person_deleted_waits_and_the_other_part_goes_on() {
    play(async {
        let stage = Stage::new(24, Uniqueness::UniqueKey);
        let parted = Parted::new(stage, true).await;
        parted.book(&[(PREMIUM, 3_600, 2), (DRAWN, 1_800, 1)]).await;
        parted.stage.pass().await;
        let premium = lines(&parted, PREMIUM).await[0].to_string();
        parted.stage.erp_act(&ErpAct::DeleteLine { line: premium });
        parted.stage.pass().await;
        assert_eq!(
            shown(&parted),
            (Some(BillingStatus::Exception), "LINE_MISSING".to_owned())
        );
        let listed = parted.stage.exceptions().await;
        let own: Vec<_> = listed.iter().filter(|e| e.id == parted.name()).collect();
        assert_eq!(own.len(), 1, "{own:?}");
        // What the item bills as a whole: both billed parts.
        let sum = own[0].stake.booked.unwrap().amount_minor;
        let story = pipeline::explain::explain(&parted.stage.env, parted.id.clone()).await;
        let stake = story.unwrap().unwrap().exception.unwrap().stake;
        assert_eq!(stake.booked.unwrap().amount_minor, sum);
        let whole_only = parted.in_erp().await[&Part::WHOLE].amount_minor;
        assert!(sum > whole_only, "{sum} {whole_only}");

        // The time of the drawn part goes to the whole; the missing one is left alone.
        parted.book(&[(PREMIUM, 3_600, 2)]).await;
        let result = parted.stage.pass().await;
        assert_eq!(
            result.post.posted, 2,
            "the whole replaced, the drawn part taken off"
        );
        assert!(lines(&parted, PREMIUM).await.is_empty());
        assert_eq!(parted.stage.class(&parted.id).await, Class::LineMissing);
        // Told once, not at every pass.
        let quiet = parted.stage.pass().await;
        assert_eq!((quiet.post.calls, quiet.told), (0, 0));

        // A replay prices the entry as its contract says now, in one part.
        let replayed = parted.stage.replay(Choice::All).await;
        assert_eq!(replayed.still_open, 0, "{replayed:?}");
        parted.stage.pass().await;
        parted.holds(&[]).await;
        assert_eq!(shown(&parted).0, Some(BillingStatus::Posted));
    });
}

#[test]
fn an_issued_part_is_credited_and_billed_anew_and_the_other_stays() {
    play(async {
        let stage = Stage::new(25, Uniqueness::UniqueKey);
        let parted = Parted::new(stage, true).await;
        parted.book(&[(PREMIUM, 3_600, 2), (DRAWN, 1_800, 1)]).await;
        parted.stage.pass().await;
        parted.stage.erp_act(&ErpAct::IssueAll);
        parted.stage.pass().await;
        let (status, first) = shown(&parted);
        assert_eq!(status, Some(BillingStatus::Invoiced));
        assert!(!first.contains(','), "one invoice holds both: {first}");
        let whole = lines(&parted, Part::WHOLE).await;

        parted.book(&[(PREMIUM, 3_600, 3), (DRAWN, 1_800, 1)]).await;
        parted.stage.pass().await;
        parted.stage.pass().await;
        parted
            .holds(&[(PREMIUM, 3_600, 3), (DRAWN, 1_800, 1)])
            .await;
        assert_eq!(lines(&parted, Part::WHOLE).await, whole);
        assert_eq!(lines(&parted, PREMIUM).await.len(), 3, "line, credit, line");
        // The least finished counts, and both documents are named.
        let (status, reference) = shown(&parted);
        assert_eq!(status, Some(BillingStatus::Posted));
        assert!(
            reference.starts_with(&format!("{first}, draft ")),
            "{reference}"
        );
        parted.stage.erp_act(&ErpAct::IssueAll);
        parted.stage.pass().await;
        let (status, reference) = shown(&parted);
        assert_eq!(status, Some(BillingStatus::Invoiced));
        assert!(reference.starts_with(&format!("{first}, ")), "{reference}");
        let quiet = parted.stage.pass().await;
        assert_eq!((quiet.post.calls, quiet.told), (0, 0), "{quiet:?}");
    });
}

//! Lines that several charges share: what a pass puts on documents where a contract groups its
//! lines, and what becomes of a line when its members change.

use crate::stage::{Stage, play};
use domain::contract::lines::LineKey;
use domain::contract::{BillShape, Contract};
use domain::decimal::Micro;
use domain::money::Money;
use domain::rounding::Rounding;
use pipeline::exceptions::Choice;
use pipeline::reconcile::Class;
use twins::erp::{ErpAct, Uniqueness};
use twins::tracker::{Entry, TrackerAct};

/// A line of an invoice: quantity, rate, amount in minor units, text.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Printed {
    quantity: Micro,
    rate: Micro,
    pub(crate) amount_minor: i64,
    text: String,
}

impl Printed {
    pub(crate) fn quantity_micro(&self) -> i64 {
        self.quantity.micro()
    }
}

impl std::fmt::Display for Printed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let eur = "EUR".parse().unwrap();
        let amount = Money {
            amount_minor: self.amount_minor,
            currency: eur,
        };
        let amount = amount.decimal();
        write!(
            f,
            "{} x {} = {amount}: {}",
            self.quantity, self.rate, self.text
        )
    }
}

/// The lines that stand on documents billed to a customer.
pub(crate) fn printed(stage: &Stage, customer: &str) -> Vec<Printed> {
    stage.world.erp.with(|state| {
        let erp = &state.machine;
        let own = erp.lines.values().filter(|line| {
            let document = erp.documents.get(&line.document_id).unwrap();
            let customer_of = erp.customers.get(&document.customer_id);
            customer_of.is_some_and(|c| c.code == customer)
        });
        let mut all: Vec<Printed> = own
            .map(|line| Printed {
                quantity: line.quantity,
                rate: line.rate,
                amount_minor: line.amount.amount_minor,
                text: line.description.clone(),
            })
            .collect();
        all.sort();
        all
    })
}

pub(crate) fn together(keys: &[LineKey]) -> impl FnOnce(&mut Contract) {
    let keys = keys.to_vec();
    move |contract| {
        contract.increment = None;
        contract.lines.together = Some(keys);
    }
}

pub(crate) fn issue_all(stage: &Stage) {
    stage.erp_act(&ErpAct::IssueAll);
}

pub(crate) fn sum(lines: &[Printed]) -> (i64, i64) {
    let all = lines.iter();
    all.fold((0, 0), |(micro, minor), line| {
        (micro + line.quantity.micro(), minor + line.amount_minor)
    })
}

/// A stage whose customer C02 has a handful of entries of one person, one task and one rate.
pub(crate) async fn with_work(seed: u64, hours: &[&str]) -> (Stage, Vec<String>) {
    let mut stage = Stage::new(seed, Uniqueness::UniqueKey);
    let contract = stage.with_contract(|contract| contract.increment = None);
    let like = stage.world.tracker.with(|state| {
        let tracker = &state.machine;
        let mut own = tracker.entries.values().filter(|entry| {
            let project = tracker.projects.get(&entry.project_id).unwrap();
            let code = project.erp_code.as_ref();
            entry.approved_by.is_some() && code.is_some_and(|code| contract.projects.contains(code))
        });
        own.next().cloned().unwrap()
    });
    for hours in hours {
        add(&stage, &like, hours);
    }
    let ids = stage.world.tracker.with(|state| {
        let ids = state.machine.entries.keys().rev().take(hours.len());
        let mut ids: Vec<String> = ids.map(ToString::to_string).collect();
        ids.reverse();
        ids
    });
    (stage, ids)
}

fn add(stage: &Stage, like: &Entry, hours: &str) {
    add_named(stage, like, hours, &format!("work of {hours} hours"));
}

/// Record one more entry like another; gives its id.
pub(crate) fn add_named(stage: &Stage, like: &Entry, hours: &str, narrative: &str) -> String {
    stage.tracker_act(&TrackerAct::AddEntry {
        user_id: like.user_id.clone(),
        project_id: like.project_id.clone(),
        task_id: like.task_id.clone(),
        activity_id: like.activity_id.clone(),
        date: like.date.clone(),
        hours: hours.to_owned(),
        narrative: narrative.to_owned(),
        approved_by: Some("u1".to_owned()),
    });
    stage.world.tracker.with(|state| {
        let (id, _) = state.machine.entries.last_key_value().unwrap();
        id.to_string()
    })
}

/// Ledger and ERP agree to the cent, whatever lines the money is on; every printed line multiplies
/// out.
pub(crate) async fn tied(stage: &Stage) {
    let settings = &stage.env.settings;
    let own = settings.contracts.iter().filter(|contract| {
        contract.customer.as_deref() == Some("C02") && contract.shape == BillShape::DraftLine
    });
    let own: Vec<&str> = own.map(|contract| contract.id.as_str()).collect();
    let totals = stage.env.store.read(store::totals::by_contract).await;
    let billed: i64 = totals
        .unwrap()
        .iter()
        .filter(|total| own.contains(&total.contract.as_str()) && total.disposition == "bill")
        .map(|total| total.amount_minor)
        .sum();
    let lines = printed(stage, "C02");
    for line in &lines {
        let eur = "EUR".parse().unwrap();
        let product = Money::times(line.quantity, line.rate, eur, Rounding::HalfUp).unwrap();
        assert_eq!(product.amount_minor, line.amount_minor, "{line:?}");
    }
    assert_eq!(sum(&lines).1, billed, "{lines:#?}");
    stage.reconcile().await;
}

/// Nothing is left to do, nobody is asked, and everything ties out.
pub(crate) async fn settled(stage: &Stage) {
    let quiet = stage.pass().await;
    assert_eq!((quiet.post.calls, quiet.intake.revisions), (0, 0));
    let open = stage.exceptions().await;
    assert!(open.is_empty(), "{open:?}");
    tied(stage).await;
}

fn hours(lines: &[Printed]) -> Vec<String> {
    let at = |line: &&Printed| line.rate == "251.2345".parse().unwrap();
    let own = lines.iter().filter(at);
    own.map(|line| line.quantity.to_string()).collect()
}

#[test]
fn entries_of_a_rate_share_a_line_that_follows_them() {
    play(async {
        let (mut stage, ids) = with_work(21, &["1.10", "0.33", "0.07", "2.35"]).await;
        stage.with_contract(together(&[]));
        stage.pass().await;
        let lines = printed(&stage, "C02");
        assert_eq!(hours(&lines), ["9.85"], "{lines:#?}");
        let text = "work of 1.10 hours; work of 0.33 hours; work of 0.07 hours";
        assert!(
            lines.iter().any(|line| line.text.contains(text)),
            "{lines:#?}"
        );
        settled(&stage).await;
        assert_eq!(stage.shown(&ids[0]).0, "posted");
        assert_eq!(stage.shown(&ids[0]), stage.shown(&ids[3]));

        // On the draft, the line follows: an edit, an arrival, a deletion.
        stage.set_hours(&ids[1], "0.50");
        stage.pass().await;
        assert_eq!(hours(&printed(&stage, "C02")), ["10.02"]);
        settled(&stage).await;
        add(&stage, &stage.entry(&ids[0]), "0.60");
        stage.pass().await;
        assert_eq!(hours(&printed(&stage, "C02")), ["10.62"]);
        settled(&stage).await;
        stage.tracker_act(&TrackerAct::DeleteEntry { id: ids[3].clone() });
        stage.pass().await;
        assert_eq!(hours(&printed(&stage, "C02")), ["8.27"]);
        settled(&stage).await;
    });
}

#[test]
fn what_misses_an_invoice_goes_to_the_next_line() {
    play(async {
        let (mut stage, ids) = with_work(21, &["1.10", "0.33", "0.07", "2.35"]).await;
        stage.with_contract(together(&[]));
        stage.pass().await;
        issue_all(&stage);
        stage.pass().await;
        assert_eq!(stage.shown(&ids[0]).0, "invoiced");
        add(&stage, &stage.entry(&ids[0]), "0.60");
        stage.pass().await;
        assert_eq!(hours(&printed(&stage, "C02")), ["0.6", "9.85"]);
        settled(&stage).await;
        add(&stage, &stage.entry(&ids[0]), "0.40");
        stage.pass().await;
        assert_eq!(hours(&printed(&stage, "C02")), ["1", "9.85"]);
        settled(&stage).await;
        assert_eq!(stage.shown(&ids[0]).0, "invoiced");
    });
}

#[test]
fn an_entry_on_an_invoice_is_credited_out_of_its_line() {
    play(async {
        let (mut stage, ids) = with_work(21, &["1.10", "0.33", "0.07", "2.35"]).await;
        stage.with_contract(together(&[]));
        stage.pass().await;
        issue_all(&stage);
        stage.pass().await;
        stage.set_hours(&ids[1], "0.50");
        stage.pass().await;
        stage.pass().await;
        let lines = printed(&stage, "C02");
        assert_eq!(hours(&lines), ["-0.33", "0.5", "9.85"]);
        let credit = lines.iter().find(|line| line.amount_minor < 0).unwrap();
        assert!(
            credit.text.ends_with("Build: work of 0.33 hours"),
            "{credit:?}"
        );
        settled(&stage).await;
        // Gone for good.
        stage.tracker_act(&TrackerAct::DeleteEntry { id: ids[3].clone() });
        stage.pass().await;
        assert_eq!(
            hours(&printed(&stage, "C02")),
            ["-2.35", "-0.33", "0.5", "9.85"]
        );
        settled(&stage).await;
        assert_eq!(stage.shown(&ids[0]).0, "invoiced");
    });
}

#[test]
fn a_line_that_a_person_deletes_is_one_exception_shown_on_all_its_entries() {
    play(async {
        let (mut stage, ids) = with_work(21, &["1.10", "0.33", "2.35"]).await;
        stage.with_contract(together(&[]));
        stage.pass().await;
        let line = stage.world.erp.with(|state| {
            let mut lines = state.machine.lines.iter();
            let own = lines.find(|(_, line)| line.description.contains("work of 0.33 hours"));
            own.map(|(id, _)| id.to_string()).unwrap()
        });
        stage.erp_act(&ErpAct::DeleteLine { line });
        stage.pass().await;
        let open = stage.exceptions().await;
        assert_eq!(open.len(), 1, "{open:?}");
        assert_eq!(open[0].code, "LINE_MISSING");
        assert!(
            open[0].source_ref.contains("/line/"),
            "{}",
            open[0].source_ref
        );
        // The whole line is at stake, not the cent of rounding that its charge books.
        assert!(open[0].stake.booked.unwrap().amount_minor > 200_000);
        for id in &ids {
            let shown = stage.shown(id);
            assert_eq!(shown, ("exception".to_owned(), "LINE_MISSING".to_owned()));
        }
        let report = stage.reconcile().await;
        let row = |name: &str| {
            report
                .entries
                .iter()
                .find(|e| e.source_ref == name)
                .unwrap()
        };
        assert_eq!(row(&ids[0]).class, Class::LineMissing);
        // Other work of the group does not wait for the decision.
        let late = add_named(&stage, &stage.entry(&ids[0]), "0.60", "meanwhile");
        stage.pass().await;
        assert_eq!(stage.shown(&late).0, "posted");
        assert_eq!(hours(&printed(&stage, "C02")), ["0.6"]);
        // A person says: bill it again.
        stage.replay(Choice::All).await;
        stage.pass().await;
        settled(&stage).await;
        assert_eq!(stage.shown(&ids[0]).0, "posted");
        assert_eq!(hours(&printed(&stage, "C02")), ["0.6", "9.78"]);
    });
}

#[test]
fn what_a_person_credited_stays_credited_and_a_change_is_billed_alone() {
    play(async {
        let (mut stage, ids) = with_work(21, &["1.10", "0.33", "2.35"]).await;
        stage.with_contract(together(&[]));
        stage.pass().await;
        issue_all(&stage);
        stage.pass().await;
        let document = stage.world.erp.with(|state| {
            let mut lines = state.machine.lines.values();
            let own = lines.find(|line| line.description.contains("work of 0.33 hours"));
            own.map(|line| line.document_id.to_string()).unwrap()
        });
        stage.erp_act(&ErpAct::Credit { document });
        stage.pass().await;
        assert_eq!(stage.shown(&ids[0]).0, "credited");
        let quiet = stage.pass().await;
        assert_eq!(quiet.post.calls, 0);
        stage.set_hours(&ids[1], "0.50");
        stage.pass().await;
        let lines = printed(&stage, "C02");
        let new: Vec<&Printed> = lines
            .iter()
            .filter(|l| l.text.ends_with("0.33 hours"))
            .collect();
        assert_eq!(new.len(), 1, "{lines:#?}");
        assert_eq!(new[0].quantity, "0.5".parse().unwrap());
        assert_eq!(stage.shown(&ids[1]).0, "posted");
        assert_eq!(stage.shown(&ids[0]).0, "credited");
        stage.reconcile().await;
    });
}

/// 130.485 an hour: the credit of one entry may be a cent off what the line loses. Then the line is
/// credited whole, and the rest is billed anew.
#[test]
fn a_credit_that_would_not_multiply_out_takes_the_whole_line() {
    play(async {
        let (mut stage, ids) = with_work(21, &["1.10", "0.33", "0.07", "2.35", "0.58"]).await;
        stage.with_contract(together(&[]));
        stage.pass().await;
        issue_all(&stage);
        stage.pass().await;
        let (mut in_part, mut whole) = (0, 0);
        for id in ids {
            let before = printed(&stage, "C02").len();
            stage.tracker_act(&TrackerAct::DeleteEntry { id });
            stage.pass().await;
            stage.pass().await;
            // A credit alone, or a credit and the rest on a line of its own.
            match printed(&stage, "C02").len() - before {
                1 => in_part += 1,
                2 => whole += 1,
                other => panic!("{other} new lines"),
            }
            settled(&stage).await;
            issue_all(&stage);
            stage.pass().await;
        }
        assert!(in_part > 0 && whole > 0, "{in_part} {whole}");
    });
}

#[test]
fn an_approval_that_is_taken_back_after_the_invoice_waits_for_a_person() {
    play(async {
        let (mut stage, ids) = with_work(21, &["1.10", "0.33", "2.35"]).await;
        stage.with_contract(together(&[]));
        stage.pass().await;
        issue_all(&stage);
        stage.pass().await;
        let lines = stage.lines();
        stage.tracker_act(&TrackerAct::Unapprove { id: ids[1].clone() });
        stage.pass().await;
        let open = stage.exceptions().await;
        assert_eq!(open.len(), 1, "{open:?}");
        assert_eq!(open[0].code, "APPROVAL_WITHDRAWN");
        assert_eq!(stage.lines(), lines);
        stage.replay(Choice::All).await;
        stage.pass().await;
        assert!(hours(&printed(&stage, "C02"))[0].starts_with('-'));
        tied(&stage).await;
    });
}

#[test]
fn the_story_of_an_entry_tells_the_line_that_bills_it() {
    play(async {
        let (mut stage, ids) = with_work(21, &["1.10", "0.33", "2.35"]).await;
        stage.with_contract(together(&[]));
        stage.pass().await;
        let story = pipeline::explain::explain(&stage.env, ids[0].clone())
            .await
            .unwrap()
            .unwrap();
        assert_eq!(story.postings.len(), 1);
        let shared = story.postings[0].shared_line.clone().unwrap();
        assert!(shared.ends_with("4 charges"), "{shared}");
        let (line, _) = shared.split_once(',').unwrap();
        let story = pipeline::explain::explain(&stage.env, line.to_owned())
            .await
            .unwrap()
            .unwrap();
        let words = &story.charges[0].words;
        assert!(
            words.starts_with("line of 4 charges: 9.78 h x 251.2345 = "),
            "{words}"
        );
        assert!(words.contains("of which rounding"), "{words}");
        // What a dry run says is what a pass does.
        add(&stage, &stage.entry(&ids[0]), "0.60");
        stage.pass().await;
        settled(&stage).await;
    });
}

//! The connector against a running Redmine (the lab). Without one, each test returns early.
//!
//! Seeded entries are only read; whatever a test changes, it made itself, in the year 2024 or in
//! projects of its own, and takes away again with the administrator's key.

use super::lab::Lab;
use connector_sdk::call::CallError;
use connector_sdk::check::Verdict;
use connector_sdk::secrecy::SecretString;
use connector_sdk::source::{DateWindow, Feedback, Fetched, MasterWriter, TimeSource, WriteBack};
use connector_sdk::transport::Method;
use counterfoil_connectors::source::redmine::RedmineConfig;
use domain::entry::SourceEntry;
use domain::exception::Code;
use domain::masters::{Masters, Project, Task};
use domain::status::BillingStatus;
use jiff::civil::{Date, date};
use serde_json::{Value, json};

fn one_day(day: Date) -> DateWindow {
    DateWindow { from: day, to: day }
}

fn posted(id: &str, reference: &str) -> WriteBack {
    WriteBack {
        source_ref: id.to_owned(),
        status: BillingStatus::Posted,
        reference: reference.to_owned(),
    }
}

async fn present(redmine: &impl TimeSource, id: &str) -> SourceEntry {
    match redmine.fetch(id).await.unwrap() {
        Fetched::Present(entry) => *entry,
        other => panic!("{id}: {other:?}"),
    }
}

#[tokio::test]
async fn reads_all_seeded_entries_across_pages() {
    let Some(lab) = Lab::running() else { return };
    let window = DateWindow {
        from: date(2025, 12, 1),
        to: date(2026, 11, 30),
    };
    let seed = lab.seed("/time_entries");
    for page_size in [100, 7] {
        let redmine = lab.connector_with(|config| config.page_size = page_size);
        let scan = redmine.scan(window).await.unwrap();
        assert_eq!(scan.unreadable, []);
        let ids: Vec<u64> = scan
            .entries
            .iter()
            .map(|entry| entry.source_ref.parse().unwrap())
            .collect();
        // Other tests may add entries to the same window; the seeded ones stay.
        let (first, last) = (&seed["first_id"], &seed["last_id"]);
        for id in first.as_u64().unwrap()..=last.as_u64().unwrap() {
            let times = ids.iter().filter(|found| **found == id).count();
            assert_eq!(times, 1, "time entry {id} with pages of {page_size}");
        }
        assert!(
            scan.entries
                .iter()
                .all(|e| e.fields.recorded_seconds % 60 == 0)
        );
    }
}

#[tokio::test]
async fn reads_the_named_cases() {
    let Some(lab) = Lab::running() else { return };
    let redmine = lab.connector();
    let case = |name: &str| {
        lab.seed(&format!("/cases/{name}"))
            .as_u64()
            .unwrap()
            .to_string()
    };
    let present = async |id: String| present(&redmine, &id).await;
    let entry = present(case("without_issue")).await;
    assert_eq!(entry.fields.task_ref, None);
    assert_eq!(entry.fields.recorded_seconds, 40 * 60);
    let entry = present(case("without_comment")).await;
    assert_eq!(entry.fields.narrative, "");
    assert_eq!(entry.fields.recorded_seconds, 10 * 60);
    let entry = present(case("text_beyond_ascii")).await;
    assert_eq!(
        entry.fields.narrative,
        "Besprechung „Übergabe“, 引き継ぎ, café ✓"
    );
    for gone in ["999999999", "18446744073709551615", "0", "no-id"] {
        assert_eq!(redmine.fetch(gone).await.unwrap(), Fetched::Gone, "{gone}");
    }
}

#[tokio::test]
async fn reads_masters_with_and_without_an_administrators_key() {
    let Some(lab) = Lab::running() else { return };
    let plain = lab.connector().masters().await.unwrap();
    let project = lab.seed("/projects/acme-rollout");
    let id = project["id"].as_u64().unwrap().to_string();
    assert_eq!(plain.project_codes[&id], "P-ACME-TM");
    assert_eq!(plain.project_customers[&id], "C-ACME");
    let issue = project["issues"]["Build"]["id"]
        .as_u64()
        .unwrap()
        .to_string();
    assert_eq!(plain.task_codes[&issue], "T-ACME-BUILD");
    let user = lab.seed("/users/ada.fox/id").as_u64().unwrap().to_string();
    assert_eq!(plain.worker_codes[&user], "ada.fox");
    assert_eq!(plain.names[&format!("worker:{user}")], "Ada Fox");
    let admin = lab.connector_as("/admin/key").masters().await.unwrap();
    assert_eq!(admin.worker_codes[&user], "ada.fox");
    assert_eq!(admin.project_codes[&id], "P-ACME-TM");
}

#[tokio::test]
async fn shows_billing_status_without_a_revision() {
    let Some(lab) = Lab::running() else { return };
    let redmine = lab.connector();
    let text = "שלום, 引き継ぎ 👩\u{200d}💻 e\u{301}";
    let booked = json!({ "spent_on": "2024-01-10", "comments": text });
    let id = lab.book(booked).await;
    let before = present(&redmine, &id).await;
    assert_eq!(before.fields.narrative, text);
    assert_eq!(before.fields.recorded_seconds, 80 * 60);
    assert_eq!(before.shown_status.as_deref(), Some("Unbilled"));
    assert_eq!(before.shown_reference, None);
    for status in BillingStatus::ALL {
        let update = WriteBack {
            status,
            ..posted(&id, "INV-1/line 3")
        };
        assert!(redmine.write_back(&update).await.unwrap());
        assert!(redmine.write_back(&update).await.unwrap(), "written twice");
        let after = present(&redmine, &id).await;
        assert_eq!(after.fields, before.fields);
        assert_eq!(after.shown_status.as_deref(), Some(status.words()));
        assert_eq!(after.shown_reference.as_deref(), Some("INV-1/line 3"));
    }
    assert!(redmine.write_back(&posted(&id, "")).await.unwrap());
    let after = present(&redmine, &id).await;
    assert_eq!(after.shown_reference, None);
    lab.unbook(&id).await;
    assert!(!redmine.write_back(&posted(&id, "")).await.unwrap());
    assert_eq!(redmine.fetch(&id).await.unwrap(), Fetched::Gone);
    let scan = redmine.scan(one_day(date(2024, 1, 10))).await.unwrap();
    assert!(scan.entries.iter().all(|entry| entry.source_ref != id));
}

#[tokio::test]
async fn a_wrong_key_is_unauthorized_and_is_never_repeated() {
    let Some(lab) = Lab::running() else { return };
    let key = SecretString::from("0123456789abcdef-no-key");
    let redmine = Lab::build(RedmineConfig::at(lab.url()), &key);
    let window = one_day(date(2024, 1, 1));
    let errors = [
        redmine.scan(window).await.unwrap_err(),
        redmine.fetch("1").await.unwrap_err(),
        redmine.masters().await.unwrap_err(),
        redmine.write_back(&posted("1", "")).await.unwrap_err(),
    ];
    for error in errors {
        assert!(matches!(error, CallError::Unauthorized { .. }), "{error}");
        assert!(!format!("{error} {error:?} {redmine:?}").contains("no-key"));
    }
    let lines = redmine.check().await;
    assert_eq!(lines.len(), 1);
    assert_eq!(lines[0].subject, "API key");
}

#[tokio::test]
async fn the_check_is_good_and_names_what_is_not() {
    let Some(lab) = Lab::running() else { return };
    for key in ["/connector/key", "/admin/key"] {
        let lines = lab.connector_as(key).check().await;
        let bad: Vec<_> = lines.iter().filter(|l| l.verdict == Verdict::Bad).collect();
        assert!(bad.is_empty(), "{key}: {bad:#?}");
    }
    // A consultant may log time, but not see all of it or write to it.
    let lines = lab.connector_as("/users/ada.fox/key").check().await;
    assert!(
        lines.iter().any(|l| l.found.contains("'Edit time logs'")),
        "{lines:#?}"
    );
    let mut config = RedmineConfig::at(lab.url());
    config.approved_values = vec!["Freigegeben".to_owned()];
    let lines = Lab::build(config, &lab.key("/admin/key")).check().await;
    let bad = lines.iter().find(|l| l.verdict == Verdict::Bad).unwrap();
    assert!(bad.found.contains("lacks: Freigegeben"), "{bad:?}");
    let config = RedmineConfig::at(format!("{}/nowhere", lab.url()));
    let lines = Lab::build(config, &lab.key("/connector/key")).check().await;
    assert_eq!(lines[0].subject, "address", "{lines:?}");
}

fn erp(code: &str, customer: Option<&str>, active: bool) -> (String, Project) {
    let project = Project {
        code: code.to_owned(),
        name: format!("Published {code}"),
        erp_ref: "1".to_owned(),
        customer: customer.map(str::to_owned),
        active,
    };
    (code.to_owned(), project)
}

fn task(project: &str, code: &str, active: bool) -> Task {
    Task {
        project: project.to_owned(),
        code: code.to_owned(),
        name: format!("Task {code}"),
        erp_ref: "1".to_owned(),
        active,
        closed_after: None,
    }
}

#[tokio::test]
async fn publishes_masters_and_guards_what_is_out_of_sight() {
    let Some(lab) = Lab::running() else { return };
    let none = Value::Null;
    let redmine = lab.connector_as("/admin/key");
    for left_over in ["erp-p-pub-1", "erp-p-pub-2"] {
        let path = format!("projects/{left_over}.json");
        lab.act(Method::Delete, &path, none.clone()).await;
    }
    let known = redmine.masters().await.unwrap();
    let masters = |active: bool| Masters {
        projects: known
            .project_codes
            .iter()
            .map(|(id, code)| {
                let closed = known.closed.contains(&format!("project:{id}"));
                erp(code, None, !closed)
            })
            .chain([erp("P-PUB-1", Some("C-ACME"), active)])
            .chain([erp("P-PUB-2", Some("C-NOBODY"), true)])
            .collect(),
        tasks: vec![task("P-PUB-1", "T-1", true), task("P-PUB-1", "T-2", active)],
        ..Masters::default()
    };
    let mine = |lines: &[String]| lines.iter().filter(|l| l.contains("PUB")).count();

    let dry = redmine.publish(&masters(true), true).await.unwrap();
    assert_eq!(mine(&dry.created), 4, "{dry:?}");
    let wet = redmine.publish(&masters(true), false).await.unwrap();
    assert_eq!(wet.created, dry.created, "{wet:?}");
    let again = redmine.publish(&masters(true), false).await.unwrap();
    assert_eq!(mine(&again.created), 0, "{again:?}");
    assert_eq!(mine(&again.refused), 0, "{again:?}");

    let source = redmine.masters().await.unwrap();
    let of = |code: &str| {
        let mut found = source.project_codes.iter().filter(|(_, c)| *c == code);
        found.next().unwrap().0.clone()
    };
    let (first, second) = (of("P-PUB-1"), of("P-PUB-2"));
    assert_eq!(source.project_customers[&first], "C-ACME");
    assert_eq!(source.project_customers[&second], "C-NOBODY");
    assert_eq!(
        source.task_codes.values().filter(|c| *c == "T-1").count(),
        1
    );

    // Time on a project that is then closed and archived.
    let day = date(2024, 2, 1);
    let booked = json!({ "project_id": first, "issue_id": null, "spent_on": "2024-02-01" });
    let id = lab.book(booked).await;
    let mut closing = masters(false);
    closing.tasks[1].active = false;
    let closed = redmine.publish(&closing, false).await.unwrap();
    assert_eq!(mine(&closed.closed), 1, "{closed:?}");
    let source = redmine.masters().await.unwrap();
    assert!(source.closed.contains(&format!("project:{first}")));
    let error = redmine.write_back(&posted(&id, "INV-9")).await.unwrap_err();
    let CallError::Refused { problem } = error else {
        panic!("{error}");
    };
    assert_eq!(problem.code, Code::TrackerRefused);
    assert_eq!(redmine.scan(one_day(day)).await.unwrap().entries.len(), 1);

    let reopened = redmine.publish(&masters(true), false).await.unwrap();
    assert_eq!(mine(&reopened.changed), 1, "{reopened:?}");
    let mut closing = masters(true);
    closing.tasks[1].active = false;
    // A role without workflow: Redmine says "done" and leaves the issue open.
    let left = lab.connector().publish(&closing, false).await.unwrap();
    assert_eq!(left.closed.len(), 0, "{left:?}");
    assert!(
        left.refused.iter().any(|l| l.contains("workflow")),
        "{left:?}"
    );
    let closed = redmine.publish(&closing, false).await.unwrap();
    assert_eq!(closed.closed.len(), 1, "{closed:?}");
    let again = redmine.publish(&closing, false).await.unwrap();
    assert_eq!(again.closed.len(), 0, "{again:?}");

    let archive = format!("projects/{first}/archive.json");
    lab.act(Method::Put, &archive, none.clone()).await;
    // Out of sight, but not gone: nothing may be reversed for it.
    assert_eq!(redmine.scan(one_day(day)).await.unwrap().entries.len(), 0);
    let Fetched::Unreadable(hidden) = redmine.fetch(&id).await.unwrap() else {
        panic!("an archived entry looks deleted or readable");
    };
    assert_eq!(hidden.source_ref.as_deref(), Some(id.as_str()));
    for project in [first, second] {
        let path = format!("projects/{project}.json");
        let (status, _) = lab.act(Method::Delete, &path, none.clone()).await;
        assert_eq!(status, 204);
    }
    assert_eq!(redmine.fetch(&id).await.unwrap(), Fetched::Gone);
}

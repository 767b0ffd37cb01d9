//! The connector against a running Redmine (the lab). Without one, each test returns early.
//!
//! Seeded entries are only read; whatever a test changes, it made itself, in the year 2024 or in
//! projects of its own, and takes away again with the administrator's key.

#[path = "redmine/lab.rs"]
mod lab;

use connector_sdk::source::{DateWindow, Fetched, TimeSource};
use jiff::civil::date;
use lab::Lab;

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
    let present = async |id: String| match redmine.fetch(&id).await.unwrap() {
        Fetched::Present(entry) => entry,
        other => panic!("{id}: {other:?}"),
    };
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

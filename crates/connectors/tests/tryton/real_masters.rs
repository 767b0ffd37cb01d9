//! Identity, masters and check on the running Tryton.

use crate::lab::{Kind, Lab};
use connector_sdk::check::Verdict;
use connector_sdk::target::Target;
use counterfoil_connectors::target::tryton::CompanyChoice;
use jiff::civil::date;

#[tokio::test]
async fn the_company_says_who_it_is() {
    let Some(lab) = Lab::open(Kind::Key) else {
        return;
    };
    let company = lab.id(&["company", "id"]);
    let expected = format!("tryton:{}:{company}:Kestrel Advisory", lab.config.database);
    assert_eq!(lab.target().identity().await.unwrap(), expected);
    let mut by_id = lab.config.clone();
    by_id.company = CompanyChoice::Id(company.parse().unwrap());
    let by_id = lab.target_with(by_id, std::sync::Arc::clone(&lab.transport));
    assert_eq!(by_id.identity().await.unwrap(), expected);
}

#[tokio::test]
async fn masters_are_complete_and_inactive_is_not_gone() {
    let Some(lab) = Lab::open(Kind::Plain) else {
        return;
    };
    let masters = lab.target().masters().await.unwrap();
    let names = |section: &str| -> Vec<String> {
        lab.facts[section]
            .as_object()
            .unwrap()
            .keys()
            .cloned()
            .collect()
    };
    assert_eq!(
        masters.customers.keys().cloned().collect::<Vec<_>>(),
        names("customers")
    );
    assert_eq!(
        masters.workers.keys().cloned().collect::<Vec<_>>(),
        names("employees")
    );
    assert_eq!(
        masters.projects.keys().cloned().collect::<Vec<_>>(),
        names("projects")
    );
    assert_eq!(
        masters.service_items.keys().cloned().collect::<Vec<_>>(),
        names("products")
    );
    assert!(!masters.customers["C-GONE"].active);
    assert!(masters.customers["C-ACME"].active);
    assert!(!masters.customers["C-ACME"].on_hold);
    assert_eq!(
        masters.customers["C-ACME"].erp_ref,
        lab.id(&["customers", "C-ACME", "id"])
    );
    let left = &masters.workers["E-MARSH"];
    assert_eq!(left.until, Some(date(2026, 3, 31)));
    assert_eq!(masters.workers["E-FOX"].from, Some(date(2024, 1, 1)));
    assert_eq!(
        masters.projects["P-ACME-TM"].customer.as_deref(),
        Some("C-ACME")
    );
    assert_eq!(masters.projects["P-INT"].customer, None);
    let closed = masters.task("P-BORE-TM", "T-BORE-PHASE1").unwrap();
    assert_eq!(closed.closed_after, Some(date(2026, 2, 28)));
    let open = masters.task("P-ACME-TM", "T-ACME-BUILD").unwrap();
    let path = [
        "projects",
        "P-ACME-TM",
        "tasks",
        "T-ACME-BUILD",
        "timesheet_work",
    ];
    assert_eq!(open.erp_ref, lab.id(&path));
    assert!(open.active && open.closed_after.is_none());
    assert_eq!(masters.periods.len(), 24);
    let closed_until = masters
        .periods
        .iter()
        .filter(|p| !p.open)
        .map(|p| p.last)
        .max();
    assert_eq!(closed_until, Some(date(2026, 1, 31)));
    assert!(masters.periods.is_sorted_by_key(|period| period.first));
}

#[tokio::test]
async fn the_check_finds_a_working_connection_and_says_what_is_missing() {
    let Some(lab) = Lab::open(Kind::Key) else {
        return;
    };
    let lines = lab.target().check().await;
    assert!(
        lines.iter().all(|line| line.verdict == Verdict::Good),
        "{lines:#?}"
    );

    let Some(plain) = Lab::open(Kind::Plain) else {
        return;
    };
    let mut wants_module = plain.config.clone();
    wants_module.uniqueness = lab.config.uniqueness;
    wants_module.hold_category = Some("Billing hold".to_owned());
    let target = plain.target_with(wants_module, std::sync::Arc::clone(&plain.transport));
    let lines = target.check().await;
    let bad: Vec<&str> = lines
        .iter()
        .filter(|line| line.verdict == Verdict::Bad)
        .map(|line| line.subject.as_str())
        .collect();
    assert_eq!(bad, ["unique key", "billing hold"], "{lines:#?}");
    assert!(
        lines
            .iter()
            .all(|l| l.verdict == Verdict::Good || l.hint.is_some())
    );
}

#[tokio::test]
async fn a_billing_hold_and_finished_work_are_seen() {
    let Some(lab) = Lab::open(Kind::Key) else {
        return;
    };
    let category = lab
        .does("party.category.create", r#"[{"name":"Billing hold"}]"#)
        .await;
    let category = category.items().unwrap()[0].as_int().unwrap();
    let party = lab.id(&["customers", "C-FJOR", "id"]);
    let held = format!(r#"[{party}],{{"categories":[["add",[{category}]]]}}"#);
    lab.does("party.party.write", &held).await;
    let status = lab
        .does("project.work.status.search", r#"[["progress","=",1]]"#)
        .await;
    let status = status.items().unwrap()[0].as_int().unwrap();
    let task = lab.id(&["projects", "P-INT", "tasks", "T-INT-ADMIN", "id"]);
    let finished = format!(r#"[{task}],{{"progress":1,"status":{status}}}"#);
    lab.does("project.work.write", &finished).await;

    let mut config = lab.config.clone();
    config.hold_category = Some("Billing hold".to_owned());
    let target = lab.target_with(config, std::sync::Arc::clone(&lab.transport));
    let masters = target.masters().await.unwrap();
    let on_hold: Vec<&str> = masters
        .customers
        .values()
        .filter(|customer| customer.on_hold)
        .map(|customer| customer.code.as_str())
        .collect();
    assert_eq!(on_hold, ["C-FJOR"]);
    assert!(!masters.task("P-INT", "T-INT-ADMIN").unwrap().active);
    assert!(masters.task("P-INT", "T-INT-LEARN").unwrap().active);
    let check = target.check().await;
    let hold = check
        .iter()
        .find(|line| line.subject == "billing hold")
        .unwrap();
    assert_eq!(hold.found, "customers on hold: 1");
}

//! The plan, case by case.

use super::*;
use std::collections::BTreeSet;

fn project(id: u64, status: u64, erp: &str, customer: &str) -> Project {
    serde_json::from_value(serde_json::json!({
        "id": id, "name": format!("Project {id}"), "identifier": format!("p{id}"),
        "status": status,
        "custom_fields": [{"id": 6, "name": "ERP project", "value": erp},
                          {"id": 5, "name": "ERP customer", "value": customer}]
    }))
    .unwrap()
}

fn issue(id: u64, project: u64, task: &str, closed: bool) -> Issue {
    serde_json::from_value(serde_json::json!({
        "id": id, "project": {"id": project}, "subject": format!("Issue {id}"),
        "status": {"id": 1, "name": "New", "is_closed": closed},
        "custom_fields": [{"id": 7, "name": "ERP task", "value": task}]
    }))
    .unwrap()
}

fn erp(code: &str, customer: Option<&str>, active: bool) -> ErpProject {
    ErpProject {
        code: code.to_owned(),
        name: format!("Name of {code}"),
        erp_ref: "1".to_owned(),
        customer: customer.map(str::to_owned),
        active,
    }
}

fn task(project: &str, code: &str, active: bool, closed_after: Option<Date>) -> Task {
    Task {
        project: project.to_owned(),
        code: code.to_owned(),
        name: format!("Name of {code}"),
        erp_ref: "1".to_owned(),
        active,
        closed_after,
    }
}

fn words(
    erps: Vec<ErpProject>,
    tasks: Vec<Task>,
    projects: &[Project],
    issues: &[Issue],
) -> (Vec<String>, Vec<String>) {
    let masters = Masters {
        projects: erps.into_iter().map(|p| (p.code.clone(), p)).collect(),
        tasks,
        ..Masters::default()
    };
    let standing = Standing {
        projects,
        issues,
        today: jiff::civil::date(2026, 11, 23),
    };
    let plan = plan(&masters, &standing, &RedmineConfig::at("http://x"));
    (plan.steps.iter().map(Step::words).collect(), plan.refused)
}

#[test]
fn makes_what_is_missing_under_the_customers_project() {
    let projects = [
        project(1, 1, "", "C-1"),
        project(2, 1, "P-OLD", "C-1"),
        project(3, 9, "", "C-2"),
    ];
    let masters = Masters {
        projects: [
            erp("P-NEW", Some("C-1"), true),
            erp("P-LONE", Some("C-2"), true),
            erp("P-OLD", Some("C-1"), true),
        ]
        .map(|p| (p.code.clone(), p))
        .into(),
        ..Masters::default()
    };
    let standing = Standing {
        projects: &projects,
        issues: &[],
        today: jiff::civil::date(2026, 11, 23),
    };
    let plan = plan(&masters, &standing, &RedmineConfig::at("http://x"));
    let made: Vec<(&str, Option<u64>, Option<&str>)> = plan
        .steps
        .iter()
        .map(|step| match step {
            Step::CreateProject {
                identifier,
                parent,
                customer,
                ..
            } => (identifier.as_str(), *parent, customer.as_deref()),
            other => panic!("{other:?}"),
        })
        .collect();
    // An archived customer's project takes no children.
    assert_eq!(
        made,
        [
            ("erp-p-lone", None, Some("C-2")),
            ("erp-p-new", Some(1), None)
        ]
    );
    assert_eq!(plan.homes, BTreeMap::from([("P-OLD".to_owned(), 2)]));
    assert_eq!(plan.uncoded, ["Project 1"]);
}

#[test]
fn opens_and_closes_in_an_order_that_works() {
    let projects = [
        project(1, 5, "P-1", ""),
        project(2, 1, "P-2", ""),
        project(3, 1, "P-3", ""),
        project(4, 1, "P-UNKNOWN", ""),
    ];
    let issues = [
        issue(11, 1, "T-BACK", true),
        issue(12, 1, "T-PAST", false),
        issue(13, 1, "T-DONE", true),
        issue(14, 3, "T-LEFT", false),
        issue(15, 2, "T-BACK", false),
    ];
    let (steps, refused) = words(
        vec![
            erp("P-1", None, true),
            erp("P-2", None, true),
            erp("P-3", None, false),
            erp("P-GONE", None, false),
        ],
        vec![
            task("P-1", "T-BACK", true, None),
            task("P-1", "T-PAST", true, Some(jiff::civil::date(2026, 11, 22))),
            task("P-1", "T-DONE", false, None),
            task("P-1", "T-NEW", true, Some(jiff::civil::date(2026, 11, 23))),
            task("P-1", "T-NEVER", false, None),
            task("P-3", "T-LEFT", false, None),
        ],
        &projects,
        &issues,
    );
    assert_eq!(
        steps,
        [
            "project 'Project 1' reopened",
            "issue #11 'Issue 11' reopened",
            "issue #12 'Issue 12'",
            "issue 'Name of T-NEW' for ERP task T-NEW of P-1",
            "project 'Project 3'",
        ]
    );
    assert_eq!(refused.len(), 1);
    assert!(refused[0].contains("P-UNKNOWN"), "{refused:?}");
}

#[test]
fn says_when_an_identifier_is_taken() {
    let mut taken = project(1, 1, "", "");
    taken.identifier = "erp-p-1".to_owned();
    let (steps, refused) = words(vec![erp("P-1", None, true)], vec![], &[taken], &[]);
    assert!(steps.is_empty());
    assert!(refused[0].contains("erp-p-1"), "{refused:?}");
}

#[test]
fn does_nothing_when_nothing_is_missing() {
    let (steps, refused) = words(
        vec![erp("P-1", None, true), erp("P-2", None, false)],
        vec![
            task("P-1", "T-1", true, None),
            task("P-1", "T-2", false, None),
        ],
        &[project(1, 1, "P-1", ""), project(2, 5, "P-2", "")],
        &[issue(1, 1, "T-1", false), issue(2, 1, "T-2", true)],
    );
    assert_eq!((steps, refused), (vec![], vec![]));
}

#[test]
fn identifiers_are_valid_stable_and_different() {
    assert_eq!(identifier("erp-", "P-900"), "erp-p-900");
    assert_eq!(identifier("erp-", "P_A 1"), "erp-p_a-1-xf7e982e47403");
    let long = "A".repeat(300);
    let codes = [
        "P-1", "p-1", "P.1", "P 1", "P/1", "Ü-1", "", "1", "42", "NEW", "new", "-", "é", &long,
    ];
    for prefix in ["", "erp-"] {
        let made: BTreeSet<String> = codes.iter().map(|c| identifier(prefix, c)).collect();
        assert_eq!(made.len(), codes.len(), "{made:?}");
        for text in made {
            let valid = text.len() <= IDENTIFIER_LIMIT_CHARS
                && text != "new"
                && text
                    .bytes()
                    .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-_".contains(&b))
                && !text.bytes().all(|b| b.is_ascii_digit());
            assert!(valid, "{text}");
        }
    }
}

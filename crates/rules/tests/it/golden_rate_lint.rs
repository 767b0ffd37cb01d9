//! What is wrong with a rate card.

use crate::golden_rate_cards::row_of;
use crate::table::{Row, table};
use counterfoil_rules::card::RateUse;
use counterfoil_rules::card::lint::{Known, KnownContract, LintInput, Place, Placed, lint};
use std::collections::BTreeSet;

fn contract(row: &Row) -> KnownContract {
    KnownContract {
        id: row.get("contract").to_owned(),
        customer: row.some("customer"),
        projects: row.get("projects").split(", ").map(str::to_owned).collect(),
        currency: row.get("currency").parse().unwrap(),
        from: row.some("from").map(|day| day.parse().unwrap()),
        to: row.some("to").map(|day| day.parse().unwrap()),
    }
}

fn masters() -> Known {
    let rows = table("rate_lint.md", "Masters");
    let codes = |kind: &str| -> Option<BTreeSet<String>> {
        let of_kind = rows.iter().filter(|row| row.get("kind") == kind);
        Some(of_kind.map(|row| row.get("code").to_owned()).collect())
    };
    let contracts = table("rate_lint.md", "Contracts");
    Known {
        contracts: Some(contracts.iter().map(contract).collect()),
        customers: codes("customer"),
        projects: codes("project"),
        tasks: None,
        practices: codes("practice"),
        workers: codes("worker"),
        roles: codes("role"),
        service_items: codes("item"),
    }
}

#[test]
fn findings_with_the_rows_they_are_about() {
    let all = table("rate_lint.md", "Rows");
    let cases = table("rate_lint.md", "Cases");
    assert!(cases.len() >= 25);
    for case in cases {
        let of_case: Vec<&Row> = all
            .iter()
            .filter(|row| row.get("case") == case.get("case"))
            .collect();
        let names: Vec<&str> = of_case.iter().map(|row| row.get("row")).collect();
        let rows: Vec<Placed> = of_case
            .iter()
            .map(|row| Placed {
                row: row_of(row),
                place: Place::default(),
            })
            .collect();
        let known = match case.get("masters") {
            "given" => masters(),
            _ => Known::default(),
        };
        let found = lint(&LintInput {
            rows: &rows,
            used_for: match case.get("rates") {
                "bill" => RateUse::Bill,
                "cost" => RateUse::Cost,
                other => panic!("{other}"),
            },
            today: case.some("today").map(|day| day.parse().unwrap()),
            decimals_max: 4,
            known: &known,
        });
        let told: Vec<String> = found
            .iter()
            .map(|finding| {
                assert!(finding.sentence.ends_with('.'), "{}", finding.sentence);
                assert!(!finding.code.remedy().is_empty());
                let rows: Vec<&str> = finding.rows.iter().map(|at| names[*at]).collect();
                let severity = finding.severity.name();
                format!("{severity} {} {}", finding.code.text(), rows.join(", "))
            })
            .collect();
        let told = if told.is_empty() {
            "none".to_owned()
        } else {
            told.join("; ")
        };
        assert_eq!(
            told,
            case.get("= findings"),
            "{}: {}",
            case.get("case"),
            case.get("fact")
        );
    }
}

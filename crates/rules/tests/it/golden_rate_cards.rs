//! Which row of a card applies, by the day of work and the day of knowledge.

use crate::table::{Row, table};
use counterfoil_rules::card::{Asked, Card, Chosen, RateUse, Refusal};
use counterfoil_rules::explanation::Explanation;
use domain::contract::rates::{RateGap, RateTerms};
use domain::rate::{RateFacts, RateKey, RateRow, RateSource};
use std::collections::BTreeMap;

/// `project P1; role senior` as parts.
pub(crate) fn parts(text: &str) -> BTreeMap<String, String> {
    let pieces = text
        .split(';')
        .map(str::trim)
        .filter(|p| *p != "everything");
    pieces
        .map(|piece| {
            let (name, value) = piece.rsplit_once(' ').unwrap();
            (name.to_owned(), value.to_owned())
        })
        .collect()
}

pub(crate) fn key(text: &str) -> RateKey {
    let mut parts = parts(text);
    let key = RateKey {
        customer: parts.remove("customer"),
        contract: parts.remove("contract"),
        project: parts.remove("project"),
        task: parts.remove("task"),
        practice: parts.remove("practice"),
        worker: parts.remove("worker"),
        role: parts.remove("role"),
        service_item: parts.remove("item"),
    };
    assert!(parts.is_empty(), "{parts:?}");
    key
}

pub(crate) fn row_of(row: &Row) -> RateRow {
    let origin = if row.has("origin") {
        row.get("origin")
    } else {
        "card"
    };
    RateRow {
        key: key(row.get("applies to")),
        rate: row.get("rate").parse().unwrap(),
        currency: row.get("currency").parse().unwrap(),
        from: row.get("from").parse().unwrap(),
        to: row.some("to").map(|to| to.parse().unwrap()),
        recorded: row.some("recorded").map(|day| day.parse().unwrap()),
        origin: source(origin),
    }
}

fn source(text: &str) -> RateSource {
    match text {
        "card" => RateSource::Card,
        "ERP" => RateSource::Erp,
        other => panic!("{other}"),
    }
}

fn terms(asked: &Row) -> RateTerms {
    RateTerms {
        owner: source(asked.get("owner")),
        second: asked.some("second").map(|text| source(&text)),
        gap: match asked.get("gap") {
            "refuse" => RateGap::Refuse,
            "fall through" => RateGap::FallThrough,
            other => panic!("{other}"),
        },
        ..RateTerms::default()
    }
}

/// Outcome, rows that won, rows that were beaten, whose rates they are.
type Told<'a> = (String, Vec<&'a RateRow>, Vec<&'a RateRow>, &'static str);

fn told<'a>(answer: Result<Chosen<'a>, Refusal<'a>>) -> Told<'a> {
    let name = |source| match source {
        RateSource::Card => "card",
        RateSource::Erp => "ERP",
    };
    match answer {
        Ok(chosen) => (
            chosen.row.rate.to_string(),
            vec![chosen.row],
            chosen.beaten,
            name(chosen.source),
        ),
        Err(Refusal::NoRow) => ("no row".to_owned(), vec![], vec![], "-"),
        Err(Refusal::Gap { source, .. }) => ("gap".to_owned(), vec![], vec![], name(source)),
        Err(Refusal::Tie { rows, source }) => ("tie".to_owned(), rows, vec![], name(source)),
        Err(Refusal::Currency { chosen, .. }) => (
            "currency".to_owned(),
            vec![chosen.row],
            chosen.beaten,
            name(chosen.source),
        ),
    }
}

#[test]
fn the_rate_of_two_days() {
    let work = table("rate_cards.md", "Pieces of work");
    let all = table("rate_cards.md", "Rows");
    let asked_for = table("rate_cards.md", "Work");
    assert!(asked_for.len() >= 25);
    for asked in asked_for {
        let named: Vec<(&str, RateRow)> = all
            .iter()
            .filter(|row| row.get("card") == asked.get("card"))
            .map(|row| (row.get("row"), row_of(row)))
            .collect();
        assert!(!named.is_empty(), "no card {}", asked.get("card"));
        let is = work.iter().find(|w| w.get("work") == asked.get("work"));
        let facts = parts(is.unwrap().get("is"));
        let fact = |name: &str| facts.get(name).map_or("", String::as_str);
        let question = Asked {
            used_for: RateUse::Bill,
            facts: RateFacts {
                customer: fact("customer"),
                contract: fact("contract"),
                project: fact("project"),
                task: fact("task"),
                practice: fact("practice"),
                worker: fact("worker"),
                role: fact("role"),
                service_item: fact("item"),
            },
            day: asked.get("day").parse().unwrap(),
            known_at: asked.some("known at").map(|day| day.parse().unwrap()),
            currency: asked.some("contract in").map(|c| c.parse().unwrap()),
        };
        let mut why = Explanation::default();
        let card = Card::new(named.iter().map(|(_, row)| row));
        let answer = card.choose(&question, &terms(&asked), &mut why);
        if let Err(refusal) = &answer {
            assert!(
                refusal.problem(&question).facts.contains(asked.get("day"))
                    || matches!(refusal, Refusal::Currency { .. })
            );
        }
        let (outcome, won, beat, source) = told(answer);
        let names = |rows: &[&RateRow]| {
            let found = named
                .iter()
                .filter(|(_, row)| rows.iter().any(|r| std::ptr::eq(*r, row)));
            let names: Vec<&str> = found.map(|(name, _)| *name).collect();
            if names.is_empty() {
                "-".to_owned()
            } else {
                names.join(", ")
            }
        };
        let context = format!(
            "{} {} {}: {}",
            asked.get("card"),
            asked.get("work"),
            asked.get("day"),
            asked.get("fact")
        );
        assert_eq!(outcome, asked.get("= outcome"), "{context}");
        assert_eq!(names(&won), asked.get("= row"), "{context}");
        assert_eq!(names(&beat), asked.get("= beat"), "{context}");
        assert_eq!(source, asked.get("= source"), "{context}");
        let text = why.text();
        for row in won.iter().take(1).chain(&beat).filter(|_| outcome != "tie") {
            assert!(text.contains(&row.words()), "{context}: {text}");
        }
    }
}

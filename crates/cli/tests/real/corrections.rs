//! What becomes of a line when the entry behind it changes after it was posted.

use crate::redmine::Work;
use crate::tryton::Kind;
use crate::world::{Days, World};
use serde_json::{Value, json};

/// Number and reversed number of each charge.
fn charges(story: &Value) -> Vec<(i64, Option<i64>)> {
    let charges = story["charges"].as_array().unwrap();
    charges
        .iter()
        .map(|charge| {
            (
                charge["number"].as_i64().unwrap(),
                charge["reverses"].as_i64(),
            )
        })
        .collect()
}

/// Kind and state of each posting.
fn postings(story: &Value) -> Vec<String> {
    let postings = story["postings"].as_array().unwrap();
    postings
        .iter()
        .map(|posting| {
            let text = |name: &str| posting[name].as_str().unwrap().to_owned();
            format!("{} {}", text("kind"), text("state"))
        })
        .collect()
}

fn edited_on_a_draft(kind: Kind, name: &str, days: Days) {
    let Some(world) = World::new(name, kind, days) else {
        return;
    };
    let (redmine, tryton) = (world.redmine(), &world.tryton);
    let id = world.book(Work {
        comment: "edited twice",
        ..Work::default()
    });
    let stays = world.book(Work {
        comment: "stays",
        hours: "2",
        ..Work::default()
    });
    world.sync_clean();
    let first = tryton.line("edited twice");
    assert_eq!(first.amount.to_string(), "248.87");

    redmine.edit(&id, &json!({"hours": "2.67"}));
    let result = world.sync_clean();
    assert_eq!(
        (&result["revisions"], &result["posted"]),
        (&json!(1), &json!(1))
    );
    let second = tryton.line("edited twice");
    assert_eq!((second.id, second.invoice), (first.id, first.invoice));
    assert_eq!(second.amount.to_string(), "499.62");
    assert_eq!(
        charges(&world.explain(&id)),
        [(1, None), (2, Some(1)), (3, None)]
    );

    // Back to what it was: a revision and a charge of its own, not the old one again.
    redmine.edit(&id, &json!({"hours": "1.33"}));
    assert_eq!(world.sync_clean()["revisions"], 1);
    assert_eq!(tryton.line("edited twice"), first);
    let story = world.explain(&id);
    let numbers = [(1, None), (2, Some(1)), (3, None), (4, Some(3)), (5, None)];
    assert_eq!(charges(&story), numbers);
    assert_eq!(
        postings(&story),
        [
            "create_line superseded",
            "replace_line superseded",
            "replace_line posted"
        ]
    );
    world.ties_out();

    // Not approved any more, then approved again.
    redmine.edit(&id, &json!({"custom_field_values": {"1": "Submitted"}}));
    world.sync_clean();
    assert_eq!(tryton.lines_of("edited twice"), []);
    assert_eq!(redmine.shows(&id), ("Unbilled".to_owned(), String::new()));
    assert_eq!(World::class(&world.ties_out(), &id), "waiting");
    redmine.edit(&id, &json!({"custom_field_values": {"1": "Approved"}}));
    world.sync_clean();
    assert_eq!(tryton.line("edited twice").amount, first.amount);

    redmine.delete(&id);
    let result = world.sync_clean();
    assert_eq!(result["withdrawn"], 1);
    assert_eq!(tryton.lines_of("edited twice"), []);
    let report = world.ties_out();
    assert_eq!(World::class(&report, &id), "withdrawn");
    assert_eq!(World::class(&report, &stays), "posted");
    assert_eq!(tryton.line("stays").amount.to_string(), "374.25");
    assert_eq!(world.sync_clean()["posted"], 0);
    world.audit();
}

#[test]
fn an_entry_edited_edited_back_and_deleted_on_a_draft_with_the_module() {
    let days = Days {
        first: "2026-04-01",
        last: "2026-04-02",
    };
    edited_on_a_draft(Kind::Module, "edit_key", days);
}

#[test]
fn an_entry_edited_edited_back_and_deleted_on_a_draft_without_it() {
    let days = Days {
        first: "2026-04-13",
        last: "2026-04-14",
    };
    edited_on_a_draft(Kind::LookUp, "edit_plain", days);
}

fn changed_after_the_invoice(kind: Kind, name: &str, days: Days) {
    let Some(world) = World::new(name, kind, days) else {
        return;
    };
    let (redmine, tryton) = (world.redmine(), &world.tryton);
    let book = |comment: &str| {
        world.book(Work {
            comment,
            hours: "2",
            issue: if comment == "is edited" {
                "Build"
            } else {
                "Analysis"
            },
            user: if comment == "loses approval" {
                "ben.okafor"
            } else {
                "ada.fox"
            },
            ..Work::default()
        })
    };
    let (edited, deleted, unapproved) = (
        book("is edited"),
        book("is deleted"),
        book("loses approval"),
    );
    world.sync_clean();
    let issued = tryton.line("is edited").invoice;
    tryton.issue(issued);
    let before = tryton.invoice(issued).unwrap();
    let number = before.number.clone();
    world.sync_clean();

    redmine.edit(&edited, &json!({"hours": "3"}));
    redmine.delete(&deleted);
    redmine.edit(
        &unapproved,
        &json!({"custom_field_values": {"1": "Submitted"}}),
    );
    world.sync();
    world.sync();
    // The issued invoice is as it was.
    assert_eq!(tryton.invoice(issued), Some(before));
    let next: Vec<_> = tryton
        .lines()
        .into_iter()
        .filter(|line| line.invoice != issued)
        .collect();
    let mut amounts: Vec<String> = next.iter().map(|line| line.amount.to_string()).collect();
    amounts.sort();
    // Two hours at 187.1234 back, twice, and three hours anew.
    assert_eq!(amounts, ["-374.25", "-374.25", "561.37"]);
    assert!(next.iter().all(|line| line.invoice == next[0].invoice));
    assert_eq!(tryton.invoice(next[0].invoice).unwrap().state, "draft");
    let story = world.explain(&edited);
    assert_eq!(charges(&story), [(1, None), (2, Some(1)), (3, None)]);
    assert_eq!(
        postings(&story),
        ["create_line posted", "credit posted", "create_line posted"]
    );
    assert_eq!(charges(&world.explain(&deleted)), [(1, None), (2, Some(1))]);
    assert_eq!(redmine.shows(&edited).0, "Posted");

    // A withdrawn approval is a person's decision once the invoice is out.
    let open = world.exception(&unapproved);
    assert_eq!(open["code"], "APPROVAL_WITHDRAWN");
    assert_eq!(open["owner"], "project_manager");
    assert_eq!(open["amount"], "EUR 374.25");
    assert!(open["facts"].as_str().unwrap().contains(&number), "{open}");
    world.replay(&unapproved);
    world.sync_clean();
    let credits = tryton
        .lines()
        .into_iter()
        .filter(|line| line.amount.micro() < 0);
    assert_eq!(credits.count(), 3);
    world.sync_clean();
    assert_eq!(tryton.lines().len(), 7);
    let report = world.ties_out();
    assert_eq!(World::class(&report, &edited), "posted");
    assert_eq!(World::class(&report, &deleted), "withdrawn");
    assert_eq!(World::class(&report, &unapproved), "waiting");
    world.audit();
}

#[test]
fn an_entry_edited_or_deleted_on_an_issued_invoice_is_credited_with_the_module() {
    let days = Days {
        first: "2026-04-06",
        last: "2026-04-07",
    };
    changed_after_the_invoice(Kind::Module, "issued_key", days);
}

#[test]
fn an_entry_edited_or_deleted_on_an_issued_invoice_is_credited_without_it() {
    let days = Days {
        first: "2026-04-20",
        last: "2026-04-21",
    };
    changed_after_the_invoice(Kind::LookUp, "issued_plain", days);
}

//! What people do to our lines in Tryton: named by the reconciliation, never overwritten and never
//! made again by itself.

use crate::redmine::Work;
use crate::tryton::Kind;
use crate::world::{Days, World};
use serde_json::json;

fn booked(world: &World, comment: &str, project: &str, issue: &str) -> String {
    world.book(Work {
        comment,
        project,
        issue,
        hours: "2",
        ..Work::default()
    })
}

fn lines_of_people(kind: Kind, name: &str, days: Days) {
    let Some(world) = World::new(name, kind, days) else {
        return;
    };
    let tryton = &world.tryton;
    let deleted = booked(&world, "is deleted", "acme-rollout", "Build");
    let edited = booked(&world, "is edited", "acme-rollout", "Analysis");
    let moved = booked(&world, "is moved", "acme-rollout", "Site visits");
    booked(&world, "other draft", "borealis-training", "Classroom");
    let other = world.book(Work {
        project: "borealis-training",
        issue: "Classroom",
        user: "dev.patel",
        comment: "same customer",
        ..Work::default()
    });
    world.sync_clean();
    let line = |comment: &str| tryton.line(comment);
    tryton.delete("account.invoice.line", line("is deleted").id);
    tryton.write(
        "account.invoice.line",
        line("is edited").id,
        json!({"quantity": 5.0}),
    );
    // A second draft of the same customer, made by a person.
    let here = line("is moved").invoice;
    let copy = tryton.does("account.invoice.copy", vec![json!([here])]);
    let there = copy[0].as_i64().unwrap();
    for copied in tryton
        .lines()
        .into_iter()
        .filter(|line| line.invoice == there)
    {
        tryton.delete("account.invoice.line", copied.id);
    }
    tryton.write(
        "account.invoice.line",
        line("is moved").id,
        json!({"invoice": there}),
    );
    let as_left = tryton.lines();

    let seen = world.sync();
    assert_eq!(
        (&seen["lines_missing"], &seen["lines_altered"]),
        (&json!(1), &json!(1))
    );
    world.sync();
    assert_eq!(
        tryton.lines(),
        as_left,
        "a sync does not repair what people did"
    );
    let report = world.ties_out();
    let class = |id: &str| World::class(&report, id);
    assert_eq!(class(&deleted), "line_missing");
    assert_eq!(class(&edited), "line_altered");
    assert_eq!(class(&moved), "line_moved");
    assert_eq!(class(&other), "posted");
    for (id, code) in [(&deleted, "LINE_MISSING"), (&edited, "LINE_ALTERED")] {
        let open = world.exception(id);
        assert_eq!(open["code"], code);
        assert_eq!(open["owner"], "finance");
        assert_eq!(open["amount"], "EUR 374.25");
        assert_eq!(
            world.redmine().shows(id),
            ("Exception".to_owned(), code.to_owned())
        );
    }

    // Replayed as it stands, the edited line stays the person's.
    world.replay(&edited);
    assert_eq!(tryton.lines(), as_left);
    // The decisions: bill the deleted one again, put the edited one right.
    world.replay(&deleted);
    assert_eq!(line("is deleted").amount.to_string(), "374.25");
    tryton.write(
        "account.invoice.line",
        line("is edited").id,
        json!({"quantity": 2.0}),
    );
    world.replay(&edited);
    let after = world.sync_clean();
    assert_eq!(after["posted"], 0);
    assert_eq!(tryton.lines().len(), 5);
    world.sync_clean();
    assert_eq!(tryton.lines().len(), 5);
    let report = world.ties_out();
    assert_eq!(World::class(&report, &deleted), "posted");
    assert_eq!(World::class(&report, &edited), "posted");
    assert_eq!(World::class(&report, &moved), "line_moved");
    assert_eq!(world.redmine().shows(&deleted).0, "Posted");
    assert_eq!(world.redmine().shows(&edited).0, "Posted");

    // The moved line follows the invoice it stands on now.
    tryton.issue(there);
    world.sync_clean();
    let number = tryton.invoice(there).unwrap().number;
    assert_eq!(
        world.redmine().shows(&moved),
        ("Invoiced".to_owned(), number)
    );
    world.audit();
}

#[test]
fn lines_that_people_delete_edit_and_move_with_the_module() {
    let days = Days {
        first: "2026-06-01",
        last: "2026-06-02",
    };
    lines_of_people(Kind::Module, "people_key", days);
}

#[test]
fn lines_that_people_delete_edit_and_move_without_it() {
    let days = Days {
        first: "2026-06-04",
        last: "2026-06-05",
    };
    lines_of_people(Kind::LookUp, "people_plain", days);
}

#[test]
fn a_draft_that_a_person_issues_is_left_alone_and_the_next_one_opened() {
    let days = Days {
        first: "2026-06-08",
        last: "2026-06-09",
    };
    let Some(world) = World::new("issues", Kind::Module, days) else {
        return;
    };
    let tryton = &world.tryton;
    booked(&world, "before", "acme-rollout", "Build");
    world.sync_clean();
    let issued = tryton.line("before").invoice;
    tryton.issue(issued);
    let before = tryton.invoice(issued);
    booked(&world, "after", "acme-rollout", "Analysis");
    world.sync_clean();
    assert_eq!(tryton.invoice(issued), before);
    let next = tryton.line("after").invoice;
    assert_ne!(next, issued);
    assert_eq!(tryton.invoice(next).unwrap().state, "draft");
    world.ties_out();
    world.audit();
}

#[test]
fn a_draft_that_a_person_deletes_comes_back_only_by_decision() {
    let days = Days {
        first: "2026-06-11",
        last: "2026-06-12",
    };
    let Some(world) = World::new("deletes", Kind::Module, days) else {
        return;
    };
    let tryton = &world.tryton;
    let first = booked(&world, "first of draft", "acme-rollout", "Build");
    let second = booked(&world, "second of draft", "acme-rollout", "Analysis");
    world.sync_clean();
    let draft = tryton.line("first of draft").invoice;
    tryton.delete("account.invoice", draft);
    assert_eq!(tryton.lines(), []);
    let seen = world.sync();
    assert_eq!(seen["exceptions"], json!({"LINE_MISSING": 2}));
    world.sync();
    assert_eq!(tryton.lines(), []);
    let report = world.ties_out();
    for id in [&first, &second] {
        assert_eq!(World::class(&report, id), "line_missing");
    }
    // New work goes on meanwhile, on a draft of its own.
    let third = booked(&world, "third, later", "acme-rollout", "Site visits");
    world.sync();
    assert_ne!(tryton.line("third, later").invoice, draft);
    world.replay(&first);
    world.replay(&second);
    world.sync_clean();
    let lines = ["first of draft", "second of draft", "third, later"].map(|c| tryton.line(c));
    assert!(lines.iter().all(|line| line.invoice == lines[0].invoice));
    assert_eq!(tryton.lines().len(), 3);
    let report = world.ties_out();
    for id in [&first, &second, &third] {
        assert_eq!(World::class(&report, id), "posted");
    }
    world.audit();
}

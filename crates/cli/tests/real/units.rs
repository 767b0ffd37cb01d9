//! Contracts that print days or months, in Tryton's own units and in one that somebody made there.

use crate::redmine::Work;
use crate::tryton::{Kind, Line};
use crate::world::{Days, World};
use serde_json::json;

const DAYS: Days = Days {
    first: "2026-06-08",
    last: "2026-06-09",
};

/// The unit of a line, by its name.
fn unit_of(world: &World, line: &Line) -> String {
    let read = world.tryton.does(
        "account.invoice.line.read",
        vec![json!([line.id]), json!(["unit.name"])],
    );
    read[0]["unit."]["name"].as_str().unwrap().to_owned()
}

fn says(line: &Line) -> String {
    format!("{} x {} = {}", line.quantity, line.rate, line.amount)
}

#[test]
fn days_and_months_stand_in_their_units() {
    let Some(mut world) = World::new("units", Kind::Module, DAYS) else {
        return;
    };
    world.change(|config| {
        config.add_to_contract("ACME-TM", "unit = \"working_day\"");
        config.add_to_contract("BORE", "unit = \"month\"");
    });
    let book = |project: &str, issue: &str, day: &str, hours: &str, comment: &str| {
        world.book(Work {
            project,
            issue,
            day,
            hours,
            comment,
            ..Work::default()
        })
    };
    // 3 h of 8 are 0.375 of a day, 0.5 in quarters; with 5 h more the day is full.
    let first = book("acme-rollout", "Build", DAYS.first, "3", "three hours");
    let second = book("acme-rollout", "Analysis", DAYS.first, "5", "five hours");
    let month = book(
        "borealis-training",
        "Classroom",
        DAYS.last,
        "6",
        "a day of a month",
    );
    world.sync();
    let line = |comment: &str| world.tryton.line(comment);
    let (three, five) = (line("three hours"), line("five hours"));
    assert_eq!(says(&three), "0.5 x 187.1234 = 93.56");
    assert_eq!(says(&five), "0.5 x 187.1234 = 93.56");
    assert_eq!(unit_of(&world, &three), "Day");

    // Tryton has no months. Somebody makes them, and names them in the settings.
    let open = world.exception(&month);
    assert_eq!(open["code"], "ERP_REJECTED");
    let facts = open["facts"].as_str().unwrap();
    assert!(facts.contains("no unit of its own for a month"), "{open}");
    let category = world.tryton.does(
        "product.uom.search_read",
        vec![
            json!([["name", "=", "Hour"]]),
            json!(0),
            json!(1),
            json!(null),
            json!(["category"]),
        ],
    );
    world.tryton.does(
        "product.uom.create",
        vec![
            json!([{"name": "Month", "symbol": "mo", "category": category[0]["category"],
            "factor": 730.0, "rate": 0.001_369_863_014, "rounding": 0.01, "digits": 2}]),
        ],
    );
    world.change(|config| config.target.push_str("units = { month = \"Month\" }\n"));
    world.replay(&month);
    world.sync_clean();
    // June 2026 has 22 working days, of which one is 0.05 of a month.
    let of_month = world.tryton.line("a day of a month");
    assert_eq!(says(&of_month), "0.05 x 98.75 = 4.94");
    assert_eq!(unit_of(&world, &of_month), "Month");

    // The day is the person's: what an entry gives up, the other takes.
    world.redmine().edit(&first, &json!({"hours": "1"}));
    world.sync_clean();
    let (one, five) = (
        world.tryton.line("three hours"),
        world.tryton.line("five hours"),
    );
    assert_eq!(says(&one), "0.25 x 187.1234 = 46.78");
    assert_eq!(says(&five), "0.5 x 187.1234 = 93.56");
    world.redmine().delete(&first);
    world.sync_clean();
    assert_eq!(
        says(&world.tryton.line("five hours")),
        "0.75 x 187.1234 = 140.34"
    );
    let report = world.ties_out();
    for id in [&second, &month] {
        assert_eq!(World::class(&report, id), "posted");
    }
    assert_eq!(world.sync_clean()["posted"], 0);
    world.audit();
}

/// A limit that takes what is above it off the line, as a piece that is sold beside the hours.
#[test]
fn what_a_limit_takes_off_is_a_line_of_its_own() {
    let days = Days {
        first: "2026-06-10",
        last: "2026-06-11",
    };
    let Some(mut world) = World::new("taken_off", Kind::Module, days) else {
        return;
    };
    world.change(|config| {
        config.add_to_contract("ACME-TM", "fixed_service_item = \"FIX\"");
        config.add_to_contract(
            "ACME-TM",
            "limit = [{ id = \"NTE\", amount = \"500\", policy = \"bill_to_cap\" }]",
        );
    });
    let id = world.book(Work {
        hours: "4",
        comment: "above the limit",
        ..Work::default()
    });
    world.sync_clean();
    let mut lines: Vec<String> = world.tryton.lines().iter().map(says).collect();
    lines.sort();
    assert_eq!(lines, ["-1 x 248.49 = -248.49", "4 x 187.1234 = 748.49"]);
    let off = world.tryton.lines_of("above the limit");
    let pieces: Vec<String> = off.iter().map(|line| unit_of(&world, line)).collect();
    assert!(pieces.contains(&"Unit".to_owned()), "{pieces:?}");
    let invoice = world.tryton.invoices();
    assert_eq!(invoice[0].untaxed.to_string(), "500");
    assert_eq!(World::class(&world.ties_out(), &id), "posted");
    assert_eq!(world.sync_clean()["posted"], 0);
    world.audit();
}

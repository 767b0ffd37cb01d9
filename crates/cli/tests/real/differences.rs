//! A contract that bills differences: what becomes of an issued line in Tryton when its hours or its
//! rate change.

use crate::redmine::Work;
use crate::tryton::{Kind, Line};
use crate::world::{Days, World};
use serde_json::{Value, json};

/// A field of a line, as Tryton has it.
fn field(world: &World, line: &Line, name: &str) -> Value {
    let read = world.tryton.does(
        "account.invoice.line.read",
        vec![json!([line.id]), json!([name])],
    );
    read[0][name].clone()
}

/// Quantity, rate and amount of the lines that `before` had not.
fn fresh(world: &World, before: &[Line]) -> Vec<(Line, String)> {
    let known: Vec<i64> = before.iter().map(|line| line.id).collect();
    let new = world.tryton.lines().into_iter();
    new.filter(|line| !known.contains(&line.id))
        .map(|line| {
            let says = format!("{} x {} = {}", line.quantity, line.rate, line.amount);
            (line, says)
        })
        .collect()
}

fn billed_by_difference(kind: Kind, name: &str, days: Days) {
    let Some(mut world) = World::new(name, kind, days) else {
        return;
    };
    world.change(|config| config.add_to_contract("ACME-TM", "corrections = \"delta\""));
    let id = world.book(Work {
        comment: "by difference",
        hours: "2",
        ..Work::default()
    });
    world.sync_clean();
    let first = world.tryton.line("by difference");
    assert_eq!(first.amount.to_string(), "374.25");
    world.tryton.issue(first.invoice);
    let number = world.tryton.invoice(first.invoice).unwrap().number;
    world.sync_clean();

    // An hour more: one line more, taxed as what it belongs to, and linked to it.
    let before = world.tryton.lines();
    world.redmine().edit(&id, &json!({"hours": "3"}));
    world.sync_clean();
    let new = fresh(&world, &before);
    assert_eq!(new.len(), 1, "{new:?}");
    let (line, says) = &new[0];
    assert_eq!(says, "1 x 187.1234 = 187.12");
    let text = format!("(difference to {number}: now 3 x 187.1234 = EUR 561.37)");
    assert!(line.description.ends_with(&text), "{line:?}");
    for same in ["taxes", "account", "unit", "product"] {
        assert_eq!(field(&world, line, same), field(&world, &first, same));
    }
    let origin = format!("account.invoice.line,{}", first.id);
    assert_eq!(field(&world, line, "origin"), json!(origin));
    assert_eq!(world.sync_clean()["posted"], 0);
    assert_eq!(World::class(&world.ties_out(), &id), "posted");
    world.tryton.issue(line.invoice);
    world.sync_clean();

    // A rate that should have been lower all along: the same hours, at what it was too much.
    let before = world.tryton.lines();
    world.change(|config| {
        for rate in &mut config.rates {
            *rate = rate.replace("187.1234", "185.1234");
        }
    });
    world.sync();
    assert_eq!(world.exception(&id)["code"], "RETRO_RATE_CHANGE");
    world.replay(&id);
    world.sync_clean();
    let new = fresh(&world, &before);
    assert_eq!(new.len(), 1, "{new:?}");
    assert_eq!(new[0].1, "-3 x 2 = -6");
    assert_eq!(World::class(&world.ties_out(), &id), "posted");

    // Gone: everything that stands is taken back, line by line.
    world.redmine().delete(&id);
    for _ in 0..4 {
        world.sync_clean();
    }
    let net: i64 = world.tryton.lines().iter().map(|l| l.amount.micro()).sum();
    assert_eq!(net, 0, "{:#?}", world.tryton.lines());
    assert_eq!(world.sync_clean()["posted"], 0);
    assert_eq!(World::class(&world.ties_out(), &id), "withdrawn");
    world.audit();
}

#[test]
fn differences_are_billed_with_the_module() {
    let days = Days {
        first: "2026-06-15",
        last: "2026-06-16",
    };
    billed_by_difference(Kind::Module, "differ_key", days);
}

#[test]
fn differences_are_billed_without_it() {
    let days = Days {
        first: "2026-06-22",
        last: "2026-06-23",
    };
    billed_by_difference(Kind::LookUp, "differ_plain", days);
}

//! Yesterday's backup is restored after more was posted: Tryton stays as it is, and work goes on.

use crate::redmine::Work;
use crate::tryton::Kind;
use crate::world::{Days, World};
use serde_json::json;

fn yesterdays_backup(kind: Kind, name: &str, days: Days) {
    let Some(mut world) = World::new(name, kind, days) else {
        return;
    };
    // Work on one task and day, with equal hours, is meant here.
    world.change(|config| config.flow.push_str("hold_duplicates = false\n"));
    let (tryton, redmine) = (&world.tryton, world.redmine());
    let book = |comment: &str, project: &str, issue: &str| {
        world.book(Work {
            project,
            issue,
            comment,
            ..Work::default()
        })
    };
    book("known to the backup", "acme-rollout", "Build");
    let edited = book("edited later", "acme-rollout", "Analysis");
    let deleted = book("deleted later", "acme-rollout", "Site visits");
    book("issued later", "borealis-training", "Classroom");
    book("cost before", "acme-migration", "Migration");
    world.sync_clean();
    let file = world.path("yesterday.backup");
    let file = file.to_str().unwrap();
    assert_eq!(world.run(&["backup", file]).code, Some(0));

    // The day that the backup does not know.
    book("new on the old draft", "acme-rollout", "Build");
    let hours = json!({"hours": "3.5"});
    redmine.edit(&edited, &hours);
    redmine.delete(&deleted);
    book("new on a new draft", "cobalt-platform", "Build");
    book("cost after", "acme-migration", "Acceptance");
    world.sync();
    tryton.issue(tryton.line("issued later").invoice);
    book("after the issue", "borealis-training", "Classroom");
    world.sync();
    let (lines, times, invoices) = (tryton.lines(), tryton.times(), tryton.invoices());
    assert_eq!((lines.len(), times.len()), (6, 2), "{lines:#?}");

    let refused = world.run(&["restore", file]);
    assert!(
        !matches!(refused.code, Some(0) | None),
        "a ledger was replaced without being asked: {refused:?}"
    );
    let said = world.run(&["restore", file, "--replace"]);
    assert_eq!(said.code, Some(0), "{said:?}");
    let status = world.run(&["--output", "json", "status"]);
    assert!(status.out.contains("restored"), "{status:?}");
    let result = world.sync();
    assert_eq!(result["exceptions"], json!({}), "{result}");
    assert_eq!(tryton.lines(), lines);
    assert_eq!(tryton.times(), times);
    assert_eq!(tryton.invoices(), invoices);
    world.sync_clean();
    assert_eq!(tryton.lines(), lines);
    assert_eq!(tryton.times(), times);
    world.ties_out();

    // And on it goes.
    book("after the restore", "acme-rollout", "Analysis");
    let result = world.sync_clean();
    assert_eq!(result["posted"], 1, "{result}");
    assert_eq!(result["posting_off"], false);
    assert_eq!(
        tryton.line("after the restore").invoice,
        tryton.line("known to the backup").invoice
    );
    assert_eq!(tryton.lines().len(), 7);
    world.ties_out();
    world.audit();
}

#[test]
fn yesterdays_backup_posts_nothing_twice_with_the_module() {
    let days = Days {
        first: "2026-07-01",
        last: "2026-07-02",
    };
    yesterdays_backup(Kind::Module, "restore_key", days);
}

#[test]
fn yesterdays_backup_posts_nothing_twice_without_it() {
    let days = Days {
        first: "2026-07-06",
        last: "2026-07-07",
    };
    yesterdays_backup(Kind::LookUp, "restore_plain", days);
}

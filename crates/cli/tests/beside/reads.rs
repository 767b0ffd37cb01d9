//! What only reads works beside a running process, and says the same as without one.

use crate::world::{World, until};
use serde_json::Value;

#[test]
fn every_reading_command_says_the_same_beside_a_process_and_alone() {
    let world = World::new();
    world.say(&["sync"]).fine();
    let held = world.json(&["exceptions", "list"]);
    let id = held[0]["source_ref"].as_str().expect("an id").to_owned();
    let commands: [&[&str]; 10] = [
        &["explain", &id],
        &["--output", "json", "explain", &id],
        &["--output", "json", "exceptions", "list"],
        &["exceptions", "show", &id],
        &["reconcile"],
        &["--output", "json", "reconcile", "--all"],
        &["sync", "--dry-run"],
        &["--output", "json", "sync", "--dry-run"],
        &["--output", "json", "publish", "--dry-run"],
        &["check"],
    ];
    let alone: Vec<_> = commands.iter().map(|words| world.say(words)).collect();
    let _process = world.begin_quiet_run();
    for (words, alone) in commands.iter().zip(alone) {
        let beside = world.say(words);
        assert!(matches!(beside.code, Some(0 | 2 | 3)), "{beside:?}");
        assert_eq!(beside, alone, "{words:?}");
    }
    let verified = world.say(&["audit", "verify"]);
    assert_eq!(verified.code, Some(0), "{verified:?}");
    let copied = world.say(&["backup", "copy.sqlite"]);
    assert_eq!(copied.code, Some(0), "{copied:?}");
    assert!(world.path("copy.sqlite").exists());
    world.billed_once();
}

#[test]
fn status_tells_of_the_process_and_of_its_last_pass() {
    let world = World::new();
    world.say(&["sync"]).fine();
    let alone = world.json(&["status"]);
    assert_eq!(alone["process"], Value::Null);
    assert_eq!(alone["process_problem"], Value::Null);
    assert!(world.say(&["status"]).out.contains("is not running"));

    let process = world.begin_quiet_run();
    let beside = world.json(&["status"]);
    let said = &beside["process"];
    assert_eq!(said["pid"], process.0.id(), "{said}");
    assert_eq!(said["version"], env!("CARGO_PKG_VERSION"));
    let started = said["started_at_us"].as_i64().expect("an instant");
    let ended = said["last_pass"]["ended_at_us"]
        .as_i64()
        .expect("an instant");
    let next = said["next_pass_us"].as_i64().expect("an instant");
    assert!(started <= ended && ended < next, "{said}");
    let done = &said["last_pass"]["outcome"]["done"];
    assert_eq!(done["result"]["post"]["posted"], 0, "{said}");
    assert_eq!(done["exceptions"], beside["exceptions"], "{said}");
    let words = world.say(&["status"]).out;
    let line = format!("as process {}", process.0.id());
    assert!(
        words.contains(&line) && words.contains("its last pass ended"),
        "{words}"
    );
}

#[test]
fn status_tells_why_the_last_pass_stopped() {
    let world = World::new();
    let process = world.begin_quiet_run();
    world
        .tracker
        .with(|state| state.token = Some("another".to_owned()));
    let stopped = world.say(&["sync"]);
    assert_eq!(stopped.code, Some(1), "{stopped:?}");
    assert!(
        stopped.err.contains("check the credentials of the tracker"),
        "{stopped:?}"
    );
    let outcome = world.process()["last_pass"]["outcome"]["failed"].clone();
    assert!(
        outcome["what"].as_str().expect("words").contains("tracker"),
        "{outcome}"
    );
    drop(process);
    // A process that was killed leaves its socket; nobody listens there.
    assert!(world.socket().exists());
    until("nobody listens", || world.process().is_null().then_some(()));
}

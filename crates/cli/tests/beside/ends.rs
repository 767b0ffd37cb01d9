//! How a process ends, and what it leaves.

use crate::world::{World, until};
use serde_json::json;
use std::os::unix::fs::PermissionsExt;

#[test]
fn a_signal_ends_a_pass_between_two_steps_and_leaves_nothing_in_doubt() {
    for name in ["TERM", "INT"] {
        let world = World::new();
        world.slow_erp(150);
        let mut process = world.begin_run();
        until("lines are posted", || (world.lines() >= 3).then_some(()));
        // One that waits for its turn is told, and does nothing.
        let mut waits = world.begin("waits", &["sync"]);
        until("it waits", || {
            (world.process()["waiting"] == 1).then_some(())
        });
        process.signal(name);
        assert_eq!(process.code(), Some(0), "{}", world.read("run.err"));
        assert_eq!(waits.code(), Some(1), "{}", world.read("waits.err"));
        let told = world.read("waits.err");
        assert!(told.contains("was asked to end"), "{told}");
        assert!(!world.socket().exists());
        let before = world.lines();
        let status = world.json(&["status"]);
        assert_eq!(status["calls_open"], 0, "{status}");
        assert!(
            status["lines_waiting"].as_i64().expect("a count") > 0,
            "{status}"
        );
        world.slow_erp(0);
        let rest = world.json(&["sync"]);
        assert_eq!(
            (&rest["adopted"], &rest["answers_lost"]),
            (&json!(0), &json!(0)),
            "{rest}"
        );
        assert!(world.lines() > before);
        world.billed_once();
    }
}

#[test]
fn an_idle_process_ends_at_once() {
    let world = World::new();
    let mut process = world.begin_quiet_run();
    process.signal("TERM");
    assert_eq!(process.code(), Some(0));
    assert!(!world.socket().exists());
}

#[test]
fn a_second_signal_does_not_wait_for_a_call() {
    let world = World::new();
    world.slow_erp(20_000);
    let mut process = world.begin_run();
    until("the ERP is asked", || {
        world.erp.with(|state| (state.requests > 0).then_some(()))
    });
    process.signal("TERM");
    until("it heard", || {
        world
            .read("run.err")
            .contains("a second signal")
            .then_some(())
    });
    process.signal("TERM");
    assert_eq!(process.code(), Some(1));
    let told = world.read("run.err");
    assert!(
        told.contains("looks up what may have reached the ERP"),
        "{told}"
    );
}

#[test]
fn a_socket_left_by_a_kill_is_replaced_and_is_private() {
    let world = World::new();
    let mut process = world.begin_quiet_run();
    process.signal("KILL");
    assert_eq!(process.code(), None);
    assert!(world.socket().exists());
    // Nobody has the ledger, so a command works by itself.
    world.say(&["sync"]).fine();
    let _next = world.begin_quiet_run();
    let mode = std::fs::metadata(world.socket())
        .expect("a socket")
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    assert_eq!(world.say(&["pause", "it listens"]).code, Some(0));
}

#[test]
fn work_goes_on_when_whoever_asked_goes_away() {
    let world = World::new();
    let _process = world.begin_quiet_run();
    let first = world.process()["last_pass"]["ended_at_us"].clone();
    world.slow_erp(1_000);
    let asked = world.begin("asked", &["sync"]);
    until("it is under way", || {
        (world.process()["under_way"]["what"] == "a pass").then_some(())
    });
    drop(asked);
    world.slow_erp(0);
    let last = until("the pass has ended", || {
        let last = world.process()["last_pass"].clone();
        (last["ended_at_us"] != first).then_some(last)
    });
    assert!(!last["outcome"]["done"].is_null(), "{last}");
    world.billed_once();
}

#[test]
fn after_so_many_passes_it_ends_by_itself() {
    let world = World::new();
    let said = world.say(&[
        "--output",
        "json",
        "run",
        "--every-seconds",
        "0",
        "--passes",
        "2",
    ]);
    assert_eq!(said.code, Some(0), "{said:?}");
    let passes: Vec<serde_json::Value> = serde_json::Deserializer::from_str(&said.out)
        .into_iter()
        .collect::<Result<_, _>>()
        .expect("JSON");
    assert_eq!(passes.len(), 2);
    assert!(passes[0]["posted"].as_u64() > Some(0), "{}", passes[0]);
    assert_eq!(passes[1]["posted"], 0);
    assert!(!world.socket().exists());
}

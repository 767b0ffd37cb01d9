//! What writes goes through the running process, and prints what it would print alone.

use crate::world::{World, until};
use serde_json::{Value, json};
use twins::erp::ErpAct;
use twins::frame::Machine as _;
use twins::tracker::TrackerAct;

fn approve_one(world: &World) -> String {
    let waiting = world
        .expected
        .entries
        .iter()
        .find(|(_, outcome)| matches!(outcome, twins::firm::Outcome::Unapproved));
    let id = waiting.expect("an entry that waits").0.clone();
    let act = TrackerAct::Approve {
        id: id.clone(),
        by: "lead".to_owned(),
    };
    world
        .tracker
        .with(|state| state.machine.act(&act, 1_800_000_000_000_000))
        .expect("approved");
    id
}

fn lift_hold(world: &World) {
    world.erp.with(|state| {
        let held: Vec<String> = state
            .machine
            .customers
            .values()
            .filter(|customer| customer.on_hold)
            .map(|customer| customer.code.clone())
            .collect();
        assert!(!held.is_empty());
        for customer in held {
            let lifted = state.machine.act(&ErpAct::LiftHold { customer }, 1);
            lifted.expect("lifted");
        }
    });
}

#[test]
fn pause_and_resume_say_the_same_beside_a_process_and_alone() {
    let world = World::new();
    world.say(&["sync"]).fine();
    let commands: [&[&str]; 4] = [
        &["pause", "an audit"],
        &["resume"],
        &["pause", ""],
        &["--output", "json", "resume"],
    ];
    let alone: Vec<_> = commands.iter().map(|words| world.say(words)).collect();
    assert_eq!(alone[2].code, Some(2), "{alone:?}");
    let _process = world.begin_quiet_run();
    for (words, alone) in commands.iter().zip(&alone) {
        assert_eq!(world.say(words), *alone, "{words:?}");
    }
    world.say(&["pause", "an audit"]).fine();
    assert_eq!(world.json(&["status"])["posting_off"], "an audit");
    approve_one(&world);
    let before = world.lines();
    let pass = world.json(&["sync"]);
    assert_eq!(
        (&pass["posting_off"], &pass["posted"]),
        (&json!(true), &json!(0)),
        "{pass}"
    );
    assert_eq!(world.lines(), before);
    world.say(&["resume"]).fine();
    assert_eq!(world.json(&["sync"])["posted"], 1);
    assert_eq!(world.lines(), before + 1);
}

#[test]
fn a_pause_stops_a_pass_that_is_under_way() {
    let world = World::new();
    world.slow_erp(150);
    let _process = world.begin_run();
    until("lines are posted", || (world.lines() >= 3).then_some(()));
    let paused = world.say(&["pause", "stop now"]).fine();
    assert_eq!(paused.out, "posting is off: stop now\n");
    // One call may have been under way; no further intent is written.
    let at_pause = world.lines();
    let pass = until("the pass has ended", || {
        let last = world.process()["last_pass"].clone();
        (!last.is_null()).then_some(last)
    });
    assert!(
        world.lines() <= at_pause + 1,
        "{} {at_pause}",
        world.lines()
    );
    let result = &pass["outcome"]["done"]["result"];
    assert_eq!(result["posting_off"], true, "{pass}");
    assert!(
        result["post"]["left"].as_u64().expect("a count") > 0,
        "{pass}"
    );
    world.slow_erp(0);
    world.say(&["resume"]).fine();
    world.say(&["sync"]).fine();
    world.billed_once();
}

#[test]
fn sync_asks_for_a_pass_at_once_and_waits_for_its_turn() {
    let world = World::new();
    world.slow_erp(60);
    let process = world.begin_run();
    let under_way = until("a pass is under way", || {
        let what = world.process()["under_way"]["what"].clone();
        what.as_str().map(str::to_owned)
    });
    assert_eq!(under_way, "a pass");
    let said = world.say(&["sync"]).fine();
    let words = "a pass is under way; this begins when it ends";
    assert!(said.err.contains(words), "{said:?}");
    world.billed_once();

    world.slow_erp(0);
    approve_one(&world);
    let pass = world.json(&["sync"]);
    assert_eq!(
        (&pass["revisions"], &pass["posted"]),
        (&json!(1), &json!(1)),
        "{pass}"
    );
    // The same keys as alone, and the same words.
    let again = world.say(&["sync"]);
    drop(process);
    let alone = world.say(&["sync"]);
    assert_eq!(again, alone);
    let keys = |value: &Value| -> Vec<String> {
        value
            .as_object()
            .expect("an object")
            .keys()
            .cloned()
            .collect()
    };
    assert_eq!(keys(&pass), keys(&world.json(&["sync"])));
}

#[test]
fn exceptions_are_replayed_once_their_cause_is_mended() {
    let world = World::new();
    let process = world.begin_quiet_run();
    let open = world.json(&["status"])["exceptions"].clone();
    assert_eq!(open["CUSTOMER_ON_HOLD"], 1, "{open}");
    let before = world.lines();
    lift_hold(&world);
    let words = [
        "--output",
        "json",
        "exceptions",
        "replay",
        "--code",
        "CUSTOMER_ON_HOLD",
    ];
    let said = world.say(&words);
    assert_eq!(said.code, Some(0), "{said:?}");
    let wanted = json!({
        "taken_up": 1, "solved": 1, "still_open": 0, "posted": 1, "adopted": 0, "rejected": 0,
    });
    assert_eq!(said.json(), wanted);
    assert_eq!(world.lines(), before + 1);
    // A suspected duplicate is let through by a replay; the rest cannot be solved, and says so.
    world.say(&["exceptions", "replay", "--all"]).fine();
    let rest = world.say(&["exceptions", "replay", "--all"]);
    assert_eq!(rest.code, Some(3), "{rest:?}");
    drop(process);
    assert_eq!(world.say(&["exceptions", "replay", "--all"]), rest);
}

#[test]
fn a_configuration_mended_meanwhile_counts() {
    let world = World::new();
    let _process = world.begin_quiet_run();
    assert_eq!(world.json(&["status"])["exceptions"]["RATE_MISSING"], 1);
    let held = world.json(&["exceptions", "list", "--code", "RATE_MISSING"]);
    let facts = held[0]["facts"].as_str().expect("facts");
    let after = |word: &str| {
        let rest = facts
            .split_once(word)
            .unwrap_or_else(|| panic!("{facts}"))
            .1;
        let name = rest.split([' ', ',']).next().expect("a name");
        name.to_owned()
    };
    let (contract, worker) = (after("contract "), after("worker "));
    let good = world.read("counterfoil.toml");
    let currency = currency_of(&good, &contract);
    // A rate of one worker wins over the rates of the role, which leave a gap.
    let mended = format!(
        "{good}\n[[rate]]\ncontract = \"{contract}\"\nworker = \"{worker}\"\nrate = \"100\"\n\
         currency = \"{currency}\"\nfrom = \"2020-01-01\"\n"
    );
    world.write("counterfoil.toml", &mended);
    let said = world.json(&["exceptions", "replay", "--code", "RATE_MISSING"]);
    assert_eq!(said["solved"], 1, "{said}");

    // A broken one stops commands and passes, and says where.
    world.write("counterfoil.toml", "ledger = ");
    let broken = world.say(&["resume"]);
    assert_eq!(broken.code, Some(2), "{broken:?}");
    // Another ledger under a running process is refused.
    world.write(
        "counterfoil.toml",
        &mended.replace(
            "ledger = \"ledger-beside-a-process\"",
            "ledger = \"ledger-of-another-firm\"",
        ),
    );
    let other = world.say(&["sync"]);
    assert_eq!(other.code, Some(2), "{other:?}");
    assert!(other.err.contains("another ledger"), "{other:?}");
}

/// The currency of a contract in a configuration.
fn currency_of(text: &str, contract: &str) -> String {
    let block = text
        .split("[[contract]]")
        .find(|block| block.contains(&format!("id = \"{contract}\"")))
        .expect("the contract");
    let line = block.lines().find(|line| line.starts_with("currency"));
    let quoted = line.expect("a currency").split('"').nth(1);
    quoted.expect("quotes").to_owned()
}

#[test]
fn many_commands_at_once_bill_once() {
    let world = World::new();
    world.slow_erp(20);
    let _process = world.begin_run();
    lift_hold(&world);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| world.say(&["sync"]).fine());
            scope.spawn(|| {
                world
                    .say(&["exceptions", "replay", "--code", "PROJECT_CLOSED"])
                    .fine()
            });
            scope.spawn(|| world.say(&["pause", "a moment"]).fine());
            scope.spawn(|| world.say(&["reconcile"]).fine());
        }
    });
    world.slow_erp(0);
    world.say(&["resume"]).fine();
    let last = world.json(&["sync"]);
    assert_eq!(
        (&last["left"], &last["answers_lost"]),
        (&json!(0), &json!(0)),
        "{last}"
    );
    let report = world.json(&["reconcile"]);
    assert_eq!(report["unexplained"], 0, "{report}");
    let keys: Vec<String> = world.erp.with(|state| {
        let lines = state
            .machine
            .lines
            .values()
            .filter_map(|line| line.key.clone());
        lines.collect()
    });
    let mut once = keys.clone();
    once.sort();
    once.dedup();
    assert_eq!(once.len(), keys.len());
    assert_eq!(world.say(&["audit", "verify"]).code, Some(0));
}

//! A call that is given up before its answer and that Tryton commits later: no duplicate, also when
//! the process is killed meanwhile and the next one asks while the call still runs.
//!
//! The tracker is a twin: what is put to the test is the ERP, and five hundred entries are booked
//! there in a second.

use crate::binary::secret;
use crate::tryton::Kind;
use crate::twin::{Place, TOKEN, Twin, firm};
use crate::world::{Days, World};
use serde_json::Value;
use std::collections::BTreeSet;
use std::time::Duration;

const LINES: usize = 500;
/// The longest that a pass needs to reach its call.
const PATIENCE: Duration = Duration::from_mins(2);
/// The most passes until nothing is left to do.
const PASSES_MAX: usize = 5;
const DAYS: Days = Days {
    first: "2026-06-01",
    last: "2026-06-30",
};

/// The lab's Tryton, with the twin as tracker and its work on one project of Tryton's.
fn world(kind: Kind, name: &str) -> Option<(World, Twin)> {
    let mut world = World::of(name, kind, DAYS)?;
    let tracker = Twin::serve(&world.binary, "tracker", &[]);
    secret(&world.path("tracker.key"), TOKEN);
    let place = Place::of(&firm(), "K01");
    let seed = |pointer: &str| world.lab.text(&format!("/redmine/seed{pointer}"));
    let crosswalk = format!(
        "[crosswalk.workers]\n\"{}\" = \"{}\"\n[crosswalk.projects]\n\"{}\" = \"{}\"\n\
         [crosswalk.tasks]\n\"{}\" = \"{}\"\n[crosswalk.service_items]\nconsulting = \"CONS\"\n",
        place.user,
        seed("/users/ada.fox/employee"),
        place.project,
        seed("/projects/borealis-training/erp_project"),
        place.task,
        seed("/projects/borealis-training/issues/Classroom/erp_task"),
    );
    let source = format!(
        "[source.reference]\nurl = \"{}\"\nrequests_per_window = 60000\n",
        tracker.url
    );
    world.change(|config| {
        config.source = source;
        config.crosswalk = crosswalk;
        config.flow.push_str("send_within_ms = 3000\n");
        let batch = format!("batch_lines_max = {LINES}\n");
        config.target.push_str(&batch);
        // Five hundred lines take a second or more, on any machine that was seen.
        config.calls_take(400, 20_000);
    });
    for number in 0..LINES {
        let day = format!("2026-06-{:02}", 1 + number % 28);
        // Every day gets its share, and no two entries of a day look alike.
        let quarters = 2 + number / 28;
        let hours = format!("{}.{:02}", quarters / 4, quarters % 4 * 25);
        tracker.book(&place, &day, &hours, &format!("one of many, {number}"));
    }
    Some((world, tracker))
}

/// Start a pass and kill it while its call is on its way.
fn kill_in_the_call(world: &World) {
    let mut running = world.binary.start(&world.pass());
    let step = Duration::from_millis(50);
    let mut waited = Duration::ZERO;
    loop {
        let said = world.run(&["--output", "json", "status"]);
        // Before the ledger is made there is nothing to say.
        if said.code == Some(0) && said.json()["calls_open"] != 0 {
            break;
        }
        assert!(
            running.is_running(),
            "the pass ended before its call was seen"
        );
        assert!(waited < PATIENCE, "no call was made: {said:?}");
        std::thread::sleep(step);
        waited += step;
    }
    running.kill();
}

fn late_answer(kind: Kind, name: &str, killed: bool) {
    let Some((world, tracker)) = world(kind, name) else {
        return;
    };
    if killed {
        kill_in_the_call(&world);
    }
    let mut answers_lost = 0;
    let mut passes = 0;
    let mut result = Value::Null;
    while result["left"] != 0 {
        assert!(passes < PASSES_MAX, "work is left: {result}");
        result = world.sync();
        answers_lost += result["answers_lost"].as_u64().expect("a count");
        passes += 1;
    }
    assert!(
        killed || answers_lost > 0,
        "the call was answered in time: nothing was tested"
    );
    the_lines_are_there_once(&world);
    let again = world.sync_clean();
    assert_eq!(again["posted"], 0);
    the_lines_are_there_once(&world);
    let entries = tracker.truth("entries");
    let posted = entries
        .iter()
        .filter(|row| row["billing_status"] == "posted");
    assert_eq!(posted.count(), LINES);
    world.audit();
    world.ties_out();
}

fn the_lines_are_there_once(world: &World) {
    let lines = world.tryton.lines();
    assert_eq!(lines.len(), LINES);
    let texts: BTreeSet<&str> = lines.iter().map(|line| line.description.as_str()).collect();
    assert_eq!(texts.len(), LINES);
    assert_eq!(world.tryton.invoices().len(), 1);
}

#[test]
fn with_the_module() {
    late_answer(Kind::Module, "late_key", false);
}

#[test]
fn without_the_module() {
    late_answer(Kind::LookUp, "late_plain", false);
}

#[test]
fn with_the_module_and_killed() {
    late_answer(Kind::Module, "late_key_kill", true);
}

#[test]
fn without_the_module_and_killed() {
    late_answer(Kind::LookUp, "late_plain_kill", true);
}

//! What is refused, and what is said then.

use crate::world::World;
use std::fs::File;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;

#[test]
fn a_ledger_that_is_held_by_a_process_without_an_ear_is_told() {
    let world = World::new();
    world.say(&["sync"]).fine();
    let lock = File::options()
        .write(true)
        .open(world.path("data/ledger.sqlite.lock"))
        .expect("the lock's file");
    lock.try_lock().expect("nobody has it");
    let commands: [&[&str]; 6] = [
        &["pause", "x"],
        &["resume"],
        &["sync"],
        &["publish"],
        &["exceptions", "replay", "--all"],
        &["reconcile"],
    ];
    let world = &world;
    let refused = &|words: &[&str]| {
        let said = world.say(words);
        assert_eq!(said.code, Some(1), "{said:?}");
        assert!(said.err.contains("takes no commands"), "{said:?}");
        assert!(said.err.contains("hint: a single command"), "{said:?}");
    };
    std::thread::scope(|scope| {
        for words in commands {
            scope.spawn(move || refused(words));
        }
    });
    let second = world.say(&["run", "--passes", "1"]);
    assert_eq!(second.code, Some(1), "{second:?}");
    assert!(second.err.contains("is in use by process"), "{second:?}");
    // Reading goes on.
    assert_eq!(world.say(&["status"]).code, Some(0));
    drop(lock);
    world.say(&["sync"]).fine();
}

#[test]
fn a_command_for_another_configuration_is_refused() {
    let world = World::new();
    let _process = world.begin_quiet_run();
    world.write("other.toml", &world.read("counterfoil.toml"));
    let said = world.say(&["--config", "other.toml", "pause", "x"]);
    assert_eq!(said.code, Some(2), "{said:?}");
    assert!(said.err.contains("name that file: --config"), "{said:?}");
    assert_eq!(
        world.json(&["status"])["posting_off"],
        serde_json::Value::Null
    );
    // The same file by another way is the same file.
    let path = world.path("counterfoil.toml");
    let said = world.say(&["--config", path.to_str().expect("a path"), "pause", "x"]);
    assert_eq!(said.code, Some(0), "{said:?}");
}

fn ask(world: &World, head: &str, body: &[u8]) -> String {
    let mut stream = UnixStream::connect(world.socket()).expect("it listens");
    let head = format!(
        "{head} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).expect("sent");
    // What is too large is refused before it was read to its end.
    let _refused_meanwhile = stream.write_all(body);
    let mut answer = Vec::new();
    let _cut_after_the_answer = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

#[test]
fn requests_are_limited_and_read_strictly() {
    let world = World::new();
    let _process = world.begin_quiet_run();
    let large = vec![b' '; 1024 * 1024 + 1];
    let answer = ask(&world, "POST /v1/passes", &large);
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
    let answer = ask(&world, "POST /v1/posting", br#"{"off":null,"loudly":true}"#);
    assert!(
        answer.starts_with("HTTP/1.1 422") && answer.contains("loudly"),
        "{answer}"
    );
    let answer = ask(&world, "POST /v2/passes", b"{}");
    assert!(
        answer.starts_with("HTTP/1.1 404") && answer.contains("restart it"),
        "{answer}"
    );
    let answer = ask(&world, "POST /v1/posting", br#"{"off":"by hand"}"#);
    assert!(answer.contains("application/x-ndjson"), "{answer}");
    assert!(answer.contains(r#"{"done":{"off":"by hand"}}"#), "{answer}");
    assert_eq!(world.json(&["status"])["posting_off"], "by hand");
}

#[test]
fn wrong_use_is_wrong_use_beside_a_process_too() {
    let world = World::new();
    world.say(&["sync"]).fine();
    let commands: [&[&str]; 3] = [
        &["exceptions", "replay"],
        &["exceptions", "replay", "--code", "NO_SUCH_CODE"],
        &["exceptions", "replay", "--all", "--code", "RATE_MISSING"],
    ];
    let alone: Vec<_> = commands.iter().map(|words| world.say(words)).collect();
    let _process = world.begin_quiet_run();
    for (words, alone) in commands.iter().zip(alone) {
        assert_eq!(alone.code, Some(2), "{alone:?}");
        assert_eq!(world.say(words), alone, "{words:?}");
    }
}

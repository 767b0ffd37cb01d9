//! Wrong credentials, wrong places and broken configurations: each a clear sentence with a hint and
//! an exit code, and never a secret.

use crate::binary::{Said, secret};
use crate::tryton::Kind;
use crate::world::{Days, World};
use std::os::unix::fs::PermissionsExt;

const DAYS: Days = Days {
    first: "2026-09-28",
    last: "2026-09-29",
};

/// It failed in words that say what and what to do.
fn clear(said: &Said, code: i32, words: &[&str]) {
    assert_eq!(said.code, Some(code), "{said:?}");
    assert!(said.err.contains("error: "), "{said:?}");
    assert!(said.err.contains("hint: "), "{said:?}");
    assert!(!said.err.contains("panicked"), "{said:?}");
    let text = said.err.to_lowercase();
    for word in words {
        assert!(
            text.contains(&word.to_lowercase()),
            "'{word}' is not in {said:?}"
        );
    }
    for own in ["not-the-key-4711", "not-the-password-4711"] {
        assert!(
            !said.err.contains(own) && !said.out.contains(own),
            "{said:?}"
        );
    }
}

#[test]
fn wrong_credentials_and_places_are_named() {
    let Some(mut world) = World::new("bad", Kind::Module, DAYS) else {
        return;
    };
    let (key, password) = (world.path("tracker.key"), world.path("erp.password"));
    let sync = ["sync", "--today", DAYS.first];
    let right = std::fs::read_to_string(&key).unwrap();
    secret(&key, "not-the-key-4711");
    clear(&world.run(&sync), 1, &["tracker", "credentials"]);
    let said = world.run(&["check"]);
    assert!(!said.out.contains("4711") && !said.err.contains("4711"));
    assert_ne!(said.code, Some(0));
    secret(&key, &right);

    let right = std::fs::read_to_string(&password).unwrap();
    secret(&password, "not-the-password-4711");
    clear(&world.run(&sync), 1, &["ERP", "credentials"]);
    secret(&password, &right);

    let good = world.config.clone();
    world.change(|config| config.target = config.target.replace("r_bad", "no_such"));
    clear(&world.run(&sync), 1, &["ERP"]);
    // Nobody listens on the discard port.
    let erp = world.lab.text("/tryton/url").to_owned();
    world.config = good.clone();
    world.change(|config| config.target = config.target.replace(&erp, "http://127.0.0.1:9"));
    clear(&world.run(&sync), 1, &["ERP", "check"]);
    let tracker = world.lab.text("/redmine/url").to_owned();
    world.config = good.clone();
    world.change(|config| config.source = config.source.replace(&tracker, "http://127.0.0.1:9"));
    clear(&world.run(&sync), 1, &["tracker", "check"]);

    // Nothing of it left a mark: mended, it works.
    world.config = good;
    world.configure();
    world.sync_clean();
    assert_eq!(world.tryton.lines(), []);
    world.audit();
}

#[test]
fn broken_configurations_and_open_secrets_are_refused() {
    let Some(mut world) = World::of("broken", Kind::Module, DAYS) else {
        return;
    };
    let sync = ["sync", "--today", DAYS.first];
    let good = world.config.clone();
    world.change(|config| config.flow.push_str("look_bak_days = 3\n"));
    clear(&world.run(&sync), 2, &["look_bak_days", "line"]);
    world.config = good.clone();
    world.change(|config| config.top = "ledger = = [".to_owned());
    clear(&world.run(&sync), 2, &["line"]);
    world.config = good.clone();
    world.change(|config| config.target.push_str("batch_lines_max = 0\n"));
    clear(&world.run(&sync), 2, &["batch_lines_max"]);
    world.config = good;
    world.configure();

    let password = world.path("erp.password");
    let open = std::fs::Permissions::from_mode(0o644);
    std::fs::set_permissions(&password, open).unwrap();
    clear(
        &world.run(&sync),
        2,
        &["erp.password", "others", "chmod 600"],
    );
    std::fs::remove_file(&password).unwrap();
    clear(&world.run(&sync), 2, &["erp.password", "cannot be read"]);
    clear(
        &world.run(&["--config", "nowhere.toml", "sync"]),
        2,
        &["nowhere.toml"],
    );
}

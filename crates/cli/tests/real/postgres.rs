//! A ledger in PostgreSQL under the product's own commands: what works on a file works there, and what
//! does not says so.

use crate::binary::{Binary, secret};
use crate::twin::{TOKEN, Twin, firm};
use serde_json::Value;
use std::path::PathBuf;

/// A database of one test, made and dropped by the server's own tools.
struct Database {
    server: String,
    name: String,
}

impl Database {
    fn new(test: &str) -> Option<Self> {
        #[expect(
            clippy::disallowed_methods,
            reason = "tests are told of the server like this"
        )]
        let server = std::env::var("COUNTERFOIL_TEST_POSTGRES_URL").ok()?;
        let name = format!("counterfoil_cli_{test}_{}", std::process::id());
        let database = Self { server, name };
        database.tell(&format!("CREATE DATABASE {}", database.name));
        Some(database)
    }

    fn tell(&self, text: &str) {
        let told = std::process::Command::new("psql")
            .args([
                "-X",
                "-q",
                "-v",
                "ON_ERROR_STOP=1",
                "-d",
                &self.server,
                "-c",
                text,
            ])
            .output()
            .expect("psql");
        assert!(
            told.status.success(),
            "{}",
            String::from_utf8_lossy(&told.stderr)
        );
    }

    /// The server's address with this database.
    fn url(&self) -> String {
        if let Some((front, _)) = self.server.split_once("://") {
            let end = self.server.rfind('/').expect("a path");
            assert!(end > front.len() + 2, "{}", self.server);
            let (front, _) = self.server.split_at(end);
            return format!("{front}/{}", self.name);
        }
        let words = self
            .server
            .split(' ')
            .filter(|word| !word.starts_with("dbname="));
        let words: Vec<&str> = words.collect();
        format!("{} dbname={}", words.join(" "), self.name)
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        self.tell(&format!(
            "DROP DATABASE IF EXISTS {} WITH (FORCE)",
            self.name
        ));
    }
}

struct Stage {
    binary: Binary,
    tracker: Twin,
    erp: Twin,
    _database: Database,
}

impl Stage {
    fn set(test: &str) -> Option<Self> {
        let Some(database) = Database::new(test) else {
            eprintln!("{test}: skipped, COUNTERFOIL_TEST_POSTGRES_URL names no server");
            return None;
        };
        let seal_key = "8899aabbccddeeff".repeat(4);
        let binary = Binary::new(vec![TOKEN.to_owned(), seal_key.clone()]);
        let tracker = Twin::serve(&binary, "tracker", &[]);
        let erp = Twin::serve(&binary, "erp", &[]);
        secret(&binary.path("token"), TOKEN);
        secret(&binary.path("seal.key"), &seal_key);
        secret(&binary.path("database-url"), &database.url());
        let stage = Self {
            binary,
            tracker,
            erp,
            _database: database,
        };
        for node in ["a", "b"] {
            let path = stage.config(node);
            std::fs::write(path, stage.text(node)).expect("a configuration");
        }
        Some(stage)
    }

    fn config(&self, node: &str) -> PathBuf {
        self.binary.path(&format!("{node}.toml"))
    }

    fn text(&self, node: &str) -> String {
        format!(
            "ledger = \"ledger-on-postgres\"\ndata = \"data-{node}\"\n[store]\n\
             postgres = {{ file = \"database-url\" }}\n[flow]\nfirst_day = \"2026-09-01\"\n\
             billed_before = \"2026-09-01\"\nlook_back_days = 80\n[secrets]\n\
             source = {{ file = \"token\" }}\ntarget = {{ file = \"token\" }}\n\
             seal_key = {{ file = \"seal.key\" }}\n[source.reference]\nurl = \"{}\"\n\
             requests_per_window = 60000\n[target.reference]\nurl = \"{}\"\n\
             uniqueness = \"unique_key\"\nrequests_per_window = 60000\n{}",
            self.tracker.url,
            self.erp.url,
            firm().config.to_toml().expect("the firm's configuration"),
        )
    }

    fn says(&self, node: &str, words: &[&str], code: i32) -> Value {
        let config = format!("{node}.toml");
        let mut all = vec!["--config", &config, "--output", "json"];
        all.extend(words);
        let said = self.binary.run(&all);
        assert_eq!(said.code, Some(code), "{said:?}");
        serde_json::from_str(&said.out).unwrap_or(Value::String(said.out + &said.err))
    }
}

const PASS: &[&str] = &["sync", "--today", "2026-11-10"];

#[test]
fn two_nodes_share_a_ledger() {
    let Some(stage) = Stage::set("share") else {
        return;
    };
    let nothing = stage.says("a", &["status"], 2);
    assert!(
        nothing.to_string().contains("there is no ledger at"),
        "{nothing}"
    );
    let checked = stage.says("a", &["check"], 0);
    assert!(
        checked
            .to_string()
            .contains("there is none at PostgreSQL database"),
        "{checked}"
    );

    let first = stage.says("a", PASS, 3);
    assert_ne!(first["posted"], 0, "{first}");
    let second = stage.says("b", PASS, 3);
    assert_eq!(second["posted"], 0, "{second}");
    assert_eq!(second["new"], 0, "{second}");
    let status = stage.says("b", &["status"], 0);
    let nodes = status["nodes"].as_array().expect("nodes");
    assert_eq!(nodes.len(), 2, "{status}");
    assert!(
        nodes
            .iter()
            .all(|node| node["leases"] == serde_json::json!({})),
        "{status}"
    );
    for words in [["audit", "verify"], ["audit", "reprice"]] {
        stage.says("a", &words, 0);
    }
    stage.says("b", &["reconcile"], 0);
    let entries = stage.says("a", &["exceptions", "list"], 0);
    assert_ne!(entries, serde_json::json!([]));
    // Some of the work is not booked, which the export says.
    let said = stage.says("b", &["export", "labor"], 3);
    assert!(said.to_string().contains("KESTREL"), "{said}");
}

#[test]
fn what_needs_a_file_says_what_to_do() {
    let Some(stage) = Stage::set("file") else {
        return;
    };
    stage.says("a", PASS, 3);
    for (words, hint) in [
        (["backup", "copy.sqlite"], "pg_dump"),
        (["restore", "copy.sqlite"], "restore --in-database"),
    ] {
        let said = stage.says("a", &words, 2).to_string();
        assert!(said.contains(hint), "{said}");
    }
}

#[test]
fn a_restored_database_looks_up_before_it_posts() {
    let Some(stage) = Stage::set("restored") else {
        return;
    };
    stage.says("a", PASS, 3);
    stage.says("a", &["restore", "--in-database"], 0);
    let off = stage.says("b", &["status"], 0);
    assert_eq!(off["posting_off"], "restored", "{off}");
    let again = stage.says("b", PASS, 3);
    assert_eq!(again["posted"], 0, "{again}");
    let on = stage.says("b", &["status"], 0);
    assert_eq!(on["posting_off"], Value::Null, "{on}");
    stage.says("b", &["audit", "verify"], 0);
}

#[test]
fn a_firm_that_grows_moves_its_ledger() {
    let Some(stage) = Stage::set("moved") else {
        return;
    };
    // The same firm with its ledger in a file.
    let text = stage
        .text("a")
        .replace("[store]\npostgres = { file = \"database-url\" }\n", "");
    std::fs::write(stage.config("file"), text.replace("data-a", "data-file")).expect("a file");
    let first = stage.says("file", PASS, 3);
    assert_ne!(first["posted"], 0, "{first}");
    let before = stage.says("file", &["reconcile"], 0);
    let steps = stage.says("file", &["migrate", "status"], 0);
    assert!(
        steps["steps"]
            .as_array()
            .expect("steps")
            .iter()
            .all(|s| s["applied"] == true)
    );
    let up = stage
        .says("file", &["migrate", "up", "--dry-run"], 0)
        .to_string();
    assert!(up.contains("is up to date"), "{up}");

    let copy = ["migrate", "copy", "--to-file", "database-url"];
    let copied = stage.says("file", &copy, 0).to_string();
    assert!(copied.contains("counted and verified"), "{copied}");
    // Nobody works with the file any more, and a second copy finds the first.
    let refused = stage.says("file", PASS, 1).to_string();
    assert!(
        refused.contains("was moved to the PostgreSQL database"),
        "{refused}"
    );
    let again = stage.says("file", &copy, 1).to_string();
    assert!(again.contains("holds a ledger already"), "{again}");
    let kept = stage.says(
        "file",
        &["migrate", "copy", "--give-up", "--to-file", "database-url"],
        1,
    );
    assert!(kept.to_string().contains("work with that one"), "{kept}");

    // The work goes on where it was left.
    let next = stage.says("a", PASS, 3);
    assert_eq!(
        (&next["posted"], &next["new"]),
        (&Value::from(0), &Value::from(0)),
        "{next}"
    );
    assert_eq!(stage.says("a", &["reconcile"], 0)["money"], before["money"]);
    stage.says("a", &["audit", "verify"], 0);
}

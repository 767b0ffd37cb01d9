//! A test's own world: days of 2026 in the shared Redmine, a Tryton database, a ledger and the
//! binary.

use crate::binary::{Binary, Said, secret};
use crate::config::Config;
use crate::lab::Lab;
use crate::redmine::{Redmine, Work};
use crate::tryton::{Kind, Tryton};
use connector_sdk::clock::{Clock, SystemClock};
use serde_json::Value;
use std::path::PathBuf;

const SEAL_KEY: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

/// Days in Redmine.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Days {
    pub(crate) first: &'static str,
    pub(crate) last: &'static str,
}

impl Days {
    fn count(self) -> i64 {
        let day = |text: &str| text.parse::<jiff::civil::Date>().expect("a date");
        let span = day(self.last) - day(self.first);
        i64::from(span.get_days()) + 1
    }
}

/// The world of a test.
pub(crate) struct World {
    pub(crate) lab: Lab,
    pub(crate) tryton: Tryton,
    pub(crate) config: Config,
    pub(crate) days: Days,
    pub(crate) binary: Binary,
}

impl World {
    /// A world with an empty ledger; its days hold nothing if they are its own.
    pub(crate) fn new(name: &str, kind: Kind, days: Days) -> Option<Self> {
        let world = Self::of(name, kind, days)?;
        world.redmine().clear(days.first, days.last);
        Some(world)
    }

    /// A world on days that others may also read.
    pub(crate) fn of(name: &str, kind: Kind, days: Days) -> Option<Self> {
        let lab = Lab::running()?;
        let database = format!("r_{name}_{}", SystemClock.now_us() / 1000 % 100_000_000);
        let tryton = Tryton::fresh(&lab, &database, kind);
        let config = Config::usual(&lab, &database, kind, days.first, days.count());
        let mut secrets = lab.secrets();
        secrets.push(SEAL_KEY.to_owned());
        let binary = Binary::new(secrets);
        let at = |file: &str| binary.path(file);
        secret(&at("tracker.key"), lab.text("/redmine/seed/connector/key"));
        secret(
            &at("erp.password"),
            lab.text("/tryton/logins/connector/password"),
        );
        secret(&at("seal.key"), SEAL_KEY);
        let world = Self {
            lab,
            tryton,
            config,
            days,
            binary,
        };
        world.configure();
        Some(world)
    }

    /// Write the configuration.
    pub(crate) fn configure(&self) {
        std::fs::write(self.path("counterfoil.toml"), self.config.text()).expect("a configuration");
    }

    /// Change the configuration.
    pub(crate) fn change(&mut self, change: impl FnOnce(&mut Config)) {
        change(&mut self.config);
        self.configure();
    }

    pub(crate) fn redmine(&self) -> Redmine<'_> {
        Redmine(&self.lab)
    }

    /// Book work on the first day unless it names one.
    pub(crate) fn book(&self, work: Work<'_>) -> String {
        let day = if work.day.is_empty() {
            self.days.first
        } else {
            work.day
        };
        self.redmine().book(Work { day, ..work })
    }

    pub(crate) fn path(&self, file: &str) -> PathBuf {
        self.binary.path(file)
    }

    /// Run the binary to its end.
    pub(crate) fn run(&self, words: &[&str]) -> Said {
        self.binary.run(words)
    }

    /// The words of a pass over the world's days.
    pub(crate) fn pass(&self) -> [&'static str; 5] {
        ["--output", "json", "sync", "--today", self.days.first]
    }

    /// One pass.
    pub(crate) fn sync(&self) -> Value {
        let said = self.run(&self.pass());
        assert!(matches!(said.code, Some(0 | 3)), "{said:?}");
        said.json()
    }

    /// One pass that needs nobody.
    pub(crate) fn sync_clean(&self) -> Value {
        let result = self.sync();
        if result["exceptions"] != serde_json::json!({}) {
            let open = self.run(&["exceptions", "list"]).out;
            panic!("{result}: {open}");
        }
        assert_eq!(result["left"], 0, "{result}");
        assert_eq!(result["not_told"], 0, "{result}");
        result
    }

    /// All three sides compared.
    pub(crate) fn reconcile(&self) -> Value {
        let words = [
            "--output",
            "json",
            "reconcile",
            "--from",
            self.days.first,
            "--to",
            self.days.last,
        ];
        let said = self.run(&words);
        assert!(matches!(said.code, Some(0 | 3)), "{said:?}");
        said.json()
    }

    /// Reconcile; nothing may be unexplained.
    pub(crate) fn ties_out(&self) -> Value {
        let report = self.reconcile();
        assert_eq!(report["unexplained"], 0, "{report}");
        for money in report["money"].as_array().expect("money") {
            assert_eq!(money["unexplained_minor"], 0, "{money}");
        }
        report
    }

    /// The class that reconciliation gives an entry.
    pub(crate) fn class(report: &Value, id: &str) -> String {
        let rows = report["entries"].as_array().expect("entries");
        let row = rows.iter().find(|row| row["source_ref"] == id);
        let row = row.unwrap_or_else(|| panic!("no row of {id}"));
        row["class"].as_str().expect("a class").to_owned()
    }

    /// The audit chain must hold.
    pub(crate) fn audit(&self) {
        let said = self.run(&["audit", "verify"]);
        assert_eq!(said.code, Some(0), "{said:?}");
        // And every price comes out again.
        let said = self.run(&["--output", "json", "audit", "reprice"]);
        assert_eq!(said.code, Some(0), "{said:?}");
    }

    /// The life of an entry.
    pub(crate) fn explain(&self, id: &str) -> Value {
        let said = self.run(&["--output", "json", "explain", id]);
        assert_eq!(said.code, Some(0), "{said:?}");
        said.json()
    }

    /// The open exception of an entry.
    pub(crate) fn exception(&self, id: &str) -> Value {
        let said = self.run(&["--output", "json", "exceptions", "list"]);
        let all = said.json();
        let rows: Vec<&Value> = all
            .as_array()
            .expect("a list")
            .iter()
            .filter(|row| row["source_ref"] == id)
            .collect();
        assert_eq!(rows.len(), 1, "of {id}: {all}");
        rows[0].clone()
    }

    /// Replay the exception of an entry.
    pub(crate) fn replay(&self, id: &str) -> Value {
        let said = self.run(&["--output", "json", "exceptions", "replay", id]);
        assert!(matches!(said.code, Some(0 | 3)), "{said:?}");
        said.json()
    }
}

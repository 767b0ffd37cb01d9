//! A test's own world: days of 2026 in the shared Redmine, a Tryton database, a ledger and the
//! binary.

use crate::config::Config;
use crate::lab::Lab;
use crate::redmine::{Redmine, Work};
use crate::tryton::{Kind, Tryton};
use connector_sdk::clock::{Clock, SystemClock};
use serde_json::Value;
use std::fs::File;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tempfile::TempDir;

/// The longest that one command may take.
const PATIENCE: Duration = Duration::from_mins(4);
const SEAL_KEY: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

/// What a command said.
#[derive(Debug)]
pub(crate) struct Said {
    /// The exit code; none if it was ended by a signal.
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Said {
    /// What it wrote, as JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

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
    pub(crate) folder: TempDir,
}

/// A new secret file.
pub(crate) fn secret(path: &Path, text: &str) {
    std::fs::write(path, text).expect("a secret is written");
    let only_me = std::fs::Permissions::from_mode(0o600);
    std::fs::set_permissions(path, only_me).expect("a secret is closed");
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
        let folder = tempfile::tempdir().expect("a folder");
        let at = |file: &str| folder.path().join(file);
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
            folder,
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
        self.folder.path().join(file)
    }

    /// Start the binary.
    fn start(&self, words: &[&str]) -> Running<'_> {
        let serial = SystemClock.now_us();
        let (out, err) = (
            self.path(&format!("out-{serial}")),
            self.path(&format!("err-{serial}")),
        );
        let mut command = Command::new(env!("CARGO_BIN_EXE_counterfoil"));
        command
            .current_dir(self.folder.path())
            .arg("--quiet")
            .args(words)
            .stdin(Stdio::null())
            .stdout(File::create(&out).expect("a file"))
            .stderr(File::create(&err).expect("a file"));
        let child = command.spawn().expect("the binary starts");
        Running {
            world: self,
            child,
            out,
            err,
        }
    }

    /// Run the binary to its end.
    pub(crate) fn run(&self, words: &[&str]) -> Said {
        self.start(words).wait()
    }

    /// The words of a pass over the world's days.
    fn pass(&self) -> [&'static str; 5] {
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
        let open = self.run(&["exceptions", "list"]).out;
        let none = serde_json::json!({});
        assert_eq!(result["exceptions"], none, "{result}: {open}");
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

/// A command under way.
struct Running<'a> {
    world: &'a World,
    child: Child,
    out: PathBuf,
    err: PathBuf,
}

impl Running<'_> {
    /// Wait for its end. Whatever it said, no secret is in it.
    fn wait(mut self) -> Said {
        let step = Duration::from_millis(20);
        let mut waited = Duration::ZERO;
        let status = loop {
            if let Some(status) = self.child.try_wait().expect("a state") {
                break status;
            }
            if waited > PATIENCE {
                self.child.kill().expect("it still ran");
                panic!("the command does not end: {:?}", self.said(None));
            }
            std::thread::sleep(step);
            waited += step;
        };
        let said = self.said(status.code());
        let mut secrets = self.world.lab.secrets();
        secrets.push(SEAL_KEY.to_owned());
        for secret in secrets {
            let shown = said.out.contains(&secret) || said.err.contains(&secret);
            assert!(!shown, "a secret is in the output");
        }
        said
    }

    fn said(&self, code: Option<i32>) -> Said {
        let read = |path: &Path| std::fs::read_to_string(path).expect("text");
        Said {
            code,
            out: read(&self.out),
            err: read(&self.err),
        }
    }
}

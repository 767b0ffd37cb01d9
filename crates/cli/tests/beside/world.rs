//! A small firm on twins, a configuration for it, and the binary.

use connector_sdk::clock::{Clock as _, SystemClock};
use serde_json::Value;
use std::fs::File;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use tokio::runtime::Runtime;
use twins::erp::Erp;
use twins::firm::{Expected, FirmSpec, Outcome, generate};
use twins::frame::State;
use twins::serve::{Served, serve};
use twins::tracker::Tracker;
use twins::transport::Twin;

/// The longest that anything may take.
const PATIENCE: Duration = Duration::from_secs(30);
const TOKEN: &str = "a-token-that-is-never-printed";

/// What a command said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Said {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Said {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// It ended well, or needs a person.
    pub(crate) fn fine(self) -> Self {
        assert!(matches!(self.code, Some(0 | 3)), "{self:?}");
        self
    }
}

pub(crate) struct World {
    pub(crate) folder: TempDir,
    pub(crate) tracker: Arc<Twin<Tracker>>,
    pub(crate) erp: Arc<Twin<Erp>>,
    pub(crate) expected: Expected,
    _served: (Served, Served),
    _runtime: Runtime,
}

/// A process that is ended with the test.
pub(crate) struct Process(pub(crate) Child);

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself, as many tests want.
        let _ended = self.0.kill();
        let _ended = self.0.wait();
    }
}

impl Process {
    pub(crate) fn signal(&self, name: &str) {
        let pid = self.0.id().to_string();
        let sent = Command::new("kill").args(["-s", name, &pid]).status();
        assert!(sent.expect("kill runs").success());
    }

    /// Wait for its end.
    pub(crate) fn code(&mut self) -> Option<i32> {
        until("the process ends", || self.0.try_wait().expect("a state")).code()
    }
}

/// Look again and again until something is there.
pub(crate) fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let (step, mut waited) = (Duration::from_millis(20), Duration::ZERO);
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(waited < PATIENCE, "waited in vain until {what}");
        std::thread::sleep(step);
        waited += step;
    }
}

impl World {
    pub(crate) fn new() -> Self {
        let now = jiff::Timestamp::from_microsecond(SystemClock.now_us()).expect("an instant");
        let today = now.to_zoned(jiff::tz::TimeZone::UTC).date();
        // `run` works with the real day, so the firm's month is the one before it.
        let month = today.first_of_month().yesterday().expect("a day");
        let spec = FirmSpec {
            year: month.year(),
            month: month.month(),
            consultants: 6,
            entries: 30,
            planted: 1,
            ..FirmSpec::default()
        };
        let firm = generate(11, &spec).expect("a firm");
        let (from, _) = spec.span().expect("days");
        let (mut tracker, mut erp) = (State::new(firm.tracker), State::new(firm.erp));
        tracker.token = Some(TOKEN.to_owned());
        erp.token = Some(TOKEN.to_owned());
        let (tracker, erp) = (Twin::new(tracker), Twin::new(erp));
        let runtime = Runtime::new().expect("a runtime");
        let clock = Arc::new(SystemClock);
        let served = runtime.block_on(async {
            let tracker = serve(Arc::clone(&tracker), clock.clone(), 0).await;
            let erp = serve(Arc::clone(&erp), clock, 0).await;
            (tracker.expect("a port"), erp.expect("a port"))
        });
        let folder = tempfile::tempdir().expect("a folder");
        let business = firm.config.to_toml().expect("text");
        let text = format!(
            "ledger = \"ledger-beside-a-process\"\n{business}\n[flow]\nfirst_day = \"{from}\"\n\
             billed_before = \"{from}\"\nlook_back_days = 70\nsettle_ms = 200\n\
             [secrets]\nsource = {{ file = \"token\" }}\ntarget = {{ file = \"token\" }}\n\
             seal_key = {{ file = \"seal.key\" }}\n[source.reference]\nurl = \"{}\"\n\
             [target.reference]\nurl = \"{}\"\nuniqueness = \"unique_key\"\nbatch_lines_max = 1\n\
             requests_per_window = 100000\nlongest_call_ms = 1000\n",
            served.0.url(),
            served.1.url()
        );
        let world = Self {
            folder,
            tracker,
            erp,
            expected: firm.expected,
            _served: served,
            _runtime: runtime,
        };
        world.write("counterfoil.toml", &text);
        world.write("token", TOKEN);
        world.write("seal.key", &"5e".repeat(32));
        world
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.path("data/control.sock")
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        std::fs::write(&path, text).expect("written");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).expect("a mode");
    }

    pub(crate) fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).expect("text")
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_counterfoil"));
        command
            .current_dir(self.folder.path())
            .args(words)
            .stdin(Stdio::null());
        command
    }

    /// Run a command to its end.
    pub(crate) fn say(&self, words: &[&str]) -> Said {
        let output = self.command(words).output().expect("the binary runs");
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
        let said = Said {
            code: output.status.code(),
            out: text(output.stdout),
            err: text(output.stderr),
        };
        assert!(!said.out.contains(TOKEN) && !said.err.contains(TOKEN));
        said
    }

    /// The data of a command.
    pub(crate) fn json(&self, words: &[&str]) -> Value {
        let mut all = vec!["--output", "json"];
        all.extend(words);
        self.say(&all).fine().json()
    }

    /// Begin a command; its outputs go to files of that name.
    pub(crate) fn begin(&self, name: &str, words: &[&str]) -> Process {
        let file = |end: &str| File::create(self.path(&format!("{name}.{end}"))).expect("a file");
        let child = self
            .command(words)
            .stdout(file("out"))
            .stderr(file("err"))
            .spawn();
        Process(child.expect("the binary starts"))
    }

    /// Begin `run`, with an hour between passes, and wait until it listens.
    pub(crate) fn begin_run(&self) -> Process {
        let mut process = self.begin("run", &["run", "--every-seconds", "3600"]);
        let pid = process.0.id();
        until("run listens", || {
            let ended = process.0.try_wait().expect("a state");
            assert!(ended.is_none(), "{}", self.read("run.err"));
            let there = self.socket().exists();
            (there && self.process()["pid"] == pid).then_some(())
        });
        process
    }

    /// Begin `run` and wait until its first pass has ended.
    pub(crate) fn begin_quiet_run(&self) -> Process {
        let process = self.begin_run();
        until("the first pass has ended", || {
            let idle = self.process();
            (!idle["last_pass"].is_null()).then_some(())
        });
        process
    }

    /// What the running process says of itself.
    pub(crate) fn process(&self) -> Value {
        self.json(&["status"])["process"].clone()
    }

    /// Lines that the ERP holds: drafts and booked time.
    pub(crate) fn lines(&self) -> usize {
        self.erp
            .with(|state| state.machine.lines.len() + state.machine.time_lines.len())
    }

    /// Every answer of the ERP takes so long.
    pub(crate) fn slow_erp(&self, latency_ms: u32) {
        self.erp.with(|state| {
            state.plan.latency_ms_min = latency_ms;
            state.plan.latency_ms_max = latency_ms;
        });
    }

    /// No line is there twice, and none is there that should not be: as many as the firm expects.
    pub(crate) fn billed_once(&self) {
        let wanted = self
            .expected
            .entries
            .values()
            .filter(|outcome| matches!(outcome, Outcome::Bill { .. } | Outcome::Cost { .. }));
        assert_eq!(self.lines(), wanted.count());
    }
}

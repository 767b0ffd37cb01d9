//! A folder with a configuration and planted secrets, the two twins behind it, and the binary.

use connector_sdk::clock::{Clock, SystemClock};
use connector_sdk::http::HttpTransport;
use serde_json::Value;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use tokio::runtime::Runtime;
use twins::auditor::{Brief, Verdict, audit};
use twins::erp::Erp;
use twins::firm::{FirmSpec, generate};
use twins::frame::State;
use twins::serve::{Served, serve};
use twins::tracker::Tracker;
use twins::transport::Twin;

/// Secrets that must be found nowhere.
const TRACKER_TOKEN: &str = "canary-tracker-7f3a9b1c";
const ERP_TOKEN: &str = "canary-erp-91bcd204ee";
const SEAL_KEY: &str = "ca9a7e00ca9a7e01ca9a7e02ca9a7e03ca9a7e04ca9a7e05ca9a7e06ca9a7e07";

/// What a command came to.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
    /// The most memory it ever held, in kilobytes.
    pub(crate) peak_kb: u64,
}

impl Said {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// It failed in words that say what happened and what to do.
    pub(crate) fn is_clear(&self, code: i32, words: &[&str]) {
        assert_eq!(self.code, Some(code), "{self:?}");
        assert!(self.err.contains("error: "), "{self:?}");
        assert!(self.err.contains("hint: "), "{self:?}");
        let text = self.err.to_lowercase();
        for word in words {
            assert!(text.contains(&word.to_lowercase()), "no '{word}': {self:?}");
        }
    }
}

pub(crate) struct Home {
    pub(crate) tracker: Arc<Twin<Tracker>>,
    pub(crate) tracker_url: String,
    pub(crate) erp_url: String,
    pub(crate) folder: TempDir,
    brief: Brief,
    business: String,
    first_day: String,
    today: String,
    runtime: Runtime,
    _served: (Served, Served),
}

fn secret(path: &Path, text: &str) {
    std::fs::write(path, text).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
}

impl Home {
    pub(crate) fn new(seed: u64) -> Self {
        let spec = FirmSpec {
            consultants: 4,
            entries: 24,
            planted: 0,
            approved: 1000,
            not_billable: 0,
            ..FirmSpec::default()
        };
        let firm = generate(seed, &spec).unwrap();
        let (from, to) = spec.span().unwrap();
        let business = firm.config.to_toml().unwrap();
        let brief = Brief {
            config: firm.config.clone(),
            expected: firm.expected.clone(),
            agreed: Vec::new(),
            lost: None,
        };
        let mut tracker = State::new(firm.tracker);
        tracker.token = Some(TRACKER_TOKEN.to_owned());
        let mut erp = State::new(firm.erp);
        erp.token = Some(ERP_TOKEN.to_owned());
        let (tracker, erp): (_, Arc<Twin<Erp>>) = (Twin::new(tracker), Twin::new(erp));
        let runtime = Runtime::new().unwrap();
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let served = runtime.block_on(async {
            (
                serve(tracker.clone(), clock.clone(), 0).await.unwrap(),
                serve(erp, clock, 0).await.unwrap(),
            )
        });
        let folder = tempfile::tempdir().unwrap();
        secret(&folder.path().join("tracker.token"), TRACKER_TOKEN);
        secret(&folder.path().join("erp.token"), ERP_TOKEN);
        secret(&folder.path().join("seal.key"), SEAL_KEY);
        let home = Self {
            tracker,
            tracker_url: served.0.url(),
            erp_url: served.1.url(),
            folder,
            brief,
            business,
            first_day: from.to_string(),
            today: to.to_string(),
            runtime,
            _served: served,
        };
        home.configure(&home.tracker_url, &home.erp_url);
        home
    }

    pub(crate) fn path(&self, file: &str) -> PathBuf {
        self.folder.path().join(file)
    }

    /// The text of a configuration that works with these addresses.
    pub(crate) fn text(&self, tracker_url: &str, erp_url: &str) -> String {
        format!(
            "ledger = \"bad-input-ledger-0001\"\n\
             [flow]\nfirst_day = \"{first}\"\nbilled_before = \"{first}\"\nlook_back_days = 70\n\
             settle_ms = 200\ntries_max = 2\nsend_within_ms = 500\npatience_ms = 8000\n\
             [secrets]\nsource = {{ file = \"tracker.token\" }}\n\
             target = {{ file = \"erp.token\" }}\nseal_key = {{ file = \"seal.key\" }}\n\
             [source.reference]\nurl = \"{tracker_url}\"\nread_timeout_ms = 1500\n\
             write_timeout_ms = 1500\nrequests_per_window = 10000\n\
             [target.reference]\nurl = \"{erp_url}\"\nuniqueness = \"unique_key\"\n\
             read_timeout_ms = 1500\nwrite_timeout_ms = 1500\nlongest_call_ms = 500\n\
             requests_per_window = 10000\n{business}",
            first = self.first_day,
            business = self.business,
        )
    }

    pub(crate) fn configure(&self, tracker_url: &str, erp_url: &str) {
        self.write_config(&self.text(tracker_url, erp_url));
    }

    pub(crate) fn write_config(&self, text: &str) {
        std::fs::write(self.path("counterfoil.toml"), text).unwrap();
    }

    /// Run the binary. Whatever happens it does not panic, and no secret shows or is kept.
    pub(crate) fn run(&self, words: &[&str]) -> Said {
        let (out, err) = (self.path("out.txt"), self.path("err.txt"));
        let mut child = Command::new(env!("CARGO_BIN_EXE_counterfoil"))
            .current_dir(self.folder.path())
            .arg("--quiet")
            .args(words)
            .stdin(Stdio::null())
            .stdout(std::fs::File::create(&out).unwrap())
            .stderr(std::fs::File::create(&err).unwrap())
            .spawn()
            .unwrap();
        let (mut peak_kb, mut waited_ms) = (0, 0_u64);
        let status = loop {
            peak_kb = peak_kb.max(peak_of(child.id()));
            if let Some(status) = child.try_wait().unwrap() {
                break status;
            }
            assert!(waited_ms < 120_000, "{words:?} does not end");
            std::thread::sleep(Duration::from_millis(5));
            waited_ms += 5;
        };
        let said = Said {
            code: status.code(),
            out: std::fs::read_to_string(out).unwrap(),
            err: std::fs::read_to_string(err).unwrap(),
            peak_kb,
        };
        assert!(!said.err.contains("panicked"), "{said:?}");
        self.no_secret(&said);
        said
    }

    fn no_secret(&self, said: &Said) {
        let mut places = vec![
            ("stdout".to_owned(), said.out.clone().into_bytes()),
            ("stderr".to_owned(), said.err.clone().into_bytes()),
        ];
        if let Ok(data) = std::fs::read_dir(self.path("data")) {
            for file in data.map(|file| file.unwrap().path()) {
                let bytes = std::fs::read(&file).unwrap_or_default();
                places.push((file.display().to_string(), bytes));
            }
        }
        for secret in [TRACKER_TOKEN, ERP_TOKEN, SEAL_KEY] {
            for (place, bytes) in &places {
                let holds = String::from_utf8_lossy(bytes).contains(secret);
                assert!(!holds, "{secret} is in {place}");
            }
        }
    }

    pub(crate) fn sync(&self) -> Said {
        self.run(&["--output", "json", "sync", "--today", &self.today])
    }

    pub(crate) fn exceptions(&self) -> Vec<Value> {
        let said = self.run(&["--output", "json", "exceptions", "list"]);
        assert_eq!(said.code, Some(0), "{said:?}");
        said.json().as_array().unwrap().clone()
    }

    /// Everything is where it belongs: the auditor finds nothing, the books tie out, the chain holds.
    pub(crate) fn all_is_well(&self) -> Verdict {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let transport = HttpTransport::new(clock).unwrap();
        let judging = audit(&transport, &self.tracker_url, &self.erp_url, &self.brief);
        let verdict = self.runtime.block_on(judging).unwrap();
        assert!(verdict.is_good(), "{verdict:?}");
        let (from, to) = (self.first_day.as_str(), self.today.as_str());
        let words = ["--output", "json", "reconcile", "--from", from, "--to", to];
        let report = self.run(&words).json();
        assert_eq!(report["unexplained"], 0, "{report}");
        let said = self.run(&["audit", "verify"]);
        assert_eq!(said.code, Some(0), "{said:?}");
        verdict
    }
}

/// The peak of resident memory of a process, in kilobytes; nothing once it has ended.
fn peak_of(id: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));
    line.and_then(|line| line.split_whitespace().nth(1)?.parse().ok())
        .unwrap_or(0)
}

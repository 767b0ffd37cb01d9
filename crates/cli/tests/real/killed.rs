//! Killed at every point at which something has just happened or is about to, and started again:
//! each charge stands in the ERP exactly once, in both uniqueness modes. The points are the
//! product's own list.

use crate::binary::{Binary, secret};
use crate::redmine::{Work, shown};
use crate::tryton::Kind;
use crate::twin::{Place, TOKEN, Twin, firm};
use crate::world::{Days, World};
use connector_sdk::clock::SystemClock;
use connector_sdk::http::HttpTransport;
use pipeline::crash::CrashPoint;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;
use twins::auditor::{Brief, audit};
use twins::firm::Firm;

/// A tracker and an ERP with the product between them.
trait Systems {
    fn binary(&self) -> &Binary;
    /// The words of a pass.
    fn pass(&self) -> Vec<&str>;
    /// Book an entry that a client pays and one that is cost, both with this text.
    fn book(&self, text: &str, hours: &str);
    /// The texts of all lines of invoices in the ERP.
    fn lines(&self) -> Vec<String>;
    /// The texts of all booked time in the ERP.
    fn times(&self) -> Vec<String>;
    /// Billing statuses of one entry that is cost and one that is posted, in the tracker's words.
    const STATUSES: [&'static str; 2];
    /// Text and billing status of all entries, as people see them in the tracker.
    fn shown(&self) -> Vec<(String, String)>;

    fn sync(&self) -> Value {
        let said = self.binary().run(&self.pass());
        assert!(matches!(said.code, Some(0 | 3)), "{said:?}");
        said.json()
    }
}

/// Whether a pass comes by only if an answer was lost before.
const fn needs_doubt(point: CrashPoint) -> bool {
    matches!(
        point,
        CrashPoint::LookUpDue | CrashPoint::LookUpReturned | CrashPoint::LookUpWritten
    )
}

fn killed_at_every_point<S: Systems>(systems: &S) {
    let (binary, pass) = (systems.binary(), systems.pass());
    let (lines_before, times_before) = (systems.lines().len(), systems.times().len());
    let mut texts = Vec::new();
    for (number, point) in CrashPoint::ALL.iter().copied().enumerate() {
        // New work for every point, so that each is passed. No two entries look alike.
        // Ends in a point of its own: one name may begin with another, and a key may follow.
        let text = format!("killed at {}.", point.name());
        let quarters = 4 + number;
        systems.book(&text, &format!("{}.{:02}", quarters / 4, quarters % 4 * 25));
        texts.push(text);
        if needs_doubt(point) {
            binary.dies(&pass, CrashPoint::CallReturned);
        }
        binary.dies(&pass, point);
        let result = systems.sync();
        assert_eq!(result["left"], 0, "after {}: {result}", point.name());
        let (lines, times) = (systems.lines(), systems.times());
        for text in &texts {
            let once = |all: &[String]| all.iter().filter(|one| one.contains(text)).count();
            let counts = (once(&lines), once(&times));
            assert_eq!(counts, (1, 1), "'{text}' after {}", point.name());
        }
        let new = (lines.len() - lines_before, times.len() - times_before);
        assert_eq!(new, (texts.len(), texts.len()), "after {}", point.name());
    }
    let again = systems.sync();
    for what in ["posted", "revisions", "told", "calls"] {
        assert_eq!(again[what], 0, "{what}: {again}");
    }
    let mut statuses: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (text, status) in systems.shown() {
        statuses.entry(text).or_default().push(status);
    }
    for text in &texts {
        let shown = statuses.get_mut(text).expect("the entries are there");
        shown.sort();
        assert_eq!(*shown, S::STATUSES, "{text}");
    }
    let said = binary.run(&["audit", "verify"]);
    assert_eq!(said.code, Some(0), "{said:?}");
}

impl Systems for World {
    const STATUSES: [&'static str; 2] = ["Cost only", "Posted"];

    fn binary(&self) -> &Binary {
        &self.binary
    }

    fn pass(&self) -> Vec<&str> {
        World::pass(self).to_vec()
    }

    fn book(&self, text: &str, hours: &str) {
        for (project, issue) in [
            ("acme-rollout", "Analysis"),
            ("acme-migration", "Acceptance"),
        ] {
            World::book(
                self,
                Work {
                    project,
                    issue,
                    hours,
                    comment: text,
                    ..Work::default()
                },
            );
        }
    }

    fn lines(&self) -> Vec<String> {
        let lines = self.tryton.lines().into_iter();
        lines.map(|line| line.description).collect()
    }

    fn times(&self) -> Vec<String> {
        let times = self.tryton.times().into_iter();
        times.map(|time| time.description).collect()
    }

    fn shown(&self) -> Vec<(String, String)> {
        let entries = self.redmine().entries(self.days.first, self.days.last);
        let text = |row: &Value| row["comments"].as_str().unwrap_or_default().to_owned();
        entries
            .iter()
            .map(|row| (text(row), shown(row).0))
            .collect()
    }
}

fn on_the_real_systems(kind: Kind, name: &str, days: Days) {
    let Some(mut world) = World::new(name, kind, days) else {
        return;
    };
    world.change(|config| {
        config.flow.push_str("send_within_ms = 3000\n");
        config.calls_take(6000, 6000);
    });
    killed_at_every_point(&world);
    world.ties_out();
}

#[test]
fn tryton_with_the_module_holds_each_charge_once() {
    let days = Days {
        first: "2026-03-17",
        last: "2026-03-18",
    };
    on_the_real_systems(Kind::Module, "kill_key", days);
}

#[test]
fn tryton_without_it_holds_each_charge_once() {
    let days = Days {
        first: "2026-03-24",
        last: "2026-03-25",
    };
    on_the_real_systems(Kind::LookUp, "kill_plain", days);
}

/// The day on which work is booked at the twins; the seeded work is older.
const DAY: &str = "2026-11-10";

/// Both twins, each a process of its own.
struct Twins {
    binary: Binary,
    firm: Firm,
    tracker: Twin,
    erp: Twin,
}

impl Twins {
    fn start(unique: bool) -> Self {
        let seal_key = "8899aabbccddeeff".repeat(4);
        let binary = Binary::new(vec![TOKEN.to_owned(), seal_key.clone()]);
        let tracker = Twin::serve(&binary, "tracker", &[]);
        let more: &[&str] = if unique { &[] } else { &["--no-unique-key"] };
        let erp = Twin::serve(&binary, "erp", more);
        let firm = firm();
        secret(&binary.path("token"), TOKEN);
        secret(&binary.path("seal.key"), &seal_key);
        let uniqueness = if unique { "unique_key" } else { "look_up" };
        let config = format!(
            "ledger = \"ledger-of-the-twins\"\n[flow]\nfirst_day = \"2026-09-01\"\n\
             billed_before = \"2026-09-01\"\nlook_back_days = 80\nsend_within_ms = 1500\n\
             settle_ms = 200\n[secrets]\nsource = {{ file = \"token\" }}\n\
             target = {{ file = \"token\" }}\nseal_key = {{ file = \"seal.key\" }}\n\
             [source.reference]\nurl = \"{}\"\nrequests_per_window = 60000\n\
             [target.reference]\nurl = \"{}\"\nuniqueness = \"{uniqueness}\"\n\
             requests_per_window = 60000\nread_timeout_ms = 2000\nwrite_timeout_ms = 2000\n\
             longest_call_ms = 1000\n{}",
            tracker.url,
            erp.url,
            firm.config.to_toml().expect("the firm's configuration"),
        );
        std::fs::write(binary.path("counterfoil.toml"), config).expect("a configuration");
        Self {
            binary,
            firm,
            tracker,
            erp,
        }
    }

    /// The auditor reads what the twins hold and never the ledger.
    fn are_in_order(&self) {
        let transport = HttpTransport::new(Arc::new(SystemClock)).expect("a transport");
        let brief = Brief {
            config: self.firm.config.clone(),
            expected: self.firm.expected.clone(),
            agreed: Vec::new(),
            lost: None,
        };
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        let verdict = runtime
            .block_on(audit(&transport, &self.tracker.url, &self.erp.url, &brief))
            .expect("the twins show what they hold");
        assert!(verdict.is_good(), "{verdict:#?}");
        let ours = u64::try_from(CrashPoint::ALL.len()).expect("a count");
        assert!(
            verdict.posted >= ours && verdict.cost_only >= ours,
            "{verdict:#?}"
        );
    }

    fn texts(rows: &[Value], field: &str) -> Vec<String> {
        let text = |row: &Value| row[field].as_str().unwrap_or_default().to_owned();
        rows.iter().map(text).collect()
    }
}

impl Systems for Twins {
    const STATUSES: [&'static str; 2] = ["cost_only", "posted"];

    fn binary(&self) -> &Binary {
        &self.binary
    }

    fn pass(&self) -> Vec<&str> {
        vec!["--output", "json", "sync", "--today", DAY]
    }

    fn book(&self, text: &str, hours: &str) {
        for contract in ["K01", "K-INTERNAL"] {
            let place = Place::of(&self.firm, contract);
            self.tracker.book(&place, DAY, hours, text);
        }
    }

    fn lines(&self) -> Vec<String> {
        Self::texts(&self.erp.truth("lines"), "description")
    }

    fn times(&self) -> Vec<String> {
        Self::texts(&self.erp.truth("time_lines"), "description")
    }

    fn shown(&self) -> Vec<(String, String)> {
        let entries = self.tracker.truth("entries");
        let texts = Self::texts(&entries, "narrative").into_iter();
        texts.zip(Self::texts(&entries, "billing_status")).collect()
    }
}

fn on_the_twins(unique: bool) {
    let twins = Twins::start(unique);
    // The firm's seeded work first, so that the points are passed with ours.
    twins.sync();
    killed_at_every_point(&twins);
    twins.are_in_order();
}

#[test]
fn the_twin_that_refuses_a_second_key_holds_each_charge_once() {
    on_the_twins(true);
}

#[test]
fn the_twin_that_takes_a_second_key_holds_each_charge_once() {
    on_the_twins(false);
}

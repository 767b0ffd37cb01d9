//! The laws, one after another, on one harness. Each leaves the window as it found it.

use super::{Booking, Law, SourceHarness, Violation};
use crate::call::CallError;
use crate::source::{Fetched, Scan, WriteBack};
use domain::entry::SourceEntry;
use domain::status::BillingStatus;
use jiff::ToSpan;
use std::collections::BTreeMap;
use std::sync::Arc;

const FINGERPRINT_KEY: [u8; 32] = [7; 32];
/// Right-to-left text, combining marks, an emoji of several parts, and signs of markup.
const TEXT: &str =
    "\u{5e9}\u{5dc}\u{5d5}\u{5dd} e\u{301} \u{1f469}\u{200d}\u{1f4bb} \u{f6}\u{df} <b>&\"'\\ 1/2";

pub(super) async fn check(harness: Arc<dyn SourceHarness>) -> Vec<Violation> {
    let mut run = Run {
        harness,
        violations: Vec::new(),
        said: Vec::new(),
    };
    run.empty_window().await;
    run.one_entry().await;
    run.write_back().await;
    run.window_edges().await;
    let ids = run.book_pages().await;
    run.pages(&ids).await;
    run.unreadable(&ids).await;
    run.unknown_fields().await;
    run.read_only(&ids).await;
    run.failures(&ids).await;
    let ids = run.inserts(ids).await;
    let ids = run.deletes(ids).await;
    for id in ids {
        run.harness.delete(&id).await;
    }
    run.secrets();
    run.violations
}

pub(super) struct Run {
    pub(super) harness: Arc<dyn SourceHarness>,
    violations: Vec<Violation>,
    /// All that the connector said, to look for secrets in it.
    pub(super) said: Vec<String>,
}

impl Run {
    fn violate(&mut self, law: Law, seen: impl Into<String>) {
        let seen = seen.into();
        self.violations.push(Violation { law, seen });
    }

    pub(super) fn demand(&mut self, law: Law, kept: bool, seen: impl FnOnce() -> String) {
        if !kept {
            self.violate(law, seen());
        }
    }

    pub(super) fn booking(&self, day: i64, narrative: &str) -> Booking {
        let from = self.harness.window().from;
        Booking {
            work_date: from.checked_add(day.days()).unwrap_or(from),
            quarter_hours: 5,
            narrative: narrative.to_owned(),
            approved: true,
        }
    }

    /// The window as scanned; an error is a violation of that law and an empty scan.
    pub(super) async fn scan(&mut self, law: Law) -> Scan {
        match self.harness.source().scan(self.harness.window()).await {
            Ok(scan) => scan,
            Err(error) => {
                self.violate(law, format!("the scan failed: {error}"));
                self.said.push(format!("{error} {error:?}"));
                Scan::default()
            }
        }
    }

    async fn fetch(&mut self, law: Law, id: &str) -> Option<SourceEntry> {
        match self.harness.source().fetch(id).await {
            Ok(Fetched::Present(entry)) => Some(*entry),
            other => {
                self.violate(law, format!("the fetch of {id} brought {other:?}"));
                None
            }
        }
    }

    /// Each of `ids` exactly once, and nothing twice.
    pub(super) fn demand_each_once(&mut self, law: Law, scan: &Scan, ids: &[String], when: &str) {
        let mut times: BTreeMap<&str, usize> = BTreeMap::new();
        let readable = scan.entries.iter().map(|e| Some(e.source_ref.as_str()));
        let unreadable = scan.unreadable.iter().map(|e| e.source_ref.as_deref());
        for id in readable.chain(unreadable).flatten() {
            *times.entry(id).or_default() += 1;
        }
        for id in ids {
            let found = times.get(id.as_str()).copied().unwrap_or(0);
            self.demand(law, found == 1, || {
                format!("entry {id} came {found} times {when}")
            });
        }
        let twice: Vec<String> = times
            .iter()
            .filter(|(_, n)| **n > 1)
            .map(|(id, _)| (*id).to_owned())
            .collect();
        self.demand(law, twice.is_empty(), || {
            format!("entries {twice:?} came more than once {when}")
        });
    }

    async fn empty_window(&mut self) {
        let scan = self.scan(Law::EmptyWindow).await;
        self.demand(Law::EmptyWindow, scan == Scan::default(), || {
            format!(
                "an empty window held {} entries and {} that cannot be read",
                scan.entries.len(),
                scan.unreadable.len()
            )
        });
    }

    async fn one_entry(&mut self) {
        let mut booking = self.booking(2, TEXT);
        let id = self.harness.book(&booking).await;
        let law = Law::SameInputSameEntry;
        let (first, second) = (self.scan(law).await, self.scan(law).await);
        self.demand(law, first == second && first.entries.len() == 1, || {
            format!("two scans of one entry differ: {first:?} and {second:?}")
        });
        let Some(entry) = first.entries.first() else {
            self.harness.delete(&id).await;
            return;
        };
        self.demand(law, entry.source_ref == id, || {
            format!("the id is {} in a scan, but {id}", entry.source_ref)
        });
        if let Some(fetched) = self.fetch(law, &id).await {
            self.demand(law, fetched.fields == entry.fields, || {
                format!(
                    "scan and fetch differ: {:?} and {:?}",
                    entry.fields, fetched.fields
                )
            });
        }
        let fields = &entry.fields;
        self.demand(Law::TextSurvives, fields.narrative == TEXT, || {
            format!("'{TEXT}' came as '{}'", fields.narrative)
        });
        let as_booked = fields.work_date == booking.work_date
            && fields.recorded_seconds == i64::from(booking.quarter_hours) * 900
            && fields.approved;
        self.demand(law, as_booked, || format!("{booking:?} came as {fields:?}"));

        booking.quarter_hours += 1;
        booking.approved = false;
        self.harness.edit(&id, &booking).await;
        if let Some(edited) = self.fetch(Law::EditsAreSeen, &id).await {
            let moved = edited.source_ref == id
                && !edited.fields.approved
                && edited.fields.recorded_seconds == i64::from(booking.quarter_hours) * 900
                && edited.fields.fingerprint(&FINGERPRINT_KEY)
                    != entry.fields.fingerprint(&FINGERPRINT_KEY);
            self.demand(Law::EditsAreSeen, moved, || {
                format!("after {booking:?} came {:?}", edited.fields)
            });
        }
        self.harness.delete(&id).await;
        let law = Law::DeletesAreSeen;
        let after = self.scan(law).await;
        self.demand(law, after == Scan::default(), || {
            "a deleted entry is still in its window".to_owned()
        });
        let fetched = self.harness.source().fetch(&id).await;
        self.demand(law, fetched == Ok(Fetched::Gone), || {
            format!("the fetch of a deleted entry brought {fetched:?}")
        });
    }

    async fn write_back(&mut self) {
        if self.harness.feedback().is_none() {
            return;
        }
        let law = Law::WriteBackMakesNoRevision;
        let booking = self.booking(3, "written back");
        let id = self.harness.book(&booking).await;
        let before = self.fetch(law, &id).await;
        for status in BillingStatus::ALL {
            for _ in 0..2 {
                let done = self.show(&id, status).await;
                self.demand(law, done == Ok(true), || {
                    format!("showing '{status}' brought {done:?}")
                });
            }
            let after = self.fetch(law, &id).await;
            let (Some(before), Some(after)) = (&before, &after) else {
                continue;
            };
            let same = before.fields == after.fields;
            self.demand(law, same, || {
                format!("showing '{status}' changed the entry: {:?}", after.fields)
            });
            let shown = after.shown_status.as_deref() == Some(status.words())
                && after.shown_reference.as_deref() == Some("REF 1/2");
            self.demand(law, shown, || {
                format!(
                    "'{status}' is shown as {:?}, {:?}",
                    after.shown_status, after.shown_reference
                )
            });
        }
        self.harness.delete(&id).await;
        let done = self.show(&id, BillingStatus::Paid).await;
        self.demand(law, done == Ok(false), || {
            format!("showing the status of a deleted entry brought {done:?}")
        });
    }

    pub(super) async fn show(&self, id: &str, status: BillingStatus) -> Result<bool, CallError> {
        let update = WriteBack {
            source_ref: id.to_owned(),
            status,
            reference: "REF 1/2".to_owned(),
        };
        match self.harness.feedback() {
            Some(feedback) => feedback.write_back(&update).await,
            None => Ok(true),
        }
    }

    async fn window_edges(&mut self) {
        let window = self.harness.window();
        let mut booking = self.booking(0, "first day");
        let first = self.harness.book(&booking).await;
        booking.work_date = window.to;
        let last = self.harness.book(&booking).await;
        booking.work_date = window.to.tomorrow().unwrap_or(window.to);
        let outside = self.harness.book(&booking).await;
        let scan = self.scan(Law::WindowsAreKept).await;
        let inside = [first.clone(), last.clone()];
        self.demand_each_once(Law::WindowsAreKept, &scan, &inside, "on the window's edge");
        let given = scan.entries.iter().any(|e| e.source_ref == outside);
        self.demand(Law::WindowsAreKept, !given, || {
            "an entry of the day after the window was given".to_owned()
        });
        for id in [first, last, outside] {
            self.harness.delete(&id).await;
        }
    }

    async fn book_pages(&mut self) -> Vec<String> {
        let mut ids = Vec::new();
        for number in 0..self.harness.entries_of_three_pages() {
            let day = i64::try_from(number % 8).unwrap_or(0) + 1;
            let booking = self.booking(day, &format!("entry {number}"));
            ids.push(self.harness.book(&booking).await);
        }
        ids
    }

    async fn pages(&mut self, ids: &[String]) {
        let scan = self.scan(Law::EveryEntryOnce).await;
        self.demand_each_once(Law::EveryEntryOnce, &scan, ids, "over several pages");
        self.demand(Law::EveryEntryOnce, scan.entries.len() == ids.len(), || {
            format!("{} entries came, not {}", scan.entries.len(), ids.len())
        });
    }

    async fn unreadable(&mut self, ids: &[String]) {
        let Some(bad) = self.harness.book_unreadable().await else {
            return;
        };
        let law = Law::OneBadRecord;
        let scan = self.scan(law).await;
        self.demand_each_once(law, &scan, ids, "beside a bad record");
        let named = scan.unreadable.len() == 1
            && scan
                .unreadable
                .iter()
                .all(|record| record.source_ref.as_deref() == Some(bad.as_str()));
        self.demand(law, named, || {
            format!("the bad record {bad} came as {:?}", scan.unreadable)
        });
        let fetched = self.harness.source().fetch(&bad).await;
        self.demand(law, matches!(fetched, Ok(Fetched::Unreadable(_))), || {
            format!("the fetch of a bad record brought {fetched:?}")
        });
        self.harness.delete(&bad).await;
    }

    async fn unknown_fields(&mut self) {
        let law = Law::UnknownFields;
        let plain = self.scan(law).await;
        self.harness.meddler().add_unknown_fields(true);
        let richer = self.scan(law).await;
        self.harness.meddler().add_unknown_fields(false);
        let same = plain.entries.len() == richer.entries.len()
            && richer.unreadable.is_empty()
            && plain
                .entries
                .iter()
                .zip(&richer.entries)
                .all(|(a, b)| a.source_ref == b.source_ref && a.fields == b.fields);
        self.demand(law, same, || {
            "with unknown fields the same window reads differently".to_owned()
        });
    }

    async fn read_only(&mut self, ids: &[String]) {
        let before = self.harness.meddler().writes();
        let source = self.harness.source();
        let lines = source.check().await;
        let _ = source.masters().await;
        let _ = source.scan(self.harness.window()).await;
        if let Some(id) = ids.first() {
            let _ = source.fetch(id).await;
        }
        let writes = self.harness.meddler().writes() - before;
        self.demand(Law::ReadingWritesNothing, writes == 0, || {
            format!("checking and reading sent {writes} writes")
        });
        self.said.push(format!("{lines:?}"));
    }

    /// The number of requests of an undisturbed scan.
    pub(super) async fn requests_of_a_scan(&mut self, law: Law) -> usize {
        let before = self.harness.meddler().requests();
        self.scan(law).await;
        usize::try_from(self.harness.meddler().requests() - before).unwrap_or(0)
    }

    fn secrets(&mut self) {
        let said = std::mem::take(&mut self.said);
        let debug = self.harness.debug();
        for secret in self.harness.secrets() {
            let told = said
                .iter()
                .chain([&debug])
                .any(|text| text.contains(&secret));
            // What was said is not repeated here: it holds the secret.
            self.demand(Law::SecretsStaySecret, !told, || {
                "a secret is in the connector's debug output, its errors or its check".to_owned()
            });
        }
    }
}

//! Intake: look at a window of the source, tell what is new, changed and gone.

use crate::admit::{AdmitPage, PageResult, Seen, Withdraw, duplicate_of};
use crate::crash::CrashPoint;
use crate::env::{Env, Note, Terms, tracker};
use crate::error::PassError;
use connector_sdk::source::{DateWindow, Fetched, Scan};
use domain::entry::SourceEntry;
use domain::exception::Problem;
use domain::ids::ItemId;
use jiff::civil::Date;
use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use store::items::ItemLight;
use store::scans::{self, ScanRow};
use store::{Abort, Command, Guard, GuardSet, Tx, items};

/// Entries admitted in one transaction.
const PAGE_ENTRIES: usize = 200;
/// Days of one look at the source: bounds what is held in memory.
const SLICE_DAYS: i32 = 31;
/// So many disappearances in one window are believed without question.
const GONE_BELIEVED: usize = 20;

struct StartScan {
    source: String,
    window: DateWindow,
}

impl Command for StartScan {
    type Out = ScanRow;
    type Rejection = Infallible;
    fn name(&self) -> &'static str {
        "start scan"
    }
    fn guards(&self) -> GuardSet {
        GuardSet::none().and(Guard::Name(format!("scan:{}", self.source)))
    }
    fn apply(&self, tx: &mut Tx<'_>) -> Result<ScanRow, Abort<Infallible>> {
        let (from, to) = (self.window.from.to_string(), self.window.to.to_string());
        Ok(scans::start(tx, &self.source, &from, &to, "scan began")?)
    }
}

struct FinishScan {
    scan: ScanRow,
    rows_seen: i64,
}

impl Command for FinishScan {
    type Out = ();
    type Rejection = Infallible;
    fn name(&self) -> &'static str {
        "finish scan"
    }
    fn guards(&self) -> GuardSet {
        GuardSet::none().and(Guard::Name(format!("scan:{}", self.scan.source)))
    }
    fn apply(&self, tx: &mut Tx<'_>) -> Result<(), Abort<Infallible>> {
        let mut scan = self.scan.clone();
        scan.rows_seen = self.rows_seen;
        scan.finished_at_us = Some(tx.now_us());
        scans::update(tx, &mut scan, "scan ended")?;
        Ok(())
    }
}

/// The slices of a window, oldest first.
fn slices(window: DateWindow) -> Vec<DateWindow> {
    let mut slices = Vec::new();
    let mut from = window.from;
    while from <= window.to {
        let last = from
            .checked_add(jiff::Span::new().days(SLICE_DAYS - 1))
            .unwrap_or(window.to);
        let to = last.min(window.to);
        slices.push(DateWindow { from, to });
        let Ok(next) = to.tomorrow() else { break };
        from = next;
    }
    slices
}

/// Look at the whole window and admit what changed.
pub async fn take_in(
    env: &Env,
    terms: &Terms,
    window: DateWindow,
    accept_deletions: bool,
) -> Result<PageResult, PassError> {
    let slices = slices(window);
    let total = u64::try_from(slices.len()).ok();
    env.progress
        .hear(Note::Stage("reading time entries", total));
    let start = StartScan {
        source: terms.settings.source.clone(),
        window,
    };
    let scan_row = env.write(start).await?;
    let mut result = PageResult::default();
    let mut rows_seen = 0_i64;
    for (number, slice) in (1..).zip(slices) {
        let scan = env.source.scan(slice).await.map_err(tracker)?;
        env.pass(CrashPoint::ScanRead)?;
        rows_seen = rows_seen
            .saturating_add(i64::try_from(scan.entries.len() + scan.unreadable.len()).unwrap_or(0));
        result.add(admit_slice(env, terms, slice, scan, accept_deletions).await?);
        env.progress.hear(Note::Step(number));
    }
    env.write(FinishScan {
        scan: scan_row,
        rows_seen,
    })
    .await?;
    Ok(result)
}

async fn admit_slice(
    env: &Env,
    terms: &Terms,
    slice: DateWindow,
    scan: Scan,
    accept_deletions: bool,
) -> Result<PageResult, PassError> {
    let known = known_in(env, terms, slice).await?;
    let seen_refs: BTreeSet<String> = scan
        .entries
        .iter()
        .map(|entry| entry.source_ref.clone())
        .chain(
            scan.unreadable
                .iter()
                .filter_map(|entry| entry.source_ref.clone()),
        )
        .collect();
    let mut seen = look_closer(terms, &known, scan, slice.from);
    let mut gone = Vec::new();
    let absent: Vec<&ItemLight> = known
        .values()
        .filter(|item| {
            !seen_refs.contains(&item.source_ref)
                && item.state != "withdrawn"
                && item.state != "elsewhere"
                && !item.source_ref.starts_with("unreadable-")
        })
        .collect();
    let living = known
        .values()
        .filter(|item| item.state != "withdrawn")
        .count();
    if !accept_deletions && absent.len() > GONE_BELIEVED && absent.len() * 4 > living {
        return Err(PassError::refused(
            format!(
                "{} of {living} known entries between {} and {} are gone from the tracker",
                absent.len(),
                slice.from,
                slice.to
            ),
            "check that the tracker's key still sees every project; if they were really deleted, \
             run `counterfoil sync --accept-deletions`",
        ));
    }
    for item in absent {
        // Absence in a list is a hint; the entry itself is the proof.
        match env.source.fetch(&item.source_ref).await.map_err(tracker)? {
            Fetched::Gone => gone.push(item.item_id),
            Fetched::Present(entry) => seen.push(Seen::entry(*entry, None)),
            Fetched::Unreadable(entry) => seen.push(Seen::unreadable(*entry, slice.from)),
        }
    }
    let mut result = PageResult::default();
    for page in seen.chunks(PAGE_ENTRIES) {
        let admit = AdmitPage {
            terms: terms.clone(),
            seen: page.to_vec(),
        };
        result.add(env.write(admit).await?);
        env.pass(CrashPoint::PageAdmitted)?;
    }
    for page in gone.chunks(PAGE_ENTRIES) {
        let withdraw = Withdraw {
            terms: terms.clone(),
            items: page.to_vec(),
        };
        result.withdrawn += env.write(withdraw).await?;
        env.pass(CrashPoint::PageAdmitted)?;
    }
    Ok(result)
}

async fn known_in(
    env: &Env,
    terms: &Terms,
    slice: DateWindow,
) -> Result<BTreeMap<String, ItemLight>, PassError> {
    let source = terms.settings.source.clone();
    let (from, to) = (slice.from.to_string(), slice.to.to_string());
    let rows = env
        .store
        .read(move |tx| items::window(tx, &source, &from, &to))
        .await?;
    Ok(rows
        .into_iter()
        .map(|row| (row.source_ref.clone(), row))
        .collect())
}

/// What has to be admitted: entries whose fingerprint is not the known one, with what looks
/// suspicious beside the others.
fn look_closer(
    terms: &Terms,
    known: &BTreeMap<String, ItemLight>,
    scan: Scan,
    fallback_date: Date,
) -> Vec<Seen> {
    let suspicions = if terms.settings.hold_duplicates {
        duplicates(known, &scan.entries)
    } else {
        BTreeMap::new()
    };
    let key = &terms.settings.fingerprint_key.0;
    let mut seen = Vec::new();
    for entry in scan.entries {
        let same = known.get(&entry.source_ref).is_some_and(|item| {
            item.fingerprint == entry.fields.fingerprint(key)
                && item.fingerprint_version == domain::entry::FINGERPRINT_VERSION
                && item.state != "withdrawn"
        });
        if !same {
            let suspicion = suspicions.get(&entry.source_ref).cloned();
            seen.push(Seen::entry(entry, suspicion));
        }
    }
    seen.extend(
        scan.unreadable
            .into_iter()
            .map(|entry| Seen::unreadable(entry, fallback_date)),
    );
    seen
}

/// Worker, day, project, task and recorded seconds.
type Alike<'a> = (&'a str, Date, &'a str, Option<&'a str>, i64);

/// Approved entries that equal another one in worker, day, task and hours. The one that the ledger
/// knew first stands; among new ones the first in the source's order of ids.
fn duplicates(
    known: &BTreeMap<String, ItemLight>,
    entries: &[SourceEntry],
) -> BTreeMap<String, Problem> {
    let mut groups: BTreeMap<Alike<'_>, Vec<&SourceEntry>> = BTreeMap::new();
    for entry in entries.iter().filter(|entry| entry.fields.approved) {
        let f = &entry.fields;
        let key = (
            f.worker_ref.as_str(),
            f.work_date,
            f.project_ref.as_str(),
            f.task_ref.as_deref(),
            f.recorded_seconds,
        );
        groups.entry(key).or_default().push(entry);
    }
    let mut suspicions = BTreeMap::new();
    for mut group in groups.into_values().filter(|group| group.len() > 1) {
        group.sort_by_key(|entry| {
            let reference = &entry.source_ref;
            (
                !known.contains_key(reference),
                reference.len(),
                reference.clone(),
            )
        });
        let mut rest = group.into_iter();
        let Some(first) = rest.next() else { continue };
        for entry in rest {
            let problem = duplicate_of(&first.source_ref, &entry.fields);
            suspicions.insert(entry.source_ref.clone(), problem);
        }
    }
    suspicions
}

/// The item ids of source ids.
pub fn item_ids(terms: &Terms, source_refs: &[String]) -> Vec<[u8; 16]> {
    source_refs
        .iter()
        .map(|r| ItemId::derive(&terms.settings.ledger, &terms.settings.source, r).bytes())
        .collect()
}

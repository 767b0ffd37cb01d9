//! Reconciliation: source, ledger and ERP side by side, per entry and to the cent. Every difference
//! has a class; what has none is unexplained, and that must be nothing.

use crate::classes::{Book, Line, classify, erp_amount, line_problem};
use crate::env::{Env, Note, erp, tracker};
use crate::error::PassError;
use crate::fixed;
use crate::foreign;
use crate::postings::{charge_facts, document_shape, home_of, wanted_of};
use crate::shared;
use crate::states::{all_documents, find_lines, standing};
use crate::strand::active_by_part;
use connector_sdk::source::DateWindow;
use connector_sdk::target::{DocumentReport, Shape};
use domain::currency::Currency;
use domain::ids::ItemId;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use store::charges;
use store::items::{self, ItemRow};
use store::postings;

/// How an entry or line stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// In the ERP as a billed line that agrees.
    Posted,
    /// In the ERP as cost that agrees.
    CostOnly,
    /// Booked, and the contract's rounding left nothing to bill: there is no line.
    NothingToBill,
    /// Booked, and waits for room under a limit: there is no line.
    Held,
    /// On its way: the next pass sends it.
    OnItsWay,
    /// In the exception queue.
    OpenException,
    /// Deleted at the source and nothing of it left in the ERP.
    Withdrawn,
    /// Not approved.
    Waiting,
    /// Billed before this ledger began.
    Elsewhere,
    /// At the source and not yet taken in.
    NotTakenIn,
    /// Changed at the source since it was taken in.
    ChangedAtSource,
    /// Booked here, gone at the source, not yet withdrawn.
    GoneAtSource,
    /// Somebody deleted the line in the ERP.
    LineMissing,
    /// Somebody changed the line in the ERP.
    LineAltered,
    /// Somebody moved the line to another document; it agrees otherwise.
    LineMoved,
    /// The ERP's own price for booked time differs from ours.
    ErpPriceDiffers,
    /// The ERP's document holds more than our lines: somebody added some.
    ForeignLines,
    /// The ERP holds a line under a key of ours that this ledger, once restored, does not know.
    NotInLedger,
    /// None of the above.
    Unexplained,
}

impl Class {
    /// Whether somebody should look at it.
    pub const fn is_difference(self) -> bool {
        match self {
            Self::Posted
            | Self::CostOnly
            | Self::NothingToBill
            | Self::Held
            | Self::OnItsWay
            | Self::OpenException
            | Self::Withdrawn
            | Self::Waiting
            | Self::Elsewhere => false,
            Self::NotTakenIn
            | Self::ChangedAtSource
            | Self::GoneAtSource
            | Self::LineMissing
            | Self::LineAltered
            | Self::LineMoved
            | Self::ErpPriceDiffers
            | Self::ForeignLines
            | Self::NotInLedger
            | Self::Unexplained => true,
        }
    }
}

/// One row of the reconciliation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The source's id; empty for a row about a document.
    pub source_ref: String,
    /// The item, if the ledger has one.
    pub item: Option<String>,
    /// How it stands.
    pub class: Class,
    /// In words.
    pub words: String,
    /// Recorded hours at the source, in seconds.
    pub source_seconds: Option<i64>,
    /// What the ledger holds, in minor units.
    pub ledger_minor: i64,
    /// What the ERP holds, in minor units.
    pub erp_minor: i64,
    /// The currency.
    pub currency: Option<Currency>,
}

/// Money of one currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct MoneyTotal {
    /// The currency.
    pub currency: Currency,
    /// Billed in the ledger and settled with the ERP, in minor units.
    pub ledger_minor: i64,
    /// The same lines in the ERP.
    pub erp_minor: i64,
    /// The part of the difference that has a class.
    pub explained_minor: i64,
    /// The rest.
    pub unexplained_minor: i64,
}

/// The whole reconciliation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reconciliation {
    /// The first day looked at.
    pub from: String,
    /// The last day looked at.
    pub to: String,
    /// Rows by class.
    pub classes: BTreeMap<Class, u64>,
    /// Approved entries at the source.
    pub approved: u64,
    /// Money by currency.
    pub money: Vec<MoneyTotal>,
    /// Rows that have no explanation.
    pub unexplained: u64,
    /// Every row, differences first.
    pub entries: Vec<Entry>,
}

impl Reconciliation {
    /// Whether everything ties out: no row and no cent without an explanation.
    pub fn ties_out(&self) -> bool {
        self.unexplained == 0 && self.money.iter().all(|total| total.unexplained_minor == 0)
    }

    /// Rows that somebody should look at.
    pub fn differences(&self) -> impl Iterator<Item = &Entry> {
        self.entries
            .iter()
            .filter(|entry| entry.class.is_difference())
    }
}

/// Compare all three.
pub async fn reconcile(env: &Env, window: DateWindow) -> Result<Reconciliation, PassError> {
    env.progress.hear(Note::Stage("reconciling", Some(3)));
    let scan = env.source.scan(window).await.map_err(tracker)?;
    env.progress.hear(Note::Step(1));
    let books = read_books(env, window).await?;
    env.progress.hear(Note::Step(2));
    let (lines, reports) = read_erp(env).await?;
    env.progress.hear(Note::Step(3));

    let mut by_item: BTreeMap<[u8; 16], Vec<&Line>> = BTreeMap::new();
    for line in &lines {
        by_item.entry(line.posting.item_id).or_default().push(line);
    }
    let mut entries = Vec::new();
    let mut known = BTreeSet::new();
    for book in &books {
        known.insert(book.item.source_ref.clone());
    }
    let key = &env.settings.fingerprint_key.0;
    let at_source: BTreeMap<&str, ([u8; 16], i64)> = scan
        .entries
        .iter()
        .map(|e| {
            (
                e.source_ref.as_str(),
                (e.fields.fingerprint(key), e.fields.recorded_seconds),
            )
        })
        .collect();
    let unreadable: Vec<&str> = scan
        .unreadable
        .iter()
        .filter_map(|e| e.source_ref.as_deref())
        .collect();
    for book in &books {
        let empty = Vec::new();
        let own = by_item.get(&book.item.item_id).unwrap_or(&empty);
        let source = if own_of_ledger(&book.item) {
            // A contract asks for it, and the pass takes that in by itself.
            Some((book.item.fingerprint, 0))
        } else {
            at_source.get(book.item.source_ref.as_str()).copied()
        };
        let readable = !unreadable.contains(&book.item.source_ref.as_str());
        let mut entry = judge(book, own, source, readable, window)?;
        of_shared_lines(book, &by_item, &mut entry)?;
        entries.push(entry);
    }
    for entry in &scan.entries {
        if !known.contains(&entry.source_ref) {
            entries.push(Entry {
                source_ref: entry.source_ref.clone(),
                item: None,
                class: Class::NotTakenIn,
                words: "the next sync takes it in".to_owned(),
                source_seconds: Some(entry.fields.recorded_seconds),
                ledger_minor: 0,
                erp_minor: 0,
                currency: None,
            });
        }
    }
    let strays = foreign::strays(env).await?;
    entries.extend(foreign::lines(&lines, &strays, &reports));
    entries.extend(strays.into_iter().filter_map(|stray| stray.entry));
    let money = totals(&lines)?;
    let approved = scan
        .entries
        .iter()
        .filter(|entry| entry.fields.approved)
        .count();
    Ok(sum_up(
        window,
        entries,
        money,
        u64::try_from(approved).unwrap_or(0),
    ))
}

fn sum_up(
    window: DateWindow,
    mut entries: Vec<Entry>,
    money: Vec<MoneyTotal>,
    approved: u64,
) -> Reconciliation {
    entries.sort_by_key(|entry| {
        (
            !entry.class.is_difference(),
            entry.class,
            entry.source_ref.len(),
            entry.source_ref.clone(),
        )
    });
    let mut classes = BTreeMap::new();
    for entry in &entries {
        *classes.entry(entry.class).or_default() += 1;
    }
    let unexplained = classes.get(&Class::Unexplained).copied().unwrap_or(0);
    Reconciliation {
        from: window.from.to_string(),
        to: window.to.to_string(),
        classes,
        approved,
        money,
        unexplained,
        entries,
    }
}

async fn read_books(env: &Env, window: DateWindow) -> Result<Vec<Book>, PassError> {
    let source = env.settings.source.clone();
    let (from, to) = (window.from.to_string(), window.to.to_string());
    Ok(env
        .store
        .read(move |tx| {
            let mut books = Vec::new();
            let mut items = items::window_full(tx, &source, &from, &to)?;
            items.extend(items::window_full(tx, fixed::SOURCE, &from, &to)?);
            items.extend(items::window_full(tx, shared::SOURCE, &from, &to)?);
            let mut lines = shared::Lines::default();
            for item in items {
                let charges = charges::list_for_item(tx, &item.item_id)?;
                let postings = postings::list_for_item(tx, &item.item_id)?;
                // Only what has no amount has to be looked at closer.
                let mut no_line = BTreeSet::new();
                for (part, charge) in active_by_part(&charges)? {
                    if charge.amount_minor == 0
                        && wanted_of(charge.charge_no, &charge_facts(tx, charge)?).is_none()
                    {
                        no_line.insert(part);
                    }
                }
                let standing = lines.standing(tx, &item, &charges)?;
                books.push(Book {
                    shared: standing.members,
                    line: standing.line,
                    item,
                    no_line,
                    charges,
                    postings,
                });
            }
            Ok(books)
        })
        .await?)
}

async fn read_erp(env: &Env) -> Result<(Vec<Line>, BTreeMap<String, DocumentReport>), PassError> {
    let mut lines = Vec::new();
    let mut refs = Vec::new();
    for document in all_documents(env).await? {
        let id = document.document_id;
        let rows = env.store.read(move |tx| postings::list(tx, &id)).await?;
        let standing = standing(&rows)?;
        let keys: Vec<String> = standing.iter().map(|row| row.line_key.clone()).collect();
        let shape = document_shape(&document)?;
        let mut found = find_lines(env, shape, &keys).await?;
        if let (Shape::DraftLine, Some(erp_ref)) = (shape, &document.erp_ref) {
            refs.push(erp_ref.clone());
        }
        for posting in standing {
            let found = found.remove(&posting.line_key);
            lines.push(Line {
                posting,
                document: document.clone(),
                found,
            });
        }
    }
    let mut reports = BTreeMap::new();
    for chunk in refs.chunks(100) {
        let page = env
            .target
            .document_states(Shape::DraftLine, chunk)
            .await
            .map_err(erp)?;
        reports.extend(
            page.into_iter()
                .map(|report| (report.erp_ref.clone(), report)),
        );
    }
    Ok((lines, reports))
}

fn judge(
    book: &Book,
    lines: &[&Line],
    source: Option<([u8; 16], i64)>,
    readable: bool,
    window: DateWindow,
) -> Result<Entry, PassError> {
    let item = &book.item;
    let currency = book
        .charges
        .first()
        .and_then(|charge| charge.currency.parse().ok());
    let ledger_minor: i64 = lines.iter().map(|line| line.posting.amount_minor).sum();
    let erp_minor: i64 = lines.iter().filter_map(|line| erp_amount(line)).sum();
    let (class, words) = classify(book, lines, source, readable, window)?;
    Ok(Entry {
        source_ref: item.source_ref.clone(),
        item: Some(ItemId(item.item_id).to_string()),
        class,
        words,
        source_seconds: source
            .filter(|_| !own_of_ledger(item))
            .map(|(_, seconds)| seconds),
        ledger_minor,
        erp_minor,
        currency,
    })
}

/// Whether no source sends the item.
fn own_of_ledger(item: &ItemRow) -> bool {
    item.source == fixed::SOURCE || shared::is_line(item)
}

/// An entry that shares a line stands for its share of it, and the line for what rounding leaves. What
/// is wrong with the line is wrong with everything on it.
fn of_shared_lines(
    book: &Book,
    by_item: &BTreeMap<[u8; 16], Vec<&Line>>,
    entry: &mut Entry,
) -> Result<(), PassError> {
    if let Some(line) = &book.line {
        entry.ledger_minor -= line.members_minor;
        entry.erp_minor -= line.members_minor;
    }
    let active = active_by_part(&book.charges)?;
    for (part, on_line) in book.shared.iter().filter(|(_, on_line)| on_line.stands) {
        let amount_minor = active.get(part).map_or(0, |charge| charge.amount_minor);
        entry.ledger_minor += amount_minor;
        let lines = by_item.get(&on_line.line_id).map_or(&[][..], Vec::as_slice);
        let mut problem = None;
        for line in lines {
            problem = problem.or(line_problem(line)?);
        }
        match problem {
            Some((class, words)) if !entry.class.is_difference() => {
                (entry.class, entry.words) = (class, words);
            }
            Some(_) => {}
            None => entry.erp_minor += amount_minor,
        }
    }
    Ok(())
}

fn totals(lines: &[Line]) -> Result<Vec<MoneyTotal>, PassError> {
    let mut totals: BTreeMap<String, MoneyTotal> = BTreeMap::new();
    for line in lines {
        let currency = home_of(&line.document)?.currency;
        let total = totals.entry(currency.to_string()).or_insert(MoneyTotal {
            currency,
            ledger_minor: 0,
            erp_minor: 0,
            explained_minor: 0,
            unexplained_minor: 0,
        });
        let ours = line.posting.amount_minor;
        let theirs = erp_amount(line).unwrap_or(0);
        total.ledger_minor += ours;
        total.erp_minor += theirs;
        if line_problem(line)?.is_some() {
            total.explained_minor += ours - theirs;
        }
    }
    for total in totals.values_mut() {
        total.unexplained_minor = total.ledger_minor - total.erp_minor - total.explained_minor;
    }
    Ok(totals.into_values().collect())
}

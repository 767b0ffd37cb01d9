//! Admission: a page of what the source holds becomes items, charges and postings, in one
//! transaction. Running the same page again changes nothing.

use crate::book::{
    Judgement, apply, approval_withdrawn, before_price, closed_documents, except, judge,
};
use crate::books::{Books, admission};
use crate::env::Terms;
use crate::facts::{self, ItemFacts};
use crate::group::{News, Verdicts, in_groups, judge_group, waits_for_a_person};
use crate::new_item::new_item;
use crate::telling::show;
use domain::entry::{EntryFields, FINGERPRINT_VERSION, SourceEntry, UnreadableEntry};
use domain::exception::{Code, Problem};
use domain::ids::{ItemId, digest, digest16};
use domain::item::ItemState;
use domain::status::BillingStatus;
use rules::estimate::Estimate;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::convert::Infallible;
use store::feedback::{self, FeedbackWish};
use store::items::{self, ItemRow};
use store::{Abort, Command, Guard, GuardSet, Pointer, ReadTx, SealClass, StoreError, Tx};

/// One thing seen at the source.
#[derive(Debug, Clone)]
pub struct Seen {
    /// The source's id.
    pub source_ref: String,
    /// The bytes as received.
    pub raw: Vec<u8>,
    /// What was read, or why it could not be.
    pub fields: Result<EntryFields, Problem>,
    /// A work date for the row of a record whose own date could not be read.
    pub fallback_date: jiff::civil::Date,
    /// What looks wrong about it beside others, unless a person confirmed it.
    pub suspicion: Option<Problem>,
}

impl Seen {
    /// From a read entry.
    pub fn entry(entry: SourceEntry, suspicion: Option<Problem>) -> Self {
        Self {
            source_ref: entry.source_ref,
            raw: entry.raw,
            fallback_date: entry.fields.work_date,
            fields: Ok(entry.fields),
            suspicion,
        }
    }

    /// From an unreadable record. One without an id gets a name made of its bytes.
    pub fn unreadable(entry: UnreadableEntry, fallback_date: jiff::civil::Date) -> Self {
        let source_ref = entry.source_ref.unwrap_or_else(|| {
            let name = digest("unreadable", &[&entry.raw]);
            format!(
                "unreadable-{}",
                data_encoding::HEXLOWER.encode(name.split_at(8).0)
            )
        });
        Self {
            source_ref,
            raw: entry.raw,
            fields: Err(entry.problem),
            fallback_date: entry.work_date.unwrap_or(fallback_date),
            suspicion: None,
        }
    }
}

/// What a page came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct PageResult {
    /// Items seen for the first time.
    pub new_items: u64,
    /// New revisions of known items.
    pub revisions: u64,
    /// Items that were as the ledger knew them.
    pub unchanged: u64,
    /// Items that went into the exception queue.
    pub exceptions: u64,
    /// Items that disappeared.
    pub withdrawn: u64,
}

impl PageResult {
    /// Add another page.
    pub fn add(&mut self, other: Self) {
        self.new_items += other.new_items;
        self.revisions += other.revisions;
        self.unchanged += other.unchanged;
        self.exceptions += other.exceptions;
        self.withdrawn += other.withdrawn;
    }
}

/// Admit a page.
pub struct AdmitPage {
    /// What to price with.
    pub terms: Terms,
    /// What was seen.
    pub seen: Vec<Seen>,
}

fn item_id(terms: &Terms, source_ref: &str) -> [u8; 16] {
    ItemId::derive(&terms.settings.ledger, &terms.settings.source, source_ref).bytes()
}

impl AdmitPage {
    /// What of the page changes what is to be booked, where work is priced in groups.
    fn news(
        &self,
        tx: &mut ReadTx<'_>,
        books: &mut Books,
        known: &BTreeMap<[u8; 16], ItemRow>,
    ) -> Result<Vec<News>, StoreError> {
        let mut news = Vec::new();
        if !in_groups(&self.terms.reference) {
            return Ok(news);
        }
        for seen in &self.seen {
            let row = known.get(&item_id(&self.terms, &seen.source_ref));
            let Ok(fields) = &seen.fields else {
                continue;
            };
            let old = row.is_some_and(|row| {
                row.fingerprint == fingerprint(&self.terms, seen)
                    && row.state != ItemState::Withdrawn.name()
            });
            if old {
                continue;
            }
            let suspicion = seen.suspicion.as_ref();
            let fields = match before_price(&self.terms, &seen.source_ref, fields, suspicion) {
                None => Some(fields.clone()),
                // What is booked of a suspect stays until somebody has looked.
                Some(Judgement::Exception(..)) => continue,
                Some(_) => None,
            };
            if let (None, Some(row)) = (&fields, row)
                && waits_for_a_person(tx, books, row)?
            {
                continue;
            }
            news.push(News {
                source_ref: seen.source_ref.clone(),
                fields,
                row: row.cloned(),
                looked_at: false,
            });
        }
        Ok(news)
    }
}

impl Command for AdmitPage {
    type Out = PageResult;
    type Rejection = Infallible;

    fn name(&self) -> &'static str {
        "admit page"
    }

    fn guards(&self) -> GuardSet {
        // Documents are shared between pages; one page is admitted at a time.
        let name = admission(&self.terms.settings.flow);
        std::iter::once(name)
            .chain(
                self.seen
                    .iter()
                    .map(|s| Guard::Item(item_id(&self.terms, &s.source_ref))),
            )
            .collect()
    }

    fn apply(&self, tx: &mut Tx<'_>) -> Result<PageResult, Abort<Infallible>> {
        tx.act_as("sync");
        let ids: Vec<[u8; 16]> = self
            .seen
            .iter()
            .map(|seen| item_id(&self.terms, &seen.source_ref))
            .collect();
        let mut known: BTreeMap<[u8; 16], ItemRow> = items::get_many(tx, &ids)?
            .into_iter()
            .map(|row| (row.item_id, row))
            .collect();
        let mut books = Books::default();
        let mut result = PageResult::default();
        let mut fresh = Vec::new();
        let news = self.news(tx, &mut books, &known)?;
        let judged = judge_group(tx, &mut books, &self.terms, &news)?;
        let verdicts = judged.keep(tx, &self.terms)?;
        for (seen, id) in self.seen.iter().zip(ids) {
            match known.remove(&id) {
                None => {
                    let row = admit_new(tx, &mut books, &self.terms, &verdicts, seen, id)?;
                    result.new_items += 1;
                    result.exceptions += u64::from(row.code.is_some());
                    show(tx, &mut books, &row)?;
                    fresh.push(row);
                }
                Some(mut row) => {
                    if admit_known(tx, &mut books, &self.terms, &verdicts, seen, &mut row)? {
                        result.revisions += 1;
                        result.exceptions += u64::from(row.code.is_some());
                        items::update(tx, &mut row, "revision")?;
                        show(tx, &mut books, &row)?;
                    } else {
                        result.unchanged += 1;
                    }
                }
            }
        }
        items::insert(tx, &fresh, "first seen")?;
        verdicts.settle(tx, &mut books, &self.terms, "admitted")?;
        books.flush(tx, &self.terms, "admitted")?;
        tx.count("items seen", i64::try_from(result.new_items).unwrap_or(0));
        tx.count("revisions", i64::try_from(result.revisions).unwrap_or(0));
        Ok(result)
    }
}

/// Note what the source should show.
pub(crate) fn wish(
    tx: &mut Tx<'_>,
    item_id: [u8; 16],
    status: BillingStatus,
    reference: String,
) -> Result<(), StoreError> {
    let due_at_us = tx.now_us();
    let wish = FeedbackWish {
        item_id,
        status: status.name().to_owned(),
        reference,
        due_at_us,
    };
    feedback::upsert(tx, &[wish], "status changed")?;
    tx.wake("feedback");
    Ok(())
}

fn seal_content(
    tx: &mut Tx<'_>,
    worker: &str,
    fields: Option<&EntryFields>,
    raw: &[u8],
) -> Result<Pointer, StoreError> {
    let facts = ItemFacts {
        fields: fields.cloned(),
        raw: String::from_utf8_lossy(raw).into_owned(),
        fixed: None,
        shared: None,
    };
    facts::seal(tx, SealClass::Received, worker, &facts)
}

fn narrative_of(seen: &Seen) -> String {
    let fields = seen.fields.as_ref();
    fields.map_or_else(|_| String::new(), |fields| fields.narrative.clone())
}

fn fingerprint(terms: &Terms, seen: &Seen) -> [u8; 16] {
    let key = &terms.settings.fingerprint_key.0;
    seen.fields.as_ref().map_or_else(
        // Not the raw bytes: they hold what we wrote back ourselves.
        |problem| {
            let day = seen.fallback_date.to_string();
            let (code, facts) = (problem.code.text().as_bytes(), problem.facts.as_bytes());
            digest16(
                "unreadable fingerprint",
                &[key, code, facts, day.as_bytes()],
            )
        },
        |fields| fields.fingerprint(key),
    )
}

fn set_fields(item: &mut ItemRow, seen: &Seen) {
    match &seen.fields {
        Ok(fields) => {
            item.worker.clone_from(&fields.worker_ref);
            item.project.clone_from(&fields.project_ref);
            item.task = fields.task_ref.clone().unwrap_or_default();
            item.work_date = fields.work_date.to_string();
            item.recorded_seconds = fields.recorded_seconds;
            item.approved = fields.approved;
            item.billable = fields.billable;
        }
        Err(_) => item.work_date = seen.fallback_date.to_string(),
    }
}

fn judgement_of(terms: &Terms, verdicts: &Verdicts, seen: &Seen) -> Judgement {
    if let Some(judgement) = verdicts.of(&seen.source_ref) {
        return judgement.clone();
    }
    match &seen.fields {
        Ok(fields) => judge(
            terms,
            &seen.source_ref,
            fields,
            seen.suspicion.as_ref(),
            false,
        ),
        Err(problem) => {
            let why = "the entry cannot be read".to_owned();
            Judgement::Exception(problem.clone(), Estimate::Unknown(why))
        }
    }
}

fn admit_new(
    tx: &mut Tx<'_>,
    books: &mut Books,
    terms: &Terms,
    verdicts: &Verdicts,
    seen: &Seen,
    id: [u8; 16],
) -> Result<ItemRow, StoreError> {
    let worker = seen
        .fields
        .as_ref()
        .map_or("", |fields| fields.worker_ref.as_str());
    let content = seal_content(tx, worker, seen.fields.as_ref().ok(), &seen.raw)?;
    books.words.insert(id, narrative_of(seen));
    let source = &terms.settings.source;
    let content = (content, tx.now_us());
    let mut item = ItemRow {
        fingerprint: fingerprint(terms, seen),
        ..new_item(terms, source, seen.source_ref.clone(), "labor", content)
    };
    set_fields(&mut item, seen);
    apply(
        tx,
        books,
        terms,
        &mut item,
        &judgement_of(terms, verdicts, seen),
        true,
    )?;
    Ok(item)
}

/// Whether the item changed.
fn admit_known(
    tx: &mut Tx<'_>,
    books: &mut Books,
    terms: &Terms,
    verdicts: &Verdicts,
    seen: &Seen,
    item: &mut ItemRow,
) -> Result<bool, StoreError> {
    let print = fingerprint(terms, seen);
    let back = item.state == ItemState::Withdrawn.name();
    if item.fingerprint_version != FINGERPRINT_VERSION {
        // The list of fields changed, not the entry: compare what is known in the new way.
        let stored: Option<ItemFacts> = facts::open(tx, item.content)?;
        let fields = stored.and_then(|facts| facts.fields);
        let key = &terms.settings.fingerprint_key.0;
        item.fingerprint = fields.map_or(item.fingerprint, |fields| fields.fingerprint(key));
        item.fingerprint_version = FINGERPRINT_VERSION;
        if item.fingerprint == print && !back {
            item.changed_at_us = tx.now_us();
            items::update(tx, item, "fingerprint version")?;
            return Ok(false);
        }
    }
    if item.fingerprint == print && !back {
        return Ok(false);
    }
    item.revision += 1;
    item.fingerprint = print;
    item.changed_at_us = tx.now_us();
    set_fields(item, seen);
    item.content = seal_content(
        tx,
        &item.worker.clone(),
        seen.fields.as_ref().ok(),
        &seen.raw,
    )?;
    books.words.insert(item.item_id, narrative_of(seen));
    let judgement = judgement_of(terms, verdicts, seen);
    settle_judgement(tx, books, terms, item, &judgement)?;
    Ok(true)
}

/// Book a judgement, but let a person decide where an invoice is already out and the work is no
/// longer approved.
pub(crate) fn settle_judgement(
    tx: &mut Tx<'_>,
    books: &mut Books,
    terms: &Terms,
    item: &mut ItemRow,
    judgement: &Judgement,
) -> Result<(), StoreError> {
    if matches!(judgement, Judgement::Waiting) {
        let closed = closed_documents(tx, books, item)?;
        if !closed.is_empty() {
            return except(tx, item, &approval_withdrawn(&closed), None);
        }
    }
    apply(tx, books, terms, item, judgement, false)
}

/// Withdraw items that surely no longer exist at the source.
pub struct Withdraw {
    /// What to price with.
    pub terms: Terms,
    /// The items.
    pub items: Vec<[u8; 16]>,
}

impl Command for Withdraw {
    type Out = u64;
    type Rejection = Infallible;

    fn name(&self) -> &'static str {
        "withdraw"
    }

    fn guards(&self) -> GuardSet {
        let name = admission(&self.terms.settings.flow);
        std::iter::once(name)
            .chain(self.items.iter().map(|id| Guard::Item(*id)))
            .collect()
    }

    fn apply(&self, tx: &mut Tx<'_>) -> Result<u64, Abort<Infallible>> {
        tx.act_as("sync");
        let mut books = Books::default();
        let mut count = 0;
        let mut leaving = items::get_many(tx, &self.items)?;
        leaving.retain(|item| {
            let state = ItemState::from_name(&item.state);
            !matches!(state, Some(ItemState::Withdrawn | ItemState::Elsewhere))
        });
        let news: Vec<News> = leaving.iter().map(News::gone).collect();
        let judged = judge_group(tx, &mut books, &self.terms, &news)?;
        let verdicts = judged.keep(tx, &self.terms)?;
        for mut item in leaving {
            item.revision += 1;
            item.changed_at_us = tx.now_us();
            apply(
                tx,
                &mut books,
                &self.terms,
                &mut item,
                &Judgement::Withdrawn,
                false,
            )?;
            items::update(tx, &mut item, "deleted at the source")?;
            show(tx, &mut books, &item)?;
            count += 1;
        }
        verdicts.settle(tx, &mut books, &self.terms, "withdrawn")?;
        books.flush(tx, &self.terms, "withdrawn")?;
        tx.count("withdrawn", i64::try_from(count).unwrap_or(0));
        Ok(count)
    }
}

/// The suspicion that an entry is another one entered twice.
pub fn duplicate_of(other_ref: &str, fields: &EntryFields) -> Problem {
    Problem::new(
        Code::SuspectedDuplicate,
        format!(
            "entry {other_ref} has the same worker, day ({}), task and hours",
            fields.work_date
        ),
    )
}

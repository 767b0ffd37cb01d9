//! The ledger as labor transactions, one by one, from one view of it.
//!
//! Everything comes from what was booked and kept; nothing is priced or resolved again. An entry that
//! has no transaction is counted under the reason, and one that ought to have one is named.

use crate::env::inconsistent;
use crate::facts::{self, ChargeFacts, ItemFacts};
use crate::strand::active_by_part;
use domain::ids::ItemId;
use domain::item::ItemState;
use domain::labor::LaborTransaction;
use domain::status::BillingStatus;
use jiff::civil::Date;
use rules::labor::{Names, Origin, transaction};
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use store::items::ItemRow;
use store::{ReadTx, Store, StoreError, charges, feedback, items};

/// Entries without a transaction that are named; all of them are counted.
const NAMED_MAX: usize = 20;

/// Why an entry has no transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Omission {
    /// It is not approved, or gone, or was billed before this ledger: there is no price.
    NotPriced,
    /// It is an exception and was never booked.
    Exception,
    /// It was booked, and what it holds now is not what was booked: the text of then is not kept.
    Changed,
    /// What people wrote was shredded.
    Shredded,
}

impl Omission {
    /// In words.
    pub const fn words(self) -> &'static str {
        match self {
            Self::NotPriced => "not approved, withdrawn or billed elsewhere",
            Self::Exception => "exceptions that were never booked",
            Self::Changed => "booked, but changed since and not booked anew",
            Self::Shredded => "shredded",
        }
    }

    /// Whether somebody who reads the file has to know that it is not whole.
    pub const fn is_gap(self) -> bool {
        match self {
            Self::NotPriced => false,
            Self::Exception | Self::Changed | Self::Shredded => true,
        }
    }
}

/// What an export came to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Exported {
    /// Transactions that were handed out.
    pub transactions: u64,
    /// Entries without one, by reason.
    pub omitted: BTreeMap<Omission, u64>,
    /// Some of those that leave a gap: the source's id and why.
    pub named: Vec<(String, Omission)>,
}

impl Exported {
    fn omit(&mut self, item: &ItemRow, why: Omission) {
        *self.omitted.entry(why).or_default() += 1;
        if why.is_gap() && self.named.len() < NAMED_MAX {
            self.named.push((item.source_ref.clone(), why));
        }
    }
}

/// Hand out the transactions of a source with a work date in `from..=to`, by work date, until
/// `sink` breaks. One day of entries is in memory at a time.
pub async fn export(
    store: &Store,
    source: String,
    from: Date,
    to: Date,
    mut sink: impl FnMut(LaborTransaction) -> ControlFlow<()> + Send + 'static,
) -> Result<Exported, StoreError> {
    store
        .read(move |tx| {
            let mut exported = Exported::default();
            let mut next = from.to_string();
            let last = to.to_string();
            while let Some(day) = items::next_day(tx, &source, &next)?.filter(|day| *day <= last) {
                for item in items::window_full(tx, &source, &day, &day)? {
                    match of_item(tx, &item)? {
                        Ok(transactions) => {
                            for transaction in transactions {
                                if sink(transaction).is_break() {
                                    return Ok(exported);
                                }
                                exported.transactions += 1;
                            }
                        }
                        Err(why) => exported.omit(&item, why),
                    }
                }
                let Ok(tomorrow) = date(&day)?.tomorrow() else {
                    break;
                };
                next = tomorrow.to_string();
            }
            Ok(exported)
        })
        .await
}

fn date(text: &str) -> Result<Date, StoreError> {
    text.parse()
        .map_err(|_| inconsistent(format!("work date '{text}'")))
}

/// The transactions of an item, one for each of its parts; all of them or none.
fn of_item(
    tx: &mut ReadTx<'_>,
    item: &ItemRow,
) -> Result<Result<Vec<LaborTransaction>, Omission>, StoreError> {
    let state = ItemState::from_name(&item.state)
        .ok_or_else(|| inconsistent(format!("item state '{}'", item.state)))?;
    let rows = charges::list_for_item(tx, &item.item_id)?;
    let active = active_by_part(&rows)?;
    let Some(priced) = active.values().map(|charge| charge.revision).max() else {
        return Ok(Err(match state {
            ItemState::Exception => Omission::Exception,
            ItemState::Waiting | ItemState::Withdrawn | ItemState::Elsewhere => Omission::NotPriced,
            ItemState::Booked => {
                return Err(inconsistent(format!(
                    "{} is booked without a charge",
                    ItemId(item.item_id)
                )));
            }
        }));
    };
    // A later revision of a booked item asks the same of everybody, else it were booked anew.
    if state != ItemState::Booked && item.revision != priced {
        return Ok(Err(Omission::Changed));
    }
    let mut parts: Vec<ChargeFacts> = Vec::new();
    for charge in active.values() {
        let Some(booked) = facts::open(tx, charge.explain)? else {
            return Ok(Err(Omission::Shredded));
        };
        parts.push(booked);
    }
    let content: Option<ItemFacts> = facts::open(tx, item.content)?;
    let Some(content) = content else {
        return Ok(Err(Omission::Shredded));
    };
    let fields = content
        .fields
        .ok_or_else(|| inconsistent(format!("{} was priced unread", ItemId(item.item_id))))?;
    let origin = Origin {
        source: &item.source,
        source_ref: &item.source_ref,
        revision: item.revision,
        legal_entity: &item.entity,
        zone: &item.zone,
        worker_kind: None,
        billing_status: status(tx, item, state)?,
    };
    let of_part = |booked: &ChargeFacts| {
        let names = Names {
            worker: &booked.codes.worker,
            role: &booked.codes.role,
            business_unit: &item.business_unit,
            project: &booked.codes.project,
            task: &booked.codes.task,
            service_item: &booked.codes.service_item,
        };
        transaction(&origin, &fields, &names, &booked.content)
    };
    Ok(Ok(parts.iter().map(of_part).collect()))
}

/// What the source is told, or is about to be.
fn status(
    tx: &mut ReadTx<'_>,
    item: &ItemRow,
    state: ItemState,
) -> Result<BillingStatus, StoreError> {
    if state == ItemState::Exception {
        return Ok(BillingStatus::Exception);
    }
    let Some(row) = feedback::get(tx, &item.item_id)? else {
        return Ok(BillingStatus::Unbilled);
    };
    BillingStatus::from_name(&row.status)
        .ok_or_else(|| inconsistent(format!("billing status '{}'", row.status)))
}

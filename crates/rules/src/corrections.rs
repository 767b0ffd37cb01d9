//! The correction planner: from what is booked and what should be, the smallest lawful set of acts
//! and documents.
//!
//! What is lawful depends on how far an entry has come: before it was posted it is priced anew; a
//! line on a draft is refreshed; a line that was issued stays as it is and is credited, by a credit
//! that names its document and keeps that document's tax and rate. Nothing that a client holds is
//! ever changed. One credit per issued document and one place for what is billed anew: no more.

use domain::contract::corrections::IssuedCorrection;
use domain::currency::Currency;
use domain::money::{Money, MoneyError};
use std::collections::BTreeMap;

/// How far an entry has come.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// Booked here, not posted.
    Unposted,
    /// In the ERP, on no document yet.
    Unbilled,
    /// On a draft.
    Draft {
        /// The draft.
        document: String,
    },
    /// On an issued document.
    Issued {
        /// The document.
        document: String,
        /// Whether it is paid.
        paid: bool,
    },
}

impl Stage {
    /// The words people read.
    pub const fn words(&self) -> &'static str {
        match self {
            Self::Unposted => "not posted",
            Self::Unbilled => "posted, not billed",
            Self::Draft { .. } => "on a draft",
            Self::Issued { paid: false, .. } => "issued",
            Self::Issued { paid: true, .. } => "issued and paid",
        }
    }
}

/// An entry whose amount changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The entry.
    pub item: String,
    /// Who is billed.
    pub bill_to: String,
    /// How far it has come.
    pub stage: Stage,
    /// What is booked for the client.
    pub booked: Money,
    /// What should be.
    pub desired: Money,
    /// Whether the period it was posted in is still open.
    pub period_open: bool,
    /// Where a new line of it belongs: the home of the next document.
    pub home: String,
}

/// What is done with one entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    /// Nothing: the amounts agree.
    Nothing,
    /// Price anew; nobody outside has seen the old amount.
    Reprice,
    /// Reverse in the ERP and post again, on the same work date, in the open period.
    ReverseAndRepost,
    /// Refresh the line on its draft.
    RefreshDraft {
        /// The draft.
        document: String,
    },
    /// Credit the issued line in full and bill the new amount.
    CreditAndRebill {
        /// The issued document that the credit names.
        document: String,
        /// Less than nothing: the credit.
        credit: Money,
        /// The new line; none where nothing is billed any more.
        rebill: Option<Money>,
    },
    /// Bill or credit the difference.
    Delta {
        /// The issued document that the line names.
        document: String,
        /// The difference.
        difference: Money,
    },
}

/// A document that has to be made or touched.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Document {
    /// A draft that is refreshed.
    Draft(String),
    /// A credit that names an issued document.
    CreditOf(String),
    /// The next document of a home.
    Next(String),
}

/// A plan.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CorrectionPlan {
    /// The act of each entry, in the order given.
    pub acts: Vec<Act>,
    /// The documents, each with the lines and the money on it.
    pub documents: BTreeMap<Document, (u64, Money)>,
    /// The difference by stage and currency, in the words of the stage.
    pub difference: BTreeMap<(&'static str, Currency), Money>,
}

/// Plan the corrections of a set of entries.
pub fn plan(changes: &[Change], issued: IssuedCorrection) -> Result<CorrectionPlan, MoneyError> {
    let mut plan = CorrectionPlan::default();
    for change in changes {
        let difference = change.desired.checked_add(change.booked.negated()?)?;
        let act = act_of(change, difference, issued)?;
        if act != Act::Nothing {
            let key = (change.stage.words(), difference.currency);
            add(&mut plan.difference, key, difference)?;
        }
        place(&mut plan.documents, change, &act)?;
        plan.acts.push(act);
    }
    Ok(plan)
}

fn act_of(change: &Change, difference: Money, issued: IssuedCorrection) -> Result<Act, MoneyError> {
    if difference.amount_minor == 0 {
        return Ok(Act::Nothing);
    }
    Ok(match (&change.stage, issued) {
        (Stage::Unposted, _) => Act::Reprice,
        (Stage::Unbilled, _) => Act::ReverseAndRepost,
        (Stage::Draft { document }, _) => Act::RefreshDraft {
            document: document.clone(),
        },
        (Stage::Issued { document, .. }, IssuedCorrection::CreditAndRebill) => {
            Act::CreditAndRebill {
                document: document.clone(),
                credit: change.booked.negated()?,
                rebill: Some(change.desired).filter(|amount| amount.amount_minor != 0),
            }
        }
        (Stage::Issued { document, .. }, IssuedCorrection::Delta) => Act::Delta {
            document: document.clone(),
            difference,
        },
    })
}

fn place(
    documents: &mut BTreeMap<Document, (u64, Money)>,
    change: &Change,
    act: &Act,
) -> Result<(), MoneyError> {
    let mut line = |document: Document, amount: Money| -> Result<(), MoneyError> {
        let empty = (0, Money::zero(amount.currency));
        let (lines, total) = documents.entry(document).or_insert(empty);
        *total = total.checked_add(amount)?;
        *lines += 1;
        Ok(())
    };
    match act {
        // What is posted without a document, or not at all, is on no document.
        Act::Nothing | Act::Reprice | Act::ReverseAndRepost => Ok(()),
        Act::RefreshDraft { document } => line(Document::Draft(document.clone()), change.desired),
        Act::CreditAndRebill {
            document,
            credit,
            rebill,
        } => {
            line(Document::CreditOf(document.clone()), *credit)?;
            rebill.map_or(Ok(()), |amount| {
                line(Document::Next(change.home.clone()), amount)
            })
        }
        Act::Delta { difference, .. } => line(Document::Next(change.home.clone()), *difference),
    }
}

fn add<K: Ord>(to: &mut BTreeMap<K, Money>, key: K, amount: Money) -> Result<(), MoneyError> {
    let sum = match to.get(&key) {
        Some(known) => known.checked_add(amount)?,
        None => amount,
    };
    to.insert(key, sum);
    Ok(())
}

//! The correction planner: from what is booked and what should be, the smallest lawful set of acts
//! and documents.
//!
//! What is lawful depends on how far an entry has come: before it was posted it is priced anew; a
//! line on a draft is refreshed; a line that was issued stays as it is and is credited, by a credit
//! that names its document. One credit per issued document and one place for what is billed anew:
//! no more. A difference is billed only where customer, currency and day of supply stay the same.
//!
//! What was posted in a period that is closed by now is corrected on the first day of the next open
//! one; where none is open, the entry is held. What is mirrored in another entity is corrected in
//! both or in neither.

use super::tax::{NewTax, Taxed};
use crate::explanation::{Explanation, Step};
use domain::contract::corrections::IssuedCorrection;
use domain::currency::Currency;
use domain::money::{Money, MoneyError};
use jiff::civil::Date;
use std::collections::{BTreeMap, BTreeSet};

/// How far an entry has come.
#[derive(Debug, Clone, PartialEq, Eq)]
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
        /// How its line was taxed, where that is known.
        tax: Option<Taxed>,
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

/// The period an entry was posted in, as it stands now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BookedPeriod {
    /// Open.
    Open,
    /// Closed; `next_open` is the first day of the next open one, none if none is open.
    Closed {
        /// The day.
        next_open: Option<Date>,
    },
}

/// An entry whose worth, place or day may have changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The entry.
    pub item: String,
    /// How far it has come.
    pub stage: Stage,
    /// What is booked for the client.
    pub booked: Money,
    /// What should be.
    pub desired: Money,
    /// Where its line went: customer, currency, contract and all that separates documents.
    pub booked_home: String,
    /// Where a new line of it belongs.
    pub home: String,
    /// The day of supply as booked.
    pub booked_supply: Date,
    /// The day of supply as it is now.
    pub supply: Date,
    /// The period it was posted in.
    pub period: BookedPeriod,
    /// What it has in common with its mirror in another entity; none = no other entity involved.
    pub pair: Option<String>,
}

impl Change {
    /// Whether it belongs on another document than the one it went to.
    fn moved(&self) -> bool {
        self.booked_home != self.home || self.booked.currency != self.desired.currency
    }

    fn same_supply(&self) -> bool {
        self.booked_supply == self.supply && !self.moved()
    }

    /// Whether there is nothing to correct. A client who was billed nothing and is to be billed
    /// nothing has no document to be credited, whatever else changed.
    fn unchanged(&self) -> bool {
        let nothing = |amount: &Money| amount.amount_minor == 0;
        let never_billed = matches!(self.stage, Stage::Issued { .. })
            && nothing(&self.booked)
            && nothing(&self.desired);
        never_billed || (self.booked == self.desired && self.same_supply())
    }

    /// Whether it has to wait for a period to be opened.
    fn waits(&self) -> bool {
        let nowhere = self.period == BookedPeriod::Closed { next_open: None };
        nowhere && self.stage != Stage::Unposted && !self.unchanged()
    }
}

/// What is done with one entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    /// Nothing: what is booked is what should be.
    Nothing,
    /// Wait until a period is opened.
    Hold,
    /// Price anew; nobody outside has seen the old amount.
    Reprice,
    /// Reverse in the ERP and post again, on the same work date.
    ReverseAndRepost,
    /// Refresh the line on its draft.
    RefreshDraft {
        /// The draft.
        document: String,
    },
    /// Take the line off its draft, and bill where it belongs now.
    TakeOffDraft {
        /// The draft.
        document: String,
        /// The new line; none where nothing is billed any more.
        bill: Option<Money>,
    },
    /// Credit the issued line in full and bill the new amount.
    CreditAndRebill {
        /// The issued document that the credit names.
        document: String,
        /// Less than nothing: the credit; none where the line came to nothing.
        credit: Option<Money>,
        /// The new line; none where nothing is billed any more.
        rebill: Option<Money>,
        /// Whether the credit stays on the client's account, since the document is paid.
        on_account: bool,
        /// The tax of the credit: that of its document, where it is known.
        credit_tax: Option<Taxed>,
        /// The tax of the new line; none where that of the document is not known and is kept.
        rebill_tax: Option<NewTax>,
    },
    /// Bill or credit the difference.
    Delta {
        /// The issued document that the line names.
        document: String,
        /// The difference.
        difference: Money,
        /// The tax of the same supply, where it is known.
        tax: Option<Taxed>,
    },
}

impl Act {
    /// The words people read.
    pub const fn words(&self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::Hold => "hold",
            Self::Reprice => "reprice",
            Self::ReverseAndRepost => "reverse and repost",
            Self::RefreshDraft { .. } => "refresh the draft",
            Self::TakeOffDraft { .. } => "take off the draft",
            Self::CreditAndRebill { .. } => "credit and rebill",
            Self::Delta { .. } => "delta",
        }
    }
}

/// On which day a correction is posted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CorrectionDay {
    /// Nothing is posted by it.
    None,
    /// In the period that what it corrects was posted in, which is open.
    AsBooked,
    /// On the first day of the next open period.
    NextOpen(Date),
}

/// What is done with one entry, when, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Correction {
    /// The entry.
    pub item: String,
    /// What is done.
    pub act: Act,
    /// When.
    pub day: CorrectionDay,
    /// Why.
    pub steps: Vec<Step>,
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
    /// The correction of each entry, in the order given.
    pub corrections: Vec<Correction>,
    /// The documents, each with the lines put or changed on it and the money of these.
    pub documents: BTreeMap<(Document, Currency), (u64, Money)>,
    /// What is booked more or less by it, by stage and currency, in the words of the stage. What is
    /// held is not in it.
    pub difference: BTreeMap<(&'static str, Currency), Money>,
}

/// Plan the corrections of a set of entries.
pub fn plan(changes: &[Change], issued: IssuedCorrection) -> Result<CorrectionPlan, MoneyError> {
    let waiting: BTreeSet<&String> = changes
        .iter()
        .filter(|change| change.waits())
        .filter_map(|change| change.pair.as_ref())
        .collect();
    let mut plan = CorrectionPlan::default();
    for change in changes {
        let mirror_waits = change.pair.as_ref().is_some_and(|p| waiting.contains(p));
        let held = change.waits() || mirror_waits;
        let act = act_of(change, issued, held)?;
        if !matches!(act, Act::Nothing | Act::Hold) {
            let stage = change.stage.words();
            for amount in [change.desired, change.booked.negated()?] {
                add(&mut plan.difference, (stage, amount.currency), amount)?;
            }
        }
        place(&mut plan.documents, change, &act)?;
        plan.corrections.push(explained(change, act, issued));
    }
    Ok(plan)
}

fn some(amount: Money) -> Option<Money> {
    Some(amount).filter(|amount| amount.amount_minor != 0)
}

fn act_of(change: &Change, issued: IssuedCorrection, held: bool) -> Result<Act, MoneyError> {
    if change.unchanged() {
        return Ok(Act::Nothing);
    }
    if held {
        return Ok(Act::Hold);
    }
    Ok(match &change.stage {
        Stage::Unposted => Act::Reprice,
        Stage::Unbilled => Act::ReverseAndRepost,
        Stage::Draft { document } if change.moved() => Act::TakeOffDraft {
            document: document.clone(),
            bill: some(change.desired),
        },
        Stage::Draft { document } => Act::RefreshDraft {
            document: document.clone(),
        },
        Stage::Issued { document, tax, .. }
            if issued == IssuedCorrection::Delta && change.same_supply() =>
        {
            Act::Delta {
                document: document.clone(),
                difference: change.desired.checked_add(change.booked.negated()?)?,
                tax: tax.clone(),
            }
        }
        Stage::Issued {
            document,
            paid,
            tax,
        } => {
            let credit = some(change.booked.negated()?);
            let rebill = some(change.desired);
            let new_tax = if change.same_supply() {
                tax.clone().map(NewTax::Kept)
            } else {
                Some(NewTax::Anew(change.supply))
            };
            Act::CreditAndRebill {
                document: document.clone(),
                on_account: *paid && credit.is_some(),
                credit_tax: tax.clone().filter(|_| credit.is_some()),
                rebill_tax: new_tax.filter(|_| rebill.is_some()),
                credit,
                rebill,
            }
        }
    })
}

fn explained(change: &Change, act: Act, issued: IssuedCorrection) -> Correction {
    let day = match (&act, change.period) {
        (Act::Nothing | Act::Hold | Act::Reprice, _)
        | (_, BookedPeriod::Closed { next_open: None }) => CorrectionDay::None,
        (_, BookedPeriod::Open) => CorrectionDay::AsBooked,
        (
            _,
            BookedPeriod::Closed {
                next_open: Some(day),
            },
        ) => CorrectionDay::NextOpen(day),
    };
    let mut why = Explanation::default();
    let mut inputs = vec![
        change.stage.words().to_owned(),
        format!("booked {}, now {}", change.booked, change.desired),
    ];
    if change.moved() {
        inputs.push(format!("from {} to {}", change.booked_home, change.home));
    }
    if change.booked_supply != change.supply {
        inputs.push(format!(
            "supplied {}, not {}",
            change.supply, change.booked_supply
        ));
    }
    if matches!(change.stage, Stage::Issued { .. }) {
        inputs.push(format!("the contract says: {}", issued.words()));
    }
    why.step("correction", inputs.join("; "), act.words());
    match day {
        CorrectionDay::NextOpen(day) => why.step(
            "day of the correction",
            "the period it was posted in is closed",
            format!("{day}, the next open period"),
        ),
        CorrectionDay::None | CorrectionDay::AsBooked => {
            if act == Act::Hold {
                why.step(
                    "day of the correction",
                    "no period is open for it or for its mirror; open one in the ERP",
                    "held",
                );
            }
        }
    }
    Correction {
        item: change.item.clone(),
        act,
        day,
        steps: why.steps,
    }
}

type Documents = BTreeMap<(Document, Currency), (u64, Money)>;

fn place(documents: &mut Documents, change: &Change, act: &Act) -> Result<(), MoneyError> {
    let mut line = |document: Document, amount: Money| -> Result<(), MoneyError> {
        let empty = (0, Money::zero(amount.currency));
        let (lines, total) = documents
            .entry((document, amount.currency))
            .or_insert(empty);
        *total = total.checked_add(amount)?;
        *lines += 1;
        Ok(())
    };
    let next = || Document::Next(change.home.clone());
    match act {
        // What is posted without a document, or not at all, is on no document.
        Act::Nothing | Act::Hold | Act::Reprice | Act::ReverseAndRepost => Ok(()),
        Act::RefreshDraft { document } => line(Document::Draft(document.clone()), change.desired),
        Act::TakeOffDraft { document, bill } => {
            let nothing = Money::zero(change.booked.currency);
            line(Document::Draft(document.clone()), nothing)?;
            bill.map_or(Ok(()), |amount| line(next(), amount))
        }
        Act::CreditAndRebill {
            document,
            credit,
            rebill,
            ..
        } => {
            if let Some(credit) = credit {
                line(Document::CreditOf(document.clone()), *credit)?;
            }
            rebill.map_or(Ok(()), |amount| line(next(), amount))
        }
        Act::Delta { difference, .. } => line(next(), *difference),
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

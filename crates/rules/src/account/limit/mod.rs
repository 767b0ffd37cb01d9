//! The limits of one contract, and of those that are part of it, as one account: nested levels that
//! all have to pass.
//!
//! Capacity is reserved in the order of events and never taken away by a later one. The account
//! holds what each entry was granted and the totals per limit; an event reads the records that it
//! names, those that wait, and the totals, so a store may keep records as rows. Only a change of
//! terms reads them all. A record has at most one slice per grant, and each grant is at least one
//! step of the entry's quantity, so a record is bounded by the quantity it stands for.

mod events;
mod grant;
mod records;
mod whole;

pub use whole::{PartTerms, WholeTerms};

use super::ask::{Ask, Outcome, Slice};
use super::claim::Claim;
use super::cut::{minus, money, net_of, plus};
use super::refusal::Refusal;
use domain::contract::accounts::Printing;
use domain::contract::accounts::limit::{LimitBase, LimitScope, LimitTerms};
use domain::money::Money;
use records::Records;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use whole::Parts;

use super::ask::AskKind;

/// What keeps a part of an entry waiting.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HeldBy {
    /// A limit, by id.
    Limit(String),
    /// No limit of one of its scopes covers its day; the scope in words.
    Uncovered(String),
}

/// What one entry was granted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// The ask as it stands.
    pub ask: Ask,
    /// Asked quantity and final credits.
    pub claim: Claim,
    /// Its parts, in the order they were granted; a held one is last.
    pub slices: Vec<Slice>,
    /// Why it waits, if a part of it does.
    pub held_by: Option<HeldBy>,
    /// Its place in the order of arrival.
    pub arrival: u64,
}

/// The account of all limits of one contract.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// How the contract prints.
    pub printing: Printing,
    /// The limits, outer ones first.
    terms: Vec<LimitTerms>,
    /// Billed or reserved per limit, opening included, in minor units.
    used_minor: BTreeMap<String, i64>,
    /// The entries, by item.
    items: Records,
    /// The contracts that are part of this one.
    #[serde(default, skip_serializing_if = "Parts::is_empty")]
    parts: Parts,
}

impl Limits {
    /// An account that nothing was asked of yet.
    pub fn new(printing: Printing, terms: Vec<LimitTerms>) -> Result<Self, Refusal> {
        Self::of_whole(printing, &terms.into())
    }

    /// An account of a contract with its parts, that nothing was asked of yet.
    pub fn of_whole(printing: Printing, terms: &WholeTerms) -> Result<Self, Refusal> {
        let (terms, parts) = terms.joined(&printing)?;
        let mut account = Self {
            printing,
            terms,
            used_minor: BTreeMap::new(),
            items: Records::default(),
            parts,
        };
        account.used_minor = account.counted()?;
        Ok(account)
    }

    /// How an ask prints.
    fn printing_of(&self, ask: &Ask) -> &Printing {
        self.parts.printing(ask).unwrap_or(&self.printing)
    }

    /// The limits, outer ones first.
    pub fn terms(&self) -> &[LimitTerms] {
        &self.terms
    }

    /// What was granted to an item.
    pub fn record(&self, item: &str) -> Option<&Record> {
        self.items.get(item)
    }

    /// All entries, by item.
    pub fn records(&self) -> impl Iterator<Item = (&str, &Record)> {
        self.items
            .iter()
            .map(|(item, record)| (item.as_str(), record))
    }

    /// How many entries wait, in whole or in part.
    pub fn waiting_count(&self) -> usize {
        self.items.waiting_count()
    }

    fn minor(&self, limit: &str) -> i64 {
        self.used_minor.get(limit).copied().unwrap_or_default()
    }

    /// What is billed or reserved against a limit, its opening included.
    pub fn used(&self, limit: &str) -> Money {
        money(&self.printing, self.minor(limit))
    }

    /// What may still be billed against a limit; zero where a tolerance was used.
    pub fn left(&self, limit: &LimitTerms) -> Result<Money, Refusal> {
        self.left_minor(limit)
            .map(|left| money(&self.printing, left))
    }

    fn left_minor(&self, limit: &LimitTerms) -> Result<i64, Refusal> {
        let cap = self.printing.money(&limit.id, "amount", limit.amount)?;
        minus(cap.amount_minor, self.minor(&limit.id)).map(|left| left.max(0))
    }

    /// What waits, in all, or of the work of one part.
    pub fn held(&self, part: Option<&str>) -> Result<Money, Refusal> {
        self.items
            .waiting()
            .filter(|record| part.is_none() || record.ask.contract.as_deref() == part)
            .try_fold(0, |sum, record| {
                plus(sum, net_of(&record.slices, Outcome::Held)?)
            })
            .map(|minor| money(&self.printing, minor))
    }

    /// The limits that count an ask, and the scope that has none for its day, if there is one.
    fn levels(&self, ask: &Ask) -> (Vec<&LimitTerms>, Option<String>) {
        let chain = self.parts.chain(ask.contract.as_deref());
        let over = |limit: &LimitTerms| {
            let owner = self.parts.owner(&limit.id);
            owner.is_none_or(|owner| chain.contains(&owner))
        };
        let under: Vec<&LimitTerms> = self
            .terms
            .iter()
            .filter(|l| counts(l, ask) && over(l))
            .collect();
        let alike = |one: &LimitTerms, other: &LimitTerms| {
            one.scope == other.scope
                && one.code == other.code
                && self.parts.owner(&one.id) == self.parts.owner(&other.id)
        };
        let uncovered = under.iter().find(|limit| {
            let mut covering = under.iter().filter(|other| other.covers(ask.work_date));
            !covering.any(|other| alike(limit, other))
        });
        let words = uncovered.map(|limit| {
            limit.code.as_ref().map_or_else(
                || limit.scope.words().to_owned(),
                |code| format!("{} {code}", limit.scope.words()),
            )
        });
        let levels = under.into_iter().filter(|l| l.covers(ask.work_date));
        (levels.collect(), words)
    }

    /// The totals, counted anew from the entries.
    pub fn counted(&self) -> Result<BTreeMap<String, i64>, Refusal> {
        let mut totals = BTreeMap::new();
        for limit in &self.terms {
            let opening = self
                .printing
                .money(&limit.id, "opening_used", limit.opening_used)?;
            totals.insert(limit.id.clone(), opening.amount_minor);
        }
        for record in self.items.values() {
            let net = net_of(&record.slices, Outcome::Billed)?;
            for limit in self.levels(&record.ask).0 {
                if let Some(total) = totals.get_mut(&limit.id) {
                    *total = plus(*total, net)?;
                }
            }
        }
        Ok(totals)
    }

    /// Add what an entry uses to the totals of its limits, or take it away (`sign` of -1).
    fn count(&mut self, record: &Record, sign: i64) -> Result<(), Refusal> {
        let net = net_of(&record.slices, Outcome::Billed)?.saturating_mul(sign);
        let mut used_minor = std::mem::take(&mut self.used_minor);
        let counted = self.levels(&record.ask).0.iter().try_for_each(|limit| {
            if let Some(total) = used_minor.get_mut(&limit.id) {
                *total = plus(*total, net)?;
            }
            Ok(())
        });
        self.used_minor = used_minor;
        counted
    }
}

/// Whether a limit counts an ask, whatever its day.
fn counts(limit: &LimitTerms, ask: &Ask) -> bool {
    let code = match limit.scope {
        LimitScope::Contract => return base_counts(limit.base, ask.kind),
        LimitScope::Line => &ask.line,
        LimitScope::PurchaseOrder => &ask.purchase_order,
        LimitScope::Task => &ask.task,
    };
    code.is_some() && *code == limit.code && base_counts(limit.base, ask.kind)
}

const fn base_counts(base: LimitBase, kind: AskKind) -> bool {
    matches!(
        (base, kind),
        (LimitBase::FeesAndExpenses, _) | (LimitBase::Fees, AskKind::Fees)
    )
}

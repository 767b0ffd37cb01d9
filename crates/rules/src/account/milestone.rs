//! Milestones: parts of an agreed price, billed once each on the client's acceptance.
//!
//! The account holds what was accepted and what each item was billed with, and works out anew what
//! every item comes to; the difference is the effect. An item is a milestone and a revision, inside
//! the contract that the account belongs to. Earlier revisions stay as they were billed and the
//! latest takes the difference. The last percentage milestone takes what the others leave of the
//! price, so that the sum is the price to the cent, whatever is revised and whenever.

use super::ask::Effect;
use super::cut::{minus, money, plus};
use super::refusal::Refusal;
use crate::explanation::Explanation;
use domain::contract::accounts::Printing;
use domain::contract::accounts::milestone::{MilestoneTerms, WHOLE_PERCENT_MICRO};
use domain::decimal::Micro;
use domain::money::Money;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The item that bills what was withheld.
pub const RETENTION_ITEM: &str = "retention";

/// The client's word.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Evidence {
    /// Who accepted.
    pub accepted_by: String,
    /// When.
    pub accepted_on: Date,
    /// The document that shows it.
    pub document: String,
}

/// A new value that comes with a revision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MilestoneValue {
    /// An amount in the contract's currency.
    Amount(Micro),
    /// A percentage of the price.
    Percent(Micro),
}

/// An acceptance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Acceptance {
    /// The milestone.
    pub milestone: String,
    /// Its revision; each is higher than the one before.
    pub revision: u32,
    /// A value other than the contract's; none = as the contract says.
    #[serde(default)]
    pub value: Option<MilestoneValue>,
    /// The client's word.
    pub evidence: Evidence,
}

/// An acceptance that counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Accepted {
    said: Acceptance,
    /// What it was worth when it was accepted; that stays until it is revised.
    worth_minor: i64,
}

impl Accepted {
    fn item(&self) -> String {
        format!("{}/{}", self.said.milestone, self.said.revision)
    }
}

/// What every item comes to.
struct Targets {
    items: BTreeMap<String, i64>,
    withheld_minor: i64,
}

/// The account of a contract's milestones.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Milestones {
    /// How the contract prints.
    pub printing: Printing,
    terms: MilestoneTerms,
    accepted: BTreeMap<String, Vec<Accepted>>,
    billed_minor: BTreeMap<String, i64>,
    withheld_minor: i64,
    released: Option<Evidence>,
}

fn check_evidence(what: &str, evidence: &Evidence) -> Result<(), Refusal> {
    if evidence.accepted_by.trim().is_empty() || evidence.document.trim().is_empty() {
        return Err(Refusal::NoEvidence(what.to_owned()));
    }
    Ok(())
}

impl Milestones {
    /// Milestones of which none is accepted.
    pub fn new(printing: Printing, terms: MilestoneTerms) -> Result<Self, Refusal> {
        terms.check(&printing)?;
        Ok(Self {
            printing,
            terms,
            accepted: BTreeMap::new(),
            billed_minor: BTreeMap::new(),
            withheld_minor: 0,
            released: None,
        })
    }

    /// The terms.
    pub const fn terms(&self) -> &MilestoneTerms {
        &self.terms
    }

    /// What each item was billed with, in minor units.
    pub const fn billed_minor(&self) -> &BTreeMap<String, i64> {
        &self.billed_minor
    }

    /// What each item is billed with now, and the day of the client's word.
    pub fn billed(&self) -> Vec<(String, Date, Money)> {
        let mut all = Vec::new();
        for accepted in self.accepted.values().flatten() {
            let item = accepted.item();
            let minor = self.billed_minor.get(&item).copied().unwrap_or(0);
            let day = accepted.said.evidence.accepted_on;
            all.push((item, day, money(&self.printing, minor)));
        }
        let retention = self.billed_minor.get(RETENTION_ITEM).copied();
        if let (Some(evidence), Some(minor)) = (&self.released, retention) {
            let item = RETENTION_ITEM.to_owned();
            all.push((item, evidence.accepted_on, money(&self.printing, minor)));
        }
        all
    }

    /// What is withheld, in minor units.
    pub const fn withheld_minor(&self) -> i64 {
        self.withheld_minor
    }

    /// What each milestone is worth now, in minor units.
    pub fn worth_minor(&self) -> Result<BTreeMap<&str, i64>, Refusal> {
        let remainder = self.terms.remainder();
        let mut worth = BTreeMap::new();
        let mut rest = self.terms.price(&self.printing)?.amount_minor;
        for milestone in &self.terms.milestones {
            let id = milestone.id.as_str();
            if Some(id) == remainder {
                continue;
            }
            let minor = match self.accepted.get(id).and_then(|all| all.last()) {
                Some(accepted) => accepted.worth_minor,
                None => {
                    self.terms
                        .worth(&self.printing, id, milestone.amount, milestone.percent)?
                        .amount_minor
                }
            };
            rest = minus(rest, minor)?;
            worth.insert(id, minor);
        }
        if let Some(id) = remainder {
            if rest < 0 {
                return Err(Refusal::MilestoneValue {
                    milestone: id.to_owned(),
                    why: format!(
                        "it takes what the others leave of the price, and they come to {} more than that; correct a value or raise the price first",
                        money(&self.printing, rest.saturating_neg())
                    ),
                });
            }
            worth.insert(id, rest);
        }
        Ok(worth)
    }

    fn retained(&self, worth_minor: i64) -> Result<i64, Refusal> {
        let percent = self.terms.retention_percent.micro();
        money(&self.printing, worth_minor)
            .share(percent, WHOLE_PERCENT_MICRO, self.printing.amount_rounding)
            .map(|money| money.amount_minor)
            .map_err(|error| Refusal::TooLarge(format!("the retention ({error})")))
    }

    fn targets(&self) -> Result<Targets, Refusal> {
        let worth = self.worth_minor()?;
        let (mut items, mut withheld) = (BTreeMap::new(), 0);
        for (id, all) in &self.accepted {
            let worth = worth.get(id.as_str()).copied().unwrap_or(0);
            let retained = self.retained(worth)?;
            withheld = plus(withheld, retained)?;
            let mut rest = minus(worth, retained)?;
            if let Some((last, earlier)) = all.split_last() {
                for one in earlier {
                    let item = one.item();
                    let billed = self.billed_minor.get(&item).copied().unwrap_or(0);
                    rest = minus(rest, billed)?;
                    items.insert(item, billed);
                }
                items.insert(last.item(), rest);
            }
        }
        if self.released.is_some() {
            items.insert(RETENTION_ITEM.to_owned(), withheld);
            withheld = 0;
        }
        Ok(Targets {
            items,
            withheld_minor: withheld,
        })
    }

    /// Bill the differences to what every item was billed with.
    fn settle(&mut self, why: &mut Explanation) -> Result<Vec<Effect>, Refusal> {
        let targets = self.targets()?;
        let mut effects = Vec::new();
        for (item, minor) in &targets.items {
            let before = self.billed_minor.get(item).copied().unwrap_or(0);
            let difference = minus(*minor, before)?;
            if difference != 0 {
                let amount = money(&self.printing, difference);
                why.step(
                    format_args!("item {item}"),
                    format_args!(
                        "billed {}, comes to {}",
                        money(&self.printing, before),
                        money(&self.printing, *minor)
                    ),
                    amount,
                );
                let item = item.clone();
                effects.push(Effect::Milestone { item, amount });
            }
        }
        let difference = minus(targets.withheld_minor, self.withheld_minor)?;
        if difference != 0 {
            let amount = money(&self.printing, difference);
            why.step(
                "retention",
                format_args!("{} percent", self.terms.retention_percent),
                format_args!(
                    "{} withheld in all",
                    money(&self.printing, targets.withheld_minor)
                ),
            );
            effects.push(Effect::Withheld { amount });
        }
        self.billed_minor = targets.items;
        self.withheld_minor = targets.withheld_minor;
        Ok(effects)
    }

    /// The client accepted a milestone, or a new revision of it. The same once more is nothing.
    pub(super) fn accept(
        &mut self,
        said: &Acceptance,
        why: &mut Explanation,
    ) -> Result<Vec<Effect>, Refusal> {
        let id = &said.milestone;
        check_evidence(&format!("milestone {id}"), &said.evidence)?;
        let known = self.accepted.get(id).map(Vec::as_slice).unwrap_or_default();
        if known.iter().any(|one| one.said == *said) {
            return Ok(Vec::new());
        }
        if let Some(last) = known.last()
            && said.revision <= last.said.revision
        {
            return Err(Refusal::RevisionTaken {
                milestone: id.clone(),
                revision: said.revision,
                next: last.said.revision.saturating_add(1),
            });
        }
        let worth_minor = self.worth_of(said)?;
        why.step(
            format_args!("milestone {id}, revision {}", said.revision),
            format_args!(
                "accepted by {} on {}: {}",
                said.evidence.accepted_by, said.evidence.accepted_on, said.evidence.document
            ),
            format_args!("worth {}", money(&self.printing, worth_minor)),
        );
        let said = said.clone();
        let all = self.accepted.entry(said.milestone.clone()).or_default();
        all.push(Accepted { said, worth_minor });
        self.settle(why)
    }

    fn worth_of(&self, said: &Acceptance) -> Result<i64, Refusal> {
        let id = &said.milestone;
        let refuse = |why: &str| Refusal::MilestoneValue {
            milestone: id.clone(),
            why: why.to_owned(),
        };
        let remainder = self.terms.remainder();
        let Some(milestone) = self.terms.milestone(id) else {
            return Err(Refusal::UnknownMilestone(id.clone()));
        };
        let (amount, percent) = match said.value {
            None => (milestone.amount, milestone.percent),
            Some(MilestoneValue::Amount(amount)) => (Some(amount), None),
            Some(MilestoneValue::Percent(percent)) => (None, Some(percent)),
        };
        if remainder == Some(id) {
            if said.value.is_some() {
                return Err(refuse(
                    "it takes what the others leave of the price and has no value of its own; revise another one or change the price",
                ));
            }
            return Ok(self.worth_minor()?.get(id.as_str()).copied().unwrap_or(0));
        }
        let worth = self.terms.worth(&self.printing, id, amount, percent)?;
        if remainder.is_none() {
            let planned =
                self.terms
                    .worth(&self.printing, id, milestone.amount, milestone.percent)?;
            if worth != planned {
                return Err(refuse(
                    "no percentage milestone takes the difference to the price; change price and amounts by a change order first",
                ));
            }
        }
        Ok(worth.amount_minor)
    }

    /// The end: bill what was withheld.
    pub(super) fn release_retention(
        &mut self,
        evidence: &Evidence,
        why: &mut Explanation,
    ) -> Result<Vec<Effect>, Refusal> {
        check_evidence("the retention", evidence)?;
        let missing = |id: &&str| !self.accepted.contains_key(*id);
        let ids = self.terms.milestones.iter().map(|m| m.id.as_str());
        let open: Vec<&str> = ids.filter(missing).collect();
        if !open.is_empty() {
            return Err(Refusal::NotAllAccepted(open.join(", ")));
        }
        why.step(
            "retention is billed",
            format_args!(
                "accepted by {} on {}: {}",
                evidence.accepted_by, evidence.accepted_on, evidence.document
            ),
            money(&self.printing, self.withheld_minor).to_string(),
        );
        if self.released.is_none() {
            self.released = Some(evidence.clone());
        }
        self.settle(why)
    }

    /// A change order. Accepted milestones keep their value until they are revised; the last
    /// percentage milestone takes the difference at once.
    pub(super) fn change_terms(
        &mut self,
        terms: &MilestoneTerms,
        why: &mut Explanation,
    ) -> Result<Vec<Effect>, Refusal> {
        terms.check(&self.printing)?;
        if let Some(gone) = self
            .accepted
            .keys()
            .find(|id| terms.milestone(id).is_none())
        {
            return Err(Refusal::MilestoneValue {
                milestone: gone.clone(),
                why: "it was accepted and cannot be taken out; revise it to 0 instead".to_owned(),
            });
        }
        why.step(
            "change order, milestones",
            format_args!("price was {}", self.terms.price(&self.printing)?),
            terms.price(&self.printing)?.to_string(),
        );
        self.terms = terms.clone();
        self.settle(why)
    }
}

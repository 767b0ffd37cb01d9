//! Accounts: what a contract counts across many items, as pure functions of events.
//!
//! An account is a value. [`apply`] takes it and one event and gives the next value, what changed,
//! and why; it never reads a clock or another account. Folding the same events over the same
//! beginning gives the same value and the same effects, so an account can be rebuilt and proved.
//! A refused event changes nothing.
//!
//! | account | holds |
//! |---|---|
//! | [`limit::Limits`] | all nested limits of a contract: what is billed, what waits |
//! | [`retainer::Retainer`] | money paid ahead: what was drawn, the balance |
//! | [`hour_bank::HourBank`] | hours that a fee covers: what is over, what goes on, what lapses |
//! | [`milestone::Milestones`] | what was accepted of an agreed price, what is withheld |
//!
//! Instalments and monthly fees need no account: [`schedule::due`] tells them from the calendar.

pub mod ask;
pub mod claim;
pub mod cut;
pub mod hour_bank;
pub mod limit;
pub mod milestone;
pub mod refusal;
pub mod retainer;
pub mod schedule;

use crate::explanation::Explanation;
use ask::{Ask, Effect};
use domain::contract::accounts::Printing;
use domain::contract::accounts::hour_bank::HourBankTerms;
use domain::contract::accounts::milestone::MilestoneTerms;
use domain::contract::accounts::retainer::RetainerTerms;
use domain::decimal::Micro;
use domain::money::Money;
use jiff::civil::Date;
use milestone::{Acceptance, Evidence};
use refusal::Refusal;
use retainer::FundingStage;
use serde::{Deserialize, Serialize};

/// An account of one contract.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Account {
    /// All limits of the contract.
    Limits(limit::Limits),
    /// A money retainer.
    Retainer(retainer::Retainer),
    /// An hour bank.
    HourBank(hour_bank::HourBank),
    /// The milestones of the contract.
    Milestones(milestone::Milestones),
}

impl Account {
    const fn words(&self) -> &'static str {
        match self {
            Self::Limits(_) => "an account of limits",
            Self::Retainer(_) => "a retainer",
            Self::HourBank(_) => "an hour bank",
            Self::Milestones(_) => "an account of milestones",
        }
    }

    pub(crate) const fn printing(&self) -> &Printing {
        match self {
            Self::Limits(limits) => &limits.printing,
            Self::Retainer(retainer) => &retainer.printing,
            Self::HourBank(bank) => &bank.printing,
            Self::Milestones(milestones) => &milestones.printing,
        }
    }

    /// Print as the contract does from now on. What was counted in one currency is not in another.
    pub(crate) fn set_printing(&mut self, now: Printing) -> Result<(), Refusal> {
        let printing = match self {
            Self::Limits(limits) => &mut limits.printing,
            Self::Retainer(retainer) => &mut retainer.printing,
            Self::HourBank(bank) => &mut bank.printing,
            Self::Milestones(milestones) => &mut milestones.printing,
        };
        if printing.currency != now.currency {
            return Err(Refusal::OtherCurrency {
                counted: printing.currency,
                now: now.currency,
            });
        }
        *printing = now;
        Ok(())
    }
}

/// New terms, for the account they belong to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Terms {
    /// All limits of the contract and its parts, as they shall be.
    Limits(limit::WholeTerms),
    /// The retainer.
    Retainer(RetainerTerms),
    /// The hour bank, for periods that open from now on.
    HourBank(HourBankTerms),
    /// The price and the milestones.
    Milestones(MilestoneTerms),
}

/// Something that happened to an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case", deny_unknown_fields)]
pub enum Event {
    /// One batch of items asks to be billed. An item that is known asks for its whole new quantity,
    /// and is given or gives back the difference.
    Reserve {
        /// The items.
        asks: Vec<Ask>,
    },
    /// An item is gone: all it had is free again.
    Withdraw {
        /// The item.
        item: String,
    },
    /// Something billed was credited.
    Credit {
        /// The item.
        item: String,
        /// How much of it.
        quantity: Micro,
        /// Whether it will be billed again: its capacity stays reserved. Else the credit is final.
        rebill: bool,
    },
    /// What waits at a limit may go, in the order of arrival. Sent together with whatever freed
    /// capacity, so that nothing that arrives later is served first.
    ReleaseHeld {
        /// How many entries at most; none = all.
        at_most: Option<u32>,
    },
    /// A change order.
    ChangeTerms {
        /// The terms as they shall be.
        terms: Terms,
    },
    /// Money came into a retainer, or was invoiced for it.
    Fund {
        /// The funding; a top-up's id, or one of your own.
        id: String,
        /// Invoiced or paid.
        stage: FundingStage,
        /// How much of it so far. The latest amount counts.
        amount: Money,
    },
    /// An hour bank's next period opens, and its fee is due.
    OpenPeriod {
        /// Its first day.
        first: Date,
        /// The first day after it.
        next: Date,
    },
    /// A period is closed: what comes for it from now on is late.
    ClosePeriod {
        /// Its first day.
        first: Date,
    },
    /// The client accepted a milestone.
    Accept {
        /// What was accepted.
        acceptance: Acceptance,
    },
    /// The end has come: retention is billed.
    ReleaseRetention {
        /// The client's word.
        evidence: Evidence,
    },
}

impl Event {
    const fn words(&self) -> &'static str {
        match self {
            Self::Reserve { .. } => "reserve",
            Self::Withdraw { .. } => "withdraw",
            Self::Credit { .. } => "credit",
            Self::ReleaseHeld { .. } => "release held",
            Self::ChangeTerms { .. } => "change terms",
            Self::Fund { .. } => "fund",
            Self::OpenPeriod { .. } => "open period",
            Self::ClosePeriod { .. } => "close period",
            Self::Accept { .. } => "accept",
            Self::ReleaseRetention { .. } => "release retention",
        }
    }
}

/// An account after an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applied {
    /// The account as it is now.
    pub account: Account,
    /// What changed.
    pub effects: Vec<Effect>,
    /// Why.
    pub why: Explanation,
}

/// The account after an event, what changed, and why.
pub fn apply(account: &Account, event: &Event) -> Result<Applied, Refusal> {
    let mut next = account.clone();
    let mut why = Explanation {
        pricing_version: crate::PRICING_VERSION,
        steps: Vec::new(),
    };
    let effects = next.hear(event, &mut why)?;
    Ok(Applied {
        account: next,
        effects,
        why,
    })
}

impl Account {
    /// Become the account after an event. One that refuses may have heard half of it: whoever calls
    /// this has another copy to go on with.
    pub(crate) fn hear(
        &mut self,
        event: &Event,
        why: &mut Explanation,
    ) -> Result<Vec<Effect>, Refusal> {
        let done = match self {
            Self::Limits(limits) => to_limits(limits, event, why)?,
            Self::Retainer(retainer) => to_retainer(retainer, event, why)?,
            Self::HourBank(bank) => to_hour_bank(bank, event, why)?,
            Self::Milestones(milestones) => to_milestones(milestones, event, why)?,
        };
        done.ok_or_else(|| Refusal::WrongAccount {
            account: self.words(),
            event: event.words(),
        })
    }

    /// The same, of one item that asks.
    pub(crate) fn hear_ask(
        &mut self,
        ask: &Ask,
        why: &mut Explanation,
    ) -> Result<Vec<Effect>, Refusal> {
        let asks = std::slice::from_ref(ask);
        match self {
            Self::Limits(limits) => limits.reserve(asks, why),
            Self::Retainer(retainer) => {
                let mut effects = retainer.reserve(asks, why)?;
                effects.extend(retainer.fill_up(why)?);
                Ok(effects)
            }
            Self::HourBank(bank) => {
                let before = bank.view()?;
                bank.reserve(asks)?;
                bank.since(&before, why)
            }
            Self::Milestones(_) => Err(Refusal::WrongAccount {
                account: self.words(),
                event: "reserve",
            }),
        }
    }
}

/// What an event did; none = it is not for this account.
type Done = Result<Option<Vec<Effect>>, Refusal>;

fn to_limits(limits: &mut limit::Limits, event: &Event, why: &mut Explanation) -> Done {
    let effects = match event {
        Event::Reserve { asks } => limits.reserve(asks, why)?,
        Event::Withdraw { item } => limits.withdraw(item, why)?,
        Event::Credit {
            item,
            quantity,
            rebill,
        } => limits.credit(item, *quantity, *rebill, why)?,
        Event::ReleaseHeld { at_most } => limits.release(*at_most, why)?,
        Event::ChangeTerms {
            terms: Terms::Limits(terms),
        } => limits.change_terms(terms, why)?,
        Event::ChangeTerms { .. }
        | Event::Fund { .. }
        | Event::OpenPeriod { .. }
        | Event::ClosePeriod { .. }
        | Event::Accept { .. }
        | Event::ReleaseRetention { .. } => return Ok(None),
    };
    Ok(Some(effects))
}

fn to_retainer(retainer: &mut retainer::Retainer, event: &Event, why: &mut Explanation) -> Done {
    let mut effects = match event {
        Event::Reserve { asks } => retainer.reserve(asks, why)?,
        Event::Withdraw { item } => retainer.withdraw(item, why)?,
        Event::Credit {
            item,
            quantity,
            rebill,
        } => retainer.credit(item, *quantity, *rebill, why)?,
        Event::Fund { id, stage, amount } => retainer.fund(id, *stage, *amount, why)?,
        Event::ChangeTerms {
            terms: Terms::Retainer(terms),
        } => retainer.change_terms(terms, why)?,
        Event::ChangeTerms { .. }
        | Event::ReleaseHeld { .. }
        | Event::OpenPeriod { .. }
        | Event::ClosePeriod { .. }
        | Event::Accept { .. }
        | Event::ReleaseRetention { .. } => return Ok(None),
    };
    effects.extend(retainer.fill_up(why)?);
    Ok(Some(effects))
}

fn to_hour_bank(bank: &mut hour_bank::HourBank, event: &Event, why: &mut Explanation) -> Done {
    let before = bank.view()?;
    let mut effects = Vec::new();
    match event {
        Event::Reserve { asks } => bank.reserve(asks)?,
        Event::Withdraw { item } => bank.withdraw(item)?,
        Event::Credit {
            item,
            quantity,
            rebill,
        } => effects.extend(bank.credit(item, *quantity, *rebill, why)?),
        Event::OpenPeriod { first, next } => effects.push(bank.open(*first, *next, why)?),
        Event::ClosePeriod { first } => bank.close(*first)?,
        Event::ChangeTerms {
            terms: Terms::HourBank(terms),
        } => bank.change_terms(terms)?,
        Event::ChangeTerms { .. }
        | Event::ReleaseHeld { .. }
        | Event::Fund { .. }
        | Event::Accept { .. }
        | Event::ReleaseRetention { .. } => return Ok(None),
    }
    effects.extend(bank.since(&before, why)?);
    Ok(Some(effects))
}

fn to_milestones(
    milestones: &mut milestone::Milestones,
    event: &Event,
    why: &mut Explanation,
) -> Done {
    let effects = match event {
        Event::Accept { acceptance } => milestones.accept(acceptance, why)?,
        Event::ReleaseRetention { evidence } => milestones.release_retention(evidence, why)?,
        Event::ChangeTerms {
            terms: Terms::Milestones(terms),
        } => milestones.change_terms(terms, why)?,
        Event::ChangeTerms { .. }
        | Event::Reserve { .. }
        | Event::Withdraw { .. }
        | Event::Credit { .. }
        | Event::ReleaseHeld { .. }
        | Event::Fund { .. }
        | Event::OpenPeriod { .. }
        | Event::ClosePeriod { .. } => return Ok(None),
    };
    Ok(Some(effects))
}

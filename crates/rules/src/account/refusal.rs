//! What an account refuses: nothing changes then, and the message says what to do.

use domain::contract::accounts::TermsError;
use domain::currency::Currency;
use domain::decimal::Micro;
use domain::money::Money;
use jiff::civil::Date;
use thiserror::Error;

/// An event that an account does not take. The account is as it was.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Refusal {
    /// The event belongs to another kind of account.
    #[error("{account} takes no '{event}': send it to the account it is meant for")]
    WrongAccount {
        /// The account's kind.
        account: &'static str,
        /// The event.
        event: &'static str,
    },
    /// What was counted in one currency cannot go on in another.
    #[error(
        "the contract is in {now} by now and its accounts count in {counted}: end the contract and begin another one in {now}"
    )]
    OtherCurrency {
        /// The currency of what was counted.
        counted: Currency,
        /// The contract's currency now.
        now: Currency,
    },
    /// The terms have no meaning.
    #[error("the terms cannot be taken: {0}")]
    Terms(#[from] TermsError),
    /// Quantity or rate below zero: a correction asks for the new quantity, never for a difference.
    #[error(
        "item {item} asks for {quantity} at {rate}: neither can be below zero; ask for the whole corrected quantity"
    )]
    Negative {
        /// The item.
        item: String,
        /// The quantity.
        quantity: Micro,
        /// The rate.
        rate: Micro,
    },
    /// A cap below what was billed already.
    #[error(
        "limit {limit}: {billed} is billed or reserved already, {over} more than the new cap of {cap} allows; credit that much first or write a cap of at least {billed}"
    )]
    CapBelowUsed {
        /// The limit.
        limit: String,
        /// Billed or reserved.
        billed: Money,
        /// The new cap and its tolerance.
        cap: Money,
        /// The difference.
        over: Money,
    },
    /// An entry of a part that the account of the whole contract does not know yet.
    #[error(
        "contract {part} is no part of the account yet; the next pass brings the account to the contracts"
    )]
    NoPart {
        /// The part.
        part: String,
    },
    /// A part that entries were counted for is part of the whole no longer.
    #[error(
        "work of contract {part} is counted as a part of this one; leave its `parent` as it was, and begin another contract for work that is to be counted elsewhere"
    )]
    PartLeaves {
        /// The part.
        part: String,
    },
    /// A contract that counted by itself became a part of another one.
    #[error(
        "work of contract {contract} is counted by itself; leave its `parent` out as it was, and begin another contract for work that is part of {parent}"
    )]
    CountedAlone {
        /// The contract.
        contract: String,
        /// What it became a part of.
        parent: String,
    },
    /// A contract that was counted as a part elsewhere.
    #[error(
        "work of contract {contract} is counted as a part of contract {whole}; leave its `parent` as it was, and begin another contract for work that is to be counted elsewhere"
    )]
    CountedElsewhere {
        /// The contract.
        contract: String,
        /// Where it is counted.
        whole: String,
    },
    /// A parent that does not exist, or parents in a circle.
    #[error(
        "contract {contract} is part of contract {parent}, which does not exist or is part of it"
    )]
    NoParent {
        /// The contract.
        contract: String,
        /// The parent.
        parent: String,
    },
    /// A credit above what stands billed.
    #[error(
        "item {item}: a credit of {asked} is more than the {billed} that stand billed; credit at most that"
    )]
    CreditAboveBilled {
        /// The item.
        item: String,
        /// The quantity to be credited.
        asked: Micro,
        /// The quantity that stands billed.
        billed: Micro,
    },
    /// Money of another currency than the contract's.
    #[error(
        "funding {funding} is {amount}, and the contract is in {currency}; write it in the contract's currency"
    )]
    FundingCurrency {
        /// The funding.
        funding: String,
        /// Its amount.
        amount: Money,
        /// The contract's currency.
        currency: Currency,
    },
    /// Less than no money.
    #[error("funding {funding} is {amount}; write what was invoiced or paid so far, 0 or more")]
    FundingNegative {
        /// The funding.
        funding: String,
        /// Its amount.
        amount: Money,
    },
    /// A funding that would leave less than was drawn.
    #[error(
        "retainer {retainer}: with {amount} for funding {funding} only {usable} can be used, and {drawn} was drawn; take drawn items back first"
    )]
    FundingBelowDrawn {
        /// The retainer.
        retainer: String,
        /// The funding.
        funding: String,
        /// Its new amount.
        amount: Money,
        /// All that could be used then.
        usable: Money,
        /// What was drawn.
        drawn: Money,
    },
    /// A day that no period of the hour bank holds.
    #[error("{day} is in no period of the hour bank that was opened; open the period first")]
    NoPeriod {
        /// The day.
        day: Date,
    },
    /// Late hours have no period to go to.
    #[error("no period of the hour bank is open for late hours; open the next period first")]
    NoOpenPeriod,
    /// Periods follow each other without a gap.
    #[error("the period from {first} cannot be opened or closed: {why}")]
    PeriodOrder {
        /// Its first day.
        first: Date,
        /// Why.
        why: String,
    },
    /// A milestone that the contract does not have.
    #[error("the contract has no milestone {0}; add it by a change order")]
    UnknownMilestone(String),
    /// Accepted without evidence.
    #[error(
        "{0} needs the client's acceptance as evidence; name who accepted it, when, and the document"
    )]
    NoEvidence(String),
    /// The revision says something else than before.
    #[error(
        "milestone {milestone}: revision {revision} is known with other content, or older than what was accepted; send it as revision {next}"
    )]
    RevisionTaken {
        /// The milestone.
        milestone: String,
        /// The revision.
        revision: u32,
        /// The next free one.
        next: u32,
    },
    /// A value that would break the sum of the milestones.
    #[error("milestone {milestone}: {why}")]
    MilestoneValue {
        /// The milestone.
        milestone: String,
        /// Why it cannot be.
        why: String,
    },
    /// Retention is billed at the end.
    #[error("retention is billed at the end, and {0} is not accepted yet; have it accepted first")]
    NotAllAccepted(String),
    /// The arithmetic has no representable answer.
    #[error("{0} is too large to be represented; check quantity and rate")]
    TooLarge(String),
}

//! What people tell the accounts of a contract, and what the accounts hold.
//!
//! A word is kept in the accounts themselves, with who gave it; the next pass takes in what it asks
//! for. A word that was given before changes nothing.

use crate::books::admission;
use crate::env::{Env, inconsistent};
use crate::error::PassError;
use crate::kept::{accounts_of, write_accounts};
use domain::contract::Contract;
use domain::decimal::Micro;
use domain::exception::Problem;
use domain::money::Money;
use jiff::civil::Date;
use rules::account::milestone::{Acceptance, Evidence, MilestoneValue};
use rules::account::refusal::Refusal;
use rules::account::retainer::FundingStage;
use rules::account::{Account, Event};
use rules::engine::{Accounts, Whole};
use rules::fixed::{FixedAmount, fixed_amounts};
use serde::{Deserialize, Serialize};
use std::convert::Infallible;
use store::{Abort, Command, GuardSet, StoreError, Tx};

/// The most characters of a word's texts: a name, a document.
pub const TEXT_CHARS_MAX: usize = 200;

/// What a person tells a contract.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Word {
    /// The client accepted a milestone.
    Accept {
        /// The milestone.
        milestone: String,
        /// The revision of the acceptance, from 1.
        revision: u32,
        /// Another amount than the contract's.
        amount: Option<Micro>,
        /// The client's word.
        evidence: Evidence,
    },
    /// The end has come: what was withheld is billed.
    ReleaseRetention {
        /// The client's word.
        evidence: Evidence,
    },
    /// Money was invoiced or paid for the retainer.
    Fund {
        /// A top-up's id, or one of your own.
        id: String,
        /// Invoiced or paid.
        stage: FundingStage,
        /// How much of it so far.
        amount: Micro,
    },
}

impl Word {
    fn event(&self, contract: &Contract) -> Result<Event, String> {
        Ok(match self {
            Self::Accept {
                milestone,
                revision,
                amount,
                evidence,
            } => Event::Accept {
                acceptance: Acceptance {
                    milestone: milestone.clone(),
                    revision: *revision,
                    value: amount.map(MilestoneValue::Amount),
                    evidence: evidence.clone(),
                },
            },
            Self::ReleaseRetention { evidence } => Event::ReleaseRetention {
                evidence: evidence.clone(),
            },
            Self::Fund { id, stage, amount } => Event::Fund {
                id: id.clone(),
                stage: *stage,
                amount: Money::from_decimal(amount.decimal(), contract.currency)
                    .map_err(|error| error.to_string())?,
            },
        })
    }

    fn texts(&self) -> Vec<&str> {
        match self {
            Self::Accept {
                milestone,
                evidence,
                ..
            } => vec![milestone, &evidence.accepted_by, &evidence.document],
            Self::ReleaseRetention { evidence } => {
                vec![&evidence.accepted_by, &evidence.document]
            }
            Self::Fund { id, .. } => vec![id],
        }
    }

    /// Refuse texts that nobody would write.
    fn check(&self) -> Result<(), String> {
        for text in self.texts() {
            if text.chars().count() > TEXT_CHARS_MAX {
                return Err(format!("a text is longer than {TEXT_CHARS_MAX} characters"));
            }
            if text.chars().any(char::is_control) {
                return Err("a text holds a control character".to_owned());
            }
        }
        Ok(())
    }
}

/// What a word did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// Whether it was new.
    pub new: bool,
    /// Amounts that the next pass takes in, or takes in anew.
    pub asked_for: Vec<FixedAmount>,
}

/// Tell a contract.
pub async fn tell(env: &Env, contract: &str, word: &Word, actor: &str) -> Result<Told, PassError> {
    let mut contracts = env.settings.contracts.iter();
    let Some(contract) = contracts.find(|known| known.id == contract) else {
        let known: Vec<&str> = env
            .settings
            .contracts
            .iter()
            .map(|c| c.id.as_str())
            .collect();
        return Err(PassError::refused(
            format!("the configuration has no contract {contract}"),
            format!("it has {}", known.join(", ")),
        ));
    };
    let hint = "`counterfoil contracts show` prints what the contract holds";
    word.check()
        .map_err(|what| PassError::refused(what, "write it shorter and plainly"))?;
    let event = word
        .event(contract)
        .map_err(|what| PassError::refused(what, hint))?;
    let told = env.write(Tell {
        flow: env.settings.flow.clone(),
        contract: contract.clone(),
        contracts: env.settings.contracts.clone(),
        event,
        actor: actor.to_owned(),
    });
    told.await?.map_err(|what| PassError::refused(what, hint))
}

struct Tell {
    flow: String,
    contract: Contract,
    /// All contracts, for what it is part of.
    contracts: Vec<Contract>,
    event: Event,
    actor: String,
}

impl Command for Tell {
    type Out = Result<Told, String>;
    type Rejection = Infallible;

    fn name(&self) -> &'static str {
        "tell a contract"
    }

    fn guards(&self) -> GuardSet {
        GuardSet::none().and(admission(&self.flow))
    }

    fn apply(&self, tx: &mut Tx<'_>) -> Result<Self::Out, Abort<Infallible>> {
        tx.act_as(&self.actor);
        let id = &self.contract.id;
        let known = accounts_of(tx, id)?;
        let whole = match Whole::of(&self.contracts, &self.contract) {
            Ok(whole) => whole,
            Err(refusal) => return Ok(Err(refusal.to_string())),
        };
        let fresh = Accounts::of(&whole);
        let before = match (known, fresh) {
            (Some(known), _) if known.keep(&whole) => known,
            (Some(_), _) => {
                return Ok(Err(format!(
                    "the terms of contract {id} changed since the last pass; run `counterfoil sync` first"
                )));
            }
            (None, Ok(fresh)) => fresh,
            (None, Err(refusal)) => return Ok(Err(format!("contract {id}: {refusal}"))),
        };
        let mut after = before.clone();
        let settled = match after.tell(&self.event) {
            Ok(settled) => settled,
            Err(refusal) => return Ok(Err(format!("contract {id}: {refusal}"))),
        };
        if !settled.items.is_empty() {
            let what = "a word about an account changed what work comes to";
            return Err(StoreError::Defect(what.to_owned()).into());
        }
        let asked_for = match difference(&self.contract, &before, &after) {
            Ok(asked_for) => asked_for,
            Err(problem) => return Ok(Err(problem.facts)),
        };
        let new = after != before;
        if new {
            write_accounts(tx, id, &after, "told by a person")?;
        }
        Ok(Ok(Told { new, asked_for }))
    }
}

/// The amounts that accounts ask for and did not before.
fn difference(
    contract: &Contract,
    before: &Accounts,
    after: &Accounts,
) -> Result<Vec<FixedAmount>, Problem> {
    // What the calendar asks for is none of the accounts'.
    let was = fixed_amounts(contract, Some(before), Date::MIN)?;
    let is = fixed_amounts(contract, Some(after), Date::MIN)?;
    Ok(is.into_iter().filter(|one| !was.contains(one)).collect())
}

/// One figure of an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Figure {
    /// The contract's id.
    pub contract: String,
    /// The account.
    pub account: String,
    /// What it is a figure of.
    pub what: String,
    /// The figure, with its unit.
    pub figure: String,
}

/// What the accounts of contracts hold; of one contract, or of all.
pub async fn figures(env: &Env, only: Option<&str>) -> Result<Vec<Figure>, PassError> {
    let mut all = Vec::new();
    for contract in &env.settings.contracts {
        if only.is_some_and(|only| only != contract.id) {
            continue;
        }
        let refused = |refusal: Refusal| PassError::refused(refusal.to_string(), "mend its terms");
        let whole = Whole::of(&env.settings.contracts, contract).map_err(refused)?;
        let (id, outer_id) = (contract.id.clone(), whole.outermost().id.clone());
        let kept = env
            .store
            .read(move |tx| Ok((accounts_of(tx, &id)?, accounts_of(tx, &outer_id)?)));
        let (own, outer) = kept.await?;
        let fresh = |whole: &Whole<'_>| Accounts::of(whole).map_err(refused);
        let own = own.map_or_else(|| fresh(&whole), Ok)?;
        let outer = outer.map_or_else(|| fresh(&whole.outer()), Ok)?;
        let part = whole.is_part().then_some(contract.id.as_str());
        let held = figures_of(&own, &outer, part);
        let held = held.map_err(|refusal| {
            PassError::from(inconsistent(format!("contract {}: {refusal}", contract.id)))
        })?;
        all.extend(held.into_iter().map(|(account, what, figure)| Figure {
            contract: contract.id.clone(),
            account,
            what,
            figure,
        }));
    }
    Ok(all)
}

type Row = (String, String, String);

/// The figures of a contract's own accounts, and of its limits in those of the whole.
fn figures_of(
    accounts: &Accounts,
    outer: &Accounts,
    part: Option<&str>,
) -> Result<Vec<Row>, Refusal> {
    let mut rows: Vec<Row> = Vec::new();
    let mut add = |account: &str, what: String, figure: String| {
        rows.push((account.to_owned(), what, figure));
    };
    if let Some(Account::Limits(limits)) = &outer.limits {
        for (id, terms) in limits.terms_of(part) {
            let account = format!("limit {id}");
            add(
                &account,
                "used".to_owned(),
                limits.used(&terms.id).to_string(),
            );
            add(&account, "left".to_owned(), limits.left(terms)?.to_string());
        }
        add(
            "limits",
            "waiting".to_owned(),
            limits.held(part)?.to_string(),
        );
    }
    if let Some(Account::Retainer(retainer)) = &accounts.retainer {
        let account = format!("retainer {}", retainer.terms().id);
        add(
            &account,
            "usable".to_owned(),
            retainer.usable()?.to_string(),
        );
        add(
            &account,
            "balance".to_owned(),
            retainer.balance()?.to_string(),
        );
        for (id, amount) in retainer.asked() {
            add(&account, format!("{id}, asked for"), amount.to_string());
        }
    }
    if let Some(Account::HourBank(bank)) = &accounts.hour_bank {
        let account = format!("hour bank {}", bank.terms().id);
        for month in bank.view()?.months {
            let state = if month.closed { "closed" } else { "open" };
            add(
                &account,
                format!("from {}, {state}", month.first),
                format!(
                    "{} h of {} h used, {} h over, {} h go on",
                    month.used,
                    Micro::from_micro(
                        month
                            .allowance
                            .micro()
                            .saturating_add(month.rolled_in.micro())
                            .saturating_add(month.given_back.micro())
                    ),
                    month.overage,
                    month.rolled_out
                ),
            );
        }
    }
    if let Some(Account::Milestones(milestones)) = &accounts.milestones {
        for (id, minor) in milestones.worth_minor()? {
            let worth = Money {
                amount_minor: minor,
                currency: milestones.printing.currency,
            };
            add("milestones", format!("{id}, worth"), worth.to_string());
        }
        for (item, day, amount) in milestones.billed() {
            let what = format!("{item}, accepted {day}, billed");
            add("milestones", what, amount.to_string());
        }
        let withheld = Money {
            amount_minor: milestones.withheld_minor(),
            currency: milestones.printing.currency,
        };
        add("milestones", "withheld".to_owned(), withheld.to_string());
    }
    Ok(rows)
}

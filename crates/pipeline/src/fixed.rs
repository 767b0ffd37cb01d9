//! Fixed amounts in the ledger: fees, instalments, milestones and top-ups become items beside the
//! entries, and go the same way from there on.
//!
//! No source sends them. Each pass works out what contracts and accounts ask for in full, and the
//! difference to the items that are there is taken in, as a page of entries is.

use crate::book::{Desired, Judgement, apply, except};
use crate::books::{Books, admission};
use crate::env::{Env, Terms, inconsistent};
use crate::error::PassError;
use crate::facts::{self, Codes, ErpRefs, FixedFacts, Inputs, ItemFacts};
use crate::kept::accounts_of;
use crate::new_item::new_item;
use crate::settings::Settings;
use crate::telling::show;
use domain::contract::Contract;
use domain::exception::{Code, Problem};
use domain::ids::{ItemId, digest16};
use domain::item::ItemState;
use jiff::civil::Date;
use rules::estimate::Estimate;
use rules::fixed::{FixedAmount, FixedKind, fixed_amounts, price_fixed};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use store::items::{self, ItemRow};
use store::{Abort, Command, GuardSet, Pointer, ReadTx, SealClass, StoreError, Tx};

/// The source of fixed amounts: no tracker may be called that.
pub const SOURCE: &str = "contract";

/// What the fixed amounts of a pass came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct FixedResult {
    /// Amounts that were asked for the first time.
    pub new_items: u64,
    /// Amounts that are others than before.
    pub revisions: u64,
    /// Amounts that went into the exception queue.
    pub exceptions: u64,
}

/// The name of a fixed amount beside the source's ids of entries.
pub fn name_of(contract: &str, amount: &FixedAmount) -> String {
    format!("{contract}/{}/{}", amount.kind.name(), amount.item)
}

pub(crate) fn item_id(settings: &Settings, name: &str) -> [u8; 16] {
    ItemId::derive(&settings.ledger, SOURCE, name).bytes()
}

/// Take in what all contracts ask for on a day.
pub async fn take_in_fixed(
    env: &Env,
    terms: &Terms,
    today: Date,
) -> Result<FixedResult, PassError> {
    let mut result = FixedResult::default();
    let mut contracts: BTreeMap<String, BTreeSet<[u8; 16]>> = BTreeMap::new();
    for row in env.store.read(all).await? {
        contracts
            .entry(row.project)
            .or_default()
            .insert(row.item_id);
    }
    let asking = terms.reference.contracts.iter();
    for contract in asking.filter(|contract| contract.term_of_fixed_amounts().is_some()) {
        contracts.entry(contract.id.clone()).or_default();
    }
    for (contract, known) in contracts {
        env.go_on()?;
        let taken = env.write(TakeInFixed {
            terms: terms.clone(),
            contract,
            known,
            today,
        });
        match taken.await? {
            Ok(taken) => {
                result.new_items += taken.new_items;
                result.revisions += taken.revisions;
                result.exceptions += taken.exceptions;
            }
            Err(problem) => {
                return Err(PassError::refused(
                    problem.facts,
                    "mend the terms of the contract in the configuration",
                ));
            }
        }
    }
    Ok(result)
}

/// Every fixed amount of the ledger.
fn all(tx: &mut ReadTx<'_>) -> Result<Vec<ItemRow>, StoreError> {
    items::window_full(tx, SOURCE, &Date::MIN.to_string(), &Date::MAX.to_string())
}

struct TakeInFixed {
    terms: Terms,
    contract: String,
    /// The contract's items, as the pass found them.
    known: BTreeSet<[u8; 16]>,
    today: Date,
}

impl Command for TakeInFixed {
    type Out = Result<FixedResult, Problem>;
    type Rejection = Infallible;

    fn name(&self) -> &'static str {
        "take in fixed amounts"
    }

    fn guards(&self) -> GuardSet {
        GuardSet::none().and(admission(&self.terms.settings.flow))
    }

    fn apply(&self, tx: &mut Tx<'_>) -> Result<Self::Out, Abort<Infallible>> {
        tx.act_as("sync");
        let before = self.today.tomorrow().unwrap_or(self.today);
        let asked = match asked_for(tx, &self.terms, &self.contract, before)? {
            Ok(asked) => asked,
            Err(problem) => return Ok(Err(problem)),
        };
        let mut ids = self.known.clone();
        let settings = &self.terms.settings;
        ids.extend(asked.iter().map(|(name, _)| item_id(settings, name)));
        let ids: Vec<[u8; 16]> = ids.into_iter().collect();
        let mut rows: BTreeMap<String, ItemRow> = items::get_many(tx, &ids)?
            .into_iter()
            .map(|row| (row.source_ref.clone(), row))
            .collect();
        let mut result = FixedResult::default();
        let mut books = Books::default();
        let mut fresh = Vec::new();
        for (name, amount) in asked {
            match rows.remove(&name) {
                None => {
                    let row = self.take_in_new(tx, &mut books, name, amount)?;
                    result.new_items += 1;
                    result.exceptions += u64::from(row.code.is_some());
                    fresh.push(row);
                }
                Some(mut row) => {
                    if self.take_in_known(tx, &mut books, &mut row, Some(amount))? {
                        result.revisions += 1;
                        result.exceptions += u64::from(row.code.is_some());
                    }
                }
            }
        }
        for mut row in rows.into_values() {
            if self.take_in_known(tx, &mut books, &mut row, None)? {
                result.revisions += 1;
                result.exceptions += u64::from(row.code.is_some());
            }
        }
        items::insert(tx, &fresh, "a contract asks for it")?;
        books.flush(tx, &self.terms, "fixed amounts taken in")?;
        Ok(Ok(result))
    }
}

impl TakeInFixed {
    fn take_in_new(
        &self,
        tx: &mut Tx<'_>,
        books: &mut Books,
        name: String,
        amount: FixedAmount,
    ) -> Result<ItemRow, StoreError> {
        let terms = &self.terms;
        let day = amount.day.unwrap_or(self.today);
        let kind = amount.kind;
        let facts = FixedFacts {
            contract: self.contract.clone(),
            amount,
            day,
        };
        let content = (seal(tx, &facts)?, tx.now_us());
        let mut row = ItemRow {
            fingerprint: fingerprint(&facts)?,
            project: self.contract.clone(),
            work_date: day.to_string(),
            approved: true,
            billable: true,
            ..new_item(terms, SOURCE, name, kind_of_item(kind), content)
        };
        let judgement = judge_fixed(terms, &row.source_ref, &facts);
        apply(tx, books, terms, &mut row, &judgement, true)?;
        show(tx, books, &row)?;
        Ok(row)
    }

    /// Take in what a known amount is now; none if nothing asks for it any more. True if anything
    /// changed.
    fn take_in_known(
        &self,
        tx: &mut Tx<'_>,
        books: &mut Books,
        row: &mut ItemRow,
        amount: Option<FixedAmount>,
    ) -> Result<bool, StoreError> {
        let state = ItemState::from_name(&row.state)
            .ok_or_else(|| inconsistent(format!("item state '{}'", row.state)))?;
        // What waits for somebody is judged anew when it is taken up again.
        if state == ItemState::Exception {
            return Ok(false);
        }
        let Some(before) = facts_of(tx, row)? else {
            return Ok(false);
        };
        let Some(amount) = amount else {
            if state != ItemState::Booked {
                return Ok(false);
            }
            let booked = before.amount.amount;
            let now = format!("booked {booked}, not asked for any more by the contract");
            hold(tx, books, row, now)?;
            return Ok(true);
        };
        let now = FixedFacts {
            contract: before.contract.clone(),
            day: amount.day.unwrap_or(before.day),
            amount,
        };
        if now == before && state != ItemState::Withdrawn {
            return Ok(false);
        }
        if state == ItemState::Booked && now.amount.kind.is_by_terms() {
            let (was, is) = (&before.amount, &now.amount);
            let words = format!(
                "booked {} for {}, would now be {} for {}",
                was.amount, before.day, is.amount, now.day
            );
            hold(tx, books, row, words)?;
            return Ok(true);
        }
        revise(tx, row, &now)?;
        let judgement = judge_fixed(&self.terms, &row.source_ref, &now);
        apply(tx, books, &self.terms, row, &judgement, false)?;
        row.changed_at_us = tx.now_us();
        items::update(tx, row, "a contract asks for another amount")?;
        show(tx, books, row)?;
        Ok(true)
    }
}

/// A change of terms moves nothing that is booked until a person has seen it.
fn hold(
    tx: &mut Tx<'_>,
    books: &mut Books,
    row: &mut ItemRow,
    words: String,
) -> Result<(), StoreError> {
    except(tx, row, &Problem::new(Code::RetroRateChange, words), None)?;
    row.changed_at_us = tx.now_us();
    items::update(tx, row, "a term changed back in time")?;
    show(tx, books, row)
}

/// What a contract asks for before a day, by name.
fn asked_for(
    tx: &mut ReadTx<'_>,
    terms: &Terms,
    contract: &str,
    before: Date,
) -> Result<Result<Vec<(String, FixedAmount)>, Problem>, StoreError> {
    let Some(contract) = contract_of(terms, contract) else {
        return Ok(Ok(Vec::new()));
    };
    let accounts = accounts_of(tx, &contract.id)?;
    Ok(
        fixed_amounts(contract, accounts.as_ref(), before).map(|all| {
            all.into_iter()
                .map(|amount| (name_of(&contract.id, &amount), amount))
                .collect()
        }),
    )
}

/// Take up a fixed amount again, as its contract has it now.
pub(crate) fn judge_again(
    tx: &mut Tx<'_>,
    terms: &Terms,
    row: &mut ItemRow,
    known: &FixedFacts,
) -> Result<Judgement, StoreError> {
    // Its day may have moved within the month; nothing later than that is asked for here.
    let last = known.day.last_of_month();
    let before = last.tomorrow().unwrap_or(last);
    let asked = match asked_for(tx, terms, &known.contract, before)? {
        Ok(asked) => asked,
        Err(problem) => return Ok(at_stake(problem, known)),
    };
    let own = asked.into_iter().find(|(name, _)| *name == row.source_ref);
    let Some((_, amount)) = own else {
        return Ok(Judgement::Withdrawn);
    };
    let now = FixedFacts {
        contract: known.contract.clone(),
        day: amount.day.unwrap_or(known.day),
        amount,
    };
    if now != *known {
        revise(tx, row, &now)?;
    }
    Ok(judge_fixed(terms, &row.source_ref, &now))
}

/// The fixed amount behind an item.
pub(crate) fn facts_of(
    tx: &mut ReadTx<'_>,
    row: &ItemRow,
) -> Result<Option<FixedFacts>, StoreError> {
    let facts: Option<ItemFacts> = facts::open(tx, row.content)?;
    Ok(facts.and_then(|facts| facts.fixed))
}

fn judge_fixed(terms: &Terms, name: &str, facts: &FixedFacts) -> Judgement {
    let before = terms.settings.billed_before.as_ref();
    if before.is_some_and(|before| before.covers(name, facts.day)) {
        return Judgement::Elsewhere;
    }
    let Some(contract) = contract_of(terms, &facts.contract) else {
        let words = format!("the configuration has no contract {}", facts.contract);
        return at_stake(Problem::new(Code::ContractMissing, words), facts);
    };
    match price_fixed(&terms.reference, contract, &facts.amount, facts.day) {
        Ok(fixed) => Judgement::Priced(Box::new(Desired {
            parts: vec![fixed.priced],
            refs: ErpRefs {
                customer: Some(fixed.customer.erp_ref.clone()),
                service_item: fixed.service_item.erp_ref.clone(),
                task: None,
                worker: None,
            },
            codes: Codes {
                worker: String::new(),
                worker_name: String::new(),
                role: String::new(),
                project: String::new(),
                task: String::new(),
                task_name: String::new(),
                service_item: fixed.service_item.code.clone(),
            },
            business_unit: terms.reference.entity.business_unit.clone(),
            line_allowance: None,
            inputs: Some(Inputs::Fixed(facts.clone())),
        })),
        Err(problem) => at_stake(problem, facts),
    }
}

fn at_stake(problem: Problem, facts: &FixedFacts) -> Judgement {
    Judgement::Exception(problem, Estimate::Amount(facts.amount.amount))
}

fn contract_of<'a>(terms: &'a Terms, id: &str) -> Option<&'a Contract> {
    let mut contracts = terms.reference.contracts.iter();
    contracts.find(|contract| contract.id == id)
}

const fn kind_of_item(kind: FixedKind) -> &'static str {
    match kind {
        FixedKind::Milestone => "milestone",
        FixedKind::Schedule | FixedKind::BankFee | FixedKind::TopUp => "schedule",
    }
}

/// Another content of a known amount.
fn revise(tx: &mut Tx<'_>, row: &mut ItemRow, now: &FixedFacts) -> Result<(), StoreError> {
    row.revision += 1;
    row.fingerprint = fingerprint(now)?;
    row.content = seal(tx, now)?;
    Ok(())
}

fn seal(tx: &mut Tx<'_>, fixed: &FixedFacts) -> Result<Pointer, StoreError> {
    let raw = serde_json::to_string(fixed)
        .map_err(|error| StoreError::Defect(format!("a fact could not be written: {error}")))?;
    let facts = ItemFacts {
        fields: None,
        raw,
        fixed: Some(fixed.clone()),
        shared: None,
    };
    facts::seal(tx, SealClass::Received, &fixed.contract, &facts)
}

fn fingerprint(facts: &FixedFacts) -> Result<[u8; 16], StoreError> {
    let text = serde_json::to_vec(facts)
        .map_err(|error| StoreError::Defect(format!("a fact could not be written: {error}")))?;
    Ok(digest16("fixed amount", &[&text]))
}

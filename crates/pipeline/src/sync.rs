//! One pass: everything the source holds is taken in, everything due is posted, everything that
//! became of it is told. A pass that ends anywhere is picked up by the next.

use crate::admit::PageResult;
use crate::book::Judgement;
use crate::books::{Books, admission};
use crate::env::{Env, Terms, inconsistent};
use crate::error::PassError;
use crate::exceptions;
use crate::facts::ItemFacts;
use crate::feedback;
use crate::fixed::{FixedResult, take_in_fixed};
use crate::group::{self, judge_one};
use crate::intake::take_in;
use crate::kept::read_accounts;
use crate::post::{POSTING_OFF, PostResult, post_all};
use crate::postings::charge_facts;
use crate::reference::load;
use crate::restored;
use crate::states::{self, StatesResult};
use crate::strand::active_by_part;
use domain::exception::{Code, Problem};
use domain::item::ItemState;
use jiff::civil::Date;
use rules::charge::ChargeContent;
use rules::diff::{Parts, by_part, diff_parts};
use rules::part::Part;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::convert::Infallible;
use store::items::{self, ItemRow};
use store::{Abort, Command, Guard, GuardSet, Tx, charges, settings};

/// What a pass is asked to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SyncOptions {
    /// Believe that many entries were deleted at once.
    pub accept_deletions: bool,
}

/// What a pass came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct SyncResult {
    /// Intake.
    pub intake: PageResult,
    /// Fixed amounts.
    #[serde(default)]
    pub fixed: FixedResult,
    /// Posting.
    pub post: PostResult,
    /// Invoice states.
    pub states: StatesResult,
    /// Entries told their billing status.
    pub told: u64,
    /// Entries that could not be told.
    pub not_told: u64,
    /// Booked items that a changed rate would reprice.
    pub rate_changes: u64,
    /// Whether posting was off.
    pub posting_off: bool,
}

/// The setting that holds the reason why a person paused posting.
async fn posting_off(env: &Env) -> Result<Option<String>, PassError> {
    let value = env.store.read(|tx| settings::get(tx, POSTING_OFF)).await?;
    Ok(value.filter(|value| !value.is_empty()))
}

/// A first run must be told what was billed before.
pub(crate) fn refuse_unguarded_first_run(env: &Env) -> Result<(), PassError> {
    if env.settings.billed_before.is_some() {
        return Ok(());
    }
    Err(PassError::refused(
        "the configuration does not say what was billed before this ledger began",
        "write billed_before = \"YYYY-MM-DD\" (or billed_before_file) under [flow], so that history \
         is not billed a second time",
    ))
}

/// Run one pass on a day.
pub async fn sync(env: &Env, today: Date, options: SyncOptions) -> Result<SyncResult, PassError> {
    refuse_unguarded_first_run(env)?;
    let loaded = load(env).await?;
    let terms = loaded.terms;
    let mut result = SyncResult::default();
    let window = env.settings.window(today);
    // Work is sometimes booked before it is done: what it needs is there.
    settle_accounts(env, &terms, window.to).await?;
    if loaded.changed {
        result.rate_changes = mark_rate_changes(env, &terms).await?;
    }
    let off = posting_off(env).await?;
    let restored = off.as_deref() == Some(restored::RESTORED);
    if !restored {
        // Before intake: whether a change at the source may touch a line by itself depends on what
        // became of its document. A restored ledger looks up first, or it would miss its own lines.
        result.states = states::refresh(env, &terms).await?;
    }
    result.intake = take_in(env, &terms, window, options.accept_deletions).await?;
    // After the work: what it drew may ask for a top-up.
    result.fixed = take_in_fixed(env, &terms, today).await?;
    if restored {
        restored::verify(env, &terms).await?;
        result.states = states::refresh(env, &terms).await?;
    } else if let Some(reason) = off {
        env.say(format!("posting is paused: {reason}"));
        result.posting_off = true;
    }
    if !result.posting_off {
        result.post = post_all(env, &terms).await?;
        // Somebody may have paused it meanwhile: then no further intent was written.
        result.posting_off = posting_off(env).await?.is_some();
    }
    (result.told, result.not_told) = feedback::tell_all(env).await?;
    Ok(result)
}

/// Reference data changed: hold booked items that would now be priced otherwise. They are not
/// repriced by themselves.
pub(crate) async fn mark_rate_changes(env: &Env, terms: &Terms) -> Result<u64, PassError> {
    let mut marked = 0;
    let mut after = [0_u8; 16];
    loop {
        env.go_on()?;
        let page = env
            .store
            .read(move |tx| items::by_state(tx, ItemState::Booked.name(), &after, 500))
            .await?;
        let Some(last) = page.last() else {
            return Ok(marked);
        };
        after = last.item_id;
        marked += env
            .write(MarkRateChanges {
                terms: terms.clone(),
                items: page,
            })
            .await?;
    }
}

struct MarkRateChanges {
    terms: Terms,
    items: Vec<ItemRow>,
}

impl Command for MarkRateChanges {
    type Out = u64;
    type Rejection = Infallible;

    fn name(&self) -> &'static str {
        "mark rate changes"
    }

    fn guards(&self) -> GuardSet {
        let admission = admission(&self.terms.settings.flow);
        std::iter::once(admission)
            .chain(self.items.iter().map(|item| Guard::Item(item.item_id)))
            .collect()
    }

    fn apply(&self, tx: &mut Tx<'_>) -> Result<u64, Abort<Infallible>> {
        tx.act_as("sync");
        let mut marked = 0;
        for before in &self.items {
            let Some(mut item) = items::get(tx, &before.item_id)? else {
                continue;
            };
            if item.version != before.version {
                continue;
            }
            let facts: Option<ItemFacts> = crate::facts::open(tx, item.content)?;
            let Some(fields) = facts.and_then(|facts| facts.fields) else {
                continue;
            };
            let rows = charges::list_for_item(tx, &item.item_id)?;
            let mut booked = Vec::new();
            for charge in active_by_part(&rows)?.into_values() {
                booked.push(charge_facts(tx, charge)?.content);
            }
            if booked.is_empty() {
                continue;
            }
            let mut books = Books::default();
            // What it would do to other work is not looked at: each is marked by itself. Whoever
            // takes it up looks at it, so that no condition has to ask for that.
            let (judgement, _) = judge_one(tx, &mut books, &self.terms, &item, &fields, true)?;
            let Judgement::Priced(desired) = judgement else {
                // A closed task or period does not touch what is booked already.
                continue;
            };
            let now: Vec<&ChargeContent> = desired.parts.iter().map(|p| &p.content).collect();
            let (was, would) = (
                by_part(&booked).map_err(|error| inconsistent(error.to_string()))?,
                by_part(now).map_err(|error| inconsistent(error.to_string()))?,
            );
            if diff_parts(&was, &would, &BTreeSet::new()).is_empty() {
                continue;
            }
            let problem = Problem::new(
                Code::RetroRateChange,
                format!(
                    "booked {}, would now be {}",
                    in_words(&was),
                    in_words(&would)
                ),
            );
            crate::book::except(tx, &mut item, &problem, None)?;
            item.changed_at_us = tx.now_us();
            items::update(tx, &mut item, "a rate changed back in time")?;
            marked += 1;
        }
        Ok(marked)
    }
}

/// Accounts follow the configuration, and what waited for room is released as far as there is some.
pub(crate) async fn settle_accounts(
    env: &Env,
    terms: &Terms,
    until: Date,
) -> Result<(), PassError> {
    let kept = env.store.read(store::accounts::list).await?;
    for row in &kept {
        let accounts = read_accounts(row)?.accounts;
        let placed = accounts.check_places(&row.contract, &terms.reference.contracts);
        placed.map_err(|refusal| {
            PassError::refused(
                refusal.to_string(),
                "mend the terms of the contract in the configuration",
            )
        })?;
    }
    for contract in &terms.reference.contracts {
        // Also where the limits were taken out: what they held is held no longer.
        let known = kept.iter().any(|row| row.contract == contract.id);
        if !known && contract.hour_bank.is_none() {
            continue;
        }
        let settled = env.write(SettleAccounts {
            terms: terms.clone(),
            contract: contract.id.clone(),
            until,
        });
        if let Err(problem) = settled.await? {
            return Err(PassError::refused(
                problem.facts,
                "mend the terms of the contract in the configuration",
            ));
        }
    }
    Ok(())
}

struct SettleAccounts {
    terms: Terms,
    contract: String,
    /// The last day that work is looked for.
    until: Date,
}

impl Command for SettleAccounts {
    type Out = Result<u64, Problem>;
    type Rejection = Infallible;

    fn name(&self) -> &'static str {
        "settle accounts"
    }

    fn guards(&self) -> GuardSet {
        GuardSet::none().and(admission(&self.terms.settings.flow))
    }

    fn apply(&self, tx: &mut Tx<'_>) -> Result<Self::Out, Abort<Infallible>> {
        tx.act_as("sync");
        let contracts = &self.terms.reference.contracts;
        let Some(contract) = contracts.iter().find(|c| c.id == self.contract) else {
            return Ok(Ok(0));
        };
        let mut books = Books::default();
        match group::settle_accounts(tx, &mut books, &self.terms, contract, self.until)? {
            Ok(judged) => {
                let why = "accounts followed contract and calendar";
                let verdicts = judged.keep(tx, &self.terms)?;
                let changed = verdicts.settle(tx, &mut books, &self.terms, why)?;
                books.flush(tx, &self.terms, why)?;
                Ok(Ok(changed))
            }
            Err(problem) => Ok(Err(problem)),
        }
    }
}

/// What parts come to: the one there is, or each by its name.
fn in_words(parts: &Parts<'_>) -> String {
    let words = |content: &ChargeContent| {
        let (quantity, rate, value) = (content.quantity, content.rate, content.value);
        format!("{quantity} h at {rate} = {value}")
    };
    let whole = parts.get(&Part::WHOLE).filter(|_| parts.len() == 1);
    if let Some(content) = whole {
        return words(content);
    }
    let each: Vec<String> = parts
        .iter()
        .map(|(part, content)| format!("{part}: {}", words(content)))
        .collect();
    each.join("; ")
}

/// Pause posting, or go on.
pub struct SetPosting {
    /// Why it is off; `None` = on.
    pub off: Option<String>,
}

impl Command for SetPosting {
    type Out = ();
    type Rejection = Infallible;
    fn name(&self) -> &'static str {
        "switch posting"
    }
    fn guards(&self) -> GuardSet {
        GuardSet::none().and(Guard::Name("posting switch".to_owned()))
    }
    fn apply(&self, tx: &mut Tx<'_>) -> Result<(), Abort<Infallible>> {
        tx.act_as("operator");
        let value = self.off.as_deref().unwrap_or("");
        settings::put(tx, POSTING_OFF, value, "switched by a person")?;
        Ok(())
    }
}

/// Take up again what waits in the exception queue, then run the posting part of a pass.
pub async fn replay(
    env: &Env,
    choice: &exceptions::Choice,
    actor: &str,
) -> Result<(exceptions::Replayed, SyncResult), PassError> {
    let terms = load(env).await?.terms;
    let mut result = SyncResult::default();
    let off = posting_off(env).await?;
    if off.as_deref() != Some(restored::RESTORED) {
        // What is planned anew depends on what became of the documents: an invoice that somebody
        // credited must not be credited again.
        result.states = states::refresh(env, &terms).await?;
    }
    let replayed = exceptions::replay(env, &terms, choice, actor).await?;
    if off.is_some() {
        result.posting_off = true;
    } else {
        result.post = post_all(env, &terms).await?;
        result.posting_off = posting_off(env).await?.is_some();
    }
    (result.told, result.not_told) = feedback::tell_all(env).await?;
    Ok((replayed, result))
}

//! Acts carried out again.

use super::state::state_at;
use super::{Act, At, Changed, Done, digests, then};
use crate::book::Desired;
use crate::facts::{self, ChargeFacts, ItemFacts};
use crate::group::desired;
use crate::loaded::{KnownFrom, known_from};
use domain::exception::Problem;
use domain::reference::Reference;
use rules::engine::{Answer, Book, Change, PriceError};
use std::collections::BTreeMap;
use store::{ReadTx, StoreError};

/// What an act comes to when it is carried out again.
pub(crate) enum Carried {
    /// What there was can no longer be read.
    Shredded,
    /// The rules that it was priced by are none of this program's.
    OtherRules(i64),
    /// The engine has no answer.
    Refused(PriceError),
    /// The accounts are others afterwards, by contract.
    OtherAccounts(Vec<String>),
    /// What each piece of work comes to.
    Out(BTreeMap<String, Result<Desired, Problem>>),
}

/// Carry an act out again, on what there was.
pub(crate) fn carry_out_again(
    tx: &mut ReadTx<'_>,
    act: &Act,
    reference: &Reference,
) -> Result<Carried, StoreError> {
    if act.pricing_version != rules::PRICING_VERSION {
        return Ok(Carried::OtherRules(act.pricing_version));
    }
    let Some(mut book) = book_of(tx, act)? else {
        return Ok(Carried::Shredded);
    };
    let answer = match again(&mut book, reference, &act.done) {
        Ok(answer) => answer,
        Err(error) => return Ok(Carried::Refused(error)),
    };
    let own = book.all_accounts();
    let after = digests(own.filter(|(id, _)| act.after.contains_key(*id)))?;
    let others = act
        .after
        .iter()
        .filter(|(id, was)| after.get(*id) != Some(*was));
    let others: Vec<String> = others.map(|(id, _)| id.clone()).collect();
    if !others.is_empty() {
        return Ok(Carried::OtherAccounts(others));
    }
    let mut out = BTreeMap::new();
    for outcome in answer.outcomes {
        let Some(work) = book.work(&outcome.item) else {
            continue;
        };
        let parts = outcome.parts;
        let own = parts.and_then(|parts| desired(reference, &work.fields, parts));
        out.insert(outcome.item, own);
    }
    Ok(Carried::Out(out))
}

fn again(book: &mut Book, reference: &Reference, done: &[Done]) -> Result<Answer, PriceError> {
    let mut answer = Answer::default();
    for one in done {
        let later = match one {
            Done::Admit(changes) => {
                let changes = changes.iter().cloned().map(|change| match change {
                    Changed::Put(work) => Change::Put(work),
                    Changed::Gone(id) => Change::Remove(id),
                });
                book.admit(reference, changes.collect())?
            }
            Done::Follow(contract) => book.follow(reference, contract)?,
            Done::Again => book.again(reference)?,
            Done::Tell(contract, event) => book.tell(reference, contract, event)?,
        };
        then(&mut answer, later);
    }
    Ok(answer)
}

/// What there was; none if a text of it was shredded.
fn book_of(tx: &mut ReadTx<'_>, act: &Act) -> Result<Option<Book>, StoreError> {
    let mut works = Vec::with_capacity(act.works.len());
    for known in &act.works {
        let content: Option<ItemFacts> = facts::open(tx, known.content.into())?;
        let Some(fields) = content.and_then(|content| content.fields) else {
            return Ok(None);
        };
        let mut charges: Vec<ChargeFacts> = Vec::with_capacity(known.charges.len());
        for at in &known.charges {
            let Some(charge) = facts::open(tx, At::into(*at))? else {
                return Ok(None);
            };
            charges.push(charge);
        }
        let from = KnownFrom {
            source_ref: &known.id,
            fields: &fields,
            looked_at: known.looked_at,
        };
        works.extend(known_from(&from, charges).map(|(work, gross, _)| (work, gross)));
    }
    let mut accounts = BTreeMap::new();
    for (contract, at) in &act.accounts {
        let Some(state) = state_at(tx, *at)? else {
            return Ok(None);
        };
        accounts.insert(contract.clone(), state);
    }
    let mut book = Book::known(works, accounts);
    for known in act.works.iter().filter(|known| known.issued) {
        book.set_issued(&known.id, true);
    }
    Ok(Some(book))
}

//! Acts of pricing carried out again, from the last to the first: each once, whatever many charges name
//! it.

use super::{Differs, Repriced, compare, version};
use crate::acts::{self, Act, At, Carried, carry_out_again};
use crate::book::Desired;
use crate::env::{Env, inconsistent};
use crate::error::PassError;
use crate::facts::{self, ChargeFacts, Inputs};
use crate::settings::Settings;
use crate::strand::part_of;
use domain::ids::ItemId;
use domain::reference::Reference;
use rules::price::Priced;
use std::collections::BTreeMap;
use std::sync::Arc;
use store::charges::{self, ChargeRow};
use store::{ReadTx, StoreError};

/// Carry every act out again and compare the charges that name it. `named` is how many do.
pub(super) async fn all(
    env: &Env,
    named: u64,
    mut repriced: Repriced,
) -> Result<Repriced, PassError> {
    let mut known: BTreeMap<i64, Reference> = BTreeMap::new();
    let mut at = env.store.read(acts::last).await?;
    let mut found = 0_u64;
    while let Some(act) = at {
        env.go_on()?;
        let settings = Arc::clone(&env.settings);
        let read = move |tx: &mut ReadTx<'_>| {
            let (previous, seen) = one(tx, &settings, &mut known, act, &mut repriced)?;
            Ok((known, repriced, previous, seen))
        };
        let (versions, so_far, previous, seen) = env.store.read(read).await?;
        (known, repriced) = (versions, so_far);
        found += seen;
        if previous.is_some_and(|previous| previous >= act) {
            return Err(inconsistent("an act names itself as the one before").into());
        }
        at = previous;
    }
    if found != named {
        repriced.differing.push(Differs {
            item: "acts of pricing".to_owned(),
            charge: 0,
            what: format!(
                "{named} charges name an act, and acts that are there priced {found} of them"
            ),
        });
    }
    Ok(repriced)
}

/// Compare the charges of one act; gives the act before, and how many charges name it.
fn one(
    tx: &mut ReadTx<'_>,
    settings: &Settings,
    known: &mut BTreeMap<i64, Reference>,
    at: At,
    repriced: &mut Repriced,
) -> Result<(Option<At>, u64), StoreError> {
    let Some(act) = facts::open::<Act>(tx, at.into())? else {
        repriced.differing.push(Differs {
            item: "acts of pricing".to_owned(),
            charge: 0,
            what: "an act was shredded by itself; it and those before it are not carried out again"
                .to_owned(),
        });
        return Ok((None, 0));
    };
    let reference = version(tx, known, act.snapshot_version)?;
    let carried = carry_out_again(tx, &act, reference)?;
    let mut found = 0;
    for name in act.touched() {
        let id = ItemId::derive(&settings.ledger, &settings.source, &name).bytes();
        for row in charges::list_for_item(tx, &id)? {
            let Some(booked) = named(tx, &row, at)? else {
                continue;
            };
            found += 1;
            judge(&carried, &name, &row, &booked, repriced)?;
        }
    }
    Ok((act.previous, found))
}

/// The facts of a charge that names an act.
fn named(tx: &mut ReadTx<'_>, row: &ChargeRow, at: At) -> Result<Option<ChargeFacts>, StoreError> {
    if row.reverses.is_some() {
        return Ok(None);
    }
    let booked: Option<ChargeFacts> = facts::open(tx, row.explain)?;
    Ok(booked.filter(|facts| facts.inputs == Some(Inputs::Act { act: at })))
}

fn judge(
    carried: &Carried,
    name: &str,
    row: &ChargeRow,
    booked: &ChargeFacts,
    repriced: &mut Repriced,
) -> Result<(), StoreError> {
    let priced = match carried {
        Carried::Shredded => {
            repriced.shredded += 1;
            return Ok(());
        }
        Carried::OtherRules(version) => Err(format!(
            "it was priced by version {version} of the rules, which this program has not"
        )),
        Carried::Refused(error) => Err(error.to_string()),
        Carried::OtherAccounts(contracts) => Err(format!(
            "its act leaves other accounts than it did: {}",
            contracts.join(", ")
        )),
        Carried::Out(all) => match all.get(name) {
            None => Err("its act says nothing of it".to_owned()),
            Some(Err(problem)) => Err(problem.facts.clone()),
            Some(Ok(desired)) => part_priced(desired, row)?,
        },
    };
    match compare(row, booked, priced) {
        None => repriced.same_with_other_work += 1,
        Some(what) => repriced.differing.push(Differs {
            item: ItemId(row.item_id).to_string(),
            charge: row.charge_no,
            what,
        }),
    }
    Ok(())
}

fn part_priced(desired: &Desired, row: &ChargeRow) -> Result<Result<Priced, String>, StoreError> {
    let part = part_of(row)?;
    let mut parts = desired.parts.iter();
    let own = parts.find(|priced| priced.content.part == part);
    Ok(own
        .cloned()
        .ok_or_else(|| format!("nothing of it is {part}")))
}

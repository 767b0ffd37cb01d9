//! Which lines of the ERP a restored ledger does not know, and whose they are. A key is derived from
//! its item, its part and the number of the effect, so that the keys of what was forgotten can be
//! worked out. Effects are counted per item: the parts of an item share the numbers, and each number is
//! tried for every part.
//!
//! Where the ERP lists lines that carry keys, every line is compared. Where it does not, the keys of
//! each known item are asked for until a number of effects in a row has none: a line beyond such
//! a gap, one of a part that the item has not and had not, and a line of an entry that came and went
//! unseen, are not found.

use crate::env::{Env, Terms};
use crate::error::PassError;
use crate::postings::{kind_of, state_of};
use crate::states::{all_documents, find_lines};
use crate::strand::parts_of;
use crate::strays::SettleLines;
use crate::walk::{MAKES_KEY, Origin, Unknown};
use connector_sdk::target::{FoundLine, Shape};
use data_encoding::BASE32_NOPAD;
use domain::exception::Code;
use domain::posting::{DocumentState, PostingKind, PostingState};
use rules::part::Part;
use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use store::postings::{self, PostingRow};
use store::{Abort, Command, Guard, GuardSet, ReadTx, StoreError, Tx, charges, items, strays};

/// So many effects in a row without a line end the search where the ERP has no list.
const MISSES: i64 = 12;
/// So many effects beyond the known ones are worked out for a line that the ERP lists.
const LISTED: i64 = 400;
/// Items read at a time.
const PAGE: i64 = 500;
/// The bytes behind a key.
const KEY_BYTES: usize = 16;

/// What the ERP holds beyond the ledger.
#[derive(Default)]
pub(crate) struct Survey {
    /// By item, in the order of effects.
    pub(crate) of_items: BTreeMap<[u8; 16], Vec<Unknown>>,
    /// Lines of no known item.
    pub(crate) of_nobody: Vec<(Shape, FoundLine)>,
}

impl Survey {
    fn add(&mut self, line: Unknown) {
        let lines = self.of_items.entry(line.origin.item_id).or_default();
        if !lines
            .iter()
            .any(|known| known.found.line_key == line.found.line_key)
        {
            lines.push(line);
            lines.sort_by_key(|line| line.origin.effect);
        }
    }
}

/// An item whose keys are worked out.
struct Known {
    item_id: [u8; 16],
    /// The number of its next effect.
    next: i64,
    /// Those that it has or had, and the whole: what has no charge yet may be booked as one part.
    parts: Vec<Part>,
}

/// Whether the ledger knows that the line of a posting stands, or stood.
fn is_known(row: &PostingRow) -> Result<bool, StoreError> {
    let held = row.code.as_deref() == Some(Code::KeyHeldByOtherContent.text());
    Ok(match state_of(row)? {
        PostingState::Posted
        | PostingState::Missing
        | PostingState::Altered
        | PostingState::Superseded => true,
        PostingState::Rejected => held,
        // What was withdrawn since the restore, the lost ledger may have sent.
        _ => false,
    })
}

/// The keys of every line that the ledger knows, and of what was looked at before.
async fn known_keys(env: &Env) -> Result<BTreeSet<String>, PassError> {
    let mut known = BTreeSet::new();
    for document in all_documents(env).await? {
        let id = document.document_id;
        for row in env.store.read(move |tx| postings::list(tx, &id)).await? {
            if is_known(&row)? {
                known.insert(row.line_key);
            }
        }
    }
    let closed = |tx: &mut ReadTx<'_>| strays::all(tx);
    for stray in env.store.read(closed).await? {
        if !stray.open || stray.item_id.is_none() {
            known.insert(stray.line_key);
        }
    }
    Ok(known)
}

async fn all_items(env: &Env) -> Result<Vec<Known>, PassError> {
    let mut all = Vec::new();
    let mut after = [0_u8; 16];
    loop {
        let read = move |tx: &mut ReadTx<'_>| {
            let mut page = Vec::new();
            for item in items::page(tx, &after, PAGE)? {
                let mut parts = parts_of(&charges::list_for_item(tx, &item.item_id)?)?;
                parts.insert(Part::WHOLE);
                page.push(Known {
                    item_id: item.item_id,
                    next: item.effect_next,
                    parts: parts.into_iter().collect(),
                });
            }
            Ok(page)
        };
        let page = env.store.read(read).await?;
        let Some(last) = page.last() else {
            return Ok(all);
        };
        after = last.item_id;
        all.extend(page);
    }
}

fn origins(
    item_id: [u8; 16],
    parts: &[Part],
    effects: std::ops::Range<i64>,
) -> impl Iterator<Item = Origin> {
    effects.flat_map(move |effect| {
        parts.iter().flat_map(move |part| {
            MAKES_KEY.map(|kind| Origin {
                item_id,
                effect,
                kind,
                part: *part,
            })
        })
    })
}

/// Look for what the ledger does not know.
pub(crate) async fn survey(env: &Env, terms: &Terms) -> Result<Survey, PassError> {
    let known = known_keys(env).await?;
    let items = all_items(env).await?;
    match listed(env).await? {
        Some(mut lines) => {
            lines.retain(|key, _| !known.contains(key));
            Ok(assign(terms, &items, lines))
        }
        None => asked(env, terms, &items, &known).await,
    }
}

/// Every line that the ERP lists; nothing if it cannot.
async fn listed(env: &Env) -> Result<Option<BTreeMap<String, (Shape, FoundLine)>>, PassError> {
    let mut all = BTreeMap::new();
    for shape in Shape::ALL {
        let lines = env.target.keyed_lines(shape).await;
        let Some(lines) = lines.map_err(crate::env::erp)? else {
            return Ok(None);
        };
        for line in lines {
            let shape = line.shape.unwrap_or(shape);
            all.insert(line.line_key.clone(), (shape, line));
        }
    }
    Ok(Some(all))
}

fn assign(
    terms: &Terms,
    items: &[Known],
    mut lines: BTreeMap<String, (Shape, FoundLine)>,
) -> Survey {
    let mut survey = Survey::default();
    let every: Vec<Part> = Part::all().collect();
    // Most lines are of the first few effects and of parts that are there: others are worked out
    // only for what is left. The lost ledger may have cut an item into parts that this one never saw.
    for (reach, all_parts) in [(MISSES, false), (MISSES, true), (LISTED, false)] {
        for item in items {
            if lines.is_empty() {
                return survey;
            }
            let parts = if all_parts { &every } else { &item.parts };
            for origin in origins(item.item_id, parts, 1..item.next.saturating_add(reach)) {
                if let Some((shape, found)) = lines.remove(&origin.key(terms)) {
                    survey.add(Unknown {
                        origin,
                        shape,
                        found,
                    });
                }
            }
        }
    }
    // What is no key of ours in form, somebody else wrote.
    let ours = |key: &String| {
        BASE32_NOPAD
            .decode(key.as_bytes())
            .is_ok_and(|bytes| bytes.len() == KEY_BYTES)
    };
    survey.of_nobody = lines
        .into_iter()
        .filter(|(key, _)| ours(key))
        .map(|(_, line)| line)
        .collect();
    survey
}

async fn asked(
    env: &Env,
    terms: &Terms,
    items: &[Known],
    known: &BTreeSet<String>,
) -> Result<Survey, PassError> {
    let mut survey = Survey::default();
    // From where to where each item is asked for; a line found moves the end on.
    let mut open: Vec<(&Known, std::ops::Range<i64>)> = items
        .iter()
        .map(|item| (item, 1..item.next.saturating_add(MISSES)))
        .collect();
    while !open.is_empty() {
        env.go_on()?;
        let mut keys: BTreeMap<String, Origin> = BTreeMap::new();
        for (item, effects) in &open {
            for origin in origins(item.item_id, &item.parts, effects.clone()) {
                let key = origin.key(terms);
                if !known.contains(&key) {
                    keys.insert(key, origin);
                }
            }
        }
        let mut last: BTreeMap<[u8; 16], i64> = BTreeMap::new();
        for (key, (shape, found)) in find_anywhere(env, keys.keys().cloned().collect()).await? {
            if let Some(origin) = keys.get(&key).copied() {
                let far = last.entry(origin.item_id).or_default();
                *far = (*far).max(origin.effect);
                survey.add(Unknown {
                    origin,
                    shape,
                    found,
                });
            }
        }
        open = open
            .into_iter()
            .filter_map(|(item, effects)| {
                let far = last.get(&item.item_id)?;
                let end = far.saturating_add(1).saturating_add(MISSES);
                (end > effects.end).then_some((item, effects.end..end))
            })
            .collect();
    }
    Ok(survey)
}

/// Lines by key, in whichever shape they stand.
pub(crate) async fn find_anywhere(
    env: &Env,
    keys: Vec<String>,
) -> Result<BTreeMap<String, (Shape, FoundLine)>, PassError> {
    let mut all = BTreeMap::new();
    for shape in Shape::ALL {
        for (key, line) in find_lines(env, shape, &keys).await? {
            let shape = line.shape.unwrap_or(shape);
            all.entry(key).or_insert((shape, line));
        }
    }
    Ok(all)
}

/// The command that settles the lines of one item, with all that it has to know.
pub(crate) async fn settlement(
    env: &Env,
    terms: &Terms,
    item_id: [u8; 16],
    lines: Vec<Unknown>,
    actor: &str,
) -> Result<SettleLines, PassError> {
    let own = env
        .store
        .read(move |tx| postings::list_for_item(tx, &item_id))
        .await?;
    let mut keys = Vec::new();
    for row in own {
        let line = matches!(
            kind_of(&row)?,
            PostingKind::CreateLine | PostingKind::ReplaceLine | PostingKind::Difference
        );
        if line && state_of(&row)? == PostingState::Posted {
            keys.push(row.line_key);
        }
    }
    let known = find_anywhere(env, keys).await?;
    let mut documents = BTreeMap::new();
    for document in all_documents(env).await? {
        if let Some(reference) = document.erp_ref {
            documents.insert(reference, document.document_id);
        }
    }
    Ok(SettleLines {
        terms: terms.clone(),
        item_id,
        lines,
        known: known
            .into_iter()
            .map(|(key, (_, line))| (key, line))
            .collect(),
        documents,
        actor: actor.to_owned(),
    })
}

/// Look at an item's open strays again; true if none is left.
pub(crate) async fn look_again(
    env: &Env,
    terms: &Terms,
    item_id: [u8; 16],
    actor: &str,
) -> Result<bool, PassError> {
    let strays = env
        .store
        .read(move |tx| strays::list_for_item(tx, &item_id))
        .await?;
    let open: Vec<_> = strays.into_iter().filter(|stray| stray.open).collect();
    let keys = open.iter().map(|stray| stray.line_key.clone()).collect();
    let mut found = find_anywhere(env, keys).await?;
    let mut lines = Vec::new();
    let every: Vec<Part> = Part::all().collect();
    for stray in &open {
        let Some((shape, line)) = found.remove(&stray.line_key) else {
            continue;
        };
        let effect = stray.effect.unwrap_or_default();
        let origin = origins(item_id, &every, effect..effect.saturating_add(1))
            .find(|origin| origin.key(terms) == stray.line_key);
        if let Some(origin) = origin {
            lines.push(Unknown {
                origin,
                shape,
                found: line,
            });
        }
    }
    lines.sort_by_key(|line| line.origin.effect);
    let command = settlement(env, terms, item_id, lines, actor).await?;
    env.write(command).await
}

/// Look at a line of no known entry again: it is done with when it is gone or undone, or when
/// a person who names it says so.
pub(crate) async fn look_at_nobodys(
    env: &Env,
    line_key: String,
    by_name: bool,
    actor: &str,
) -> Result<bool, PassError> {
    let found = find_anywhere(env, vec![line_key.clone()]).await?;
    let stands = found.values().any(|(_, line)| {
        !matches!(
            line.document_state,
            DocumentState::Credited | DocumentState::Void
        )
    });
    if stands && !by_name {
        return Ok(false);
    }
    let actor = actor.to_owned();
    env.write(CloseStray { line_key, actor }).await?;
    Ok(true)
}

struct CloseStray {
    line_key: String,
    actor: String,
}

impl Command for CloseStray {
    type Out = ();
    type Rejection = Infallible;
    fn name(&self) -> &'static str {
        "close stray"
    }
    fn guards(&self) -> GuardSet {
        GuardSet::none().and(Guard::Name("strays".to_owned()))
    }
    fn apply(&self, tx: &mut Tx<'_>) -> Result<(), Abort<Infallible>> {
        tx.act_as(&self.actor);
        strays::close(tx, &self.line_key, "replayed")?;
        Ok(())
    }
}

//! After a restore: the ERP may hold lines that this ledger has forgotten. Posting stays off until
//! every line the ledger would send was looked up, whatever the target's uniqueness.

use crate::books::{Books, admission};
use crate::compare::agrees;
use crate::env::{Env, Note, Terms};
use crate::error::PassError;
use crate::facts;
use crate::outcome::after_settling;
use crate::payload::batch_of;
use crate::post::POSTING_OFF;
use crate::postings::{document_of, document_shape, document_state, kind_of, state_of};
use crate::states::{self, all_documents, find_lines, learn};
use crate::strand::{charge_of, part_of, parts_of};
use connector_sdk::target::{FoundLine, Shape};
use domain::exception::{Code, Problem};
use domain::ids::ItemId;
use domain::posting::{PostingEvent, PostingKeyParts, PostingKind, PostingState, posting_key};
use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use store::documents::DocumentRow;
use store::postings::{self, PostingChange, PostingRow};
use store::{Abort, Command, Guard, GuardSet, ReadTx, StoreError, Tx, charges, settings};

/// The value of [`POSTING_OFF`] in a restored database.
pub const RESTORED: &str = "restored";
/// How many later effects of an item are looked for beside the one the ledger knows.
const LATER_EFFECTS: i64 = 12;

/// Look up everything unsent, adopt what is there, and switch posting on.
pub async fn verify(env: &Env, terms: &Terms) -> Result<(), PassError> {
    env.progress.hear(Note::Stage(
        "looking up every unsent line after the restore",
        None,
    ));
    // What the lost ledger sent to a draft that was issued since, it had sent on: the same steps
    // give the same keys. So what is there is adopted, the rest of a closed document goes on to
    // the next one, and so forth until nothing moves.
    for _ in 0..LATER_EFFECTS {
        if !adopt_all(env, terms, true).await? {
            break;
        }
    }
    adopt_all(env, terms, false).await?;
    env.write(SwitchOn).await?;
    env.say("every unsent line was looked up in the ERP; posting is on again");
    Ok(())
}

/// Look at every document with unsent lines; true if lines of a closed one moved on.
async fn adopt_all(env: &Env, terms: &Terms, only_equal: bool) -> Result<bool, PassError> {
    let mut moved = false;
    for document in all_documents(env).await? {
        env.go_on()?;
        let shape = document_shape(&document)?;
        let id = document.document_id;
        if document.erp_ref.is_some() {
            states::refresh_one(env, terms, &document).await?;
        } else if let Some(report) = env
            .target
            .look_up_document(shape, &document.document_key)
            .await
            .map_err(crate::env::erp)?
        {
            learn(env, terms, id, report).await?;
        }
        let unsent = unsent_of(env, id).await?;
        if unsent.is_empty() {
            continue;
        }
        let rows = unsent.clone();
        let of = terms.clone();
        let keys = env
            .store
            .read(move |tx| {
                let mut keys = Vec::new();
                for row in &rows {
                    keys.push(row.line_key.clone());
                    keys.extend(forgotten_keys(tx, &of, row)?);
                }
                Ok(keys)
            })
            .await?;
        let found = find_lines(env, shape, &keys).await?;
        // Work that changed sides meanwhile (to cost, or from it) has its line in another shape.
        let mut elsewhere = BTreeMap::new();
        for other in Shape::ALL.into_iter().filter(|other| *other != shape) {
            elsewhere.extend(find_lines(env, other, &keys).await?);
        }
        elsewhere.retain(|key, _| !found.contains_key(key));
        env.write(Adopt {
            terms: terms.clone(),
            document_id: id,
            found,
            elsewhere,
            only_equal,
        })
        .await?;
        let now = env.store.read(move |tx| document_of(tx, &id)).await?;
        if !document_state(&now)?.takes_lines() && !unsent_of(env, id).await?.is_empty() {
            states::move_unsent(env, terms, id).await?;
            moved = true;
        }
    }
    Ok(moved)
}

async fn unsent_of(env: &Env, id: [u8; 16]) -> Result<Vec<PostingRow>, PassError> {
    Ok(env
        .store
        .read(move |tx| postings::list_in(tx, &id, &["ready", "waiting"], usize::MAX))
        .await?)
}

/// The keys that later effects of the same part would have: they exist only if this ledger lost
/// them. Parts of an item share the counter of effects, so that the order in which calls are settled
/// decides which number a part gets: of an item with several parts, earlier numbers that the ledger
/// does not know of this part are looked for as well.
fn forgotten_keys(
    tx: &mut ReadTx<'_>,
    terms: &Terms,
    row: &PostingRow,
) -> Result<Vec<String>, StoreError> {
    let charges = charges::list_for_item(tx, &row.item_id)?;
    let part = part_of(charge_of(&charges, row)?)?;
    let several = parts_of(&charges)?.len() > 1;
    let known: BTreeSet<String> = postings::list_for_item(tx, &row.item_id)?
        .into_iter()
        .map(|posting| posting.posting_key)
        .collect();
    let first = if several { 1 } else { row.effect };
    let mut keys = Vec::new();
    for effect in first..row.effect.saturating_add(LATER_EFFECTS) {
        for kind in [PostingKind::CreateLine, PostingKind::Credit] {
            let key = posting_key(&PostingKeyParts {
                ledger: &terms.settings.ledger,
                flow: &terms.settings.flow,
                target_identity: &terms.target_identity,
                item: ItemId(row.item_id),
                effect,
                kind,
                part: part.code(),
            });
            if key != row.line_key && !(several && known.contains(&key)) {
                keys.push(key);
            }
        }
    }
    Ok(keys)
}

struct Adopt {
    terms: Terms,
    document_id: [u8; 16],
    found: BTreeMap<String, FoundLine>,
    /// Lines of another shape that carry the keys.
    elsewhere: BTreeMap<String, FoundLine>,
    /// Leave everything but equal lines for a later look.
    only_equal: bool,
}

impl Command for Adopt {
    type Out = ();
    type Rejection = Infallible;

    fn name(&self) -> &'static str {
        "adopt after restore"
    }

    fn guards(&self) -> GuardSet {
        let admission = admission(&self.terms.settings.flow);
        GuardSet::none()
            .and(admission)
            .and(Guard::Document(self.document_id))
    }

    fn apply(&self, tx: &mut Tx<'_>) -> Result<(), Abort<Infallible>> {
        tx.act_as("restore");
        let mut books = Books::default();
        let document = books.document(tx, &self.document_id)?;
        let mut settled = Vec::new();
        for mut row in postings::list_in(tx, &self.document_id, &["ready", "waiting"], usize::MAX)?
        {
            let Some(change) = self.judge(tx, &document, &row)? else {
                continue;
            };
            books.settle(
                tx,
                &self.document_id,
                vec![(&mut row, change)],
                "found after restore",
            )?;
            settled.push(row);
        }
        let erp_ref = self
            .found
            .values()
            .find_map(|line| line.document_ref.clone());
        if document.erp_ref.is_none() && erp_ref.is_some() && !settled.is_empty() {
            books.change(tx, &self.document_id, |document| {
                document.erp_ref = erp_ref;
                if document.state == "open" {
                    "draft".clone_into(&mut document.state);
                }
            })?;
        }
        after_settling(tx, &mut books, &self.terms, &settled)?;
        books.flush(tx, "found after restore")?;
        // The document was issued or paid while the ledger was away: that will not change again.
        let document = document_of(tx, &self.document_id)?;
        if !document_state(&document)?.takes_lines() {
            for row in &settled {
                states::tell_state(tx, &mut Books::default(), &document, row)?;
            }
        }
        Ok(())
    }
}

impl Adopt {
    fn judge(
        &self,
        tx: &mut Tx<'_>,
        document: &DocumentRow,
        row: &PostingRow,
    ) -> Result<Option<PostingChange>, StoreError> {
        let kind = kind_of(row)?;
        let found = self.found.get(&row.line_key);
        let other_shape = self.elsewhere.get(&row.line_key);
        let batch = batch_of(tx, &self.terms, document, std::slice::from_ref(row))?;
        let agree = match (found, batch.lines.first()) {
            (Some(found), Some(line)) => agrees(batch.document.shape, line, found),
            _ => false,
        };
        let problem = match (kind, found) {
            (
                PostingKind::CreateLine | PostingKind::Credit | PostingKind::ReplaceLine,
                Some(line),
            ) if agree => return adopted(row, Some(line.line_ref.clone())),
            // Taken off already, by the ledger that was lost.
            (PostingKind::DeleteLine, None) => {
                let was = batch
                    .lines
                    .first()
                    .and_then(|line| line.erp_line_ref.clone());
                return adopted(row, Some(was.unwrap_or_default()));
            }
            // Never left for a later look: on a closed document the work would be planned anew
            // under another key, beside the line that is there.
            (PostingKind::CreateLine | PostingKind::Credit, Some(line)) => Problem::new(
                Code::KeyHeldByOtherContent,
                format!(
                    "after a restore, line {} of the ERP differs from the ledger",
                    line.line_ref
                ),
            ),
            (PostingKind::CreateLine, None) if other_shape.is_some() => Problem::new(
                Code::KeyHeldByOtherContent,
                format!(
                    "after a restore, line {} of the ERP is of another kind than the ledger plans",
                    other_shape.map_or("", |line| line.line_ref.as_str())
                ),
            ),
            _ if self.only_equal => return Ok(None),
            (PostingKind::CreateLine | PostingKind::Credit, None) => {
                let later = forgotten_keys(tx, &self.terms, row)?;
                let Some(line) = later
                    .iter()
                    .find_map(|key| self.found.get(key).or_else(|| self.elsewhere.get(key)))
                else {
                    return Ok(None);
                };
                Problem::new(
                    Code::KeyHeldByOtherContent,
                    format!(
                        "after a restore, the ERP holds line {} of a later change that this \
                         ledger has forgotten",
                        line.line_ref
                    ),
                )
            }
            _ => return Ok(None),
        };
        let mut change = PostingChange::to(PostingState::Rejected.name(), row);
        change.code = Some(problem.code.text().to_owned());
        change.fact = Some(facts::seal_problem(tx, "target", &problem)?);
        Ok(Some(change))
    }
}

/// An unsent posting that turns out to be done.
fn adopted(
    row: &PostingRow,
    line_ref: Option<String>,
) -> Result<Option<PostingChange>, StoreError> {
    let from = match state_of(row)? {
        PostingState::Waiting => PostingState::Ready,
        other => other,
    };
    let to = from
        .after(PostingEvent::Find)
        .map_err(|error| StoreError::Defect(error.to_string()))?;
    let mut change = PostingChange::to(to.name(), row);
    change.erp_line_ref = line_ref;
    Ok(Some(change))
}

struct SwitchOn;

impl Command for SwitchOn {
    type Out = ();
    type Rejection = Infallible;
    fn name(&self) -> &'static str {
        "switch posting on"
    }
    fn guards(&self) -> GuardSet {
        GuardSet::none().and(Guard::Name("posting switch".to_owned()))
    }
    fn apply(&self, tx: &mut Tx<'_>) -> Result<(), Abort<Infallible>> {
        tx.act_as("restore");
        settings::put(tx, POSTING_OFF, "", "every unsent line was looked up")?;
        Ok(())
    }
}

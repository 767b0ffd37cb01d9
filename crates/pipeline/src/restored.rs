//! After a restore: the ERP may hold lines that this ledger has forgotten. Posting stays off until
//! every line the ledger would send was looked up, whatever the target's uniqueness.

use crate::books::{Books, admission, new_document};
use crate::compare::agrees;
use crate::env::{Env, Note, Terms};
use crate::error::PassError;
use crate::outcome::after_settling;
use crate::payload::batch_of;
use crate::plan::Home;
use crate::post::POSTING_OFF;
use crate::postings::{document_of, document_shape, document_state, home_of, kind_of, state_of};
use crate::states::{self, all_documents, find_lines, learn};
use crate::strays;
use crate::survey::{settlement, survey};
use connector_sdk::target::{FoundLine, Shape};
use domain::posting::{PostingEvent, PostingKind, PostingState};
use std::collections::BTreeMap;
use std::convert::Infallible;
use store::documents::DocumentRow;
use store::postings::{self, PostingChange, PostingRow};
use store::{Abort, Command, Guard, GuardSet, StoreError, Tx, settings};

/// The value of [`POSTING_OFF`] in a restored database.
pub const RESTORED: &str = "restored";
/// More rounds than this mean that the ERP changes faster than it is read; the next pass goes on.
const ROUNDS_MAX: usize = 64;

/// Look up everything unsent, adopt what is there, name what the ledger does not know, and switch
/// posting on.
pub async fn verify(env: &Env, terms: &Terms) -> Result<(), PassError> {
    env.progress.hear(Note::Stage(
        "looking up every unsent line after the restore",
        None,
    ));
    // What the lost ledger sent to a draft that was issued since, it had sent on: the same steps
    // give the same keys. So what is there is adopted, the rest of a closed document goes on to
    // the next one, and so forth until nothing moves.
    for _ in 0..ROUNDS_MAX {
        let adopted = adopt_all(env, terms).await?;
        if !later_generations(env, terms).await? && !adopted {
            break;
        }
    }
    // Where the lost ledger had gone on in another way, its lines tell what it did.
    let found = survey(env, terms).await?;
    for (item_id, lines) in found.of_items {
        env.go_on()?;
        let command = settlement(env, terms, item_id, lines, "restore").await?;
        env.write(command).await?;
    }
    env.write(KeepStrays(found.of_nobody)).await?;
    env.write(SwitchOn).await?;
    env.say("every unsent line was looked up in the ERP; posting is on again");
    Ok(())
}

/// Look at every document with unsent lines; true if any was settled, or moved on from a closed
/// one.
async fn adopt_all(env: &Env, terms: &Terms) -> Result<bool, PassError> {
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
        let keys: Vec<String> = unsent.iter().map(|row| row.line_key.clone()).collect();
        let found = find_lines(env, shape, &keys).await?;
        let adopt = Adopt {
            terms: terms.clone(),
            document_id: id,
            found,
        };
        moved |= env.write(adopt).await?;
        let now = env.store.read(move |tx| document_of(tx, &id)).await?;
        if !document_state(&now)?.takes_lines() && !unsent_of(env, id).await?.is_empty() {
            states::move_unsent(env, terms, id).await?;
            moved = true;
        }
    }
    Ok(moved)
}

/// Documents that the lost ledger opened after one that the restored ledger knows: their keys can be
/// worked out. True if there was one.
async fn later_generations(env: &Env, terms: &Terms) -> Result<bool, PassError> {
    let mut latest: BTreeMap<(Home, String), DocumentRow> = BTreeMap::new();
    for document in all_documents(env).await? {
        let series = (home_of(&document)?, document.entity.clone());
        let known = latest.get(&series).map_or(0, |row| row.generation);
        if document.generation > known {
            latest.insert(series, document);
        }
    }
    let mut any = false;
    for ((home, entity), document) in latest {
        if document_state(&document)?.takes_lines() || home.shape != Shape::DraftLine {
            continue;
        }
        let next = new_document(
            terms,
            &home,
            &entity,
            document.generation.saturating_add(1),
            0,
        );
        let report = env
            .target
            .look_up_document(home.shape, &next.document_key)
            .await
            .map_err(crate::env::erp)?;
        if let Some(report) = report {
            let terms_of_it = terms.clone();
            env.write(OpenNext(terms_of_it, home, entity)).await?;
            learn(env, terms, next.document_id, report).await?;
            any = true;
        }
    }
    Ok(any)
}

/// Open the next document of a series.
struct OpenNext(Terms, Home, String);

impl Command for OpenNext {
    type Out = ();
    type Rejection = Infallible;
    fn name(&self) -> &'static str {
        "open a document that the ERP has"
    }
    fn guards(&self) -> GuardSet {
        GuardSet::none().and(admission(&self.0.settings.flow))
    }
    fn apply(&self, tx: &mut Tx<'_>) -> Result<(), Abort<Infallible>> {
        tx.act_as("restore");
        let Self(terms, home, entity) = self;
        let mut books = Books::default();
        books.open_document(tx, terms, home, entity)?;
        books.flush(tx, terms, "found after restore")?;
        Ok(())
    }
}

/// Keep lines of no known item.
struct KeepStrays(Vec<(Shape, FoundLine)>);

impl Command for KeepStrays {
    type Out = ();
    type Rejection = Infallible;
    fn name(&self) -> &'static str {
        "keep lines of nobody"
    }
    fn guards(&self) -> GuardSet {
        GuardSet::none().and(Guard::Name("strays".to_owned()))
    }
    fn apply(&self, tx: &mut Tx<'_>) -> Result<(), Abort<Infallible>> {
        tx.act_as("restore");
        for (shape, found) in &self.0 {
            strays::keep(tx, None, *shape, found, true)?;
        }
        Ok(())
    }
}

async fn unsent_of(env: &Env, id: [u8; 16]) -> Result<Vec<PostingRow>, PassError> {
    Ok(env
        .store
        .read(move |tx| postings::list_in(tx, &id, &["ready", "waiting"], usize::MAX))
        .await?)
}

struct Adopt {
    terms: Terms,
    document_id: [u8; 16],
    found: BTreeMap<String, FoundLine>,
}

impl Command for Adopt {
    type Out = bool;
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

    fn apply(&self, tx: &mut Tx<'_>) -> Result<bool, Abort<Infallible>> {
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
        books.flush(tx, &self.terms, "found after restore")?;
        // The document was issued or paid while the ledger was away: that will not change again.
        let document = document_of(tx, &self.document_id)?;
        if !document_state(&document)?.takes_lines() {
            for row in &settled {
                states::tell_state(tx, &mut Books::default(), &document, row)?;
            }
        }
        Ok(!settled.is_empty())
    }
}

impl Adopt {
    fn judge(
        &self,
        tx: &mut Tx<'_>,
        document: &DocumentRow,
        row: &PostingRow,
    ) -> Result<Option<PostingChange>, StoreError> {
        let found = self.found.get(&row.line_key);
        let batch = batch_of(tx, &self.terms, document, std::slice::from_ref(row))?;
        let agree = match (found, batch.lines.first()) {
            (Some(found), Some(line)) => agrees(batch.document.shape, line, found),
            _ => false,
        };
        match (kind_of(row)?, found) {
            (
                PostingKind::CreateLine
                | PostingKind::Credit
                | PostingKind::Difference
                | PostingKind::ReplaceLine,
                Some(line),
            ) if agree => adopted(row, Some(line.line_ref.clone())),
            // Taken off already, by the ledger that was lost.
            (PostingKind::DeleteLine, None) => {
                let was = batch
                    .lines
                    .first()
                    .and_then(|line| line.erp_line_ref.clone());
                adopted(row, Some(was.unwrap_or_default()))
            }
            _ => Ok(None),
        }
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

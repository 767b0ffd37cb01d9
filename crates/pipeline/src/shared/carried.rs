//! What a shared line carries: the charges behind it as it stands in the ERP, and behind what is on
//! its way there.

use crate::books::Books;
use crate::env::inconsistent;
use crate::facts::Sharing;
use crate::plan::View;
use crate::postings::{kind_of, state_of, view_of};
use crate::strand::charge_of;
use domain::posting::{PostingKind, PostingState};
use std::collections::BTreeSet;
use store::charges::ChargeRow;
use store::postings::PostingRow;
use store::{ReadTx, StoreError};

/// A charge, by its item and its number.
pub(crate) type Member = ([u8; 16], i64);

/// What a line carries.
#[derive(Debug, Default)]
pub(crate) struct Carried {
    /// The members of the line as it stands in the ERP.
    pub(crate) stands: BTreeSet<Member>,
    /// The members of what is not settled.
    pub(crate) pending: BTreeSet<Member>,
    /// Whether somebody changed or deleted the line in the ERP, and a person has to decide.
    pub(crate) touched: bool,
    /// How the line stands otherwise.
    pub(crate) view: View,
}

impl Carried {
    /// Whether the client may be billed for the charge by this line, now or soon. What was credited as
    /// a whole bills nobody.
    pub(crate) fn may_carry(&self, member: &Member) -> bool {
        let stands = !self.is_undone() && self.stands.contains(member);
        stands || self.pending.contains(member)
    }

    /// Whether the line stands on a document that takes no changes.
    pub(crate) fn is_frozen(&self) -> bool {
        self.view.held.as_ref().is_some_and(|held| !held.changeable)
    }

    /// Whether nobody joins it any more: its document takes no changes, or what a person did to it has
    /// to be settled first, which other work is not to wait for.
    pub(crate) fn takes_nobody(&self) -> bool {
        self.is_frozen() || self.touched
    }

    /// Whether its document was credited or withdrawn as a whole.
    pub(crate) fn is_undone(&self) -> bool {
        self.view.held.as_ref().is_some_and(|held| held.undone)
    }
}

/// What a line carries now.
pub(crate) fn carried_by(
    tx: &mut ReadTx<'_>,
    books: &mut Books,
    line_id: &[u8; 16],
) -> Result<Carried, StoreError> {
    let charges = books.charges_of(tx, line_id)?;
    let mut postings = books.postings_of(tx, line_id)?;
    postings.sort_by_key(|posting| posting.effect);
    let mut carried = Carried::default();
    for posting in &postings {
        match state_of(posting)? {
            PostingState::Posted => {
                carried.stands = stands_after(tx, books, &charges, posting)?;
            }
            // It stands until a person decided otherwise.
            PostingState::Missing | PostingState::Altered => {
                carried.stands = stands_after(tx, books, &charges, posting)?;
                carried.touched = true;
            }
            PostingState::Cancelled | PostingState::Superseded => {}
            PostingState::Ready
            | PostingState::Waiting
            | PostingState::Held
            | PostingState::Rejected
            | PostingState::Sending
            | PostingState::Ambiguous => {
                let charge = charge_of(&charges, posting)?;
                carried.pending.extend(behind(tx, books, charge)?);
            }
        }
    }
    carried.view = view_of(tx, &charges, postings, |tx, id| books.document(tx, id))?;
    Ok(carried)
}

fn stands_after(
    tx: &mut ReadTx<'_>,
    books: &Books,
    charges: &[ChargeRow],
    posting: &PostingRow,
) -> Result<BTreeSet<Member>, StoreError> {
    match kind_of(posting)? {
        // A credit in part carries the charge of what is left, one in full a reversal.
        PostingKind::CreateLine
        | PostingKind::ReplaceLine
        | PostingKind::Credit
        | PostingKind::Difference => behind(tx, books, charge_of(charges, posting)?),
        PostingKind::DeleteLine | PostingKind::Void => Ok(BTreeSet::new()),
    }
}

/// The members behind a charge of a line; none behind a reversal.
pub(super) fn behind(
    tx: &mut ReadTx<'_>,
    books: &Books,
    charge: &ChargeRow,
) -> Result<BTreeSet<Member>, StoreError> {
    if charge.reverses.is_some() {
        return Ok(BTreeSet::new());
    }
    match books.facts_of(tx, charge)?.sharing {
        Some(Sharing::Line(line)) => line
            .members
            .iter()
            .map(crate::facts::MemberName::key)
            .collect(),
        Some(Sharing::Member) | None => Err(inconsistent("a charge of a line is no line's")),
    }
}

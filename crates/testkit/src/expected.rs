//! What many schedules have to go through, and what they cannot reach, each with its reason. A run
//! that is asked to cover everything fails on a gap, and on an entry here that is no longer true.

use crate::watched::SLOW;
use domain::posting::{PostingEvent, PostingState};
use twins::fault::Fault;

/// Moves that no schedule makes, and why.
pub const UNREACHED_MOVES: &[(PostingState, PostingEvent, &str)] = {
    use PostingEvent as E;
    use PostingState as S;
    const NO_HOLD: &str = "nothing holds a posting back yet";
    const ANSWERED: &str = "while a call is under way nobody looks up: its answer confirms";
    &[
        (S::Ready, E::Hold, NO_HOLD),
        (S::Held, E::Release, NO_HOLD),
        (S::Held, E::Cancel, NO_HOLD),
        (S::Sending, E::Find, ANSWERED),
        (
            S::Sending,
            E::FindOther,
            "the ERP answers so only for a key that the ledger believes to be free",
        ),
        (
            S::Altered,
            E::Supersede,
            "a change waits for a person while its line stands altered",
        ),
        (
            S::Missing,
            E::Find,
            "the twin's people never bring a deleted line back",
        ),
        (
            S::Ready,
            E::Reject,
            "only the ERP refuses, and it is asked by sending",
        ),
    ]
};

/// Why a move is not reached, if it is not to be expected.
pub fn why_unreached(from: PostingState, event: PostingEvent) -> Option<&'static str> {
    UNREACHED_MOVES
        .iter()
        .find(|(state, by, _)| *state == from && *by == event)
        .map(|(_, _, why)| *why)
}

/// Every fault that has to strike each system.
pub fn faults() -> impl Iterator<Item = &'static str> {
    Fault::ALL.into_iter().map(Fault::name).chain([SLOW])
}

//! The one way in which charges change: the difference between what is booked and what is desired.

use crate::charge::ChargeContent;

/// What is to be done to the charges of an item. A charge is never edited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChargeChange<'a> {
    /// Booked and desired agree.
    Nothing,
    /// Nothing was booked: book this.
    Book(&'a ChargeContent),
    /// Reverse what is booked.
    Reverse,
    /// Reverse what is booked and book this instead; the two are linked.
    Replace(&'a ChargeContent),
}

/// Compare what is booked (the charge that is not reversed, if any) with what is desired.
pub fn diff<'a>(
    booked: Option<&ChargeContent>,
    desired: Option<&'a ChargeContent>,
) -> ChargeChange<'a> {
    match (booked, desired) {
        (None, None) => ChargeChange::Nothing,
        (None, Some(desired)) => ChargeChange::Book(desired),
        (Some(_), None) => ChargeChange::Reverse,
        (Some(booked), Some(desired)) if booked.same_effect(desired) => ChargeChange::Nothing,
        (Some(_), Some(desired)) => ChargeChange::Replace(desired),
    }
}

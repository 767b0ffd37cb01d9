//! The one way in which charges change: the difference between what is booked and what is desired.
//!
//! [`diff`] compares one part, [`diff_parts`] all parts of an item. A part that is booked and not
//! desired is reversed, one that is desired and not booked is booked, and one that differs is both.

use crate::charge::ChargeContent;
use crate::part::Part;
use std::collections::{BTreeMap, BTreeSet};
use thiserror::Error;

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

/// The contents of an item by part.
pub type Parts<'a> = BTreeMap<Part, &'a ChargeContent>;

/// Contents that are no set of parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("{0} is given twice; put what comes out alike into one part")]
pub struct PartTwice(pub Part);

/// Contents by part. An item has one content of a part.
pub fn by_part<'a>(
    contents: impl IntoIterator<Item = &'a ChargeContent>,
) -> Result<Parts<'a>, PartTwice> {
    let mut parts = Parts::new();
    for content in contents {
        if parts.insert(content.part, content).is_some() {
            return Err(PartTwice(content.part));
        }
    }
    Ok(parts)
}

/// What is to be done to one part of an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PartChange<'a> {
    /// Reverse what is booked of this part.
    Reverse(Part),
    /// Book this; nothing of its part is booked, or its reversal came before.
    Book(&'a ChargeContent),
}

impl PartChange<'_> {
    /// The part.
    pub const fn part(&self) -> Part {
        match self {
            Self::Reverse(part) => *part,
            Self::Book(content) => content.part,
        }
    }
}

/// Compare all booked parts of an item with all desired ones: reversals first, then bookings, both
/// by part. `other` names parts that are to be booked anew although their content is the same: the
/// same money for another task or by somebody else is another charge.
pub fn diff_parts<'a>(
    booked: &Parts<'_>,
    desired: &Parts<'a>,
    other: &BTreeSet<Part>,
) -> Vec<PartChange<'a>> {
    let parts: BTreeSet<Part> = booked.keys().chain(desired.keys()).copied().collect();
    let (mut reversals, mut bookings) = (Vec::new(), Vec::new());
    for part in parts {
        let (was, now) = (booked.get(&part).copied(), desired.get(&part).copied());
        let change = match (diff(was, now), now) {
            (ChargeChange::Nothing, Some(now)) if was.is_some() && other.contains(&part) => {
                ChargeChange::Replace(now)
            }
            (change, _) => change,
        };
        match change {
            ChargeChange::Nothing => {}
            ChargeChange::Book(content) => bookings.push(PartChange::Book(content)),
            ChargeChange::Reverse => reversals.push(PartChange::Reverse(part)),
            ChargeChange::Replace(content) => {
                reversals.push(PartChange::Reverse(part));
                bookings.push(PartChange::Book(content));
            }
        }
    }
    reversals.extend(bookings);
    reversals
}

//! The slices of an item, as several accounts leave them one after the other.

use crate::account::ask::{Outcome, Slice};
use domain::decimal::Micro;
use std::collections::BTreeMap;

/// Put the answer of a later account in the place of what it was asked about.
pub(super) fn over(mut parts: Vec<Slice>, answer: Vec<Slice>, asked: Outcome) -> Vec<Slice> {
    if answer.is_empty() {
        return parts;
    }
    parts.retain(|slice| slice.outcome != asked);
    parts.extend(answer);
    parts
}

/// One slice per outcome and rate, zero ones dropped.
pub(super) fn together(parts: Vec<Slice>) -> Vec<Slice> {
    if parts.len() < 2 {
        let mut parts = parts;
        parts.retain(|slice| slice.quantity != Micro::ZERO);
        return parts;
    }
    let mut by: BTreeMap<(Outcome, Micro), Slice> = BTreeMap::new();
    for slice in parts {
        let key = (slice.outcome, slice.rate);
        match by.get_mut(&key) {
            Some(known) => {
                let quantity = known
                    .quantity
                    .micro()
                    .saturating_add(slice.quantity.micro());
                known.quantity = Micro::from_micro(quantity);
                known.amount.amount_minor = known
                    .amount
                    .amount_minor
                    .saturating_add(slice.amount.amount_minor);
                known.line_allowance.amount_minor = known
                    .line_allowance
                    .amount_minor
                    .saturating_add(slice.line_allowance.amount_minor);
            }
            None => {
                by.insert(key, slice);
            }
        }
    }
    by.into_values()
        .filter(|slice| slice.quantity != Micro::ZERO)
        .collect()
}

/// What of an item has an outcome; none if nothing has.
pub(super) fn one(slices: &[Slice], outcome: Outcome) -> Option<Slice> {
    let own = slices.iter().filter(|slice| slice.outcome == outcome);
    together(own.cloned().collect()).into_iter().next()
}

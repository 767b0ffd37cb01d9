//! Where in the file a term of a contract stands, looked up once something about it is wrong.
//!
//! The file is read a second time for its places only, so that contracts need not carry them.

use serde::Deserialize;
use std::collections::BTreeMap;
use toml::Spanned;

/// A term of a contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ContractPlace {
    /// Which of the contracts, from 0.
    pub(crate) index: usize,
    /// The term; none = the contract as a whole.
    pub(crate) term: Option<&'static str>,
}

#[derive(Debug, Default, Deserialize)]
struct Places {
    #[serde(default)]
    contract: Vec<Spanned<BTreeMap<Spanned<String>, toml::Value>>>,
}

/// The line of an offset in bytes, from 1.
pub(super) fn line_at(text: &str, at: usize) -> usize {
    text.get(..at).unwrap_or(text).matches('\n').count() + 1
}

/// The line of a term where it is written, else of its contract.
pub(super) fn line_of(text: &str, place: ContractPlace) -> Option<usize> {
    let places: Places = toml::from_str(text).ok()?;
    let contract = places.contract.get(place.index)?;
    let term = place.term.and_then(|term| {
        let mut terms = contract.get_ref().keys();
        terms.find(|known| known.get_ref() == term)
    });
    let start = term.map_or(contract.span().start, |term| term.span().start);
    Some(line_at(text, start))
}

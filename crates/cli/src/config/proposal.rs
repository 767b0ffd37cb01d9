//! A proposed contract: one `[[contract]]` and its `[[rate]]`s, as a configuration has them.

use super::rates::RateEntry;
use super::{ConfigError, read_text};
use domain::contract::Contract;
use domain::rate::RateRow;
use rules::wording::check_words;
use serde::Deserialize;
use std::path::Path;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ProposalFile {
    #[serde(default)]
    contract: Vec<Contract>,
    #[serde(default)]
    rate: Vec<RateEntry>,
}

/// Read a proposal.
pub(crate) fn read_proposal(path: &Path) -> Result<(Contract, Vec<RateRow>), ConfigError> {
    parse(path, &read_text(path)?)
}

pub(super) fn parse(path: &Path, text: &str) -> Result<(Contract, Vec<RateRow>), ConfigError> {
    let file: ProposalFile =
        toml::from_str(text).map_err(|error| ConfigError::of_toml(path, text, &error))?;
    let rates = file.rate.into_iter().map(RateEntry::row).collect();
    let mut contracts = file.contract.into_iter();
    let (Some(contract), None) = (contracts.next(), contracts.next()) else {
        return Err(ConfigError::new(
            path,
            "does not hold exactly one [[contract]]".to_owned(),
            "write the contract as in a configuration, and its rates as [[rate]]",
        ));
    };
    let checked = contract.check().and_then(|()| check_words(&contract));
    checked
        .map_err(|fault| ConfigError::new(path, fault.what, format!("write {}", fault.expected)))?;
    if contract.parent.is_some() {
        return Err(ConfigError::new(
            path,
            format!("contract {}: `parent` is not rehearsed yet", contract.id),
            "leave it out of the proposal",
        ));
    }
    Ok((contract, rates))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proposal_is_one_contract_that_can_work() {
        let path = Path::new("proposal.toml");
        let contract = "[[contract]]\nid = \"K\"\ncustomer = \"C\"\nprojects = [\"P\"]\n\
                        kind = \"time_and_materials\"\ncurrency = \"EUR\"\n";
        let rate = "[[rate]]\ncontract = \"K\"\nrate = \"100\"\ncurrency = \"EUR\"\n\
                    from = \"2026-01-01\"\n";
        let (read, rates) = parse(path, &format!("{contract}{rate}")).unwrap();
        assert_eq!((read.id.as_str(), rates.len()), ("K", 1));
        let held = "conditions = { hold_when = 'minutes > 600' }\n";
        let (read, _) = parse(path, &format!("{contract}{held}")).unwrap();
        assert!(!read.conditions.is_empty());
        for (text, says) in [
            (rate.to_owned(), "exactly one [[contract]]"),
            (format!("{contract}{contract}"), "exactly one [[contract]]"),
            (
                format!("{contract}to = \"2026-01-01\"\nfrom = \"2026-02-01\"\n"),
                "covers no day",
            ),
            (
                format!("{contract}parent = \"F\"\n"),
                "`parent` is not rehearsed yet",
            ),
            (format!("{contract}cap = \"5\"\n"), "unknown field `cap`"),
        ] {
            let error = parse(path, &text).unwrap_err().to_string();
            assert!(error.contains(says), "{error}");
        }
    }
}

//! What a contract says in words of its own: conditions and the template of its lines. They are
//! compiled here once, so that whoever reads contracts can refuse a mistake before any work is
//! priced by it.

use crate::condition::Conditions;
use crate::documents::TextTemplate;
use domain::contract::Contract;
use domain::contract::check::ContractFault;

/// Refuse conditions and templates that cannot be used.
pub fn check_words(contract: &Contract) -> Result<(), ContractFault> {
    let id = &contract.id;
    Conditions::of(contract).map_err(|fault| {
        let what = format!("contract {id}: {fault}");
        ContractFault::at("conditions", what, fault.expected)
    })?;
    TextTemplate::of(&contract.lines).map_err(|error| {
        let what = format!("contract {id}: {error}");
        ContractFault::at("lines", what, "a template as the message says")
    })?;
    Ok(())
}

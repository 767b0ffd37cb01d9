//! Documents: which charges share one, and what it comes to.

use super::lines::{DocumentLine, LineCharge, LineError, lines};
use domain::contract::Grouping;
use domain::contract::lines::LineTerms;
use domain::currency::Currency;
use domain::money::{Money, MoneyError};
use domain::rounding::Rounding;
use std::collections::{BTreeMap, BTreeSet};

/// What separates documents. Charges that differ in any of it never share one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DocumentKey {
    /// The billing entity.
    pub entity: String,
    /// The customer who is billed.
    pub bill_to: String,
    /// The currency.
    pub currency: Currency,
    /// The tax treatment, where one is known. Unknown is not the same as any known one.
    pub tax_treatment: Option<String>,
    /// The contract's grouping value, see [`group_key`].
    pub group_key: String,
    /// The accounting period.
    pub period: String,
}

/// The grouping value of a charge. A computed text replaces the contract's grouping; its sort
/// stands before the value, so that a project never meets a contract of the same name.
pub fn group_key(
    grouping: Grouping,
    charge: &LineCharge,
    customer: &str,
    computed: Option<&str>,
) -> String {
    match (computed, grouping) {
        (Some(text), _) => format!("text:{text}"),
        (None, Grouping::Contract) => format!("contract:{}", charge.contract),
        (None, Grouping::Customer) => format!("customer:{customer}"),
        (None, Grouping::Project) => format!("project:{}", charge.project),
    }
}

/// A charge and the document it belongs on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocumentCharge {
    /// What separates its document from others.
    pub key: DocumentKey,
    /// The charge.
    pub charge: LineCharge,
}

/// What a contract says about its lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ContractLines<'a> {
    /// Which charges share a line, and in which words.
    pub terms: &'a LineTerms,
    /// How an amount is rounded to the coin.
    pub rounding: Rounding,
}

/// What stands on a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocumentContent {
    /// The lines, contract by contract.
    pub lines: Vec<DocumentLine>,
    /// Charges that cancel out and stand on no line.
    pub netted: Vec<String>,
    /// The sum of the lines' amounts, which is the net total that the client reads.
    pub total: Money,
    /// The sum of the rounding charges: the total less what is booked as charges.
    pub rounding: Money,
}

/// The documents of a set of charges, and what stands on them.
pub fn documents(
    charges: &[DocumentCharge],
    contracts: &BTreeMap<String, ContractLines<'_>>,
) -> Result<BTreeMap<DocumentKey, DocumentContent>, LineError> {
    let mut seen = BTreeSet::new();
    let mut gathered: BTreeMap<&DocumentKey, BTreeMap<&str, Vec<LineCharge>>> = BTreeMap::new();
    for DocumentCharge { key, charge } in charges {
        if !seen.insert(charge.id.as_str()) {
            return Err(LineError::Twice {
                charge: charge.id.clone(),
            });
        }
        gathered
            .entry(key)
            .or_default()
            .entry(charge.contract.as_str())
            .or_default()
            .push(charge.clone());
    }
    let mut documents = BTreeMap::new();
    for (key, by_contract) in gathered {
        documents.insert(key.clone(), content(key, by_contract, contracts)?);
    }
    Ok(documents)
}

fn content(
    key: &DocumentKey,
    by_contract: BTreeMap<&str, Vec<LineCharge>>,
    contracts: &BTreeMap<String, ContractLines<'_>>,
) -> Result<DocumentContent, LineError> {
    let mut content = DocumentContent {
        lines: Vec::new(),
        netted: Vec::new(),
        total: Money::zero(key.currency),
        rounding: Money::zero(key.currency),
    };
    for (contract, charges) in by_contract {
        let too_large = |_: MoneyError| LineError::TooLarge {
            contract: contract.to_owned(),
        };
        let says = contracts.get(contract).ok_or_else(|| LineError::Contract {
            contract: contract.to_owned(),
        })?;
        let made = lines(&charges, says.terms, key.currency, says.rounding)?;
        let on_lines: BTreeSet<&String> = made.iter().flat_map(|line| &line.charges).collect();
        let netted = charges.iter().map(|charge| &charge.id);
        let netted = netted.filter(|id| !on_lines.contains(id)).cloned();
        content.netted.extend(netted);
        for line in &made {
            content.total = content.total.checked_add(line.amount).map_err(too_large)?;
            content.rounding = content
                .rounding
                .checked_add(line.rounding)
                .map_err(too_large)?;
        }
        content.lines.extend(made);
    }
    content.netted.sort();
    Ok(content)
}

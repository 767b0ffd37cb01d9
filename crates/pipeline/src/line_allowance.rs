//! What a limit takes off a line (`policy = "bill_to_cap"`): the line has its whole quantity and
//! multiplies out, and a second one takes off what is above the limit. A document shows both.

use crate::facts::{Codes, ErpRefs};
use domain::contract::Contract;
use domain::decimal::Micro;
use domain::exception::{Code, Problem};
use domain::money::{Money, MoneyError};
use domain::quantity::Unit;
use domain::reference::Reference;
use rules::account::ask::Outcome;
use rules::charge::{ChargeContent, Disposition};
use rules::engine::PricedPart;
use rules::part::Part;

/// What takes something off a line is sold as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SoldAs {
    /// As the ERP names it.
    pub refs: ErpRefs,
    /// As the business names it.
    pub codes: Codes,
}

/// Give each part that a limit cut the whole amount of its quantity, and what is taken off a part of
/// its own.
pub(crate) fn apart(parts: Vec<PricedPart>) -> Result<Vec<PricedPart>, Problem> {
    let mut all = Vec::with_capacity(parts.len());
    for part in parts {
        let cut = part.line_allowance.amount_minor != 0;
        if !cut || part.content.disposition != Disposition::Bill {
            all.push(part);
            continue;
        }
        let (whole, off) = split(&part)?;
        all.push(whole);
        all.push(off);
    }
    Ok(all)
}

fn split(part: &PricedPart) -> Result<(PricedPart, PricedPart), Problem> {
    let too_large = |error: MoneyError| {
        let words = format!("what a limit leaves of a line: {error}");
        Problem::new(Code::AmountTooLarge, words)
    };
    let content = &part.content;
    let currency = content.currency();
    let zero = Money::zero(currency);
    let off = part.line_allowance;
    let gross = content.amount.checked_add(off).map_err(too_large)?;
    let net = off.negated().map_err(too_large)?;
    let rate = Micro::from_decimal(off.decimal()).map_err(|error| {
        let words = format!("what a limit leaves of a line: {error}");
        Problem::new(Code::AmountTooLarge, words)
    })?;
    let whole = ChargeContent {
        amount: gross,
        value: gross,
        ..content.clone()
    };
    let one_less = ChargeContent {
        part: Part {
            outcome: Outcome::LineAllowance,
            tier: content.part.tier,
        },
        quantity: Micro::from_micro(-1_000_000),
        unit: Unit::Piece,
        rate,
        amount: net,
        value: net,
        recorded_seconds: 0,
        cost_rate: Micro::ZERO,
        cost: Money::zero(content.cost.currency),
        ..content.clone()
    };
    let priced = |content| PricedPart {
        content,
        line_allowance: zero,
        before: part.before,
        explanation: part.explanation.clone(),
    };
    Ok((priced(whole), priced(one_less)))
}

/// What an allowance of a contract is sold as; a problem if the contract or the ERP does not say.
pub(crate) fn sold_as(
    reference: &Reference,
    contract: &Contract,
    refs: &ErpRefs,
    codes: &Codes,
) -> Result<SoldAs, Problem> {
    let item = rules::fixed::sold_as(reference, contract)?;
    Ok(SoldAs {
        refs: ErpRefs {
            service_item: item.erp_ref.clone(),
            task: None,
            worker: None,
            ..refs.clone()
        },
        codes: Codes {
            service_item: item.code.clone(),
            ..codes.clone()
        },
    })
}

//! Compiled conditions, kept for as long as their terms are the same.
//!
//! What a contract's conditions compile to follows from the contract alone, so that keeping it
//! changes no answer: it saves the work of compiling for every entry. Each thread keeps its own, and
//! nobody waits for another.

use super::{ConditionFault, Conditions};
use domain::contract::Contract;
use domain::contract::conditions::ConditionTerms;
use domain::currency::Currency;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The most contracts whose conditions are kept; with more, all are compiled anew now and then.
const KEPT_MAX: usize = 4_096;

struct Kept {
    terms: ConditionTerms,
    currency: Currency,
    compiled: Arc<Conditions>,
}

thread_local! {
    static KEPT: RefCell<BTreeMap<String, Kept>> = const { RefCell::new(BTreeMap::new()) };
}

/// The compiled conditions of a contract; none where it has no condition.
pub fn compiled(contract: &Contract) -> Result<Option<Arc<Conditions>>, ConditionFault> {
    if contract.conditions.is_empty() {
        return Ok(None);
    }
    KEPT.with_borrow_mut(|kept| {
        let same = kept.get(&contract.id).filter(|known| {
            known.currency == contract.currency && known.terms == contract.conditions
        });
        if let Some(known) = same {
            return Ok(Some(Arc::clone(&known.compiled)));
        }
        let compiled = Arc::new(Conditions::of(contract)?);
        if kept.len() >= KEPT_MAX {
            kept.clear();
        }
        let known = Kept {
            terms: contract.conditions.clone(),
            currency: contract.currency,
            compiled: Arc::clone(&compiled),
        };
        kept.insert(contract.id.clone(), known);
        Ok(Some(compiled))
    })
}

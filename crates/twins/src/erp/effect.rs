//! The history that the auditor reads: what happened to each line and document, by whom.

use super::state::{Erp, Line, TimeLine};
use domain::currency::Currency;
use domain::decimal::Micro;
use serde::Serialize;

/// Something that happened to a line or document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Effect {
    /// Counts from 1.
    pub n: u64,
    /// When.
    pub at_us: i64,
    /// `client` or `person`.
    pub actor: &'static str,
    /// `create`, `replace`, `delete`, `move`, `edit`, `issue`, `pay`, `credit`, `void`, `invoice`.
    pub what: &'static str,
    /// `line`, `time_line` or `document`.
    pub of: &'static str,
    /// The id.
    pub id: String,
    /// The client's key on it.
    pub key: Option<String>,
    /// The document concerned.
    pub document_id: Option<String>,
    /// Hours after it.
    pub quantity: Option<Micro>,
    /// Rate after it.
    pub rate: Option<Micro>,
    /// Amount after it, as a decimal.
    pub amount: Option<String>,
    /// The currency of the amount.
    pub currency: Option<Currency>,
}

impl Erp {
    pub(super) fn record_line(
        &mut self,
        at_us: i64,
        actor: &'static str,
        what: &'static str,
        id: u64,
        line: &Line,
    ) {
        self.push(Effect {
            key: line.key.clone(),
            document_id: Some(line.document_id.to_string()),
            quantity: Some(line.quantity),
            rate: Some(line.rate),
            amount: Some(line.amount.decimal().to_string()),
            currency: Some(line.amount.currency),
            ..bare(at_us, actor, what, "line", id)
        });
    }

    pub(super) fn record_time(
        &mut self,
        at_us: i64,
        actor: &'static str,
        what: &'static str,
        id: u64,
        line: &TimeLine,
    ) {
        self.push(Effect {
            key: Some(line.key.clone()),
            quantity: Some(line.quantity),
            ..bare(at_us, actor, what, "time_line", id)
        });
    }

    pub(super) fn record_document(
        &mut self,
        at_us: i64,
        actor: &'static str,
        what: &'static str,
        id: u64,
    ) {
        let document = self.documents.get(&id);
        let key = document.and_then(|document| document.key.clone());
        let currency = document.map(|document| document.currency);
        self.push(Effect {
            key,
            currency,
            document_id: Some(id.to_string()),
            ..bare(at_us, actor, what, "document", id)
        });
    }

    fn push(&mut self, mut effect: Effect) {
        effect.n = u64::try_from(self.effects.len())
            .unwrap_or(u64::MAX)
            .saturating_add(1);
        self.effects.push(effect);
    }
}

fn bare(at_us: i64, actor: &'static str, what: &'static str, of: &'static str, id: u64) -> Effect {
    Effect {
        n: 0,
        at_us,
        actor,
        what,
        of,
        id: id.to_string(),
        key: None,
        document_id: None,
        quantity: None,
        rate: None,
        amount: None,
        currency: None,
    }
}

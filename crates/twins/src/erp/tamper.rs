//! Cheating without a trace, so that an auditor can show that it would notice.

use super::state::Erp;
use domain::money::Money;
use serde::{Deserialize, Serialize};

/// How the ERP cheats.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TamperMode {
    /// A committed line is gone.
    Drop,
    /// An amount is one smallest coin off.
    Cent,
    /// A line is there twice, with the same key.
    Double,
    /// A line is there twice, the second one with another key.
    DoubleOtherKey,
}

/// When it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TamperWhen {
    /// Just before the auditor looks for the first time.
    End,
    /// With the line that is committed as this one, counted from 1.
    AtLine(u64),
}

/// Whether and how the ERP cheats: once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tamper {
    /// How.
    pub mode: TamperMode,
    /// When.
    pub when: TamperWhen,
}

pub(super) fn after_commit(erp: &mut Erp, line_id: u64) {
    erp.committed_lines = erp.committed_lines.saturating_add(1);
    let Some(tamper) = erp.settings.tamper else {
        return;
    };
    if tamper.when == TamperWhen::AtLine(erp.committed_lines) {
        cheat(erp, tamper.mode, Some(line_id));
    }
}

pub(super) fn at_end(erp: &mut Erp, _now_us: i64) {
    if let Some(tamper) = erp.settings.tamper
        && tamper.when == TamperWhen::End
    {
        cheat(erp, tamper.mode, None);
    }
}

/// Cheat with a line, or with the one in the middle. Says which.
pub(super) fn cheat(erp: &mut Erp, mode: TamperMode, line_id: Option<u64>) -> Option<String> {
    let id = match line_id {
        Some(id) => id,
        None => *erp.lines.keys().nth(erp.lines.len() / 2)?,
    };
    let line = erp.lines.get(&id)?.clone();
    match mode {
        TamperMode::Drop => {
            erp.lines.remove(&id);
        }
        TamperMode::Cent => {
            let mut changed = line;
            changed.amount = Money {
                amount_minor: changed.amount.amount_minor.checked_add(1)?,
                currency: changed.amount.currency,
            };
            erp.lines.insert(id, changed);
        }
        TamperMode::Double | TamperMode::DoubleOtherKey => {
            let mut copy = line;
            if mode == TamperMode::DoubleOtherKey {
                copy.key = copy.key.map(|key| format!("{key}2"));
            }
            let copy_id = erp.new_id();
            erp.lines.insert(copy_id, copy);
        }
    }
    Some(id.to_string())
}

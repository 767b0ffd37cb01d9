//! What is in doubt is looked up, and settled when the look-up proves something.

use super::{Worker, settle};
use crate::compare::judge_found;
use crate::crash::CrashPoint;
use crate::env::erp;
use crate::error::PassError;
use crate::outcome::Settlement;
use crate::payload::batch_of;
use crate::postings::{document_shape, kind_of, members};
use domain::posting::PostingKind;
use std::collections::BTreeMap;
use store::attempts::{self, AttemptRow};
use store::postings;

/// The least pause between two look-ups of one attempt, in microseconds.
const LOOK_UP_PAUSE_US: i64 = 1_000_000;

impl Worker<'_> {
    /// Look up what is in doubt: whether something was resolved, and when the next look-up of what
    /// is still in doubt can prove anything.
    pub(super) async fn resolve_doubts(&mut self) -> Result<(bool, Option<i64>), PassError> {
        let open = self.env.store.read(attempts::list_open).await?;
        let (mut resolved, mut wait_us) = (false, None);
        for attempt in open {
            match self.resolve(attempt).await? {
                None => resolved = true,
                Some(at_us) => {
                    wait_us = Some(wait_us.map_or(at_us, |before: i64| before.min(at_us)));
                }
            }
        }
        Ok((resolved, wait_us))
    }

    /// `None` when it is resolved, else when the next look-up can prove anything.
    async fn resolve(&mut self, attempt: AttemptRow) -> Result<Option<i64>, PassError> {
        let env = self.env;
        let document_id = attempt.document_id;
        let numbers = members(&attempt);
        let (document, rows) = env
            .store
            .read(move |tx| {
                let document = crate::postings::document_of(tx, &document_id)?;
                let mut rows = Vec::new();
                for number in numbers {
                    rows.extend(postings::get(tx, &document_id, number)?);
                }
                Ok((document, rows))
            })
            .await?;
        let kind = rows
            .first()
            .map(kind_of)
            .transpose()?
            .unwrap_or(PostingKind::CreateLine);
        let shape = document_shape(&document)?;
        env.pass(CrashPoint::LookUpDue)?;
        let keys: Vec<String> = rows.iter().map(|row| row.line_key.clone()).collect();
        let found = env.target.look_up(shape, &keys).await.map_err(erp)?;
        env.pass(CrashPoint::LookUpReturned)?;
        let now_us = env.clock.now_us();
        // Absence is proven by time alone, also where the ERP keeps keys unique: what is thought
        // absent may be planned anew under another key when its document is issued meanwhile.
        let proven = now_us >= attempt.look_up_after_us;
        let terms = self.terms;
        let batch = {
            let (terms, document, rows) = (terms.clone(), document.clone(), rows.clone());
            env.store
                .read(move |tx| batch_of(tx, &terms, &document, &rows))
                .await?
        };
        let mut settlements = BTreeMap::new();
        for (row, line) in rows.iter().zip(&batch.lines) {
            let here = found.iter().find(|found| found.line_key == row.line_key);
            let settled = judge_found(shape, kind, line, here);
            let settlement = match settled {
                Some(settlement) => settlement,
                None if proven => Settlement::Again {
                    due_at_us: now_us,
                    tried: true,
                },
                None => {
                    return Ok(Some(
                        attempt
                            .look_up_after_us
                            .max(now_us.saturating_add(LOOK_UP_PAUSE_US)),
                    ));
                }
            };
            settlements.insert(row.posting_no, settlement);
        }
        let here = settlements
            .values()
            .filter(|s| matches!(s, Settlement::Posted { .. }))
            .count();
        self.result.adopted += u64::try_from(here).unwrap_or(0);
        let erp_ref = found.iter().find_map(|line| line.document_ref.clone());
        settle(env, terms, &attempt, "looked up", settlements, erp_ref).await?;
        env.pass(CrashPoint::LookUpWritten)?;
        Ok(None)
    }
}

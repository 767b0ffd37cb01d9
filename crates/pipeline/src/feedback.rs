//! Telling the source: billing status and reference per entry, once per change.

use crate::crash::CrashPoint;
use crate::env::{Env, Note, tracker};
use crate::error::PassError;
use connector_sdk::call::CallError;
use connector_sdk::source::WriteBack;
use domain::status::BillingStatus;
use std::convert::Infallible;
use store::feedback::{self, FeedbackRow};
use store::{Abort, Command, Guard, GuardSet, Tx, items};

/// Entries told in one round.
const ROUND: i64 = 200;
/// The wait after a failure, in microseconds.
const AGAIN_AFTER_US: i64 = 60_000_000;

struct MarkTold {
    row: FeedbackRow,
    told: bool,
}

impl Command for MarkTold {
    type Out = ();
    type Rejection = Infallible;
    fn name(&self) -> &'static str {
        "mark told"
    }
    fn guards(&self) -> GuardSet {
        GuardSet::none().and(Guard::Item(self.row.item_id))
    }
    fn apply(&self, tx: &mut Tx<'_>) -> Result<(), Abort<Infallible>> {
        tx.act_as("feedback");
        let Some(mut now) = feedback::get(tx, &self.row.item_id)? else {
            return Ok(());
        };
        if now.version != self.row.version {
            // Something newer is to be told.
            return Ok(());
        }
        if self.told {
            feedback::mark_told(tx, &mut now, "the source was told")?;
        } else {
            let due_at_us = tx.now_us().saturating_add(AGAIN_AFTER_US);
            feedback::postpone(tx, &mut now, due_at_us, "the source could not be told")?;
        }
        Ok(())
    }
}

/// Tell the source what is due. Returns how many entries were told and how many could not be.
pub async fn tell_all(env: &Env) -> Result<(u64, u64), PassError> {
    let Some(target) = &env.feedback else {
        return Ok((0, 0));
    };
    env.progress
        .hear(Note::Stage("writing billing status back", None));
    let (mut told, mut failed) = (0, 0);
    loop {
        let now_us = env.clock.now_us();
        let due = env
            .store
            .read(move |tx| {
                let mut due = Vec::new();
                for row in feedback::due(tx, now_us, ROUND)? {
                    let source_ref = items::get(tx, &row.item_id)?.map(|item| item.source_ref);
                    due.push((row, source_ref));
                }
                Ok(due)
            })
            .await?;
        if due.is_empty() {
            return Ok((told, failed));
        }
        for (row, source_ref) in due {
            let status = BillingStatus::from_name(&row.status);
            let known = source_ref
                .filter(|r| !r.starts_with("unreadable-"))
                .zip(status);
            let done = match known {
                // A record without an id cannot be told anything.
                None => true,
                Some((source_ref, status)) => {
                    let update = WriteBack {
                        source_ref,
                        status,
                        reference: row.reference.clone(),
                    };
                    env.pass(CrashPoint::TellDue)?;
                    let answer = target.write_back(&update).await;
                    env.pass(CrashPoint::Told)?;
                    match answer {
                        // An entry that is gone needs no status; absence is noticed by the scan.
                        Ok(_) => true,
                        Err(error @ CallError::Unauthorized { .. }) => return Err(tracker(error)),
                        Err(_) => false,
                    }
                }
            };
            env.write(MarkTold { row, told: done }).await?;
            env.pass(CrashPoint::ToldWritten)?;
            told += u64::from(done);
            failed += u64::from(!done);
            env.progress.hear(Note::Step(told));
        }
    }
}

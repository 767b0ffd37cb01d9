//! Telling the source: billing status and reference per entry, once per change.

use crate::crash::CrashPoint;
use crate::env::{Env, Note, tracker};
use crate::error::PassError;
use crate::facts;
use crate::fixed;
use connector_sdk::call::CallError;
use connector_sdk::source::{Feedback, WriteBack};
use domain::exception::{Code, Problem};
use domain::status::BillingStatus;
use std::convert::Infallible;
use store::feedback::{self, FeedbackRow};
use store::{Abort, Command, Guard, GuardSet, ReadTx, StoreError, Tx, items, refusals};

/// Entries told in one round.
const ROUND: i64 = 200;
/// The first wait after a failure that may pass, in microseconds; it doubles up to a limit.
const AGAIN_FIRST_US: i64 = 250_000;
/// The longest such wait, in microseconds.
const AGAIN_MAX_US: i64 = 60_000_000;
/// The wait after the source refused: only a person can change that. In microseconds.
const REFUSED_AGAIN_US: i64 = 3_600_000_000;

/// How telling one entry ended.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Told {
    Yes,
    NotYet,
    Refused(Problem),
}

struct MarkTold {
    row: FeedbackRow,
    told: Told,
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
        let now_us = tx.now_us();
        match &self.told {
            Told::Yes => {
                feedback::mark_told(tx, &mut now, "the source was told")?;
                refusals::close(tx, &self.row.item_id, "the source was told")?;
            }
            Told::NotYet => {
                let doubled = u32::try_from(now.tries.min(10)).unwrap_or(10);
                let wait_us = AGAIN_FIRST_US
                    .saturating_mul(1 << doubled)
                    .min(AGAIN_MAX_US);
                let due_at_us = now_us.saturating_add(wait_us);
                feedback::postpone(tx, &mut now, due_at_us, "the source could not be told")?;
            }
            Told::Refused(problem) => {
                let fact = facts::seal_problem(tx, "source", problem)?;
                refusals::open(tx, &self.row.item_id, fact, "the source refused")?;
                let due_at_us = now_us.saturating_add(REFUSED_AGAIN_US);
                feedback::postpone(tx, &mut now, due_at_us, "the source refused to be told")?;
            }
        }
        Ok(())
    }
}

/// Tell the source what is due, and wait a while for what failed in passing. Returns how many
/// entries were told and how many could not be.
pub async fn tell_all(env: &Env) -> Result<(u64, u64), PassError> {
    let Some(target) = &env.feedback else {
        return Ok((0, 0));
    };
    env.progress
        .hear(Note::Stage("writing billing status back", None));
    let patience_us = i64::try_from(env.settings.patience_ms / 4)
        .unwrap_or(0)
        .saturating_mul(1000);
    let until_us = env.clock.now_us().saturating_add(patience_us);
    let mut told = 0;
    loop {
        let due = due_now(env).await?;
        if due.is_empty() {
            let next = env
                .store
                .read(|tx| feedback::next_due(tx, i64::MIN))
                .await?;
            match next {
                Some(at_us) if at_us <= until_us => env.wait_until(at_us).await?,
                Some(_) => return Ok((told, untold(env).await?)),
                None => return Ok((told, 0)),
            }
            continue;
        }
        for (row, source_ref) in due {
            let known = source_ref.is_some();
            let outcome = tell_one(env, target.as_ref(), &row, source_ref).await?;
            told += u64::from(outcome == Told::Yes && known);
            env.write(MarkTold { row, told: outcome }).await?;
            env.pass(CrashPoint::ToldWritten)?;
            env.progress.hear(Note::Step(told));
        }
    }
}

/// Tell one item again, whenever it is due. Returns whether nothing is left to tell.
pub async fn tell_again(env: &Env, item_id: [u8; 16]) -> Result<bool, PassError> {
    let Some(target) = &env.feedback else {
        return Ok(false);
    };
    let found = env
        .store
        .read(move |tx| {
            let row = feedback::get(tx, &item_id)?.filter(|row| !row.told);
            Ok((row, source_ref(tx, &item_id)?))
        })
        .await?;
    let (Some(row), source_ref) = found else {
        return Ok(true);
    };
    let told = tell_one(env, target.as_ref(), &row, source_ref).await?;
    let done = told == Told::Yes;
    env.write(MarkTold { row, told }).await?;
    env.pass(CrashPoint::ToldWritten)?;
    Ok(done)
}

/// The source's id of an item; none of a fixed amount, which no source knows.
fn source_ref(tx: &mut ReadTx<'_>, item_id: &[u8; 16]) -> Result<Option<String>, StoreError> {
    let item = items::get(tx, item_id)?;
    Ok(item
        .filter(|item| item.source != fixed::SOURCE)
        .map(|item| item.source_ref))
}

async fn due_now(env: &Env) -> Result<Vec<(FeedbackRow, Option<String>)>, PassError> {
    let now_us = env.clock.now_us();
    Ok(env
        .store
        .read(move |tx| {
            let mut due = Vec::new();
            for row in feedback::due(tx, now_us, ROUND)? {
                let source_ref = source_ref(tx, &row.item_id)?;
                due.push((row, source_ref));
            }
            Ok(due)
        })
        .await?)
}

/// Entries whose status the source does not show yet.
async fn untold(env: &Env) -> Result<u64, PassError> {
    let rows = env
        .store
        .read(|tx| feedback::due(tx, i64::MAX, i64::MAX))
        .await?;
    Ok(u64::try_from(rows.len()).unwrap_or(u64::MAX))
}

async fn tell_one(
    env: &Env,
    target: &dyn Feedback,
    row: &FeedbackRow,
    source_ref: Option<String>,
) -> Result<Told, PassError> {
    let status = BillingStatus::from_name(&row.status);
    let known = source_ref
        .filter(|r| !r.starts_with("unreadable-"))
        .zip(status);
    // A record without an id, and a fixed amount, cannot be told anything.
    let Some((source_ref, status)) = known else {
        return Ok(Told::Yes);
    };
    let update = WriteBack {
        source_ref,
        status,
        reference: row.reference.clone(),
    };
    env.pass(CrashPoint::TellDue)?;
    let answer = target.write_back(&update).await;
    env.pass(CrashPoint::Told)?;
    match answer {
        // An entry that is gone needs no status; its absence is noticed by the scan.
        Ok(_) => Ok(Told::Yes),
        Err(error @ CallError::Unauthorized { .. }) => Err(tracker(error)),
        Err(error @ (CallError::Refused { .. } | CallError::Contract { .. })) => {
            env.say(format!(
                "entry {} cannot show its status: {error}",
                update.source_ref
            ));
            Ok(Told::Refused(match error {
                CallError::Refused { problem } => problem,
                other => Problem::new(Code::TrackerRefused, other.to_string()),
            }))
        }
        Err(
            CallError::NotExecuted { .. }
            | CallError::Throttled { .. }
            | CallError::Ambiguous { .. },
        ) => Ok(Told::NotYet),
    }
}

//! One pass: take in, price, post, tell.

use crate::failed::Failed;
use crate::operation::{Operation, Turn};
use crate::process::{LastPass, Outcome};
use jiff::civil::Date;
use pipeline::env::Env;
use pipeline::sync::{SyncOptions, SyncResult};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Ask for a pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pass {
    /// Believe that many entries were deleted at once.
    pub accept_deletions: bool,
    /// The day of the pass; today in the entity's zone if none is given.
    pub today: Option<Date>,
}

/// What it came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PassDone {
    /// The pass.
    pub result: SyncResult,
    /// Exceptions that are open now, by code.
    pub exceptions: BTreeMap<String, i64>,
}

impl PassDone {
    /// Whether something needs a person.
    pub fn needs_a_person(&self) -> bool {
        let open: i64 = self.exceptions.values().sum();
        open > 0 || self.result.post.left > 0 || self.result.not_told > 0
    }
}

/// Today, in the entity's zone.
pub fn today(env: &Env) -> Date {
    let zone =
        jiff::tz::TimeZone::get(&env.settings.entity.zone).unwrap_or(jiff::tz::TimeZone::UTC);
    jiff::Timestamp::from_microsecond(env.clock.now_us())
        .map_or(env.settings.first_day, |now| now.to_zoned(zone).date())
}

impl Operation for Pass {
    type Answer = PassDone;
    const PATH: &'static str = "/v1/passes";
    const WORDS: &'static str = "a pass";
    const TURN: Turn = Turn::Own;

    async fn perform(&self, env: &Env) -> Result<PassDone, Failed> {
        let options = SyncOptions {
            accept_deletions: self.accept_deletions,
        };
        let day = self.today.unwrap_or_else(|| today(env));
        let result = pipeline::sync::sync(env, day, options).await?;
        let exceptions = pipeline::exceptions::counts(env).await?;
        Ok(PassDone { result, exceptions })
    }

    fn as_pass(
        outcome: &Result<PassDone, Failed>,
        started_at_us: i64,
        ended_at_us: i64,
    ) -> Option<LastPass> {
        Some(LastPass {
            started_at_us,
            ended_at_us,
            outcome: match outcome {
                Ok(done) => Outcome::Done(done.clone()),
                Err(failed) => Outcome::Failed(failed.clone()),
            },
        })
    }
}

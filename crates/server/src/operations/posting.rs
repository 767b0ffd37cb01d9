//! Pause posting, or go on.
//!
//! It waits for nobody: every intent looks at the switch inside its own transaction, so a pass that
//! is under way writes no further intent once the switch is durable.

use crate::failed::Failed;
use crate::operation::{Operation, Turn};
use pipeline::env::Env;
use pipeline::restored::RESTORED;
use pipeline::sync::SetPosting;
use serde::{Deserialize, Serialize};

/// Switch posting.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SwitchPosting {
    /// Why it is to be off; none means on.
    pub off: Option<String>,
}

/// How it stands now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PostingSwitched {
    /// Why it is off; none means on.
    pub off: Option<String>,
}

impl Operation for SwitchPosting {
    type Answer = PostingSwitched;
    const PATH: &'static str = "/v1/posting";
    const WORDS: &'static str = "a switch of posting";
    const TURN: Turn = Turn::Beside;

    async fn perform(&self, env: &Env) -> Result<PostingSwitched, Failed> {
        if self
            .off
            .as_deref()
            .is_some_and(|reason| reason.trim().is_empty())
        {
            return Err(Failed::wrong_use(
                "posting is paused with a reason, and this one is empty",
                "say why, for whoever finds it paused: counterfoil pause \"month end\"",
            ));
        }
        let before = pipeline::status::status(env).await?.posting_off;
        if before.as_deref() == Some(RESTORED) {
            return Err(Failed::wrong_use(
                "posting is off because this ledger was restored from a backup",
                "run `counterfoil sync`: it looks up what the backup does not know and then goes on",
            ));
        }
        env.write(SetPosting {
            off: self.off.clone(),
        })
        .await?;
        Ok(PostingSwitched {
            off: self.off.clone(),
        })
    }
}

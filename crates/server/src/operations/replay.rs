//! Take exceptions up again after their cause was mended.

use crate::failed::Failed;
use crate::operation::{Operation, Turn};
use domain::exception::Code;
use pipeline::env::Env;
use pipeline::exceptions::{Choice, Replayed};
use pipeline::explain::item_of;
use pipeline::sync::SyncResult;
use serde::{Deserialize, Serialize};

/// Which ones, and who asks. Exactly one of `ids`, `code` and `all` says it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Replay {
    /// Items by their id, by the tracker's id of the entry, or by the name of a fixed amount.
    pub ids: Vec<String>,
    /// All of this code.
    pub code: Option<String>,
    /// All of them.
    pub all: bool,
    /// Who replays, for the audit chain.
    pub actor: String,
}

/// What it came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReplayDone {
    /// The exceptions.
    pub replayed: Replayed,
    /// The posting that followed.
    pub pass: SyncResult,
}

impl ReplayDone {
    /// Whether something needs a person.
    pub const fn needs_a_person(&self) -> bool {
        self.replayed.still_open > 0 || self.pass.post.rejected > 0
    }
}

/// A code by its name.
pub fn code_of(text: &str) -> Result<Code, Failed> {
    Code::from_text(text).ok_or_else(|| {
        Failed::wrong_use(
            format!("'{text}' is no exception code"),
            "`counterfoil schema exceptions` lists them all",
        )
    })
}

impl Replay {
    async fn choice(&self, env: &Env) -> Result<Choice, Failed> {
        match (self.ids.is_empty(), &self.code, self.all) {
            (true, None, true) => Ok(Choice::All),
            (true, Some(code), false) => Ok(Choice::Code(code_of(code)?)),
            (false, None, false) => {
                let mut items = Vec::with_capacity(self.ids.len());
                for name in &self.ids {
                    items.push(item_of(env, name).await?);
                }
                Ok(Choice::Items(items))
            }
            _ => Err(Failed::wrong_use(
                "say which exceptions to replay",
                "name entries, or one --code, or --all",
            )),
        }
    }
}

impl Operation for Replay {
    type Answer = ReplayDone;
    const PATH: &'static str = "/v1/replays";
    const WORDS: &'static str = "a replay of exceptions";
    const TURN: Turn = Turn::Own;

    async fn perform(&self, env: &Env) -> Result<ReplayDone, Failed> {
        let choice = self.choice(env).await?;
        let (replayed, pass) = pipeline::sync::replay(env, &choice, &self.actor).await?;
        Ok(ReplayDone { replayed, pass })
    }
}

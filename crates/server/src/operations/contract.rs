//! Tell a contract what happened to it: a milestone was accepted, money came in.

use crate::failed::Failed;
use crate::operation::{Operation, Turn};
use pipeline::contracts::{Told, Word, tell};
use pipeline::env::Env;
use serde::{Deserialize, Serialize};

/// What is told, to which contract, and who tells it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TellContract {
    /// The contract's id.
    pub contract: String,
    /// What happened.
    pub word: Word,
    /// Who says so, for the audit chain.
    pub actor: String,
}

impl Operation for TellContract {
    type Answer = Told;
    const PATH: &'static str = "/v1/contract-words";
    const WORDS: &'static str = "a word to a contract";
    const TURN: Turn = Turn::Beside;

    async fn perform(&self, env: &Env) -> Result<Told, Failed> {
        Ok(tell(env, &self.contract, &self.word, &self.actor).await?)
    }
}

//! What an operation is: a request that can be written, an answer that can be read, and one way to
//! carry it out, whoever does it.

use crate::failed::Failed;
use crate::process::LastPass;
use pipeline::env::Env;
use pipeline::lease;
use pipeline::patience::target_domain;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Whether an operation may run beside another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// It calls other systems or decides over many steps: one at a time, in the order they came.
    Own,
    /// One guarded command of the ledger: at once, also beside a pass.
    Beside,
}

/// One thing that a person can ask of a ledger.
pub trait Operation: Serialize + DeserializeOwned + Send + Sync + 'static {
    /// What comes of it.
    type Answer: Serialize + DeserializeOwned + Send + Sync + 'static;
    /// Where it is served.
    const PATH: &'static str;
    /// What is under way, in words: "a pass".
    const WORDS: &'static str;
    /// Whether it may run beside another.
    const TURN: Turn;

    /// Carry it out.
    fn perform(&self, env: &Env) -> impl Future<Output = Result<Self::Answer, Failed>> + Send;

    /// What the process remembers of it, if it was a pass.
    fn as_pass(
        _outcome: &Result<Self::Answer, Failed>,
        _started_at_us: i64,
        _ended_at_us: i64,
    ) -> Option<LastPass> {
        None
    }
}

/// Carry it out. What calls other systems waits so long for the lease of the ERP's account, if
/// another node has it.
pub async fn carry_out<O: Operation>(
    operation: &O,
    env: &Env,
    patience_us: i64,
) -> Result<O::Answer, Failed> {
    if O::TURN == Turn::Beside {
        return operation.perform(env).await;
    }
    let domain = target_domain(&env.settings.flow);
    lease::under(env, &domain, patience_us, |env| async move {
        operation.perform(&env).await
    })
    .await
}

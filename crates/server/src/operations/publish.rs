//! Publish the ERP's masters into the tracker.

use crate::failed::Failed;
use crate::operation::{Operation, Turn};
use connector_sdk::source::Published;
use pipeline::env::{Env, erp, tracker};
use serde::{Deserialize, Serialize};

/// Publish, or only say what would be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Publish {
    /// Only say what would be done.
    pub dry_run: bool,
}

impl Operation for Publish {
    type Answer = Published;
    const PATH: &'static str = "/v1/publications";
    const WORDS: &'static str = "a publication of masters";
    const TURN: Turn = Turn::Own;

    async fn perform(&self, env: &Env) -> Result<Published, Failed> {
        let Some(publisher) = &env.publisher else {
            return Err(Failed::wrong_use(
                "this tracker takes no masters",
                "keep its projects and tasks by hand, or use a connector that publishes",
            ));
        };
        let masters = env.target.masters().await.map_err(erp)?;
        Ok(publisher
            .publish(&masters, self.dry_run)
            .await
            .map_err(tracker)?)
    }
}

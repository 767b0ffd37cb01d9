//! Showing billing status.

use super::ReferenceTracker;
use crate::reference_rest::errors::Fault;
use crate::reference_rest::{encoded, read_json};
use connector_sdk::async_trait;
use connector_sdk::call::CallError;
use connector_sdk::source::{Feedback, WriteBack};
use connector_sdk::transport::Effect;
use serde::Deserialize;
use serde_json::json;

/// The entry that was written to.
#[derive(Deserialize)]
struct Written {
    id: String,
}

#[async_trait]
impl Feedback for ReferenceTracker {
    async fn write_back(&self, update: &WriteBack) -> Result<bool, CallError> {
        let path = format!("entries/{}/billing", encoded(&update.source_ref));
        let body = json!({
            "status": update.status.name(),
            "reference": update.reference,
        });
        let sent = self
            .rest
            .put(
                &path,
                body.to_string().into_bytes(),
                self.config.write_timeout_ms,
            )
            .await;
        match sent {
            Ok(reply) => {
                let entry: Written = read_json(Effect::Write, &reply)?;
                if entry.id == update.source_ref {
                    Ok(true)
                } else {
                    let words = "the tracker was told of one entry and named another".to_owned();
                    Err(CallError::Ambiguous { words })
                }
            }
            Err(Fault::Gone { .. }) => Ok(false),
            Err(fault) => Err(refused_by_the_tracker(fault.into_call_error())),
        }
    }
}

/// A refusal of the tracker is the tracker's, not the ERP's.
pub(super) fn refused_by_the_tracker(error: CallError) -> CallError {
    match error {
        CallError::Refused { mut problem } => {
            problem.code = domain::exception::Code::TrackerRefused;
            CallError::Refused { problem }
        }
        other => other,
    }
}

//! Showing people in Redmine what became of their time.
//!
//! Only the two custom fields of Counterfoil are written. The entry is read first: Redmine answers
//! 204 to a field that does not exist, and an equal value written again would still move the
//! entry's time of change.

use super::Redmine;
use super::errors::{classify, of_body};
use super::map::id_text;
use super::scan::is_missing_record;
use super::wire::{self, BodyError, CustomValue};
use connector_sdk::async_trait;
use connector_sdk::call::CallError;
use connector_sdk::source::{Feedback, WriteBack};
use connector_sdk::transport::{Effect, Method};
use domain::exception::{Code, Problem};
use serde::Deserialize;
use serde_json::json;

/// The longest reference that is written, in characters: the usual limit of a text field.
pub const REFERENCE_LIMIT_CHARS: usize = 255;

#[derive(Deserialize)]
struct Shown {
    #[serde(default)]
    custom_fields: Vec<CustomValue>,
}

pub(super) fn refused(facts: impl Into<String>) -> CallError {
    CallError::Refused {
        problem: Problem::new(Code::TrackerRefused, facts),
    }
}

#[async_trait]
impl Feedback for Redmine {
    async fn write_back(&self, update: &WriteBack) -> Result<bool, CallError> {
        let Some(id) = id_text(&update.source_ref) else {
            return Ok(false);
        };
        let path = format!("time_entries/{id}.json");
        let reply = self.exchange(Method::Get, &path).await?;
        if is_missing_record(&reply.body, reply.status) {
            return Ok(false);
        }
        if reply.status == 403 {
            self.own_user("").await?;
            return Err(refused(format!(
                "Redmine does not show time entry {id}: its project is archived, or the \
                 connector's user has lost the permission. Its billing status stays as it was."
            )));
        }
        classify(&reply, Effect::Read, self.clock.now_us())?;
        let raw = wire::single(&reply.body, "time_entry")
            .map_err(|error| of_body(error, Effect::Read))?;
        let shown: Shown =
            serde_json::from_str(&raw.text).map_err(|_| of_body(BodyError::Shape, Effect::Read))?;
        let changes = self.changes(&id, &shown.custom_fields, update)?;
        if changes.is_empty() {
            return Ok(true);
        }
        let body = json!({ "time_entry": { "custom_fields": changes } });
        let reply = self.write(Method::Put, &path, &body).await?;
        match reply.status {
            403 => Err(refused(format!(
                "Redmine does not let the connector change time entry {id}: its project is closed, \
                 or the role lacks 'Edit time logs'. Reopen the project or give the permission."
            ))),
            404 if is_missing_record(&reply.body, reply.status) => Ok(false),
            404 => Err(of_body(BodyError::Html, Effect::Write)),
            _ => Ok(true),
        }
    }
}

impl Redmine {
    /// The fields that show something else than they should.
    fn changes(
        &self,
        id: &str,
        shown: &[CustomValue],
        update: &WriteBack,
    ) -> Result<Vec<serde_json::Value>, CallError> {
        let reference: String = update
            .reference
            .chars()
            .filter(|c| !c.is_control())
            .take(REFERENCE_LIMIT_CHARS)
            .collect();
        let wanted = [
            (&self.config.fields.billing_status, update.status.words()),
            (&self.config.fields.erp_reference, reference.as_str()),
        ];
        let mut changes = Vec::new();
        for (field, value) in wanted.into_iter().filter(|(field, _)| field.is_used()) {
            let Some(now) = shown.iter().find(|v| field.means(v.id, &v.name)) else {
                return Err(refused(format!(
                    "The {field} is not on time entry {id}: it does not exist, or is hidden from \
                     the connector's user. Run check."
                )));
            };
            if now.value.as_str().unwrap_or_default() != value {
                changes.push(json!({ "id": now.id, "value": value }));
            }
        }
        Ok(changes)
    }
}

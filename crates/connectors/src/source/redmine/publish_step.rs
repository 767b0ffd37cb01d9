//! One step of publishing, done and looked at.

use super::Redmine;
use super::errors::of_body;
use super::feedback::refused;
use super::map::shown;
use super::masters::is_closed;
use super::plan::Step;
use super::publish::Ids;
use super::wire::{self, BodyError, Issue, Project};
use connector_sdk::call::CallError;
use connector_sdk::transport::{Effect, Method, Reply};
use serde::Deserialize;
use serde_json::json;
use std::collections::BTreeMap;

impl Redmine {
    pub(super) async fn perform(
        &self,
        step: &Step,
        ids: &Ids,
        homes: &mut BTreeMap<String, u64>,
    ) -> Result<(), CallError> {
        match step {
            Step::CreateProject { code, .. } => {
                let id = self.create_project(step, ids).await?;
                homes.insert(code.clone(), id);
                Ok(())
            }
            Step::CreateIssue {
                project,
                code,
                subject,
            } => {
                let home = homes.get(project).copied().ok_or_else(|| {
                    refused("Its project does not exist in Redmine yet.".to_owned())
                })?;
                self.create_issue(home, code, subject, ids).await
            }
            Step::ReopenProject { id, .. } => {
                self.put(
                    &format!("projects/{id}/reopen.json"),
                    "Close / reopen the project",
                )
                .await
            }
            Step::CloseProject { id, .. } => {
                self.put(
                    &format!("projects/{id}/close.json"),
                    "Close / reopen the project",
                )
                .await
            }
            Step::CloseIssue { id, .. } => self.set_status(*id, ids.closed_status, true).await,
            Step::ReopenIssue { id, .. } => self.set_status(*id, ids.open_status, false).await,
        }
    }

    async fn create_project(&self, step: &Step, ids: &Ids) -> Result<u64, CallError> {
        let Step::CreateProject {
            code,
            name,
            identifier,
            parent,
            customer,
        } = step
        else {
            return Err(refused("This step makes no project."));
        };
        let mut values = vec![json!({ "id": ids.erp_project, "value": code })];
        if let (Some(id), Some(customer)) = (ids.erp_customer, customer) {
            values.push(json!({ "id": id, "value": customer }));
        }
        let mut project = json!({
            "name": name, "identifier": identifier, "is_public": false,
            "enabled_module_names": self.config.publish.modules,
            "tracker_ids": [ids.tracker], "issue_custom_field_ids": [ids.erp_task],
            "custom_fields": values,
        });
        if let (Some(parent), Some(object)) = (parent, project.as_object_mut()) {
            object.insert("parent_id".to_owned(), json!(parent));
            object.insert("inherit_members".to_owned(), json!(true));
        }
        let body = json!({ "project": project });
        let reply = self.write(Method::Post, "projects.json", &body).await?;
        allowed(&reply, "Create project' or 'Create subprojects")?;
        let made: Project = record(&reply, "project")?;
        if shown(&made.custom_fields, &self.config.fields.erp_project).as_ref() != Some(code) {
            return Err(refused(format!(
                "Redmine made the project but did not store its ERP code: the {} is not open to \
                 the connector's user. Enter the code there.",
                self.config.fields.erp_project
            )));
        }
        Ok(made.id)
    }

    async fn create_issue(
        &self,
        project: u64,
        code: &str,
        subject: &str,
        ids: &Ids,
    ) -> Result<(), CallError> {
        let body = json!({ "issue": {
            "project_id": project, "tracker_id": ids.tracker, "subject": subject,
            "custom_fields": [{ "id": ids.erp_task, "value": code }],
        }});
        let reply = self.write(Method::Post, "issues.json", &body).await?;
        allowed(&reply, "Add issues")?;
        let made: Issue = record(&reply, "issue")?;
        if shown(&made.custom_fields, &self.config.fields.erp_task).as_deref() == Some(code) {
            return Ok(());
        }
        Err(refused(format!(
            "Redmine made issue #{} but did not store its ERP code: the {} is not enabled for the \
             project and tracker. Enable it and enter the code there.",
            made.id, self.config.fields.erp_task
        )))
    }

    async fn put(&self, path: &str, permission: &str) -> Result<(), CallError> {
        let reply = self
            .write(Method::Put, path, &serde_json::Value::Null)
            .await?;
        allowed(&reply, permission)
    }

    /// Set a status and look whether it was set: what the workflow forbids is silently left.
    async fn set_status(&self, issue: u64, status: u64, closed: bool) -> Result<(), CallError> {
        let path = format!("issues/{issue}.json");
        let body = json!({ "issue": { "status_id": status } });
        let reply = self.write(Method::Put, &path, &body).await?;
        allowed(&reply, "Edit issues")?;
        let now: Issue = record(&self.get(&path).await?, "issue")?;
        if is_closed(&now) == closed {
            return Ok(());
        }
        Err(refused(format!(
            "Redmine left its status as it was: the workflow of the connector's role has no such \
             step. Add it in Administration, Workflow, or {} the issue by hand.",
            if closed { "close" } else { "reopen" }
        )))
    }
}

fn record<T: for<'a> Deserialize<'a>>(reply: &Reply, name: &str) -> Result<T, CallError> {
    wire::single(&reply.body, name)
        .and_then(|single| serde_json::from_str(&single.text).map_err(|_| BodyError::Shape))
        .map_err(|error| of_body(error, Effect::Read))
}

/// What 403 and 404 mean to a write of masters.
fn allowed(reply: &Reply, permission: &str) -> Result<(), CallError> {
    match reply.status {
        403 => Err(refused(format!(
            "Redmine forbids it: the connector's role lacks '{permission}', or the project is \
             closed or archived."
        ))),
        404 => Err(refused("Redmine does not know it any more.")),
        _ => Ok(()),
    }
}

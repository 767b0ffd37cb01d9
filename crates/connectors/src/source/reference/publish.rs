//! Making the tracker offer the ERP's projects and tasks, and nothing else.

use super::ReferenceTracker;
use super::feedback::refused_by_the_tracker;
use super::masters::{Project, Task};
use crate::reference_rest::encoded;
use connector_sdk::async_trait;
use connector_sdk::call::CallError;
use connector_sdk::source::{MasterWriter, Published};
use domain::masters::Masters;
use serde_json::json;

/// One record as it is to be offered.
struct Wanted<'a> {
    what: String,
    path: String,
    name: &'a str,
    closed: bool,
    /// Name and whether closed, as the tracker has it.
    now: Option<(&'a str, bool)>,
}

#[async_trait]
impl MasterWriter for ReferenceTracker {
    async fn publish(&self, masters: &Masters, dry_run: bool) -> Result<Published, CallError> {
        let projects: Vec<Project> = self.rows("projects").await?;
        let tasks: Vec<Task> = self.rows("tasks").await?;
        let mut published = Published {
            not_enforced: vec![
                "The tracker does not know who may book on what, nor when a task was closed."
                    .to_owned(),
            ],
            ..Published::default()
        };
        for wanted in wanted(masters, &projects, &tasks) {
            self.offer(&wanted, dry_run, &mut published).await?;
        }
        Ok(published)
    }
}

fn wanted<'a>(masters: &'a Masters, projects: &'a [Project], tasks: &'a [Task]) -> Vec<Wanted<'a>> {
    let mut all = Vec::new();
    for project in masters.projects.values() {
        let known = projects
            .iter()
            .find(|theirs| theirs.erp_code.as_deref() == Some(project.code.as_str()));
        all.push(Wanted {
            what: format!("project {}", project.code),
            path: format!("projects/by-code/{}", encoded(&project.code)),
            name: &project.name,
            closed: !project.active,
            now: known.map(|theirs| (theirs.name.as_str(), theirs.closed)),
        });
    }
    for task in &masters.tasks {
        let project_ids: Vec<&str> = projects
            .iter()
            .filter(|theirs| theirs.erp_code.as_deref() == Some(task.project.as_str()))
            .map(|theirs| theirs.id.as_str())
            .collect();
        let known = tasks.iter().find(|theirs| {
            theirs.erp_code.as_deref() == Some(task.code.as_str())
                && project_ids.contains(&theirs.project_id.as_str())
        });
        all.push(Wanted {
            what: format!("task {} of {}", task.code, task.project),
            path: format!(
                "tasks/by-code/{}/{}",
                encoded(&task.project),
                encoded(&task.code)
            ),
            name: &task.name,
            closed: !task.active,
            now: known.map(|theirs| (theirs.name.as_str(), theirs.closed)),
        });
    }
    all
}

impl ReferenceTracker {
    async fn offer(
        &self,
        wanted: &Wanted<'_>,
        dry_run: bool,
        published: &mut Published,
    ) -> Result<(), CallError> {
        let list = match wanted.now {
            // What is closed and was never offered needs no record.
            None if wanted.closed => return Ok(()),
            None => &mut published.created,
            Some((name, closed)) if name == wanted.name && closed == wanted.closed => {
                return Ok(());
            }
            Some((_, false)) if wanted.closed => &mut published.closed,
            Some(_) => &mut published.changed,
        };
        if !dry_run {
            let body = json!({"name": wanted.name, "closed": wanted.closed});
            let sent = self
                .rest
                .put(
                    &wanted.path,
                    body.to_string().into_bytes(),
                    self.config.write_timeout_ms,
                )
                .await
                .map_err(|fault| refused_by_the_tracker(fault.into_call_error()));
            match sent {
                Ok(_) => {}
                Err(CallError::Refused { problem }) => {
                    let words = problem.erp_words.unwrap_or_default();
                    published.refused.push(format!("{}: {words}", wanted.what));
                    return Ok(());
                }
                Err(error) => return Err(error),
            }
        }
        list.push(wanted.what.clone());
        Ok(())
    }
}

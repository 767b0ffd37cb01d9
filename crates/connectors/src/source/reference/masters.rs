//! The tracker's own projects, tasks and people.

use super::ReferenceTracker;
use crate::reference_rest::errors::of_body;
use crate::reference_rest::wire::parsed;
use connector_sdk::call::CallError;
use connector_sdk::transport::Effect;
use domain::masters::SourceMasters;
use serde::Deserialize;
use serde::de::DeserializeOwned;

#[derive(Debug, Deserialize)]
pub(super) struct Project {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) erp_code: Option<String>,
    pub(super) closed: bool,
}

#[derive(Debug, Deserialize)]
pub(super) struct Task {
    pub(super) id: String,
    pub(super) project_id: String,
    pub(super) name: String,
    pub(super) erp_code: Option<String>,
    pub(super) closed: bool,
}

#[derive(Debug, Deserialize)]
struct User {
    id: String,
    name: String,
    employee_code: Option<String>,
    active: bool,
}

impl ReferenceTracker {
    pub(super) async fn rows<T: DeserializeOwned>(&self, path: &str) -> Result<Vec<T>, CallError> {
        self.rest
            .list(path)
            .await?
            .iter()
            .map(|row| parsed(row.text.as_bytes()).map_err(|e| of_body(e, Effect::Read)))
            .collect()
    }

    pub(super) async fn source_masters(&self) -> Result<SourceMasters, CallError> {
        let mut masters = SourceMasters::default();
        for project in self.rows::<Project>("projects").await? {
            masters
                .names
                .insert(format!("project:{}", project.id), project.name);
            if project.closed {
                masters.closed.push(format!("project:{}", project.id));
            }
            if let Some(code) = filled(project.erp_code) {
                masters.project_codes.insert(project.id, code);
            }
        }
        for task in self.rows::<Task>("tasks").await? {
            masters.names.insert(format!("task:{}", task.id), task.name);
            if task.closed {
                masters.closed.push(format!("task:{}", task.id));
            }
            if let Some(code) = filled(task.erp_code) {
                masters.task_codes.insert(task.id, code);
            }
        }
        for user in self.rows::<User>("users").await? {
            masters
                .names
                .insert(format!("worker:{}", user.id), user.name);
            if !user.active {
                masters.closed.push(format!("worker:{}", user.id));
            }
            if let Some(code) = filled(user.employee_code) {
                masters.worker_codes.insert(user.id, code);
            }
        }
        Ok(masters)
    }
}

fn filled(code: Option<String>) -> Option<String> {
    code.map(|code| code.trim().to_owned())
        .filter(|code| !code.is_empty())
}

//! Redmine's own projects, issues and users, with the ERP codes that people entered there.

use super::Redmine;
use super::config::{FieldRef, WorkerCode};
use super::errors::{classify, of_body};
use super::map::shown;
use super::pages::Row;
use super::scan::is_missing_record;
use super::wire::{self, BodyError, Issue, Project, User};
use connector_sdk::call::CallError;
use connector_sdk::transport::{Effect, Method};
use domain::masters::SourceMasters;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

/// The status of an active project.
pub(super) const PROJECT_ACTIVE: u64 = 1;
/// How far up a project's customer is looked for.
const PARENTS_MAX: usize = 32;

impl Redmine {
    /// A list whose rows are all needed: a row that cannot be read spoils it, since a project left
    /// out would look like one that has no ERP code.
    pub(super) async fn all<T: for<'a> Deserialize<'a>>(
        &self,
        path: &str,
        list: &str,
    ) -> Result<Vec<T>, CallError> {
        let read = |row: &Row| serde_json::from_str(&row.text);
        self.list(path, list)
            .await?
            .iter()
            .map(read)
            .collect::<Result<Vec<T>, _>>()
            .map_err(|_| of_body(BodyError::Shape, Effect::Read))
    }

    /// All projects that the key's user sees; by default Redmine hides the closed ones.
    pub(super) async fn projects(&self) -> Result<Vec<Project>, CallError> {
        self.all("projects.json?status=1%7C5%7C9", "projects").await
    }

    /// All issues with an ERP task code, closed ones too. Where the code's field is not known by id
    /// and no issue shows it, all issues are read.
    pub(super) async fn issues(&self) -> Result<Vec<Issue>, CallError> {
        let path = "issues.json?status_id=*&sort=id";
        let field = &self.config.fields.erp_task;
        let id = match field {
            FieldRef::Id(id) => Some(*id),
            FieldRef::Name(_) => {
                let reply = self.get(&format!("{path}&limit=1&offset=0")).await?;
                let page = wire::page(&reply.body, "issues")
                    .map_err(|error| of_body(error, Effect::Read))?;
                page.rows
                    .iter()
                    .filter_map(|row| serde_json::from_str::<Issue>(row).ok())
                    .flat_map(|issue| issue.custom_fields)
                    .find(|value| field.means(value.id, &value.name))
                    .map(|value| value.id)
            }
        };
        match id {
            // Redmine ignores a filter that it does not know: then more comes, never less.
            Some(id) if id > 0 => self.all(&format!("{path}&cf_{id}=*"), "issues").await,
            _ => self.all(path, "issues").await,
        }
    }

    /// All users: at once with an administrator's key, else the members of the projects one by one.
    async fn users(&self, projects: &[Project]) -> Result<Vec<User>, CallError> {
        let first = self
            .exchange(Method::Get, "users.json?status=1&limit=1")
            .await?;
        if first.status != 403 {
            classify(&first, Effect::Read, self.clock.now_us())?;
            let mut users: Vec<User> = self.all("users.json?status=1", "users").await?;
            let locked: Vec<User> = self.all("users.json?status=3", "users").await?;
            users.extend(locked);
            return Ok(users);
        }
        let mut members = BTreeSet::new();
        for project in projects {
            let path = format!("projects/{}/memberships.json", project.id);
            let rows: Vec<wire::Membership> = self.all(&path, "memberships").await?;
            members.extend(
                rows.into_iter()
                    .filter_map(|row| row.user.map(|user| user.id)),
            );
        }
        let mut users = Vec::new();
        for id in members {
            let reply = self
                .exchange(Method::Get, &format!("users/{id}.json"))
                .await?;
            // A locked user is only shown to administrators; the crosswalk can name it.
            if is_missing_record(&reply.body, reply.status) || reply.status == 403 {
                continue;
            }
            classify(&reply, Effect::Read, self.clock.now_us())?;
            let user =
                wire::single(&reply.body, "user").map_err(|error| of_body(error, Effect::Read))?;
            let user: User = serde_json::from_str(&user.text)
                .map_err(|_| of_body(BodyError::Shape, Effect::Read))?;
            users.push(user);
        }
        Ok(users)
    }

    pub(super) async fn source_masters(&self) -> Result<SourceMasters, CallError> {
        let projects = self.projects().await?;
        let issues = self.issues().await?;
        let users = match self.config.worker_code {
            WorkerCode::None => Vec::new(),
            WorkerCode::Login | WorkerCode::Mail | WorkerCode::CustomField(_) => {
                self.users(&projects).await?
            }
        };
        let mut masters = SourceMasters::default();
        add_projects(&mut masters, &projects, &self.config.fields.erp_project);
        for (id, code) in customers(&projects, &self.config.fields.erp_customer) {
            masters.project_customers.insert(id.to_string(), code);
        }
        add_issues(&mut masters, &issues, &self.config.fields.erp_task);
        add_users(&mut masters, &users, &self.config.worker_code);
        Ok(masters)
    }
}

fn add_projects(masters: &mut SourceMasters, projects: &[Project], field: &FieldRef) {
    for project in projects {
        let id = project.id.to_string();
        masters
            .names
            .insert(format!("project:{id}"), project.name.clone());
        if project.status != PROJECT_ACTIVE {
            masters.closed.push(format!("project:{id}"));
        }
        if let Some(code) = shown(&project.custom_fields, field) {
            masters.project_codes.insert(id, code);
        }
    }
}

fn add_issues(masters: &mut SourceMasters, issues: &[Issue], field: &FieldRef) {
    for issue in issues {
        let id = issue.id.to_string();
        masters
            .names
            .insert(format!("task:{id}"), issue.subject.clone());
        if is_closed(issue) {
            masters.closed.push(format!("task:{id}"));
        }
        if let Some(code) = shown(&issue.custom_fields, field) {
            masters.task_codes.insert(id, code);
        }
    }
}

/// Whether an issue is closed; versions that do not say so still give the day.
pub(super) fn is_closed(issue: &Issue) -> bool {
    issue
        .status
        .as_ref()
        .and_then(|status| status.is_closed)
        .unwrap_or_else(|| issue.closed_on.is_some())
}

fn add_users(masters: &mut SourceMasters, users: &[User], from: &WorkerCode) {
    for user in users {
        let id = user.id.to_string();
        let name = format!("{} {}", user.firstname, user.lastname);
        masters
            .names
            .insert(format!("worker:{id}"), name.trim().to_owned());
        let code = match from {
            WorkerCode::Login => user.login.clone(),
            WorkerCode::Mail => user.mail.clone(),
            WorkerCode::CustomField(field) => shown(&user.custom_fields, field),
            WorkerCode::None => None,
        };
        if let Some(code) = code.filter(|code| !code.is_empty()) {
            masters.worker_codes.insert(id, code);
        }
    }
}

/// The ERP customer of each project: its own, else the nearest parent's.
pub(super) fn customers(projects: &[Project], field: &FieldRef) -> BTreeMap<u64, String> {
    let by_id: BTreeMap<u64, &Project> = projects.iter().map(|p| (p.id, p)).collect();
    let customer_of = |project: &Project| {
        let mut at = Some(project);
        for _ in 0..PARENTS_MAX {
            let here = at?;
            if let Some(code) = shown(&here.custom_fields, field) {
                return Some(code);
            }
            at = here
                .parent
                .as_ref()
                .and_then(|parent| by_id.get(&parent.id).copied());
        }
        None
    };
    projects
        .iter()
        .filter_map(|project| Some((project.id, customer_of(project)?)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn project(text: &str) -> Project {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn a_project_without_customer_has_its_parents() {
        let projects = [
            project(r#"{"id":1,"custom_fields":[{"id":5,"name":"ERP customer","value":"C-1"}]}"#),
            project(
                r#"{"id":2,"parent":{"id":1},"custom_fields":[{"id":5,"name":"ERP customer","value":""}]}"#,
            ),
            project(
                r#"{"id":3,"parent":{"id":2},"custom_fields":[{"id":5,"name":"ERP customer","value":"C-3"}]}"#,
            ),
            project(r#"{"id":4,"parent":{"id":99}}"#),
            project(r#"{"id":5,"parent":{"id":6}}"#),
            project(r#"{"id":6,"parent":{"id":5}}"#),
        ];
        let field = FieldRef::Name("ERP customer".to_owned());
        let found = customers(&projects, &field);
        let expected = [(1, "C-1"), (2, "C-1"), (3, "C-3")];
        assert_eq!(
            found,
            expected.map(|(id, code)| (id, code.to_owned())).into()
        );
    }

    #[test]
    fn closed_is_told_for_projects_and_issues() {
        let mut masters = SourceMasters::default();
        let projects = [
            project(r#"{"id":1,"name":"A","status":1}"#),
            project(r#"{"id":2,"name":"B","status":5}"#),
            project(r#"{"id":3,"name":"C","status":9}"#),
        ];
        let issues: Vec<Issue> = serde_json::from_str(
            r#"[{"id":7,"project":{"id":1},"subject":"Old","status":{"id":5,"name":"Closed"},
                 "closed_on":"2026-01-01T00:00:00Z"},
                {"id":8,"project":{"id":1},"status":{"id":1,"name":"New","is_closed":false},
                 "closed_on":"2026-01-01T00:00:00Z",
                 "custom_fields":[{"id":9,"name":"ERP task","value":" T-8 "}]}]"#,
        )
        .unwrap();
        add_projects(&mut masters, &projects, &FieldRef::Id(6));
        add_issues(&mut masters, &issues, &FieldRef::Id(9));
        assert_eq!(masters.closed, ["project:2", "project:3", "task:7"]);
        assert_eq!(masters.task_codes["8"], "T-8");
        assert_eq!(masters.names["task:7"], "Old");
    }
}

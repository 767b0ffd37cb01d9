//! Publishing the ERP's masters into Redmine: projects and issues are made, reopened and closed.
//! Nothing is deleted and nothing is renamed.
//!
//! Redmine answers "done" to some things that it does not do: an unknown custom field, a status
//! that the role's workflow does not allow. So what was made or closed is looked at afterwards, and
//! what people made without a code is never made a second time.

use super::Redmine;
use super::config::FieldRef;
use super::errors::of_body;
use super::feedback::refused;
use super::map::shown;
use super::plan::{Plan, Standing, Step, plan};
use super::wire::{self, CustomValue, Issue, IssueStatus, Named, Project};
use connector_sdk::async_trait;
use connector_sdk::call::CallError;
use connector_sdk::source::{MasterWriter, Published};
use connector_sdk::transport::Effect;
use domain::masters::Masters;
use jiff::tz::TimeZone;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

/// How many projects a line names.
const NAMES_MAX: usize = 5;

/// Redmine's ids of what the steps need.
pub(super) struct Ids {
    pub(super) erp_project: u64,
    pub(super) erp_customer: Option<u64>,
    pub(super) erp_task: u64,
    pub(super) tracker: u64,
    pub(super) closed_status: u64,
    pub(super) open_status: u64,
}

#[async_trait]
impl MasterWriter for Redmine {
    async fn publish(&self, masters: &Masters, dry_run: bool) -> Result<Published, CallError> {
        self.own_user("").await?;
        let projects = self.projects().await?;
        let issues = self.issues().await?;
        let now = jiff::Timestamp::from_microsecond(self.clock.now_us()).unwrap_or_default();
        let standing = Standing {
            projects: &projects,
            issues: &issues,
            today: now.to_zoned(TimeZone::UTC).date(),
        };
        let mut plan = plan(masters, &standing, &self.config);
        let mut published = Published {
            refused: std::mem::take(&mut plan.refused),
            not_enforced: not_enforced(&plan),
            ..Published::default()
        };
        let steps = self.without_namesakes(&mut plan, &mut published).await?;
        if steps.is_empty() {
            return Ok(published);
        }
        let ids = self.ids(&projects, &issues).await?;
        for step in steps {
            let outcome = if dry_run {
                Ok(())
            } else {
                self.perform(&step, &ids, &mut plan.homes).await
            };
            match outcome {
                Ok(()) => match step {
                    Step::CreateProject { .. } | Step::CreateIssue { .. } => {
                        published.created.push(step.words());
                    }
                    Step::ReopenProject { .. } | Step::ReopenIssue { .. } => {
                        published.changed.push(step.words());
                    }
                    Step::CloseIssue { .. } | Step::CloseProject { .. } => {
                        published.closed.push(step.words());
                    }
                },
                Err(CallError::Refused { problem }) => {
                    let line = format!("{}: {}", step.words(), problem.facts);
                    published.refused.push(line);
                }
                Err(error) => return Err(error),
            }
        }
        Ok(published)
    }
}

fn not_enforced(plan: &Plan) -> Vec<String> {
    let mut lines = vec![
        "Redmine takes time on a closed issue and without an issue; such time is held here until \
         it is moved."
            .to_owned(),
        "Redmine lets people change and delete time that was already billed; the next sync sees it."
            .to_owned(),
    ];
    if !plan.uncoded.is_empty() {
        let names: Vec<&str> = plan
            .uncoded
            .iter()
            .take(NAMES_MAX)
            .map(String::as_str)
            .collect();
        lines.push(format!(
            "Redmine takes time on {} active projects without ERP code ({}{}); such time is held \
             here.",
            plan.uncoded.len(),
            names.join(", "),
            if plan.uncoded.len() > NAMES_MAX {
                ", ..."
            } else {
                ""
            }
        ));
    }
    lines
}

impl Redmine {
    /// The steps without issues that people already made and only forgot to give the code.
    async fn without_namesakes(
        &self,
        plan: &mut Plan,
        published: &mut Published,
    ) -> Result<Vec<Step>, CallError> {
        let mut subjects: BTreeMap<u64, Vec<Issue>> = BTreeMap::new();
        let mut steps = Vec::new();
        for step in std::mem::take(&mut plan.steps) {
            let home = match &step {
                Step::CreateIssue { project, .. } => plan.homes.get(project).copied(),
                _ => None,
            };
            if let (Step::CreateIssue { subject, code, .. }, Some(home)) = (&step, home) {
                let there = match subjects.entry(home) {
                    Entry::Occupied(known) => known.into_mut(),
                    Entry::Vacant(unknown) => {
                        let path = format!("issues.json?project_id={home}&status_id=*&sort=id");
                        unknown.insert(self.all(&path, "issues").await?)
                    }
                };
                let namesake = there.iter().find(|issue| {
                    issue.subject == *subject
                        && issue.project.id == home
                        && shown(&issue.custom_fields, &self.config.fields.erp_task).is_none()
                });
                if let Some(issue) = namesake {
                    published.refused.push(format!(
                        "Issue #{} '{subject}' has the name of ERP task {code} but not its code. \
                         Enter the code there, in {}.",
                        issue.id, self.config.fields.erp_task
                    ));
                    continue;
                }
            }
            steps.push(step);
        }
        Ok(steps)
    }

    async fn ids(&self, projects: &[Project], issues: &[Issue]) -> Result<Ids, CallError> {
        let fields = &self.config.fields;
        let on_projects: Vec<&CustomValue> =
            projects.iter().flat_map(|p| &p.custom_fields).collect();
        let on_issues: Vec<&CustomValue> = issues.iter().flat_map(|i| &i.custom_fields).collect();
        let erp_project = self
            .field_id(&fields.erp_project, &on_projects, "project")
            .await?;
        let erp_customer = if fields.erp_customer.is_used() {
            Some(
                self.field_id(&fields.erp_customer, &on_projects, "project")
                    .await?,
            )
        } else {
            None
        };
        let erp_task = self.field_id(&fields.erp_task, &on_issues, "issue").await?;
        let trackers: Vec<Named> = self.small("trackers.json", "trackers").await?;
        let statuses: Vec<IssueStatus> =
            self.small("issue_statuses.json", "issue_statuses").await?;
        let wanted = &self.config.publish;
        let fits = |wanted: &str, name: &str| wanted.is_empty() || wanted == name;
        let tracker = trackers
            .iter()
            .find(|t| fits(&wanted.tracker, t.name.as_deref().unwrap_or_default()))
            .ok_or_else(|| absent("tracker", &wanted.tracker))?;
        let status = |name: &str, closed: bool| {
            statuses
                .iter()
                .find(|s| s.is_closed == Some(closed) && fits(name, &s.name))
                .map(|s| s.id)
                .ok_or_else(|| absent("issue status", name))
        };
        Ok(Ids {
            erp_project,
            erp_customer,
            erp_task,
            tracker: tracker.id,
            closed_status: status(&wanted.closed_status, true)?,
            open_status: status(&wanted.open_status, false)?,
        })
    }

    async fn small<T: for<'a> Deserialize<'a>>(
        &self,
        path: &str,
        list: &str,
    ) -> Result<Vec<T>, CallError> {
        let reply = self.get(path).await?;
        wire::whole(&reply.body, list).map_err(|error| of_body(error, Effect::Read))
    }

    /// The id of a field: from the configuration, a record that shows it, or its definition.
    async fn field_id(
        &self,
        field: &FieldRef,
        seen: &[&CustomValue],
        on: &str,
    ) -> Result<u64, CallError> {
        if let FieldRef::Id(id) = field {
            return Ok(*id);
        }
        if let Some(value) = seen.iter().find(|v| field.means(v.id, &v.name)) {
            return Ok(value.id);
        }
        let definitions = self.definitions().await?.unwrap_or_default();
        definitions
            .iter()
            .find(|d| d.customized_type == on && field.means(d.id, &d.name))
            .map(|d| d.id)
            .ok_or_else(|| {
                refused(format!(
                    "Nothing was published, since no {on} shows the {field}. Run check; where the \
                     field is new, set its id instead of its name, or use an administrator's key."
                ))
            })
    }
}

fn absent(what: &str, name: &str) -> CallError {
    refused(format!(
        "Nothing was published, since Redmine has no fitting {what} '{name}'. Correct the name \
         under publish."
    ))
}

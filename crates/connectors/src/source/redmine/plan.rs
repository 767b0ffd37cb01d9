//! What has to be done so that Redmine offers what the ERP knows: pure, and in the order in which
//! it has to happen.

use super::config::RedmineConfig;
use super::map::shown;
use super::masters::{PROJECT_ACTIVE, is_closed};
use super::wire::{Issue, Project};
use data_encoding::HEXLOWER;
use domain::ids::digest16;
use domain::masters::{Masters, Project as ErpProject, Task};
use jiff::civil::Date;
use std::collections::BTreeMap;

/// The longest identifier that Redmine stores.
pub const IDENTIFIER_LIMIT_CHARS: usize = 100;
/// The longest name or subject that Redmine stores.
pub(super) const NAME_LIMIT_CHARS: usize = 255;

/// One thing to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    CreateProject {
        code: String,
        name: String,
        identifier: String,
        parent: Option<u64>,
        /// Sent where no parent carries it.
        customer: Option<String>,
    },
    ReopenProject {
        id: u64,
        name: String,
    },
    CreateIssue {
        /// The ERP's project code.
        project: String,
        code: String,
        subject: String,
    },
    ReopenIssue {
        id: u64,
        subject: String,
    },
    CloseIssue {
        id: u64,
        subject: String,
    },
    CloseProject {
        id: u64,
        name: String,
    },
}

impl Step {
    /// What is done, in words.
    pub(super) fn words(&self) -> String {
        match self {
            Self::CreateProject {
                code, identifier, ..
            } => format!("project {identifier} for ERP project {code}"),
            Self::ReopenProject { name, .. } => format!("project '{name}' reopened"),
            Self::CreateIssue {
                project,
                code,
                subject,
            } => format!("issue '{subject}' for ERP task {code} of {project}"),
            Self::ReopenIssue { id, subject } => format!("issue #{id} '{subject}' reopened"),
            Self::CloseIssue { id, subject } => format!("issue #{id} '{subject}'"),
            Self::CloseProject { name, .. } => format!("project '{name}'"),
        }
    }
}

/// The steps, and what cannot be done.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Plan {
    pub(super) steps: Vec<Step>,
    pub(super) refused: Vec<String>,
    /// Active projects without an ERP code, by name.
    pub(super) uncoded: Vec<String>,
    /// The Redmine project where issues of an ERP project are made, by its code.
    pub(super) homes: BTreeMap<String, u64>,
}

/// A project identifier for an ERP code: lower-case, stable, and different for different codes.
///
/// A code of capital letters, digits, '-' and '_' keeps its shape. Any other code loses something
/// on the way, so that a digest of the whole code is added.
pub fn identifier(prefix: &str, code: &str) -> String {
    let plain = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || matches!(c, '-' | '_');
    let slug: String = code
        .chars()
        .map(|c| match c.to_ascii_lowercase() {
            c if c.is_ascii_alphanumeric() || matches!(c, '-' | '_') => c,
            _ => '-',
        })
        .collect();
    let keeps_all = !code.is_empty()
        && code.chars().all(plain)
        && prefix.len() + slug.len() <= IDENTIFIER_LIMIT_CHARS
        && (!prefix.is_empty() || slug.bytes().any(|b| b.is_ascii_lowercase()))
        && (!prefix.is_empty() || slug != "new");
    if keeps_all {
        return format!("{prefix}{slug}");
    }
    let digest: String = HEXLOWER
        .encode(&digest16("redmine project", &[code.as_bytes()]))
        .chars()
        .take(12)
        .collect();
    let room = IDENTIFIER_LIMIT_CHARS.saturating_sub(prefix.len() + digest.len() + 2);
    let head: String = slug.chars().take(room).collect();
    format!("{prefix}{head}-x{digest}")
}

/// What stands in Redmine.
pub(super) struct Standing<'a> {
    pub(super) projects: &'a [Project],
    /// The issues that carry a task code.
    pub(super) issues: &'a [Issue],
    /// A task closed after an earlier day takes no time any more.
    pub(super) today: Date,
}

/// Compare the ERP's masters with what stands in Redmine.
pub(super) fn plan(masters: &Masters, standing: &Standing<'_>, config: &RedmineConfig) -> Plan {
    let mut plan = Plan::default();
    let mut by_code: BTreeMap<String, Vec<&Project>> = BTreeMap::new();
    for project in standing.projects {
        match shown(&project.custom_fields, &config.fields.erp_project) {
            Some(code) => by_code.entry(code).or_default().push(project),
            None if project.status == PROJECT_ACTIVE => plan.uncoded.push(project.name.clone()),
            None => {}
        }
    }
    for (code, projects) in &by_code {
        if !masters.projects.contains_key(code) {
            let names: Vec<&str> = projects.iter().map(|p| p.name.as_str()).collect();
            plan.refused.push(format!(
                "Project '{}' carries the ERP code {code}, which the ERP does not know. Correct \
                 the code, or close the project by hand.",
                names.join("', '")
            ));
        }
    }
    let mut closing = Vec::new();
    for erp in masters.projects.values() {
        let own = by_code.get(&erp.code).map_or(&[][..], Vec::as_slice);
        match (erp.active, own) {
            (true, []) => create(&mut plan, erp, standing, config),
            (true, _) => {
                if let Some(home) = home(own) {
                    plan.homes.insert(erp.code.clone(), home.id);
                    if home.status != PROJECT_ACTIVE {
                        plan.steps.push(Step::ReopenProject {
                            id: home.id,
                            name: home.name.clone(),
                        });
                    }
                }
            }
            (false, _) => {
                let open = own.iter().filter(|p| p.status == PROJECT_ACTIVE);
                closing.extend(open.map(|p| Step::CloseProject {
                    id: p.id,
                    name: p.name.clone(),
                }));
            }
        }
    }
    for task in &masters.tasks {
        let active = masters
            .projects
            .get(&task.project)
            .is_some_and(|project| project.active);
        if active {
            let own = by_code.get(&task.project).map_or(&[][..], Vec::as_slice);
            plan_task(&mut plan, task, own, standing, config);
        }
    }
    plan.steps.extend(closing);
    plan
}

/// Where the issues of an ERP project are made: an active project before a closed one, the oldest
/// first. Archived projects cannot be reopened by this way.
fn home<'a>(projects: &[&'a Project]) -> Option<&'a Project> {
    projects
        .iter()
        .copied()
        .min_by_key(|project| (project.status, project.id))
}

fn create(plan: &mut Plan, erp: &ErpProject, standing: &Standing<'_>, config: &RedmineConfig) {
    let identifier = identifier(&config.publish.identifier_prefix, &erp.code);
    if let Some(taken) = standing
        .projects
        .iter()
        .find(|p| p.identifier == identifier)
    {
        plan.refused.push(format!(
            "ERP project {} needs the identifier {identifier}, but project '{}' has it without \
             carrying the ERP code. Enter the code there, in {}.",
            erp.code, taken.name, config.fields.erp_project
        ));
        return;
    }
    let parent = erp.customer.as_ref().and_then(|customer| {
        standing
            .projects
            .iter()
            .filter(|p| {
                p.status == PROJECT_ACTIVE
                    && shown(&p.custom_fields, &config.fields.erp_customer).as_ref()
                        == Some(customer)
                    && shown(&p.custom_fields, &config.fields.erp_project).is_none()
            })
            .map(|p| p.id)
            .min()
    });
    plan.steps.push(Step::CreateProject {
        code: erp.code.clone(),
        name: named(&erp.name, &erp.code),
        identifier,
        parent,
        customer: if parent.is_none() {
            erp.customer.clone()
        } else {
            None
        },
    });
}

/// A name that Redmine takes: not empty and not too long.
fn named(name: &str, code: &str) -> String {
    let name = if name.trim().is_empty() { code } else { name };
    name.trim().chars().take(NAME_LIMIT_CHARS).collect()
}

fn plan_task(
    plan: &mut Plan,
    task: &Task,
    projects: &[&Project],
    standing: &Standing<'_>,
    config: &RedmineConfig,
) {
    let open = task.active && task.closed_after.is_none_or(|day| day >= standing.today);
    let own: Vec<&Issue> = standing
        .issues
        .iter()
        .filter(|issue| {
            projects.iter().any(|p| p.id == issue.project.id)
                && shown(&issue.custom_fields, &config.fields.erp_task).as_ref() == Some(&task.code)
        })
        .collect();
    if !open {
        let closing = own
            .iter()
            .filter(|i| !is_closed(i))
            .map(|issue| Step::CloseIssue {
                id: issue.id,
                subject: issue.subject.clone(),
            });
        plan.steps.extend(closing);
    } else if own.is_empty() {
        plan.steps.push(Step::CreateIssue {
            project: task.project.clone(),
            code: task.code.clone(),
            subject: named(&task.name, &task.code),
        });
    } else if own.iter().all(|issue| is_closed(issue))
        && let Some(first) = own.first()
    {
        plan.steps.push(Step::ReopenIssue {
            id: first.id,
            subject: first.subject.clone(),
        });
    }
}

#[cfg(test)]
#[path = "plan_tests.rs"]
mod tests;

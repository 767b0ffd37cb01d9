//! Projects and tasks: one model in Tryton, told apart by its type. Time is booked on a record of
//! its own, `timesheet.work`, whose origin names the project or task.

use super::Tryton;
use super::config::WorkCode;
use super::facts::{Facts, clause};
use super::json::Json;
use super::masters::ByCode;
use super::wire::{Record, Unreadable};
use connector_sdk::call::CallError;
use domain::masters::{Project, Task};
use jiff::civil::Date;
use std::collections::BTreeMap;

impl WorkCode {
    fn of(self, record: Record<'_>) -> Result<Option<&str>, Unreadable> {
        match self {
            Self::Number => record.text("number"),
            Self::Name => record.text("name"),
            Self::NamePrefix => Ok(record
                .text("name")?
                .and_then(|name| name.split_whitespace().next())),
        }
    }
}

/// A project or task.
struct Work {
    is_project: bool,
    parent: Option<i64>,
    code: Option<String>,
    name: String,
    customer: Option<String>,
    open: bool,
}

/// Where time is booked on a project or task.
struct Bookable {
    id: i64,
    closed_after: Option<Date>,
}

impl Tryton {
    /// Projects by code, and their tasks in order.
    pub(super) async fn works(
        &self,
        facts: &Facts,
        shared: &mut Vec<String>,
    ) -> Result<(BTreeMap<String, Project>, Vec<Task>), CallError> {
        let works = self.project_works(facts).await?;
        let bookable = self.bookable(facts).await?;
        let mut projects = ByCode::new();
        for (id, work) in works.iter().filter(|(_, work)| work.is_project) {
            let Some(code) = &work.code else { continue };
            let project = Project {
                code: code.clone(),
                name: work.name.clone(),
                erp_ref: id.to_string(),
                customer: work.customer.clone(),
                active: work.open,
            };
            projects.add(code, project);
        }
        let projects = projects.finish("project", shared);
        let mut tasks = ByCode::new();
        for (id, work) in works.iter().filter(|(_, work)| !work.is_project) {
            let project = project_of(&works, *id).and_then(|work| work.code.clone());
            let (Some(project), Some(code)) = (project, &work.code) else {
                continue;
            };
            if !projects.contains_key(&project) {
                continue;
            }
            let booked_on = bookable.get(id);
            let task = Task {
                project: project.clone(),
                code: code.clone(),
                name: work.name.clone(),
                // A task that takes no time has no record for it, hence nothing to name.
                erp_ref: booked_on.map(|b| b.id.to_string()).unwrap_or_default(),
                active: work.open && booked_on.is_some(),
                closed_after: booked_on.and_then(|b| b.closed_after),
            };
            tasks.add(&format!("{project} / {code}"), task);
        }
        let mut tasks: Vec<Task> = tasks.finish("task", shared).into_values().collect();
        tasks.sort_by(|a, b| (&a.project, &a.code).cmp(&(&b.project, &b.code)));
        Ok((projects, tasks))
    }

    async fn project_works(&self, facts: &Facts) -> Result<BTreeMap<i64, Work>, CallError> {
        let party_code = format!("party.{}", self.config.party_code_field);
        let fields = [
            "type",
            "parent",
            "number",
            "name",
            &party_code,
            "status.progress",
        ];
        let domain = [clause("company", "=", Json::int(facts.company))];
        let rows = self.search_all("project.work", &domain, &fields).await?;
        let mut works = BTreeMap::new();
        for row in &rows {
            let record = Record(row);
            let is_project = record.text("type")? == Some("project");
            let place = if is_project {
                self.config.project_code
            } else {
                self.config.task_code
            };
            // A status that sets the progress to the whole is the one of finished work.
            let done = record
                .decimal("status.progress")?
                .is_some_and(|p| p >= 1.into());
            let work = Work {
                is_project,
                parent: record.id_or_none("parent")?,
                code: place.of(record)?.map(str::to_owned),
                name: record.text("name")?.unwrap_or_default().to_owned(),
                customer: record.text(&party_code)?.map(str::to_owned),
                open: !done,
            };
            works.insert(record.id("id")?, work);
        }
        Ok(works)
    }

    /// Where time is booked, by the id of the project or task.
    async fn bookable(&self, facts: &Facts) -> Result<BTreeMap<i64, Bookable>, CallError> {
        let domain = [
            clause("company", "=", Json::int(facts.company)),
            clause("origin", "like", Json::text("project.work,%")),
        ];
        let rows = self
            .search_all("timesheet.work", &domain, &["origin", "timesheet_end_date"])
            .await?;
        let mut bookable = BTreeMap::new();
        for row in &rows {
            let record = Record(row);
            let origin = record.text("origin")?.unwrap_or_default();
            let work = origin
                .strip_prefix("project.work,")
                .and_then(|id| id.parse().ok());
            let Some(work) = work else { continue };
            let closed_after = record.date("timesheet_end_date")?;
            bookable.insert(
                work,
                Bookable {
                    id: record.id("id")?,
                    closed_after,
                },
            );
        }
        Ok(bookable)
    }
}

/// The project that a task belongs to; tasks nest.
fn project_of(works: &BTreeMap<i64, Work>, task: i64) -> Option<&Work> {
    let mut at = works.get(&task)?;
    // Tryton forbids rings; a bound keeps a broken answer from turning for ever.
    for _ in 0..64 {
        if at.is_project {
            return Some(at);
        }
        at = works.get(&at.parent?)?;
    }
    None
}

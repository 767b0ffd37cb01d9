//! Tryton's masters in our words.
//!
//! Records without a code are not ours to bill. A code that two records share names neither of
//! them: both are left out and the check says so, rather than one being guessed.

use super::Tryton;
use super::config::WorkCode;
use super::facts::{Facts, clause};
use super::json::Json;
use super::wire::{Record, Unreadable};
use connector_sdk::call::CallError;
use domain::masters::{Customer, Masters, Project, ServiceItem, Task, Worker};
use domain::period::Period;
use jiff::civil::Date;
use std::collections::{BTreeMap, BTreeSet};

/// What reading the masters brought.
pub(super) struct Read {
    pub(super) masters: Masters,
    /// Codes that two records share, in words.
    pub(super) shared_codes: Vec<String>,
}

/// Collects records by code and drops the codes that are not unique.
struct ByCode<T> {
    kept: BTreeMap<String, T>,
    shared: BTreeSet<String>,
}

impl<T> ByCode<T> {
    const fn new() -> Self {
        Self {
            kept: BTreeMap::new(),
            shared: BTreeSet::new(),
        }
    }

    fn add(&mut self, code: &str, record: T) {
        if self.shared.contains(code) {
            return;
        }
        if self.kept.remove(code).is_some() {
            self.shared.insert(code.to_owned());
        } else {
            self.kept.insert(code.to_owned(), record);
        }
    }

    fn finish(self, what: &str, shared_codes: &mut Vec<String>) -> BTreeMap<String, T> {
        shared_codes.extend(self.shared.iter().map(|code| format!("{what} {code}")));
        self.kept
    }
}

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
    /// [`connector_sdk::target::Target::masters`].
    pub(super) async fn read_masters(&self) -> Result<Masters, CallError> {
        Ok(self.read_all_masters().await?.masters)
    }

    pub(super) async fn read_all_masters(&self) -> Result<Read, CallError> {
        let facts = self.facts().await?;
        let mut shared_codes = Vec::new();
        let (workers, staff) = self.workers(&facts, &mut shared_codes).await?;
        let customers = self.customers(&facts, &staff, &mut shared_codes).await?;
        let (projects, tasks) = self.works(&facts, &mut shared_codes).await?;
        let service_items = self.service_items(&mut shared_codes).await?;
        let periods = self.periods(&facts).await?;
        let masters = Masters {
            customers,
            projects,
            tasks,
            workers,
            service_items,
            periods,
        };
        Ok(Read {
            masters,
            shared_codes,
        })
    }

    async fn customers(
        &self,
        facts: &Facts,
        staff: &BTreeSet<i64>,
        shared: &mut Vec<String>,
    ) -> Result<BTreeMap<String, Customer>, CallError> {
        let held = self.hold_categories().await?;
        let code_field = self.config.party_code_field.as_str();
        let mut fields = vec![code_field, "name", "active", "categories"];
        let has_currency = self.has_field("party.party", "customer_currency").await?;
        if has_currency {
            fields.push("customer_currency.code");
        }
        let rows = self.search_all("party.party", &[], &fields).await?;
        let mut customers = ByCode::new();
        for row in &rows {
            let party = Record(row);
            let id = party.id("id")?;
            let Some(code) = party.text(code_field)? else {
                continue;
            };
            // Our own people and our own firm are parties, and no customers.
            if id == facts.company_party || staff.contains(&id) {
                continue;
            }
            let currency = party
                .text("customer_currency.code")?
                .and_then(|c| c.parse().ok());
            let categories = party.ids("categories")?;
            let customer = Customer {
                code: code.to_owned(),
                name: party.text("name")?.unwrap_or_default().to_owned(),
                erp_ref: id.to_string(),
                active: party.flag("active")?,
                on_hold: categories.iter().any(|category| held.contains(category)),
                currency,
            };
            customers.add(code, customer);
        }
        Ok(customers.finish("customer", shared))
    }

    /// The categories that mean a billing hold.
    pub(super) async fn hold_categories(&self) -> Result<Vec<i64>, CallError> {
        let Some(name) = &self.config.hold_category else {
            return Ok(Vec::new());
        };
        let domain = [clause("name", "=", Json::text(name))];
        let rows = self
            .search_all("party.category", &domain, &["name"])
            .await?;
        Ok(rows
            .iter()
            .map(|row| Record(row).id("id"))
            .collect::<Result<_, _>>()?)
    }

    async fn has_field(&self, model: &str, field: &str) -> Result<bool, CallError> {
        let context = self.facts().await?.context();
        let method = format!("model.{model}.fields_get");
        // Asked for by name, an unknown field is an error: all names are asked for once.
        let all = self
            .rpc
            .read(&method, vec![Json::List(Vec::new())], &context)
            .await?;
        Ok(all.get(field).is_some())
    }

    /// Workers, and the parties that they are.
    async fn workers(
        &self,
        facts: &Facts,
        shared: &mut Vec<String>,
    ) -> Result<(BTreeMap<String, Worker>, BTreeSet<i64>), CallError> {
        let code_field = format!("party.{}", self.config.party_code_field);
        let domain = [clause("company", "=", Json::int(facts.company))];
        let fields = ["party", &code_field, "party.name", "start_date", "end_date"];
        let rows = self
            .search_all("company.employee", &domain, &fields)
            .await?;
        let mut workers = ByCode::new();
        let mut staff = BTreeSet::new();
        for row in &rows {
            let employee = Record(row);
            staff.insert(employee.id("party")?);
            let Some(code) = employee.text(&code_field)? else {
                continue;
            };
            let worker = Worker {
                code: code.to_owned(),
                name: employee.text("party.name")?.unwrap_or_default().to_owned(),
                erp_ref: employee.id("id")?.to_string(),
                // Tryton has none; the crosswalk gives roles.
                role: String::new(),
                from: employee.date("start_date")?,
                until: employee.date("end_date")?,
                // Tryton computes it from these dates and today; for us the day of work counts.
                active: true,
            };
            workers.add(code, worker);
        }
        Ok((workers.finish("worker", shared), staff))
    }

    async fn works(
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

    async fn service_items(
        &self,
        shared: &mut Vec<String>,
    ) -> Result<BTreeMap<String, ServiceItem>, CallError> {
        let fields = ["code", "name", "active"];
        let rows = self.search_all("product.product", &[], &fields).await?;
        let mut items = ByCode::new();
        for row in &rows {
            let product = Record(row);
            let Some(code) = product.text("code")? else {
                continue;
            };
            let item = ServiceItem {
                code: code.to_owned(),
                name: product.text("name")?.unwrap_or_default().to_owned(),
                erp_ref: product.id("id")?.to_string(),
                active: product.flag("active")?,
            };
            items.add(code, item);
        }
        Ok(items.finish("product", shared))
    }

    pub(super) async fn periods(&self, facts: &Facts) -> Result<Vec<Period>, CallError> {
        // Adjustment periods lie over standard ones and are not for invoices.
        let domain = [
            clause("company", "=", Json::int(facts.company)),
            clause("type", "=", Json::text("standard")),
        ];
        let fields = ["name", "start_date", "end_date", "state"];
        let rows = self.search_all("account.period", &domain, &fields).await?;
        let mut periods = Vec::new();
        for row in &rows {
            let record = Record(row);
            let (Some(first), Some(last)) = (record.date("start_date")?, record.date("end_date")?)
            else {
                continue;
            };
            periods.push(Period {
                name: record.text("name")?.unwrap_or_default().to_owned(),
                first,
                last,
                open: record.text("state")? == Some("open"),
            });
        }
        periods.sort_by_key(|period| period.first);
        Ok(periods)
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

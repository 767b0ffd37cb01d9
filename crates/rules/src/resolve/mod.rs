//! From a source's names to the business's records: who worked, for whom, under which contract,
//! and whether all of them could take this work on that day. The first thing that is wrong is an
//! exception; nothing is guessed.

mod resolver;

pub use resolver::Resolver;

use crate::condition::{ConditionProblem, Conditions, Work, compiled};
use crate::explanation::Step;
use domain::contract::{Contract, ContractKind};
use domain::entry::EntryFields;
use domain::exception::{Code, Problem};
use domain::masters::{Customer, Project, ServiceItem, Task, Worker};
use domain::period::PostingDate;
use domain::reference::Reference;
use std::sync::Arc;

/// The records behind one entry.
#[derive(Debug, Clone)]
pub struct Resolved<'a> {
    /// The person.
    pub worker: &'a Worker,
    /// The person's role, for rates.
    pub role: &'a str,
    /// The practice the person works in; empty where the firm has none.
    pub practice: &'a str,
    /// The project.
    pub project: &'a Project,
    /// The task.
    pub task: &'a Task,
    /// The contract.
    pub contract: &'a Contract,
    /// The customer; internal work has none.
    pub customer: Option<&'a Customer>,
    /// What was done.
    pub service_item: &'a ServiceItem,
    /// The business unit.
    pub business_unit: &'a str,
    /// When it is posted.
    pub posting: PostingDate,
    /// Whether the client pays, by the tracker and by the contract's condition.
    pub billable: bool,
    /// The text that keeps its documents apart, where the contract has one.
    pub group: Option<String>,
    /// What conditions said on the way here.
    pub steps: Vec<Step>,
    /// The contract's conditions, where it has any.
    pub conditions: Option<Arc<Conditions>>,
}

impl Resolved<'_> {
    /// What conditions see of the work.
    pub(crate) fn seen<'b>(&'b self, fields: &EntryFields) -> Work<'b> {
        Names {
            worker: &self.worker.code,
            role: self.role,
            practice: self.practice,
            project: &self.project.code,
            task: &self.task.code,
            service_item: &self.service_item.code,
        }
        .work(self.contract, fields)
    }
}

/// What conditions see of the records behind an entry, by code.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Names<'a> {
    pub(crate) worker: &'a str,
    pub(crate) role: &'a str,
    pub(crate) practice: &'a str,
    pub(crate) project: &'a str,
    pub(crate) task: &'a str,
    pub(crate) service_item: &'a str,
}

impl<'a> Names<'a> {
    /// The names of an entry, whether or not its records take work on that day.
    pub(crate) fn find(
        reference: &'a Reference,
        project: &'a Project,
        fields: &EntryFields,
    ) -> Result<Self, Problem> {
        let worker = find_worker(reference, fields)?;
        let task = find_task(reference, project, fields)?;
        let service_item = find_service_item(reference, fields)?;
        Ok(Self {
            worker: &worker.code,
            role: role_of(reference, worker),
            practice: practice_of(reference, worker),
            project: &project.code,
            task: &task.code,
            service_item: &service_item.code,
        })
    }

    /// What the conditions of a contract see.
    pub(crate) fn work<'b>(self, contract: &'b Contract, fields: &EntryFields) -> Work<'b>
    where
        'a: 'b,
    {
        Work {
            worker: self.worker,
            role: self.role,
            practice: self.practice,
            project: self.project,
            task: self.task,
            service_item: self.service_item,
            customer: contract.customer.as_deref().unwrap_or_default(),
            date: fields.work_date,
            minutes: fields.recorded_seconds / 60,
            billable: fields.billable,
        }
    }
}

impl From<ConditionProblem> for Problem {
    fn from(problem: ConditionProblem) -> Self {
        Self::new(Code::ConditionFailed, problem.to_string())
    }
}

fn name_of<'a>(reference: &'a Reference, kind: &str, id: &'a str) -> &'a str {
    reference
        .source
        .names
        .get(&format!("{kind}:{id}"))
        .map_or(id, String::as_str)
}

/// Resolve every name of an entry, or say what is wrong first.
pub fn resolve<'a>(
    reference: &'a Reference,
    fields: &EntryFields,
) -> Result<Resolved<'a>, Problem> {
    Resolver::new(reference).resolve(fields)
}

/// The practice that a worker works in; empty where the firm has none.
fn practice_of<'a>(reference: &'a Reference, worker: &Worker) -> &'a str {
    let practices = &reference.crosswalk.practices;
    practices.get(&worker.code).map_or("", String::as_str)
}

/// The role that rates are looked up by.
pub(crate) fn role_of<'a>(reference: &'a Reference, worker: &'a Worker) -> &'a str {
    reference
        .crosswalk
        .roles
        .get(&worker.code)
        .map_or(worker.role.as_str(), String::as_str)
}

/// The project of an entry, whatever state it is in.
pub(crate) fn find_project<'a>(
    reference: &'a Reference,
    fields: &EntryFields,
) -> Result<&'a Project, Problem> {
    let id = fields.project_ref.as_str();
    let code = reference
        .crosswalk
        .projects
        .get(id)
        .or_else(|| reference.source.project_codes.get(id))
        .ok_or_else(|| {
            let name = name_of(reference, "project", id);
            Problem::new(
                Code::ProjectUnmapped,
                format!("project '{name}' carries no ERP code"),
            )
        })?;
    reference.masters.projects.get(code).ok_or_else(|| {
        Problem::new(
            Code::ProjectUnmapped,
            format!("the ERP knows no project '{code}'"),
        )
    })
}

fn takes_time(project: &Project) -> Result<(), Problem> {
    let code = &project.code;
    if !project.active {
        return Err(Problem::new(
            Code::ProjectClosed,
            format!("project {code} is closed"),
        ));
    }
    Ok(())
}

/// The contract of an entry.
pub(crate) struct Chosen<'a> {
    /// The contract.
    pub(crate) contract: &'a Contract,
    /// Its conditions, where it has any.
    pub(crate) conditions: Option<Arc<Conditions>>,
    /// What conditions said about who covers the work.
    steps: Vec<Step>,
}

/// The one contract that covers a project on the day of the work, and whose condition holds.
pub(crate) fn contract<'a>(
    reference: &'a Reference,
    project: &'a Project,
    fields: &EntryFields,
) -> Result<Chosen<'a>, Problem> {
    choose_contract(reference, &reference.contracts, project, fields)
}

/// The one of some contracts that covers a project: as among all contracts, where the others do not
/// name the project.
fn choose_contract<'a>(
    reference: &'a Reference,
    contracts: impl IntoIterator<Item = &'a Contract>,
    project: &'a Project,
    fields: &EntryFields,
) -> Result<Chosen<'a>, Problem> {
    let day = fields.work_date;
    let mut covering: Vec<(&Contract, Option<Arc<Conditions>>)> = Vec::new();
    let (mut steps, mut unmet) = (Vec::new(), Vec::new());
    for contract in contracts {
        if !contract.covers(&project.code, day) {
            continue;
        }
        let conditions = compiled(contract).map_err(|fault| {
            Problem::new(
                Code::ConditionFailed,
                format!("contract {}: {fault}", contract.id),
            )
        })?;
        if let Some(when) = conditions.as_ref().filter(|c| c.when().is_some()) {
            let names = Names::find(reference, project, fields)?;
            let said = when.covers(&names.work(contract, fields))?;
            steps.extend(said.step.map(|step| {
                Step::new(
                    format_args!("{} of contract {}", step.rule(), contract.id),
                    step.inputs(),
                    step.result(),
                )
            }));
            if !said.value {
                let when = when.when().unwrap_or_default();
                unmet.push(format!("{} does so only when {when}", contract.id));
                continue;
            }
        }
        covering.push((contract, conditions));
    }
    let mut covering = covering.into_iter();
    match (covering.next(), covering.next()) {
        (Some((contract, conditions)), None) => Ok(Chosen {
            contract,
            conditions,
            steps,
        }),
        (None, _) if unmet.is_empty() => Err(Problem::new(
            Code::ContractMissing,
            format!("no contract covers project {} on {day}", project.code),
        )),
        (None, _) => Err(Problem::new(
            Code::ContractMissing,
            format!(
                "no contract covers this work of project {} on {day}: {}",
                project.code,
                unmet.join("; ")
            ),
        )),
        (Some((one, _)), Some((two, _))) => Err(Problem::new(
            Code::ContractAmbiguous,
            format!(
                "{} and {} both cover project {} on {day}",
                one.id, two.id, project.code
            ),
        )),
    }
}

/// The customer of a contract; internal work has none.
pub(crate) fn customer<'a>(
    reference: &'a Reference,
    contract: &Contract,
) -> Result<Option<&'a Customer>, Problem> {
    let Some(code) = contract.customer.as_ref() else {
        return match contract.kind {
            ContractKind::Internal => Ok(None),
            ContractKind::TimeAndMaterials | ContractKind::FixedFee => Err(Problem::new(
                Code::CustomerUnmapped,
                format!("contract {} names no customer", contract.id),
            )),
        };
    };
    let customer = reference.masters.customers.get(code).ok_or_else(|| {
        Problem::new(
            Code::CustomerUnmapped,
            format!("the ERP knows no customer '{code}'"),
        )
    })?;
    if customer.on_hold || reference.customers_on_hold.iter().any(|held| held == code) {
        return Err(Problem::new(
            Code::CustomerOnHold,
            format!("customer {code} is on hold"),
        ));
    }
    if !customer.active {
        return Err(Problem::new(
            Code::CustomerUnmapped,
            format!("customer {code} is inactive in the ERP"),
        ));
    }
    Ok(Some(customer))
}

/// The worker of an entry, employed or not.
pub(crate) fn find_worker<'a>(
    reference: &'a Reference,
    fields: &EntryFields,
) -> Result<&'a Worker, Problem> {
    let id = fields.worker_ref.as_str();
    let code = reference
        .crosswalk
        .workers
        .get(id)
        .or_else(|| reference.source.worker_codes.get(id))
        .ok_or_else(|| {
            Problem::new(
                Code::WorkerUnmapped,
                format!("tracker user {id} is in no crosswalk"),
            )
        })?;
    reference.masters.workers.get(code).ok_or_else(|| {
        Problem::new(
            Code::WorkerUnmapped,
            format!("the ERP knows no worker '{code}'"),
        )
    })
}

fn is_employed(worker: &Worker, fields: &EntryFields) -> Result<(), Problem> {
    let code = &worker.code;
    let day = fields.work_date;
    if let Some(from) = worker.from.filter(|from| day < *from) {
        return Err(Problem::new(
            Code::WorkerTerminated,
            format!("worker {code} began on {from}, the work is of {day}"),
        ));
    }
    if let Some(until) = worker.until.filter(|until| day > *until) {
        return Err(Problem::new(
            Code::WorkerTerminated,
            format!("worker {code} left on {until}, the work is of {day}"),
        ));
    }
    if !worker.active {
        return Err(Problem::new(
            Code::WorkerTerminated,
            format!("worker {code} is inactive in the ERP"),
        ));
    }
    Ok(())
}

/// The task of an entry, open or not.
pub(crate) fn find_task<'a>(
    reference: &'a Reference,
    project: &Project,
    fields: &EntryFields,
) -> Result<&'a Task, Problem> {
    let Some(id) = fields.task_ref.as_deref() else {
        return Err(Problem::new(
            Code::TaskUnmapped,
            format!("the entry names no task of project {}", project.code),
        ));
    };
    let code = reference
        .crosswalk
        .tasks
        .get(id)
        .or_else(|| reference.source.task_codes.get(id))
        .ok_or_else(|| {
            let name = name_of(reference, "task", id);
            Problem::new(
                Code::TaskUnmapped,
                format!("task '{name}' carries no ERP code"),
            )
        })?;
    reference.masters.task(&project.code, code).ok_or_else(|| {
        Problem::new(
            Code::TaskUnmapped,
            format!("the ERP knows no task '{code}' in project {}", project.code),
        )
    })
}

fn is_open(task: &Task, project: &Project, fields: &EntryFields) -> Result<(), Problem> {
    let code = &task.code;
    let day = fields.work_date;
    if let Some(last) = task.closed_after.filter(|last| day > *last) {
        return Err(Problem::new(
            Code::TaskClosed,
            format!("task {code} of {} takes no time after {last}", project.code),
        ));
    }
    if !task.active {
        return Err(Problem::new(
            Code::TaskClosed,
            format!("task {code} of {} is closed", project.code),
        ));
    }
    Ok(())
}

fn unmapped_service(facts: String) -> Problem {
    Problem::new(Code::ServiceItemUnmapped, facts)
}

/// The service item of an entry, on sale or not.
pub(crate) fn find_service_item<'a>(
    reference: &'a Reference,
    fields: &EntryFields,
) -> Result<&'a ServiceItem, Problem> {
    let activity = fields.activity_ref.as_str();
    let code = reference
        .crosswalk
        .service_items
        .get(activity)
        .ok_or_else(|| {
            unmapped_service(format!(
                "activity '{activity}' is linked to no service item"
            ))
        })?;
    reference
        .masters
        .service_items
        .get(code)
        .ok_or_else(|| unmapped_service(format!("the ERP sells no '{code}'")))
}

fn is_sold(item: &ServiceItem) -> Result<(), Problem> {
    if !item.active {
        return Err(unmapped_service(format!(
            "service item {} is inactive in the ERP",
            item.code
        )));
    }
    Ok(())
}

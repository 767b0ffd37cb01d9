//! From a source's names to the business's records: who worked, for whom, under which contract,
//! and whether all of them could take this work on that day. The first thing that is wrong is an
//! exception; nothing is guessed.

use domain::contract::{Contract, ContractKind};
use domain::entry::EntryFields;
use domain::exception::{Code, Problem};
use domain::masters::{Customer, Project, ServiceItem, Task, Worker};
use domain::period::{PostingDate, posting_date};
use domain::reference::Reference;

/// The records behind one entry.
#[derive(Debug, Clone, Copy)]
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
    let project = project(reference, fields)?;
    let contract = contract(reference, project, fields)?;
    let customer = customer(reference, contract)?;
    let worker = worker(reference, fields)?;
    let task = task(reference, project, fields)?;
    let service_item = service_item(reference, fields)?;
    let posting = posting_date(
        fields.work_date,
        &reference.masters.periods,
        contract.late_work,
    )
    .ok_or_else(|| {
        Problem::new(
            Code::PeriodClosed,
            format!(
                "the period of {} is closed and no later one takes it",
                fields.work_date
            ),
        )
    })?;
    let role = role_of(reference, worker);
    let business_unit = reference
        .crosswalk
        .business_units
        .get(&project.code)
        .map_or(reference.entity.business_unit.as_str(), String::as_str);
    let practice = reference
        .crosswalk
        .practices
        .get(&worker.code)
        .map_or("", String::as_str);
    Ok(Resolved {
        worker,
        role,
        practice,
        project,
        task,
        contract,
        customer,
        service_item,
        business_unit,
        posting,
    })
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

fn project<'a>(reference: &'a Reference, fields: &EntryFields) -> Result<&'a Project, Problem> {
    let project = find_project(reference, fields)?;
    let code = &project.code;
    if !project.active {
        return Err(Problem::new(
            Code::ProjectClosed,
            format!("project {code} is closed"),
        ));
    }
    Ok(project)
}

/// The one contract that covers a project on the day of the work.
pub(crate) fn contract<'a>(
    reference: &'a Reference,
    project: &Project,
    fields: &EntryFields,
) -> Result<&'a Contract, Problem> {
    let day = fields.work_date;
    let mut covering = reference
        .contracts
        .iter()
        .filter(|c| c.covers(&project.code, day));
    match (covering.next(), covering.next()) {
        (Some(contract), None) => Ok(contract),
        (None, _) => Err(Problem::new(
            Code::ContractMissing,
            format!("no contract covers project {} on {day}", project.code),
        )),
        (Some(one), Some(two)) => Err(Problem::new(
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

fn worker<'a>(reference: &'a Reference, fields: &EntryFields) -> Result<&'a Worker, Problem> {
    let worker = find_worker(reference, fields)?;
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
    Ok(worker)
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

fn task<'a>(
    reference: &'a Reference,
    project: &Project,
    fields: &EntryFields,
) -> Result<&'a Task, Problem> {
    let task = find_task(reference, project, fields)?;
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
    Ok(task)
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

fn service_item<'a>(
    reference: &'a Reference,
    fields: &EntryFields,
) -> Result<&'a ServiceItem, Problem> {
    let item = find_service_item(reference, fields)?;
    if !item.active {
        return Err(unmapped_service(format!(
            "service item {} is inactive in the ERP",
            item.code
        )));
    }
    Ok(item)
}

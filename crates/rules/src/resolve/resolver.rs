//! Many entries resolved against one reference. What a name stands for is looked up once, and the
//! contracts that name a project are sought once among all of them.

use super::{
    Chosen, Resolved, choose_contract, customer, find_project, find_service_item, find_task,
    find_worker, is_employed, is_open, is_sold, practice_of, role_of, takes_time,
};
use domain::contract::{Contract, ContractKind};
use domain::entry::EntryFields;
use domain::exception::{Code, Problem};
use domain::masters::{Customer, Project, ServiceItem, Task, Worker};
use domain::period::posting_date;
use domain::reference::Reference;
use std::collections::HashMap;

/// Resolves the names of entries. Only what was found is remembered: what is wrong is said anew for
/// each entry, in its own words.
#[derive(Debug)]
pub struct Resolver<'a> {
    reference: &'a Reference,
    /// By the source's id, as a place in `projects`.
    project_places: HashMap<Box<str>, usize>,
    projects: Vec<OfProject<'a>>,
    workers: HashMap<Box<str>, OfWorker<'a>>,
    service_items: HashMap<Box<str>, &'a ServiceItem>,
    /// By the contract's id.
    customers: HashMap<&'a str, Option<&'a Customer>>,
}

#[derive(Debug)]
struct OfProject<'a> {
    project: &'a Project,
    business_unit: &'a str,
    /// All contracts that name it, on whatever day.
    contracts: Vec<&'a Contract>,
    tasks: HashMap<Box<str>, &'a Task>,
}

#[derive(Debug, Clone, Copy)]
struct OfWorker<'a> {
    worker: &'a Worker,
    role: &'a str,
    practice: &'a str,
}

impl<'a> Resolver<'a> {
    /// A resolver that has looked up nothing yet.
    pub fn new(reference: &'a Reference) -> Self {
        Self {
            reference,
            project_places: HashMap::new(),
            projects: Vec::new(),
            workers: HashMap::new(),
            service_items: HashMap::new(),
            customers: HashMap::new(),
        }
    }

    /// Resolve every name of an entry, or say what is wrong first.
    pub fn resolve(&mut self, fields: &EntryFields) -> Result<Resolved<'a>, Problem> {
        let reference = self.reference;
        let place = self.project(fields)?;
        let Some(of_project) = self.projects.get_mut(place) else {
            // A place is only given out for what is there.
            return Err(Problem::new(Code::ProjectUnmapped, "a project"));
        };
        let project = of_project.project;
        takes_time(project)?;
        let candidates = of_project.contracts.iter().copied();
        let Chosen {
            contract,
            conditions,
            mut steps,
        } = choose_contract(reference, candidates, project, fields)?;
        let customer = if let Some(known) = self.customers.get(contract.id.as_str()) {
            *known
        } else {
            let found = customer(reference, contract)?;
            self.customers.insert(&contract.id, found);
            found
        };
        let OfWorker {
            worker,
            role,
            practice,
        } = worker(reference, &mut self.workers, fields)?;
        is_employed(worker, fields)?;
        let task = task(reference, of_project, fields)?;
        is_open(task, project, fields)?;
        let service_item = service_item(reference, &mut self.service_items, fields)?;
        is_sold(service_item)?;
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
        let mut resolved = Resolved {
            worker,
            role,
            practice,
            project,
            task,
            contract,
            customer,
            service_item,
            business_unit: of_project.business_unit,
            posting,
            billable: fields.billable,
            group: None,
            steps: Vec::new(),
            conditions,
        };
        if let Some(conditions) = resolved.conditions.clone() {
            // Of what no client pays anyhow, nobody has to say whether the client pays.
            if contract.kind == ContractKind::TimeAndMaterials && fields.billable {
                let said = conditions.billable(&resolved.seen(fields))?;
                resolved.billable = said.value;
                steps.extend(said.step);
            }
            let said = conditions.group(&resolved.seen(fields))?;
            resolved.group = said.value;
            steps.extend(said.step);
        }
        resolved.steps = steps;
        Ok(resolved)
    }

    /// The place of an entry's project.
    fn project(&mut self, fields: &EntryFields) -> Result<usize, Problem> {
        let id = fields.project_ref.as_str();
        if let Some(place) = self.project_places.get(id) {
            return Ok(*place);
        }
        let reference = self.reference;
        let project = find_project(reference, fields)?;
        let names_it = |contract: &&Contract| contract.projects.contains(&project.code);
        let business_units = &reference.crosswalk.business_units;
        let place = self.projects.len();
        self.projects.push(OfProject {
            project,
            business_unit: business_units
                .get(&project.code)
                .map_or(reference.entity.business_unit.as_str(), String::as_str),
            contracts: reference.contracts.iter().filter(names_it).collect(),
            tasks: HashMap::new(),
        });
        self.project_places.insert(id.into(), place);
        Ok(place)
    }
}

fn worker<'a>(
    reference: &'a Reference,
    known: &mut HashMap<Box<str>, OfWorker<'a>>,
    fields: &EntryFields,
) -> Result<OfWorker<'a>, Problem> {
    let id = fields.worker_ref.as_str();
    if let Some(found) = known.get(id) {
        return Ok(*found);
    }
    let worker = find_worker(reference, fields)?;
    let found = OfWorker {
        worker,
        role: role_of(reference, worker),
        practice: practice_of(reference, worker),
    };
    known.insert(id.into(), found);
    Ok(found)
}

fn task<'a>(
    reference: &'a Reference,
    of_project: &mut OfProject<'a>,
    fields: &EntryFields,
) -> Result<&'a Task, Problem> {
    let id = fields.task_ref.as_deref();
    if let Some(found) = id.and_then(|id| of_project.tasks.get(id)) {
        return Ok(*found);
    }
    let found = find_task(reference, of_project.project, fields)?;
    of_project.tasks.extend(id.map(|id| (Box::from(id), found)));
    Ok(found)
}

fn service_item<'a>(
    reference: &'a Reference,
    known: &mut HashMap<Box<str>, &'a ServiceItem>,
    fields: &EntryFields,
) -> Result<&'a ServiceItem, Problem> {
    let id = fields.activity_ref.as_str();
    if let Some(found) = known.get(id) {
        return Ok(*found);
    }
    let found = find_service_item(reference, fields)?;
    known.insert(id.into(), found);
    Ok(found)
}

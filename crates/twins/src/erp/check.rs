//! The ERP's own rules: what it refuses. The answer names a code and never the line.

use super::state::{Customer, Erp, Task};
use crate::wire::{WireReply, problem};
use domain::decimal::Micro;
use jiff::civil::Date;

/// A refusal of business.
pub(super) fn refused(code: &str, detail: &str) -> WireReply {
    problem(422, code, detail)
}

/// The facts of one line that the rules look at.
pub(super) struct Facts<'a> {
    pub(super) quantity: Micro,
    pub(super) work_date: Date,
    pub(super) service_item_id: &'a str,
    /// None on a line that is no work of one task.
    pub(super) task_id: Option<&'a str>,
    /// None on a line that is no work of one person.
    pub(super) worker_id: Option<&'a str>,
}

pub(super) fn period(erp: &Erp, day: Date) -> Result<(), WireReply> {
    let period = erp
        .periods
        .iter()
        .find(|period| period.first <= day && day <= period.last);
    match period {
        Some(period) if period.open => Ok(()),
        Some(period) => Err(refused(
            "PERIOD_CLOSED",
            &format!("the accounting period {} is closed", period.name),
        )),
        None => Err(refused(
            "PERIOD_CLOSED",
            &format!("there is no accounting period for {day}"),
        )),
    }
}

pub(super) fn customer<'a>(erp: &'a Erp, id: &str) -> Result<&'a Customer, WireReply> {
    let customer = erp
        .customers
        .get(id)
        .filter(|customer| customer.active)
        .ok_or_else(|| refused("CUSTOMER_UNKNOWN", "there is no such customer in use"))?;
    if customer.on_hold {
        return Err(refused(
            "CUSTOMER_ON_HOLD",
            &format!("billing of customer {} is on hold", customer.name),
        ));
    }
    Ok(customer)
}

fn task<'a>(erp: &'a Erp, id: &str, facts: &Facts<'_>) -> Result<&'a Task, WireReply> {
    let task = erp
        .tasks
        .get(id)
        .ok_or_else(|| refused("TASK_UNKNOWN", "there is no such task"))?;
    let late = task.closed_after.is_some_and(|last| facts.work_date > last);
    if !task.active || late {
        return Err(refused(
            "TASK_CLOSED",
            &format!("task {} takes no time on {}", task.name, facts.work_date),
        ));
    }
    let project = erp.projects.get(&task.project_id);
    if !project.is_some_and(|project| project.active) {
        return Err(refused("PROJECT_CLOSED", "the project is closed"));
    }
    Ok(task)
}

fn worker(erp: &Erp, id: &str, facts: &Facts<'_>) -> Result<(), WireReply> {
    let worker = erp
        .workers
        .get(id)
        .ok_or_else(|| refused("WORKER_UNKNOWN", "there is no such worker"))?;
    let employed = worker.active
        && worker.from.is_none_or(|from| from <= facts.work_date)
        && worker.until.is_none_or(|until| facts.work_date <= until);
    if !employed {
        return Err(refused(
            "WORKER_TERMINATED",
            &format!("the worker was not employed on {}", facts.work_date),
        ));
    }
    Ok(())
}

/// The rules that hold for every line.
pub(super) fn line(erp: &Erp, facts: &Facts<'_>) -> Result<(), WireReply> {
    decimals("quantity", facts.quantity, erp.settings.quantity_decimals)?;
    if let Some(id) = facts.task_id {
        task(erp, id, facts)?;
    }
    if let Some(id) = facts.worker_id {
        worker(erp, id, facts)?;
    }
    let item = erp
        .service_items
        .get(facts.service_item_id)
        .filter(|item| item.active)
        .ok_or_else(|| {
            refused(
                "SERVICE_ITEM_UNKNOWN",
                "there is no such service item in use",
            )
        })?;
    if !item.has_account {
        return Err(refused(
            "ACCOUNT_MISSING",
            &format!("there is no revenue account for {}", item.name),
        ));
    }
    Ok(())
}

pub(super) fn decimals(what: &str, value: Micro, most: u32) -> Result<(), WireReply> {
    if value.decimal().scale() > most {
        return Err(refused(
            "PRECISION",
            &format!("{what} has more than {most} digits after the point"),
        ));
    }
    Ok(())
}

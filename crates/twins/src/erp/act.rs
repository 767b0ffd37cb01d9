//! What people do in the ERP.

use super::person;
use super::state::Erp;
use super::tamper::{self, TamperMode};
use crate::fault::PersonActs;
use crate::page::chosen;
use domain::decimal::Micro;
use domain::posting::DocumentState;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Something a person does in the ERP. Masters are named by id or code, lines by id or key,
/// documents by id, key or number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
pub enum ErpAct {
    /// Close an accounting period.
    ClosePeriod {
        /// Its name.
        period: String,
    },
    /// Open it again.
    OpenPeriod {
        /// Its name.
        period: String,
    },
    /// Close a task.
    CloseTask {
        /// The task.
        task: String,
    },
    /// Open it again.
    ReopenTask {
        /// The task.
        task: String,
    },
    /// Close a project.
    CloseProject {
        /// The project.
        project: String,
    },
    /// Open it again.
    ReopenProject {
        /// The project.
        project: String,
    },
    /// Stop billing a customer.
    HoldCustomer {
        /// The customer.
        customer: String,
    },
    /// Bill it again.
    LiftHold {
        /// The customer.
        customer: String,
    },
    /// End somebody's employment.
    TerminateWorker {
        /// The worker.
        worker: String,
        /// The last day.
        last_day: Date,
    },
    /// Take it back.
    ReinstateWorker {
        /// The worker.
        worker: String,
    },
    /// Change a draft line.
    EditLine {
        /// The line.
        line: String,
        /// New hours.
        #[serde(default)]
        quantity: Option<Micro>,
        /// New rate.
        #[serde(default)]
        rate: Option<Micro>,
        /// New text.
        #[serde(default)]
        description: Option<String>,
    },
    /// Delete a draft line.
    DeleteLine {
        /// The line.
        line: String,
    },
    /// Move a draft line to another draft of the same customer and currency.
    MoveLine {
        /// The line.
        line: String,
        /// Where to; none makes a new draft.
        #[serde(default)]
        document: Option<String>,
    },
    /// Delete a whole draft.
    DeleteDraft {
        /// The document.
        document: String,
    },
    /// Issue a draft.
    Issue {
        /// The document.
        document: String,
    },
    /// Issue every draft that can be issued.
    IssueAll,
    /// Mark an issued document as paid.
    Pay {
        /// The document.
        document: String,
    },
    /// Credit an issued document in full.
    Credit {
        /// The document.
        document: String,
    },
    /// Withdraw a document.
    Void {
        /// The document.
        document: String,
    },
    /// Invoice booked time of a project that was not invoiced yet.
    InvoiceTime {
        /// The project.
        project: String,
        /// The date of the documents.
        document_date: Date,
    },
    /// Cheat now.
    Tamper {
        /// How.
        mode: TamperMode,
    },
}

pub(super) fn perform(erp: &mut Erp, act: &ErpAct, now_us: i64) -> Result<Value, String> {
    match act {
        ErpAct::ClosePeriod { period } => set_period(erp, period, false),
        ErpAct::OpenPeriod { period } => set_period(erp, period, true),
        ErpAct::CloseTask { task } => set_task(erp, task, false),
        ErpAct::ReopenTask { task } => set_task(erp, task, true),
        ErpAct::CloseProject { project } => set_project(erp, project, false),
        ErpAct::ReopenProject { project } => set_project(erp, project, true),
        ErpAct::HoldCustomer { customer } => set_hold(erp, customer, true),
        ErpAct::LiftHold { customer } => set_hold(erp, customer, false),
        ErpAct::TerminateWorker { worker, last_day } => set_until(erp, worker, Some(*last_day)),
        ErpAct::ReinstateWorker { worker } => set_until(erp, worker, None),
        ErpAct::EditLine {
            line,
            quantity,
            rate,
            description,
        } => person::edit_line(erp, line, *quantity, *rate, description.as_deref(), now_us),
        ErpAct::DeleteLine { line } => person::delete_line(erp, line, now_us),
        ErpAct::MoveLine { line, document } => {
            person::move_line(erp, line, document.as_deref(), now_us)
        }
        ErpAct::DeleteDraft { document } => person::delete_draft(erp, document, now_us),
        ErpAct::Issue { document } => person::issue(erp, document, now_us),
        ErpAct::IssueAll => Ok(person::issue_all(erp, now_us)),
        ErpAct::Pay { document } => person::pay(erp, document, now_us),
        ErpAct::Credit { document } => person::credit(erp, document, now_us),
        ErpAct::Void { document } => person::void(erp, document, now_us),
        ErpAct::InvoiceTime {
            project,
            document_date,
        } => person::invoice_time(erp, project, *document_date, now_us),
        ErpAct::Tamper { mode } => tamper::cheat(erp, *mode, None)
            .map(|line| json!({"tampered": line}))
            .ok_or_else(|| "there is no line to cheat with".to_owned()),
    }
}

fn done<T>(found: Option<T>, what: &str) -> Result<Value, String> {
    found
        .map(|_| json!({"done": true}))
        .ok_or_else(|| format!("there is no such {what}"))
}

fn set_period(erp: &mut Erp, name: &str, open: bool) -> Result<Value, String> {
    let period = erp.periods.iter_mut().find(|period| period.name == name);
    done(period.map(|period| period.open = open), "period")
}

fn set_task(erp: &mut Erp, named: &str, active: bool) -> Result<Value, String> {
    let task = erp
        .tasks
        .iter_mut()
        .find(|(id, task)| id.as_str() == named || task.code == named);
    let set = task.map(|(_, task)| {
        task.active = active;
        task.closed_after = task.closed_after.filter(|_| !active);
    });
    done(set, "task")
}

fn set_project(erp: &mut Erp, named: &str, active: bool) -> Result<Value, String> {
    let project = erp
        .projects
        .iter_mut()
        .find(|(id, project)| id.as_str() == named || project.code == named);
    done(
        project.map(|(_, project)| project.active = active),
        "project",
    )
}

fn set_hold(erp: &mut Erp, named: &str, on_hold: bool) -> Result<Value, String> {
    let customer = erp
        .customers
        .iter_mut()
        .find(|(id, customer)| id.as_str() == named || customer.code == named);
    done(
        customer.map(|(_, customer)| customer.on_hold = on_hold),
        "customer",
    )
}

fn set_until(erp: &mut Erp, named: &str, until: Option<Date>) -> Result<Value, String> {
    let worker = erp
        .workers
        .iter_mut()
        .find(|(id, worker)| id.as_str() == named || worker.code == named);
    done(worker.map(|(_, worker)| worker.until = until), "worker")
}

/// What a person would do on the spur of the moment.
pub(super) fn whim(erp: &Erp, acts: PersonActs, pick: u64) -> Option<ErpAct> {
    let in_state = |id: u64, states: &[DocumentState]| {
        erp.documents
            .get(&id)
            .is_some_and(|document| states.contains(&document.state))
    };
    let line = || {
        let drafts: Vec<u64> = erp
            .lines
            .iter()
            .filter(|(_, line)| in_state(line.document_id, &[DocumentState::Draft]))
            .map(|(id, _)| *id)
            .collect();
        drafts
            .get(chosen(drafts.len(), pick)?)
            .map(ToString::to_string)
    };
    let document = |states: &[DocumentState]| {
        let fitting: Vec<u64> = erp
            .documents
            .keys()
            .copied()
            .filter(|id| in_state(*id, states))
            .collect();
        fitting
            .get(chosen(fitting.len(), pick)?)
            .map(ToString::to_string)
    };
    match acts {
        PersonActs::DeletesLine => line().map(|line| ErpAct::DeleteLine { line }),
        PersonActs::EditsLine => line().map(|line| ErpAct::EditLine {
            line,
            quantity: Some(Micro::from_micro(1_250_000)),
            rate: None,
            description: None,
        }),
        PersonActs::MovesLine => line().map(|line| ErpAct::MoveLine {
            line,
            document: None,
        }),
        PersonActs::Issues => {
            document(&[DocumentState::Draft]).map(|document| ErpAct::Issue { document })
        }
        PersonActs::Pays => {
            document(&[DocumentState::Issued]).map(|document| ErpAct::Pay { document })
        }
        PersonActs::Credits => document(&[DocumentState::Issued, DocumentState::Paid])
            .map(|document| ErpAct::Credit { document }),
        PersonActs::EditsEntry | PersonActs::EditsEntryBack | PersonActs::DeletesEntry => None,
    }
}

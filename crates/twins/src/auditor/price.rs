//! What an entry as it stands must come to, worked out from the firm's terms and both systems'
//! masters with the firm's own arithmetic, not with the product's.

use super::truth::{Erp, Tracker, Work};
use crate::erp::{Task, Worker};
use crate::firm::agreed::pays_hours;
use crate::firm::{FirmConfig, arithmetic};
use domain::contract::{BillShape, Contract};
use domain::currency::Currency;
use domain::decimal::Micro;
use domain::exception::Code;
use domain::period::LateWork;
use jiff::civil::Date;

/// How work stands in the ERP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// A line that a client pays.
    Bill,
    /// Time that the ERP prices and invoices.
    Timesheet,
    /// Cost.
    Cost,
}

/// What is billed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Money {
    pub(super) customer_id: String,
    pub(super) currency: Currency,
    pub(super) quantity: Micro,
    pub(super) rate: Micro,
    pub(super) amount_minor: i64,
}

/// The line that an entry must be in the ERP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Content {
    pub(super) form: Form,
    pub(super) day: Date,
    /// None of a fixed amount.
    pub(super) worker_id: Option<String>,
    /// None of a fixed amount.
    pub(super) task_id: Option<String>,
    pub(super) service_item_id: String,
    /// Recorded time; of a billed line the ERP knows only the money.
    pub(super) seconds: Option<i64>,
    pub(super) money: Option<Money>,
}

/// What is thought of an entry, its approval aside.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Judged {
    /// What keeps it from being billed now.
    pub(super) code: Option<Code>,
    /// What it must be in the ERP, or would be if nothing kept it.
    pub(super) content: Option<Content>,
    /// The contract's rounding leaves nothing: there must be no line.
    pub(super) nothing: bool,
}

pub(super) struct Terms<'a> {
    pub(super) config: &'a FirmConfig,
    pub(super) tracker: &'a Tracker,
    pub(super) erp: &'a Erp,
}

fn stopped(code: Code) -> Judged {
    Judged {
        code: Some(code),
        ..Judged::default()
    }
}

/// Hundredths of an hour of `2.25`.
pub(super) fn hundredths(hours: &str) -> Option<i64> {
    let micro: Micro = hours.parse().ok()?;
    let whole = micro.micro() / 10_000;
    (whole > 0 && whole <= 2_400).then_some(whole)
}

impl Terms<'_> {
    pub(super) fn judge(&self, work: &Work) -> Judged {
        let Some(hundredths) = hundredths(&work.hours) else {
            return stopped(Code::HoursInvalid);
        };
        let Ok(day) = work.date.parse::<Date>() else {
            return stopped(Code::DateInvalid);
        };
        let (crosswalk, tracker, erp) = (&self.config.crosswalk, self.tracker, self.erp);
        let own = tracker.projects.get(&work.project_id);
        let code = crosswalk.projects.get(&work.project_id);
        let code = code.or_else(|| own?.erp_code.as_ref());
        let project = code.and_then(|code| erp.projects.iter().find(|(_, p)| p.code == *code));
        let Some((project_id, project)) = project else {
            return stopped(Code::ProjectUnmapped);
        };
        let mut first = None;
        let mut keep = |wrong: bool, code: Code| {
            if wrong && first.is_none() {
                first = Some(code);
            }
        };
        keep(!project.active, Code::ProjectClosed);
        let mut covering = self.config.contracts.iter();
        let Some(contract) = covering.find(|c| c.covers(&project.code, day)) else {
            keep(true, Code::ContractMissing);
            return Judged {
                code: first,
                ..Judged::default()
            };
        };
        let customer = contract.customer.as_ref();
        let customer =
            customer.and_then(|code| erp.customers.iter().find(|(_, c)| c.code == *code));
        keep(
            customer.is_none() && contract.customer.is_some(),
            Code::CustomerUnmapped,
        );
        keep(
            customer.is_some_and(|(_, c)| c.on_hold),
            Code::CustomerOnHold,
        );
        let worker = self.worker(work);
        keep(worker.is_none(), Code::WorkerUnmapped);
        keep(
            worker.is_some_and(|(_, w)| !employed(w, day)),
            Code::WorkerTerminated,
        );
        let task = self.task(work, project_id);
        keep(task.is_none(), Code::TaskUnmapped);
        keep(task.is_some_and(|(_, t)| closed(t, day)), Code::TaskClosed);
        let item = crosswalk.service_items.get(&work.activity_id);
        let item = item.and_then(|code| erp.service_items.iter().find(|(_, i)| i.code == *code));
        keep(item.is_none(), Code::ServiceItemUnmapped);
        keep(!self.takes(contract, day), Code::PeriodClosed);
        let (Some((worker_id, worker)), Some((task_id, _)), Some((item_id, _))) =
            (worker, task, item)
        else {
            return Judged {
                code: first,
                ..Judged::default()
            };
        };
        let bills = pays_hours(contract) && work.billable;
        let recorded = arithmetic::minutes(hundredths);
        let mut content = Content {
            form: Form::Cost,
            day,
            worker_id: Some(worker_id.clone()),
            task_id: Some(task_id.clone()),
            service_item_id: item_id.clone(),
            seconds: Some(recorded * 60),
            money: None,
        };
        if !bills {
            return Judged {
                code: first,
                content: Some(content),
                nothing: false,
            };
        }
        let Some(rate) = self.rate(contract, worker, day) else {
            keep(true, Code::RateMissing);
            return Judged {
                code: first,
                ..Judged::default()
            };
        };
        content.form = match contract.shape {
            BillShape::Timesheet => Form::Timesheet,
            BillShape::DraftLine => {
                content.seconds = None;
                content.money = money(contract, customer.map(|(id, _)| id), recorded, rate);
                Form::Bill
            }
        };
        let nothing = content.money.as_ref().is_some_and(|m| m.amount_minor == 0);
        Judged {
            code: first,
            content: (!nothing).then_some(content),
            nothing,
        }
    }

    fn worker(&self, work: &Work) -> Option<(&String, &Worker)> {
        let user = self.tracker.users.get(&work.user_id);
        let code = self.config.crosswalk.workers.get(&work.user_id);
        let code = code.or_else(|| user?.employee_code.as_ref())?;
        self.erp.workers.iter().find(|(_, w)| w.code == *code)
    }

    fn task(&self, work: &Work, project_id: &str) -> Option<(&String, &Task)> {
        let id = work.task_id.as_ref()?;
        let code = self.config.crosswalk.tasks.get(id);
        let code = code.or_else(|| self.tracker.tasks.get(id)?.erp_code.as_ref())?;
        let of_project = |t: &Task| t.project_id == project_id && t.code == *code;
        self.erp.tasks.iter().find(|(_, t)| of_project(t))
    }

    fn takes(&self, contract: &Contract, day: Date) -> bool {
        let periods = &self.erp.periods;
        let open = periods
            .iter()
            .any(|p| p.open && p.first <= day && day <= p.last);
        let later = contract.late_work == LateWork::NextOpenPeriod
            && periods.iter().any(|p| p.open && p.first > day);
        open || later
    }

    /// A person's own rate before the role's.
    fn rate(&self, contract: &Contract, worker: &Worker, day: Date) -> Option<Micro> {
        let of_contract = self.config.bill_rates.iter().filter(|row| {
            row.key.contract.as_ref() == Some(&contract.id)
                && row
                    .key
                    .worker
                    .as_ref()
                    .is_none_or(|code| *code == worker.code)
                && row
                    .key
                    .role
                    .as_ref()
                    .is_none_or(|role| *role == worker.role)
        });
        let (own, of_role): (Vec<_>, Vec<_>) =
            of_contract.partition(|row| row.key.worker.is_some());
        let rows = if own.is_empty() { of_role } else { own };
        let holds = |from: Date, to: Option<Date>| from <= day && to.is_none_or(|to| day < to);
        rows.iter()
            .find(|row| holds(row.from, row.to))
            .map(|row| row.rate)
    }
}

fn employed(worker: &Worker, day: Date) -> bool {
    worker.active
        && worker.from.is_none_or(|from| from <= day)
        && worker.until.is_none_or(|until| day <= until)
}

fn closed(task: &Task, day: Date) -> bool {
    !task.active || task.closed_after.is_some_and(|last| day > last)
}

fn money(
    contract: &Contract,
    customer_id: Option<&String>,
    recorded: i64,
    rate: Micro,
) -> Option<Money> {
    let minutes = arithmetic::billable_minutes(contract, recorded);
    let hundredths = arithmetic::printed(contract, minutes);
    let digits = contract.currency.minor_digits();
    Some(Money {
        customer_id: customer_id?.clone(),
        currency: contract.currency,
        quantity: Micro::from_micro(hundredths * 10_000),
        rate,
        amount_minor: arithmetic::amount_minor(hundredths, rate.micro(), digits).ok()?,
    })
}

//! The firm before it stands in two systems: people, engagements, rates.

use super::agreed::agreements;
use super::rates::{Priced, cost_rates, rate_rows, rates};
use super::words::{ACTIVITIES, CLIENTS, PEOPLE, PROJECTS, ROLES, TASKS};
use super::{Days, FirmError, FirmSpec};
use crate::fault::Rng;
use domain::contract::{BillShape, Contract, ContractKind, Grouping};
use domain::currency::Currency;
use domain::decimal::Micro;
use domain::period::LateWork;
use domain::rate::RateRow;
use domain::reference::Crosswalk;
use domain::rounding::{Increment, Rounding};
use jiff::civil::Date;
use rand::Rng as _;

/// What an engagement is there for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Ordinary work.
    Ordinary,
    /// The customer is on hold.
    OnHold,
    /// The project is closed.
    ClosedProject,
    /// Work of a closed period is held.
    HoldsLate,
    /// The rates end in the middle of the month.
    RateGap,
}

#[derive(Debug, Clone)]
pub(super) struct Person {
    pub(super) code: String,
    pub(super) user_id: String,
    pub(super) erp_id: String,
    pub(super) name: String,
    pub(super) role: &'static str,
    pub(super) until: Option<Date>,
}

#[derive(Debug, Clone)]
pub(super) struct TaskPlan {
    pub(super) code: String,
    pub(super) name: String,
    pub(super) tracker_id: String,
    pub(super) erp_id: String,
    pub(super) closed_after: Option<Date>,
}

#[derive(Debug, Clone)]
pub(super) struct ProjectPlan {
    pub(super) code: String,
    pub(super) name: String,
    pub(super) tracker_id: String,
    pub(super) erp_id: String,
    pub(super) tasks: Vec<TaskPlan>,
}

#[derive(Debug, Clone)]
pub(super) struct Engagement {
    pub(super) purpose: Purpose,
    pub(super) contract: Contract,
    /// Code, ERP id and name.
    pub(super) customer: Option<(String, String, String)>,
    pub(super) projects: Vec<ProjectPlan>,
    /// The closed task, where it has one.
    pub(super) closed_task: Option<TaskPlan>,
    /// Rates: worker or role, first day, first day it no longer holds, rate.
    pub(super) rates: Vec<Priced>,
}

impl Engagement {
    /// The rate of a person on a day: the person's own before the role's.
    pub(super) fn rate(&self, person: &Person, day: Date) -> Option<Micro> {
        let holds = |price: &&Priced| {
            price.from <= day
                && price.to.is_none_or(|to| day < to)
                && price
                    .worker
                    .as_ref()
                    .is_none_or(|code| *code == person.code)
                && price.role.is_none_or(|role| role == person.role)
        };
        self.rates
            .iter()
            .filter(holds)
            .max_by_key(|price| price.worker.is_some())
            .map(|price| price.rate)
    }
}

#[derive(Debug, Clone)]
pub(super) struct Layout {
    pub(super) days: Days,
    pub(super) people: Vec<Person>,
    /// Somebody who left in the month.
    pub(super) gone: Person,
    pub(super) engagements: Vec<Engagement>,
    pub(super) bill_rates: Vec<RateRow>,
    pub(super) cost_rates: Vec<RateRow>,
    pub(super) crosswalk: Crosswalk,
}

pub(super) fn lay_out(spec: &FirmSpec, days: Days, rng: &mut Rng) -> Result<Layout, FirmError> {
    let people: Vec<Person> = (0..spec.consultants).map(|n| person(n, rng)).collect();
    let gone = Person {
        code: "WLEFT".to_owned(),
        user_id: "u999".to_owned(),
        erp_id: "w999".to_owned(),
        name: "Robin Abschied".to_owned(),
        role: "senior",
        until: Some(Date::new(spec.year, spec.month, 10).map_err(|_| FirmError::Range("month"))?),
    };
    let clients = (spec.consultants / 4).clamp(7, 12);
    let mut engagements = Vec::new();
    for index in 0..clients {
        engagements.push(ordinary(spec, days, index, &people)?);
    }
    engagements.push(internal(clients)?);
    for purpose in [
        Purpose::OnHold,
        Purpose::ClosedProject,
        Purpose::HoldsLate,
        Purpose::RateGap,
    ] {
        let index = u32::try_from(engagements.len()).unwrap_or(u32::MAX);
        engagements.push(special(spec, days, index, purpose)?);
    }
    if spec.agreements {
        let index = u32::try_from(engagements.len()).unwrap_or(u32::MAX);
        engagements.extend(agreements(spec, days, index)?);
    }
    let bill_rates = engagements.iter().flat_map(rate_rows).collect();
    let cost_rates = cost_rates(days)?;
    // One person in four is known to the crosswalk only; the tracker has no code for them.
    let mut crosswalk = Crosswalk::default();
    for person in people.iter().step_by(4) {
        crosswalk
            .workers
            .insert(person.user_id.clone(), person.code.clone());
    }
    for (activity, item) in ACTIVITIES {
        crosswalk
            .service_items
            .insert((*activity).to_owned(), (*item).to_owned());
    }
    Ok(Layout {
        days,
        people,
        gone,
        engagements,
        bill_rates,
        cost_rates,
        crosswalk,
    })
}

pub(super) fn currency(code: &str) -> Result<Currency, FirmError> {
    code.parse().map_err(|_| FirmError::Range("currency"))
}

fn nth<T: Copy>(list: &[T], n: u32) -> Option<T> {
    let length = u32::try_from(list.len())
        .ok()
        .filter(|length| *length > 0)?;
    list.get(usize::try_from(n % length).ok()?).copied()
}

fn person(n: u32, rng: &mut Rng) -> Person {
    let name = nth(PEOPLE, n).unwrap_or("Nobody");
    let count = u32::try_from(PEOPLE.len()).unwrap_or(1);
    let name = match n / count {
        0 => name.to_owned(),
        again => format!("{name} {}", again + 1),
    };
    Person {
        code: format!("W{:03}", n + 1),
        user_id: format!("u{}", n + 11),
        erp_id: format!("w{}", n + 301),
        name,
        role: nth(ROLES, rng.random_range(0..4)).unwrap_or("senior"),
        until: None,
    }
}

pub(super) fn projects(client: u32, count: u32, name: &str) -> Vec<ProjectPlan> {
    (0..count)
        .map(|n| {
            let number = client * 10 + n + 1;
            let tasks = TASKS
                .iter()
                .zip(1_u32..)
                .map(|((code, task), at)| TaskPlan {
                    code: (*code).to_owned(),
                    name: (*task).to_owned(),
                    tracker_id: format!("t{}", number * 10 + at),
                    erp_id: format!("tk{}", 5000 + number * 10 + at),
                    closed_after: None,
                })
                .collect();
            let kind = nth(PROJECTS, client + n).unwrap_or("Work");
            ProjectPlan {
                code: format!("P{number:03}"),
                name: format!("{name} {kind}"),
                tracker_id: format!("p{number}"),
                erp_id: format!("pr{}", 700 + number),
                tasks,
            }
        })
        .collect()
}

pub(super) fn contract(
    id: String,
    customer: Option<&str>,
    projects: &[ProjectPlan],
    kind: ContractKind,
    currency: Currency,
) -> Contract {
    Contract {
        customer: customer.map(str::to_owned),
        projects: projects.iter().map(|p| p.code.clone()).collect(),
        ..Contract::plain(id, kind, currency)
    }
}

fn ordinary(
    spec: &FirmSpec,
    days: Days,
    index: u32,
    people: &[Person],
) -> Result<Engagement, FirmError> {
    let name = nth(CLIENTS, index).unwrap_or("Client");
    let code = nth(&["EUR", "USD", "EUR", "JPY"], index).unwrap_or("EUR");
    let customer = format!("C{:02}", index + 1);
    let projects = projects(index, 2, name);
    let kind = if index % 7 == 3 {
        ContractKind::FixedFee
    } else {
        ContractKind::TimeAndMaterials
    };
    let mut contract = contract(
        format!("K{:02}", index + 1),
        Some(&customer),
        &projects,
        kind,
        currency(code)?,
    );
    contract.increment = match index % 3 {
        1 => Some(Increment {
            step_minutes: 15,
            minimum_minutes: 30,
            rounding: Rounding::Up,
        }),
        2 => Some(Increment {
            step_minutes: 6,
            minimum_minutes: 0,
            rounding: Rounding::HalfUp,
        }),
        _ => None,
    };
    contract.grouping = nth(
        &[Grouping::Contract, Grouping::Project, Grouping::Customer],
        index,
    )
    .unwrap_or_default();
    if spec.timesheets && index % 7 == 6 {
        contract.shape = BillShape::Timesheet;
    }
    let closed_task = (index == 0).then(|| TaskPlan {
        code: "OLD".to_owned(),
        name: "Phase one".to_owned(),
        tracker_id: "t9001".to_owned(),
        erp_id: "tk9001".to_owned(),
        closed_after: Some(days.before_last),
    });
    let dearer = people.get(usize::try_from(index).unwrap_or(0));
    Ok(Engagement {
        purpose: Purpose::Ordinary,
        rates: if kind == ContractKind::TimeAndMaterials {
            rates(days, index, code, dearer)?
        } else {
            Vec::new()
        },
        contract,
        customer: Some((customer, format!("cu{}", 900 + index), name.to_owned())),
        projects,
        closed_task,
    })
}

fn internal(index: u32) -> Result<Engagement, FirmError> {
    let projects = projects(index, 1, "Internal");
    Ok(Engagement {
        purpose: Purpose::Ordinary,
        contract: contract(
            "K-INTERNAL".to_owned(),
            None,
            &projects,
            ContractKind::Internal,
            currency("EUR")?,
        ),
        customer: None,
        projects,
        closed_task: None,
        rates: Vec::new(),
    })
}

fn special(
    _spec: &FirmSpec,
    days: Days,
    index: u32,
    purpose: Purpose,
) -> Result<Engagement, FirmError> {
    let (tag, name) = match purpose {
        Purpose::Ordinary | Purpose::OnHold => ("HOLD", "Slowpay Holdings"),
        Purpose::ClosedProject => ("CLOSED", "Finished Works"),
        Purpose::HoldsLate => ("LATE", "Punctual Partners"),
        Purpose::RateGap => ("GAP", "Gap & Co"),
    };
    let customer = format!("C-{tag}");
    let projects = projects(index, 1, name);
    let mut contract = contract(
        format!("K-{tag}"),
        Some(&customer),
        &projects,
        ContractKind::TimeAndMaterials,
        currency("EUR")?,
    );
    if purpose == Purpose::HoldsLate {
        contract.late_work = LateWork::Hold;
    }
    let mut rates = rates(days, index, "EUR", None)?;
    if purpose == Purpose::RateGap {
        rates.retain(|price| price.to.is_some());
    }
    Ok(Engagement {
        purpose,
        contract,
        customer: Some((customer, format!("cu{}", 900 + index), name.to_owned())),
        projects,
        closed_task: None,
        rates,
    })
}
